"""Posts JSON to one address that the agency names, signed as Standard Webhooks say (https://www.standardwebhooks.com).

HMAC-SHA256 over id, time and body: whoever receives it checks the signature, that the time is near, and that the id is
new. With several secrets there is a signature by each, so that a receiver may change from one to the next.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from adapter.outward.answer import Answered
from adapter.outward.endpoint import Endpoint

_TIMEOUT = 15.0  # seconds: for the whole request
_LARGEST = 65_536  # bytes of an answer, which nobody reads
_STANDARD = "whsec_"
_GONE = 410


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a request: was it taken (2xx)?; the least wait that was asked for; `gone`: nothing more is wanted
    there."""

    done: bool
    retry_after: timedelta | None = None
    gone: bool = False


class Hook:
    """One address and what signs for it. Nothing leaves unsigned; a redirect is not followed; `private`: may it be at a
    private or loopback address?; `trust` as in endpoint.py."""

    def __init__(self, url: str, secrets: Iterable[str | None], *, private: bool = False, trust: str = "") -> None:
        self._secrets = tuple(key for key in map(_bytes, secrets) if key)
        self._endpoint = Endpoint(url, timeout=_TIMEOUT, private=private, trust=trust)

    def __call__(self, id_: str, body: bytes) -> Taken:
        """One request, never repeated here."""
        if not self._secrets:
            return Taken(done=False)
        moment = str(int(datetime.now(UTC).timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "csp-fhir-adapter",
            "webhook-id": id_,
            "webhook-timestamp": moment,
            "webhook-signature": " ".join(f"v1,{signature(key, id_, moment, body)}" for key in self._secrets),
        }
        answer = self._endpoint.ask("POST", "", headers, body, largest=_LARGEST)
        if not isinstance(answer, Answered):
            return Taken(done=False)
        return Taken(200 <= answer.status < 300, answer.retry_after, answer.status == _GONE)


def signature(secret: bytes, id_: str, moment: str, body: bytes) -> str:
    """What stands behind `v1,` in the header webhook-signature."""
    signed = b".".join((id_.encode(), moment.encode(), body))
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def _bytes(secret: str | None) -> bytes:
    """The secret as it is, or in the form of the standard: base64 behind `whsec_`."""
    if not secret or not secret.startswith(_STANDARD):
        return (secret or "").encode()
    try:
        return base64.b64decode(secret.removeprefix(_STANDARD), validate=True)
    except binascii.Error:
        return b""
