"""What partners have sent and nobody has decided on yet: the list, and one item beside the agency's own case."""

from __future__ import annotations

from typing import Literal, cast

from flask import Blueprint, Response, request

from adapter import inbox, steer
from adapter.errors import Malformed, Problem
from adapter.web import context
from adapter.web.api import asked
from adapter.web.auth import SEES_CASES, caller
from adapter.web.context import wiring
from adapter.web.looks import a_look
from adapter.web.replies import reply, versioned

arrivals = Blueprint("inbox", __name__)
STATES = ("waiting", "settled")


@arrivals.get("/api/inbox")
def items() -> Response:
    """What partners have sent, one item for each child of each: whose, of which case, whether anything waits."""
    partner, case = request.args.get("partner") or None, request.args.get("case") or None
    found = inbox.listed(
        wiring(), partner=partner, state=_state(), case=case, after=asked.number("after"), limit=asked.limit()
    )
    return reply(found)


@arrivals.get("/api/inbox/<item>")
def item(item: str) -> Response:
    """One item: what the partner says of the child, record by record beside the agency's case, and what was refused."""
    found = inbox.show(wiring(), item)
    if found["case"] and (person := caller()).role in SEES_CASES:
        steer.enter_look(wiring(), found["case"], "", role=person.role, label=person.label)
    return versioned(found, found["version"])


@arrivals.post("/api/inbox/<item>/match")
def match(item: str) -> Response:
    """Say which case the child is of, or undo that (`null`); and which record of it something of theirs is."""
    who = caller()
    return _decided(inbox.match(wiring(), item, context.body(), version=asked.version(), by=_who(), role=who.role))


@arrivals.post("/api/inbox/<item>/open")
def open_case(item: str) -> Response:
    """Open a case for a child that is unknown here, with what the partner says of it; its referral comes in."""
    return _decided(inbox.open_case(wiring(), item, context.body(), version=asked.version(), by=_who()))


@arrivals.post("/api/inbox/<item>/adopt")
def adopt(item: str) -> Response:
    """Take over what is chosen, and nothing else; the case with it is checked whole and saved as a put is."""
    return _decided(inbox.adopt(wiring(), item, context.body(), version=asked.version(), by=_who()))


@arrivals.post("/api/inbox/<item>/dismiss")
def dismiss(item: str) -> Response:
    """Leave what is chosen out of the case, with a reason, until the partner says something else of it."""
    return _decided(inbox.dismiss(wiring(), item, context.body(), version=asked.version(), by=_who()))


@arrivals.get("/api/cases/<case>/sources")
@a_look
def sources(case: str) -> Response:
    """Where what was adopted from partners came from: by record and field, or as a Bundle of Provenance."""
    return reply(inbox.sources_of(wiring(), case, form=asked.form(("records", "fhir"))))


def _decided(decided: inbox.Decided) -> Response:
    response = reply(decided.told(), status=202)
    response.headers["ETag"] = f'W/"{decided.version}"'
    return response


def _who() -> str:
    return caller().label or caller().role


def _state() -> Literal["waiting", "settled"] | None:
    """`state`: items in this state only."""
    wanted = request.args.get("state")
    if wanted is not None and wanted not in STATES:
        raise Malformed(
            "A parameter of the address cannot be read.", [Problem("/state", f"must be one of {', '.join(STATES)}")]
        )
    return cast("Literal['waiting', 'settled'] | None", wanted)
