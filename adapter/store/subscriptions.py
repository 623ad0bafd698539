"""Partners' subscriptions at our /fhir, and what has happened for each: numbered in the transaction in which it did.

Only what a partner may see makes an event (resources.py): its own world and the view that it is served change there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa

from adapter.core.fhir.search import Pairs
from adapter.core.strict_json import dump, load
from adapter.core.subscriptions import theirs, words
from adapter.core.subscriptions.words import Status
from adapter.store.claiming import longest_due
from adapter.store.database import Tx
from adapter.store.tables import Instant, subscription_events, subscriptions

VIEW = "view/"
"""What stands before a partner's id in the name of the world in which its view is served."""
_WELL: dict[str, object] = {"troubled_at": None, "alarmed": False}
"""That its endpoint takes what it is told, or that it asks for nothing."""
KEPT = 1000
"""Events of one subscription that are kept at most: what a partner that was away for longer must read anyway."""

_c, _e = subscriptions.c, subscription_events.c
_b = sa.bindparam
_NOW = _b("now", type_=Instant)

# Statements
INSERT = sa.insert(subscriptions)
OF_PARTNER = sa.select(subscriptions).where(_c.partner == _b("of_partner")).order_by(_c.updated_at, _c.id)
ONE = sa.select(subscriptions).where(_c.partner == _b("of_partner"), _c.id == _b("of_id"))
ONE_LOCKED = ONE.with_for_update()
LISTENING = sa.select(subscriptions).where(
    _c.partner == _b("of_partner"),
    _c.status != "off",
    _c.topic.in_(_b("topics", expanding=True)),
    sa.or_(_c.ends.is_(None), _c.ends > _NOW),
)
REPLACE = sa.update(subscriptions).where(_c.id == _b("of_id"))
FORGET = sa.delete(subscriptions).where(_c.id == _b("of_id"))
FORGET_EVENTS = sa.delete(subscription_events).where(_e.subscription == _b("of_id"))
FORGET_OLD = FORGET_EVENTS.where(_e.number <= _b("until"))
_FREE = sa.or_(_c.lease_until.is_(None), _c.lease_until <= _NOW)
# While a worker is at it, it sees by the number that there is more: nobody else begins beside it. Nor is one that waits
# for its next attempt tried sooner.
HAPPENED = (
    sa.update(subscriptions)
    .where(_c.id == _b("of_id"))
    .values(
        number=_c.number + 1,
        due=sa.case((sa.and_(_c.status == "active", _c.attempts == 0, _FREE), _NOW), else_=_c.due),
    )
    .returning(_c.number)
)
ADD_EVENT = sa.insert(subscription_events)
EVENTS = (
    sa.select(subscription_events)
    .where(_e.subscription == _b("of_id"), _e.number >= _b("first"), _e.number <= _b("last"))
    .order_by(_e.number)
    .limit(_b("limit"))
)
ACCOUNTED = (
    sa.update(subscription_events)
    .where(_e.subscription == _b("of_id"), _e.number.in_(_b("numbers", expanding=True)))
    .values(accounted=True)
)
CLAIM = (
    sa.update(subscriptions)
    .where(_c.id == longest_due(_c.id, _c.due, _c.partner.in_(_b("among", expanding=True))))
    .values(fence=_c.fence + 1, due=_b("until", type_=Instant), lease_until=_b("until", type_=Instant))
    .returning(subscriptions)
)
SETTLE = sa.update(subscriptions).where(
    _c.id == _b("of_id"), _c.fence == _b("held_fence"), _c.version == _b("held_version")
)
NEXT_DUE = sa.select(sa.func.min(_c.due)).where(_c.partner.in_(_b("among", expanding=True)))


@dataclass(frozen=True, slots=True)
class Subscription:
    """One partner's subscription. `resource` as it was sent; `base`: our address, as it was asked at; `number`: of the
    last event; `told`: of the last one that its endpoint took."""

    id: str
    partner: str
    version: int
    topic: str
    status: Status
    number: int
    told: int
    ends: datetime | None
    due: datetime | None
    fence: int
    attempts: int
    detail: str
    said_at: datetime | None
    updated_at: datetime
    troubled_at: datetime | None
    alarmed: bool
    base: str
    filters: Pairs
    resource: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Happened:
    """One event: which of the count, when, to what; `accounted`: is it in the account that its id was told?"""

    number: int
    at: datetime
    type: str
    id: str
    accounted: bool


def create(
    tx: Tx, id_: str, partner: str, resource: Mapping[str, Any], *, asked: theirs.Asked, base: str, now: datetime
) -> Subscription:
    """Keep a new one; it is due at once, to be greeted."""
    status: Status = "off" if asked.off else "requested"
    values = {
        "id": id_, "partner": partner, "version": 1, "topic": asked.topic, "status": status, "number": 0, "told": 0,
        "ends": asked.ends, "due": None if asked.off else now, "fence": 0, "attempts": 0, "detail": "",
        "updated_at": now, "sealed": _sealed(tx, id_, base, resource, asked),
    }  # fmt: skip
    tx.connection.execute(INSERT, values)
    tx.tell_workers()
    return _kept(tx, partner, id_)


def replace(
    tx: Tx, before: Subscription, resource: Mapping[str, Any], *, asked: theirs.Asked, base: str, now: datetime
) -> Subscription:
    """Its partner asks for something else, or again: it is greeted anew. The count goes on."""
    values = {
        "version": before.version + 1, "topic": asked.topic, "status": "off" if asked.off else "requested",
        "ends": asked.ends, "due": None if asked.off else now, "lease_until": None, "attempts": 0, "detail": "",
        "updated_at": now, "sealed": _sealed(tx, before.id, base, resource, asked), **(_WELL if asked.off else {}),
    }  # fmt: skip
    tx.connection.execute(REPLACE.values(values), {"of_id": before.id})
    tx.tell_workers()
    return _kept(tx, before.partner, before.id)


