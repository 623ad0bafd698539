"""The case files as the agency last put them, and what the adapter keeps about each.

A case's number is the agency's own: sealed, and found by blind index. Everything else refers to the case by an internal
random id, which stays the same when a case is deleted and put again, so that its shares can take back and give again.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from adapter.core.strict_json import canonical, dump, load
from adapter.store.database import Tx
from adapter.store.tables import cases

# Statements
BY_NUMBER = sa.select(cases).where(cases.c.number_index == sa.bindparam("index"))
# Not FOR UPDATE: disclosures refer to the case, and appending one must not wait for a save.
BY_NUMBER_LOCKED = BY_NUMBER.with_for_update(key_share=True)
BY_ID = sa.select(cases).where(cases.c.id == sa.bindparam("case_id"))
REPLACE = (
    sa.update(cases)
    .where(cases.c.id == sa.bindparam("case_id"))
    .values({name: sa.bindparam(name) for name in ("version", "sealed_body", "sealed_kept", "saved_at", "deleted")})
)
LISTED = (
    sa.select(cases)
    .where(cases.c.deleted.is_(False), cases.c.position > sa.bindparam("position"))
    .order_by(cases.c.position)
    .limit(sa.bindparam("limit"))
)
POSITION = sa.select(cases.c.position).where(cases.c.id == sa.bindparam("case_id"))
COUNT = sa.select(sa.func.count()).select_from(cases).where(cases.c.deleted.is_(False))


@dataclass(frozen=True, slots=True)
class StoredCase:
    """One case as it stands: `body` the case file ({} when deleted), `kept` what the adapter keeps about it."""

    id: str
    number: str
    version: int
    body: dict[str, Any]
    kept: dict[str, Any]
    saved_at: datetime
    deleted: bool


def get(tx: Tx, number: str) -> StoredCase | None:
    """The case of this number, deleted ones too. A transaction that writes holds it: nobody else saves it meanwhile."""
    statement = BY_NUMBER_LOCKED if tx.writes else BY_NUMBER
    row = tx.connection.execute(statement, {"index": _index(tx, number)}).one_or_none()
    return None if row is None else _case(tx, row)


def by_id(tx: Tx, case_id: str) -> StoredCase | None:
    """The case of this internal id, deleted ones too; never locks, so that who holds a share may read its case."""
    row = tx.connection.execute(BY_ID, {"case_id": case_id}).one_or_none()
    return None if row is None else _case(tx, row)


def put(tx: Tx, number: str, body: dict[str, Any], kept: dict[str, Any], *, now: datetime) -> tuple[StoredCase, bool]:
    """Save the case; (as it now stands, whether anything changed). Saving the same again changes nothing."""
    stored = get(tx, number)
    if stored is None and (created := _create(tx, number, body, kept, now)):
        return created, True
    if stored is None:  # someone else created it meanwhile
        stored = get(tx, number)
    if stored is None:
        raise LookupError("a case that another transaction created cannot be read")
    same = (
        not stored.deleted and canonical(stored.body) == canonical(body) and canonical(stored.kept) == canonical(kept)
    )
    return (stored, False) if same else (_replace(tx, stored, body, kept, deleted=False, now=now), True)


def delete(tx: Tx, number: str, kept: dict[str, Any], *, now: datetime) -> StoredCase | None:
    """Empty the case; its row stays, so that its shares can take back. None if there is none, or it is deleted."""
    stored = get(tx, number)
    if stored is None or stored.deleted:
        return None
    return _replace(tx, stored, {}, kept, deleted=True, now=now)


def listed(tx: Tx, *, after: str | None, limit: int) -> list[StoredCase]:
    """Up to `limit` cases that are not deleted, in the order first saved, behind the one with the id `after`."""
    position = 0 if after is None else tx.connection.scalar(POSITION, {"case_id": after}) or 0
    rows = tx.connection.execute(LISTED, {"position": position, "limit": limit})
    return [_case(tx, row) for row in rows]


def count(tx: Tx) -> int:
    """How many cases there are that are not deleted."""
    return tx.connection.execute(COUNT).scalar_one()


def _create(tx: Tx, number: str, body: dict[str, Any], kept: dict[str, Any], now: datetime) -> StoredCase | None:
    case_id = secrets.token_hex(16)
    values = {
        "id": case_id,
        "number_index": _index(tx, number),
        "sealed_number": _close(tx, "sealed_number", case_id, number.encode()),
        "version": 1,
        "sealed_body": _close(tx, "sealed_body", case_id, dump(body)),
        "sealed_kept": _close(tx, "sealed_kept", case_id, dump(kept)),
        "saved_at": now,
        "deleted": False,
    }
    if tx.connection.execute(tx.insert_absent(cases).returning(cases.c.id), values).one_or_none() is None:
        return None
    return StoredCase(case_id, number, 1, body, kept, now, deleted=False)


def _replace(
    tx: Tx, stored: StoredCase, body: dict[str, Any], kept: dict[str, Any], *, deleted: bool, now: datetime
) -> StoredCase:
    values = {
        "case_id": stored.id,
        "version": stored.version + 1,
        "sealed_body": _close(tx, "sealed_body", stored.id, dump(body)),
        "sealed_kept": _close(tx, "sealed_kept", stored.id, dump(kept)),
        "saved_at": now,
        "deleted": deleted,
    }
    tx.connection.execute(REPLACE, values)
    return StoredCase(stored.id, stored.number, stored.version + 1, body, kept, now, deleted)


def _case(tx: Tx, row: sa.Row[Any]) -> StoredCase:
    return StoredCase(
        id=row.id,
        number=_open(tx, "sealed_number", row.id, row.sealed_number).decode(),
        version=row.version,
        body=_value(_open(tx, "sealed_body", row.id, row.sealed_body)),
        kept=_value(_open(tx, "sealed_kept", row.id, row.sealed_kept)),
        saved_at=row.saved_at,
        deleted=row.deleted,
    )


def _index(tx: Tx, number: str) -> bytes:
    return tx.seal.index("cases.number", number)


def _value(content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = load(content)
    return found


def _close(tx: Tx, column: str, case_id: str, value: bytes) -> bytes:
    return tx.seal.close(value, table="cases", column=column, row=case_id)


def _open(tx: Tx, column: str, case_id: str, blob: bytes) -> bytes:
    return tx.seal.open(blob, table="cases", column=column, row=case_id)
