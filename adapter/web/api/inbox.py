"""What partners have sent and nobody has decided on yet: the list, and one item beside the agency's own case."""

from __future__ import annotations

from typing import Literal, cast

from flask import Blueprint, Response, request

from adapter import inbox, steer
from adapter.errors import Malformed, Problem
from adapter.web.api import asked
from adapter.web.auth import SEES_CASES, caller
from adapter.web.context import wiring
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


def _state() -> Literal["waiting", "settled"] | None:
    """`state`: items in this state only."""
    wanted = request.args.get("state")
    if wanted is not None and wanted not in STATES:
        raise Malformed(
            "A parameter of the address cannot be read.", [Problem("/state", f"must be one of {', '.join(STATES)}")]
        )
    return cast("Literal['waiting', 'settled'] | None", wanted)
