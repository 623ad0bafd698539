"""What is to be told is one alert for many shares, told once, and never lost: on both databases."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from adapter.core.alert import Kind
from adapter.store import alerts
from adapter.store.alerts import Due
from adapter.store.database import Store, Tx
from tests.store.conftest import NOW

HOUR, LEASE = timedelta(hours=1), timedelta(minutes=5)


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def note(tx: Tx, now: datetime, share: int = 7, kind: Kind = "stopped", ways: tuple[str, ...] = ("mail",)) -> None:
    alerts.note(tx, ways, kind, "school", share=share, outcome="rejected", now=now, every=HOUR)


def claim(tx: Tx, now: datetime) -> Due | None:
    due = alerts.is_due(tx, now=now)
    found = alerts.claim(tx, now=now, lease=LEASE)
    assert due is (found is not None)
    return found


def test_a_hundred_shares_are_one_alert_at_once_and_another_after_the_hour(store: Store) -> None:
    with store.writing() as tx:
        note(tx, NOW)
        first = claim(tx, NOW)
        assert first is not None
        assert (first.way, first.alert.count, first.alert.shares, first.alert.outcome) == ("mail", 1, (7,), "rejected")
        alerts.told(tx, first, now=NOW, every=HOUR)
        for number in range(100):
            note(tx, later(number / 10), share=number)
        assert claim(tx, later(59)) is None
        second = claim(tx, later(60))
        assert second is not None and second.alert.id != first.alert.id
        assert (second.alert.count, second.alert.shares, second.alert.since) == (100, tuple(range(10)), NOW)
        alerts.told(tx, second, now=later(60), every=HOUR)
        assert claim(tx, later(10_000)) is None
        note(tx, later(10_000))
        assert claim(tx, later(10_000)) is not None, "long after the last it is told at once"


def test_what_happens_while_it_is_being_told_is_told_next(store: Store) -> None:
    with store.writing() as tx:
        note(tx, NOW, share=1)
        first = claim(tx, NOW)
        assert first is not None
        note(tx, later(1), share=2)
        alerts.told(tx, first, now=later(2), every=HOUR)
        second = claim(tx, later(62))
        assert second is not None and (second.alert.count, second.alert.shares) == (1, (1, 2))


def test_what_was_not_told_is_tried_again_under_the_same_name(store: Store) -> None:
    with store.writing() as tx:
        note(tx, NOW)
        first = claim(tx, NOW)
        assert first is not None
        alerts.put_off(tx, first, until=later(1))
        assert claim(tx, later(0.5)) is None
        again = claim(tx, later(1))
        assert again is not None
        assert (again.alert.id, first.attempts, again.attempts) == (first.alert.id, 1, 2)
        assert claim(tx, later(5)) is None
        assert claim(tx, later(6)) is not None, "who told it died: after the lease another does"


def test_ways_kinds_and_partners_are_told_apart(store: Store) -> None:
    with store.writing() as tx:
        note(tx, NOW, ways=("mail", "webhook"))
        note(tx, NOW, kind="circuit", ways=("mail", "webhook"))
        found = [claim(tx, NOW) for _ in range(5)]
        assert {(d.way, d.alert.kind) for d in found if d} == {
            ("mail", "stopped"), ("mail", "circuit"), ("webhook", "stopped"), ("webhook", "circuit"),
        }  # fmt: skip
        assert found[4] is None


def test_workers_at_one_instant_tell_it_once(store: Store) -> None:
    with store.writing() as tx:
        note(tx, NOW)
    ready, found = threading.Barrier(5), []

    def work() -> None:
        ready.wait()
        with store.writing() as tx:
            found.append(alerts.claim(tx, now=NOW, lease=LEASE))

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(due is not None for due in found) == 1
