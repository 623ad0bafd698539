"""What the case system is to be told: a row for each notice, written in the transaction of what it tells of.

Rows get their numbers afterwards, in a transaction that does nothing else and that nobody else is in: so no number
appears behind a later one, and whoever has read up to a number has missed nothing. One row says how far telling has
come, and who is at it: notices are told one after the other, by one worker at a time, each until it was taken.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
import sqlalchemy as sa

from adapter.core.notice import Kind, Notice
from adapter.store.database import Tx
from adapter.store.tables import Instant, notices, telling

_c, _t = notices.c, telling.c
_b = sa.bindparam
_NOW = _b("now", type_=Instant)
_AT = _b("at", type_=Instant)

# Statements
ALONE = sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("numbers of notices")))
UNNUMBERED = sa.select(_c.id).where(_c.number.is_(None)).order_by(_c.id)
ANY_UNNUMBERED = UNNUMBERED.limit(1)
NUMBER = sa.update(notices).where(_c.id == _b("of_id")).values(number=_b("new_number"))
GIVEN = sa.update(telling).values(numbered=_b("last"))
LISTED = sa.select(notices).where(_c.number > _b("after")).order_by(_c.number).limit(_b("limit"))
ROW = sa.select(telling)
_WAITS = sa.exists().where(_c.number > _t.told)
IS_DUE = sa.select(_t.told).where(~_t.stopped, sa.or_(_t.due.is_(None), _t.due <= _NOW), _WAITS)
# While a worker is at it, it is due again when the worker must be dead; a later fence then makes it too late.
CLAIM = (
    sa.update(telling)
    .where(~_t.stopped, sa.or_(_t.due.is_(None), _t.due <= _NOW), _WAITS)
    .values(fence=_t.fence + 1, due=_b("until", type_=Instant))
    .returning(_t.fence, _t.told, _t.attempts, _t.failing_since)
)
_MINE = _t.fence == _b("held_fence")
TOLD = sa.update(telling).where(_MINE).values(told=_b("up_to"), due=None, attempts=0, failing_since=None)
PUT_OFF = (
    sa.update(telling)
    .where(_MINE)
    .values(due=_AT, attempts=_t.attempts + 1, failing_since=sa.func.coalesce(_t.failing_since, _NOW))
)
STOP = sa.update(telling).where(_MINE).values(stopped=True, due=None, attempts=_t.attempts + 1)
AGAIN = sa.update(telling).values(
    told=sa.case((_t.told > _b("after"), _b("after")), else_=_t.told),
    stopped=False, due=None, attempts=0, failing_since=None, fence=_t.fence + 1,
)  # fmt: skip
FORGET = sa.delete(notices).where(
    _c.at < _b("before", type_=Instant), _c.number <= sa.case((_b("untold"), _c.number), else_=_b("up_to"))
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One notice to be told now, by the caller alone; how often it failed, and since when telling does."""

    notice: Notice
    fence: int
    attempts: int
    failing_since: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far it has come: the last number that was given, up to which one was told, from when on it is tried again,
    and whether it waits for a person."""

    numbered: int
    told: int
    due: datetime | None
    attempts: int
    failing_since: datetime | None
    stopped: bool


def note(tx: Tx, kind: Kind, about: Mapping[str, str], *, now: datetime) -> None:
    """Something has happened that the case system may want to know: `about` as core/notice.Notice has it."""
    name = f"msg_{secrets.token_hex(16)}"
    sealed = tx.seal.close(orjson.dumps(dict(about)), table="notices", column="sealed", row=name)
    tx.connection.execute(sa.insert(notices), {"name": name, "kind": kind, "sealed": sealed, "at": now})


def number(tx: Tx) -> None:
    """Number what has been noted since, in its order. The transaction does nothing before it."""
    if tx.connection.dialect.name == "postgresql":  # on SQLite whoever writes is alone
        tx.connection.execute(ALONE)
    if ids := list(tx.connection.scalars(UNNUMBERED)):
        tx.connection.execute(tx.insert_absent(telling), _NOTHING)
        last = standing(tx).numbered
        tx.connection.execute(NUMBER, [{"of_id": id_, "new_number": last + i} for i, id_ in enumerate(ids, 1)])
        tx.connection.execute(GIVEN, {"last": last + len(ids)})


def is_unnumbered(tx: Tx) -> bool:
    """Has anything been noted that has no number yet?"""
    return tx.connection.execute(ANY_UNNUMBERED).first() is not None


def listed(tx: Tx, *, after: int, limit: int) -> list[Notice]:
    """Up to `limit` notices behind this number, oldest first."""
    return [_notice(tx, row) for row in tx.connection.execute(LISTED, {"after": after, "limit": limit})]


def is_due(tx: Tx, *, now: datetime) -> bool:
    """Is a notice to be told now, or to be numbered?"""
    return is_unnumbered(tx) or tx.connection.execute(IS_DUE, {"now": now}).first() is not None


def claim(tx: Tx, *, now: datetime, lease: timedelta) -> Turn | None:
    """The next notice, to be told by the caller alone until `now + lease`. None: there is none, or it is not due."""
    row = tx.connection.execute(CLAIM, {"now": now, "until": now + lease}).one_or_none()
    found = listed(tx, after=row.told, limit=1) if row is not None else []
    return Turn(found[0], row.fence, row.attempts, row.failing_since) if row is not None and found else None


def told(tx: Tx, turn: Turn) -> bool:
    """It was taken. False: another worker has its turn meanwhile, or it is to be told again."""
    values = {"held_fence": turn.fence, "up_to": turn.notice.number}
    return tx.connection.execute(TOLD, values).rowcount == 1


def put_off(tx: Tx, turn: Turn, *, until: datetime, now: datetime) -> bool:
    """It was not taken: it is tried again then. False: as `told`."""
    return tx.connection.execute(PUT_OFF, {"held_fence": turn.fence, "at": until, "now": now}).rowcount == 1


def stop(tx: Tx, turn: Turn) -> bool:
    """It is told no more until a person says so. False: as `told`."""
    return tx.connection.execute(STOP, {"held_fence": turn.fence}).rowcount == 1


def again(tx: Tx, *, after: int) -> Standing:
    """Tell once more what stands behind this number, and go on where telling had stopped."""
    tx.connection.execute(AGAIN, {"after": after})
    return standing(tx)


def standing(tx: Tx) -> Standing:
    """How far telling has come."""
    row = tx.connection.execute(ROW).one_or_none()
    if row is None:
        return Standing(0, 0, None, 0, None, stopped=False)
    return Standing(row.numbered, row.told, row.due, row.attempts, row.failing_since, row.stopped)


def forget(tx: Tx, *, before: datetime, untold: bool) -> int:
    """Let go of what is older and was told, or, where nobody is told anything, of all that is older. How many."""
    values = {"before": before, "untold": untold, "up_to": standing(tx).told}
    return tx.connection.execute(FORGET, values).rowcount


_NOTHING = {"id": 1, "numbered": 0, "told": 0, "due": None, "attempts": 0, "failing_since": None, "fence": 0,
            "stopped": False}  # fmt: skip


def _notice(tx: Tx, row: sa.Row[tuple[object, ...]]) -> Notice:
    about = orjson.loads(tx.seal.open(row.sealed, table="notices", column="sealed", row=row.name))
    return Notice(row.number, row.name, row.kind, about, row.at)
