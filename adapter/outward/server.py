"""A partner's FHIR server, as far as the adapter speaks to it: send a Bundle, look, read, ask what it can."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPException
from urllib.parse import urlsplit

from requests import Request, RequestException
from urllib3.exceptions import HTTPError

from adapter.core.fhir.named import search
from adapter.core.partner import Partner
from adapter.outward.answer import Answer, NotSent, Unknown, read
from adapter.outward.wire import Exchange, Wire

FHIR_JSON = "application/fhir+json"

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,39}\Z")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")
_TOKEN = re.compile(r"[\x21-\x7e]+\Z")


class Server:
    """One partner's endpoint; connections are kept between requests, and each thread may have one under way.

    `secret` is the bearer token itself, where the partner file asks for one; `trust` the path of a file of certificates
    to trust in place of the public ones. Redirects are not followed, the environment's proxies and passwords not used,
    cookies not kept, and no address that stands in an answer is ever fetched.
    """

    def __init__(self, partner: Partner, *, secret: str | None, trust: str | None = None) -> None:
        self._timeout = partner.timeout
        self._trust: str | bool = trust or True
        self._exchange = Exchange()
        self._base, self._wire = _way(partner, self._exchange)
        # R4 is what servers take an unnamed version for; R5 is named (http://hl7.org/fhir/R5/http.html#version-parameter).
        self._json = f"{FHIR_JSON}; fhirVersion=5.0" if partner.release == "R5" else FHIR_JSON
        self._headers = {"Accept": self._json, "Accept-Encoding": "gzip", "User-Agent": "csp-fhir-adapter"}
        self._may_speak = self._wire is not None and self._authorise(partner, secret)

    def transact(self, body: bytes, *, request_id: str, echo: bool = False) -> Answer:
        """Sends one Bundle (http://hl7.org/fhir/R4/http.html#transaction). Never repeated here: first one looks.

        `echo` asks for the resources to be sent back, where an answer in another order must be noticed (bundle.alike).
        """
        headers = {"Content-Type": self._json, "Prefer": f"return={'representation' if echo else 'minimal'}"}
        return self._ask("POST", "", request_id, headers, body)

    def find(self, type_: str, identifier: tuple[str, str], *, request_id: str = "") -> Answer:
        """Searches by one of our own identifiers, which are opaque: what names a person never stands in an address."""
        headers = {"Cache-Control": "no-cache"}  # else HAPI may answer from a search that it made before our write
        return self._ask("GET", f"/{_matching(_TYPE, type_)}?{search(type_, identifier)}", request_id, headers)

    def read(self, type_: str, id_: str, *, request_id: str = "") -> Answer:
        """Reads one resource by the id that it has there."""
        return self._ask("GET", f"/{_matching(_TYPE, type_)}/{_matching(_ID, id_)}", request_id)

    def capability(self, *, request_id: str = "") -> Answer:
        """Reads the CapabilityStatement."""
        return self._ask("GET", "/metadata", request_id)

    def close(self) -> None:
        """Ends the connections that are kept."""
        if self._wire is not None:
            self._wire.close()

    def _authorise(self, partner: Partner, secret: str | None) -> bool:
        if partner.authorisation.kind == "none":
            return True
        if not secret or not _TOKEN.match(secret):
            return False
        self._headers["Authorization"] = f"Bearer {secret}"
        return True

    def _ask(
        self, method: str, path: str, request_id: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        if self._wire is None or not self._may_speak:
            return NotSent("not configured")
        marks = {"X-Request-Id": request_id} if request_id else {}
        request = Request(method, self._base + path, {**self._headers, **(headers or {}), **marks}, data=body).prepare()
        self._exchange.begin(self._timeout)
        try:
            response = self._wire.send(request, stream=True, timeout=self._timeout, verify=self._trust)
            with closing(response):
                return read(response, now=datetime.now(UTC))
        except (RequestException, HTTPError, HTTPException, OSError, UnicodeError):
            # Texts of these errors hold addresses, headers and bytes of answers: none is kept.
            return self._failed()

    def _failed(self) -> NotSent | Unknown:
        if (stage := self._exchange.stage) != "sent":
            return NotSent(stage)
        return Unknown("time ran out" if self._exchange.is_over() else "connection lost")


def _way(partner: Partner, exchange: Exchange) -> tuple[str, Wire | None]:
    """The base URL and the wire to its host; no wire where the URL is not https (or http, where that is allowed)."""
    try:
        url = urlsplit(partner.base_url)
        host, port = url.hostname, url.port
    except ValueError:
        return "", None
    encrypted = url.scheme == "https"
    plain_allowed = url.scheme == "http" and partner.private_addresses
    if not host or url.query or url.fragment or "@" in url.netloc or not (encrypted or plain_allowed):
        return "", None
    port = port or (443 if encrypted else 80)
    wire = Wire(host=host, port=port, encrypted=encrypted, private=partner.private_addresses, exchange=exchange)
    return partner.base_url.rstrip("/"), wire


def _matching(pattern: re.Pattern[str], value: str) -> str:
    if not pattern.match(value):
        raise ValueError("not a FHIR type or id")
    return value
