"""A coordinator steers a referral: cancels it, or asks for that; accepts what came of it; follows a hand-over; and
answers one that came in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapter import answering, answers
from adapter.answers import Place
from adapter.core.asked import an_object, is_day, unknown
from adapter.core.referral import kept as outcomes
from adapter.core.referral.answer import clean
from adapter.core.referral.course import HANDOVER
from adapter.core.referral.inward import ANSWERS, ASKS, stands, steps
from adapter.core.referral.kept import OVER
from adapter.core.referral.parallel import still_asked
from adapter.core.referral.table import WHYS, Impossible
from adapter.desk import Desk
from adapter.errors import Conflict, NotFound, Problem, Refused
from adapter.store import cases, holdings, referrals, shares
from adapter.store.database import Tx
from adapter.store.referrals import Tracked

LONGEST_REASON = 2000
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


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


def cancel_others(desk: Desk, number: str, referral: str, body: bytes, *, by: str) -> dict[str, Any]:
    """One receiver has taken it on: cancel those that were made in parallel and are still open, `{"reason": "why"}`,
    each as its own partner's dialect has it. The coordinator's choice, never done by itself.

    A referral that cannot be cancelled is told with its sentence, and holds none of the others up. Conflict: nobody has
    taken this one on yet, or no other is open.
    """
    _reason(an_object(body))
    with desk.store.reading() as tx:
        stored = cases.get(tx, number)
        if stored is None or stored.deleted:
            raise NotFound("There is no such case.")
        records = outcomes.with_outcomes(stored.body, stored.kept, words=False).get("referrals", ())
        courses = {row.path: row.course for row in referrals.of_case(tx, stored.id)}
    if referral not in {record["id"] for record in records if record["direction"] == "out"}:
        raise NotFound("There is no such referral.")
    # Who has taken it on may be no partner of ours: then its record says so.
    others = still_asked(records, courses, stored.kept.get("asks", {}), referral)
    if not others:
        raise Conflict("Nobody has taken this referral on, or none that was made in parallel with it is open.")
    done = [_cancelled_too(desk, number, other, body, by) for other in others]
    return {"case": number, "referral": referral, "others": done}


def _cancelled_too(desk: Desk, number: str, referral: str, body: bytes, by: str) -> dict[str, Any]:
    try:
        return cancel(desk, number, referral, body, by=by)
    except (Conflict, NotFound) as refused:
        return {"case": number, "referral": referral, "cancelled": False, "asked": "", "refused": refused.detail}


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


def answer(desk: Desk, number: str, referral: str, body: bytes, *, by: str) -> dict[str, Any]:
    """Answer a referral that came in: `{"status", "business_status"?, "reason"?, "result"?, "by"?}`. It stands until
    the case system's record says something else; its partner reads it on the Task, as far as consent lets it. What
    comes back says where the Task is (`task`), and why it is not there yet (`held`).

    NotFound: no such one came in. Refused: it cannot be read, or its state needs a reason. Conflict: the partner's
    dialect knows no way from where its Task is, or the sender has ended it.
    """
    said = _said(an_object(body))
    now = desk.clock()
    with desk.store.writing() as tx:
        stored = cases.get(tx, number)
        if stored is None or stored.deleted:
            raise NotFound("There is no such case.")
        path = f"referrals/{referral}"
        record = next((r for r in stored.body.get("referrals", ()) if r["id"] == referral), None)
        if record is None or record["direction"] != "in":
            raise NotFound("There is no such referral that came in.")
        row = next((t for t in referrals.of_case(tx, stored.id, inward=True) if t.path == path), None)
        if row is not None and row.partner in desk.catalogue.partners:
            _check_way(desk, row, said)
        before = stored.kept.get("answers", {}).get(path)
        given = {**said, "by": f"{said['by']} ({by})" if "by" in said else by, "on": now.isoformat()}
        known = {name: value for name, value in (before or {}).items() if name not in ("on", "over", "own")}
        same = {name: value for name, value in given.items() if name != "on"}
        changed = before is None or known != same or not stands(record, before)
        if changed:
            cases.put(tx, number, stored.body, outcomes.given(stored.kept, path, given, record), now=now)
            shares.ensure(tx, stored.id, desk.catalogue.partners, now=now)
            shares.mark_due(tx, case_id=stored.id, now=now)
    answering.bring_all(desk, number)
    desk.wake.set()
    with desk.store.reading() as tx:
        row = next((t for t in referrals.of_case(tx, stored.id, inward=True) if t.path == path), None)
    told = {"task": row.course.state, "held": row.inward.held or None} if row is not None and row.inward else {}
    return {"case": number, "referral": referral, "status": said["status"], "changed": changed, **told}


def _said(given: Mapping[str, Any]) -> dict[str, str]:
    texts = {"reason": LONGEST_REASON, "result": LONGEST_REASON, "by": 300}
    wrong = unknown(given, ("status", "business_status", *texts))
    if given.get("status") not in ANSWERS:
        wrong.append(Problem("/status", f"must be one of {', '.join(ANSWERS)}"))
    code = given.get("business_status", "x")
    if not isinstance(code, str) or not _CODE.fullmatch(code) or code == ASKS:
        wrong.append(Problem("/business_status", "must be a code of the receiver's work, such as waitlisted"))
    for name, longest in texts.items():
        text = given.get(name, "x")
        if not isinstance(text, str) or not clean(text) or len(text) > longest:
            wrong.append(Problem(f"/{name}", f"must be a text of at most {longest} characters"))
    if wrong:
        raise Refused("The answer breaks rules; nothing was saved.", sorted(wrong))
    return {name: clean(value) if name in texts else str(value) for name, value in given.items()}


def _check_way(desk: Desk, row: Tracked, said: Mapping[str, str]) -> None:
    """What a person can put right at once, or must know: the same holds where a record says it, which is then shown."""
    dialect, at = desk.bench.dialect(row.partner), row.course
    to = next(state for state in ANSWERS if state == said["status"])
    if to in dialect.reasons and "reason" not in said:
        raise Refused("The answer breaks rules; nothing was saved.", [Problem("/reason", "this answer needs a reason")])
    if at.state in OVER and at.steps and at.steps[-1].by == "requester":
        raise Conflict("The sender has ended this referral.")
    found = steps(at.state, dialect, to, reason=True)
    if isinstance(found, Impossible):
        raise Conflict(WHYS[found.why])


def _is_held(tx: Tx, at: Place) -> bool:
    """May the partner hold its Task?"""
    share = shares.between(tx, at.stored.id, at.tracked.partner)
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
