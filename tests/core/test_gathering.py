"""Whether a change may wait for others to go with it: never where anything is taken back."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter.core.diff import Change, Create, Delete, Freeze, Holding, Made, Release, Update
from adapter.core.gathering import sight, waits_until

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
MADE = Made("urn:uuid:1", "Goal", ("s", "1"), {"resourceType": "Goal"})
HELD = Holding("urn:uuid:1", "Goal", ("s", "1"), "1", "1", "x")
GONE = Holding("urn:uuid:2", "Goal", ("s", "2"), "2", "1", "x", state="withdrawn")
CREATE, UPDATE = Create(MADE), Update(MADE, HELD)
CASE = {
    "child": {"name": {"given": "Ama"}, "languages": ["en", "fr"]},
    "goals": [
        {"id": "g1", "path": "goals/g1", "title": "Ride the bus", "set_by": "people/mother", "notes": [{"text": "a"}]},
        {"id": "g2", "path": "goals/g2", "title": "Read more"},
    ],
}


def waits(*changes: Change, held: tuple[Holding, ...] = (HELD,), **given: Any) -> Any:
    usual: dict[str, Any] = {"before": {"a"}, "seen": {"a"}, "since": None, "quiet_seconds": 20.0, "next_change": None}
    return waits_until(changes, held, now=NOW, **usual | given)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("found", "until"),
    [
        pytest.param(waits(UPDATE), 20, id="an edit waits"),
        pytest.param(waits(UPDATE, since=later(-5)), 15, id="from the first one on"),
        pytest.param(waits(UPDATE, since=later(-20)), None, id="and no longer"),
        pytest.param(waits(UPDATE, seen={"a", "b"}), 20, id="with more to see it waits"),
        pytest.param(waits(UPDATE, seen={"b"}), None, id="with something gone it does not"),
        pytest.param(waits(UPDATE, before=None), None, id="where it is not known what is held it does not"),
        pytest.param(waits(UPDATE, quiet_seconds=0.0), None, id="where nothing is gathered it does not"),
        pytest.param(waits(CREATE, held=(), before=None), 20, id="what is first sent waits"),
        pytest.param(waits(CREATE, held=(GONE,), before={"a"}, seen={"b"}), 20, id="and after all was taken back"),
        pytest.param(waits(), None, id="nothing to send, nothing to wait for"),
        pytest.param(waits(UPDATE, Delete(HELD)), None, id="a deletion takes all along"),
        pytest.param(waits(UPDATE, Freeze(HELD)), None, id="what freezes"),
        pytest.param(waits(UPDATE, Release(HELD)), None, id="what is released"),
        pytest.param(waits(UPDATE, next_change=later(7)), 7, id="no longer than until consent changes"),
        pytest.param(waits(UPDATE, next_change=later(-7)), 20, id="a change that was is none to come"),
    ],
)
def test_what_waits(found: datetime | None, until: float | None) -> None:
    assert found == (None if until is None else later(until))


def _changed(change: Callable[[Any], Any]) -> Any:
    case = copy.deepcopy(CASE)
    change(case)
    return case


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        pytest.param(lambda c: c["goals"][0].update(title="Ride the train"), False, id="another text"),
        pytest.param(lambda c: c["goals"].append({"id": "g3", "title": "Swim"}), False, id="a record more"),
        pytest.param(lambda c: c["goals"][1].update(rank=2), False, id="a leaf more"),
        pytest.param(lambda c: c["goals"].reverse(), False, id="another order"),
        pytest.param(lambda c: c["goals"].pop(), True, id="a record less"),
        pytest.param(lambda c: c["goals"][0].pop("title"), True, id="a leaf less"),
        pytest.param(lambda c: c["goals"][0].update(set_by="a family member"), True, id="somebody not named any more"),
        pytest.param(lambda c: c["goals"][0].update(set_by="people/father"), True, id="somebody else"),
        pytest.param(lambda c: c["goals"][0]["notes"].__setitem__(0, {"text": "b"}), True, id="another note"),
        pytest.param(lambda c: c["child"]["languages"].remove("en"), True, id="one of several words less"),
        pytest.param(lambda c: c.pop("child"), True, id="the child"),
    ],
)
def test_what_is_gone_from_a_view_is_seen(change: Callable[[Any], Any], gone: bool) -> None:
    assert (not sight(CASE) <= sight(_changed(change))) is gone


def test_a_sight_tells_nothing() -> None:
    """Hashes of places, in no order."""
    assert all(len(each) == 12 and int(each, 16) >= 0 for each in sight(CASE))
    assert sight({}) == frozenset()
