"""What the programs ask for: in a case, in a page of cases, as FHIR, and the order of the waitlists."""

from __future__ import annotations

from collections import Counter
from typing import Any

from adapter.core.desired import Subject
from adapter.core.programs import Finding, due
from adapter.core.programs.program import KINDS
from adapter.core.programs.tasks import Asked, bundle
from adapter.core.programs.waitlist import Place, Waiting, in_order, waiting_in
from adapter.desk import Desk
from adapter.show.found import page_of
from adapter.store import cases
from adapter.store.cases import StoredCase

FIRST_PAGE = 50
READ_AT_ONCE = 200
"""Cases that one transaction reads for a waitlist, which goes through all."""


def asked_for(
    desk: Desk, number: str | None = None, *, days: int | None = None, after: str | None = None, limit: int = FIRST_PAGE
) -> dict[str, Any]:
    """`{"findings": […], "next"}`: by case what each program asks for: overdue, due (so many `days` ahead), missing."""
    found, next_ = page_of(desk, number, after, limit)
    return {"findings": [_row(s.number, f) for s in found for f in _findings(desk, s, days)], "next": next_}


def tasks(
    desk: Desk, number: str | None = None, *, days: int | None = None, after: str | None = None, limit: int = FIRST_PAGE
) -> tuple[dict[str, Any], str | None]:
    """The same as a Bundle of FHIR R4 Tasks for the coordinator's own system, and the case behind which more begin."""
    found, next_ = page_of(desk, number, after, limit)
    asked = (
        Asked(stored.number, stored.body.get("enrolment", {}).get("coordinator", ""), finding)
        for stored in found
        for finding in _findings(desk, stored, days)
    )
    return bundle(asked, desk.settings.identifier_system, desk.clock()), next_


def waitlist(desk: Desk, *, region: str | None = None, program: str | None = None) -> dict[str, Any]:
    """`{"waitlist": […]}`: who waits for each program, in order, each place with its reason; no name of anyone.

    With `region` only its part, with the places that it has in the whole list.
    """
    waiting: dict[str, list[Waiting]] = {}
    for stored in _all(desk):
        subject = Subject.of(stored.number, stored.body, stored.kept)
        if (one := waiting_in(subject.case, desk.settings.time_zone)) and program in (None, one.program):
            waiting.setdefault(one.program, []).append(one)
    programs = desk.catalogue.programs
    places = [p for name, each in sorted(waiting.items()) for p in in_order(each, programs[name].priorities)]
    return {"waitlist": [_place(place) for place in places if region in (None, place.waiting.region)]}


def case_of(desk: Desk, number: str) -> dict[str, Any]:
    """One case for its page: its program, what that asks for, and where it stands on the waitlist, if it waits."""
    (stored,), _ = page_of(desk, number, None, 1)
    program = desk.catalogue.programs[stored.body["program"]]
    waits = stored.body.get("enrolment", {}).get("status") == "waitlisted"
    listed = waitlist(desk, program=program.id)["waitlist"] if waits else []
    return {
        "case": stored.number,
        "program": program.title["en"],
        "findings": [_row(stored.number, finding) for finding in _findings(desk, stored, None)],
        "place": next((place for place in listed if place["case"] == stored.number), None),
    }


def counts(desk: Desk, *, after: str | None = None, limit: int = FIRST_PAGE) -> dict[str, Any]:
    """`{"asked": […], "next"}`: of each case of a page of cases, how many things its program asks for, by kind."""
    found, next_ = page_of(desk, None, after, limit)
    rows: list[dict[str, Any]] = []
    for stored in found:
        kinds = Counter(finding.kind for finding in _findings(desk, stored, None))
        rows.append({"case": stored.number} | {str(kind): kinds[kind] for kind in KINDS})
    return {"asked": rows, "next": next_}


def _findings(desk: Desk, stored: StoredCase, days: int | None) -> tuple[Finding, ...]:
    case = Subject.of(stored.number, stored.body, stored.kept).case
    return due(case, desk.catalogue.programs[case["program"]], desk.clock(), desk.settings.time_zone, days=days)


def _row(number: str, finding: Finding) -> dict[str, Any]:
    return {
        "case": number,
        "kind": finding.kind,
        "path": finding.path,
        "due": finding.due.isoformat() if finding.due else None,
        "since": finding.since.isoformat() if finding.since else None,
        "sentence": finding.sentence["en"],
        "sentences": dict(finding.sentence),
        "rule": finding.rule,
        "program": finding.program,
        "source": finding.source,
    }


def _place(place: Place) -> dict[str, Any]:
    one = place.waiting
    return {
        "place": place.place,
        "place_in_region": place.in_region,
        "case": one.case,
        "program": one.program,
        "priority": one.priority,
        "first_contact": one.first_contact.isoformat() if one.first_contact else None,
        "since": one.since.isoformat() if one.since else None,
        "region": one.region or None,
        "why": place.why["en"],
        "whys": dict(place.why),
    }


def _all(desk: Desk) -> list[StoredCase]:
    """Every case that is not deleted: statuses are sealed, so that only reading them tells who waits."""
    found: list[StoredCase] = []
    behind: str | None = None
    while True:
        with desk.store.reading() as tx:
            read = cases.listed(tx, after=behind, limit=READ_AT_ONCE)
        found += [stored for stored in read if stored.body.get("enrolment", {}).get("status") == "waitlisted"]
        if len(read) < READ_AT_ONCE:
            return found
        behind = read[-1].id
