"""Every statement on the shares, by name; `shares.py` says what each is for.

Values that a statement is given have names that no column has, for SQLAlchemy takes the columns' own for itself.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from adapter.store.claiming import longest_due
from adapter.store.tables import Instant, cases, pauses, shares

_c = shares.c
_b = sa.bindparam
_CLAIMABLE = ("idle", "due", "waiting", "stopped")
"""A stopped share has a due time only where a permission begins or ends then: that nothing may sleep through."""


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
SHOWN = sa.case((sa.and_(_c.held, _c.state != "working"), "paused"), else_=_c.state).label("shown")
_COLUMNS = (
    *(_c[name] for name in ("id", "case_id", "partner", "due", "fence", "lease_until", "attempts", "failing_since")),
    *(_c[name] for name in ("outcome", "detail", "refused", "alarms", "updated_at")),
    *(_c[name] for name in ("gathering_since", "equal_at")),
    SHOWN,
)
_MINE = sa.and_(_c.id == _b("share_id"), _c.fence == _b("held_fence"), _c.state == "working")
_MARKED_SINCE = _c.marked != _c.taken


def is_in(state: str) -> sa.ColumnElement[bool]:
    """Is a share in this state, as a person sees it? Said so that an index serves."""
    match state:
        case "paused":
            return sa.and_(_c.held, _c.state != "working")
        case "working":
            return _c.state == "working"
        case _:
            return sa.and_(_c.held.is_(False), _c.state == state)


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

_LEFT = sa.and_(_c.state == "stopped", _c.detail == _b("why"), _c.partner.in_(_b("partners", expanding=True)))
ANY_LEFT = sa.select(_c.id).where(_LEFT).limit(1)
TAKE_UP = MARK_DUE.where(_LEFT)

# A lease that ran out means a worker that died on this share: that was an attempt too.
CLAIM = (
    sa.update(shares)
    .where(_c.id == longest_due(_c.id, _c.turn, _c.partner.not_in(_b("skip", expanding=True))))
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
AT_REST = (
    sa.select(_c.id)
    .where(_c.id == _b("share_id"), sa.or_(_c.state != "working", _c.lease_until <= _NOW))
    .with_for_update(key_share=True)
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
    "gathering_since": sa.null(),
}
_EQUAL = {"equal_at": sa.func.coalesce(_b("now_equal", type_=Instant), _c.equal_at)}
SETTLE = sa.update(shares).where(_MINE).values({**_SETTLED, **_EQUAL, "attempts": 0, "failing_since": sa.null()})
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
        gathering_since=sa.null(),
    )
)
# The attempt has not taken place: what the share had come to, and what it fails for, stay. It is due, not waiting, so
# that whatever is taken back meanwhile need not wait.
PUT_OFF = (
    sa.update(shares)
    .where(_MINE)
    .values(
        state="due",
        due=_NEXT_DUE,
        turn=_turn(sa.literal("due"), _NEXT_DUE),
        lease_until=sa.null(),
        worker="",
        updated_at=_NOW,
    )
)
GATHER = PUT_OFF.values(gathering_since=sa.func.coalesce(_c.gathering_since, _NOW))
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
        gathering_since=_b("long_ago", type_=Instant),  # whoever says now has waited enough
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
# Without waiting for whoever has one of them locked: that one is at work, or settles by itself.
_BEHIND = (
    sa.select(_c.id)
    .where(_c.partner == _b("of_partner"), _c.state.in_(_CLAIMABLE), _c.turn < _b("later", type_=Instant))
    .with_for_update(skip_locked=True)
)
PUT_BEHIND = sa.update(shares).where(_c.id.in_(_BEHIND)).values(turn=_b("later", type_=Instant))
_BACK = (
    sa.select(_c.id)
    .where(_c.partner == _b("of_partner"), _c.state.in_(_CLAIMABLE), _c.turn > _NOW, _c.due <= _NOW)
    .with_for_update(skip_locked=True)
)
BRING_BACK = sa.update(shares).where(_c.id.in_(_BACK)).values(turn=_c.due)
PAUSES = sa.select(pauses)
PAUSED = sa.select(pauses.c.partner).where(pauses.c.partner == _b("of_partner"))
UNPAUSE = sa.delete(pauses).where(pauses.c.partner == _b("of_partner"))
SIGHT = sa.select(_c.sealed_sight).where(_c.id == _b("share_id"))
KEEP_SIGHT = sa.update(shares).where(_c.id == _b("share_id")).values(sealed_sight=_b("sealed"))
OF_CASE = sa.select(*_COLUMNS).where(_c.case_id == _b("of_case")).order_by(_c.partner)
BETWEEN = OF_CASE.where(_c.partner == _b("of_partner"))
LISTED = sa.select(*_COLUMNS).order_by(_c.id).limit(_b("limit"))
NEXT_TURN = (
    sa.select(_c.turn)
    .where(_c.turn.is_not(None), _c.partner.not_in(_b("skip", expanding=True)))
    .order_by(_c.turn)
    .limit(1)
)
