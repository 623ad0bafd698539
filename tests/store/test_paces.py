"""Circuits and paces are shared by all workers: on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapter.core.pace import SHARES, Pace, after
from adapter.store import cases, paces, shares
from adapter.store.database import Store, Tx
from adapter.store.shares import Share
from tests.store.conftest import NOW

LEASE = timedelta(seconds=30)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def due(tx: Tx, partner: str, count: int, *, other: str = "clinic") -> None:
    for number in range(count):
        case, _ = cases.put(tx, f"C-{partner}-{number}", {}, {}, now=NOW)
        shares.ensure(tx, case.id, [partner, other], now=NOW)
        shares.mark_due(tx, case_id=case.id, partner=partner, now=NOW)


def opened(tx: Tx, partner: str = "school") -> Pace:
    for share in range(SHARES):
        paces.change(
            tx,
            partner,
            lambda p, s=share: after(p, "unavailable", share=1000 + s, now=NOW),  # type: ignore[misc]
        )
    return paces.of_partner(tx, partner)


def take(tx: Tx, partner: str, now: datetime, rate: float) -> datetime | None:
    share = shares.listed(tx, partner=partner)[0]
    return paces.take(tx, share, now=now, until=now + LEASE, rate=rate)


def claim(tx: Tx, now: datetime) -> Share | None:
    return paces.claim(tx, worker="w", now=now, lease=LEASE)


def test_what_is_kept_is_read_as_it_was(store: Store) -> None:
    full = Pace((3, 1), NOW, later(1), 2, 7, later(2), later(3), 1.5)
    with store.writing() as tx:
        assert paces.change(tx, "school", lambda _: full) == (Pace(), full)
        assert paces.change(tx, "school", lambda pace: pace) == (full, full)
        assert paces.listed(tx) == {"school": full}
        assert (paces.of_partner(tx, "school"), paces.of_partner(tx, "clinic")) == (full, Pace())


def test_while_a_circuit_is_open_only_others_are_claimed(store: Store) -> None:
    with store.writing() as tx:
        due(tx, "school", 3)
        due(tx, "clinic", 1, other="school")
        pace = opened(tx)
        assert pace.try_at == later(60)
        first = claim(tx, NOW)
        assert first is not None and first.partner == "clinic"
        assert shares.settle(tx, first, due=None, outcome="delivered")
        assert claim(tx, later(59)) is None
        assert paces.next_due(tx, now=later(1)) == later(60)


def test_one_share_tries_and_the_others_wait_for_what_becomes_of_it(store: Store) -> None:
    with store.writing() as tx:
        due(tx, "school", 3)
        opened(tx)
        tries = claim(tx, later(60))
        assert tries is not None
        assert paces.of_partner(tx, "school").trying == tries.id
        assert claim(tx, later(61)) is None
        assert paces.next_due(tx, now=later(61)) == later(90)
        second = claim(tx, later(90))
        assert second is not None, "its worker died: the next one tries"
        paces.change(tx, "school", lambda pace: after(pace, "delivered", share=second.id, now=later(91)))
        assert claim(tx, later(91)) is not None


def test_shares_behind_an_open_circuit_cost_a_claim_nothing_and_lose_no_time(store: Store) -> None:
    """Their turn is put behind, their due time stays; a mark in between is behind it too; closing early brings back."""
    with store.writing() as tx:
        due(tx, "school", 3)
        pace = opened(tx)
        assert pace.try_at is not None
        shares.put_behind(tx, "school", until=pace.try_at)
        assert [share.due for share in shares.listed(tx, partner="school", state="due")] == [NOW] * 3
        assert shares.next_due(tx) == pace.try_at
        shares.mark_due(tx, partner="school", now=later(5))
        assert claim(tx, later(5)) is None
        assert paces.next_due(tx, now=later(5)) == pace.try_at
        paces.change(tx, "school", lambda p: after(p, "delivered", share=1, now=later(6)))
        shares.bring_back(tx, "school", now=later(6))
        assert [claim(tx, later(6)) is not None for _ in range(4)] == [True, True, True, False]


def test_the_share_that_tries_is_at_it_as_long_as_its_requests_take(store: Store) -> None:
    with store.writing() as tx:
        due(tx, "school", 2)
        opened(tx)
        tries = claim(tx, later(60))
        assert tries is not None
        assert paces.take(tx, tries, now=later(80), until=later(140), rate=0) is None
        shares.renew(tx, tries, now=later(80), lease=timedelta(seconds=60))
        assert claim(tx, later(139)) is None
        assert claim(tx, later(140)) is not None


def test_a_person_is_not_held_up_by_what_a_partner_asked_for(store: Store) -> None:
    """But for the pace itself: a minute at most."""
    with store.writing() as tx:
        due(tx, "school", 1)
        for hours in (10.0, 0.01):
            pace = Pace(next_at=later(3600 * hours))
            paces.change(tx, "school", lambda _, pace=pace: pace)  # type: ignore[misc]
            paces.let_try(tx, "school", now=NOW)
            assert paces.of_partner(tx, "school") == (Pace() if hours > 1 else pace)


def test_a_person_may_let_one_try(store: Store) -> None:
    with store.writing() as tx:
        due(tx, "school", 2)
        opened(tx)
        assert claim(tx, later(1)) is None
        paces.let_try(tx, "school", now=later(2))
        paces.let_try(tx, "clinic", now=later(2))
        assert [claim(tx, later(2)) is not None for _ in range(2)] == [True, False]


def test_two_workers_at_one_instant_do_not_both_try(store: Store) -> None:
    with store.writing() as tx:
        due(tx, "school", 8)
        opened(tx)
    ready, found = threading.Barrier(6), []

    def work() -> None:
        ready.wait()
        with store.writing() as tx:
            if (share := claim(tx, later(60))) is not None:
                found.append(share.id)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1
    with store.reading() as tx:
        working = shares.listed(tx, state="working")
        assert [share.id for share in working] == found, "who lost has taken nothing"


def test_requests_are_counted_over_all_workers(store: Store) -> None:
    """Sixty a minute: one a second leaves, whoever asks."""
    left: list[int] = []
    with store.writing() as tx:
        due(tx, "school", 1)

    def work(second: int) -> None:
        with store.writing() as tx:
            if take(tx, "school", later(second / 4), 60) is None:
                left.append(second)

    threads = [threading.Thread(target=work, args=(0,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert left == [0]
    with store.writing() as tx:
        assert take(tx, "school", later(0.25), 60) == later(1)
        assert claim(tx, later(0.5)) is None
        assert take(tx, "school", later(1), 60) is None
        assert take(tx, "clinic", later(1), 0) is None
        assert "clinic" not in paces.listed(tx)


@pytest.mark.parametrize("seconds", [0.5, 0.0])
def test_a_share_that_is_put_off_has_failed_nothing(store: Store, seconds: float) -> None:
    """It keeps what it had come to; what is marked meanwhile does not wait with it."""
    with store.writing() as tx:
        due(tx, "school", 1)
        share = claim(tx, NOW)
        assert share is not None
        shares.postpone(tx, share, at=later(10), outcome="unknown", detail="cut", now=NOW)
        again = claim(tx, later(10))
        assert again is not None and again.attempts == 1
        if not seconds:
            shares.mark_due(tx, partner="school", now=later(11))
        assert shares.put_off(tx, again, at=later(60), now=later(12))
        assert not shares.put_off(tx, again, at=later(99), now=later(12)), "no longer the caller's"
        [put] = shares.listed(tx, partner="school")
        assert (put.state, put.due) == ("due", later(60) if seconds else later(11))
        assert (put.attempts, put.failing_since, put.outcome, put.detail) == (1, NOW, "unknown", "cut")


def test_a_paused_partner_stays_paused_behind_its_circuit(store: Store) -> None:
    with store.writing() as tx:
        due(tx, "school", 2)
        pace = opened(tx)
        shares.pause(tx, "school", now=NOW)
        shares.put_behind(tx, "school", until=later(60))
        shares.bring_back(tx, "school", now=later(70))
        assert claim(tx, later(70)) is None
        shares.resume(tx, "school", now=later(80))
        assert replace(pace) == paces.of_partner(tx, "school")
        assert claim(tx, later(80)) is not None
