"""The pages of the loop of referrals: the board by state, and one referral with what a coordinator does about it."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, request

from adapter import refer, show, steer
from adapter.core import strict_json
from adapter.core.referral.inward import ASKS
from adapter.core.referral.kept import OVER
from adapter.errors import Forbidden
from adapter.web.auth import STEERS_REFERRALS
from adapter.web.console import session
from adapter.web.console.page import page
from adapter.web.console.waiting import who_sees_cases
from adapter.web.context import wiring

referrals = Blueprint("referrals", __name__)

TITLES = {
    "requested": "Waiting for an answer", "received": "Received", "accepted": "Accepted", "in-progress": "In progress",
    "on-hold": "On hold", "rejected": "Declined", "failed": "Failed", "completed": "Completed",
    "cancelled": "Cancelled", "draft": "Not sent yet", "entered-in-error": "Entered in error",
}  # fmt: skip


@referrals.get("/referrals")
def board() -> Response:
    """Every referral that goes out or came in, by its state: paths, states, days, and nothing of what a record says."""
    person = who_sees_cases()
    found = show.board(wiring(), after=request.args.get("after") or None)
    rows = found["referrals"]
    groups = [{"title": TITLES[state], "rows": [r for r in rows if r["state"] == state]} for state in TITLES]
    groups = [group for group in groups if group["rows"]]
    return page("referrals.html", person=person, groups=groups, over=OVER, next=found["next"])


@referrals.get("/referrals/<case>/<referral>")
def one(case: str, referral: str) -> Response:
    """One referral in full, with the receiver's own words: whoever opens it looks at the case."""
    person, row = who_sees_cases(), show.referral(wiring(), case, referral)
    steer.enter_look(wiring(), case, f"referrals/{referral}", role=person.role, label=person.label)
    works = sorted(code for code in wiring().catalogue.codes["business-status"].translations if code != ASKS)
    steers = person.role in STEERS_REFERRALS
    return page("referral.html", person=person, row=row, over=OVER, steers=steers, works=works)


@referrals.post("/referrals/<case>/<referral>")
def act(case: str, referral: str) -> Response:
    """Cancel the referral, or those made in parallel with it, or accept what came of it; or answer one that came in."""
    person = who_sees_cases()
    session.check_form()
    if person.role not in STEERS_REFERRALS:
        raise Forbidden("Your role does not steer referrals.")
    by = person.label or person.role
    reason = strict_json.dump({"reason": request.form.get("reason", "")})
    match request.form.get("do"):
        case "accept":
            refer.accept_outcome(wiring(), case, referral, by=by)
        case "answer":
            filled = {name: request.form.get(name, "") for name in ("status", "business_status", "reason", "result")}
            said = strict_json.dump({name: value for name, value in filled.items() if value.strip()})
            refer.answer(wiring(), case, referral, said, by=by)
        case "cancel-others":
            refer.cancel_others(wiring(), case, referral, reason, by=by)
        case _:
            refer.cancel(wiring(), case, referral, reason, by=by)
    return make_response(redirect(request.path, 303))
