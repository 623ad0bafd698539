"""The partner's own people: they read what their server holds, save something there, delete something there."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from adapter.core.fhir.named import TAGGED, names_of
from adapter.demo.there import TYPES
from tests.servers.partners import Running


@dataclass(frozen=True)
class There:
    """A look at a partner's server, past the adapter; `system` is that of the identifiers which are looked at."""

    server: Running
    system: str

    def everything(self) -> list[dict[str, Any]]:
        """Every resource that bears an identifier of this system, of whatever type, page after page."""
        return [resource for type_ in TYPES for resource in self.of_type(type_)]

    def of_type(self, type_: str) -> list[dict[str, Any]]:
        # HAPI FHIR finds no tags of a system without a code: of types that are known by a tag all are read.
        only = "" if type_ in TAGGED else f"identifier={quote(self.system, safe='')}%7C&"
        found = self._pages(f"{type_}?{only}_count=200")
        return [one for one in found if self.system in [system for system, _ in names_of(one)]]

    def save(self, resource: Mapping[str, Any]) -> None:
        """Someone there saves a resource in place of the one with its id."""
        place = _place(resource)
        entry = {"fullUrl": f"{self.server.address}/{place}", "resource": resource}
        self._write({**entry, "request": {"method": "PUT", "url": place}})

    def delete(self, resource: Mapping[str, Any]) -> None:
        self._write({"request": {"method": "DELETE", "url": _place(resource)}})

    def wipe(self) -> None:
        """Everything goes at once, as after a restore of a backup from before us."""
        places = [_place(resource) for resource in self.everything()]
        self._write(*({"request": {"method": "DELETE", "url": place}} for place in places))

    def _write(self, *entries: Mapping[str, Any]) -> None:
        self._ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        address = f"{self.server.address}/{path}"
        while address:
            bundle = self._ask("GET", address)
            yield from (entry["resource"] for entry in bundle.get("entry", []))
            address = next((link["url"] for link in bundle.get("link", []) if link["relation"] == "next"), "")

    def _ask(self, method: str, address: str, body: Any = None) -> Any:
        text = json.dumps(body, default=float).encode() if body is not None else None
        headers = {**self.server.headers, "Cache-Control": "no-cache"}
        request = urllib.request.Request(address or self.server.address, text, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read(), parse_float=Decimal)
        except urllib.error.HTTPError as refused:
            with refused:
                raise AssertionError(f"{method} {address}: {refused.code} {_why(refused.read())}") from None


def _why(text: bytes) -> str:
    """What of a refusal is an error: HAPI FHIR lists its warnings before."""
    try:
        issues = json.loads(text)["issue"]
    except (ValueError, KeyError, TypeError):
        return repr(text[:2000])
    return "; ".join(str(i.get("diagnostics", i)) for i in issues if i.get("severity") in ("error", "fatal"))


def _place(resource: Mapping[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"
