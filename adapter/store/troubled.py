"""Which subscriptions have not worked for long, ours at a partner and a partner's here, and of which people know.

Read without opening anything that is sealed: who is told of it learns the partner, and nothing of what is told there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from adapter.store.database import Tx
from adapter.store.tables import Instant, subscribed, subscriptions

Whose = Literal["subscription", "subscriber"]
"""subscription: ours, at the server of a partner; subscriber: a partner's, here."""

_o, _t = subscribed.c, subscriptions.c
_b = sa.bindparam
_NOW, _UNTIL = _b("now", type_=Instant), _b("until", type_=Instant)

# Statements
# Ours that is to be looked at now may work again: that is seen first.
OURS = (
    sa.select(_o.partner, _o.partner.label("id"), _o.troubled_at, _o.alarmed)
    .where(_o.troubled_at <= _UNTIL, sa.or_(_o.due.is_(None), _o.due > _NOW))
    .order_by(_o.partner)
)
THEIRS = (
    sa.select(_t.partner, _t.id, _t.troubled_at, _t.alarmed)
    .where(_t.troubled_at <= _UNTIL, sa.or_(_t.ends.is_(None), _t.ends > _NOW))
    .order_by(_t.partner, _t.id)
)
ALARM_OURS = (
    sa.update(subscribed)
    .where(_o.partner == _b("of_id"), _o.troubled_at <= _UNTIL, sa.not_(_o.alarmed))
    .values(alarmed=True)
)
ALARM_THEIRS = (
    sa.update(subscriptions)
    .where(_t.id == _b("of_id"), _t.troubled_at <= _UNTIL, sa.not_(_t.alarmed))
    .values(alarmed=True)
)


@dataclass(frozen=True, slots=True)
class Troubled:
    """One subscription that does not work, since when, and whether people have been told."""

    whose: Whose
    partner: str
    id: str
    since: datetime
    alarmed: bool


def listed(tx: Tx, *, until: datetime, now: datetime) -> list[Troubled]:
    """Those that have not worked since `until` or longer."""
    asked = {"until": until, "now": now}
    ours = [Troubled("subscription", *row) for row in tx.connection.execute(OURS, asked)]
    return ours + [Troubled("subscriber", *row) for row in tx.connection.execute(THEIRS, asked)]


def alarm(tx: Tx, one: Troubled, *, until: datetime) -> bool:
    """People are being told. False: they have been, or it works again."""
    statement = ALARM_OURS if one.whose == "subscription" else ALARM_THEIRS
    return tx.connection.execute(statement, {"of_id": one.id, "until": until}).rowcount == 1
