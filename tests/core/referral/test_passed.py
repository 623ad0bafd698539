"""A Task that is part of ours: where it leads, who has it, and that it is kept once, as it stands newest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.referral.answer import Answer
from adapter.core.referral.passed import MOST, Led, added, led, owner

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
BASE = "https://there.example/fhir"
LEADS = {
    "a reference on the same server": ({"reference": "Task/1"}, Led(None, ("Task", "1"))),
    "a version of it": ({"reference": "Task/1/_history/3"}, Led(None, ("Task", "1"))),
    "its whole address": ({"reference": f"{BASE}/Task/1"}, Led(None, ("Task", "1"))),
    "an address elsewhere": ({"reference": "https://elsewhere.example/fhir/Task/1"}, Led(None, None)),
    "a contained one": ({"reference": "#task"}, Led(None, None)),
    "an urn": ({"reference": "urn:uuid:0"}, Led(None, None)),
    "an identifier": ({"identifier": {"system": "s", "value": "v"}}, Led(("s", "v"), None)),
    "an identifier without a system": ({"identifier": {"value": "v"}}, Led(None, None)),
}


@pytest.mark.parametrize(("reference", "to"), LEADS.values(), ids=LEADS)
def test_where_a_reference_leads(reference: Any, to: Led) -> None:
    assert list(led([reference], BASE)) == [to]
    assert list(led(reference, BASE)) == [to]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["reference", "identifier", "system", "value", "display", "owner", "partOf"]), inner, max_size=3
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_it_is_total_over_any_json(value: Any) -> None:
    for each in led(value):
        assert isinstance(each, Led)
    assert isinstance(owner({"owner": value}), str)


@pytest.mark.parametrize(
    ("has", "who"),
    [({"display": "The clinic", "reference": "Organization/1"}, "The clinic"),
     ({"identifier": {"system": "s", "value": "INVENTED-1"}}, "INVENTED-1"),
     ({"reference": "Organization/1"}, ""), (None, ""), ({"display": " \u0007 "}, "")],
)  # fmt: skip
def test_who_has_it(has: Any, who: str) -> None:
    assert owner({"owner": has}) == who


def answer(key: str, said: str = "accepted", number: int | None = None, **more: Any) -> Answer:
    return Answer(key, None, said, number=number, **more)


def test_it_is_kept_once_as_it_stands_newest() -> None:
    first = added((), "there Task/1", "The clinic", answer("a", number=2), NOW)
    assert [(each.to, each.said, each.since) for each in first] == [("The clinic", "accepted", NOW.isoformat())]
    later = NOW + timedelta(hours=1)
    assert added(first, "there Task/1", "The clinic", answer("a", number=2), later) is first, "the same again"
    assert added(first, "there Task/1", "Another", answer("b", "rejected", 1), later) is first, "an older one, late"
    moved = added(first, "there Task/1", "The clinic", answer("c", "completed", 3), later)
    assert [(each.said, each.since, each.at) for each in moved] == [
        ("completed", NOW.isoformat(), later.isoformat()),
    ]  # fmt: skip
    touched = added(moved, "there Task/1", "The clinic", answer("d", "completed", 4), later + timedelta(hours=1))
    assert touched[0].at == later.isoformat(), "saved again without a change it stands as it stood"
    assert added(touched, "there Task/1", "The clinic", answer("e", "x", 3), later) is touched


def test_whoever_passes_on_without_end_fills_nothing_up() -> None:
    passed: Any = ()
    for number in range(MOST + 10):
        passed = added(passed, f"there Task/{number}", "", answer(f"k{number}"), NOW)
    assert len(passed) == MOST
    assert added(passed, "there Task/0", "", answer("new", "completed"), NOW)[0].said == "completed"
