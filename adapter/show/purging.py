"""What partners were asked to purge and have not said that they have: one request, and those that wait long."""

from __future__ import annotations

from typing import Any

from adapter.core.purge import PATIENCE, alarm
from adapter.desk import Desk
from adapter.errors import NotFound
from adapter.show.found import known_case
from adapter.store import cases, purges
from adapter.store.purges import Requested

MOST = 100
"""Requests that are listed at once: those asked for longest."""


def unanswered(desk: Desk) -> dict[str, Any]:
    """`{"unanswered": […], "patience"}`: requests that partners have not answered for so many days, or have refused, of
    deleted cases too: case, partner, since when, for how many days; nothing of what was asked or said."""
    now = desk.clock()
    with desk.store.reading() as tx:
        found = purges.unanswered(tx, until=now - PATIENCE, limit=MOST)
        known = {row.case_id: cases.by_id(tx, row.case_id) for row in found}
    rows = [
        {
            "case": stored.number,
            "partner": row.partner,
            "asked": row.asked_at.isoformat(),
            "days": (now - row.asked_at).days,
            "state": row.purge.state,
        }
        for row in found
        if (stored := known[row.case_id]) is not None
    ]
    return {"unanswered": rows, "patience": PATIENCE.days}


def purge_of(desk: Desk, number: str, partner: str) -> dict[str, Any]:
    """One request in full, with what the partner said of it. NotFound: it was not asked; of a deleted case too."""
    with desk.store.reading() as tx:
        stored = known_case(tx, number)
        row = purges.of_case(tx, stored.id).get(partner)
    if row is None:
        raise NotFound("There is no such request to purge.")
    known, zone = desk.catalogue.partners.get(partner), desk.settings.time_zone
    return {
        "case": stored.number,
        "deleted": stored.deleted,
        "partner": partner,
        "name": known.name if known else partner,
        "soonest": row.asked_at.astimezone(zone).date().isoformat(),
        "today": desk.clock().astimezone(zone).date().isoformat(),
        "alarm": alarm(row.purge, row.asked_at, desk.clock()) or None,
        **said(row, words=True),
    }


def said(row: Requested, *, words: bool) -> dict[str, Any]:
    """What has become of a request; with `words` also how, when and in which words the partner said it."""
    answered = row.purge.state not in ("asked", "called-off")
    more = {"reason": row.purge.reason, "how": row.purge.how, "said_on": row.purge.said_on}
    return {
        "asked": row.asked_at.isoformat(),
        "state": row.purge.state,
        "since": row.purge.on if answered else None,
        **({name: value for name, value in more.items() if value} if words else {}),
    }
