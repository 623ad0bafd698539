"""Which children wait until a person has said who they are among a partner's patients."""

from __future__ import annotations

from typing import Any

from adapter.desk import Desk
from adapter.store import cases, matches

PAGE = 100


def to_match(desk: Desk, *, after: int = 0) -> dict[str, Any]:
    """`{"matches": […], "next"}`: case, partner, since when, and the ids there that come into question with how sure
    the partner is; nothing of anybody else's child. `next`: what to ask for as `after`; None on the last page."""
    with desk.store.reading() as tx:
        found = matches.waiting(tx, after=after, limit=PAGE)
        known = {case_id: cases.by_id(tx, case_id) for _, case_id, _ in found}
        numbers = {case_id: stored.number for case_id, stored in known.items() if stored and not stored.deleted}
    rows = [
        {
            "case": numbers[case_id],
            "partner": partner,
            "since": match.saved_at.isoformat(),
            "candidates": [{"id": each.id, "score": each.score} for each in match.candidates],
        }
        for match, case_id, partner in found
        if case_id in numbers
    ]
    return {"matches": rows, "next": found[-1][0].share_id if len(found) == PAGE else None}
