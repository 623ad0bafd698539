"""What waits for a person: texts to read, consents that end soon, alarms; and the word that a person gives."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from adapter import show, steer
from adapter.errors import Forbidden, Malformed, Problem
from adapter.web import context
from adapter.web.api import asked
from adapter.web.auth import SEES_CASES, caller
from adapter.web.context import wiring
from adapter.web.replies import reply

review = Blueprint("review", __name__)

MOST_DAYS = 3660


@review.get("/api/review")
def waiting() -> Response:
    """What waits for a person's word, by its path and age; with `text=true`, for people, also what is to be read."""
    return reply(_read(show.to_review(wiring(), _case(), after=asked.after(), limit=asked.limit(), text=_text())))


@review.post("/api/cases/<case>/review")
def give(case: str) -> Response:
    """Say that a text has been read and what it is about, or that something added is not the denied record."""
    return reply(steer.review(wiring(), case, context.body(), by=caller().label or caller().role))


@review.get("/api/due")
def due() -> Response:
    """The consents, permits and denials that end within 60 days, and birthdays within 180; or all within `days`."""
    return reply(show.due_soon(wiring(), _case(), days=_days(), after=asked.after(), limit=asked.limit()))


@review.get("/api/alarms")
def alarms() -> Response:
    """What a person must look at: consents that cannot be computed or lack authority, shares that have stopped."""
    return reply(show.alarms(wiring(), _case(), after=asked.after(), limit=asked.limit()))


def _case() -> str | None:
    """`case`: one case only."""
    return request.args.get("case") or None


def _text() -> bool:
    """`text`: also what is said there. Forbidden: to a program, which wrote it or has no need to know it."""
    wanted = request.args.get("text", "false")
    if wanted not in ("true", "false"):
        raise Malformed("A parameter of the address cannot be read.", [Problem("/text", "must be true or false")])
    if wanted == "true" and caller().role not in SEES_CASES:
        raise Forbidden("The text is for people who look after cases.")
    return wanted == "true"


def _days() -> int | None:
    """`days`: how far ahead."""
    text = request.args.get("days", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= MOST_DAYS):
        problem = Problem("/days", f"must be a whole number up to {MOST_DAYS}")
        raise Malformed("A parameter of the address cannot be read.", [problem])
    return int(text)


def _read(found: dict[str, Any]) -> dict[str, Any]:
    """A person who reads a text looks at the case: that is entered before it is shown."""
    read = sorted({(row["case"], row["path"]) for row in found["waiting"] if "text" in row})
    for case, path in read:
        steer.enter_look(wiring(), case, path, role=caller().role, label=caller().label)
    return found
