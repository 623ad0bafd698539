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

import orjson
import sqlalchemy as sa

from adapter.store import share_statements as sql
from adapter.store.database import Tx
from adapter.store.tables import pauses, shares

_LONG = timedelta(days=2)
"""More than any partner file lets edits be gathered for."""

State = Literal["idle", "due", "working", "waiting", "paused", "stopped"]


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
    gathering_since: datetime | None = None
    equal_at: datetime | None = None
    """By which moment's consent the partner last held what it should."""


def ensure(tx: Tx, case_id: str, partners: Iterable[str], *, now: datetime) -> None:
    """Let the case have an idle share for each of these partners; those that are there stay as they are."""
    held = set(tx.connection.scalars(sql.HELD_PARTNERS))
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
            tx.connection.execute(sql.MARK_PARTNER_DUE, values | {"of_partner": partner})
        case _, None:
            tx.connection.execute(sql.MARK_CASE_DUE, values | {"of_case": case_id})
        case _:
            tx.connection.execute(sql.MARK_SHARE_DUE, values | {"of_case": case_id, "of_partner": partner})
    tx.tell_workers()


def left(tx: Tx, partners: Collection[str], *, why: str) -> bool:
    """Is there a share of these partners that has stopped for this reason?"""
    return tx.connection.scalar(sql.ANY_LEFT, {"partners": list(partners), "why": why}) is not None


def take_up(tx: Tx, partners: Collection[str], *, why: str, now: datetime) -> None:
    """What has stopped for this reason, which is one no more for these partners, is due."""
    tx.connection.execute(sql.TAKE_UP, {"partners": list(partners), "why": why, "now": now, "at": now})


def claim(tx: Tx, *, worker: str, now: datetime, lease: timedelta, skip: Collection[str] = ()) -> Share | None:
    """Take the share that has been due longest, alone and until `now + lease`; None if none is due.

    A share whose worker's lease ran out is taken over. `skip` names partners that are not to be called now.
    """
    values = {"claimed_by": worker, "now": now, "until": now + lease, "skip": list(skip)}
    row = tx.connection.execute(sql.CLAIM, values).one_or_none()
    return None if row is None else _share(row)


def still_mine(tx: Tx, share: Share, version: int | None = None) -> bool:
    """Has nobody else claimed the share, and (where `version` is given) is its case still of that version?"""
    values: dict[str, Any] = {"share_id": share.id, "held_fence": share.fence}
    if version is None:
        return tx.connection.scalar(sql.STILL_MINE, values) is not None
    return tx.connection.scalar(sql.STILL_MINE_AND_SAME_CASE, values | {"case_version": version}) is not None


def at_rest(tx: Tx, share: Share, *, now: datetime) -> bool:
    """Is nobody at work on the share? Then nobody begins before this transaction ends: what is known to be held may be
    changed in it, which is else for the worker alone."""
    return tx.connection.scalar(sql.AT_REST, {"share_id": share.id, "now": now}) is not None


def renew(tx: Tx, share: Share, *, now: datetime, lease: timedelta) -> bool:
    """Hold the share until `now + lease`; False if it is no longer the caller's."""
    return _guarded(tx, sql.RENEW, share, until=now + lease)


def settle(
    tx: Tx,
    share: Share,
    *,
    due: datetime | None,
    outcome: str,
    detail: str = "",
    alarms: Sequence[str] = (),
    refused: str = "",
    equal_at: datetime | None = None,
    now: datetime | None = None,
) -> bool:
    """The work is done: idle until `due`, or due at once if marked meanwhile. False: no longer the caller's, unchanged.

    `equal_at`: the moment by whose consent the partner holds what it should now; None: it does not, or not all.
    `now` is the time of the claim if left out, here and below.
    """
    return _guarded(
        tx,
        sql.SETTLE,
        share,
        at=due,
        new_state="idle",
        new_outcome=outcome,
        new_detail=detail,
        new_alarms=list(alarms),
        new_refused=refused,
        now_equal=equal_at,
        now=now or share.updated_at,
    )


def postpone(
    tx: Tx, share: Share, *, at: datetime, outcome: str, detail: str = "", now: datetime | None = None
) -> bool:
    """The work failed for now: wait until `at`, one attempt more, failing since the first. False: not the caller's."""
    values = {"at": at, "new_outcome": outcome, "new_detail": detail, "now": now or share.updated_at}
    return _guarded(tx, sql.POSTPONE, share, **values)


def stop(
    tx: Tx,
    share: Share,
    *,
    outcome: str,
    detail: str = "",
    alarms: Sequence[str] = (),
    refused: str = "",
    due: datetime | None = None,
    now: datetime | None = None,
) -> bool:
    """Do no more until something changes, a person retries, or `due`, when a permission begins or ends.

    Due at once if marked meanwhile. False: not the caller's.
    """
    return _guarded(
        tx,
        sql.STOP,
        share,
        at=due,
        new_state="stopped",
        new_outcome=outcome,
        new_detail=detail,
        new_alarms=list(alarms),
        new_refused=refused,
        now=now or share.updated_at,
    )


