"""The keys with which the instance signs who it is, for partners that check it by our JWKS (SMART Backend Services).

Kept in one file beside the key file, as a JWK Set (RFC 7517) with the private parts, and `from`: when a key's use
begins. A key is published as soon as it is in the file, and until it is no longer, so that a partner knows the next
one before it sees it used, and the last one while it may still hold what that signed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from adapter.errors import Conflict, Misconfigured, NotFound

Algorithm = Literal["ES384", "RS384"]
"""What servers must take of SMART Backend Services (http://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html)."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PUBLIC = ("kty", "crv", "x", "y", "n", "e")
_RSA_BITS = 3072
_LEAST_RSA_BITS = 2048
_UNREADABLE = (
    "The file of signing keys cannot be read: it is a JWK Set of private keys, each with kid, alg (ES384 or RS384) and "
    "from; `adapter key new` writes it."
)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key: its name (`kid`), its algorithm, and from when on it is used where no partner file names one."""

    name: str
    algorithm: Algorithm
    begins: datetime
    private: Mapping[str, Any] = field(repr=False)

    def public(self) -> dict[str, Any]:
        """The public part, as a JWK: what is not named here never leaves."""
        shown = {member: self.private[member] for member in _PUBLIC if member in self.private}
        return {**shown, "kid": self.name, "alg": self.algorithm, "use": "sig"}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A signed JWT of these claims, its header naming this key and its algorithm."""
        header = {"alg": self.algorithm, "typ": "JWT", "kid": self.name}
        return jwt.encode(header, dict(claims), _imported(self.private), algorithms=[self.algorithm])


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """All signing keys of an instance, in the order in which they were made."""

    keys: tuple[SigningKey, ...] = ()

    @classmethod
    def parse(cls, text: str) -> SigningKeys:
        """What `text()` wrote; Misconfigured says what the form is, and never what was found."""
        try:
            found = [_read(each) for each in json.loads(text)["keys"]]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, JoseError):
            raise Misconfigured(_UNREADABLE) from None
        if len({key.name for key in found}) != len(found):
            raise Misconfigured("The file of signing keys holds two of one name (kid).")
        return cls(tuple(found))

    def text(self) -> str:
        """What to save in a file that only the instance may read."""
        kept = [
            {**k.private, "kid": k.name, "alg": k.algorithm, "use": "sig", "from": k.begins.isoformat()}
            for k in self.keys
        ]
        return json.dumps({"keys": kept}, indent=1) + "\n"

    def public(self) -> dict[str, Any]:
        """The JWK Set that partners read: public parts only."""
        return {"keys": [key.public() for key in self.keys]}

    def chosen(self, name: str, algorithm: str, now: datetime) -> SigningKey | None:
        """The key of that name; without a name the one of this algorithm whose use began last, or else begins first."""
        fitting = [k for k in self.keys if k.algorithm == algorithm and name in ("", k.name)]
        if begun := [k for k in fitting if k.begins <= now]:
            return max(begun, key=lambda k: k.begins)
        return min(fitting, key=lambda k: k.begins, default=None)

    def with_new(self, name: str, algorithm: Algorithm, begins: datetime) -> SigningKeys:
        """These and a new random one. Conflict: there is one of that name."""
        if name in {key.name for key in self.keys}:
            raise Conflict("There is a signing key of this name already.")
        made = ECKey.generate_key("P-384") if algorithm == "ES384" else RSAKey.generate_key(_RSA_BITS)
        return SigningKeys((*self.keys, SigningKey(name, algorithm, begins, made.as_dict(private=True))))

    def without(self, name: str) -> SigningKeys:
        """These without that one. NotFound: there is none of that name."""
        if name not in {key.name for key in self.keys}:
            raise NotFound("There is no signing key of this name.")
        return SigningKeys(tuple(key for key in self.keys if key.name != name))


def _read(found: dict[str, Any]) -> SigningKey:
    name, algorithm, begins = found["kid"], found["alg"], datetime.fromisoformat(found["from"])
    private = {member: value for member, value in found.items() if member not in ("kid", "alg", "use", "from")}
    key = _imported(private)
    fits = (algorithm, private.get("crv")) == ("ES384", "P-384") if isinstance(key, ECKey) else algorithm == "RS384"
    if not fits or not key.is_private or not NAME.fullmatch(name) or begins.tzinfo is None:
        raise ValueError("not one of ours")
    if isinstance(key, RSAKey) and key.public_key.key_size < _LEAST_RSA_BITS:
        raise ValueError("too short")
    return SigningKey(name, cast(Algorithm, algorithm), begins, private)


def _imported(private: Mapping[str, Any]) -> ECKey | RSAKey:
    kind = ECKey if private["kty"] == "EC" else RSAKey
    return kind.import_key(dict(private))
