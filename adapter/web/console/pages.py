"""The pages for people: plain HTML that works without scripts, with the keyboard, and with a screen reader."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, make_response, redirect, request

from adapter import show, steer
from adapter.errors import Forbidden, Unauthenticated
from adapter.web.auth import PAUSES, SEES_CASES
from adapter.web.console import session
from adapter.web.console.inbox import arrivals
from adapter.web.console.page import page
from adapter.web.console.programs import programs
from adapter.web.console.purges import purges
from adapter.web.console.referrals import referrals
from adapter.web.console.waiting import waiting
from adapter.web.context import wiring

console = Blueprint("console", __name__)
console.register_blueprint(waiting)
console.register_blueprint(programs)
console.register_blueprint(purges)
console.register_blueprint(referrals)
console.register_blueprint(arrivals)


@console.app_template_filter("here")
def here(instant: str) -> str:
    """An instant in the agency's own time zone, to the minute; a whole day as it is."""
    if len(instant) == len("2026-05-20"):
        return instant
    at = datetime.fromisoformat(instant).astimezone(wiring().settings.time_zone)
    return at.replace(tzinfo=None).isoformat(" ", "minutes")


@console.get("/")
def first() -> Response:
    """The first page: cases, partners and what is shared; for nobody signed in, the way in."""
    if (person := session.person()) is None:
        return page("sign_in.html")
    if person.role not in SEES_CASES:
        return page("partners.html", person=person, may_pause=person.role in PAUSES, partners=show.partners(wiring()))
    found = show.overview(wiring(), after=request.args.get("after") or None)
    return page("overview.html", person=person, may_pause=person.role in PAUSES, **found)


@console.post("/partners/<partner>")
def steer_partner(partner: str) -> Response:
    """Pause a partner, or resume it, at once or so many shares a minute."""
    person = session.person()
    if person is None:
        raise Unauthenticated("Sign in on the first page.")
    if person.role not in PAUSES:
        raise Forbidden("Your role does not pause partners.")
    session.check_form()
    if request.form.get("do") == "pause":
        steer.pause(wiring(), partner)
    else:
        steer.resume(wiring(), partner, per_minute=steer.pace_typed(request.form.get("per_minute", "")))
    return _to_first()


@console.post("/sign-in")
def sign_in() -> Response:
    """Sign in with a token."""
    session.check_form()
    try:
        return session.sign_in(_to_first(), request.form.get("token", "").strip())
    except Unauthenticated as error:
        return page("sign_in.html", status=401, refusal=error.detail)


@console.post("/sign-out")
def sign_out() -> Response:
    """Sign out."""
    session.check_form()
    return session.sign_out(_to_first())


def _to_first() -> Response:
    return make_response(redirect("/", 303))
