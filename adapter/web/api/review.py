"""What waits for a person: texts to read, consents that end soon, alarms; and the word that a person gives."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from adapter import consenting, show, steer
from adapter.errors import Forbidden, Malformed, Problem
from adapter.web import context
from adapter.web.api import asked
from adapter.web.auth import SEES_CASES, caller
from adapter.web.context import wiring
from adapter.web.errors import FHIR_JSON
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
    return reply(consenting.review(wiring(), case, context.body(), by=caller().label or caller().role))


@review.get("/api/due")
def due() -> Response:
    """What the programs ask for, and the consents, permits, denials and ages that end soon; or all within `days`."""
    case, days, after, limit = _case(), _days(), asked.after(), asked.limit()
    if asked.form(("records", "fhir")) == "fhir":
        found, next_ = show.tasks(wiring(), case, days=days, after=after, limit=limit)
        return reply(found | _link(next_), content_type=FHIR_JSON)
    ending = show.due_soon(wiring(), case, days=days, after=after, limit=limit)
    return reply(ending | show.asked_for(wiring(), case, days=days, after=after, limit=limit))


@review.get("/api/waitlist")
def waitlist() -> Response:
    """Who waits for coordination, in order, and why each stands there; of one `region` or `program`, or all."""
    region, program = request.args.get("region") or None, request.args.get("program") or None
    return reply(show.waitlist(wiring(), region=region, program=program))


@review.get("/api/alarms")
def alarms() -> Response:
    """What a person must look at: consents that cannot be computed or lack authority, shares that have stopped."""
    return reply(show.alarms(wiring(), _case(), after=asked.after(), limit=asked.limit()))


def _link(after: str | None) -> dict[str, Any]:
    """Where the next page of a Bundle is."""
    if after is None:
        return {}
    query = urlencode({**request.args, "after": after})
    return {"link": [{"relation": "next", "url": f"{context.address()}/api/due?{query}"}]}


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
