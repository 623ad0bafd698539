"""Tells a subscriber, the endpoint of a partner's subscription, that something has changed.

One POST, under the same rules as everything that goes out. The agency's own programs are told by webhook.py.
"""

from __future__ import annotations

from collections.abc import Iterable

from adapter.outward.answer import Answer
from adapter.outward.endpoint import Endpoint

_LARGEST = 65_536
"""Bytes of an answer that are read: nothing in it matters but its status."""


def post(
    url: str,
    body: bytes,
    headers: Iterable[tuple[str, str]],
    *,
    timeout: float,
    private: bool,
    trust: str = "",
) -> Answer:
    """Post FHIR JSON with the headers that the partner asked for. `timeout`: seconds, for the whole of it; `private`:
    may the address be a private one?; `trust` as in endpoint.py. A query goes along; redirects are not followed."""
    base, mark, query = url.partition("?")
    endpoint = Endpoint(base, timeout=timeout, private=private, trust=trust)
    try:
        sent = {**dict(headers), "Content-Type": "application/fhir+json", "User-Agent": "csp-fhir-adapter"}
        return endpoint.ask("POST", f"{mark}{query}", sent, body, largest=_LARGEST)
    finally:
        endpoint.close()
