"""Whatever happens to a share in whatever order: one worker at a time, and no mark is ever lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.store import cases, shares
from adapter.store.database import Store, Tx
from adapter.store.shares import Share
from tests.store.conftest import NOW

LEASE = timedelta(seconds=30)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["mark", "claim", "settle", "postpone", "stop", "renew", "retry", "pause", "resume"]),
        st.integers(0, 40),  # seconds that pass before it
        st.integers(0, 3),  # which of the claims ever made, for what a worker does
    ),
    max_size=25,
)


@dataclass
class History:
    """What has happened so far, and what must therefore hold."""

    now: datetime = NOW
    claims: list[Share] = field(default_factory=list)
    holder: Share | None = None
    held_until: datetime = NOW
    unseen: bool = False
    """Was the share marked (or asked to be retried) after the last claim read it?"""
    paused: bool = False


@given(steps=STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_worker_at_a_time_and_no_mark_is_lost(store: Store, steps: list[tuple[str, int, int]]) -> None:
    history = History()
    with store.writing() as tx:
        case, _ = cases.put(tx, f"C-{cases.count(tx)}", {}, {}, now=NOW)
        partner = f"partner of {case.id}"
        others = [share.partner for share in shares.listed(tx, limit=1000)]
        shares.ensure(tx, case.id, [partner], now=NOW)
        for step, seconds, which in steps:
            history.now += timedelta(seconds=seconds)
            take(tx, history, case.id, partner, others, step, which)
        if history.paused:
            shares.resume(tx, partner, now=history.now)
        far = history.now + timedelta(days=1)
        left = shares.claim(tx, worker="w", now=far, lease=LEASE, skip=others)
        if history.unseen or history.holder is not None:
            assert left is not None, "a mark was lost, or a share is stuck behind its worker"


def take(tx: Tx, history: History, case_id: str, partner: str, others: list[str], step: str, which: int) -> None:
    now = history.now
    match step:
        case "mark":
            shares.mark_due(tx, case_id=case_id, now=now)
            history.unseen = True
        case "retry":
            assert shares.retry(tx, case_id, partner, now=now)
            history.unseen = True
        case "pause":
            shares.pause(tx, partner, now=now)
            history.paused = True
        case "resume":
            shares.resume(tx, partner, now=now)
            history.paused = False
        case "claim":
            claimed = shares.claim(tx, worker="w", now=now, lease=LEASE, skip=others)
            if claimed is None:
                return
            assert not history.paused, "a share of a paused partner was claimed"
            assert history.holder is None or history.held_until <= now, "two workers hold one share"
            assert all(claimed.fence > earlier.fence for earlier in history.claims)
            history.claims.append(claimed)
            history.holder, history.held_until, history.unseen = claimed, now + LEASE, False
        case _ if which < len(history.claims):
            work(tx, history, history.claims[-1 - which], step)


def work(tx: Tx, history: History, share: Share, step: str) -> None:
    """A worker acts on a claim of its own: allowed exactly if nobody claimed since and it has not settled."""
    now, mine = history.now, share == history.holder
    assert shares.still_mine(tx, share) == mine
    match step:
        case "renew":
            assert shares.renew(tx, share, now=now, lease=LEASE) == mine
            history.held_until = now + LEASE if mine else history.held_until
            return
        case "settle":
            done = shares.settle(tx, share, due=None, outcome="delivered", now=now)
        case "postpone":
            done = shares.postpone(tx, share, at=now + timedelta(seconds=20), outcome="unavailable", now=now)
        case _:
            done = shares.stop(tx, share, outcome="stopped", now=now)
    assert done == mine
    if mine:
        history.holder = None
        history.unseen = history.unseen or step == "postpone"
