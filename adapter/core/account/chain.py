"""One line of the account, and how the lines of a case hang together: what was sealed can be verified without us.

content_hash = SHA-256 of (32 bytes of salt, then the line as JSON: keys sorted, no spaces, UTF-8)
hash         = SHA-256 of "previous LF seq LF content_hash", hexadecimal and decimal; the `previous` of line 1 is the
               SHA-256 of "disclosures of case CHAIN", where CHAIN is the opaque name of the case's account.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

import orjson

SALT = 32  # bytes
LOOK, TOLD = "look", "told"
"""Kinds of the lines that people enter: who looked at the case; what was told outside of the adapter (rule 8)."""
CHANGES = ("attempted", "delivered", "failed", "withdrawn", "frozen")
"""Kinds of the lines about one resource at one partner: what was tried there, and what became of it."""
PURGED = "purge"
"""The kind of a line that says what has become of a request to purge: `operation` answered (by the partner), entered
(by a person, for it) or called-off; `outcome` a state of core/purge.py."""


@dataclass(frozen=True, slots=True)
class Line:
    """One disclosure: when, to whom, what for, what, how, under which consents (`consents/c1@3`), and how it ended.

    `kind`: attempted, delivered, failed, withdrawn, frozen, purge, look, told. `operation`: create, update, withdraw,
    read, …; of a line of kind told, how it was told (fax, telephone, …). A line that a person entered says besides:
    `role` and `label` of whoever entered it, `by` whom it was told, `to` whom, on which legal `basis`, when it
    `happened`, and, of an answer to a request to purge, `how` the partner gave it (telephone, mail, …).
    """

    at: datetime
    partner: str
    purpose: str
    kind: str
    request_id: str
    operation: str
    resource_type: str
    urn: str
    about: str
    parts: tuple[str, ...]
    topics: tuple[str, ...]
    consents: tuple[str, ...]
    outcome: str
    role: str = ""
    label: str = ""
    by: str = ""
    to: str = ""
    basis: str = ""
    happened: datetime | None = None
    how: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line in its place: its number in the case's account from 1 on, and its link in the chain (hexadecimal)."""

    seq: int
    line: Line
    previous: str
    hash: str


def written(line: Line) -> bytes:
    """The line in its one canonical form, its times in UTC; without the fields of entered lines that are empty."""
    values = asdict(line)
    for name in ("at", "happened"):
        values[name] = values[name].astimezone(UTC).isoformat() if values[name] else None
    plain = {name: value for name, value in values.items() if value or name not in _ENTERED}
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)


def read(content: bytes) -> Line:
    """What `written` wrote."""
    values: dict[str, Any] = orjson.loads(content)
    values |= {name: tuple(values[name]) for name in ("parts", "topics", "consents")}
    values |= {name: datetime.fromisoformat(values[name]) for name in ("at", "happened") if name in values}
    return Line(**values)


def content_hash(salt: bytes, content: bytes) -> str:
    """What the chain holds of a line: nobody can find out by guessing what the line says."""
    return hashlib.sha256(salt + content).hexdigest()


def origin(chain: str) -> str:
    """What the first line of an account follows."""
    return hashlib.sha256(b"disclosures of case " + chain.encode()).hexdigest()


def link(previous: str, seq: int, content: str) -> str:
    """A line's link: over the line before, its own number, and its content hash."""
    return hashlib.sha256(f"{previous}\n{seq}\n{content}".encode()).hexdigest()


_ENTERED = frozenset(field.name for field in fields(Line)[13:])
