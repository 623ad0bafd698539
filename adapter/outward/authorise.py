"""How a partner's server is shown who asks: nothing, a token from a file, or one that is fetched and renewed.

Tokens stand in memory only, and in no error and no line. A new one is fetched before the old one ends, by one thread
at a time, and what that comes to is the answer for all who waited for it.
"""

from __future__ import annotations

import base64
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import quote_plus, urlencode

from adapter.core.partner import Partner
from adapter.errors import Misconfigured
from adapter.outward.answer import Answer, Answered, NotSent
from adapter.outward.endpoint import Endpoint, origin
from adapter.outward.signing import SigningKeys

LONGEST = 3600.0
"""Seconds that a token is used at most, whatever its server says."""

_USUAL = 300.0  # where the server does not say how long: what SMART Backend Services advises as the most
_MARGIN = 30.0  # seconds before its end at which a token is renewed; a fifth of a shorter life
_ASSERTION = 240  # seconds that an assertion is good for: at most 300 are allowed, and clocks differ
_LARGEST = 65_536  # bytes of a token's answer, or of a smart-configuration
_CONFIGURATION = "/.well-known/smart-configuration"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SENDABLE = re.compile(r"[\x21-\x7e]{1,16384}")
_WORDS = frozenset(
    {
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
        "invalid_scope",
    }
)  # fmt: skip
_INVALID_TOKEN = re.compile(r'\berror\s*=\s*"?invalid_token\b', re.IGNORECASE)

Headers = Mapping[str, str]


