"""Plain HTTP as a case system and a partner's own people would use it: JSON in, JSON out."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any


class Refusal(Exception):  # noqa: N818  what was asked was refused, or could not be asked
    """An answer that is not the one hoped for."""

    def __init__(self, said: str, status: int = 0) -> None:
        super().__init__(said)
        self.status = status


def call(base: str, method: str, path: str, *, token: str = "", body: Any = None) -> Any:
    """One request; the parsed answer. Refusal for any status of 400 or more."""
    text = read(base, method, path, token=token, body=body)
    return json.loads(text) if text else None


def read(base: str, method: str, path: str, *, token: str = "", body: Any = None) -> bytes:
    """One request; the bytes of the answer. Refusal for any status of 400 or more."""
    fhir = path.startswith("/fhir")
    headers = {"Accept": "application/fhir+json" if fhir else "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if body is not None:
        headers["Content-Type"] = "application/fhir+json" if fhir else "application/json"
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(base + path, data, headers, method=method)  # noqa: S310  http on loopback
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            answered: bytes = answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            raise Refusal(f"{method} {path} was answered with {refused.code}", refused.code) from None
    return answered
