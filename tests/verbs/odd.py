"""Servers that answer as none should, by the dice: what is in an answer is moved, doubled, left out or of another type.

`tests/verbs/schedules.py` has what fails on the way; this is what a server, or something in front of it, says wrongly.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from adapter.core.fhir.outcome import GONE
from tests.outward import fault_server as faults
from tests.outward.fault_server import JSON, Fault
from tests.outward.memory_fhir import Can

SERVERS = (
    Can(),
    Can(transaction=False),
    Can(transaction=False, batch=False),
    Can(conditions=False),
    Can(transaction=False, conditions=False),
    Can(rolls_back=False),
    Can(mute=True),
    Can(history=False),
)
AWAY = {"Location": "http://169.254.169.254/"}
_ETAGS = ("1", 'W/"9"', '"x y"', 'W/""', None, 7, "W/1", '"' + "a" * 200 + '"')
_STATUSES = (200, 201, "201", "200 OK", "201 Created", "204", 204.0, None, "abc", "2011", " 201")
_REFUSED = (*range(400, 419), 422, 423, 424, 425, 426, 428, 429, 431, 451, 499)
_FAILED = (500, 501, 502, 503, 504, 505, 507, 511, 599, 999)
_CODES = ("not-found", "deleted", "conflict", "duplicate", "multiple-matches", "too-costly", "transient", "throttled")
_BODIES = (b"", b"{}", b"[]", b"null", b"<a/>", b"1e999", b'"x"')
_TYPES: tuple[dict[str, str], ...] = (JSON, {}, {"Content-Type": "text/html"}, {"Content-Type": "application/fhir+xml"})
_WAITS: tuple[dict[str, str], ...] = (
    {},
    {"Retry-After": "-4"},
    {"Retry-After": "soon"},
    {"Retry-After": "99999999999999"},
)


def fault(dice: random.Random) -> Fault | None:
    """What happens to one request; mostly it is done, and answered oddly."""
    match dice.randrange(10):
        case 0 | 1 | 2:
            return faults.Changed(_changed(random.Random(dice.random())))  # noqa: S311  another hand throws these
        case 3:
            # Who says 200, 201 or 204 of what was not done is believed: that is not among these.
            return faults.Answer(dice.choice((202, 206, 207, 226)), dice.choice(_TYPES), dice.choice(_BODIES))
        case 4:
            return faults.Answer(dice.choice((200, 201)), JSON, b"{}", applied=True)
        case 5:
            return faults.Answer(dice.choice((300, 301, 302, 303, 304, 307, 308)), AWAY)
        case 6 | 7:
            status, said = dice.choice(_REFUSED), json.dumps(_outcome("error", dice.choice(_CODES))).encode()
            # Who says as FHIR does that nothing is there is believed: that is not among these.
            words = (b"", b"{}") if status in GONE else (b"", b"{}", said)
            return faults.Answer(status, dice.choice((JSON, {})), dice.choice(words))
        case 8:
            return faults.Answer(dice.choice(_FAILED), dice.choice(_WAITS), b"{}")
    return None


def _changed(dice: random.Random) -> Callable[[Any], Any]:
    """A change of whatever is answered with; of what it does not fit it leaves all as it was."""

    def change(body: Any) -> Any:
        if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
            return body
        entries = copy.deepcopy(body.get("entry", []))
        if "response" not in str(body.get("type")):
            return dice.choice(_SEARCHES)(body, entries)
        return dice.choice(_WRITTEN)(dice, body, [_entry(dice, each) for each in entries])

    return change


def _entry(dice: random.Random, entry: dict[str, Any]) -> Any:
    response = entry["response"]
    location = response.get("location", "")
    odd: tuple[Any, ...] = (
        {**entry, "response": {k: v for k, v in response.items() if k != "location"}},
        {**entry, "response": {**response, "location": f"https://other.example/x/y/fhir/r4/{location}"}},
        {**entry, "response": {**response, "location": location.split("/_history")[0]}},
        {**entry, "response": {**response, "etag": dice.choice(_ETAGS)}},
        {**entry, "response": {**response, "status": dice.choice(_STATUSES)}},
        {**entry, "response": {**response, "outcome": _outcome(dice.choice(("error", "fatal", "warning")))}},
        {**entry, "resource": _outcome("fatal")},
        {**entry, "resource": {"resourceType": "Goal", "id": "another"}},
        {"response": response},
        {"response": {"status": response["status"]}},
        {**entry, "response": [response]},
        {},
    )
    return dice.choice((*odd, *[entry] * len(odd)))


def _outcome(severity: str, code: str = "processing") -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


_WRITTEN: tuple[Callable[[random.Random, dict[str, Any], list[Any]], Any], ...] = (
    lambda dice, body, entries: {**body, "entry": dice.sample(entries, len(entries))},
    lambda _, body, entries: {**body, "entry": entries[1:]},
    lambda _, body, entries: {**body, "entry": [*entries, *entries[:1]]},
    lambda _, body, entries: {**body, "entry": [*entries, {"response": {"status": "201", "location": "Goal/extra"}}]},
    lambda _, body, entries: {**body, "entry": [*entries[1:2], *entries[1:]]},
    lambda dice, body, entries: {**body, "entry": entries, "type": dice.choice(("searchset", "batch-response", None))},
    lambda _, body, __: {k: v for k, v in body.items() if k != "entry"},
    lambda *_: _outcome("error", "exception"),
    *[lambda _, body, entries: {**body, "entry": entries}] * 6,
)
"""What becomes of the answer to a transaction or a batch."""
_SEARCHES: tuple[Callable[[dict[str, Any], list[Any]], Any], ...] = (
    lambda body, entries: {
        **body,
        "entry": [*entries, {"resource": _outcome("warning"), "search": {"mode": "outcome"}}],
    },
    lambda body, entries: {**body, "entry": entries, "total": 999},
    lambda body, entries: {**body, "entry": entries * 2},
    lambda body, entries: {**body, "entry": [{"resource": {"resourceType": "Patient", "id": "pp"}}, None, 3, *entries]},
    lambda body, entries: {**body, "entry": entries, "link": [{"relation": "next", "url": AWAY["Location"]}]},
    lambda *_: _outcome("error", "exception"),
    *[lambda body, entries: {**body, "entry": entries}] * 4,
)
"""What becomes of the answer to a search; one that leaves out what is there cannot be told from one that finds none."""
