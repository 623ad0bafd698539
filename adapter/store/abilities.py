"""What each partner's server has been found to be able to do: the last statement that could be read, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from adapter.core.fhir.abilities import Abilities, as_json, of_json
from adapter.core.partner import Partner
from adapter.store.database import Tx
from adapter.store.tables import abilities

FRESH = timedelta(days=1)
SOON = timedelta(hours=1)
"""When a server that did not tell is asked again."""

_c = abilities.c

# Statements
OF_PARTNER = sa.select(abilities).where(_c.partner == sa.bindparam("of_partner"))
FORGET = sa.delete(abilities).where(_c.partner == sa.bindparam("of_partner"))


@dataclass(frozen=True, slots=True)
class Known:
    """`told` is None where no statement could ever be read at this address. Times are UTC."""

    told: Abilities | None
    read_at: datetime | None
    asked_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        """Need the server not be asked again yet?"""
        latest = self.read_at or datetime.min.replace(tzinfo=now.tzinfo)
        return now < (self.asked_at + SOON if latest < self.asked_at else latest + FRESH)


def known(tx: Tx, partner: Partner) -> Known | None:
    """What is kept of the server at the address in the partner's file; None: nothing yet, or of another address."""
    row = tx.connection.execute(OF_PARTNER, {"of_partner": partner.id}).one_or_none()
    if row is None or row.address != _address(partner):
        return None
    return Known(of_json(row.told) if row.told else None, row.read_at, row.asked_at)


def keep(tx: Tx, partner: Partner, found: Known) -> None:
    """Keep this in place of what was known. Several workers may have asked at once: the last one's answer stays."""
    row = {
        "address": _address(partner),
        "told": as_json(found.told) if found.told else None,
        "read_at": found.read_at,
        "asked_at": found.asked_at,
    }
    tx.put(abilities, {"partner": partner.id}, row)


def forget(tx: Tx, partner: str) -> None:
    """It will be asked before anything is sent to it again."""
    tx.connection.execute(FORGET, {"of_partner": partner})


def _address(partner: Partner) -> str:
    return f"{partner.release} {partner.base_url}"
