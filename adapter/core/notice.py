"""What the agency's case system is told of, and how it reads: that something has happened, and where it asks what.

A notice that leaves names a kind, a number, an instant, an opaque case and a link to the API: nothing about anybody.
What it is about is told there, to whoever has a token. The form is that of Standard Webhooks
(https://www.standardwebhooks.com): type, timestamp, data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

Kind = Literal["referral.answered", "inbox.changed", "inbox.settled", "share.stopped", "purge.answered"]

SENTENCES: Mapping[Kind | Literal["trial"], str] = {
    "referral.answered": "A receiver has moved a referral, or has tried to.",
    "inbox.changed": "An item of the inbox has changed, and something of it waits for the agency.",
    "inbox.settled": "Nothing of an item of the inbox waits any more.",
    "share.stopped": "A share has stopped: it is not tried again until something changes or a person says so.",
    "purge.answered": "A partner has answered the request to purge what was taken back.",
    "trial": "This is a trial: notices reach you.",
}
TRIAL: Literal["trial"] = "trial"

KEPT = timedelta(days=30)
"""So long a notice can be listed, and told again."""
GIVES_UP = timedelta(hours=96)
"""After so long without one that was taken the rest waits for a person (core/retry.py counts it)."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. `number` grows by one; `id` names it, however often it is told; `about`: `case` (the internal id,
    which says nothing), `partner`, `path` (of a record), `item` (of the inbox), as far as they apply."""

    number: int
    id: str
    kind: Kind
    about: Mapping[str, str]
    at: datetime


def told(notice: Notice, address: str) -> dict[str, Any]:
    """A notice as it leaves. `address`: ours, as the case system reaches it; without one the link is a path."""
    data: dict[str, Any] = {"number": notice.number, "sentence": SENTENCES[notice.kind]}
    if "case" in notice.about:
        data["case"] = notice.about["case"]
    data["link"] = f"{address}/api/notices?after={notice.number - 1}&limit=1"
    return {"type": notice.kind, "timestamp": notice.at.isoformat(), "data": data}


def trial(at: datetime) -> dict[str, Any]:
    """A trial, which has no number."""
    return {"type": TRIAL, "timestamp": at.isoformat(), "data": {"sentence": SENTENCES[TRIAL]}}


def listed(notice: Notice, number: str | None) -> dict[str, Any]:
    """A notice for whoever has a token. `number`: the agency's own of the case; None where it is about none."""
    about = notice.about
    row = {
        "number": notice.number,
        "id": notice.id,
        "type": notice.kind,
        "timestamp": notice.at.isoformat(),
        "sentence": SENTENCES[notice.kind],
        "case": number,
        "partner": about.get("partner"),
        "path": about.get("path"),
        "item": about.get("item"),
        "link": _link(notice, number),
    }
    return {name: value for name, value in row.items() if value is not None}


def _link(notice: Notice, number: str | None) -> str | None:
    """Where the API says more; without the address."""
    about = notice.about
    match notice.kind:
        case "inbox.changed" | "inbox.settled":
            return f"/api/inbox/{about['item']}" if "item" in about else "/api/inbox"
        case "referral.answered" if number is not None and "path" in about:
            return f"/api/referrals/{_segment(number)}/{_segment(about['path'].partition('/')[2])}"
        case _ if number is not None:
            return f"/api/cases/{_segment(number)}/shares"
    return None


def _segment(text: str) -> str:
    return quote(text, safe="")
