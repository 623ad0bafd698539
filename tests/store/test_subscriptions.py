"""Subscriptions in the store: one worker at a time, nothing lost that happens meanwhile; and hints that wait."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapter.core.subscriptions import theirs, words
from adapter.store import polls, resources, subscribed, subscriptions
from adapter.store.database import Store, Tx
from adapter.store.polls import Hint
from adapter.store.subscriptions import Subscription
from tests.core.subscriptions.test_theirs import R4
from tests.store.conftest import NOW

LEASE, SOON = timedelta(minutes=1), timedelta(seconds=5)
AMONG = ["school"]
TASK = {"resourceType": "Task", "status": "accepted"}


def asked(topic: str = words.TASKS) -> tuple[dict[str, Any], theirs.Asked]:
    made = copy.deepcopy(R4)
    made.pop("_criteria")
    made["criteria"] = topic
    return made, theirs.read(made, "R4", now=NOW)


def made(tx: Tx, id_: str = "s1", partner: str = "school") -> Subscription:
    resource, read = asked()
    return subscriptions.create(tx, id_, partner, resource, asked=read, base="https://a.example/fhir", now=NOW)


def settle(tx: Tx, held: Subscription, now: datetime, **values: Any) -> bool:
    given: dict[str, Any] = {
        "status": "active",
        "told": held.told,
        "attempts": 0,
        "detail": "",
        "due": None,
    }
    return subscriptions.settle(tx, held, now=now, said=True, **{**given, **values})


def claim(tx: Tx, now: datetime) -> Subscription | None:
    return subscriptions.claim(tx, among=AMONG, now=now, lease=LEASE)


def changed(tx: Tx, id_: str, world: str = "school") -> None:
    resources.update(tx, world, "Task", id_, TASK, now=NOW, indexed={})


@pytest.fixture
def held(store: Store) -> Subscription:
    """An active one, that a worker is at."""
    with store.writing() as tx:
        made(tx)
        first = claim(tx, NOW)
        assert first is not None
        assert settle(tx, first, NOW)
        changed(tx, "t1")
        found = claim(tx, NOW)
        assert found is not None
        return found


def test_one_worker_is_at_it_and_sees_what_happens_meanwhile(store: Store, held: Subscription) -> None:
    with store.writing() as tx:
        changed(tx, "t2")
        assert claim(tx, NOW) is None
        assert settle(tx, held, NOW, told=1)
        after = claim(tx, NOW)
        assert after is not None
        assert [(e.number, e.id) for e in subscriptions.events(tx, after, first=after.told + 1, last=99)] == [(2, "t2")]


def test_a_worker_that_was_too_late_settles_nothing(store: Store, held: Subscription) -> None:
    with store.writing() as tx:
        taken_over = claim(tx, NOW + LEASE)
        assert taken_over is not None
        assert not settle(tx, held, NOW, told=1)
        assert settle(tx, taken_over, NOW, told=1)


def test_what_its_partner_has_changed_meanwhile_is_not_settled(store: Store, held: Subscription) -> None:
    with store.writing() as tx:
        current = subscriptions.find(tx, "school", "s1")
        assert current is not None
        resource, read = asked(words.READABLE)
        subscriptions.replace(tx, current, resource, asked=read, base="", now=NOW)
        assert not settle(tx, held, NOW, status="error")
        again = claim(tx, NOW)
        assert again is not None
        assert (again.status, again.topic, again.number) == ("requested", words.READABLE, 1)


def test_one_that_waits_for_its_next_attempt_is_not_tried_sooner(store: Store, held: Subscription) -> None:
    with store.writing() as tx:
        later = NOW + timedelta(minutes=5)
        assert settle(tx, held, NOW, attempts=3, due=later)
        changed(tx, "t2")
        assert claim(tx, NOW + timedelta(minutes=4)) is None
        assert claim(tx, later) is not None


def test_only_the_last_events_are_kept_and_none_is_renumbered(
    store: Store, held: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "KEPT", 3)
    with store.writing() as tx:
        for number in range(2, 8):
            changed(tx, f"t{number}")
        assert [e.number for e in subscriptions.events(tx, held, first=0, last=99)] == [5, 6, 7]


def test_a_change_that_is_not_kept_makes_no_event(store: Store, held: Subscription) -> None:
    class Gone(Exception):  # noqa: N818
        pass

    with pytest.raises(Gone), store.writing() as tx:
        changed(tx, "t2")
        raise Gone
    with store.writing() as tx:
        current = subscriptions.find(tx, "school", "s1")
        assert current is not None
        assert current.number == 1


WORLDS: dict[str, tuple[str, int]] = {
    "its own world": ("school", 2), "its view": (f"{subscriptions.VIEW}school", 2), "another's": ("clinic", 1),
    "another's view": (f"{subscriptions.VIEW}clinic", 1),
}  # fmt: skip


@pytest.mark.parametrize(("world", "number"), WORLDS.values(), ids=WORLDS)
def test_what_changes_in_its_two_worlds_is_an_event(store: Store, held: Subscription, world: str, number: int) -> None:
    with store.writing() as tx:
        changed(tx, "t2", world)
        current = subscriptions.find(tx, "school", "s1")
        assert current is not None
        assert current.number == number


def asking(store: Store, how: Callable[[Tx], Any]) -> Any:
    """A poll that is due in an hour, and what comes of it."""
    with store.writing() as tx:
        polls.ensure(tx, "school", at=NOW + timedelta(hours=1), now=NOW)
        return how(tx)


def test_a_hint_makes_a_poll_due_and_is_taken_with_it(store: Store) -> None:
    def how(tx: Tx) -> None:
        assert polls.hint(tx, "school", Hint(("a",)), soonest=SOON, now=NOW)
        assert polls.hint(tx, "school", Hint(("b",)), soonest=SOON, now=NOW)
        first = polls.claim(tx, among=AMONG, now=NOW, lease=LEASE)
        assert first is not None
        assert first.hint == Hint(("a", "b"))
        assert polls.claim(tx, among=AMONG, now=NOW, lease=LEASE) is None
        assert polls.hint(tx, "school", Hint(("c",)), soonest=SOON, now=NOW)
        assert polls.claim(tx, among=AMONG, now=NOW, lease=LEASE) is None, "a worker is at it"
        due = NOW + timedelta(hours=6)
        assert polls.settle(tx, first, due=due, attempts=0, since="", outcome="", detail="", now=NOW, soonest=SOON)
        assert polls.claim(tx, among=AMONG, now=NOW, lease=LEASE) is None
        second = polls.claim(tx, among=AMONG, now=NOW + SOON, lease=LEASE)
        assert second is not None
        assert second.hint == Hint(("c",))

    asking(store, how)


def test_a_hint_breaks_no_back_off_and_waits_for_nobody_who_waits_for_nothing(store: Store) -> None:
    def how(tx: Tx) -> None:
        polls.hint(tx, "school", Hint(), soonest=SOON, now=NOW)
        first = polls.claim(tx, among=AMONG, now=NOW, lease=LEASE)
        assert first is not None
        later = NOW + timedelta(minutes=2)
        polls.settle(
            tx, first, due=later, attempts=1, since="", outcome="unavailable", detail="", now=NOW, soonest=SOON
        )
        assert polls.hint(tx, "school", Hint(("a",)), soonest=SOON, now=NOW)
        assert polls.claim(tx, among=AMONG, now=later - SOON, lease=LEASE) is None
        again = polls.claim(tx, among=AMONG, now=later, lease=LEASE)
        assert again is not None
        polls.settle(tx, again, due=None, attempts=0, since="", outcome="", detail="", now=later)
        assert not polls.hint(tx, "school", Hint(("a",)), soonest=SOON, now=later)
        assert not polls.hint(tx, "clinic", Hint(("a",)), soonest=SOON, now=later)

    asking(store, how)


TOGETHER: dict[str, tuple[Hint, Hint, Hint]] = {
    "two Tasks": (Hint(("a",)), Hint(("b", "a")), Hint(("a", "b"))),
    "one and all": (Hint(("a",)), Hint(), Hint()),
    "one, and something missed": (Hint(("a",)), Hint(("b",), missed=True), Hint(("a", "b"), missed=True)),
    "too many": (Hint(tuple(map(str, range(40)))), Hint(tuple(map(str, range(40, 60)))), Hint()),
}


@pytest.mark.parametrize(("one", "other", "both"), TOGETHER.values(), ids=TOGETHER)
def test_hints_that_wait_are_one(one: Hint, other: Hint, both: Hint) -> None:
    assert one.together(other) == both
    assert set(other.together(one).tasks) == set(both.tasks)


def test_ours_is_looked_after_by_one_worker_and_opens_with_either_secret(store: Store) -> None:
    with store.writing() as tx:
        subscribed.ensure(tx, "school", "R4 https://a.example", now=NOW)
        one = subscribed.claim(tx, among=AMONG, now=NOW, lease=LEASE)
        assert one is not None
        assert subscribed.claim(tx, among=AMONG, now=NOW, lease=LEASE) is None
        assert subscribed.expect(tx, one, "first")
        values: dict[str, Any] = {"id": "7", "state": "active", "ends": NOW, "attempts": 0, "due": NOW, "now": NOW}
        assert subscribed.settle(tx, one, **values, written=True)
        assert subscribed.expect(tx, one, "second")
        assert [subscribed.is_shown(tx, "school", each) for each in ("first", "second", "", "third")] == [
            True, True, False, False,
        ]  # fmt: skip
        assert subscribed.settle(tx, one, **values, written=True)
        assert subscribed.settle(tx, one, **values)
        assert [subscribed.is_shown(tx, "school", each) for each in ("first", "second")] == [False, True]
        assert not subscribed.is_shown(tx, "clinic", "second")
        other = replace(one, fence=one.fence + 1)
        assert not subscribed.expect(tx, other, "fourth")
        assert not subscribed.settle(tx, other, **values)
