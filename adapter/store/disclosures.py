"""The account of what left, changed or was withdrawn, and of who looked: append-only, one hash chain per case.

No statement here changes or deletes a line, and the database refuses those of others (consent.md, *Accounting*). A line
is sealed whole, with a random salt; the chain runs over hashes of salted content, so that it can be verified and
exported without telling anything, and survives new keys. The last line of each chain is witnessed with the keys, so
that cutting off a tail shows; against someone who holds the keys, the heads exported each day do that.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from adapter.core.account import chain
from adapter.core.account.chain import CHANGES, SALT, Entry, Line
from adapter.errors import Misconfigured
from adapter.store.database import Tx
from adapter.store.tables import Instant, chains, disclosures

_c = disclosures.c
_CASE: sa.BindParameter[str] = sa.bindparam("of_case")

__all__ = [
    "Entry",
    "Line",
    "Link",
    "accounts",
    "append",
    "changes_since",
    "hashes",
    "heads",
    "links",
    "of_case",
    "verify",
]

# Statements
APPEND = sa.insert(disclosures)
OF_CASE = sa.select(disclosures).where(_c.case_id == _CASE, _c.seq > sa.bindparam("after")).order_by(_c.seq)
# Without an order of theirs, so that the index of a partner's latest lines is what finds them.
CHANGES_SINCE = sa.select(disclosures).where(
    _c.case_id == _CASE,
    _c.partner == sa.bindparam("of_partner"),
    _c.at >= sa.bindparam("since", type_=Instant),
    _c.kind.in_(CHANGES),
)
LINKS_AT = sa.select(_c.seq, _c.hash).where(_c.case_id == _CASE, _c.seq.in_(sa.bindparam("seqs", expanding=True)))
ACCOUNTS = sa.union(sa.select(_c.case_id), sa.select(chains.c.case_id)).order_by("case_id")
HEADS = sa.select(chains.c.case_id, chains.c.seq, chains.c.hash).order_by(chains.c.case_id)
HEAD = sa.select(chains).where(chains.c.case_id == _CASE)
HEAD_LOCKED = HEAD.with_for_update()
ADVANCE = (
    sa.update(chains)
    .where(chains.c.case_id == _CASE)
    .values(seq=sa.bindparam("last"), hash=sa.bindparam("head"), witness=sa.bindparam("seen"))
)


MOST_NUMBERS = 500
"""Numbers that are asked for at once: databases bound how many values a statement may have."""


@dataclass(frozen=True, slots=True)
class Link:
    """A line as the chain holds it: with the salt and the bytes that its content hash is made of."""

    seq: int
    previous: str
    hash: str
    salt: bytes
    content: bytes


def append(tx: Tx, case_id: str, lines: Sequence[Line]) -> int:
    """Add the lines to the case's account, in this order. The number of the last of them; 0 if there are none."""
    if not lines:
        return 0
    seq, previous = _head(tx, case_id)
    rows = []
    for line in lines:
        seq += 1
        salt, written = secrets.token_bytes(SALT), chain.written(line)
        digest = chain.content_hash(salt, written)
        link = chain.link(previous, seq, digest)
        rows.append(
            {
                "case_id": case_id,
                "seq": seq,
                "at": line.at,
                "partner": line.partner,
                "kind": line.kind,
                "sealed": tx.seal.close(salt + written, table="disclosures", column="sealed", row=f"{case_id}/{seq}"),
                "content_hash": digest,
                "previous": previous,
                "hash": link,
            }
        )
        previous = link
    tx.connection.execute(APPEND, rows)
    seen = _witness(tx, case_id, seq, previous)
    tx.connection.execute(ADVANCE, {"of_case": case_id, "last": seq, "head": previous, "seen": seen})
    return seq


def of_case(tx: Tx, case_id: str, *, after: int = 0, limit: int | None = None) -> list[Entry]:
    """The case's account, or up to `limit` lines of it behind number `after`. Misconfigured: a line does not open."""
    rows = tx.connection.execute(OF_CASE.limit(limit), {"of_case": case_id, "after": after})
    return [Entry(row.seq, chain.read(_content(tx, row)[SALT:]), row.previous, row.hash) for row in rows]


def changes_since(tx: Tx, case_id: str, partner: str, since: datetime) -> list[Line]:
    """What was tried at this partner, and what became of it, from that moment on; earlier lines are not opened."""
    found = tx.connection.execute(CHANGES_SINCE, {"of_case": case_id, "of_partner": partner, "since": since})
    return [chain.read(_content(tx, row)[SALT:]) for row in sorted(found, key=lambda row: row.seq)]


def verify(tx: Tx, case_id: str) -> list[str]:
    """What is wrong with the case's account, in sentences; empty if every line is there, in order and unchanged."""
    wrong = []
    previous, expected = chain.origin(case_id), 1
    for row in tx.connection.execute(OF_CASE, {"of_case": case_id, "after": 0}):
        if row.seq != expected:
            wrong.append(f"Lines {expected} to {row.seq - 1} are missing.")
        if row.previous != previous:
            wrong.append(f"Line {row.seq} does not follow the line before it.")
        if row.hash != chain.link(row.previous, row.seq, row.content_hash):
            wrong.append(f"Line {row.seq} has a link that is not its own.")
        if fault := _fault(tx, row):
            wrong.append(fault)
        previous, expected = row.hash, row.seq + 1
    return wrong + _head_faults(tx, case_id, expected - 1, previous)


def links(tx: Tx, case_id: str) -> Iterator[Link]:
    """Every line of the case's account as the chain holds it, one after the other. Misconfigured: one does not open."""
    for row in tx.connection.execute(OF_CASE, {"of_case": case_id, "after": 0}):
        content = _content(tx, row)
        yield Link(row.seq, row.previous, row.hash, content[:SALT], content[SALT:])


def hashes(tx: Tx, case_id: str, seqs: Collection[int]) -> Mapping[int, str]:
    """The links at these numbers of the case's account; a number that is not there is left out."""
    found: dict[int, str] = {0: chain.origin(case_id)} if 0 in seqs else {}
    wanted = sorted(seqs)
    for start in range(0, len(wanted), MOST_NUMBERS):
        values = {"of_case": case_id, "seqs": wanted[start : start + MOST_NUMBERS]}
        found |= {row.seq: row.hash for row in tx.connection.execute(LINKS_AT, values)}
    return found


def accounts(tx: Tx) -> list[str]:
    """The internal ids of all cases that have, or had, lines in the account."""
    return list(tx.connection.scalars(ACCOUNTS))


def heads(tx: Tx) -> dict[str, tuple[int, str]]:
    """The last line of every case's account (number, hash): what is signed and exported daily."""
    return {row.case_id: (row.seq, row.hash) for row in tx.connection.execute(HEADS)}


def _head(tx: Tx, case_id: str) -> tuple[int, str]:
    """Where the next line goes; nobody else can append to the case until the end of the transaction."""
    origin = chain.origin(case_id)
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
    if chain.content_hash(content[:SALT], content[SALT:]) != row.content_hash:
        return f"Line {row.seq} is not the one that the chain holds."
    line = chain.read(content[SALT:])
    if (line.at, line.partner, line.kind) != (row.at, row.partner, row.kind):
        return f"Line {row.seq} says something else in clear than under seal."
    return ""


def _content(tx: Tx, row: sa.Row[Any]) -> bytes:
    return tx.seal.open(row.sealed, table="disclosures", column="sealed", row=f"{row.case_id}/{row.seq}")


def _witness(tx: Tx, case_id: str, seq: int, link: str) -> bytes:
    return tx.seal.witness(case_id, str(seq), link)
