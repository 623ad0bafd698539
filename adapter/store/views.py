"""The views that partners may read here: how far each is the one of its case now, and what stands in it.

The resources themselves stand in a world of their own (resources.py). What an entry tells about the case (which
record, parts and topics) is sealed; types and ids are those under which the partner reads, and opaque (exchange.md,
*Identity*).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from adapter.store.database import Tx
from adapter.store.tables import cases, shares, view_resources, views

_c, _v = view_resources.c, views.c
_b = sa.bindparam

Name = tuple[str, str]
"""(type, id) of a resource that a partner may read."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One resource of a view: what of the case it tells, for which purposes and under which consents; and the version
    that the partner has been told of (0: none)."""

    urn: str
    about: str
    parts: tuple[str, ...]
    topics: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    told: int = 0


# Statements
_CHANGED = sa.or_(_v.share_id.is_(None), _v.case_version != cases.c.version, _v.until <= _b("now"))
STALE = (
    sa.select(shares.c.case_id)
    .join(cases, cases.c.id == shares.c.case_id)
    .outerjoin(views, _v.share_id == shares.c.id)
    .where(shares.c.partner == _b("of_partner"), _CHANGED)
    .order_by(shares.c.id)
    .limit(_b("limit"))
)
OF_SHARE = sa.select(view_resources).where(_c.share_id == _b("of_share"))
FORGET_ALL = sa.delete(view_resources).where(_c.share_id == _b("of_share"))
FORGET = sa.delete(views).where(_v.share_id == _b("of_share"))
ELSEWHERE = (
    sa.select(_c.type, _c.id)
    .join(shares, shares.c.id == _c.share_id)
    .where(shares.c.partner == _b("of_partner"), _c.share_id != _b("of_share"), _c.id.in_(_b("ids", expanding=True)))
)
NAMED = (
    sa.select(view_resources, shares.c.case_id)
    .join(shares, shares.c.id == _c.share_id)
    .where(shares.c.partner == _b("of_partner"), _c.id.in_(_b("ids", expanding=True)))
    .order_by(_c.share_id)
)
TELL = (
    sa.update(view_resources)
    .where(_c.share_id == _b("of_share"), _c.type == _b("of_type"), _c.id == _b("of_id"))
    .values(told=_b("version"))
)
FAULTS = (
    sa.select(shares.c.partner, _v.fault)
    .join(shares, shares.c.id == _v.share_id)
    .where(shares.c.case_id == _b("of_case"), _v.fault != "")
)


def stale(tx: Tx, partner: str, *, now: datetime, limit: int) -> list[str]:
    """The cases (their ids) whose view for this partner is not known to be the one of now, `limit` at most."""
    return list(tx.connection.scalars(STALE, {"of_partner": partner, "now": now, "limit": limit}))


def of_share(tx: Tx, share_id: int) -> dict[Name, Shown]:
    """What stands in the view of one share."""
    return {(row.type, row.id): _shown(tx, row) for row in tx.connection.execute(OF_SHARE, {"of_share": share_id})}


def keep(
    tx: Tx,
    share_id: int,
    shown: Mapping[Name, Shown],
    *,
    case_version: int,
    until: datetime | None,
    fault: str = "",
) -> None:
    """This is the view of the share now, of this version of its case, until a consent begins or ends."""
    tx.connection.execute(FORGET_ALL, {"of_share": share_id})
    tx.connection.execute(FORGET, {"of_share": share_id})
    if shown:
        tx.connection.execute(sa.insert(view_resources), [_row(tx, share_id, *each) for each in shown.items()])
    values = {"share_id": share_id, "case_version": case_version, "until": until, "fault": fault}
    tx.connection.execute(sa.insert(views), values)


def elsewhere(tx: Tx, partner: str, names: Iterable[Name], *, share_id: int) -> set[Name]:
    """Those of `names` that stand in the partner's view of other cases too."""
    wanted = set(names)
    values = {"of_partner": partner, "of_share": share_id, "ids": sorted({id_ for _, id_ in wanted})}
    return {(row.type, row.id) for row in tx.connection.execute(ELSEWHERE, values)} & wanted


def untold(tx: Tx, partner: str, read: Mapping[Name, int]) -> list[tuple[str, int, Name, Shown]]:
    """(case, share, name, what it tells) of what is `read` in a version that the partner was not told of; each case's
    own, where a resource stands in several."""
    rows = tx.connection.execute(NAMED, {"of_partner": partner, "ids": sorted({id_ for _, id_ in read})})
    return [
        (row.case_id, row.share_id, name, _shown(tx, row))
        for row in rows
        if row.told < read.get(name := (row.type, row.id), 0)
    ]


def cases_of(tx: Tx, partner: str, name: Name) -> list[str]:
    """The cases of which the partner reads this resource."""
    rows = tx.connection.execute(NAMED, {"of_partner": partner, "ids": [name[1]]})
    return [row.case_id for row in rows if row.type == name[0]]


def tell(tx: Tx, told: Sequence[tuple[int, Name, int]]) -> None:
    """The partner reads these now: (share, name, version)."""
    rows = [{"of_share": share, "of_type": n[0], "of_id": n[1], "version": version} for share, n, version in told]
    if rows:
        tx.connection.execute(TELL, rows)


def faults(tx: Tx, case_id: str) -> dict[str, str]:
    """Partner → why it is served nothing of this case, where a check stopped that."""
    return {row.partner: row.fault for row in tx.connection.execute(FAULTS, {"of_case": case_id})}


def _row(tx: Tx, share_id: int, name: Name, shown: Shown) -> dict[str, Any]:
    type_, id_ = name
    told = orjson.dumps([shown.urn, shown.about, shown.parts, shown.topics, shown.purposes, shown.consents])
    sealed = tx.seal.close(told, table="view_resources", column="sealed", row=f"{share_id}/{type_}/{id_}")
    return {"share_id": share_id, "type": type_, "id": id_, "sealed": sealed, "told": shown.told}


def _shown(tx: Tx, row: sa.Row[Any]) -> Shown:
    place = f"{row.share_id}/{row.type}/{row.id}"
    urn, about, *lists = orjson.loads(tx.seal.open(row.sealed, table="view_resources", column="sealed", row=place))
    parts, topics, purposes, consents = map(tuple, lists)
    return Shown(urn, about, parts, topics, purposes, consents, row.told)
