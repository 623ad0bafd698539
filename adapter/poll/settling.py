"""What comes after a round: when the partner is asked again, and how it is called until then."""

from __future__ import annotations

from datetime import datetime, timedelta

from adapter.core.pace import ASKING, Pace, after
from adapter.core.referral.polling import cadence, waiting
from adapter.core.retry import Outcome
from adapter.poll.round import Round
from adapter.store import alerts, paces, polls, subscribed


def settle(round_: Round, *, waits: bool, whole: bool) -> None:
    """When it is asked again, and how it is called after this: as after a share's attempt. `whole`: it was asked for
    all that waits. Else when that is next due stays as it was."""
    desk, poll, now = round_.desk, round_.poll, round_.desk.clock()
    opened = _paced(round_, now)
    if round_.later is not None and not round_.asked:
        with desk.store.writing() as tx:
            polls.put_off(tx, poll, until=round_.later)
        return
    rules = desk.catalogue.partners[poll.partner].referrals
    failed = round_.outcome != "delivered"
    attempts = poll.attempts + 1 if failed else 0
    ended = whole and not failed and round_.later is None
    told_until = "" if round_.earliest == polls.UNTOLD else round_.earliest
    with desk.store.writing() as tx:
        every = cadence(rules, subscribed.state(tx, poll.partner))
        whole_at = now if ended else poll.whole_at
        if failed or ended:
            due = now + waiting(rules, every=every, attempts=attempts, retry_after=round_.retry_after)
        elif whole or poll.place:  # a round was cut off: it goes on
            due = round_.later or now
        else:
            due = max((whole_at or now) + every, now + timedelta(seconds=rules.soonest))
        polls.settle(
            tx, poll, due=due if waits else None, attempts=attempts, outcome=round_.outcome,
            since=told_until if ended else poll.since, detail=round_.detail, now=now,
            whole_at=whole_at, soonest=timedelta(seconds=rules.soonest),
            place="" if ended else round_.place,
            earliest="" if ended else round_.earliest if whole else poll.earliest,
        )  # fmt: skip
        if opened:
            gap = timedelta(minutes=desk.settings.alerts.every_minutes)
            alerts.note(
                tx, desk.ways, "circuit", poll.partner, share=None, outcome=round_.outcome, now=now, every=gap
            )  # fmt: skip


def _paced(round_: Round, now: datetime) -> bool:
    """How the partner is called after this; who was to try and had nothing to ask lets another one try. True: its
    circuit has opened. Each in a transaction of its own, as shares do it."""
    desk, partner = round_.desk, round_.desk.catalogue.partners[round_.poll.partner]
    came_to: Outcome = round_.outcome if round_.asked else "unchanged"

    def by(pace: Pace) -> Pace:
        return after(pace, came_to, share=ASKING, now=now, retry_after=round_.retry_after, rate=partner.rate)

    with desk.store.writing() as tx:
        before, pace = paces.change(tx, partner.id, by)
    if paces.rearranges(before, pace):
        with desk.store.writing() as tx:
            paces.arrange(tx, partner.id, before, pace, now=now)
        desk.wake.set()
    return pace.is_open and not before.is_open
