"""Keeps what stands in the database unreadable without the instance's keys, and unmovable from its place.

Sealed values are envelopes: a random data key per value encrypts it with AES-256-GCM, and is itself wrapped with the
instance's current key (RFC 3394, which needs no nonce, so that no number of values wears a key out). Table, column and
row are bound in, so that a value copied to another place does not open. Look-ups go by a blind index: HMAC-SHA256 under
a key of its own (design.md section 6, *at rest*).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapter.errors import Misconfigured

_KEY, _ID, _NONCE, _TAG = 32, 8, 12, 16  # bytes
_FORM = b"\x01"
_WRAPPED = _KEY + 8  # RFC 3394 adds 8 bytes of integrity
_HEAD = len(_FORM) + _ID + _WRAPPED + _NONCE

_HEADING = """\
# The keys of this instance. Who has this file and the database can read everything; without it nobody can.
# `root` never changes: identifiers that partners hold, and look-ups, come from it. The first `key` seals what is
# written from now on; the others only open what was sealed with them earlier.
"""
_UNREADABLE = (
    "The key file cannot be read: it needs one line `root SECRET` and at least one line `key ID SECRET`, "
    "each secret 32 bytes in base64url, each id 16 hexadecimal digits and used once."
)


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of one instance: a root that everything stable derives from, and keys (id, secret), current first."""

    root: bytes = field(repr=False)
    sealing: tuple[tuple[bytes, bytes], ...] = field(repr=False)

    @classmethod
    def generate(cls) -> Keys:
        """New random keys, for a new instance."""
        return cls(root=secrets.token_bytes(_KEY), sealing=((secrets.token_bytes(_ID), secrets.token_bytes(_KEY)),))

    @classmethod
    def parse(cls, text: str) -> Keys:
        """Read what `text()` wrote; Misconfigured says what the form is and never what was found."""
        root: bytes | None = None
        sealing: dict[bytes, bytes] = {}
        for line in text.splitlines():
            match line.split():
                case []:
                    continue
                case [first, *_] if first.startswith("#"):
                    continue
                case ["root", secret] if root is None:
                    root = _secret(secret)
                case ["key", name, secret] if (key_id := _key_id(name)) not in sealing:
                    sealing[key_id] = _secret(secret)
                case _:
                    raise Misconfigured(_UNREADABLE)
        if root is None or not sealing:
            raise Misconfigured(_UNREADABLE)
        return cls(root=root, sealing=tuple(sealing.items()))

    def text(self) -> str:
        """What to save in a file that only the instance may read."""
        lines = [f"root {_base64(self.root)}"]
        lines += [f"key {key_id.hex()} {_base64(secret)}" for key_id, secret in self.sealing]
        return _HEADING + "\n".join(lines) + "\n"

    def rotated(self) -> Keys:
        """The same keys behind a new current one; what was sealed before still opens, identifiers stay."""
        return Keys(self.root, ((secrets.token_bytes(_ID), secrets.token_bytes(_KEY)), *self.sealing))

    def derive(self, label: str) -> bytes:
        """A 32-byte secret for one use (HKDF-SHA256 of the root, RFC 5869): the same as long as the root is."""
        info = b"csp-fhir-adapter/1/" + label.encode()
        return HKDF(algorithm=hashes.SHA256(), length=_KEY, salt=None, info=info).derive(self.root)


class Seal:
    """Closes and opens sealed values, and computes blind indexes, with one instance's keys."""

    def __init__(self, keys: Keys) -> None:
        self._current = keys.sealing[0][0]
        self._wrapping = dict(keys.sealing)
        self._index = keys.derive("index")
        self._chain = keys.derive("chain")
        self._signing = Ed25519PrivateKey.from_private_bytes(keys.derive("signing"))

    def close(self, value: bytes, *, table: str, column: str, row: str) -> bytes:
        """Seal `value` for this place: form | key id | wrapped data key | nonce | ciphertext and tag."""
        place = _joined(self._current, table.encode(), column.encode(), row.encode())
        data_key, nonce = secrets.token_bytes(_KEY), secrets.token_bytes(_NONCE)
        wrapped = aes_key_wrap(self._wrapping[self._current], data_key)
        return _FORM + self._current + wrapped + nonce + AESGCM(data_key).encrypt(nonce, value, place)

    def open(self, blob: bytes, *, table: str, column: str, row: str) -> bytes:
        """What was sealed for this place. Misconfigured where the key is missing, or the value was moved or changed."""
        if len(blob) < _HEAD + _TAG or blob[:1] != _FORM:
            raise Misconfigured(f"A value in {table}.{column} is not a sealed value of this version.")
        key_id, wrapped, nonce = _cut(blob, len(_FORM), _ID, _WRAPPED, _NONCE)
        if (wrapping := self._wrapping.get(key_id)) is None:
            raise Misconfigured(f"A value in {table}.{column} was sealed with a key that the key file does not hold.")
        place = _joined(key_id, table.encode(), column.encode(), row.encode())
        try:
            return AESGCM(aes_key_unwrap(wrapping, wrapped)).decrypt(nonce, blob[_HEAD:], place)
        except (InvalidTag, InvalidUnwrap):
            raise Misconfigured(
                f"A value in {table}.{column} does not open: it was sealed with other keys, changed, or moved."
            ) from None

    def index(self, label: str, value: str) -> bytes:
        """32 bytes by which equal values under one label are found, and which tell nothing without the keys."""
        return _hmac(self._index, label.encode(), value.encode())

    def witness(self, *parts: str) -> bytes:
        """32 bytes that only a holder of the keys can make for these parts."""
        return _hmac(self._chain, *(part.encode() for part in parts))

    def sign(self, message: bytes) -> bytes:
        """64 bytes (Ed25519, RFC 8032) that anyone can verify with `public_key()`: the same as long as the root is."""
        return self._signing.sign(message)

    def public_key(self) -> bytes:
        """The key with which others verify what `sign` made, in PEM (SubjectPublicKeyInfo). No secret."""
        return self._signing.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _joined(*parts: bytes) -> bytes:
    """One string of bytes that no other list of parts gives: each part behind its length."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _hmac(key: bytes, *parts: bytes) -> bytes:
    return hmac.new(key, _joined(*parts), hashlib.sha256).digest()


def _cut(blob: bytes, start: int, *sizes: int) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(blob[start : start + size])
        start += size
    return pieces


def _base64(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).decode()


def _secret(text: str) -> bytes:
    try:
        secret = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Misconfigured(_UNREADABLE) from None
    if len(secret) != _KEY:
        raise Misconfigured(_UNREADABLE)
    return secret


def _key_id(text: str) -> bytes:
    try:
        key_id = bytes.fromhex(text)
    except ValueError:
        raise Misconfigured(_UNREADABLE) from None
    if len(key_id) != _ID:
        raise Misconfigured(_UNREADABLE)
    return key_id
