"""What each partner holds from us, share by share, as far as we know: never content, only its hash.

What a holding tells about the case (which record, parts and topics) is sealed, and so are the id and version that the
partner gave (it may have made them of a name or a chart number) and the hash (a short content could be guessed by it).
Our identifiers are opaque and the partner's own, and stay in clear (exchange.md, *Identity*).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from adapter.core.diff import Holding
from adapter.store.database import Tx
from adapter.store.tables import holdings, shares

_c = holdings.c
_URNS: sa.BindParameter[str] = sa.bindparam("urns", expanding=True)

_SEALED = ("id", "version", "hash")
_SINCE: tuple[Any, ...] = ("", (), ())
"""What a row has that is older than `contested`, `late` and `leaving`."""

# Statements
OF_SHARE = sa.select(holdings).where(_c.share_id == sa.bindparam("of_share")).order_by(_c.urn)
FORGET = sa.delete(holdings).where(_c.share_id == sa.bindparam("of_share"), _c.urn.in_(_URNS))
SAVED_SINCE = sa.select(sa.func.min(_c.saved_at)).where(_c.share_id == sa.bindparam("of_share"), _c.urn.in_(_URNS))
# One row for each urn that is asked for: the agency itself is held through every share of a partner. So asked that the
# index of urns leads, never that of a partner's shares.
_AT_PARTNER = sa.exists().where(shares.c.id == _c.share_id, shares.c.partner == sa.bindparam("of_partner"))
_SHARED = sa.and_(_c.urn == sa.bindparam("of_urn"), _c.state != "withdrawn", _AT_PARTNER)
LATEST = sa.select(holdings).where(_SHARED, _c.directory).order_by(_c.saved_at.desc(), _c.share_id.desc()).limit(1)
USED_ELSEWHERE = sa.select(_c.urn).where(_SHARED, _c.share_id != sa.bindparam("of_share")).limit(1)
COUNT = sa.select(sa.func.count()).select_from(holdings).where(~_c.directory, _c.state != "withdrawn")


def of_share(tx: Tx, share_id: int) -> list[Holding]:
    """Everything that is known to be held through this share, by urn."""
    return [_holding(tx, row) for row in tx.connection.execute(OF_SHARE, {"of_share": share_id})]


def saved_since(tx: Tx, share_id: int, urns: Iterable[str]) -> datetime | None:
    """Since when all of these have been kept as they are; None: none of them is."""
    found: datetime | None = tx.connection.scalar(SAVED_SINCE, {"of_share": share_id, "urns": list(urns)})
    return found


def save(tx: Tx, share_id: int, found: Iterable[Holding], *, now: datetime) -> None:
    """Keep these as they now are, each in place of what was known by its urn; the share's others stay."""
    rows = {holding.urn: _row(tx, share_id, holding, now) for holding in found}
    if rows:
        # A worker that lost its lease may write at the same moment: in one order, neither fails or waits for the other.
        statement = tx.insert_or_replace(holdings, ("share_id", "urn"))
        tx.connection.execute(statement, [rows[urn] for urn in sorted(rows)])


def forget(tx: Tx, share_id: int, urns: Iterable[str]) -> None:
    """These are no longer held."""
    if wanted := list(urns):
        tx.connection.execute(FORGET, {"of_share": share_id, "urns": wanted})


def directory(tx: Tx, partner: str, urns: Iterable[str]) -> dict[str, Holding]:
    """The directory resources of these urns that the partner holds through any share; of equals the latest saved."""
    found = {}
    for urn in urns:
        row = tx.connection.execute(LATEST, {"of_partner": partner, "of_urn": urn}).one_or_none()
        if row is not None:
            found[urn] = _holding(tx, row)
    return found


def used_elsewhere(tx: Tx, partner: str, urns: Iterable[str], *, share_id: int) -> set[str]:
    """Those of the urns that other shares of this partner hold too, and have not withdrawn."""
    values = {"of_partner": partner, "of_share": share_id}
    return {urn for urn in urns if tx.connection.scalar(USED_ELSEWHERE, values | {"of_urn": urn}) is not None}


def of_row(tx: Tx, row: sa.Row[Any]) -> Holding:
    """The holding in a row of this table, whatever statement found it."""
    return _holding(tx, row)


def count(tx: Tx) -> int:
    """How many resources partners hold that belong to one case, taken back ones left out."""
    return tx.connection.execute(COUNT).scalar_one()


def _row(tx: Tx, share_id: int, holding: Holding, now: datetime) -> dict[str, Any]:
    own = [holding.id, holding.version, holding.hash, holding.contested, holding.late, holding.leaving]
    told = orjson.dumps([holding.about, holding.parts, holding.topics, *own])
    return {
        "share_id": share_id,
        "urn": holding.urn,
        "type": holding.type,
        "system": holding.identifier[0],
        "value": holding.identifier[1],
        **dict.fromkeys(_SEALED, ""),
        "directory": holding.directory,
        "ours": holding.ours,
        "state": holding.state,
        "sealed": tx.seal.close(told, table="holdings", column="sealed", row=f"{share_id}/{holding.urn}"),
        "saved_at": now,
    }


def _holding(tx: Tx, row: sa.Row[Any]) -> Holding:
    told = tx.seal.open(row.sealed, table="holdings", column="sealed", row=f"{row.share_id}/{row.urn}")
    about, parts, topics, *rest = orjson.loads(told)
    # A row of version 0.1.0 has them in its columns, and a later one may be older than those of _SINCE.
    own: list[Any] = rest or [row.id, row.version, row.hash]
    id_, version, hash_, contested, late, leaving = (*own, *_SINCE[len(own) - 3 :])
    return Holding(
        urn=row.urn,
        type=row.type,
        identifier=(row.system, row.value),
        id=id_,
        version=version,
        hash=hash_,
        directory=row.directory,
        ours=row.ours,
        state=row.state,
        about=about,
        parts=tuple(parts),
        topics=tuple(topics),
        contested=contested,
        late=tuple(late),
        leaving=tuple(leaving),
    )
