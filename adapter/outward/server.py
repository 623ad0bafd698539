"""A partner's FHIR server, as far as the adapter speaks to it: send, look, read, ask what it can."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote, urlencode

from adapter.core.fhir.bundle import Request as Asked
from adapter.core.fhir.named import search
from adapter.core.partner import Partner
from adapter.outward.answer import Answer, NotSent
from adapter.outward.authorise import access, refused
from adapter.outward.endpoint import Endpoint
from adapter.outward.signing import SigningKeys

FHIR_JSON = "application/fhir+json"
_WHOLE = {"X-Meta-Snapshot-Mode": "TAG, PROFILE, SECURITY_LABEL"}
"""HAPI FHIR keeps the labels of the version before, unless it is told that those which are sent are all: a resource
that lost a topic, or was emptied, would go on telling of it. Other servers do not know it."""

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,39}\Z")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")


class Server:
    """One partner's endpoint; connections are kept between requests, and each thread may have one under way.

    `secret` is what the partner file names: the bearer token, or the client's secret; `certificate` ours for TLS (PEM,
    with its key); `signing` reads our signing keys. endpoint.py says what is never done.
    """

    def __init__(
        self,
        partner: Partner,
        *,
        secret: str | None,
        certificate: str | None = None,
        signing: Callable[[], SigningKeys] = SigningKeys,
    ) -> None:
        # R4 is what servers take an unnamed version for; R5 is named (http://hl7.org/fhir/R5/http.html#version-parameter).
        self._json = f"{FHIR_JSON}; fhirVersion=5.0" if partner.release == "R5" else FHIR_JSON
        self._headers = {"Accept": self._json, "Accept-Encoding": "gzip", "User-Agent": "csp-fhir-adapter"}
        shown = certificate or ""
        self._endpoint = Endpoint(
            partner.base_url.rstrip("/"),
            timeout=partner.timeout,
            private=partner.private_addresses,
            certificate=shown,
            trust=partner.trust.certificates,
        )
        self._access = access(partner, secret=secret, signing=signing, certificate=shown)
        # A certificate that the file names and nobody has is not left out silently.
        self._may_speak = bool(shown) or not partner.authorisation.certificate

    def transact(self, body: bytes, *, request_id: str, echo: bool = False) -> Answer:
        """Sends one Bundle (http://hl7.org/fhir/R4/http.html#transaction). Never repeated here: first one looks.

        `echo` asks for the resources to be sent back, where an answer in another order must be noticed (bundle.alike).
        """
        headers = {"Content-Type": self._json, "Prefer": f"return={'representation' if echo else 'minimal'}", **_WHOLE}
        return self._ask("POST", "", request_id, headers, body)

    def send(self, asked: Asked, body: bytes, *, request_id: str) -> Answer:
        """Sends one change alone; `body` is its resource as bytes. Never repeated here either."""
        type_, slash, id_ = asked.path.partition("/")
        path = f"/{_matching(_TYPE, type_)}" + (f"/{_matching(_ID, id_)}" if slash else "")
        headers = {"Prefer": "return=minimal"}
        if asked.body is not None:
            headers["Content-Type"] = self._json
        if asked.condition:
            headers["If-None-Exist"] = asked.condition
        if asked.version:
            headers["If-Match"] = asked.version
        return self._ask(asked.method, path, request_id, headers, body if asked.body is not None else None)

    def find(self, type_: str, identifier: tuple[str, str], *, request_id: str = "") -> Answer:
        """Searches by one of our own identifiers, which are opaque: what names a person never stands in an address."""
        headers = {"Cache-Control": "no-cache"}  # else HAPI may answer from a search that it made before our write
        return self._ask("GET", f"/{_matching(_TYPE, type_)}?{search(type_, identifier)}", request_id, headers)

    def search(self, type_: str, asked: Mapping[str, str], *, request_id: str = "") -> Answer:
        """Searches by a posted form: what may name a person stands in the body, never in an address."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cache-Control": "no-cache"}
        path = f"/{_matching(_TYPE, type_)}/_search"
        return self._ask("POST", path, request_id, headers, urlencode(asked).encode("ascii"))

    def match(self, body: bytes, *, request_id: str = "") -> Answer:
        """Asks who a patient is there (http://hl7.org/fhir/R4/patient-operation-match.html); `body`: its Parameters."""
        return self._ask("POST", "/Patient/$match", request_id, {"Content-Type": self._json}, body)

    def find_any(
        self, type_: str, identifiers: Sequence[tuple[str, str]], *, since: str = "", request_id: str = ""
    ) -> Answer:
        """Searches for whatever bears one of these identifiers of ours, changed after `since`, a time of that server's
        own (http://hl7.org/fhir/R4/search.html#combining: a comma means *or*)."""
        name = search(type_, identifiers[0]).partition("=")[0]
        asked = ",".join(search(type_, each).partition("=")[2] for each in identifiers)
        changed = f"&_lastUpdated=gt{quote(since, safe='')}" if since else ""
        headers = {"Cache-Control": "no-cache"}
        path = f"/{_matching(_TYPE, type_)}?{name}={asked}{changed}&_count={2 * len(identifiers)}"
        return self._ask("GET", path, request_id, headers)

    def find_parts(self, type_: str, ids: Sequence[str], *, request_id: str = "") -> Answer:
        """Searches for what is part of one of these resources of the same type (R4 Task, search parameter part-of)."""
        whole = ",".join(f"{_matching(_TYPE, type_)}/{_matching(_ID, each)}" for each in ids)
        path = f"/{_matching(_TYPE, type_)}?part-of={quote(whole, safe=',/')}&_count=200"
        return self._ask("GET", path, request_id, {"Cache-Control": "no-cache"})

    def read(self, type_: str, id_: str, *, version: str = "", request_id: str = "") -> Answer:
        """Reads one resource by the id that it has there, as it is or as it was in a version."""
        # Not every version that a server may give is one that may stand in a path; it is none of its history then.
        then = f"/_history/{version if _ID.match(version) else '-'}" if version else ""
        return self._ask("GET", f"/{_matching(_TYPE, type_)}/{_matching(_ID, id_)}{then}", request_id)

    def version(self, type_: str, id_: str, number: int, *, request_id: str = "") -> Answer:
        """Reads one version of a resource, on a server that counts them (http://hl7.org/fhir/R4/http.html#vread)."""
        return self._ask("GET", f"/{_matching(_TYPE, type_)}/{_matching(_ID, id_)}/_history/{number:d}", request_id)

    def subscriptions(self, endpoint: str, *, request_id: str = "") -> Answer:
        """Searches for the Subscriptions that are told to this address, which is ours."""
        path = f"/Subscription?url={quote(endpoint, safe='')}"
        return self._ask("GET", path, request_id, {"Cache-Control": "no-cache"})

    def subscribe(self, body: bytes, *, id_: str = "", request_id: str = "") -> Answer:
        """Makes a Subscription, or replaces the one of that id."""
        path = f"/Subscription/{_matching(_ID, id_)}" if id_ else "/Subscription"
        headers = {"Content-Type": self._json, "Prefer": "return=representation"}
        return self._ask("PUT" if id_ else "POST", path, request_id, headers, body)

    def unsubscribe(self, id_: str, *, request_id: str = "") -> Answer:
        """Deletes a Subscription."""
        return self._ask("DELETE", f"/Subscription/{_matching(_ID, id_)}", request_id)

    def capability(self, *, request_id: str = "") -> Answer:
        """Reads the CapabilityStatement."""
        return self._ask("GET", "/metadata", request_id)

    def close(self) -> None:
        """Ends the connections that are kept."""
        self._endpoint.close()
        self._access.close()

    def _ask(
        self, method: str, path: str, request_id: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Asks; and once more with another token where the first was not accepted: then surely nothing was done."""
        if not self._endpoint.usable or not self._may_speak:
            return NotSent("not configured")
        shown = self._access.headers()
        if isinstance(shown, NotSent):
            return shown
        marks = {"X-Request-Id": request_id} if request_id else {}
        told = {**self._headers, **(headers or {}), **marks}
        answer = self._endpoint.ask(method, path, {**told, **shown}, body)
        if refused(answer) and self._access.another(shown):
            renewed = self._access.headers()
            if not isinstance(renewed, NotSent):
                return self._endpoint.ask(method, path, {**told, **renewed}, body)
        return answer


def _matching(pattern: re.Pattern[str], value: str) -> str:
    if not pattern.match(value):
        raise ValueError("not a FHIR type or id")
    return value
