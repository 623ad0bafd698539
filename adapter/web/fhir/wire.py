"""How received resources and answers are written: with our ids, versions and times, alone or in Bundles."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from adapter.core.fhir.instants import instant
from adapter.core.fhir.outcome import outcome
from adapter.core.fhir.transaction import Step
from adapter.errors import AdapterError
from adapter.receive.telling import shown
from adapter.receive.world import Answer, Page, Worked, World
from adapter.store.resources import Received

_STATUS = {200: "200 OK", 201: "201 Created", 204: "204 No Content", 304: "304 Not Modified"}


def searchset(world: World, page: Page, links: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """The Bundle for a page of results; `links` are (relation, URL)."""
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": page.total}
    if link := [{"relation": relation, "url": url} for relation, url in links]:
        made["link"] = link
    entries: list[dict[str, Any]] = [
        {"fullUrl": f"{world.base}/{kept.type}/{kept.id}", "resource": shown(kept), "search": {"mode": "match"}}
        for kept in page.found
    ]
    entries += [
        {"fullUrl": f"{world.base}/{kept.type}/{kept.id}", "resource": shown(kept), "search": {"mode": "include"}}
        for kept in page.included
    ]
    if page.asked.ignored:
        entries.append({"resource": _ignored(page.asked.ignored), "search": {"mode": "outcome"}})
    return {**made, "entry": entries} if entries else made


def whole(world: World, read: Sequence[Received]) -> dict[str, Any]:
    """The Bundle of `$everything`: all on one page."""
    entries = [
        {"fullUrl": f"{world.base}/{kept.type}/{kept.id}", "resource": shown(kept), "search": {"mode": "match"}}
        for kept in read
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def document_of(world: World, read: Sequence[Received]) -> dict[str, Any]:
    """A document Bundle, its Composition first (http://hl7.org/fhir/R4/documents.html); made anew each time."""
    return {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{uuid.uuid4()}"},
        "type": "document",
        "timestamp": instant(world.now),
        "entry": [{"fullUrl": f"{world.base}/{kept.type}/{kept.id}", "resource": shown(kept)} for kept in read],
    }


def response_bundle(world: World, worked: Worked, *, repeats: bool) -> dict[str, Any]:
    """The answer to a transaction or batch; `repeats`: with what was written."""
    entries = [_entry(world, step, answer, repeats) for step, answer in worked.entries]
    return {"resourceType": "Bundle", "type": f"{worked.kind}-response"} | ({"entry": entries} if entries else {})


def _entry(world: World, step: Step, answer: Answer | AdapterError, repeats: bool) -> dict[str, Any]:
    """One entry of a response Bundle; with the resource where it was read, or is to be repeated."""
    if isinstance(answer, AdapterError):
        return {"response": {"status": str(answer.status), "outcome": outcome(answer, root="Bundle")}}
    response: dict[str, Any] = {"status": _STATUS[answer.status]}
    if answer.page is not None:
        return {"resource": searchset(world, answer.page), "response": response}
    if (kept := answer.kept) is None:
        return {"response": response}
    response["location"] = f"{kept.type}/{kept.id}/_history/{kept.version}"
    response["etag"] = answer.etag
    response["lastModified"] = instant(kept.updated)
    told = answer.status in (200, 201) and (repeats or step.method == "GET")
    return {"resource": shown(kept), "response": response} if told else {"response": response}


def _ignored(names: Sequence[str]) -> dict[str, Any]:
    text = f"{len(names)} search parameters are not known here and were left out."
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "warning", "code": "not-supported", "details": {"text": text}}],
    }
