"""What has become of each request to purge: one row for each share through which a partner was asked.

The names are our identifiers, opaque and the partner's own; what it answered is sealed. `open` tells no more than that
an answer may still come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import orjson
import sqlalchemy as sa

from adapter.core import purge as purges_of
from adapter.core.diff import Holding
from adapter.core.purge import WAITS, Purge
from adapter.store.database import Tx
from adapter.store.tables import Instant, cases, holdings, purges, shares

_c, _h = purges.c, holdings.c
_b = sa.bindparam

# Statements
ROWS = sa.select(purges, shares.c.case_id, shares.c.partner).join(shares, shares.c.id == _c.share_id)
OF_SHARE = ROWS.where(_c.share_id == _b("of_share"))
OF_SHARE_LOCKED = OF_SHARE.with_for_update(of=purges)
OF_CASE = ROWS.where(shares.c.case_id == _b("of_case")).order_by(shares.c.partner)
NAMED = ROWS.where(
    _c.system == _b("of_system"), _c.value == _b("of_value"), shares.c.partner == _b("of_partner")
)  # fmt: skip
# What a partner still holds and may answer; a Task that is there no more is asked for no more.
ASKED = (
    ROWS.join(holdings, sa.and_(_h.share_id == _c.share_id, _h.urn == _c.urn))
    .where(_c.open, _c.asked_at > _b("later_than", type_=Instant), shares.c.partner == _b("of_partner"))
    .where(_h.state == "active")
    .order_by(_c.share_id)
)
UNANSWERED = (
    ROWS.where(_c.open, _c.asked_at <= _b("until", type_=Instant)).order_by(_c.asked_at, _c.share_id).limit(_b("limit"))
)
OF_DELETED = (
    sa.select(shares.c.case_id)
    .join(purges, _c.share_id == shares.c.id)
    .join(cases, sa.and_(cases.c.id == shares.c.case_id, cases.c.deleted))
    .where(_c.open)
    .order_by(_c.share_id)
    .limit(_b("limit"))
)
UPDATE = (
    sa.update(purges)
    .where(_c.share_id == _b("of_share"))
    .values(open=_b("is_open"), asked_at=_b("asked", type_=Instant), sealed=_b("closed"), updated_at=_b("now"))
)


@dataclass(frozen=True, slots=True)
class Requested:
    """One request, and at whom: `identifier` is the Task's, `asked_at` when the request as it stands arrived there."""

    share_id: int
    case_id: str
    partner: str
    urn: str
    identifier: tuple[str, str]
    asked_at: datetime
    purge: Purge


def of_share(tx: Tx, share_id: int) -> Requested | None:
    """The request that was sent through this share. A transaction that writes holds it: each answer is heard once."""
    statement = OF_SHARE_LOCKED if tx.writes else OF_SHARE
    row = tx.connection.execute(statement, {"of_share": share_id}).one_or_none()
    return None if row is None else _requested(tx, row)


def of_case(tx: Tx, case_id: str) -> dict[str, Requested]:
    """What partners were asked about this case, by partner."""
    rows = tx.connection.execute(OF_CASE, {"of_case": case_id})
    return {row.partner: _requested(tx, row) for row in rows}


def named(tx: Tx, partner: str, identifier: tuple[str, str]) -> Requested | None:
    """The request that was sent to this partner under our identifier."""
    values = {"of_partner": partner, "of_system": identifier[0], "of_value": identifier[1]}
    row = tx.connection.execute(NAMED, values).first()
    return None if row is None else _requested(tx, row)


def asked(tx: Tx, partner: str, *, later_than: datetime) -> list[Requested]:
    """The requests that this partner holds, was sent after this moment, and may still answer."""
    rows = tx.connection.execute(ASKED, {"of_partner": partner, "later_than": later_than})
    return [_requested(tx, row) for row in rows]


def unanswered(tx: Tx, *, until: datetime, limit: int) -> list[Requested]:
    """The requests that were sent up to this moment, and to which an answer may still come; the oldest first."""
    rows = tx.connection.execute(UNANSWERED, {"until": until, "limit": limit})
    return [_requested(tx, row) for row in rows]


def of_deleted(tx: Tx, *, limit: int) -> list[str]:
    """The internal ids of deleted cases of which a request waits for an answer."""
    return list(tx.connection.scalars(OF_DELETED, {"limit": limit}))


def begin(tx: Tx, share_id: int, task: Holding, purge: Purge, *, now: datetime) -> None:
    """Keep a request that has arrived for the first time."""
    values = {
        "share_id": share_id,
        "urn": task.urn,
        "system": task.identifier[0],
        "value": task.identifier[1],
        "open": purge.state in WAITS,
        "asked_at": now,
        "sealed": _sealed(tx, task.urn, purge),
        "updated_at": now,
    }
    tx.connection.execute(sa.insert(purges), values)


def save(tx: Tx, before: Requested, purge: Purge, *, asked_at: datetime, now: datetime) -> None:
    """Keep what has become of it."""
    values = {"of_share": before.share_id, "is_open": purge.state in WAITS, "asked": asked_at}
    tx.connection.execute(UPDATE, {**values, "closed": _sealed(tx, before.urn, purge), "now": now})


def _sealed(tx: Tx, urn: str, purge: Purge) -> bytes:
    return tx.seal.close(orjson.dumps(purges_of.written(purge)), table="purges", column="sealed", row=urn)


def _requested(tx: Tx, row: sa.Row[tuple[object, ...]]) -> Requested:
    told = orjson.loads(tx.seal.open(row.sealed, table="purges", column="sealed", row=row.urn))
    return Requested(
        row.share_id, row.case_id, row.partner, row.urn, (row.system, row.value), row.asked_at, purges_of.read(told)
    )
