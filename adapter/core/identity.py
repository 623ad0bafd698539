"""The opaque names under which a partner knows what we send: one urn and one business identifier for each resource.

Both are keyed hashes of (partner, key): stable, so that the same resource keeps its name; different at each partner, so
that two partners cannot compare; and silent about the record (exchange.md, *Identity*).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

DIRECTORY = ""
"""The `case` of a directory resource: it belongs to no case. A case number is never empty (records schema)."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a resource stands for: its case, the path of ids in it, its FHIR type; a slot where one path has several."""

    case: str
    path: str
    type: str
    slot: str = ""


def directory_key(
    type_: str, *, identifiers: Sequence[tuple[str, str]] = (), name: str, sectors: Sequence[str] = (), slot: str = ""
) -> Key:
    """The key of an Organization, Practitioner or PractitionerRole, shared among the cases of a partner.

    A real identifier (system, value) decides where there is one: the first in sorted order, so that the order in the
    record does not matter. Else the name and the sectors, both normalised: the same school written twice is one school.
    """
    if identifiers:
        system, value = min(identifiers)
        fact = ["identifier", system, value]
    else:
        fact = ["name", normalised(name), *sorted(set(sectors))]
    return Key(DIRECTORY, json.dumps(fact, ensure_ascii=False), type_, slot)


def normalised(name: str) -> str:
    """A name without its accidents: case, compatibility forms (NFKC), punctuation and runs of white space."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


@dataclass(frozen=True, slots=True)
class Identity:
    """One partner's names for our resources. `secret` is the instance's, at least 16 bytes; `system` the partner's own
    identifier system (a URI)."""

    secret: bytes = field(repr=False)
    partner: str
    system: str

    def __post_init__(self) -> None:
        if len(self.secret) < 16:
            raise ValueError("the identity secret needs at least 16 bytes")

    def urn(self, key: Key) -> str:
        """`urn:uuid:…` of this resource: 122 bits of the hash in the shape that every UUID parser accepts."""
        return f"urn:uuid:{UUID(bytes=self._hash('urn', key)[:16], version=4)}"

    def identifier(self, key: Key) -> tuple[str, str]:
        """(system, value) of this resource's business identifier. Its hash has a label of its own: neither the urn nor
        the identifier can be computed from the other."""
        return self.system, self._hash("identifier", key)[:16].hex()

    def _hash(self, label: str, key: Key) -> bytes:
        # A JSON array keeps the fields apart: no two different keys can read the same.
        message = json.dumps([label, self.partner, key.case, key.path, key.type, key.slot], ensure_ascii=False)
        return hmac.new(self.secret, message.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
