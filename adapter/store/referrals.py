"""What has become of each referral that was sent, or that a partner sent us: sealed whole, one row a referral.

Of one that came in, the partner's Task and ServiceRequest are found by a blind index of their ids: those may tell
something. Whoever changes a row holds its case (`cases.get` in a transaction that writes): no two do so at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from adapter.core.referral import course as courses
from adapter.core.referral.answer import names_in
from adapter.core.referral.course import Course
from adapter.core.referral.inward import Inward
from adapter.store.database import Tx
from adapter.store.tables import holdings, referrals, shares

_c, _h = referrals.c, holdings.c
_b = sa.bindparam

# Statements
OF_CASE = sa.select(referrals).where(_c.case_id == _b("of_case")).order_by(_c.id)
BY_URN = sa.select(referrals).where(_c.urn == _b("of_urn"))
UPDATE = (
    sa.update(referrals)
    .where(_c.id == _b("row_id"))
    .values(open=_b("is_open"), sealed=_b("closed"), updated_at=_b("now"))
)
UPDATE_INWARD = UPDATE.values(value=_b("on_task"), request=_b("on_request"))
# What a partner holds and may still answer; a Task that was taken back is asked for no more.
ASKED = (
    sa.select(_c.id, _h.system, _h.value)
    .join(shares, sa.and_(shares.c.case_id == _c.case_id, shares.c.partner == _c.partner))
    .join(holdings, sa.and_(_h.share_id == shares.c.id, _h.urn == _c.urn))
    .where(_c.partner == _b("of_partner"), _c.open, _h.state == "active")
    .order_by(_c.id)
)
NAMED = sa.select(referrals).where(
    _c.partner == _b("of_partner"),
    _c.system == _b("of_system"),
    sa.or_(_c.value == _b("of_value"), _c.request == _b("of_value")),
)
BY_ID = sa.select(referrals).where(_c.id == _b("row_id"))
INWARD = ""
"""The identifier system in the rows of referrals that came in: no identifier of ours has it."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """One referral that was sent to `partner`, or came from it (`inward`: what is known of its side); `path`: its
    record's; `handover`: step → {"on", "by"}, as people say."""

    id: int
    case_id: str
    partner: str
    urn: str
    path: str
    course: Course
    handover: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    inward: Inward | None = None
    late: str = ""
    """The day by which an answer was asked for, once people have been told that there was none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A Task that is asked for: the row of its referral, and its business identifier at the partner."""

    id: int
    identifier: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Names:
    """Under which names of ours one partner knows a referral."""

    urn: str
    system: str
    value: str
    request: str


def ensure(tx: Tx, case_id: str, partner: str, names: Names, path: str, course: Course, *, now: datetime) -> Tracked:
    """The row of a referral; a new one with this course, where there is none."""
    if (there := by_urn(tx, names.urn)) is not None:
        return there
    values = {"case_id": case_id, "partner": partner, "open": True, "updated_at": now, **asdict(names)}
    tracked = Tracked(0, case_id, partner, names.urn, path, course)
    tx.connection.execute(tx.insert_absent(referrals), {**values, "sealed": _sealed(tx, tracked)})
    made = by_urn(tx, names.urn)
    if made is None:
        raise LookupError("a referral that was just kept cannot be read")
    return made


def received(tx: Tx, case_id: str, partner: str, urn: str, path: str, start: Inward, *, now: datetime) -> Tracked:
    """The row of a referral that came from this partner; a new one, where there is none."""
    if (there := by_urn(tx, urn)) is not None:
        return there
    tracked = Tracked(0, case_id, partner, urn, path, Course(), inward=start)
    values = {
        "case_id": case_id, "partner": partner, "open": True, "updated_at": now, "urn": urn, "system": INWARD,
        "value": _place(tx, partner, "Task", start.task),
        "request": _place(tx, partner, "ServiceRequest", start.request),
    }  # fmt: skip
    tx.connection.execute(tx.insert_absent(referrals), {**values, "sealed": _sealed(tx, tracked)})
    made = by_urn(tx, urn)
    if made is None:
        raise LookupError("a referral that was just kept cannot be read")
    return made


