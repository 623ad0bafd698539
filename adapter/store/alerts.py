"""What people are still to be told of: one row for each way, kind and partner, so that a hundred shares are one alert.

What happens while an alert is on its way, or soon after one was told, waits for the next; nothing is lost with a
process that dies, for a claim only puts off the time at which telling is tried again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from adapter.core.alert import MOST_SHARES, Alert, Kind
from adapter.store.database import Tx
from adapter.store.tables import Instant, alerts

_c = alerts.c
_ROW = sa.and_(_c.way == sa.bindparam("by_way"), _c.kind == sa.bindparam("of_kind"), _c.partner == sa.bindparam("of"))
_NOW = sa.bindparam("now", type_=Instant)

# Statements
LOCKED = sa.select(alerts).where(_ROW).with_for_update()
CHANGE = sa.update(alerts).where(_ROW)
ANY = sa.select(_c.kind).where(_c.due <= _NOW).limit(1)
NEXT = (
    sa.select(_c.way, _c.kind, _c.partner)
    .where(_c.due <= _NOW)
    .order_by(_c.due)
    .limit(1)
    .with_for_update(skip_locked=True)
)


@dataclass(frozen=True, slots=True)
class Due:
    """An alert to be told now, by which way, and how often that has been tried."""

    way: str
    alert: Alert
    attempts: int


def note(
    tx: Tx,
    ways: Iterable[str],
    kind: Kind,
    partner: str,
    *,
    share: int | None,
    outcome: str,
    now: datetime,
    every: timedelta,
) -> None:
    """Something happened: it is told at once, or `every` after the last alert of its kind at this partner."""
    for way in ways:
        key = {"way": way, "kind": kind, "partner": partner}
        tx.connection.execute(tx.insert_absent(alerts), key | _NOTHING)
        row = _locked(tx, way, kind, partner)
        shares = [*row.shares, share] if share is not None and share not in row.shares else row.shares
        soonest = now if row.told_at is None else max(now, row.told_at + every)
        _change(
            tx, way, kind, partner,
            happened=row.happened + 1,
            shares=shares[:MOST_SHARES],
            outcome=outcome,
            since=row.since if row.happened else now,
            due=row.due or soonest,
        )  # fmt: skip


def is_due(tx: Tx, *, now: datetime) -> bool:
    """Is anything to be told now?"""
    return tx.connection.execute(ANY, {"now": now}).first() is not None


def claim(tx: Tx, *, now: datetime, lease: timedelta) -> Due | None:
    """The alert that has been due longest, to be told by the caller alone until `now + lease`; None: none is due."""
    found = tx.connection.execute(NEXT, {"now": now}).one_or_none()
    if found is None:
        return None
    row = _locked(tx, *found)
    _change(tx, *found, due=now + lease, attempts=row.attempts + 1)
    told = Alert(
        id=f"{row.way}-{row.kind}-{row.partner}-{_stamp(row.told_at)}-{_stamp(row.since)}",
        kind=row.kind,
        partner=row.partner,
        shares=tuple(row.shares),
        outcome=row.outcome,
        count=row.happened,
        since=row.since,
        at=now,
    )
    return Due(row.way, told, row.attempts + 1)


def told(tx: Tx, due: Due, *, now: datetime, every: timedelta) -> None:
    """It was told. What has happened meanwhile is told `every` later."""
    key = (due.way, due.alert.kind, due.alert.partner)
    row = _locked(tx, *key)
    left = max(row.happened - due.alert.count, 0)
    rest: dict[str, Any] = {"due": None, "since": None, "shares": [], "outcome": ""}
    if left:
        rest = {"due": now + every, "since": now}
    _change(tx, *key, happened=left, told_at=now, attempts=0, **rest)


def put_off(tx: Tx, due: Due, *, until: datetime) -> None:
    """It was not told: it is tried again then."""
    _change(tx, due.way, due.alert.kind, due.alert.partner, due=until)


_NOTHING = {"happened": 0, "shares": [], "outcome": "", "since": None, "due": None, "told_at": None, "attempts": 0}


def _stamp(at: datetime | None) -> str:
    return f"{at:%Y%m%dT%H%M%S%f}" if at is not None else "first"


def _locked(tx: Tx, way: str, kind: str, partner: str) -> sa.Row[Any]:
    return tx.connection.execute(LOCKED, {"by_way": way, "of_kind": kind, "of": partner}).one()


def _change(tx: Tx, way: str, kind: str, partner: str, **values: Any) -> None:
    tx.connection.execute(CHANGE.values(values), {"by_way": way, "of_kind": kind, "of": partner})
