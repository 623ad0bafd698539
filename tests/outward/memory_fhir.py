"""The smallest FHIR server that the adapter can deliver to: transactions, identifiers, versions, in memory, atomic.

It serves tests of the sending rooms, as what stands behind the faults; real servers are tested against elsewhere.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote

JSON = {"Content-Type": "application/fhir+json"}
SEARCHED = "2026-11-21T17:00:30Z"
"""When, by its own clock, every search was answered."""
Handled = tuple[int, Mapping[str, str], bytes]


class _Refusal(Exception):  # noqa: N818 - it is an answer, not an error of this server
    def __init__(self, status: int, code: str) -> None:
        self.status, self.code = status, code


class MemoryFhir:
    """`resources` by "Type/id", as they were sent, with ids and versions; `writes` counts what was done."""

    def __init__(self) -> None:
        self.resources: dict[str, dict[str, Any]] = {}
        self.writes = 0
        self.stale = 412
        """What is answered to an update of another version: HAPI FHIR says 409."""
        self._last = 0

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Handled:
        kept = copy.deepcopy(self.resources), self.writes
        try:
            return self._handle(method, path, body, "return=representation" in headers.get("prefer", ""))
        except _Refusal as refusal:
            self.resources, self.writes = kept
            issue = {"severity": "error", "code": refusal.code, "diagnostics": "Ama Example said no"}
            return refusal.status, JSON, _dumped({"resourceType": "OperationOutcome", "issue": [issue]})

    def touch(self, place: str) -> None:
        """Someone at the partner saves a resource: it has another version."""
        self._keep(place, self.resources[place])

    def _handle(self, method: str, path: str, body: bytes, echo: bool) -> Handled:
        place, _, query = path.partition("?")
        if method == "POST" and not place:
            return 200, JSON, _dumped(self._transaction(json.loads(body, parse_float=Decimal), echo))
        if method == "GET" and place == "metadata":
            return 200, JSON, _dumped({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
        if method == "GET" and "/" not in place:
            entries = [{"resource": resource} for resource in self.matching(place, query)]
            bundle = {"resourceType": "Bundle", "type": "searchset", "meta": {"lastUpdated": SEARCHED}}
            return 200, JSON, _dumped({**bundle, "entry": entries})
        if method == "GET" and place in self.resources:
            resource = self.resources[place]
            return 200, {**JSON, "ETag": f'W/"{resource["meta"]["versionId"]}"'}, _dumped(resource)
        raise _Refusal(404, "not-found")

    def matching(self, type_: str, query: str) -> list[dict[str, Any]]:
        """Resources of a type with the identifier that a query names, or one of several; `system|` is any of that
        system. Times are not looked at, and all come at once: how many are wanted on a page is not asked."""
        [(name, tokens)] = [pair for pair in parse_qsl(query) if pair[0] not in ("_lastUpdated", "_count")]
        parts = [token.partition("|") for token in tokens.split(",")]
        wanted = {(_unescaped(system), _unescaped(value)) for system, _, value in parts}
        return [
            resource
            for resource in self.resources.values()
            if resource["resourceType"] == type_
            and any(named in wanted or (named[0], "") in wanted for named in _names(resource, name))
        ]

    def _transaction(self, bundle: dict[str, Any], echo: bool) -> dict[str, Any]:
        made: dict[str, str] = {}
        responses: list[dict[str, Any]] = []
        for entry in bundle["entry"]:
            request = entry["request"]
            status, place = self._write(request, entry.get("resource"))
            if "fullUrl" in entry:
                made[entry["fullUrl"]] = place
            response = {"status": status}
            if place in self.resources:
                version = self.resources[place]["meta"]["versionId"]
                response |= {"location": f"{place}/_history/{version}", "etag": f'W/"{version}"'}
            responses.append({"response": response})
            if echo and place in self.resources:
                responses[-1]["resource"] = self.resources[place]
        for resource in self.resources.values():
            _rewrite(resource, made)
        for resource in self.resources.values():
            self._check_references(resource)
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": responses}

    def _write(self, request: Mapping[str, str], resource: Any) -> tuple[str, str]:
        method, url = request["method"], unquote(request["url"])
        self.writes += 1
        if method == "DELETE":
            return ("204" if self.resources.pop(url, None) else "404"), url
        if method == "PUT":
            held = self.resources.get(url)
            if held is not None and request.get("ifMatch") not in (None, f'W/"{held["meta"]["versionId"]}"'):
                raise _Refusal(self.stale, "conflict")
            return ("201 Created" if held is None else "200 OK"), self._keep(url, resource)
        if "ifNoneExist" in request and (found := self.matching(url, request["ifNoneExist"])):
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
        return place

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
