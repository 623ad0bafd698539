"""The inbox's own rows: for each child that a partner tells of, which case it is, and what people decided.

What the partner says stands in resources.py and is read anew each time; nothing of it is here. The child's id at the
partner, and every decision, is sealed; an item is found by a blind index of that id. Whoever decides holds the case
first (`cases.get` in a transaction that writes), then the item.
"""

# ruff: noqa: A002  `id` is the word for what it names here

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from adapter.core.strict_json import dump, load
from adapter.store.database import Tx
from adapter.store.tables import case_names, inbox_items

State = Literal["waiting", "settled"]
NOBODY = ""
"""The subject of the item that holds what a partner sent of no child."""

_c, _n = inbox_items.c, case_names.c
_b = sa.bindparam

# Statements
OF_SUBJECT = sa.select(inbox_items).where(_c.partner == _b("of_partner"), _c.subject_index == _b("index"))
BY_ID = sa.select(inbox_items).where(_c.id == _b("of_id"))
BY_ID_LOCKED = BY_ID.with_for_update()
OF_CASE = sa.select(inbox_items).where(_c.case_id == _b("of_case")).order_by(_c.position)
STALE = sa.select(inbox_items).where(_c.stale.is_(True)).order_by(_c.position)
WROTE = sa.select(_c.partner).where(_c.stale.is_(True)).distinct()
TOUCH = (
    sa.update(inbox_items)
    .where(_c.partner == _b("of_partner"))
    .values(stale=True, state="waiting", version=_c.version + 1, changed_at=_b("now"))
)
TOUCH_ONE = TOUCH.where(_c.subject_index == _b("index"))
AGAIN = sa.update(inbox_items).where(_c.case_id == _b("of_case")).values(stale=True)
LISTED = sa.select(inbox_items).where(_c.position > _b("after")).order_by(_c.position).limit(_b("limit"))
SAVE = (
    sa.update(inbox_items)
    .where(_c.id == _b("of_id"), _c.version == _b("of_version"))
    .values({name: _b(f"new_{name}") for name in ("case_id", "state", "stale", "version", "changed_at", "sealed")})
)
NAMES_OF = sa.select(_n.name_index).where(_n.case_id == _b("of_case"))
FORGET_NAME = sa.delete(case_names).where(_n.case_id == _b("of_case"), _n.name_index == _b("index"))
CASES_NAMED = sa.select(_n.case_id).where(_n.name_index == _b("index")).order_by(_n.case_id).limit(_b("limit"))


@dataclass(frozen=True, slots=True)
class Item:
    """One child of one partner. `subject`: the id of its Patient; NOBODY for what is about none.

    `matched`: {"how": "identifier" | "person" | "opened", "by", "on"}; empty while it is of no case. `decisions`: what
    was decided of each path (core/inbox/deciding.py). `pairs`: `Type/id` of theirs → path of the case's record that it
    is. `alone`: a person has undone a match, so that none is made without one again. `noted`: the state, and the
    version, that the case system was last told of (adapter/arrived/settling.py).
    """

    position: int
    id: str
    partner: str
    subject: str
    case_id: str | None
    state: State
    stale: bool
    version: int
    changed_at: datetime
    matched: Mapping[str, str] = field(default_factory=dict)
    decisions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pairs: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False
    noted: str = ""


def touch(tx: Tx, partner: str, subjects: Iterable[str], *, every: bool, now: datetime) -> None:
    """The partner has written of these children; `every`: of what any of them may lead to.

    It costs the same whether a child is known here or not.
    """
    for subject in sorted(set(subjects)):
        index = _index(tx, partner, subject)
        id_ = secrets.token_hex(16)
        values = {
            "id": id_, "partner": partner, "subject_index": index, "state": "waiting", "stale": True, "version": 0,
            "changed_at": now, "sealed": _sealed(tx, Item(0, id_, partner, subject, None, "waiting", True, 0, now)),
        }  # fmt: skip
        tx.connection.execute(tx.insert_absent(inbox_items), values)
        if not every:
            tx.connection.execute(TOUCH_ONE, {"of_partner": partner, "index": index, "now": now})
    if every:
        tx.connection.execute(TOUCH, {"of_partner": partner, "now": now})
    tx.tell_workers()


def loosen(tx: Tx, partner: str, *, now: datetime) -> None:
    """Something may belong to no child any more: look again, where there ever was such a thing."""
    index = _index(tx, partner, NOBODY)
    tx.connection.execute(TOUCH_ONE, {"of_partner": partner, "index": index, "now": now})


def of_nobody(tx: Tx, partners: Iterable[str]) -> list[Item]:
    """What these partners sent of no child and nobody has looked at since, an item a partner."""
    wrote = sorted(set(tx.connection.scalars(WROTE)).intersection(partners))
    found = (tx.connection.execute(OF_SUBJECT, {"of_partner": p, "index": _index(tx, p, NOBODY)}) for p in wrote)
    return [_item(tx, row) for rows in found for row in rows if row.stale]


