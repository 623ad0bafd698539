"""The pages of what waits for a person: alarms, what ends soon, and texts to read and release."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, request

from adapter import consenting, show, steer
from adapter.core.consent.rulebook import TOPICS
from adapter.core.purge import WORDS
from adapter.core.strict_json import dump
from adapter.errors import Forbidden, Unauthenticated
from adapter.store.tokens import Principal
from adapter.web.auth import SEES_CASES
from adapter.web.console import session
from adapter.web.console.page import page
from adapter.web.context import wiring

waiting = Blueprint("waiting", __name__)


@waiting.get("/waiting")
def lists() -> Response:
    """What a person must look at, consents that permit nothing and why, what ends soon, how much the programs ask for,
    and what waits to be read: by case, path and age, without texts."""
    person, after = who_sees_cases(), request.args.get("after") or None
    found = [
        each(wiring(), after=after) for each in (show.alarms, show.silent, show.due_soon, show.counts, show.to_review)
    ]
    shown = {name: value for one in (*found, show.unanswered(wiring())) for name, value in one.items()}
    matches = show.to_match(wiring())["matches"]
    return page("waiting.html", person=person, to_match=matches, purge_words=WORDS, **shown)


@waiting.get("/waiting/<case>")
def texts(case: str) -> Response:
    """What waits in one case, with the texts that are to be read, and a form for each to release it."""
    person, found = who_sees_cases(), show.to_review(wiring(), case, text=True)
    steer.enter_look(wiring(), case, "", role=person.role, label=person.label)
    return page("waiting_case.html", person=person, case=case, topics=TOPICS, **found)


@waiting.post("/waiting/<case>")
def release(case: str) -> Response:
    """Release a text, with the topics that it is about; or say that something added is not the denied record."""
    person, path = who_sees_cases(), request.form.get("path", "")
    session.check_form()
    if request.form.get("not_denied"):
        consenting.not_denied(wiring(), case, path)
    else:
        by = person.label or person.role
        consenting.release(wiring(), case, path, by=by, topics=request.form.getlist("topics"))
    return make_response(redirect(request.path, 303))


@waiting.post("/waiting/<case>/match/<partner>")
def match(case: str, partner: str) -> Response:
    """Say who a child is among the partner's patients, or that it is none of them."""
    person = who_sees_cases()
    session.check_form()
    named = request.form.get("accept", "").strip()
    word = {"create": True} if request.form.get("create") else {"accept": named}
    steer.match(wiring(), case, partner, dump(word), role=person.role, label=person.label)
    return make_response(redirect("/waiting", 303))


def who_sees_cases() -> Principal:
    """Who is signed in. Unauthenticated: nobody is. Forbidden: one whose role sees no cases."""
    person = session.person()
    if person is None:
        raise Unauthenticated("Sign in on the first page.")
    if person.role not in SEES_CASES:
        raise Forbidden("Your role does not see cases.")
    return person
