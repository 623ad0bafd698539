"""What partners are shown of us, and how we know them, tried before anything is sent: what is missing or cannot be
used, in a sentence each.

A sentence names the variable, never what it holds.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from urllib3.util.ssl_ import create_urllib3_context

from adapter.core.partner import Partner, Trust
from adapter.errors import Misconfigured
from adapter.outward.authorise import usable
from adapter.outward.sftp import private_key
from adapter.outward.signing import SigningKeys
from adapter.outward.wire import present


def lacking(
    partner: Partner, *, secret: str | None, certificate: str | None, signing: Callable[[], SigningKeys], now: datetime
) -> list[str]:
    """What keeps us from showing the partner who we are, or from knowing it; nothing where nothing does, as far as can
    be told from here.

    `secret` and `certificate` are what the names in its file lead to; None: nothing is there, or cannot be read.
    """
    asked = partner.authorisation
    found = [_of_secret(asked.kind, asked.secret, secret)] if asked.secret else []
    if asked.certificate:
        found.append(_of_certificate(asked.certificate, certificate, now))
    if partner.trust.file:
        found.append(_of_trust(partner.trust, now))
    if asked.kind == "smart-backend":
        found.append(_of_key(asked.key, asked.algorithm, signing, now))
    return [each for each in found if each]


def _of_secret(kind: str, name: str, secret: str | None) -> str:
    if not secret:
        return _missing(name)
    if kind in ("bearer", "client-secret") and not usable(kind, secret):
        return (
            f"What {name} holds can be no secret of a request: it has a blank, a line break or a letter beyond ASCII."
        )
    if kind == "ssh-key" and private_key(secret) is None:
        return f"What {name} holds is no private key without a passphrase."
    return ""


def _of_certificate(name: str, certificate: str | None, now: datetime) -> str:
    if not certificate:
        return _missing(name)
    try:
        present(create_urllib3_context(), certificate)
        shown = x509.load_pem_x509_certificates(certificate.encode())[0]
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        return f"What {name} holds is no certificate (PEM) followed by its own key, without a password."
    if now >= shown.not_valid_after_utc:
        return f"The certificate that {name} holds ended on {shown.not_valid_after_utc.date().isoformat()}."
    if now < shown.not_valid_before_utc:
        return f"The certificate that {name} holds begins on {shown.not_valid_before_utc.date().isoformat()} only."
    return ""


def _of_trust(trust: Trust, now: datetime) -> str:
    """Nothing while one is in force: which of them has signed the server's is seen there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)  # as in catalogue/trust.py
        known = x509.load_pem_x509_certificates(trust.certificates.encode())
    if any(each.not_valid_before_utc <= now < each.not_valid_after_utc for each in known):
        return ""
    last = max(each.not_valid_after_utc for each in known)
    said = f"ended on {last.date().isoformat()}" if now >= last else "has not begun yet"
    return f"The authority's certificate in {trust.file} (trust) {said}: ask the partner for the one that counts now."


def _of_key(name: str, algorithm: str, signing: Callable[[], SigningKeys], now: datetime) -> str:
    try:
        key = signing().chosen(name, algorithm, now.astimezone(UTC))
    except Misconfigured as wrong:
        return wrong.detail
    wanted = f"signing key {name}" if name else "signing key"
    return "" if key else f"There is no {wanted} for {algorithm}: `adapter key new --algorithm {algorithm}` makes one."


def _missing(name: str) -> str:
    return f"There is no secret: set the variable {name}, or let {name}_FILE name a file that this account may read."
