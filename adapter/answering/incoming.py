"""One referral that came in, in hand: its case and the partner's world are held while it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapter.core.referral import kept as outcomes
from adapter.core.referral.course import Course
from adapter.core.referral.inward import Inward
from adapter.core.referral.table import Dialect, State
from adapter.desk import Desk
from adapter.store import cases, shares
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.referrals import Tracked

SLOT = "answered"
REVOKED: Mapping[str, State] = {"revoked": "cancelled", "entered-in-error": "entered-in-error"}
"""States of a ServiceRequest by which its sender ends it."""
MOST_TASKS = 100
"""Tasks about one request that are looked at."""


@dataclass(slots=True)
class Incoming:
    """One referral that came in, while the case and the partner's world are held."""

    desk: Desk
    tx: Tx
    stored: StoredCase
    record: Mapping[str, Any]
    row: Tracked
    dialect: Dialect
    now: datetime
    request_id: str

    @property
    def known(self) -> Inward:
        if self.row.inward is None:
            raise TypeError("not a referral that came in")
        return self.row.inward

    def note(self, **changes: Any) -> None:
        self.row = replace(self.row, inward=replace(self.known, **changes))

    def went(self, course: Course) -> None:
        self.row = replace(self.row, course=course)


def adopted(stored: StoredCase, partner: str | None = None) -> dict[str, Mapping[str, Any]]:
    """The referrals of this case that were adopted from a partner's resources, by their paths."""
    inwards = {f"referrals/{r['id']}" for r in stored.body.get("referrals", ()) if r["direction"] == "in"}
    every: Mapping[str, Mapping[str, Any]] = stored.kept.get("arrived", {})
    return {p: came for p, came in every.items() if p in inwards and partner in (None, came["partner"])}


def keep_outcome(tx: Tx, stored: StoredCase, kept: dict[str, Any], now: datetime) -> None:
    """Keep how its referrals stand; where others may see that, their shares are due."""
    if kept == stored.kept:
        return
    cases.put(tx, stored.number, stored.body, kept, now=now)
    if outcomes.visible(kept) != outcomes.visible(stored.kept):
        shares.mark_due(tx, case_id=stored.id, now=now)
