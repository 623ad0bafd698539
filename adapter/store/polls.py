"""When each partner is next asked for answers to referrals: a row a partner, taken by one worker at a time.

`since` is the partner's own time, as its server gave it: clocks of two machines are not compared.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from adapter.store.database import Tx
from adapter.store.tables import Instant, polls

_c = polls.c
_b = sa.bindparam
_NOW = _b("now", type_=Instant)
_AT = _b("at", type_=Instant)

# Statements
SOONER = (
    sa.update(polls)
    .where(_c.partner == _b("of_partner"), sa.or_(_c.due.is_(None), sa.and_(_c.due > _AT, _c.attempts == 0)))
    .values(due=_AT, updated_at=_NOW)
)
NEXT = (
    sa.select(_c.partner)
    .where(_c.due <= _NOW, _c.partner.in_(_b("among", expanding=True)))
    .order_by(_c.due, _c.partner)
    .limit(1)
    .with_for_update(skip_locked=True)
    .cte("next")
    .prefix_with("MATERIALIZED")
)
# While a worker is at it, it is due again when the worker must be dead; a later fence then makes it too late.
CLAIM = (
    sa.update(polls)
    .where(_c.partner == sa.select(NEXT.c.partner).scalar_subquery())
    .values(fence=_c.fence + 1, due=_b("until", type_=Instant), updated_at=_NOW)
    .returning(_c.partner, _c.fence, _c.attempts, _c.since)
)
SETTLE = (
    sa.update(polls)
    .where(_c.partner == _b("of_partner"), _c.fence == _b("held_fence"))
    .values(
        due=_AT, attempts=_b("tried"), since=_b("read_to"), outcome=_b("became"), detail=_b("said"), updated_at=_NOW
    )
)
NEXT_DUE = sa.select(sa.func.min(_c.due)).where(_c.partner.in_(_b("among", expanding=True)))
LISTED = sa.select(_c.partner, _c.due, _c.outcome, _c.detail, _c.updated_at).order_by(_c.partner)


@dataclass(frozen=True, slots=True)
class Poll:
    """One partner's turn to be asked; `since`: the moment of its clock up to which it has been, "" for never."""

    partner: str
    fence: int
    attempts: int
    since: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How asking a partner stands."""

    partner: str
    due: datetime | None
    outcome: str
    detail: str
    updated_at: datetime


def ensure(tx: Tx, partner: str, *, at: datetime, now: datetime) -> None:
    """The partner is asked `at` this time at the latest. One that fails is not asked sooner for that: a save that it
    may not see would be seen in when it is asked."""
    row = {"partner": partner, "fence": 0, "attempts": 0, "since": "", "outcome": "", "detail": ""}
    tx.connection.execute(tx.insert_absent(polls), {**row, "due": at, "updated_at": now})
    tx.connection.execute(SOONER, {"of_partner": partner, "at": at, "now": now})


def claim(tx: Tx, *, among: Collection[str], now: datetime, lease: timedelta) -> Poll | None:
    """Take the partner among these that has been due longest; None if none is."""
    values = {"now": now, "until": now + lease, "among": list(among)}
    row = tx.connection.execute(CLAIM, values).one_or_none()
    return None if row is None else Poll(**row._asdict())


def settle(
    tx: Tx, poll: Poll, *, due: datetime | None, attempts: int, since: str, outcome: str, detail: str, now: datetime
) -> bool:
    """What came of it, and when it is due again. False: another worker has taken it meanwhile; then nothing changes."""
    values = {
        "of_partner": poll.partner, "held_fence": poll.fence, "at": due, "tried": attempts, "read_to": since,
        "became": outcome, "said": detail, "now": now,
    }  # fmt: skip
    return tx.connection.execute(SETTLE, values).rowcount == 1


def next_due(tx: Tx, *, among: Collection[str]) -> datetime | None:
    """When a claim with the same `among` will next find something; None if never."""
    due: datetime | None = tx.connection.scalar(NEXT_DUE, {"among": list(among)})
    return due


def listed(tx: Tx) -> list[Standing]:
    """How asking each partner stands."""
    return [Standing(**row._asdict()) for row in tx.connection.execute(LISTED)]
