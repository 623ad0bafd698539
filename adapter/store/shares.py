"""The standing relation of each case and each partner: when it is next due, who works on it, and how that went.

A share is never queued twice and never lost: `mark_due` counts, a claim remembers the count it saw, and settling leaves
the share due if the count has moved since. The fence grows with every claim, so that a worker whose lease ran out can
change nothing any more (exchange.md, *Delivery*).

`turn` alone decides what a claim finds: idle shares without a due time have none, so that however many there are, a
claim looks at one entry of one index.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from adapter.store.database import Tx
from adapter.store.tables import Instant, cases, pauses, shares

State = Literal["idle", "due", "working", "waiting", "paused", "stopped"]

_c = shares.c
_b = sa.bindparam
_CLAIMABLE = ("idle", "due", "waiting")


def _earlier(one: sa.ColumnElement[Any], other: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The earlier of two moments, the other one where one is missing."""
    return sa.case((sa.or_(one.is_(None), other < one), other), else_=one)


def _turn(state: sa.ColumnElement[Any], due: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """When a share that nobody works on may be claimed."""
    return sa.case((sa.and_(_c.held.is_(False), state.in_(_CLAIMABLE)), due), else_=sa.null())


_AT = _b("at", type_=Instant)
_NOW = _b("now", type_=Instant)
_STATE = _b("new_state", type_=sa.String)
# What a person sees: a share of a paused partner is paused, but for the worker that is still at it.
_SHOWN = sa.case((sa.and_(_c.held, _c.state != "working"), "paused"), else_=_c.state).label("shown")
_COLUMNS = (
    *(_c[name] for name in ("id", "case_id", "partner", "due", "fence", "lease_until", "attempts", "failing_since")),
    *(_c[name] for name in ("outcome", "detail", "refused", "alarms", "updated_at")),
    _SHOWN,
)
_MINE = sa.and_(_c.id == _b("share_id"), _c.fence == _b("held_fence"), _c.state == "working")
_MARKED_SINCE = _c.marked != _c.taken

# Statements
HELD_PARTNERS = sa.select(pauses.c.partner)
# A share that waits for its next attempt keeps its time, and will then see what is new: a save that the partner may not
# see must not change when the partner is called (consent.md, *Non-interference*).
MARK_DUE = sa.update(shares).values(
    marked=_c.marked + 1,
    state=sa.case((_c.state.in_(("idle", "stopped")), "due"), else_=_c.state),
    due=sa.case(
        (_c.state == "waiting", _c.due),
        (sa.or_(_c.state == "stopped", sa.and_(_c.state == "working", sa.not_(_MARKED_SINCE))), _AT),
        else_=_earlier(_c.due, _AT),
    ),
    turn=sa.case(
        (_c.state == "working", _c.turn),
        (_c.held, sa.null()),
        (_c.state == "waiting", _c.turn),
        (_c.state == "stopped", _AT),
        else_=_earlier(_c.turn, _AT),
    ),
    attempts=sa.case((_c.state == "stopped", 0), else_=_c.attempts),
    failing_since=sa.case((_c.state == "stopped", sa.null()), else_=_c.failing_since),
    updated_at=sa.case((_c.state == "working", _c.updated_at), else_=_NOW),
)
MARK_CASE_DUE = MARK_DUE.where(_c.case_id == _b("of_case"))
MARK_PARTNER_DUE = MARK_DUE.where(_c.partner == _b("of_partner"))
MARK_SHARE_DUE = MARK_CASE_DUE.where(_c.partner == _b("of_partner"))

# Materialised: PostgreSQL was seen to run the inner SELECT more than once, and to claim more rows than its LIMIT.
NEXT = (
    sa.select(_c.id)
    .where(_c.turn <= _NOW, _c.partner.not_in(_b("skip", expanding=True)))
    .order_by(_c.turn, _c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
    .cte("next")
    .prefix_with("MATERIALIZED")
)
# A lease that ran out means a worker that died on this share: that was an attempt too.
CLAIM = (
    sa.update(shares)
    .where(_c.id == sa.select(NEXT.c.id).scalar_subquery())
    .values(
        state="working",
        fence=_c.fence + 1,
        worker=_b("claimed_by"),
        lease_until=_b("until", type_=Instant),
        turn=_b("until", type_=Instant),
        taken=_c.marked,
        attempts=sa.case((_c.state == "working", _c.attempts + 1), else_=_c.attempts),
        failing_since=sa.case(
            (_c.state == "working", _earlier(_c.failing_since, _c.updated_at)), else_=_c.failing_since
        ),
        updated_at=_NOW,
    )
    .returning(*_COLUMNS)
)
STILL_MINE = sa.select(_c.id).where(_MINE)
STILL_MINE_AND_SAME_CASE = STILL_MINE.where(
    sa.exists().where(cases.c.id == _c.case_id, cases.c.version == _b("case_version"))
)
RENEW = (
    sa.update(shares)
    .where(_MINE)
    .values(
        lease_until=_b("until", type_=Instant),
        turn=sa.case((_c.held, sa.null()), else_=_b("until", type_=Instant)),
    )
)
_NEXT_DUE = sa.case((_MARKED_SINCE, _earlier(_AT, _c.due)), else_=_AT)
_NEXT_STATE = sa.case((_MARKED_SINCE, "due"), else_=_STATE)
_SETTLED = {
    "state": _NEXT_STATE,
    "due": _NEXT_DUE,
    "turn": _turn(_NEXT_STATE, _NEXT_DUE),
    "lease_until": sa.null(),
    "worker": "",
    "outcome": _b("new_outcome"),
    "detail": _b("new_detail"),
    "alarms": _b("new_alarms", type_=sa.JSON),
    "refused": _b("new_refused"),
    "updated_at": _NOW,
}
SETTLE = sa.update(shares).where(_MINE).values({**_SETTLED, "attempts": 0, "failing_since": sa.null()})
STOP = sa.update(shares).where(_MINE).values(_SETTLED)
POSTPONE = (
    sa.update(shares)
    .where(_MINE)
    .values(
        state="waiting",
        due=_AT,
        turn=_turn(sa.literal("waiting"), _AT),
        lease_until=sa.null(),
        worker="",
        attempts=_c.attempts + 1,
        failing_since=_earlier(_c.failing_since, _NOW),
        outcome=_b("new_outcome"),
        detail=_b("new_detail"),
        updated_at=_NOW,
    )
)
RETRY = (
    sa.update(shares)
    .where(_c.case_id == _b("of_case"), _c.partner == _b("of_partner"))
    .values(
        marked=_c.marked + 1,
        state=sa.case((_c.state == "working", _c.state), else_="due"),
        due=_NOW,
        turn=sa.case((_c.state == "working", _c.turn), (_c.held, sa.null()), else_=_NOW),
        attempts=0,
        failing_since=sa.null(),
        refused="",
        updated_at=sa.case((_c.state == "working", _c.updated_at), else_=_NOW),
    )
)
HOLD = sa.update(shares).where(_c.partner == _b("of_partner"), _c.held.is_(False)).values(held=True, turn=sa.null())
RELEASE = (
    sa.update(shares)
    .where(_c.partner == _b("of_partner"), _c.held)
    .values(
        held=False,
        turn=sa.case((_c.state == "working", _c.lease_until), (_c.state.in_(_CLAIMABLE), _c.due), else_=sa.null()),
    )
)
OVERDUE = (
    sa.select(_c.id)
    .where(_c.partner == _b("of_partner"), _c.state.in_(_CLAIMABLE), _c.turn <= _NOW)
    .order_by(_c.turn, _c.id)
)
SPREAD = sa.update(shares).where(_c.id == _b("share_id")).values(turn=_b("later", type_=Instant))
PAUSED = sa.select(pauses.c.partner).where(pauses.c.partner == _b("of_partner"))
UNPAUSE = sa.delete(pauses).where(pauses.c.partner == _b("of_partner"))
OF_CASE = sa.select(*_COLUMNS).where(_c.case_id == _b("of_case")).order_by(_c.partner)
LISTED = sa.select(*_COLUMNS).order_by(_c.id).limit(_b("limit"))
NEXT_TURN = sa.select(sa.func.min(_c.turn))


@dataclass(frozen=True, slots=True)
class Share:
    """One share as it stands. `detail` and `outcome` never hold what a record says; times are UTC.

    `refused` is what a worker chose to remember of a desired state that is not to be sent again as it is: its hash.
    """

    id: int
    case_id: str
    partner: str
    state: State
    due: datetime | None
    fence: int
    lease_until: datetime | None
    attempts: int
    failing_since: datetime | None
    outcome: str
    detail: str
    updated_at: datetime
    alarms: tuple[str, ...]
    refused: str = ""


def ensure(tx: Tx, case_id: str, partners: Iterable[str], *, now: datetime) -> None:
    """Let the case have an idle share for each of these partners; those that are there stay as they are."""
    held = set(tx.connection.scalars(HELD_PARTNERS))
    rows = [_fresh(case_id, partner, partner in held, now) for partner in sorted(set(partners))]
    if rows:
        tx.connection.execute(tx.insert_absent(shares), rows)


def mark_due(
    tx: Tx, *, case_id: str | None = None, partner: str | None = None, now: datetime, at: datetime | None = None
) -> None:
    """Something changed: these shares are due `at` (now, if left out), unless due earlier. Also what was stopped.

    What waits for its next attempt keeps its time; what is being worked on becomes due again when that is settled.
    """
    values: dict[str, Any] = {"now": now, "at": at or now}
    match case_id, partner:
        case None, None:
            raise TypeError("a case or a partner is needed")
        case None, _:
            tx.connection.execute(MARK_PARTNER_DUE, values | {"of_partner": partner})
        case _, None:
            tx.connection.execute(MARK_CASE_DUE, values | {"of_case": case_id})
        case _:
            tx.connection.execute(MARK_SHARE_DUE, values | {"of_case": case_id, "of_partner": partner})


def claim(tx: Tx, *, worker: str, now: datetime, lease: timedelta, skip: Collection[str] = ()) -> Share | None:
    """Take the share that has been due longest, alone and until `now + lease`; None if none is due.

    A share whose worker's lease ran out is taken over. `skip` names partners that are not to be called now.
    """
    values = {"claimed_by": worker, "now": now, "until": now + lease, "skip": list(skip)}
    row = tx.connection.execute(CLAIM, values).one_or_none()
    return None if row is None else _share(row)


def still_mine(tx: Tx, share: Share, version: int | None = None) -> bool:
    """Has nobody else claimed the share, and (where `version` is given) is its case still of that version?"""
    values: dict[str, Any] = {"share_id": share.id, "held_fence": share.fence}
    if version is None:
        return tx.connection.scalar(STILL_MINE, values) is not None
    return tx.connection.scalar(STILL_MINE_AND_SAME_CASE, values | {"case_version": version}) is not None


def renew(tx: Tx, share: Share, *, now: datetime, lease: timedelta) -> bool:
    """Hold the share until `now + lease`; False if it is no longer the caller's."""
    return _guarded(tx, RENEW, share, until=now + lease)


def settle(
    tx: Tx,
    share: Share,
    *,
    due: datetime | None,
    outcome: str,
    detail: str = "",
    alarms: Sequence[str] = (),
    refused: str = "",
    now: datetime | None = None,
) -> bool:
    """The work is done: idle until `due`, or due at once if marked meanwhile. False: no longer the caller's, unchanged.

    `now` is the time of the claim if left out, here and below.
    """
    return _guarded(
        tx,
        SETTLE,
        share,
        at=due,
        new_state="idle",
        new_outcome=outcome,
        new_detail=detail,
        new_alarms=list(alarms),
        new_refused=refused,
        now=now or share.updated_at,
    )


def postpone(
    tx: Tx, share: Share, *, at: datetime, outcome: str, detail: str = "", now: datetime | None = None
) -> bool:
    """The work failed for now: wait until `at`, one attempt more, failing since the first. False: not the caller's."""
    values = {"at": at, "new_outcome": outcome, "new_detail": detail, "now": now or share.updated_at}
    return _guarded(tx, POSTPONE, share, **values)


def stop(
    tx: Tx,
    share: Share,
    *,
    outcome: str,
    detail: str = "",
    alarms: Sequence[str] = (),
    refused: str = "",
    now: datetime | None = None,
) -> bool:
    """Do no more until something changes or a person retries; due if marked meanwhile. False: not the caller's."""
    return _guarded(
        tx,
        STOP,
        share,
        at=None,
        new_state="stopped",
        new_outcome=outcome,
        new_detail=detail,
        new_alarms=list(alarms),
        new_refused=refused,
        now=now or share.updated_at,
    )


def retry(tx: Tx, case_id: str, partner: str, *, now: datetime) -> bool:
    """A person wants it tried now, whatever was refused or failed before. False if there is no such share."""
    values = {"of_case": case_id, "of_partner": partner, "now": now}
    return tx.connection.execute(RETRY, values).rowcount == 1


def pause(tx: Tx, partner: str, *, now: datetime) -> None:
    """Start no work for this partner, for shares to come too, until `resume`. Who is at work finishes."""
    tx.connection.execute(tx.insert_absent(pauses), {"partner": partner, "since": now})
    tx.connection.execute(HOLD, {"of_partner": partner})


def resume(tx: Tx, partner: str, *, now: datetime, pace: timedelta = timedelta(0)) -> None:
    """Work for this partner again; what is due meanwhile has its turn one after the other, `pace` apart."""
    tx.connection.execute(UNPAUSE, {"of_partner": partner})
    tx.connection.execute(RELEASE, {"of_partner": partner})
    if pace:
        ids = tx.connection.scalars(OVERDUE, {"of_partner": partner, "now": now}).all()
        turns = [{"share_id": share_id, "later": now + pace * place} for place, share_id in enumerate(ids)]
        if turns:
            tx.connection.execute(SPREAD, turns)


def paused(tx: Tx, partner: str) -> bool:
    """Is this partner paused?"""
    return tx.connection.scalar(PAUSED, {"of_partner": partner}) is not None


def of_case(tx: Tx, case_id: str) -> list[Share]:
    """The case's shares, by partner."""
    return [_share(row) for row in tx.connection.execute(OF_CASE, {"of_case": case_id})]


def listed(
    tx: Tx, *, partner: str | None = None, state: State | None = None, after: int = 0, limit: int = 100
) -> list[Share]:
    """Up to `limit` shares behind the id `after`, of this partner and in this state where they are given."""
    statement = LISTED.where(_c.id > after)
    if partner is not None:
        statement = statement.where(_c.partner == partner)
    match state:
        case None:
            pass
        case "paused":
            statement = statement.where(_c.held, _c.state != "working")
        case "working":
            statement = statement.where(_c.state == "working")
        case _:
            statement = statement.where(_c.held.is_(False), _c.state == state)
    return [_share(row) for row in tx.connection.execute(statement, {"limit": limit})]


def next_due(tx: Tx) -> datetime | None:
    """When a claim will next find something: the earliest due time, or end of a lease; None if never."""
    turn: datetime | None = tx.connection.scalar(NEXT_TURN)
    return turn


def _guarded(tx: Tx, statement: sa.Update, share: Share, **values: Any) -> bool:
    result = tx.connection.execute(statement, {"share_id": share.id, "held_fence": share.fence, **values})
    return result.rowcount == 1


def _fresh(case_id: str, partner: str, held: bool, now: datetime) -> dict[str, Any]:
    return {
        "case_id": case_id,
        "partner": partner,
        "state": "idle",
        "held": held,
        "marked": 0,
        "taken": 0,
        "fence": 0,
        "worker": "",
        "attempts": 0,
        "outcome": "",
        "detail": "",
        "refused": "",
        "alarms": [],
        "updated_at": now,
    }


def _share(row: sa.Row[Any]) -> Share:
    values = row._asdict()
    return Share(state=values.pop("shown"), alarms=tuple(values.pop("alarms")), **values)