def delete(tx: Tx, partner: str, id_: str) -> bool:
    """It is gone, with what was to be told. False: there is none."""
    if tx.connection.execute(ONE_LOCKED, {"of_partner": partner, "of_id": id_}).one_or_none() is None:
        return False
    tx.connection.execute(FORGET_EVENTS, {"of_id": id_})
    tx.connection.execute(FORGET, {"of_id": id_})
    return True


def find(tx: Tx, partner: str, id_: str) -> Subscription | None:
    """This partner's subscription of this id; in a transaction that writes it is kept from others."""
    statement = ONE_LOCKED if tx.writes else ONE
    row = tx.connection.execute(statement, {"of_partner": partner, "of_id": id_}).one_or_none()
    return None if row is None else _read(tx, row)


def of_partner(tx: Tx, partner: str) -> list[Subscription]:
    """Every one that this partner has."""
    return [_read(tx, row) for row in tx.connection.execute(OF_PARTNER, {"of_partner": partner})]


def happened(tx: Tx, world: str, type_: str, id_: str, indexed: Callable[[], theirs.Indexed], *, now: datetime) -> None:
    """What stands in this world has changed: an event for each subscription of its partner that asks for that. Called
    in the transaction that changes it, so that none is lost and none is told of what was not kept. `indexed`: the terms
    that it is found by."""
    topics = words.TOPICS if type_ == "Task" else (words.READABLE,)
    partner = world.removeprefix(VIEW)
    for row in tx.connection.execute(LISTENING, {"of_partner": partner, "topics": topics, "now": now}).all():
        one = _read(tx, row)
        if one.filters and not theirs.takes(one.filters, indexed()):
            continue
        number = tx.connection.execute(HAPPENED, {"of_id": one.id, "now": now}).scalar_one()
        sealed = tx.seal.close(
            dump([type_, id_]), table="subscription_events", column="sealed", row=f"{one.id}/{number}"
        )
        event = {"subscription": one.id, "number": number, "at": now, "sealed": sealed, "accounted": False}
        tx.connection.execute(ADD_EVENT, event)
        tx.connection.execute(FORGET_OLD, {"of_id": one.id, "until": number - KEPT})
        tx.tell_workers()


def events(tx: Tx, one: Subscription, *, first: int, last: int, limit: int = KEPT) -> Sequence[Happened]:
    """Its events of these numbers, as far as they are kept, `limit` at most."""
    asked = {"of_id": one.id, "first": max(first, 0), "last": min(last, 2**62), "limit": limit}
    found = []
    for row in tx.connection.execute(EVENTS, asked):
        place = f"{one.id}/{row.number}"
        type_, id_ = load(tx.seal.open(row.sealed, table="subscription_events", column="sealed", row=place))
        found.append(Happened(row.number, row.at, type_, id_, row.accounted))
    return found


def accounted(tx: Tx, one: Subscription, numbers: Collection[int]) -> None:
    """That these were told is in the account."""
    if numbers:
        tx.connection.execute(ACCOUNTED, {"of_id": one.id, "numbers": list(numbers)})


def claim(tx: Tx, *, among: Collection[str], now: datetime, lease: timedelta) -> Subscription | None:
    """Take the one of these partners that has been due longest; None if none is."""
    row = tx.connection.execute(CLAIM, {"now": now, "until": now + lease, "among": list(among)}).one_or_none()
    return None if row is None else _read(tx, row)


def settle(
    tx: Tx,
    held: Subscription,
    *,
    status: Status,
    told: int,
    attempts: int,
    detail: str,
    due: datetime | None,
    now: datetime,
    said: bool,
) -> bool:
    """How it stands after a turn: due now, where more has happened meanwhile. False: another worker, or its partner,
    has changed it; then nothing is."""
    more = sa.and_(_c.number > told, sa.literal(status == "active" and not attempts))
    values = {
        "status": status, "told": told, "attempts": attempts, "detail": detail, "lease_until": None,
        "due": sa.case((more, sa.literal(now, type_=Instant)), else_=sa.literal(due, type_=Instant)),
        "said_at": now if said else held.said_at,
        **({"troubled_at": held.troubled_at or now} if status == "error" else _WELL),
    }  # fmt: skip
    key = {"of_id": held.id, "held_fence": held.fence, "held_version": held.version}
    return tx.connection.execute(SETTLE.values(values), key).rowcount == 1


def next_due(tx: Tx, *, among: Collection[str]) -> datetime | None:
    """When a claim with the same `among` will next find something; None if never."""
    due: datetime | None = tx.connection.scalar(NEXT_DUE, {"among": list(among)})
    return due


def _kept(tx: Tx, partner: str, id_: str) -> Subscription:
    return _read(tx, tx.connection.execute(ONE, {"of_partner": partner, "of_id": id_}).one())


def _sealed(tx: Tx, id_: str, base: str, resource: Mapping[str, Any], asked: theirs.Asked) -> bytes:
    plain = dump({"base": base, "resource": resource, "filters": asked.filters})
    return tx.seal.close(plain, table="subscriptions", column="sealed", row=id_)


def _read(tx: Tx, row: sa.Row[Any]) -> Subscription:
    told = load(tx.seal.open(row.sealed, table="subscriptions", column="sealed", row=row.id))
    plain = {name: value for name, value in row._asdict().items() if name not in ("sealed", "lease_until")}
    plain["status"] = cast(Status, plain["status"])
    return Subscription(**plain, base=told["base"], filters=told["filters"], resource=told["resource"])