class Access(Protocol):
    """What a server is shown with each request."""

    def headers(self) -> Headers | NotSent:
        """The headers that show it, or why there are none."""

    def another(self, shown: Headers) -> bool:
        """These were refused: may asking once more, with other ones, help?"""

    def close(self) -> None:
        """Ends the connections that are kept."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same with each request: nothing (TLS may have shown a certificate), or a token that a person was given."""

    shown: Headers | None = field(default=None, repr=False)

    def headers(self) -> Headers | NotSent:
        return NotSent("not configured") if self.shown is None else self.shown

    def another(self, shown: Headers) -> bool:
        return False

    def close(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and until when it is used (monotonic seconds)."""

    text: str = field(repr=False)
    until: float


def access(
    partner: Partner,
    *,
    secret: str | None,
    signing: Callable[[], SigningKeys],
    certificate: str = "",
) -> Access:
    """The way that the partner file names. `secret`: the token itself, or the client's secret."""
    match partner.authorisation.kind:
        case "none":
            return Fixed({})
        case "mtls":
            return Fixed({} if certificate else None)
        case "bearer":
            return Fixed(_bearer(secret) if secret and usable("bearer", secret) else None)
        case "client-secret" | "smart-backend":
            return Tokens(partner, secret=secret, signing=signing, certificate=certificate)
        case "ssh-key" | "password":
            return Fixed(None)  # for folders: no HTTP is spoken there


def usable(kind: str, secret: str) -> bool:
    """Can this be what a request shows? A token stands in a header as it is; a client's secret is encoded first."""
    return _SENDABLE.fullmatch(secret) is not None if kind == "bearer" else secret.isprintable()


def refused(answer: Answer) -> bool:
    """Was the token not accepted, so that nothing was done? 401; and 403 where that is said (RFC 6750, 3.1)."""
    if not isinstance(answer, Answered):
        return False
    said = answer.headers.get("www-authenticate", "")
    return answer.status == 401 or (answer.status == 403 and _INVALID_TOKEN.search(said) is not None)


class Tokens:
    """Access tokens of one partner by the client credentials grant (RFC 6749, 4.4), the client shown by its secret or
    by an assertion that it signs (RFC 7523; http://hl7.org/fhir/smart-app-launch/backend-services.html)."""

    def __init__(
        self,
        partner: Partner,
        *,
        secret: str | None,
        signing: Callable[[], SigningKeys],
        certificate: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._partner = partner
        self._asked = partner.authorisation
        self._secret = secret
        self._signing = signing
        self._ways: dict[str, Any] = {
            "timeout": partner.timeout,
            "private": partner.private_addresses,
            "certificate": certificate,
            "trust": partner.trust.certificates,
        }
        self._clock = clock
        self._lock = threading.Lock()
        self._rounds = 0
        self._last: Token | NotSent = NotSent("no token")
        self._held: Token | None = None
        self._where: tuple[str, Endpoint] | None = None

    def headers(self) -> Headers | NotSent:
        """The token in hand while it is good; else a new one, or why there is none."""
        found = self._token()
        return found if isinstance(found, NotSent) else _bearer(found.text)

    def another(self, shown: Headers) -> bool:
        """Forget the token that was refused, unless another thread has a newer one by now."""
        with self._lock:
            if self._held is not None and _bearer(self._held.text) == shown:
                self._held = None
        return True

    def close(self) -> None:
        """Ends the connections that are kept."""
        with self._lock:
            if self._where is not None:
                self._where[1].close()
                self._where = None

    def _token(self) -> Token | NotSent:
        if (held := self._held) is not None and self._clock() < held.until:
            return held
        before = self._rounds
        with self._lock:
            if self._rounds != before:
                return self._last  # asked and answered while this thread waited
            if (held := self._held) is not None and self._clock() < held.until:
                return held
            self._last = self._fetch()
            self._held = self._last if isinstance(self._last, Token) else None
            self._rounds += 1
            return self._last

    def _fetch(self) -> Token | NotSent:
        where = self._endpoint()
        if isinstance(where, NotSent):
            return where
        url, endpoint = where
        shown = self._credentials(url)
        if shown is None:
            return NotSent("not configured")
        headers, form = shown
        headers = {**headers, "Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        answer = endpoint.ask("POST", "", headers, urlencode(form).encode("ascii"), largest=_LARGEST)
        found = _granted(answer, self._clock())
        if isinstance(found, NotSent) and not self._asked.token_url:
            endpoint.close()
            self._where = None  # it may have moved: it is looked up again
        return found

    def _endpoint(self) -> tuple[str, Endpoint] | NotSent:
        """Where tokens are: as the file says, else as the server's own smart-configuration does."""
        if self._where is None:
            url = self._asked.token_url or self._discovered()
            if isinstance(url, NotSent):
                return url
            endpoint = Endpoint(url, **self._ways)
            if not endpoint.usable:
                return NotSent("not configured")
            self._where = url, endpoint
        return self._where

    def _discovered(self) -> str | NotSent:
        """The token endpoint that the server names, if it is at the very host, port and scheme of the base address.

        One elsewhere has to stand in the partner file: an answer must not lead our credentials to another host.
        """
        base = self._partner.base_url.rstrip("/")
        endpoint = Endpoint(base, **self._ways)
        answer = endpoint.ask("GET", _CONFIGURATION, {"Accept": "application/json"}, largest=_LARGEST)
        endpoint.close()
        if not isinstance(answer, Answered):
            return _none(answer)
        url = answer.body.get("token_endpoint") if answer.status == 200 and isinstance(answer.body, dict) else None
        if not isinstance(url, str) or not _SENDABLE.fullmatch(url) or origin(url) is None:
            return NotSent("no token", retry_after=answer.retry_after)
        return url if origin(url) == origin(base) else NotSent("address not allowed")

    def _credentials(self, url: str) -> tuple[dict[str, str], dict[str, str]] | None:
        """What shows us to the token endpoint, as headers and as fields of the form; None where it is not at hand."""
        asked = self._asked
        form = {"grant_type": "client_credentials"}
        if asked.scopes:
            form["scope"] = " ".join(asked.scopes)
        if asked.kind == "smart-backend":
            signed = self._assertion(url)
            return None if signed is None else (
                {}, {**form, "client_assertion_type": _ASSERTION_TYPE, "client_assertion": signed}
            )  # fmt: skip
        if not self._secret or not usable(asked.kind, self._secret):
            return None
        if asked.client_authentication == "form":
            return {}, {**form, "client_id": asked.client_id, "client_secret": self._secret}
        pair = f"{quote_plus(asked.client_id)}:{quote_plus(self._secret)}"  # encoded first: RFC 6749, 2.3.1
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, form

    def _assertion(self, url: str) -> str | None:
        """A statement that it is us, good once, at this address, for minutes; None without a key to sign it with."""
        now = datetime.now(UTC)
        try:
            key = self._signing().chosen(self._asked.key, self._asked.algorithm, now)
        except Misconfigured:
            return None
        if key is None:
            return None
        client = self._asked.client_id
        return key.sign(
            {
                "iss": client,
                "sub": client,
                "aud": url,
                "exp": int(now.timestamp()) + _ASSERTION,
                "jti": str(uuid.uuid4()),
            }
        )


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _granted(answer: Answer, now: float) -> Token | NotSent:
    """The token in an answer that may hold anything (RFC 6749, 5.1 and 5.2)."""
    if not isinstance(answer, Answered):
        return _none(answer)
    body: Mapping[str, Any] = answer.body if isinstance(answer.body, dict) else {}
    if answer.status in (400, 401, 403) or (answer.status == 200 and body.get("error")):
        said = body.get("error")
        return NotSent("token refused", said if isinstance(said, str) and said in _WORDS else "")
    text, kind = body.get("access_token"), body.get("token_type")
    life = _life(body.get("expires_in", _USUAL))
    fits = isinstance(text, str) and _SENDABLE.fullmatch(text) and isinstance(kind, str) and kind.lower() == "bearer"
    if answer.status != 200 or not fits or life is None:
        return NotSent("no token", retry_after=answer.retry_after)
    return Token(str(text), now + life - min(_MARGIN, life / 5))


def _life(said: Any) -> float | None:
    """Seconds: a number above nothing, or its digits as some servers send them; no more than LONGEST. None: neither."""
    if isinstance(said, str) and re.fullmatch(r"[0-9]{1,10}", said):
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int | float | Decimal) or not said > 0:
        return None
    return float(min(said, LONGEST))


def _none(answer: Answer) -> NotSent:
    """Nothing of the request that needs the token was sent, whatever became of the request for it."""
    return answer if isinstance(answer, NotSent) else NotSent("no token")
