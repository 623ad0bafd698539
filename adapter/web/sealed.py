"""Closes small values so that a browser or a client can carry them without reading or changing them.

Sessions and pages of a search travel this way. The key comes from the instance's own, so that every process of the
instance opens what another one closed.
"""

from __future__ import annotations

import base64
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken

from adapter import receive
from adapter.wiring import Wiring


def close(wiring: Wiring, purpose: str, value: str) -> str:
    """Encrypted and signed for this purpose, with the time."""
    return _fernet(wiring, purpose).encrypt_at_time(value.encode(), _seconds(wiring.clock())).decode()


def open_(wiring: Wiring, purpose: str, closed: str, *, seconds: int) -> str | None:
    """What was closed for this purpose at most `seconds` ago; None for anything else."""
    try:
        return _fernet(wiring, purpose).decrypt_at_time(closed.encode(), seconds, _seconds(wiring.clock())).decode()
    except (InvalidToken, UnicodeError):
        return None


def _fernet(wiring: Wiring, purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(receive.secret(wiring.store, purpose)))


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
