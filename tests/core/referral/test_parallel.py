"""Which referrals were made at the same time, and which of them are still open once one is taken on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.referral.course import Course
from adapter.core.referral.parallel import parallel_to, still_asked


def record(id_: str, *parallel: str, status: str = "requested", direction: str = "out", **more: Any) -> dict[str, Any]:
    named = [f"referrals/{each}" for each in parallel]
    return {"id": id_, "direction": direction, "status": status, **({"parallel": named} if named else {}), **more}


ACCEPTED = {"status": "accepted", "by": "organizations/o", "on": "2026-11-20"}
GROUPS = {
    "none is named": ([record("a"), record("b")], "a", ()),
    "one names the other": ([record("a", "b"), record("b")], "a", ("b",)),
    "one is named by the other": ([record("a"), record("b", "a")], "a", ("b",)),
    "each names the other": ([record("a", "b"), record("b", "a")], "b", ("a",)),
    "a chain is one group": ([record("a", "b"), record("b", "c"), record("c")], "a", ("b", "c")),
    "what comes in is in no group": ([record("a", "b"), record("b", direction="in")], "a", ()),
    "what is not there is passed over": ([record("a", "gone")], "a", ()),
    "itself is not another": ([record("a", "a")], "a", ()),
}


@pytest.mark.parametrize(("records", "id_", "others"), GROUPS.values(), ids=GROUPS)
def test_the_group_of_a_referral(records: list[Any], id_: str, others: tuple[str, ...]) -> None:
    assert parallel_to(records, id_) == others


TAKEN = {
    "nobody has taken it on": ({}, record("b"), {}, ()),
    "it is accepted": ({"a": "accepted"}, record("b"), {}, ("b",)),
    "the work has begun": ({"a": "in-progress"}, record("b"), {}, ("b",)),
    "it is completed": ({"a": "completed"}, record("b"), {}, ("b",)),
    "it was declined": ({"a": "rejected"}, record("b"), {}, ()),
    "it waits": ({"a": "on-hold"}, record("b"), {}, ()),
    "the other is accepted too": ({"a": "accepted", "b": "accepted"}, record("b"), {}, ("b",)),
    "the other has ended": ({"a": "accepted", "b": "failed"}, record("b"), {}, ()),
    "the other's request is cancelled": ({"a": "accepted"}, record("b", status="cancelled"), {}, ()),
    "the other's end is asked for": ({"a": "accepted"}, record("b"), {"referrals/b": {"how": "task"}}, ()),
    "the other's end was asked for in vain": (
        {"a": "accepted", "b": "in-progress"}, record("b"), {"referrals/b": {"how": "task", "done": True}}, ("b",)
    ),
    "its record says that it was accepted": ({"a": ""}, record("b"), {}, ("b",)),
}  # fmt: skip


@pytest.mark.parametrize(("states", "other", "asks", "open_"), TAKEN.values(), ids=TAKEN)
def test_what_is_still_asked(states: Any, other: Any, asks: Any, open_: tuple[str, ...]) -> None:
    first = record("a", "b", **({"outcome": ACCEPTED} if states.get("a") == "" else {}))
    courses = {f"referrals/{id_}": Course(state=state) for id_, state in states.items() if state}
    assert still_asked([first, other], courses, asks, "a") == open_


IDS = st.sampled_from("abcdef")


@given(st.dictionaries(IDS, st.lists(IDS, max_size=3), max_size=6))
def test_being_in_parallel_is_of_both(named: dict[str, list[str]]) -> None:
    """Whatever names whatever: each of a group has the same group, and the order of the records does not matter."""
    records = [record(id_, *parallel) for id_, parallel in named.items()]
    groups = {id_: frozenset({id_, *parallel_to(records, id_)}) for id_ in named}
    for id_, group in groups.items():
        assert all(groups[other] == group for other in group)
        assert frozenset({id_, *parallel_to(records[::-1], id_)}) == group
