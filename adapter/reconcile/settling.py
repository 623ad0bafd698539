"""What a share does after one claim, with the holdings that needed no traffic, in one transaction."""

from __future__ import annotations

import secrets

from adapter.core.diff import Adopt, Freeze, Holding, Release, without_traffic
from adapter.core.retry import Settled, Stopped, TryAgain, next_step
from adapter.desk import Desk
from adapter.reconcile.account import line
from adapter.reconcile.work import Attempt, Work, fingerprint, plan_of
from adapter.store import disclosures, holdings, shares
from adapter.store.database import Tx

DONE = ("delivered", "existing", "unchanged", "stopped")
"""With these outcomes of a claim all that it planned, or was allowed of it, has been done."""


def stay_stopped(tx: Tx, work: Work) -> None:
    """Nothing has changed that the partner may see since it stopped: a save that is withheld from it calls nobody."""
    share, desired = work.share, work.plan.desired
    alarms = dict.fromkeys((*share.alarms, *sorted(a.code for a in desired.alarms)))
    shares.stop(
        tx,
        share,
        outcome=share.outcome,
        detail=share.detail,
        alarms=tuple(alarms),
        refused=share.refused,
        due=desired.next_change,
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
    step = next_step(
        attempt.outcome,
        attempts=share.attempts + 1,
        failing_since=share.failing_since,
        now=now,
        jitter=secrets.randbelow(1_000_000) / 1_000_000,
        retry_after=attempt.retry_after,
    )
    if attempt.outcome == "version":
        # Someone at the partner changed our copy: a person decides, and a retry then looks before it writes.
        step = Stopped("rejected")
        alarms = ("conflict", *alarms)
    with desk.store.writing() as tx:
        if not shares.still_mine(tx, share):
            return
        last = _last_user(desk, tx, work)
        holdings.save(tx, share.id, kept, now=now)
        # What failed may still refer to them there: until it is done they are held here, and nobody takes them back.
        done = attempt.outcome in DONE
        released = {c.holding.urn for c in quiet if isinstance(c, Release) and done} - {held.urn for held in last}
        holdings.forget(tx, share.id, released)
        disclosures.append(tx, work.stored.id, frozen)
        match step:
            case Settled():
                outcome, due = attempt.outcome, now if last else desired.next_change
                shares.settle(tx, share, due=due, outcome=outcome, detail=attempt.detail, alarms=alarms, now=now)
            case TryAgain(at):
                shares.postpone(tx, share, at=at, outcome=attempt.outcome, detail=attempt.detail, now=now)
            case Stopped(reason):
                detail, due = attempt.detail or reason, desired.next_change
                refused = "" if attempt.outcome == "stopped" else _left(desk, tx, work)
                shares.stop(
                    tx, share, outcome=attempt.outcome, detail=detail, alarms=alarms, refused=refused, due=due, now=now
                )
    if released:
        # On PostgreSQL two that settle at one instant do not see each other leave: each looks once more.
        with desk.store.writing() as tx:
            if orphans := _last_user(desk, tx, work):
                holdings.save(tx, share.id, orphans, now=now)
                shares.mark_due(tx, case_id=share.case_id, partner=share.partner, now=now)


def _left(desk: Desk, tx: Tx, work: Work) -> str:
    """The fingerprint of what has not been done, and is not to be tried again as it is."""
    held = tuple(holdings.of_share(tx, work.share.id))
    return fingerprint(tx, plan_of(desk, tx, work.share, work.subject, held, work.now))


def _last_user(desk: Desk, tx: Tx, work: Work) -> list[Holding]:
    """The directory resources that this share leaves to others who have left them too meanwhile: it takes them back."""
    left = [c.holding for c in work.plan.changes if isinstance(c, Release) and c.holding.directory and c.holding.ours]
    if not left or desk.catalogue.partners[work.share.partner].withdrawal == "stub":
        return []
    used = holdings.used_elsewhere(tx, work.share.partner, [held.urn for held in left], share_id=work.share.id)
    return [held for held in left if held.urn not in used]
