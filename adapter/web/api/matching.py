"""Children who wait to be matched, and the word of a person who has found them, or knows that they are not there."""

from __future__ import annotations

from flask import Blueprint, Response, request

from adapter import show, steer
from adapter.errors import Malformed, Problem
from adapter.web import context
from adapter.web.auth import caller
from adapter.web.context import wiring
from adapter.web.replies import reply

matching = Blueprint("matching", __name__)


@matching.get("/api/matches")
def waiting() -> Response:
    """The children who wait until a person has said who they are among a partner's patients: ids and scores."""
    return reply(show.to_match(wiring(), after=_after()))


@matching.post("/api/matches/<case>/<partner>")
def give(case: str, partner: str) -> Response:
    """Say who a child is among the partner's patients, or that it is none of them and is to be created there."""
    who = caller()
    return reply(steer.match(wiring(), case, partner, context.body(), role=who.role, label=who.label), status=202)


def _after() -> int:
    """`after`: behind which share the page begins, as `next` said."""
    text = request.args.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Malformed("A parameter of the address cannot be read.", [Problem("/after", "must be a number")])
    return int(text)
