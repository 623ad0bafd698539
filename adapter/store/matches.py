"""The children whom a person must find, or has found, among a partner's patients: opaque ids and scores, sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import orjson
import sqlalchemy as sa

from adapter.core.matching import Candidate
from adapter.store.database import Tx
from adapter.store.tables import matches, shares

State = Literal["waiting", "accepted", "create"]
_c = matches.c

# Statements
OF_SHARE = sa.select(matches).where(_c.share_id == sa.bindparam("of_share"))
FORGET = sa.delete(matches).where(_c.share_id == sa.bindparam("of_share"))
WAITING = (
    sa.select(matches, shares.c.case_id, shares.c.partner)
    .join(shares, shares.c.id == _c.share_id)
    .where(_c.state == "waiting", _c.share_id > sa.bindparam("after"))
    .order_by(_c.share_id)
    .limit(sa.bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class Match:
    """What is known of one share's child at its partner. `accepted`: the one candidate is who a person has named;
    `create`: a person has said that it is nobody there."""

    share_id: int
    state: State
    candidates: tuple[Candidate, ...]
    saved_at: datetime


def of_share(tx: Tx, share_id: int) -> Match | None:
    """What is known of this share's child; None: nothing has had to be asked."""
    row = tx.connection.execute(OF_SHARE, {"of_share": share_id}).one_or_none()
    return None if row is None else _match(tx, row)


def save(tx: Tx, share_id: int, state: State, candidates: Sequence[Candidate], *, now: datetime) -> None:
    """Keep this in place of what was known."""
    told = orjson.dumps([[each.id, each.score] for each in candidates])
    sealed = tx.seal.close(told, table="matches", column="sealed", row=str(share_id))
    tx.put(matches, {"share_id": share_id}, {"state": state, "sealed": sealed, "saved_at": now})


def forget(tx: Tx, share_id: int) -> None:
    """Nobody waits any more."""
    tx.connection.execute(FORGET, {"of_share": share_id})


def waiting(tx: Tx, *, after: int = 0, limit: int = 100) -> list[tuple[Match, str, str]]:
    """(match, internal id of the case, partner) of up to `limit` that wait, behind the share `after`."""
    rows = tx.connection.execute(WAITING, {"after": after, "limit": limit})
    return [(_match(tx, row), row.case_id, row.partner) for row in rows]


def _match(tx: Tx, row: sa.Row[tuple[object, ...]]) -> Match:
    told = tx.seal.open(row.sealed, table="matches", column="sealed", row=str(row.share_id))
    candidates = tuple(Candidate(id_, score) for id_, score in orjson.loads(told))
    return Match(row.share_id, row.state, candidates, row.saved_at)
