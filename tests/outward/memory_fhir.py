"""The smallest FHIR server that the adapter can deliver to: transactions, identifiers, versions, in memory, atomic.

It serves tests of the sending rooms, as what stands behind the faults; real servers are tested against elsewhere. With
another `Can` it is one of the many that can do less.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote

from adapter.core.diff import ORDER

JSON = {"Content-Type": "application/fhir+json"}
SEARCHED = "2026-11-21T17:00:30Z"
"""When, by its own clock, every search was answered."""
Handled = tuple[int, Mapping[str, str], bytes]


@dataclass(frozen=True)
class Can:
    """What a server can do. `pretends`: a transaction is done like a batch, and answered with 200 all the same;
    `rolls_back`: what a refused transaction has done is undone; `mute`: it has no statement; `boasts`: it states
    transactions and batches, and refuses what it has not; `terse`: it refuses with a status and no word."""

    transaction: bool = True
    batch: bool = True
    single: bool = True
    conditions: bool = True
    if_match: bool = True
    history: bool = True
    types: frozenset[str] = frozenset(ORDER)
    pretends: str = ""
    rolls_back: bool = True
    mute: bool = False
    boasts: bool = False
    terse: bool = False
    no: int = 405


class _Refusal(Exception):  # noqa: N818 - it is an answer, not an error of this server
    def __init__(self, status: int, code: str) -> None:
        self.status, self.code = status, code


class MemoryFhir:
    """`resources` by "Type/id", as they were sent, with ids and versions; `writes` counts what was done; `past` has
    each version by "Type/id/_history/version"."""

    def __init__(self, can: Can | None = None) -> None:
        self.can = can or Can()
        self.resources: dict[str, dict[str, Any]] = {}
        self.past: dict[str, dict[str, Any]] = {}
        self.writes = 0
        self.statement_lacks = ""
        self.matches: list[str] | None = None
        """Whom `$match` names; None: it is not offered."""
        self.stale = 412
        """What is answered to an update of another version: HAPI FHIR says 409."""
        self._last = 0

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Handled:
        kept = copy.deepcopy(self.resources), self.writes
        try:
            return self._handle(method, path, headers, body)
        except _Refusal as refusal:
            if self.can.rolls_back:
                self.resources, self.writes = kept
            return (refusal.status, {}, b"") if self.can.terse else (refusal.status, JSON, _dumped(_outcome(refusal)))

    def touch(self, place: str) -> None:
        """Someone at the partner saves a resource: it has another version."""
        self._keep(place, self.resources[place])

    def edit(self, place: str, **elements: Any) -> None:
        """Someone at the partner changes a resource."""
        self._keep(place, {**self.resources[place], **elements})

    def _handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Handled:
        place, _, query = path.partition("?")
        given = json.loads(body, parse_float=Decimal) if body and "_search" not in place else None
        if method == "POST" and not place:
            return 200, JSON, _dumped(self._bundle(given, "return=representation" in headers.get("prefer", "")))
        if place == "metadata":
            return (404, {}, b"") if self.can.mute else (200, JSON, _dumped(self._statement()))
        if place == "Patient/$match" and self.matches is not None:
            named = [
                {"resource": {"resourceType": "Patient", "id": each}, "search": {"score": 0.97}}
                for each in self.matches
            ]
            return 200, JSON, _dumped({"resourceType": "Bundle", "type": "searchset", "entry": named})
        if method == "POST" and place.endswith("/_search"):
            place, query = place.removesuffix("/_search"), body.decode()
        elif method in ("POST", "PUT", "DELETE"):
            return self._singly(method, place, headers, given)
        if method in ("GET", "POST") and "/" not in place:
            entries = [{"resource": resource} for resource in self.matching(place, query)]
            bundle = {"resourceType": "Bundle", "type": "searchset", "meta": {"lastUpdated": SEARCHED}}
            return 200, JSON, _dumped({**bundle, "entry": entries})
        if method == "GET" and self.can.history and place in self.past:
            return 200, JSON, _dumped(self.past[place])
        if method == "GET" and place in self.resources:
            resource = self.resources[place]
            return 200, {**JSON, "ETag": f'W/"{resource["meta"]["versionId"]}"'}, _dumped(resource)
        raise _Refusal(404, "not-found")

    def _statement(self) -> dict[str, Any]:
        """Its CapabilityStatement."""
        interactions = [{"code": c} for c in ("create", "read", "update", "delete", "search-type", "vread")]
        stated = ("transaction", "batch")
        resources = [
            {
                "type": type_,
                "interaction": interactions,
                "conditionalCreate": self.can.conditions,
                "searchParam": [{"name": "identifier", "type": "token"}],
                "operation": [{"name": "match"}] if self.matches is not None and type_ == "Patient" else [],
            }
            for type_ in sorted(self.can.types - {self.statement_lacks})
        ]
        system = [{"code": each} for each in stated if self.can.boasts or getattr(self.can, each)]
        rest = {"mode": "server", "resource": resources, "interaction": system}
        return {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [rest]}

    def matching(self, type_: str, query: str) -> list[dict[str, Any]]:
        """Resources of a type with the identifier that a query names, or one of several; `system|` is any of that
        system. Times are not looked at, and all come at once: how many are wanted on a page is not asked."""
        asked = [pair for pair in parse_qsl(query) if pair[0] not in ("_lastUpdated", "_count")]
        if not asked:
            return [resource for resource in self.resources.values() if resource["resourceType"] == type_]
        [(name, tokens)] = asked
        parts = [token.partition("|") for token in tokens.split(",")]
        wanted = {(_unescaped(system), _unescaped(value)) for system, _, value in parts}
        return [
            resource
            for resource in self.resources.values()
            if resource["resourceType"] == type_
            and any(named in wanted or (named[0], "") in wanted for named in _names(resource, name))
        ]

    def _singly(self, method: str, place: str, headers: Mapping[str, str], given: Any) -> Handled:
        if not self.can.single:
            raise _Refusal(405, "not-supported")
        conditions = {"ifNoneExist": headers.get("if-none-exist"), "ifMatch": headers.get("if-match")}
        asked = {"method": method, "url": place, **{name: value for name, value in conditions.items() if value}}
        status, where = self._write(asked, given)
        if where in self.resources:
            self._check_references(self.resources[where])
        told = {**JSON, **_told(self.resources.get(where), where)}
        return int(status.split()[0]), told, b""

    def _bundle(self, bundle: dict[str, Any], echo: bool) -> dict[str, Any]:
        kind = bundle["type"]
        if kind == "transaction" and self.can.pretends:
            return {**self._batch(bundle, echo, rewrites=self.can.pretends == "rewriting"), "type": "batch-response"}
        if not getattr(self.can, kind):
            raise _Refusal(self.can.no, "not-supported")
        return self._batch(bundle, echo) if kind == "batch" else self._transaction(bundle, echo)

    def _batch(self, bundle: dict[str, Any], echo: bool, *, rewrites: bool = False) -> dict[str, Any]:
        """Each entry for itself; where it `rewrites`, a later one may refer to what an earlier one has created."""
        responses: list[dict[str, Any]] = []
        made: dict[str, str] = {}
        for entry in bundle["entry"]:
            kept = copy.deepcopy(self.resources), self.writes
            try:
                status, place = self._write(entry["request"], entry.get("resource"))
                if rewrites and place in self.resources:
                    _rewrite(self.resources[place], made)
                if place in self.resources and not self.can.pretends:
                    self._check_references(self.resources[place])
            except _Refusal as refusal:
                self.resources, self.writes = kept
                responses.append({"response": {"status": str(refusal.status), "outcome": _outcome(refusal)}})
                continue
            if "fullUrl" in entry:
                made[entry["fullUrl"]] = place
            responses.append(self._answer(status, place, echo))
        return {"resourceType": "Bundle", "type": "batch-response", "entry": responses}

    def _transaction(self, bundle: dict[str, Any], echo: bool) -> dict[str, Any]:
        made: dict[str, str] = {}
        responses: list[dict[str, Any]] = []
        for entry in bundle["entry"]:
            status, place = self._write(entry["request"], entry.get("resource"))
            if "fullUrl" in entry:
                made[entry["fullUrl"]] = place
            responses.append(self._answer(status, place, echo))
        for resource in self.resources.values():
            _rewrite(resource, made)
        for resource in self.resources.values():
            self._check_references(resource)
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": responses}

    def _answer(self, status: str, place: str, echo: bool) -> dict[str, Any]:
        resource = self.resources.get(place)
        told = _told(resource, place)
        response = {"status": status} | {name.lower(): value for name, value in told.items()}
        return {"response": response, **({"resource": resource} if echo and resource else {})}

    def _write(self, request: Mapping[str, str], resource: Any) -> tuple[str, str]:
        method, url = request["method"], unquote(request["url"])
        if url.partition("/")[0] not in self.can.types:
            raise _Refusal(404, "not-supported")
        self.writes += 1
        if method == "DELETE":
            if self.can.transaction or not self._is_referred_to(url):
                return ("204" if self.resources.pop(url, None) else "404"), url
            raise _Refusal(409, "conflict")
        if method == "PUT":
            held = self.resources.get(url)
            asked = request.get("ifMatch") if self.can.if_match else None
            if held is not None and asked not in (None, f'W/"{held["meta"]["versionId"]}"'):
                raise _Refusal(self.stale, "conflict")
            return ("201 Created" if held is None else "200 OK"), self._keep(url, resource)
        condition = request.get("ifNoneExist") if self.can.conditions else None
        if condition and (found := self.matching(url, condition)):
            if len(found) > 1:
                raise _Refusal(412, "multiple-matches")
            self.writes -= 1
            return "200 OK", f"{url}/{found[0]['id']}"
        self._last += 1
        return "201 Created", self._keep(f"{url}/{self._last}", resource)

    def _keep(self, place: str, resource: dict[str, Any]) -> str:
        before = self.resources.get(place, {"meta": {"versionId": "0"}})
        version = str(int(before["meta"]["versionId"]) + 1)
        meta = {**resource.get("meta", {}), "versionId": version}
        self.resources[place] = {**resource, "id": place.partition("/")[2], "meta": meta}
        self.past[f"{place}/_history/{version}"] = self.resources[place]
        return place

    def _is_referred_to(self, place: str) -> bool:
        return f'"reference": "{place}"' in json.dumps(list(self.resources.values()), default=float)

    def _check_references(self, value: Any) -> None:
        if isinstance(value, dict):
            target = value.get("reference")
            if isinstance(target, str) and target not in self.resources:
                raise _Refusal(409, "conflict")
            for inner in value.values():
                self._check_references(inner)
        elif isinstance(value, list):
            for inner in value:
                self._check_references(inner)


def _outcome(refusal: _Refusal) -> dict[str, Any]:
    issue = {"severity": "error", "code": refusal.code, "diagnostics": "Ama Example said no"}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _told(resource: Mapping[str, Any] | None, place: str) -> dict[str, str]:
    if resource is None:
        return {}
    version = resource["meta"]["versionId"]
    return {"Location": f"{place}/_history/{version}", "ETag": f'W/"{version}"'}


def _rewrite(value: Any, made: Mapping[str, str]) -> None:
    if isinstance(value, dict):
        target = value.get("reference")
        if isinstance(target, str) and target in made:  # Consent.provision.data.reference is an object
            value["reference"] = made[target]
        if isinstance(url := value.get("url"), str) and url in made:
            value["url"] = made[url]
        for inner in value.values():
            _rewrite(inner, made)
    elif isinstance(value, list):
        for inner in value:
            _rewrite(inner, made)


def _names(resource: Mapping[str, Any], name: str) -> list[tuple[str | None, str | None]]:
    """What a search by `identifier` or by `_tag` finds it under."""
    if name == "_tag":
        return [(each.get("system"), each.get("code")) for each in resource.get("meta", {}).get("tag", [])]
    stated = resource.get(name, [])
    return [(each.get("system"), each.get("value")) for each in (stated if isinstance(stated, list) else [stated])]


def _unescaped(token: str) -> str:
    for separator in ("\\,", "\\|", "\\$"):
        token = token.replace(separator, separator[1])
    return token.replace("\\\\", "\\")


def _dumped(value: Any) -> bytes:
    return json.dumps(value, default=float).encode()
