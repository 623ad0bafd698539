"""A coordinator steers a referral: cancels it, or asks for that; accepts what came of it; follows a hand-over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapter import answers
from adapter.answers import Place
from adapter.core.asked import an_object, is_day, unknown
from adapter.core.referral import kept as outcomes
from adapter.core.referral.answer import clean
from adapter.core.referral.course import HANDOVER
from adapter.core.referral.kept import OVER
from adapter.desk import Desk
from adapter.errors import Conflict, Problem, Refused
from adapter.store import cases, holdings, referrals, shares
from adapter.store.database import Tx

LONGEST_REASON = 2000


def cancel(desk: Desk, number: str, referral: str, body: bytes, *, by: str) -> dict[str, Any]:
    """Cancel a referral: `{"reason": "why"}`. Once its Task is at the partner, that is cancelled first, as its
    dialect has it; where the work has begun it may only be asked for. Conflict: it has ended, or cannot be asked.
    """
    reason = _reason(an_object(body))
    now = desk.clock()
    with desk.store.writing() as tx:
        at = answers.sent_to(desk, tx, number, referral)
        state = at.tracked.course.state
        if state in OVER or at.record["status"] in OVER:
            raise Conflict("This referral has ended.")
        if "cancelled" in at.dialect.may("requester", state):
            how = "status"
            if not _is_held(tx, at):
                answers.cancelled(tx, at.tracked, at.dialect, reason, now=now)
                how = "done"
        else:
            how = at.dialect.after_start
        if how == "never":
            raise Conflict("The work has begun, and this partner takes no request to end it here: ask by telephone.")
        if how != "done":
            ask = {"how": how, "reason": reason, "by": by, "on": now.isoformat()}
            _keep(tx, at, outcomes.asking(at.stored.kept, at.path, ask), now)
            shares.mark_due(tx, case_id=at.stored.id, now=now)
    desk.wake.set()
    return {"case": number, "referral": referral, "cancelled": how == "done", "asked": "" if how == "done" else how}


def accept_outcome(desk: Desk, number: str, referral: str, *, by: str) -> dict[str, Any]:
    """Let the request end as the receiver's Task has: a rejected or completed Task alone does not end it. Conflict: the
    receiver has come to no end."""
    now = desk.clock()
    with desk.store.writing() as tx:
        at = answers.sent_to(desk, tx, number, referral)
        state = at.tracked.course.state
        if state not in OVER:
            raise Conflict("The receiver has come to no end yet.")
        kept = outcomes.closed(at.stored.kept, at.path, state, at.record["to"], at.tracked.course.on or now.isoformat())
        changed = kept != at.stored.kept
        _keep(tx, at, kept, now)
        if changed:
            shares.mark_due(tx, case_id=at.stored.id, now=now)
    desk.wake.set()
    return {"case": number, "referral": referral, "status": state, "changed": changed, "by": by}


def hand_over(desk: Desk, number: str, referral: str, body: bytes, *, by: str) -> dict[str, Any]:
    """Enter a step of a warm hand-over: `{"step": "introduced", "on": date}`; introduced, contact-made,
    first-appointment. What the receiver said itself stays beside it."""
    given = an_object(body)
    today = desk.clock().astimezone(desk.settings.time_zone).date()
    step, on = given.get("step"), given.get("on", today.isoformat())
    wrong = unknown(given, ("step", "on"))
    if step not in HANDOVER:
        wrong.append(Problem("/step", f"must be one of {', '.join(HANDOVER)}"))
    if not is_day(on):
        wrong.append(Problem("/on", "must be a date that exists (ISO 8601)"))
    if wrong:
        raise Refused("The step breaks rules.", sorted(wrong))
    now = desk.clock()
    with desk.store.writing() as tx:
        at = answers.sent_to(desk, tx, number, referral)
        steps = {**at.tracked.handover, str(step): {"on": str(on), "by": by}}
        after = replace(at.tracked, handover=steps)
        referrals.save(tx, after, is_open=not at.dialect.ended(at.tracked.course.state), now=now)
    return {"case": number, "referral": referral, "handover": {name: dict(said) for name, said in steps.items()}}


def _is_held(tx: Tx, at: Place) -> bool:
    """May the partner hold its Task?"""
    share = next((s for s in shares.of_case(tx, at.stored.id) if s.partner == at.tracked.partner), None)
    held = holdings.of_share(tx, share.id) if share else []
    return any(h.urn == at.tracked.urn and h.state != "withdrawn" for h in held)


def _keep(tx: Tx, at: Place, kept: dict[str, Any], now: datetime) -> None:
    cases.put(tx, at.stored.number, at.stored.body, kept, now=now)


def _reason(given: Mapping[str, Any]) -> str:
    wrong = unknown(given, ("reason",))
    reason = clean(given.get("reason"))
    if not reason or len(reason) > LONGEST_REASON:
        wrong.append(Problem("/reason", f"says why, in at most {LONGEST_REASON} characters; the receiver reads it"))
    if wrong:
        raise Refused("The request breaks rules.", sorted(wrong))
    return reason