def again(tx: Tx, case_id: str) -> None:
    """The case is another one: what partners said of its child is to be compared with it anew."""
    tx.connection.execute(AGAIN, {"of_case": case_id})


def get(tx: Tx, id: str) -> Item | None:
    """The item of this id. A transaction that writes holds it."""
    row = tx.connection.execute(BY_ID_LOCKED if tx.writes else BY_ID, {"of_id": id}).one_or_none()
    return None if row is None else _item(tx, row)


def of_subject(tx: Tx, partner: str, subject: str) -> Item | None:
    """The item of this child of the partner's."""
    values = {"of_partner": partner, "index": _index(tx, partner, subject)}
    row = tx.connection.execute(OF_SUBJECT, values).one_or_none()
    return None if row is None else _item(tx, row)


def of_case(tx: Tx, case_id: str) -> list[Item]:
    """The items that are matched to this case."""
    return [_item(tx, row) for row in tx.connection.execute(OF_CASE, {"of_case": case_id})]


def stale(tx: Tx, *, limit: int, matched: bool = False) -> list[Item]:
    """Up to `limit` items that have to be looked at again; `matched`: of those that are of a case."""
    statement = STALE.where(_c.case_id.is_not(None)) if matched else STALE
    return [_item(tx, row) for row in tx.connection.execute(statement.limit(limit))]


def listed(
    tx: Tx,
    *,
    partner: str | None = None,
    state: State | None = None,
    case_id: str | None = None,
    after: int,
    limit: int,
) -> list[Item]:
    """Up to `limit` items behind this position, in the order in which they first came."""
    statement = LISTED
    for column, wanted in ((_c.partner, partner), (_c.state, state), (_c.case_id, case_id)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return [_item(tx, row) for row in tx.connection.execute(statement, {"after": after, "limit": limit})]


def save(tx: Tx, item: Item, *, now: datetime) -> Item | None:
    """Keep what was decided, as the next version of the item; None: it has become another one since it was read."""
    values = {
        "of_id": item.id, "of_version": item.version, "new_case_id": item.case_id, "new_state": item.state,
        "new_stale": item.stale, "new_version": item.version + 1, "new_changed_at": now,
        "new_sealed": _sealed(tx, item),
    }  # fmt: skip
    if tx.connection.execute(SAVE, values).rowcount != 1:
        return None
    return replace(item, version=item.version + 1, changed_at=now)


def looked_at(tx: Tx, item: Item) -> None:
    """Keep that the item is in this state as of this version, which stays. The caller holds the item."""
    values = {
        "of_id": item.id, "of_version": item.version, "new_case_id": item.case_id, "new_state": item.state,
        "new_stale": False, "new_version": item.version, "new_changed_at": item.changed_at,
        "new_sealed": _sealed(tx, item),
    }  # fmt: skip
    tx.connection.execute(SAVE, values)


def name(tx: Tx, case_id: str, names: Iterable[str]) -> bool:
    """The child of this case is known by these names (core/inbox/names.py) and by no others. Is there a new one?"""
    wanted = {tx.seal.index("case_names", each) for each in names}
    there = set(tx.connection.scalars(NAMES_OF, {"of_case": case_id}))
    for index in sorted(there - wanted):
        tx.connection.execute(FORGET_NAME, {"of_case": case_id, "index": index})
    for index in sorted(wanted - there):
        tx.connection.execute(tx.insert_absent(case_names), {"case_id": case_id, "name_index": index})
    return bool(wanted - there)


def named(tx: Tx, name: str, *, limit: int = 5) -> list[str]:
    """The internal ids of cases whose child is known by this name."""
    values = {"index": tx.seal.index("case_names", name), "limit": limit}
    return list(tx.connection.scalars(CASES_NAMED, values))


def _index(tx: Tx, partner: str, subject: str) -> bytes:
    return tx.seal.index(f"inbox_items {partner}", subject)


def _sealed(tx: Tx, item: Item) -> bytes:
    told = {
        "subject": item.subject, "matched": dict(item.matched), "decisions": dict(item.decisions),
        "pairs": dict(item.pairs), "alone": item.alone, "noted": item.noted,
    }  # fmt: skip
    return tx.seal.close(dump(told), table="inbox_items", column="sealed", row=item.id)


def _item(tx: Tx, row: sa.Row[Any]) -> Item:
    told = load(tx.seal.open(row.sealed, table="inbox_items", column="sealed", row=row.id))
    return Item(
        row.position, row.id, row.partner, told["subject"], row.case_id, row.state, row.stale, row.version,
        row.changed_at, told["matched"], told["decisions"], told["pairs"], told["alone"], told["noted"],
    )  # fmt: skip
