"""When each partner is next asked for answers to referrals: a row a partner, taken by one worker at a time.

`since` is the partner's own time, as its server gave it: clocks of two machines are not compared. A hint of its server
makes it due; what it names is sealed, for a partner may choose ids that tell something.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from adapter.store.claiming import longest_due
from adapter.store.database import Tx
from adapter.store.tables import Instant, polls

_c = polls.c
_b = sa.bindparam
_NOW = _b("now", type_=Instant)
_AT = _b("at", type_=Instant)
_MINE = sa.and_(_c.partner == _b("of_partner"), _c.fence == _b("held_fence"))

# Statements
SOONER = (
    sa.update(polls)
    .where(_c.partner == _b("of_partner"), sa.or_(_c.due.is_(None), sa.and_(_c.due > _AT, _c.attempts == 0)))
    .values(due=_AT, updated_at=_NOW)
)
# While a worker is at it, it is due again when the worker must be dead; a later fence then makes it too late.
CLAIM = (
    sa.update(polls)
    .where(_c.partner == longest_due(_c.partner, _c.due, _c.partner.in_(_b("among", expanding=True))))
    .values(
        fence=_c.fence + 1,
        due=_b("until", type_=Instant),
        lease_until=_b("until", type_=Instant),
        asked_at=_NOW,
        updated_at=_NOW,
    )
    .returning(_c.partner, _c.fence, _c.attempts, _c.since, _c.whole_at, _c.place, _c.earliest, _c.sealed_hint)
)
SETTLE = (
    sa.update(polls)
    .where(_MINE)
    .values(
        due=_AT,
        attempts=_b("tried"),
        since=_b("read_to"),
        outcome=_b("became"),
        detail=_b("said"),
        updated_at=_NOW,
        whole_at=_b("all_at", type_=Instant),
        lease_until=None,
        place=_b("goes_on"),
        earliest=_b("so_far"),
    )
)
LOCKED = sa.select(polls).where(_c.partner == _b("of_partner")).with_for_update()
HINT = sa.update(polls).where(_c.partner == _b("of_partner")).values(sealed_hint=_b("closed"))
PUT_OFF = sa.update(polls).where(_MINE).values(due=_AT, lease_until=None)
DUE = sa.select(_c.partner, _c.due).where(_c.due.is_not(None), _c.partner.in_(_b("among", expanding=True)))
LISTED = sa.select(_c.partner, _c.due, _c.outcome, _c.detail, _c.updated_at).order_by(_c.partner)
UNTOLD = "-"


MOST_TASKS = 50


@dataclass(frozen=True, slots=True)
class Hint:
    """What a partner's server has told: which Tasks to look at, by its ids (none: all that wait for an answer), and
    whether something may have been missed since any time."""

    tasks: tuple[str, ...] = ()
    missed: bool = False

    def together(self, other: Hint) -> Hint:
        """Both as one: of too many, or where one is of all, all."""
        tasks = tuple(dict.fromkeys((*self.tasks, *other.tasks))) if self.tasks and other.tasks else ()
        return Hint(tasks if len(tasks) <= MOST_TASKS else (), self.missed or other.missed)


@dataclass(frozen=True, slots=True)
class Poll:
    """One partner's turn to be asked; `since`: the moment of its clock up to which it has been, "" for never;
    `whole_at`: when it was last asked for all that waits.

    `place`: behind which of our identifiers a round goes on that was cut off, "" for one that begins; `earliest`: of
    the moments that it was told so far, "" before it was told any, UNTOLD where it was not told one.
    """

    partner: str
    fence: int
    attempts: int
    since: str
    whole_at: datetime | None = None
    hint: Hint | None = None
    place: str = ""
    earliest: str = ""


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


def at_latest(tx: Tx, partner: str, at: datetime, *, now: datetime) -> None:
    """Where an answer is waited for, the partner is asked `at` this time at the latest."""
    tx.connection.execute(SOONER.where(_c.due.is_not(None)), {"of_partner": partner, "at": at, "now": now})


def hint(tx: Tx, partner: str, told: Hint, *, soonest: timedelta, now: datetime) -> bool:
    """Its server says that something has changed: it is asked at once, but `soonest` after it was last asked, and while
    its server does not answer no sooner than it would be. False: no answer is waited for."""
    row = tx.connection.execute(LOCKED, {"of_partner": partner}).one_or_none()
    if row is None or row.due is None:
        return False
    before = _hint(tx, partner, row.sealed_hint)
    _keep_hint(tx, partner, told if before is None else before.together(told))
    leased = row.lease_until is not None and row.lease_until > now
    if not leased and not row.attempts:
        at = max(now, row.asked_at + soonest) if row.asked_at else now
        tx.connection.execute(SOONER, {"of_partner": partner, "at": at, "now": now})
        tx.tell_workers()
    return True


def claim(tx: Tx, *, among: Collection[str], now: datetime, lease: timedelta) -> Poll | None:
    """Take the partner among these that has been due longest, and what was hinted; None if none is."""
    values = {"now": now, "until": now + lease, "among": list(among)}
    row = tx.connection.execute(CLAIM, values).one_or_none()
    if row is None:
        return None
    told = _hint(tx, row.partner, row.sealed_hint)
    if told is not None:
        _keep_hint(tx, row.partner, None)
    return Poll(row.partner, row.fence, row.attempts, row.since, row.whole_at, told, row.place, row.earliest)


def settle(
    tx: Tx,
    poll: Poll,
    *,
    due: datetime | None,
    attempts: int,
    since: str,
    outcome: str,
    detail: str,
    now: datetime,
    whole_at: datetime | None = None,
    soonest: timedelta = timedelta(0),
    place: str = "",
    earliest: str = "",
) -> bool:
    """What came of it, and when it is due again: `soonest` from now, where its server has told of more meanwhile.
    False: another worker has taken it meanwhile; then nothing changes."""
    row = tx.connection.execute(LOCKED, {"of_partner": poll.partner}).one_or_none()
    if row is not None and row.sealed_hint is not None and not attempts and due is not None:
        due = min(due, now + soonest)
    values = {
        "of_partner": poll.partner, "held_fence": poll.fence, "at": due, "tried": attempts, "read_to": since,
        "became": outcome, "said": detail, "now": now, "all_at": whole_at, "goes_on": place, "so_far": earliest,
    }  # fmt: skip
    return tx.connection.execute(SETTLE, values).rowcount == 1


def put_off(tx: Tx, poll: Poll, *, until: datetime) -> None:
    """Not now: nothing has been asked, and what was hinted is still to be asked for."""
    row = tx.connection.execute(LOCKED, {"of_partner": poll.partner}).one_or_none()
    if row is None or row.fence != poll.fence:
        return
    if poll.hint is not None:
        meanwhile = _hint(tx, poll.partner, row.sealed_hint)
        _keep_hint(tx, poll.partner, poll.hint if meanwhile is None else poll.hint.together(meanwhile))
    tx.connection.execute(PUT_OFF, {"of_partner": poll.partner, "held_fence": poll.fence, "at": until})


def due(tx: Tx, *, among: Collection[str]) -> dict[str, datetime]:
    """When each of these is next to be asked; left out: never."""
    return {row.partner: row.due for row in tx.connection.execute(DUE, {"among": list(among)})}


def listed(tx: Tx) -> list[Standing]:
    """How asking each partner stands."""
    return [Standing(**row._asdict()) for row in tx.connection.execute(LISTED)]


def _hint(tx: Tx, partner: str, sealed: bytes | None) -> Hint | None:
    if sealed is None:
        return None
    tasks, missed = orjson.loads(tx.seal.open(sealed, table="polls", column="sealed_hint", row=partner))
    return Hint(tuple(tasks), missed)


def _keep_hint(tx: Tx, partner: str, told: Hint | None) -> None:
    closed: Any = None
    if told is not None:
        plain = orjson.dumps([told.tasks, told.missed])
        closed = tx.seal.close(plain, table="polls", column="sealed_hint", row=partner)
    tx.connection.execute(HINT, {"of_partner": partner, "closed": closed})
