"""Small changes to a case, named so that a row of the table reads as a sentence."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

Change = Callable[[dict[str, Any]], None]
TORONTO = ZoneInfo("America/Toronto")


def local(year: int, month: int, day: int, *clock: int) -> datetime:
    """A moment on the wall clock of the agency."""
    return datetime(year, month, day, *clock, tzinfo=TORONTO)


def nothing(_: dict[str, Any]) -> None:
    """The case as it is."""


def both(*changes: Change) -> Change:
    def change(case: dict[str, Any]) -> None:
        for each in changes:
            each(case)

    return change


def put(path: str, **fields: Any) -> Change:
    """Set fields of the record or entry at `path`; None takes the field away."""

    def change(case: dict[str, Any]) -> None:
        place: Any = case
        for step in path.split("/"):
            place = next(each for each in place if each["id"] == step) if isinstance(place, list) else place[step]
        for name, value in fields.items():
            if value is None:
                place.pop(name, None)
            else:
                place[name] = copy.deepcopy(value)

    return change


def add(path: str, **record: Any) -> Change:
    """Add a record to a collection, or an entry to a list."""

    def change(case: dict[str, Any]) -> None:
        *steps, last = path.split("/")
        place: Any = case
        for step in steps:
            place = next(each for each in place if each["id"] == step) if isinstance(place, list) else place[step]
        place.setdefault(last, []).append(copy.deepcopy(record))

    return change


def consent(**fields: Any) -> Change:
    """Change c1, the mother's consent."""
    return put("consents/c1", **fields)


def permission(**fields: Any) -> Change:
    """Change p1, what the mother's consent permits."""
    return put("consents/c1/provisions/p1", **fields)


def permit(**fields: Any) -> dict[str, Any]:
    """A permit to the school board, of who the child is and of the goals."""
    names = {"to": "partners/lakeside", "purposes": "education-planning", "parts": ["identity", "goals"]}
    return {
        key: value for key, value in {"id": "px", "effect": "permit", **names, **fields}.items() if value is not None
    }


def deny(**fields: Any) -> dict[str, Any]:
    """A deny of everything to everyone, but for what `fields` narrow."""
    return {"id": "dx", "effect": "deny", **fields}


def also(name: str, *provisions: dict[str, Any], **fields: Any) -> Change:
    """One more consent: the mother's, signed on 10 September 2026, in force until August 2027; or as `fields` say."""
    record: dict[str, Any] = {
        "id": name,
        "status": "active",
        "granted_by": "people/mother",
        "method": "signature",
        "signed_at": "2026-09-10",
        "period": {"start": "2026-09-10", "end": "2027-08-31"},
        "provisions": [{**each, "id": f"{name}-{number}"} for number, each in enumerate(provisions)],
        **fields,
    }
    return add("consents", **{key: value for key, value in record.items() if value is not None})


def denied(**fields: Any) -> Change:
    """A deny in a consent of its own, by the mother, signed on 10 September."""
    return also("no", deny(**fields))


def instead(*provisions: dict[str, Any], **fields: Any) -> Change:
    """Only this one consent, c1's place taken."""

    def change(case: dict[str, Any]) -> None:
        case["consents"] = []
        also("c1", *provisions, **fields)(case)

    return change


def decides(who: str, **fields: Any) -> Change:
    return put(f"people/{who}", decision_maker=True, **fields)


def capacity(*assessments: tuple[str, bool]) -> Change:
    """Assessments of the child's capacity: (day, capable)."""
    return put(
        "child",
        decision_making=[
            {"capable": is_so, "assessed_by": "Dr. Desrosiers", "assessed_on": on} for on, is_so in assessments
        ],
    )


def referral(**fields: Any) -> Change:
    """A referral to the hospital, with one need as its reason, and the hospital's permission for that purpose only."""
    record = {
        "id": "ask",
        "direction": "out",
        "kind": "service",
        "status": "requested",
        "from": "organizations/maple-valley",
        "to": "organizations/riverside",
        "services": [{"code": "audiology", "text": "A hearing test in a quiet room"}],
        "reasons": [{"need": "needs/words"}],
        "story": "What the family does not want to tell a second time",
        "respond_by": "2026-11-30",
        **fields,
    }
    parts = ["identity", "contact", "referrals", "needs", "strengths", "goals", "services"]
    return both(
        add("referrals", **{key: value for key, value in record.items() if value is not None}),
        also("ref", permit(to="partners/riverside", purposes="referral", parts=parts)),
    )
