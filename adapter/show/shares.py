"""What is shared with whom: shares, partners, the first page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from adapter.core.alert import SENTENCES
from adapter.core.pace import Pace
from adapter.core.purge import alarm
from adapter.desk import Desk, Preview
from adapter.show.found import known_case, page_of
from adapter.show.purging import said
from adapter.store import holdings, paces, purges, subscribed, troubled
from adapter.store import shares as share_rows
from adapter.store.database import Tx
from adapter.store.purges import Requested
from adapter.store.subscribed import Subscribed
from adapter.store.troubled import Whose

FIRST_PAGE = 50
"""Cases on the first page: it is read by a person, and tells what each partner holds of each."""


def shares_of(desk: Desk, number: str, *, words: bool = False) -> list[dict[str, Any]]:
    """The shares of a case, a partner each; `purge`: what has become of the request to purge what was taken back, with
    `words` also in the partner's own, for people who look after cases."""
    with desk.store.reading() as tx:
        case_id = known_case(tx, number).id
        asked, now = purges.of_case(tx, case_id), desk.clock()
        every = share_rows.of_case(tx, case_id)
        return [_share(desk, s) | {"purge": _purge(asked.get(s.partner), now, words=words)} for s in every]


def troubled_at(desk: Desk) -> dict[str, list[Whose]]:
    """Partners whose subscriptions have not worked for as long as the settings say: whose each of them is."""
    now = desk.clock()
    with desk.store.reading() as tx:
        found = troubled.listed(tx, until=now - timedelta(hours=desk.settings.alerts.subscription_hours), now=now)
    by: dict[str, list[Whose]] = {}
    for one in found:
        if one.partner in desk.catalogue.partners and one.whose not in by.setdefault(one.partner, []):
            by[one.partner].append(one.whose)
    return by


def partners(desk: Desk | Preview) -> list[dict[str, Any]]:
    """The partners of the instance, and how each is called at present; nothing secret."""
    kept: dict[str, Pace] = {}
    pauses: dict[str, datetime] = {}
    told: dict[str, Subscribed] = {}
    troubles: dict[str, list[Whose]] = {}
    if isinstance(desk, Desk):
        troubles = troubled_at(desk)
        with desk.store.reading() as tx:
            kept, pauses, told = paces.listed(tx), share_rows.pauses_since(tx), subscribed.listed(tx)
    return [
        {
            "id": p.id,
            "name": p.name,
            "sectors": list(p.sectors),
            "purpose": p.purpose,
            "release": p.release,
            "base_url": p.base_url or p.folder,
            "since": p.since.isoformat(),
            "paused": p.paused or p.id in pauses,
            "paused_since": pauses[p.id].isoformat() if p.id in pauses else None,
            "rate": p.rate or None,
            **_called(kept.get(p.id, Pace())),
            "subscription": _subscription(told[p.id]) if p.id in told else None,
            "alarms": [{"alarm": kind, "sentence": SENTENCES[kind]} for kind in troubles.get(p.id, ())],
        }
        for p in desk.catalogue.partners.values()
    ]


def _called(pace: Pace) -> dict[str, Any]:
    """`circuit`: closed, or open since the partner was found to be away; `slowed`: seconds between two requests, where
    the partner has said that they are too many."""
    return {
        "circuit": "open" if pace.is_open else "closed",
        "open_since": pace.open_since.isoformat() if pace.open_since else None,
        "next_try": pace.try_at.isoformat() if pace.is_open and pace.try_at else None,
        "slowed": round(pace.spacing, 1) or None,
    }


def _subscription(ours: Subscribed) -> dict[str, Any]:
    """Of the subscription that we keep there: how it stands, and how often something was not told to us."""
    return {
        "state": ours.state,
        "detail": ours.detail,
        "ends": ours.ends.isoformat() if ours.ends else None,
        "heard_at": ours.heard_at.isoformat() if ours.heard_at else None,
        "missed": ours.missed,
        "missed_at": ours.missed_at.isoformat() if ours.missed_at else None,
    }


def jwks(desk: Desk) -> dict[str, Any]:
    """The public parts of the keys with which partners check that it is us (RFC 7517)."""
    return desk.signing().public()


def overview(desk: Desk, *, after: str | None = None) -> dict[str, Any]:
    """The first page: the partners, and a page of cases in the order first saved, behind the case `after`: the state of
    each pair and what the partner holds of it. `next`: the last of them, where there may be more."""
    found, next_ = page_of(desk, None, after, FIRST_PAGE)
    with desk.store.reading() as tx:
        rows = [
            {"case": s.number, "shares": [_share(desk, x) | _held(tx, x) for x in share_rows.of_case(tx, s.id)]}
            for s in found
        ]
    return {"agency": desk.settings.agency_name, "partners": partners(desk), "cases": rows, "next": next_}


def _share(desk: Desk, share: share_rows.Share) -> dict[str, Any]:
    whom = desk.catalogue.partners.get(share.partner)
    held = whom is not None and whom.paused and share.state != "working"
    return {
        "partner": share.partner,
        "state": "paused" if held else share.state,  # in its file, as by a person: nothing of it goes
        "due": share.due.isoformat() if share.due else None,
        "outcome": share.outcome,
        "detail": share.detail,
        "attempts": share.attempts,
        "alarms": list(share.alarms),
        "updated_at": share.updated_at.isoformat(),
    }


def _purge(row: Requested | None, now: datetime, *, words: bool) -> dict[str, Any] | None:
    if row is None:
        return None
    return {**said(row, words=words), "alarm": alarm(row.purge, row.asked_at, now) or None}


def _held(tx: Tx, share: share_rows.Share) -> dict[str, Any]:
    there = [h for h in holdings.of_share(tx, share.id) if h.state != "withdrawn"]
    return {"resources": len(there), "parts": sorted({part for h in there for part in h.parts})}
