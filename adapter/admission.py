"""Looks at the statement with which a partner's system shows who it is: a JWT that it signed, good once, for us.

http://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html. The algorithms are those that every server
must take; which of the partner's keys it may be, its file says, and no address inside of a statement is ever fetched.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = ("ES384", "RS384")
LONGEST = timedelta(minutes=5)
"""A statement that ends later is refused."""
_SKEW = timedelta(seconds=30)
_MOST_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Statement:
    """Who shows itself, the number that this statement has once, and until when it would be good."""

    client: str
    jti: str
    until: datetime


def client_of(assertion: str) -> str:
    """Whom a statement is said to be of: looked at before it is believed, to know whose keys are to be tried."""
    try:
        claims = json.loads(_segment(assertion, 1))
    except (ValueError, IndexError):
        return ""
    found = claims.get("iss") if isinstance(claims, dict) else None
    return found if isinstance(found, str) else ""


def verified(assertion: str, keys: str, *, client: str, audience: str, now: datetime) -> Statement | None:
    """The statement, if one of `keys` (a JWK Set of public keys, JSON) signed it for `audience`, and it is good now."""
    if len(assertion) > _MOST_BYTES:
        return None
    try:
        token = jwt.decode(assertion, KeySet.import_key_set(json.loads(keys)), algorithms=list(ALGORITHMS))
    except (JoseError, ValueError, KeyError, TypeError):
        return None
    return _good(token.claims, client, audience, now)


def _good(claims: dict[str, Any], client: str, audience: str, now: datetime) -> Statement | None:
    """Each claim by itself: none is optional but `nbf` and `iat`."""
    jti, until = claims.get("jti"), _moment(claims.get("exp"))
    begins = [_moment(claims[name]) for name in ("nbf", "iat") if name in claims]
    audiences = claims.get("aud") if isinstance(claims.get("aud"), list) else [claims.get("aud")]
    if (claims.get("iss"), claims.get("sub")) != (client, client) or audience not in (audiences or ()):
        return None
    if not isinstance(jti, str) or not 1 <= len(jti) <= 255:
        return None
    if until is None or not now - _SKEW < until <= now + LONGEST + _SKEW:
        return None
    if any(each is None or each > now + _SKEW for each in begins):
        return None
    return Statement(client, jti, until)


def _moment(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _segment(assertion: str, place: int) -> bytes:
    text = assertion[:_MOST_BYTES].split(".")[place]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
