"""How /fhir answers: a resource with its version and time, a page of a search, or nothing but the status."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Response
from werkzeug.http import http_date

from adapter import receive, serve
from adapter.core import strict_json
from adapter.core.fhir.search import query
from adapter.core.fhir.transaction import Pairs
from adapter.errors import Malformed
from adapter.receive.telling import shown
from adapter.receive.world import Answer, World
from adapter.web import sealed
from adapter.web.errors import FHIR_JSON
from adapter.web.fhir import asked, wire
from adapter.wiring import Wiring

_PAGE = "_page"
_LASTS = 24 * 3600  # seconds that a link to the next page can be followed


def resource(value: dict[str, Any], *, status: int = 200) -> Response:
    """A resource as FHIR JSON."""
    return Response(strict_json.dump(value), status=status, content_type=content_type())


def content_type() -> str:
    """R5 is named: who is told no version takes what comes for R4."""
    return f"{FHIR_JSON}; fhirVersion=5.0" if asked.release() == "R5" else FHIR_JSON


def kept(world: World, answer: Answer, wanted: asked.Return = "representation") -> Response:
    """The answer to one interaction, as much of it as the client prefers."""
    if answer.kept is None or answer.status in (204, 304):
        response = Response(status=answer.status)
        del response.headers["Content-Type"]
    elif wanted == "minimal":
        response = Response(status=answer.status, content_type=content_type())
    elif wanted == "OperationOutcome":
        response = resource(_went_well(), status=answer.status)
    else:
        response = resource(shown(answer.kept), status=answer.status)
    if answer.kept:
        response.headers["ETag"] = answer.etag
        response.headers["Last-Modified"] = http_date(answer.kept.updated)
    if answer.kept and answer.status == 201:
        place = f"{answer.kept.type}/{answer.kept.id}/_history/{answer.kept.version}"
        response.headers["Location"] = f"{world.base}/{place}"
    return response


def found(wiring: Wiring, world: World, type_: str, pairs: Pairs) -> Response:
    """One page of a search. The link to the next one is closed: what was searched for is in no address."""
    lenient, after = asked.lenient(), None
    self_link = f"{world.base}/{type_}" + (f"?{urlencode(pairs)}" if pairs else "")
    if len(pairs) == 1 and pairs[0][0] == _PAGE:
        pairs, after, lenient = _opened(wiring, world, type_, pairs[0][1])
    page = receive.search(
        wiring.store, world, type_, query(type_, pairs, base=world.base, lenient=lenient), after=after
    )
    serve.account(wiring, world.partner, page.read())
    links = [("self", self_link)]
    if page.after:
        state = orjson.dumps([world.partner, type_, pairs, page.after, lenient]).decode()
        links.append(("next", f"{world.base}/{type_}?{_PAGE}={sealed.close(wiring, 'page', state)}"))
    return resource(wire.searchset(world, page, links))


def _opened(wiring: Wiring, world: World, type_: str, closed: str) -> tuple[Pairs, str, bool]:
    state = sealed.open_(wiring, "page", closed, seconds=_LASTS)
    partner, of_type, pairs, after, lenient = orjson.loads(state) if state else ("", "", [], "", False)
    if (partner, of_type) != (world.partner, type_):
        raise Malformed("The page cannot be found: its link is not ours, or too old.")
    return tuple((name, value) for name, value in pairs), after, lenient


def _went_well() -> dict[str, Any]:
    issue = {"severity": "information", "code": "informational", "details": {"text": "Kept."}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
