"""The order of a waitlist, with the reason for each place (records.md, *enrolment*: it runs by first contact).

Families wait by the priorities of their program, the first of its file first; within one by the day of first contact.
Where that is not known, the day since when they wait stands in for it: first contact cannot have been later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, tzinfo
from typing import Any, NamedTuple

from adapter.core.programs.calendar import day_of
from adapter.core.programs.program import Priority

WAITLISTED = "waitlisted"
NONE = "none"
LAST = {"en": "no priority", "fr": "sans priorité"}


class Waiting(NamedTuple):
    """One family that waits: only what its place depends on."""

    case: str
    program: str
    first_contact: date | None
    since: date | None
    region: str
    priority: str


class Place(NamedTuple):
    """One place of a program's waitlist, and of the region's part of it; `why` in each language."""

    place: int
    in_region: int
    waiting: Waiting
    why: Mapping[str, str]


def waiting_in(case: Mapping[str, Any], zone: tzinfo) -> Waiting | None:
    """What the case says of its waiting; None where it does not wait."""
    enrolment = case.get("enrolment", {})
    if enrolment.get("status") != WAITLISTED:
        return None
    waitlist = enrolment.get("waitlist", {})
    since = day_of(waitlist.get("since"), zone)
    history = (day_of(h["from"], zone) for h in enrolment.get("status_history", ()) if h["status"] == WAITLISTED)
    known = [day for day in history if day is not None]
    return Waiting(
        case["case"],
        case["program"],
        day_of(enrolment.get("first_contact"), zone),
        since or max(known, default=None),
        waitlist.get("region", ""),
        waitlist.get("priority", NONE),
    )


def in_order(waiting: Iterable[Waiting], priorities: Sequence[Priority]) -> tuple[Place, ...]:
    """The places of those who wait for one program, the first to be served first."""
    ranks = {priority.code: rank for rank, priority in enumerate(priorities)}
    titles = {priority.code: priority.title for priority in priorities}

    def key(one: Waiting) -> tuple[int, date, date, str]:
        day = one.first_contact or one.since or date.max
        return ranks.get(one.priority, len(ranks)), day, one.since or date.max, one.case

    places: list[Place] = []
    in_regions: dict[str, int] = {}
    ordered = sorted(waiting, key=key)
    for place, one in enumerate(ordered, start=1):
        in_regions[one.region] = in_regions.get(one.region, 0) + 1
        before = [key(other) for other in ordered[: place - 1]]
        higher = sum(other[0] < key(one)[0] for other in before)
        why = _why(one, titles.get(one.priority, LAST), higher, len(before) - higher)
        places.append(Place(place, in_regions[one.region], one, why))
    return tuple(places)


def _why(one: Waiting, title: Mapping[str, str], higher: int, earlier: int) -> dict[str, str]:
    first = one.first_contact
    if first is not None:
        en, fr = f"First contact on {first}.", f"Premier contact le {first}."
    elif one.since is not None:
        en = f"The day of first contact is not recorded: waiting since {one.since} counts instead."
        fr = f"La date du premier contact n'est pas inscrite : l'attente depuis le {one.since} en tient lieu."
    else:
        en = "Neither the day of first contact nor since when it waits is recorded: last of its priority."
        fr = "Ni la date du premier contact ni le début de l'attente ne sont inscrits : dernier rang de sa priorité."
    return {
        "en": f"Priority: {title['en']}. {en} Before it: {higher} of a higher priority, {earlier} of the same.",
        "fr": f"Priorité : {title['fr']}. {fr} Avant : {higher} de priorité supérieure, {earlier} de la même.",
    }
