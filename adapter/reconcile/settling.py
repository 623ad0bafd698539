"""What a share does after one claim, with the holdings that needed no traffic, in one transaction."""

from __future__ import annotations

import secrets
from datetime import datetime

from adapter.core.alert import Kind
from adapter.core.diff import Adopt, Freeze, Holding, Release, without_traffic
from adapter.core.doubt import looks_again
from adapter.core.gathering import sight, waits_until
from adapter.core.pace import Pace, after
from adapter.core.retry import NextStep, Settled, Stopped, TryAgain, next_step
from adapter.desk import Desk
from adapter.reconcile.account import line
from adapter.reconcile.alerting import note, note_stop
from adapter.reconcile.overdue import note_overdue
from adapter.reconcile.shared import follow, follow_purge
from adapter.reconcile.work import Attempt, Work, fingerprint, plan_of
from adapter.store import disclosures, holdings, paces, shares
from adapter.store.database import Tx

DONE = ("delivered", "existing", "unchanged", "stopped")
"""With these outcomes of a claim all that it planned, or was allowed of it, has been done."""


EQUAL = ("delivered", "existing", "unchanged")
"""With these the partner holds what it should."""


def stay_stopped(desk: Desk, tx: Tx, work: Work) -> None:
    """Nothing has changed that the partner may see since it stopped: a save that is withheld from it calls nobody."""
    share, desired = work.share, work.plan.desired
    note_overdue(desk, tx, work)
    alarms = dict.fromkeys((*share.alarms, *sorted(a.code for a in desired.alarms)))
    shares.stop(
        tx,
        share,
        outcome=share.outcome,
        detail=share.detail,
        alarms=tuple(alarms),
        refused=share.refused,
        due=_due(work),
        now=work.now,
    )


def settle(desk: Desk, work: Work, attempt: Attempt) -> None:
    """Holdings that needed no traffic, and what the share does next, in one transaction."""
    now = desk.clock()
    share, desired = work.share, work.plan.desired
    alarms = (*attempt.alarms, *sorted({a.code for a in desired.alarms}))
    quiet = [c for c in work.plan.changes if isinstance(c, Adopt | Freeze | Release)]
    kept = [h for c in quiet if (h := without_traffic(c)) is not None]
    frozen = [line(desk, work, c, "frozen", "unchanged", now) for c in quiet if isinstance(c, Freeze)]
    with desk.store.writing() as tx:
        if not shares.still_mine(tx, share):
            return
        _keep_sight(desk, tx, work, attempt)
        step = _step(tx, work, attempt, now)
        before, pace = _paced(desk, tx, work, attempt, now)
        last = _last_user(desk, tx, work)
        holdings.save(tx, share.id, kept, now=now)
        # What failed may still refer to them there: until it is done they are held here, and nobody takes them back.
        done = attempt.outcome in DONE
        released = {c.holding.urn for c in quiet if isinstance(c, Release) and done} - {held.urn for held in last}
        holdings.forget(tx, share.id, released)
        follow_purge(desk, tx, work)
        disclosures.append(tx, work.stored.id, frozen)
        follow(desk, tx, work)
        note_overdue(desk, tx, work)
        match step:
            case Settled():
                outcome, due = attempt.outcome, now if last else _due(work)
                equal_at = work.now if outcome in EQUAL else None
                shares.settle(
                    tx, share,
                    due=due, outcome=outcome, detail=attempt.detail, alarms=alarms, equal_at=equal_at, now=now,
                )  # fmt: skip
            case TryAgain(at):
                shares.postpone(tx, share, at=at, outcome=attempt.outcome, detail=attempt.detail, now=now)
            case Stopped(reason):
                kind: Kind = "conflict" if "conflict" in alarms else "stopped"
                note_stop(desk, tx, kind, share, outcome=attempt.outcome)
                detail, due = attempt.detail or reason, _due(work)
                refused = "" if attempt.outcome == "stopped" else _left(desk, tx, work)
                shares.stop(
                    tx, share, outcome=attempt.outcome, detail=detail, alarms=alarms, refused=refused, due=due, now=now
                )
        if pace.is_open and not before.is_open:
            note(desk, tx, "circuit", share.partner, share=share.id, outcome=attempt.outcome)
    if paces.rearranges(before, pace):
        with desk.store.writing() as tx:
            paces.arrange(tx, share.partner, before, pace, now=now)
        desk.wake.set()
    if released:
        # On PostgreSQL two that settle at one instant do not see each other leave: each looks once more.
        with desk.store.writing() as tx:
            if orphans := _last_user(desk, tx, work):
                shares.mark_due(tx, case_id=share.case_id, partner=share.partner, now=now)
                holdings.save(tx, share.id, orphans, now=now)


