"""Reads what a partner answered to a Bundle, of which nothing is taken on trust, into one result for each change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from adapter.core.diff import Change, Create, Delete, Holding, Update, content, referred
from adapter.core.fhir import outcome as outcomes
from adapter.core.fhir.bundle import Sent, sent_of, type_of
from adapter.core.fhir.named import names_of
from adapter.core.retry import Outcome

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")
_LOCATION = re.compile(r"(?:[^\s?#]*/)?([A-Z][A-Za-z]{1,39})/([A-Za-z0-9\-.]{1,64})(?:/_history/([^/?#\s]{1,128}))?\Z")
_VERSION = re.compile(r"[A-Za-z0-9\-._~+/=:]{1,128}\Z")
_ETAG = re.compile(r"(?:[Ww]/)?\"([^\"]*)\"\Z")
_STATUS = re.compile(r"([1-5][0-9]{2})(?:\s|\Z)")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one change: where the partner holds it now (empty if not said), and what it said, in codes."""

    change: Sent
    outcome: Outcome
    id: str = ""
    version: str = ""
    said: tuple[str, ...] = ()
    status: int = 0
    """The HTTP status of its own, or of the whole; 0 where there was none."""
    shown: bool = False
    """Did the resource itself come back, so that it surely is the one that is at `id`?"""

    @property
    def undone(self) -> bool:
        """Was it surely not done? A gateway may say 503 of what the server behind it has done."""
        refused = self.outcome in UNDONE or (self.outcome == "conflict" and isinstance(self.change, Update))
        return refused and self.status >= 300 and self.status != 503


UNDONE = ("version", "unsupported", "rejected", "ambiguous", "throttled", "unavailable", "unauthorised")
"""What is answered with these was not done."""


def results(
    changes: Sequence[Change], bundle_sent: Mapping[str, Any], response: Any, *, status: int = 200, waits: bool = False
) -> list[Result]:
    """What became of each change that was sent in `bundle_sent`, read from the answer; total over any JSON.

    `status` is the HTTP status, `waits` whether a Retry-After came with it. A success of the whole is never taken for a
    success of an entry; and where one entry is about something else than its change, or their number differs, the
    others cannot be believed either: all is unknown. Two creates of one type that changed places are noticed only if
    the resources come back (bundle.alike; else `untold`). What is `said` holds no word of what was sent.
    """
    found = _results(changes, bundle_sent, response, status, waits)
    return [replace(r, said=outcomes.unechoed(r.said, bundle_sent)) if r.said else r for r in found]


def _results(
    changes: Sequence[Change], bundle_sent: Mapping[str, Any], response: Any, status: int, waits: bool
) -> list[Result]:
    sent = sent_of(changes)
    said = outcomes.read(response)
    whole = outcomes.of_status(status, said, retry_after=waits)
    if status in outcomes.GONE and said and any(isinstance(change, Update) for change in sent):
        whole = "conflict"  # someone there deleted our copy, and the server refuses the whole for it (Medplum does)
    if whole != "delivered":
        return [Result(change, _narrowed(whole, sent), said=said, status=status) for change in sent]
    answers = _answers(response)
    if answers is None or len(answers) != len(sent) or len(bundle_sent.get("entry", ())) != len(sent):
        return [Result(change, "unknown", said=said) for change in sent]
    read = [_result(change, answer, waits) for change, answer in zip(sent, answers, strict=True)]
    if None in read or _coincide(read):
        return [Result(change, "unknown", said=said) for change in sent]
    there = [result for result in read if result is not None]
    new = {change.made.urn for change in sent if isinstance(change, Create)}
    loose = is_loose(response, there)
    return [
        replace(r, outcome="existing") if r.outcome == "delivered" and _refers_in_vain(r, answer, new, loose) else r
        for r, answer in zip(there, answers, strict=True)
    ]


def result_of_one(
    change: Sent, resource_sent: Any, response: Any, *, status: int, location: str = "", etag: str = "", waits: bool
) -> Result:
    """What became of a change that travelled alone, read like the entry of a Bundle; `location` and `etag` are headers.

    A 200 with an error inside, or about another resource, is no success.
    """
    if status in outcomes.GONE and not isinstance(change, Create) and not outcomes.is_gone(status, response):
        return Result(change, "unknown", status=status)
    own = response if isinstance(response, dict) else None
    entry = {"resource": own, "response": {"status": str(status), "location": location, "etag": etag, "outcome": own}}
    read = _result(change, entry, waits) or Result(change, "unknown", said=outcomes.read(response))
    return replace(read, said=outcomes.unechoed(read.said, resource_sent), status=status)


