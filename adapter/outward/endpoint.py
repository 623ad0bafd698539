"""One address at a partner, and the asking of it: within limits of time and size, each failure as a value."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPException
from urllib.parse import urlsplit

from requests import Request, RequestException
from urllib3.exceptions import HTTPError

from adapter.outward.answer import LARGEST, Answer, NotSent, Unknown, read
from adapter.outward.wire import Exchange, Wire

_AROUND = 8_000_000
"""Bytes of an answer around its body, at most: http.client reads 100 headers of 64 kB each, and lines before chunks."""


class Endpoint:
    """A base address; each thread may have one exchange under way, and connections are kept between them.

    Redirects are not followed, the environment's proxies and passwords not used, cookies not kept, and no address that
    stands in an answer is ever fetched. `private` allows private addresses (address.py), `certificate` is ours for TLS
    (PEM, with its key), `trust` the certificates to trust in place of the public ones (PEM; empty: those).
    """

    def __init__(self, url: str, *, timeout: float, private: bool, certificate: str = "", trust: str = "") -> None:
        self._url = url
        self._timeout = timeout
        self._exchange = Exchange()
        self._wire = _wire(url, self._exchange, private, certificate, trust)

    @property
    def usable(self) -> bool:
        """Is the address one that may be asked at all, and our certificate one?"""
        return self._wire is not None

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None, *, largest: int = LARGEST
    ) -> Answer:
        """One exchange, never repeated here. `largest`: bytes of the answer that are read at most."""
        if self._wire is None:
            return NotSent("not configured")
        try:
            request = Request(method, self._url + path, dict(headers), data=body).prepare()
        except (RequestException, HTTPError, ValueError):
            return NotSent("not configured")  # an address or a header that no request can have
        self._exchange.begin(self._timeout, most=2 * largest + _AROUND)
        try:
            response = self._wire.send(request, stream=True, timeout=self._timeout)
            with closing(response):
                return read(response, now=datetime.now(UTC), largest=largest)
        except (RequestException, HTTPError, HTTPException, OSError, UnicodeError):
            # Texts of these errors hold addresses, headers and bytes of answers: none is kept.
            return self._failed()

    def close(self) -> None:
        """Ends the connections that are kept."""
        if self._wire is not None:
            self._wire.close()

    def _failed(self) -> NotSent | Unknown:
        if (stage := self._exchange.stage) != "sent":
            return NotSent(stage, doubt=self._exchange.doubt)
        return Unknown("time ran out" if self._exchange.is_over() else "connection lost")


def origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an http or https address; None where it is none, or holds a name, query or fragment."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.scheme not in ("https", "http") or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80)


def _wire(url: str, exchange: Exchange, private: bool, certificate: str, trust: str) -> Wire | None:
    """The wire to the host of this address; none where that is not https (or http, where that is allowed)."""
    found = origin(url)
    if found is None or (found[0] == "http" and not private):
        return None
    scheme, host, port = found
    encrypted = scheme == "https"
    if certificate and not encrypted:
        return None
    try:
        return Wire(
            host=host,
            port=port,
            encrypted=encrypted,
            private=private,
            exchange=exchange,
            certificate=certificate,
            trust=trust,
        )
    except (ssl.SSLError, OSError, ValueError):
        return None  # our own certificate, its key, or those to trust cannot be read