def _due(work: Work) -> datetime | None:
    """When a permission begins or ends, or something is to be looked for that may come late."""
    wanted = {made.urn for made in work.plan.desired.made}
    moments = (work.plan.desired.next_change, looks_again(work.held, wanted, work.now))
    return min((at for at in moments if at is not None), default=None)


def put_off(desk: Desk, work: Work, until: datetime) -> None:
    """Not now: nothing has been tried, and the share is due then."""
    with desk.store.writing() as tx:
        shares.put_off(tx, work.share, at=until, now=desk.clock())


def gathers(desk: Desk, work: Work) -> bool:
    """Do these changes wait for others to go with them? Then the share is due when they go. Not what takes back, and
    not what has failed before."""
    share, quiet = work.share, desk.catalogue.partners[work.share.partner].quiet_seconds
    if not quiet or share.attempts or work.plan.desired.wrong:
        return False
    with desk.store.writing() as tx:
        until = waits_until(
            work.plan.changes,
            work.held,
            before=shares.sight(tx, share),
            seen=sight(work.plan.desired.view.case),
            since=share.gathering_since,
            quiet_seconds=quiet,
            next_change=work.plan.desired.next_change,
            now=work.now,
        )
        if until is not None:
            shares.gather(tx, share, until=until, now=work.now)
    return until is not None


def _keep_sight(desk: Desk, tx: Tx, work: Work, attempt: Attempt) -> None:
    """What the partner holds now, for the next time; of what may have arrived in part, all that it may be."""
    if not desk.catalogue.partners[work.share.partner].quiet_seconds:
        return
    before, now = shares.sight(tx, work.share), sight(work.plan.desired.view.case)
    if attempt.outcome not in EQUAL:
        now |= before or frozenset()
        if before is None and any(h.state != "withdrawn" for h in work.held):
            return  # what it held before is not known, and still is not
    if now != before:
        shares.keep_sight(tx, work.share, now)


def _step(tx: Tx, work: Work, attempt: Attempt, now: datetime) -> NextStep:
    if attempt.outcome == "version":
        return Stopped("rejected")
    pace = paces.of_partner(tx, work.share.partner)
    return next_step(
        attempt.outcome,
        attempts=work.share.attempts + 1,
        failing_since=pace.counted_from(work.share.failing_since, now),
        now=now,
        jitter=secrets.randbelow(1_000_000) / 1_000_000,
        retry_after=attempt.retry_after,
    )


def _paced(desk: Desk, tx: Tx, work: Work, attempt: Attempt, now: datetime) -> tuple[Pace, Pace]:
    """How the partner was called, and how it is called after this attempt."""
    share, rate = work.share, desk.catalogue.partners[work.share.partner].rate
    return paces.change(
        tx,
        share.partner,
        lambda pace: after(
            pace, attempt.outcome, share=share.id, now=now, retry_after=attempt.retry_after, rate=rate
        ),
    )  # fmt: skip


def _left(desk: Desk, tx: Tx, work: Work) -> str:
    """The fingerprint of what has not been done, and is not to be tried again as it is."""
    held = tuple(holdings.of_share(tx, work.share.id))
    return fingerprint(tx, plan_of(desk, tx, work.share, work.subject, work.plan.desired, held, work.now))


def _last_user(desk: Desk, tx: Tx, work: Work) -> list[Holding]:
    """The directory resources that this share leaves to others who have left them too meanwhile: it takes them back."""
    left = [c.holding for c in work.plan.changes if isinstance(c, Release) and c.holding.directory and c.holding.ours]
    if not left or desk.catalogue.partners[work.share.partner].withdrawal == "stub":
        return []
    used = holdings.used_elsewhere(tx, work.share.partner, [held.urn for held in left], share_id=work.share.id)
    return [held for held in left if held.urn not in used]
