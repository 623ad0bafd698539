"""A person acts: a share is tried again."""

from __future__ import annotations

from typing import Any

from adapter.desk import Desk
from adapter.errors import NotFound
from adapter.store import cases, shares


def retry(desk: Desk, number: str, partner: str) -> dict[str, Any]:
    """Make one share due now, whatever stopped it or made it wait."""
    now = desk.clock()
    with desk.store.writing() as tx:
        stored = cases.get(tx, number)
        if stored is None or not shares.retry(tx, stored.id, partner, now=now):
            raise NotFound("There is no such share.")
    desk.wake.set()
    return {"case": number, "partner": partner, "due": now.isoformat()}
