"""What the case system is to be told is numbered without gaps or surprises, told in order, and never lost: on both
databases."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from adapter.store import notices
from adapter.store.database import Store, Tx
from adapter.store.notices import Turn
from tests.store.conftest import NOW

LEASE = timedelta(minutes=1)


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def note(store: Store, count: int = 1, now: datetime = NOW) -> None:
    for _ in range(count):
        with store.writing() as tx:
            notices.note(tx, "share.stopped", {"case": "5f" * 16, "partner": "lakeside"}, now=now)
    with store.writing() as tx:
        notices.number(tx)


def numbers(tx: Tx, after: int = 0, limit: int = 100) -> list[int]:
    return [each.number for each in notices.listed(tx, after=after, limit=limit)]


def claim(store: Store, now: datetime) -> Turn | None:
    with store.writing() as tx:
        due = notices.is_due(tx, now=now)
        turn = notices.claim(tx, now=now, lease=LEASE)
    assert due is (turn is not None)
    return turn


def test_what_was_not_kept_has_no_number_and_numbers_have_no_gaps(store: Store) -> None:
    note(store, 2)
    with pytest.raises(RuntimeError), store.writing() as tx:
        notices.note(tx, "purge.answered", {}, now=NOW)
        raise RuntimeError("what it tells of did not happen")
    note(store)
    with store.reading() as tx:
        assert numbers(tx) == [1, 2, 3]
        assert numbers(tx, after=1, limit=1) == [2]
        [first, *_] = notices.listed(tx, after=0, limit=1)
    assert (first.kind, first.about, first.at) == ("share.stopped", {"case": "5f" * 16, "partner": "lakeside"}, NOW)


def test_nothing_appears_behind_a_number_that_was_given(store: Store) -> None:
    """One that began earlier and is kept later gets a later number."""
    began, kept = threading.Event(), threading.Event()

    def slow() -> None:
        with store.writing() as tx:
            notices.note(tx, "share.stopped", {"partner": "slow"}, now=NOW)
            began.set()
            kept.wait(60)

    if store._engine.dialect.name == "sqlite":
        return  # whoever writes is alone: there is no such order
    thread = threading.Thread(target=slow)
    thread.start()
    began.wait(60)
    note(store)
    kept.set()
    thread.join()
    with store.writing() as tx:
        assert notices.is_unnumbered(tx)
        notices.number(tx)
    with store.reading() as tx:
        assert [each.about.get("partner") for each in notices.listed(tx, after=0, limit=9)] == ["lakeside", "slow"]


def test_they_are_told_in_order_each_until_it_was_taken(store: Store) -> None:
    note(store, 2)
    first = claim(store, NOW)
    assert first is not None and first.notice.number == 1
    assert claim(store, later(0.9)) is None, "somebody is at it"
    with store.writing() as tx:
        assert notices.put_off(tx, first, until=later(5), now=NOW)
    assert claim(store, later(4)) is None
    again = claim(store, later(5))
    assert again is not None
    assert (again.notice, again.attempts, again.failing_since) == (first.notice, 1, NOW)
    with store.writing() as tx:
        assert notices.told(tx, again)
        assert not notices.told(tx, first), "too late"
    second = claim(store, later(5))
    assert second is not None and (second.notice.number, second.attempts, second.failing_since) == (2, 0, None)
    with store.writing() as tx:
        notices.told(tx, second)
    assert claim(store, later(10_000)) is None


def test_who_died_is_followed_by_another_and_comes_too_late(store: Store) -> None:
    note(store)
    dead = claim(store, NOW)
    taken_over = claim(store, later(1.1))
    assert dead is not None and taken_over is not None
    assert taken_over.notice == dead.notice
    with store.writing() as tx:
        assert not notices.told(tx, dead) and not notices.put_off(tx, dead, until=later(9), now=NOW)
        assert not notices.stop(tx, dead)
        assert notices.told(tx, taken_over)


def test_what_has_stopped_waits_until_a_person_says_so(store: Store) -> None:
    note(store, 3)
    turn = claim(store, NOW)
    assert turn is not None
    with store.writing() as tx:
        assert notices.stop(tx, turn)
        assert notices.standing(tx).stopped
    assert claim(store, later(10_000)) is None
    with store.writing() as tx:
        notices.again(tx, after=3)
    turn = claim(store, later(0))
    assert turn is not None and turn.notice.number == 1, "nothing is left out by asking for what is behind it"


def test_telling_again_begins_behind_the_number_also_while_somebody_is_at_it(store: Store) -> None:
    note(store, 3)
    for _ in range(2):
        turn = claim(store, NOW)
        assert turn is not None
        with store.writing() as tx:
            notices.told(tx, turn)
    at_it = claim(store, NOW)
    assert at_it is not None and at_it.notice.number == 3
    with store.writing() as tx:
        assert notices.again(tx, after=1).told == 1
        assert not notices.told(tx, at_it)
    turn = claim(store, NOW)
    assert turn is not None and turn.notice.number == 2


def test_what_is_old_goes_and_its_number_never_comes_again(store: Store) -> None:
    note(store, 3)
    turn = claim(store, NOW)
    assert turn is not None
    with store.writing() as tx:
        notices.told(tx, turn)
        assert notices.forget(tx, before=NOW, untold=False) == 0
        assert notices.forget(tx, before=later(1), untold=False) == 1, "what was not told stays"
        assert numbers(tx) == [2, 3]
        assert notices.forget(tx, before=later(1), untold=True) == 2
        notices.note(tx, "inbox.changed", {"item": "7"}, now=NOW)
        assert notices.forget(tx, before=later(1), untold=True) == 0, "it has no number yet"
    note(store)
    with store.reading() as tx:
        assert numbers(tx) == [4, 5]
    turn = claim(store, NOW)
    assert turn is not None and turn.notice.number == 4


def test_two_that_want_the_same_turn_do_not_both_get_it(store: Store) -> None:
    note(store)
    got: list[Turn | None] = []
    ready = threading.Barrier(4)

    def work() -> None:
        ready.wait(60)
        with store.writing() as tx:
            got.append(notices.claim(tx, now=NOW, lease=LEASE))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([turn for turn in got if turn is not None]) == 1


def test_what_it_is_about_is_sealed(store: Store) -> None:
    note(store)
    with store.reading() as tx:
        [row] = tx.connection.execute(notices.LISTED, {"after": 0, "limit": 1}).all()
    assert b"lakeside" not in row.sealed
