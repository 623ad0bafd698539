"""Children who wait to be matched, and the word of a person who has found them, or knows that they are not there."""

from __future__ import annotations

from flask import Blueprint, Response

from adapter import show, steer
from adapter.web import context
from adapter.web.api import asked
from adapter.web.auth import caller
from adapter.web.context import wiring
from adapter.web.replies import reply

matching = Blueprint("matching", __name__)


@matching.get("/api/matches")
def waiting() -> Response:
    """The children who wait until a person has said who they are among a partner's patients: ids and scores."""
    return reply(show.to_match(wiring(), after=asked.behind()))


@matching.post("/api/matches/<case>/<partner>")
def give(case: str, partner: str) -> Response:
    """Say who a child is among the partner's patients, or that it is none of them and is to be created there."""
    who = caller()
    return reply(steer.match(wiring(), case, partner, context.body(), role=who.role, label=who.label), status=202)