def put_off(tx: Tx, share: Share, *, at: datetime, now: datetime) -> bool:
    """Not tried now, and not failed: due `at`, or earlier where it is marked. False: no longer the caller's."""
    return _guarded(tx, sql.PUT_OFF, share, at=at, now=now)


def gather(tx: Tx, share: Share, *, until: datetime, now: datetime) -> bool:
    """As `put_off`, for changes that wait for others to go with them; it remembers since when the first one does."""
    return _guarded(tx, sql.GATHER, share, at=until, now=now)


def sight(tx: Tx, share: Share) -> frozenset[str] | None:
    """What the partner holds, leaf by leaf, as it was kept last; None where that is not known."""
    sealed = tx.connection.scalar(sql.SIGHT, {"share_id": share.id})
    return None if sealed is None else frozenset(orjson.loads(tx.seal.open(sealed, **_place(share))))


def keep_sight(tx: Tx, share: Share, sight: Collection[str]) -> None:
    """Keep what the partner holds now."""
    sealed = tx.seal.close(orjson.dumps(sorted(sight)), **_place(share))
    tx.connection.execute(sql.KEEP_SIGHT, {"share_id": share.id, "sealed": sealed})


def put_behind(tx: Tx, partner: str, *, until: datetime) -> None:
    """None of this partner's shares has its turn before `until`, so that no claim has to look past them."""
    tx.connection.execute(sql.PUT_BEHIND, {"of_partner": partner, "later": until})


def bring_back(tx: Tx, partner: str, *, now: datetime) -> None:
    """What is due has its turn: nothing has to wait behind anything any more."""
    tx.connection.execute(sql.BRING_BACK, {"of_partner": partner, "now": now})


def retry(tx: Tx, case_id: str, partner: str, *, now: datetime) -> bool:
    """A person wants it tried now, whatever was refused or failed before. False if there is no such share."""
    values = {"of_case": case_id, "of_partner": partner, "now": now, "long_ago": now - _LONG}
    tx.tell_workers()
    return tx.connection.execute(sql.RETRY, values).rowcount == 1


def pause(tx: Tx, partner: str, *, now: datetime) -> None:
    """Start no work for this partner, for shares to come too, until `resume`. Who is at work finishes."""
    tx.connection.execute(tx.insert_absent(pauses), {"partner": partner, "since": now})
    tx.connection.execute(sql.HOLD, {"of_partner": partner})


def resume(tx: Tx, partner: str, *, now: datetime, pace: timedelta = timedelta(0)) -> None:
    """Work for this partner again; what is due meanwhile has its turn one after the other, `pace` apart."""
    # A row for whoever pauses or resumes it at the same moment to wait for: each locks all of the partner's shares.
    tx.connection.execute(tx.insert_absent(pauses), {"partner": partner, "since": now})
    tx.connection.execute(sql.UNPAUSE, {"of_partner": partner})
    tx.connection.execute(sql.RELEASE, {"of_partner": partner})
    if pace:
        ids = tx.connection.scalars(sql.OVERDUE, {"of_partner": partner, "now": now}).all()
        turns = [{"share_id": share_id, "later": now + pace * place} for place, share_id in enumerate(ids)]
        if turns:
            tx.connection.execute(sql.SPREAD, turns)
    tx.tell_workers()


def paused(tx: Tx, partner: str) -> bool:
    """Is this partner paused?"""
    return tx.connection.scalar(sql.PAUSED, {"of_partner": partner}) is not None


def pauses_since(tx: Tx) -> dict[str, datetime]:
    """The partners that a person has paused, and since when."""
    return {row.partner: row.since for row in tx.connection.execute(sql.PAUSES)}


def of_case(tx: Tx, case_id: str) -> list[Share]:
    """The case's shares, by partner."""
    return [_share(row) for row in tx.connection.execute(sql.OF_CASE, {"of_case": case_id})]


def between(tx: Tx, case_id: str, partner: str) -> Share | None:
    """The share of this case and this partner, if there is one."""
    row = tx.connection.execute(sql.BETWEEN, {"of_case": case_id, "of_partner": partner}).one_or_none()
    return None if row is None else _share(row)


def listed(
    tx: Tx, *, partner: str | None = None, state: State | None = None, after: int = 0, limit: int = 100
) -> list[Share]:
    """Up to `limit` shares behind the id `after`, of this partner and in this state where they are given."""
    statement = sql.LISTED.where(shares.c.id > after)
    if partner is not None:
        statement = statement.where(shares.c.partner == partner)
    if state is not None:
        statement = statement.where(sql.is_in(state))
    return [_share(row) for row in tx.connection.execute(statement, {"limit": limit})]


def next_due(tx: Tx, *, skip: Collection[str] = ()) -> datetime | None:
    """When a claim with the same `skip` will next find something: a due time, or the end of a lease; None if never."""
    turn: datetime | None = tx.connection.scalar(sql.NEXT_TURN, {"skip": list(skip)})
    return turn


def _guarded(tx: Tx, statement: sa.Update, share: Share, **values: Any) -> bool:
    result = tx.connection.execute(statement, {"share_id": share.id, "held_fence": share.fence, **values})
    return result.rowcount == 1


def _place(share: Share) -> dict[str, str]:
    return {"table": "shares", "column": "sealed_sight", "row": str(share.id)}


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
