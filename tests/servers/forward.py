"""Hands each request on to a real server, byte for byte, and its answer back: it stands where the small server stands
behind the faults, so that every fault can happen in front of every server, and every byte that leaves is seen."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from contextlib import closing
from urllib.parse import urlsplit

from tests.outward.memory_fhir import Handled

_OWN = frozenset(("host", "connection", "content-length", "transfer-encoding", "keep-alive"))
"""What belongs to one connection, and is said anew on the next."""


class Forward:
    """The way to the server at `address`; `FaultServer.fhir` may be this."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host, self._port, self._path = parts.hostname or "", parts.port, parts.path

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Handled:
        """As MemoryFhir's: `path` is relative to the base, `headers` have lower-case names."""
        place = f"{self._path}/{path}" if path else self._path
        told = {name: value for name, value in headers.items() if name not in _OWN}
        with closing(http.client.HTTPConnection(self._host, self._port, timeout=60)) as connection:
            connection.request(method, place, body or None, told)
            answer = connection.getresponse()
            text = answer.read()
        given = {name: value for name, value in answer.getheaders() if name.lower() not in _OWN}
        return answer.status, given, text
