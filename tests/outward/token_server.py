"""A FHIR server that wants an access token, and the token endpoint beside it, which believes nobody.

An assertion's signature is verified with `cryptography` alone, by whatever JWK Set `jwks` gives at that moment; its
claims as SMART Backend Services say (http://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html).
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from tests.outward.memory_fhir import JSON, Handled, MemoryFhir

CLIENT = "csp adapter+1"
PASSWORD = "pässword: 100%&more"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Guarded(MemoryFhir):
    """`asked` holds each request for a token, `said` what was wrong with the last; `good` the tokens that are."""

    def __init__(self, url: Callable[[], str], jwks: Callable[[], Mapping[str, Any]] = dict) -> None:
        super().__init__()
        self.url, self.jwks = url, jwks
        self.asked: list[dict[str, str]] = []
        self.said = ""
        self.good: set[str] = set()
        self.seen: set[str] = set()
        self.expires_in: Any = 300
        self.token_endpoint: str | None = None
        self.refusal: tuple[int, dict[str, str]] = 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'}

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Handled:
        if path == ".well-known/smart-configuration":
            return 200, JSON, json.dumps({"token_endpoint": self.token_endpoint or self.url()}).encode()
        if path == "token":
            return self._token(headers, body)
        if headers.get("authorization", "").removeprefix("Bearer ") not in self.good:
            return *self.refusal, b""
        return super().handle(method, path, headers, body)

    def _token(self, headers: Mapping[str, str], body: bytes) -> Handled:
        form = {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}
        self.asked.append(form)
        try:
            assert headers["content-type"] == "application/x-www-form-urlencoded"
            assert form["grant_type"] == "client_credentials"
            self._client(headers, form)
        except (AssertionError, KeyError, ValueError, InvalidSignature) as wrong:
            self.said = repr(wrong)
            return 400, {"Content-Type": "application/json"}, b'{"error": "invalid_client"}'
        made = secrets.token_urlsafe(24)
        self.good.add(made)
        answer = {"access_token": made, "token_type": "bearer", "expires_in": self.expires_in}
        answer |= {"scope": form["scope"]} if "scope" in form else {}
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def _client(self, headers: Mapping[str, str], form: Mapping[str, str]) -> None:
        if "client_assertion" in form:
            assert form["client_assertion_type"] == _ASSERTION and form["scope"] and "client_secret" not in form
            self._verify(form["client_assertion"])
        elif "client_secret" in form:
            assert (form["client_id"], form["client_secret"]) == (CLIENT, PASSWORD)
        else:
            scheme, _, pair = headers["authorization"].partition(" ")
            name, _, word = base64.b64decode(pair).decode().partition(":")
            assert (scheme, unquote_plus(name), unquote_plus(word)) == ("Basic", CLIENT, PASSWORD)

    def _verify(self, assertion: str) -> None:
        head, claims, signature = assertion.split(".")
        header, told = json.loads(_bytes(head)), json.loads(_bytes(claims))
        key = {each["kid"]: each for each in self.jwks()["keys"]}[header["kid"]]
        assert header["typ"] == "JWT" and header["alg"] == key["alg"] and key["use"] == "sig"
        assert not set(header) - {"alg", "typ", "kid"}, "no key and no address that the header brings along"
        check(key, f"{head}.{claims}".encode(), _bytes(signature))
        assert told["iss"] == told["sub"] == CLIENT
        assert told["aud"] == self.url()
        assert time.time() < told["exp"] <= time.time() + 300
        assert told["jti"] not in self.seen, "used before"
        self.seen.add(told["jti"])


def check(key: Mapping[str, str], message: bytes, signature: bytes) -> None:
    """InvalidSignature, unless this key made it."""
    if key["alg"] == "ES384":
        assert key["crv"] == "P-384" and len(signature) == 96
        point = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), ec.SECP384R1()).public_key()
        pair = encode_dss_signature(int.from_bytes(signature[:48]), int.from_bytes(signature[48:]))
        point.verify(pair, message, ec.ECDSA(SHA384()))
    else:
        assert key["alg"] == "RS384"
        modulus = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
        modulus.verify(signature, message, padding.PKCS1v15(), SHA384())


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text))