def came_as(tx: Tx, partner: str, type_: str, id_: str) -> list[Tracked]:
    """The referrals that came from this partner as its `type_`/`id_`: the ServiceRequest, or the Task that is answered
    on."""
    column = {"Task": _c.value, "ServiceRequest": _c.request}.get(type_)
    if column is None or not id_:
        return []
    place = _place(tx, partner, type_, id_)
    rows = sa.select(referrals).where(_c.partner == partner, _c.system == INWARD, column == place).order_by(_c.id)
    return [_tracked(tx, row) for row in tx.connection.execute(rows)]


def by_urn(tx: Tx, urn: str) -> Tracked | None:
    """The referral whose Task has this urn."""
    row = tx.connection.execute(BY_URN, {"of_urn": urn}).one_or_none()
    return None if row is None else _tracked(tx, row)


def by_id(tx: Tx, row_id: int) -> Tracked | None:
    """The referral of this row."""
    row = tx.connection.execute(BY_ID, {"row_id": row_id}).one_or_none()
    return None if row is None else _tracked(tx, row)


def of_case(tx: Tx, case_id: str, *, inward: bool = False) -> list[Tracked]:
    """The case's referrals that were sent, or else those that came in, in the order in which they were."""
    every = [_tracked(tx, row) for row in tx.connection.execute(OF_CASE, {"of_case": case_id})]
    return [row for row in every if (row.inward is not None) == inward]


def save(tx: Tx, tracked: Tracked, *, is_open: bool, now: datetime) -> None:
    """Keep what has become of it."""
    values = {"row_id": tracked.id, "is_open": is_open, "closed": _sealed(tx, tracked), "now": now}
    if (known := tracked.inward) is None:
        tx.connection.execute(UPDATE, values)
        return
    places = {
        "on_task": _place(tx, tracked.partner, "Task", known.task),
        "on_request": _place(tx, tracked.partner, "ServiceRequest", known.request),
    }
    tx.connection.execute(UPDATE_INWARD, values | places)


def asked(tx: Tx, partner: str) -> list[Asked]:
    """The Tasks that this partner holds and may still answer."""
    rows = tx.connection.execute(ASKED, {"of_partner": partner})
    return [Asked(row.id, (row.system, row.value)) for row in rows]


def named(tx: Tx, partner: str, identifier: tuple[str, str]) -> Tracked | None:
    """The referral that was sent to this partner under our identifier: of its Task, or of what that is about."""
    values = {"of_partner": partner, "of_system": identifier[0], "of_value": identifier[1]}
    row = tx.connection.execute(NAMED, values).first() if identifier[0] != INWARD else None
    return None if row is None else _tracked(tx, row)


def is_answer(tx: Tx, partner: str, resource: Mapping[str, Any]) -> bool:
    """Is this a Task that answers a referral of ours? It is heard (answers.py), and is no matter of the inbox."""
    if resource.get("resourceType") != "Task":
        return False
    return any(named(tx, partner, name) is not None for name in names_in(resource))


def _place(tx: Tx, partner: str, type_: str, id_: str) -> str:
    return tx.seal.index(f"referrals {partner} {type_}", id_).hex()


def _sealed(tx: Tx, tracked: Tracked) -> bytes:
    told: dict[str, Any] = {
        "path": tracked.path,
        "course": courses.written(tracked.course),
        "handover": {step: dict(said) for step, said in tracked.handover.items()},
        **({"inward": asdict(tracked.inward)} if tracked.inward is not None else {}),
        **({"late": tracked.late} if tracked.late else {}),
    }
    return tx.seal.close(orjson.dumps(told), table="referrals", column="sealed", row=tracked.urn)


def _tracked(tx: Tx, row: sa.Row[Any]) -> Tracked:
    told = orjson.loads(tx.seal.open(row.sealed, table="referrals", column="sealed", row=row.urn))
    course = courses.read(told["course"])
    known = told.get("inward")
    inward = Inward(**{**known, "former": tuple(known["former"])}) if known is not None else None
    return Tracked(
        row.id, row.case_id, row.partner, row.urn, told["path"], course, told["handover"], inward, told.get("late", "")
    )  # fmt: skip