def is_loose(response: Any, read: Sequence[Result]) -> bool:
    """Was a transaction done entry by entry? Some servers answer it with 200 all the same, or call it a batch
    (reference/servers.md: Medplum without transactions)."""
    if not isinstance(response, dict):
        return False
    return response.get("type") == "batch-response" or any(result.status >= 300 for result in read)


def _refers_in_vain(result: Result, answer: Any, new: AbstractSet[str], loose: bool) -> bool:
    """May a reference to what the same Bundle created still be a urn there? Then it is written again, by its place."""
    change = result.change
    if isinstance(change, Delete):
        return False
    told = answer.get("resource")
    return bool((loose and referred(change.made.resource) & new) or (isinstance(told, dict) and referred(told) & new))


def untold(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Type → what was created of it, where only the order of the answers tells which of them is where."""
    by_type: dict[str, list[Result]] = {}
    for result in results:
        if isinstance(result.change, Create) and result.id and not result.shown:
            by_type.setdefault(result.change.made.type, []).append(result)
    return {type_: several for type_, several in by_type.items() if len(several) > 1}


def found(body: Any, type_: str, identifier: tuple[str, str]) -> tuple[tuple[str, str], ...] | None:
    """(id, version) of the resources with this type and identifier in a searchset; None if the answer is not one.

    What a server returns besides (some ignore parameters that they do not know) is left out. Where none is among them
    and there are more, on a page that is not fetched, the answer does not tell.
    """
    if not isinstance(body, dict) or body.get("resourceType") != "Bundle" or body.get("type") != "searchset":
        return None
    entries = body.get("entry", [])
    if not isinstance(entries, list):
        return None
    places = {
        place
        for entry in entries
        if isinstance(entry, dict) and _is(entry.get("resource"), type_, identifier)
        for place in [place_of(entry["resource"])]
        if place[0]
    }
    return tuple(sorted(places)) if places or not goes_on(body) else None


def unasked(body: Any, type_: str, identifier: tuple[str, str]) -> bool:
    """Is there anything in an answer that this type and identifier did not ask for? An OperationOutcome may go along
    (http://hl7.org/fhir/R4/search.html#outcome)."""
    if not isinstance(body, dict):
        return False
    entries = body.get("entry") if body.get("resourceType") == "Bundle" else [{"resource": body}]
    resources = (
        [each.get("resource") for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    )
    return any(
        isinstance(each, dict)
        and each.get("resourceType") not in (None, "OperationOutcome")
        and not _is(each, type_, identifier)
        for each in resources
    )


def goes_on(searchset: Mapping[str, Any]) -> bool:
    """Is there another page of it (http://hl7.org/fhir/R4/http.html#paging)?"""
    links = searchset.get("link")
    return isinstance(links, list) and any(isinstance(each, dict) and each.get("relation") == "next" for each in links)


def place_of(resource: Any) -> tuple[str, str]:
    """(id, version) that a resource states of itself; empty where it states none that can be one."""
    if not isinstance(resource, dict):
        return "", ""
    meta = resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    return _matching(_ID, resource.get("id")), _matching(_VERSION, version)


def holding(result: Result) -> Holding | None:
    """What the share holds after `result`; None if it tells nothing new: the holding, if there is one, stays.

    What a conditional create found was created by us before (the identifier is a keyed hash that only we make), so that
    it is ours; it is not known to be equal, so that its hash is empty.
    """
    match result:
        case Result(Create(made), ("delivered" | "existing") as became, id, version):
            known = content(made) if became == "delivered" else ""
            return Holding(
                made.urn, made.type, made.identifier, id, version, known, made.directory,
                about=made.about, parts=made.parts, topics=made.topics,
            )  # fmt: skip
        case Result(Update(made, held), "delivered", _, version):
            return replace(
                held, version=version, hash=content(made), state="active",
                about=made.about, parts=made.parts, topics=made.topics, contested="",
            )  # fmt: skip
        case Result(Delete(held), "delivered"):
            return replace(held, version="", hash="", state="withdrawn")
    return None


def _answers(response: Any) -> list[Any] | None:
    """The entries of a transaction-response or batch-response; None for anything else."""
    if not isinstance(response, dict) or response.get("resourceType") != "Bundle":
        return None
    entries = response.get("entry")
    if response.get("type") not in ("transaction-response", "batch-response") or not isinstance(entries, list):
        return None
    return entries


def _result(change: Sent, entry: Any, waits: bool) -> Result | None:
    """What one entry says; None if it is about something else than `change`, so that no entry can be believed."""
    answer = entry.get("response") if isinstance(entry, dict) else None
    status = _status(answer.get("status")) if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or status is None:
        return Result(change, "unknown")
    said = outcomes.read(answer.get("outcome"))
    if not 200 <= status < 300:
        return Result(change, _of_entry(change, status, said, waits), said=said, status=status)
    resource = entry.get("resource")
    type_, id_, version = _place(answer, resource)
    if not _is_about(change, type_, id_, resource):
        return None
    erroneous = outcomes.failed(answer.get("outcome")) or outcomes.failed(resource)
    outcome = "unknown" if erroneous else _success(change, status, id_)
    if outcome == "unknown":
        return Result(change, "unknown", said=said)
    shown = isinstance(resource, dict) and resource.get("resourceType") == type_of(change)
    return Result(change, outcome, id_, version, said, status, shown)


def _of_entry(change: Sent, status: int, said: tuple[str, ...], waits: bool) -> Outcome:
    if status in outcomes.GONE:
        match change:
            case Delete():
                return "delivered"  # it is gone, which is what was asked
            case Update():
                return "conflict"  # someone there deleted our copy
    return _narrowed(outcomes.of_status(status, said, retry_after=waits), [change])


def _narrowed(outcome: Outcome, sent: Sequence[Sent]) -> Outcome:
    """412 is about a version only where one was sent; else it is about a condition that matches several."""
    conditional_only = not any(isinstance(change, Update) for change in sent)
    return "ambiguous" if outcome == "version" and conditional_only else outcome


def _success(change: Sent, status: int, id_: str) -> Outcome:
    match change:
        case Create():
            became: dict[int, Outcome] = {201: "delivered", 200: "existing"} if id_ else {}
        case Update():
            became = dict.fromkeys((200, 201, 204), "delivered")
        case Delete():
            became = dict.fromkeys((200, 204), "delivered")
    return became.get(status, "unknown")


def _is_about(change: Sent, type_: str, id_: str, resource: Any) -> bool:
    """Whether place and resource, as far as they are stated, are those of `change`."""
    match change:
        case Create(made):
            return type_ in ("", made.type) and _echoes(resource, made.type, made.identifier)
        case Update(holding=held) | Delete(held):
            return not id_ or (type_, id_) == (held.type, held.id)


def _place(answer: dict[str, Any], resource: Any) -> tuple[str, str, str]:
    """(type, id, version) as location and etag say, else as the resource says that came back."""
    location, etag = answer.get("location"), answer.get("etag")
    where = _LOCATION.match(location) if isinstance(location, str) else None
    own_id, own_version = place_of(resource)
    own_type = resource.get("resourceType") if isinstance(resource, dict) and own_id else ""
    type_, id_ = (where[1], where[2]) if where else (own_type if isinstance(own_type, str) else "", own_id)
    tag = _ETAG.match(etag.strip()) if isinstance(etag, str) else None
    versions = (tag[1] if tag else "", (where[3] if where else None) or "", own_version)
    return type_, id_, next((version for version in versions if _VERSION.match(version)), "")


def _echoes(resource: Any, type_: str, identifier: tuple[str, str]) -> bool:
    """A server may send the resource back, or an OperationOutcome; if it is a resource, it must be ours."""
    if not isinstance(resource, dict) or resource.get("resourceType") == "OperationOutcome":
        return True
    return _is(resource, type_, identifier)


def _is(resource: Any, type_: str, identifier: tuple[str, str]) -> bool:
    if not isinstance(resource, dict) or resource.get("resourceType") != type_:
        return False
    return identifier in names_of(resource)


def _coincide(read: Sequence[Result | None]) -> bool:
    """Two changes cannot have led to one resource."""
    places = [(type_of(result.change), result.id) for result in read if result is not None and result.id]
    return len(set(places)) < len(places)


def _status(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 100 <= value <= 599 else None
    match = _STATUS.match(value.strip()) if isinstance(value, str) else None
    return int(match[1]) if match else None


def _matching(pattern: re.Pattern[str], value: Any) -> str:
    return value if isinstance(value, str) and pattern.match(value) else ""
