"""How each partner is called at present, kept so that all workers on all machines share it: core/pace.py decides.

A row is locked only after the share's own that it follows from, so that no two transactions wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from adapter.core.pace import ASKING, Pace, asked_for
from adapter.store import shares
from adapter.store.database import Tx
from adapter.store.shares import Share
from adapter.store.tables import Instant, paces

_c = paces.c
_PARTNER = _c.partner == sa.bindparam("of_partner")

# Statements
ALL = sa.select(paces)
ONE = sa.select(paces).where(_PARTNER)
LOCKED = ONE.with_for_update()
CHANGE = sa.update(paces).where(_PARTNER)
TRY = (
    sa.update(paces)
    .where(_PARTNER, _c.open_since.is_not(None), _c.try_at <= sa.bindparam("now", type_=Instant))
    .values(trying=sa.bindparam("by_share"), try_at=sa.bindparam("until", type_=Instant))
)
# Less than this a person waits as well: it is a partner's own pace.
_SOON = timedelta(minutes=1)
PROBE = (
    sa.update(paces)
    .where(_PARTNER)
    .values(
        trying=None,
        try_at=sa.case((_c.open_since.is_not(None), sa.bindparam("now", type_=Instant)), else_=sa.null()),
        next_at=sa.case((_c.next_at > sa.bindparam("soon", type_=Instant), sa.null()), else_=_c.next_at),
    )
)


def listed(tx: Tx) -> dict[str, Pace]:
    """How each partner is called that has not always been called as it comes."""
    return {row.partner: _pace(row) for row in tx.connection.execute(ALL)}


def of_partner(tx: Tx, partner: str) -> Pace:
    """How this one is called."""
    row = tx.connection.execute(ONE, {"of_partner": partner}).one_or_none()
    return Pace() if row is None else _pace(row)


def change(tx: Tx, partner: str, by: Callable[[Pace], Pace]) -> tuple[Pace, Pace]:
    """The pace before and after; nothing is written, and nobody waited for, where it stays as it is."""
    before = of_partner(tx, partner)
    if by(before) == before:
        return before, before
    tx.connection.execute(tx.insert_absent(paces), _row(Pace()) | {"partner": partner})
    before = _pace(tx.connection.execute(LOCKED, {"of_partner": partner}).one())
    after = by(before)
    tx.connection.execute(CHANGE.values(_row(after)), {"of_partner": partner})
    return before, after


def take(
    tx: Tx, share: Share, *, now: datetime, until: datetime, rate: float, at_once: bool = False
) -> datetime | None:
    """One request of this share is to leave now: None if it may, else when. `rate`: the partner file's requests a
    minute; `until`: how long the share is held for it; `at_once`: it leaves in any case, the next waits for both."""
    return _take(tx, share.partner, share.id, now, until, rate, at_once=at_once)


def take_to_ask(
    tx: Tx, partner: str, *, now: datetime, until: datetime, rate: float, at_once: bool = False
) -> datetime | None:
    """The same of one request that asks for answers, and belongs to no share."""
    return _take(tx, partner, ASKING, now, until, rate, at_once=at_once)


def may_ask(tx: Tx, partner: str, *, now: datetime, until: datetime) -> datetime | None:
    """May the partner be asked for answers now? None if so; else when. Where its circuit is open, whoever asks is the
    one that tries, and `until` then no other."""
    pace = of_partner(tx, partner)
    if (later := pace.until(now)) is not None:
        return later
    values = {"of_partner": partner, "now": now, "until": until, "by_share": ASKING}
    if pace.is_open and tx.connection.execute(TRY, values).rowcount != 1:
        return of_partner(tx, partner).until(now) or until
    return None


def rearranges(before: Pace, pace: Pace) -> bool:
    """Is an attempt to be followed by `arrange`?"""
    return (pace != before) if pace.is_open else before.is_open


def arrange(tx: Tx, partner: str, before: Pace, pace: Pace, *, now: datetime) -> None:
    """After an attempt, in a transaction of its own, for it touches many shares: no claim looks past them while the
    circuit is open, and when it has closed none waits for nothing."""
    if pace.is_open and pace.try_at is not None:
        shares.put_behind(tx, partner, until=pace.try_at)
    elif before.is_open and not pace.is_open:
        shares.bring_back(tx, partner, now=now)


def _take(
    tx: Tx, partner: str, share: int, now: datetime, until: datetime, rate: float, *, at_once: bool
) -> datetime | None:
    later: list[datetime] = []

    def by(pace: Pace) -> Pace:
        found = asked_for(pace, now=now, rate=rate, share=share, until=until, at_once=at_once)
        later[:] = [found] if isinstance(found, datetime) else []
        return pace if isinstance(found, datetime) else found

    change(tx, partner, by)
    return later[0] if later else None


def claim(tx: Tx, *, worker: str, now: datetime, lease: timedelta, skip: Collection[str] = ()) -> Share | None:
    """As shares.claim, but none of a partner that is not to be called now; of one whose circuit is open, one alone,
    which tries, and until its lease has run out no other."""
    known = listed(tx)
    skipped = {*skip, *(partner for partner, pace in known.items() if pace.until(now) is not None)}
    if not any(pace.is_open for pace in known.values()):
        return shares.claim(tx, worker=worker, now=now, lease=lease, skip=skipped)
    while True:
        with tx.connection.begin_nested() as point:
            share = shares.claim(tx, worker=worker, now=now, lease=lease, skip=skipped)
            if share is None or not known.get(share.partner, Pace()).is_open:
                return share
            values = {"of_partner": share.partner, "now": now, "until": now + lease, "by_share": share.id}
            if tx.connection.execute(TRY, values).rowcount == 1:
                return share
            point.rollback()  # another worker's share tries: this one stays as it was
        skipped.add(share.partner)


def next_due(tx: Tx, *, now: datetime, skip: Collection[str] = ()) -> datetime | None:
    """When a claim with the same `skip` may next find something; None if never."""
    turn = shares.next_due(tx, skip=skip)
    if turn is None or turn > now:
        return turn
    # Something has its turn: is it of a partner that is not to be called? Only then is it looked past.
    waits = {p: at for p, pace in listed(tx).items() if p not in skip and (at := pace.until(now)) is not None}
    turns = [shares.next_due(tx, skip={*skip, *waits}) if waits else turn, *waits.values()]
    return min((turn for turn in turns if turn is not None), default=None)


def let_try(tx: Tx, partner: str, *, now: datetime) -> None:
    """A person says so: the partner may be asked now, whatever it said; where its circuit is open, by one share."""
    tx.connection.execute(PROBE, {"of_partner": partner, "now": now, "soon": now + _SOON})


def _row(pace: Pace) -> dict[str, Any]:
    return asdict(pace) | {"failed": list(pace.failed)}


def _pace(row: sa.Row[Any]) -> Pace:
    values = {name: value for name, value in row._asdict().items() if name != "partner"}
    return Pace(**values | {"failed": tuple(row.failed)})
