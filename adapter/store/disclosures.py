"""The account of what left, changed or was withdrawn, and of who looked: append-only, one hash chain per case.

No statement here changes or deletes a line, and the database refuses those of others (consent.md, *Accounting*). A line
is sealed whole, with a random salt; the chain runs over hashes of salted content, so that it can be verified and
exported without telling anything, and survives new keys. The last line of each chain is witnessed with the keys, so
that cutting off a tail shows; against someone who holds the keys, the heads exported each day do that.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa

from adapter.errors import Misconfigured
from adapter.store.database import Tx
from adapter.store.tables import chains, disclosures

_c = disclosures.c
_CASE: sa.BindParameter[str] = sa.bindparam("of_case")

# Statements
APPEND = sa.insert(disclosures)
OF_CASE = sa.select(disclosures).where(_c.case_id == _CASE, _c.seq > sa.bindparam("after")).order_by(_c.seq)
HEADS = sa.select(chains.c.case_id, chains.c.seq, chains.c.hash).order_by(chains.c.case_id)
HEAD = sa.select(chains).where(chains.c.case_id == _CASE)
HEAD_LOCKED = HEAD.with_for_update()
ADVANCE = (
    sa.update(chains)
    .where(chains.c.case_id == _CASE)
    .values(seq=sa.bindparam("last"), hash=sa.bindparam("head"), witness=sa.bindparam("seen"))
)


@dataclass(frozen=True, slots=True)
class Line:
    """One disclosure: when, to whom, what for, what, how, under which consents (`consents/c1@3`), and how it ended.

    `kind`: attempted, delivered, failed, withdrawn, frozen, look, … `operation`: create, update, withdraw, read, …
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


@dataclass(frozen=True, slots=True)
class Entry:
    """A line in its place: its number in the case's account from 1 on, and its link in the chain (hexadecimal)."""

    seq: int
    line: Line
    previous: str
    hash: str


def append(tx: Tx, case_id: str, lines: Sequence[Line]) -> None:
    """Add the lines to the case's account, in this order."""
    if not lines:
        return
    seq, previous = _head(tx, case_id)
    rows = []
    for line in lines:
        seq += 1
        content = secrets.token_bytes(32) + _written(line)
        digest = hashlib.sha256(content).hexdigest()
        link = _link(previous, seq, digest)
        rows.append(
            {
                "case_id": case_id,
                "seq": seq,
                "at": line.at,
                "partner": line.partner,
                "kind": line.kind,
                "sealed": tx.seal.close(content, table="disclosures", column="sealed", row=f"{case_id}/{seq}"),
                "content_hash": digest,
                "previous": previous,
                "hash": link,
            }
        )
        previous = link
    tx.connection.execute(APPEND, rows)
    seen = _witness(tx, case_id, seq, previous)
    tx.connection.execute(ADVANCE, {"of_case": case_id, "last": seq, "head": previous, "seen": seen})


def of_case(tx: Tx, case_id: str, *, after: int = 0, limit: int | None = None) -> list[Entry]:
    """The case's account, or up to `limit` lines of it behind number `after`. Misconfigured: a line does not open."""
    rows = tx.connection.execute(OF_CASE.limit(limit), {"of_case": case_id, "after": after})
    return [Entry(row.seq, _read(_content(tx, row)), row.previous, row.hash) for row in rows]


def verify(tx: Tx, case_id: str) -> list[str]:
    """What is wrong with the case's account, in sentences; empty if every line is there, in order and unchanged."""
    wrong = []
    previous, expected = _origin(case_id), 1
    for row in tx.connection.execute(OF_CASE, {"of_case": case_id, "after": 0}):
        if row.seq != expected:
            wrong.append(f"Lines {expected} to {row.seq - 1} are missing.")
        if row.previous != previous:
            wrong.append(f"Line {row.seq} does not follow the line before it.")
        if row.hash != _link(row.previous, row.seq, row.content_hash):
            wrong.append(f"Line {row.seq} has a link that is not its own.")
        if fault := _fault(tx, row):
            wrong.append(fault)
        previous, expected = row.hash, row.seq + 1
    return wrong + _head_faults(tx, case_id, expected - 1, previous)


def heads(tx: Tx) -> dict[str, tuple[int, str]]:
    """The last line of every case's account (number, hash): what is signed and exported daily."""
    return {row.case_id: (row.seq, row.hash) for row in tx.connection.execute(HEADS)}


def _head(tx: Tx, case_id: str) -> tuple[int, str]:
    """Where the next line goes; nobody else can append to the case until the end of the transaction."""
    origin = _origin(case_id)
    first = {"case_id": case_id, "seq": 0, "hash": origin, "witness": _witness(tx, case_id, 0, origin)}
    tx.connection.execute(tx.insert_absent(chains), first)
    row = tx.connection.execute(HEAD_LOCKED, {"of_case": case_id}).one()
    return row.seq, row.hash


def _head_faults(tx: Tx, case_id: str, seq: int, link: str) -> list[str]:
    head = tx.connection.execute(HEAD, {"of_case": case_id}).one_or_none()
    if head is None:
        return [] if seq == 0 else ["The record of the last line is missing."]
    if head.witness != _witness(tx, case_id, head.seq, head.hash):
        return ["The record of the last line was not written by this adapter."]
    if (head.seq, head.hash) != (seq, link):
        return [f"The account ends at line {seq}, but line {head.seq} was the last one written."]
    return []


def _fault(tx: Tx, row: sa.Row[Any]) -> str:
    try:
        content = _content(tx, row)
    except Misconfigured:
        return f"Line {row.seq} does not open: it was changed, moved, or sealed with other keys."
    if hashlib.sha256(content).hexdigest() != row.content_hash:
        return f"Line {row.seq} is not the one that the chain holds."
    line = _read(content)
    if (line.at, line.partner, line.kind) != (row.at, row.partner, row.kind):
        return f"Line {row.seq} says something else in clear than under seal."
    return ""


def _content(tx: Tx, row: sa.Row[Any]) -> bytes:
    return tx.seal.open(row.sealed, table="disclosures", column="sealed", row=f"{row.case_id}/{row.seq}")


def _written(line: Line) -> bytes:
    """The line in its one canonical form: JSON with sorted keys, its time in UTC."""
    values = asdict(line) | {"at": line.at.astimezone(UTC).isoformat()}
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)


def _read(content: bytes) -> Line:
    values = orjson.loads(content[32:])
    lists = {name: tuple(values[name]) for name in ("parts", "topics", "consents")}
    return Line(**{**values, **lists, "at": datetime.fromisoformat(values["at"])})


def _origin(case_id: str) -> str:
    return hashlib.sha256(b"disclosures of case " + case_id.encode()).hexdigest()


def _link(previous: str, seq: int, content_hash: str) -> str:
    return hashlib.sha256(f"{previous}\n{seq}\n{content_hash}".encode()).hexdigest()


def _witness(tx: Tx, case_id: str, seq: int, link: str) -> bytes:
    return tx.seal.witness(case_id, str(seq), link)
