"""How far a look at all that a partner holds has come: share by share, in the order of their numbers."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from adapter.store.database import Tx
from adapter.store.tables import resyncs, shares

_PARTNER = resyncs.c.partner == sa.bindparam("of_partner")

# Statements
POSITION = sa.select(resyncs.c.after_share).where(_PARTNER)
ADVANCE = sa.update(resyncs).where(_PARTNER).values(after_share=sa.bindparam("place"))
END = sa.delete(resyncs).where(_PARTNER)
COUNT = sa.select(sa.func.count()).where(shares.c.partner == sa.bindparam("of_partner"))
COUNT_UP_TO = COUNT.where(shares.c.id <= sa.bindparam("place"))


def begin(tx: Tx, partner: str, *, now: datetime) -> None:
    """Let there be a look at this partner's shares: one that is under way stays where it is."""
    tx.connection.execute(tx.insert_absent(resyncs), {"partner": partner, "after_share": 0, "since": now})


def place(tx: Tx, partner: str) -> int | None:
    """The number of the share behind which to go on; None: none has begun, or it is through."""
    found: int | None = tx.connection.scalar(POSITION, {"of_partner": partner})
    return found


def advance(tx: Tx, partner: str, share_id: int) -> None:
    """This share has been looked to."""
    tx.connection.execute(ADVANCE, {"of_partner": partner, "place": share_id})


def end(tx: Tx, partner: str) -> None:
    """It is through, or is to begin anew."""
    tx.connection.execute(END, {"of_partner": partner})


def progress(tx: Tx, partner: str, share_id: int) -> tuple[int, int]:
    """(how many shares of the partner there are up to this one, how many there are at all)."""
    values = {"of_partner": partner, "place": share_id}
    return int(tx.connection.scalar(COUNT_UP_TO, values) or 0), int(tx.connection.scalar(COUNT, values) or 0)
