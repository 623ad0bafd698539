"""The loop of referrals: the board, one referral in full, and what a coordinator does about it."""

from __future__ import annotations

from flask import Blueprint, Response, request

from adapter import link, refer, show
from adapter.errors import NotFound
from adapter.web import context
from adapter.web.api import asked
from adapter.web.auth import caller
from adapter.web.context import wiring
from adapter.web.looks import a_look
from adapter.web.replies import reply

referrals = Blueprint("referrals", __name__)


@referrals.get("/api/referrals")
def board() -> Response:
    """Every referral that goes out or came in: its state, what it waits for, and whether its answer is overdue."""
    case, state = request.args.get("case") or None, request.args.get("state") or None
    return reply(show.board(wiring(), case, state=state, after=asked.after(), limit=asked.limit()))


@referrals.get("/api/referrals/<case>/<referral>")
@a_look
def one(case: str, referral: str) -> Response:
    """One referral in full: each transition, what could not be, and the receiver's own words."""
    return reply(show.referral(wiring(), case, referral))


@referrals.post("/api/referrals/<case>/<referral>/cancel")
def cancel(case: str, referral: str) -> Response:
    """Cancel a referral, or ask for that where the work has begun, as the partner's dialect has it."""
    return reply(refer.cancel(wiring(), case, referral, context.body(), by=_who()), status=202)


@referrals.post("/api/referrals/<case>/<referral>/cancel-others")
def cancel_others(case: str, referral: str) -> Response:
    """Cancel those made in parallel with a referral that was taken on, each as its partner's dialect has it."""
    return reply(refer.cancel_others(wiring(), case, referral, context.body(), by=_who()), status=202)


@referrals.post("/api/referrals/<case>/<referral>/accept-outcome")
def accept(case: str, referral: str) -> Response:
    """Let the request end as the receiver's Task has ended."""
    return reply(refer.accept_outcome(wiring(), case, referral, by=_who()), status=202)


@referrals.post("/api/referrals/<case>/<referral>/handover")
def hand_over(case: str, referral: str) -> Response:
    """Enter a step of a warm hand-over: introduced, contact-made, first-appointment."""
    return reply(refer.hand_over(wiring(), case, referral, context.body(), by=_who()), status=202)


@referrals.post("/api/referrals/<case>/<referral>/answer")
def answer(case: str, referral: str) -> Response:
    """Answer a referral that came in; its sender reads the answer on its Task, as far as consent lets it."""
    return reply(refer.answer(wiring(), case, referral, context.body(), by=_who()), status=202)


def _who() -> str:
    return caller().label or caller().role


@referrals.post("/api/referrals/<case>/<referral>/links")
def make_link(case: str, referral: str) -> Response:
    """Make a signed link by which an agency without a FHIR server answers; its address and code are told this once."""
    made = link.make(wiring(), case, referral, context.body(), by=_who())
    return reply({"link": f"{context.address()}/r/{made.pop('token')}", **made}, status=201)


@referrals.get("/api/referrals/<case>/<referral>/links")
def links(case: str, referral: str) -> Response:
    """The links to a referral: whose, until when, and how often a wrong code was given."""
    return reply(link.listed(wiring(), case, referral))


@referrals.delete("/api/referrals/<case>/<referral>/links/<link_>")
def revoke_link(case: str, referral: str, link_: str) -> Response:
    """Let a link open nothing any more."""
    if not (link_.isascii() and link_.isdigit() and len(link_) < 10):
        raise NotFound("There is no such link.")
    return reply(link.revoke(wiring(), case, int(link_)))
