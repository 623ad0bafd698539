# ruff: noqa: E501  a table reads row by row
"""A whole case of each program in which nothing is missing, due or overdue on TODAY; and small changes to it."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from adapter import catalogue
from adapter.catalogue import Catalogue
from adapter.core.programs import Finding, due

ZONE = ZoneInfo("America/Toronto")
NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
DAY = "2026-11-10"
"""A day not long ago."""


@cache
def read() -> Catalogue:
    return catalogue.load(partners=None)


def found(case: dict[str, Any], now: datetime = NOW, **options: Any) -> tuple[Finding, ...]:
    return due(case, read().programs[case["program"]], now, ZONE, **options)


def changed(case: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`{"goals/0/rank": 2}` sets a value there, None takes it away, `goals/+` puts one more at the end."""
    made = copy.deepcopy(case)
    for path, value in changes.items():
        *steps, last = path.split("/")
        at: Any = made
        for step in steps:
            at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
        if isinstance(at, list) and last == "+":
            at.append(value)
        elif isinstance(at, list):
            at[int(last)] = value
        elif value is None:
            at.pop(last, None)
        else:
            at[last] = value
    return made


MOTHER = {"id": "mother", "name": {"given": ["Efua"]}, "relationship": "mother", "decision_maker": True}
AUNT = {"id": "aunt", "name": {"given": ["Adjoa"]}, "relationship": "kin", "natural_support": True}
PLACES = [
    {"id": "agency", "name": "Agency", "sector": "coordination"},
    {"id": "clinic", "name": "Clinic", "sector": ["health", "hospital"]},
    {"id": "school", "name": "School", "sector": "education"},
]
WORKERS = [
    {"id": "coord", "name": {"family": "Roy"}, "organization": "organizations/agency"},
    {"id": "nurse", "name": {"family": "Tan"}, "profession": "nurse", "organization": "organizations/clinic"},
]
GOAL = {
    "id": "g1", "title": "Ride the bus", "text": "Line 4, alone", "set_by": "people/mother", "on": "2026-09-10", "rank": 1,
    "domain": "transport", "status": "active", "measure": "rides a week", "baseline": "none", "needs": ["needs/n1"],
    "target": {"value": 2, "unit": "a week"}, "attainable": "He knows the driver", "relevance": "To get to work",
    "due": "2027-06-30", "progress": [{"on": DAY}],
    "acceptance": [{"by": "people/mother", "decision": "agree", "on": "2026-09-10"}],
    "steps": [{"id": "s1", "text": "With the aunt", "responsible": "people/aunt", "due": "2027-02-01"}],
}  # fmt: skip
SERVICES = [
    {"id": "v1", "code": "transport", "organization": "organizations/clinic", "provider": "providers/nurse", "formal": True,
     "goals": ["goals/g1"], "needs": ["needs/n1"], "status": "current", "start": "2026-09-15",
     "received": {"is": "yes", "on": DAY}},
    {"id": "v2", "text": "Saturdays", "provider": "people/aunt", "formal": False, "goals": ["goals/g1"], "status": "current",
     "start": "2026-09-15", "received": {"is": "yes", "on": DAY}},
]  # fmt: skip
PLAN = {
    "id": "p1", "status": "active", "period": {"start": "2026-09-10", "end": "2027-09-09"}, "vision": "To go where he wants",
    "goals": ["goals/g1"], "services": SERVICES, "reviews": {"last": DAY},
    "signatures": [{"id": "x", "who": "people/mother", "on": "2026-09-10"}],
    "sections": [{"id": "c", "code": "communication", "text": "Slowly", "on": "2026-09-10"}],
}  # fmt: skip
TEAM = {
    "id": "t1", "status": "active", "period": {"start": "2026-09-10"},
    "members": [
        {"member": "people/mother", "role": "parent"}, {"member": "people/aunt", "role": "natural-support"},
        {"member": "providers/coord", "role": "coordinator"}, {"member": "providers/nurse", "role": "nurse"},
    ],
}  # fmt: skip
CONSENT = {
    "id": "c1", "status": "active", "granted_by": "people/mother", "method": "signature", "signed_at": "2026-09-10",
    "period": {"start": "2026-09-10", "end": "2027-09-09"}, "provisions": [],
}  # fmt: skip
COMMON: dict[str, Any] = {
    "case": "C-1",
    "people": [MOTHER, AUNT],
    "organizations": PLACES,
    "providers": WORKERS,
    "assessments": [
        {"id": "a1", "kind": "intake", "on": "2026-09-01"},
        {"id": "a2", "kind": "initial-comprehensive", "on": "2026-09-05"},
    ],
    "strengths": [{"id": "s1", "text": "Knows every bus", "domain": "family"}],
    "needs": [{"id": "n1", "text": "To get about", "domain": "transport", "status": "open"}],
    "goals": [GOAL],
    "care_teams": [TEAM],
    "care_plans": [PLAN],
    "consents": [CONSENT],
    "referrals": [
        {"id": "r1", "direction": "in", "kind": "coordination", "status": "completed", "services": [{"text": "x"}]}
    ],
    "contacts": [{"id": "k1", "kind": "check-in", "status": "held", "on": DAY}],
}
ENROLMENT = {
    "status": "active", "first_contact": "2026-08-25", "coordinator": "providers/coord", "intensity": "continuous",
    "coordinator_history": [{"who": "providers/coord", "from": "2026-08-25"}],
    "status_history": [
        {"status": "intake", "from": "2026-09-01", "to": "2026-09-10"}, {"status": "active", "from": "2026-09-10"}],
    "check_ins": {"every": "P1M", "agreed_on": "2026-09-10"},
}  # fmt: skip

ONTARIO = {
    **COMMON,
    "program": "ontario-csp",
    "child": {"name": {"given": ["Kwame"]}, "birth_date": "2016-05-04", "school": {"enrolled": True}},
    "enrolment": {**ENROLMENT, "tier": 2},
}
EARLY = {
    **COMMON,
    "program": "early-intervention",
    "child": {"name": {"given": ["Kwame"]}, "birth_date": "2025-05-04"},
    "enrolment": {
        **ENROLMENT,
        "eligibility": {"criteria": ["25 % in two domains"], "on": "2026-09-05"},
        "safeguards": [{"what": "Rights, and advocacy services", "on": "2026-09-01", "to": "people/mother"}],
    },
}
LIFE = ("dental", "health", "housing", "learning", "vocation", "family", "social", "transport", "religion", "transition", "rights")  # fmt: skip
PERSON = {
    **COMMON,
    "program": "person-centred",
    "child": {"name": {"given": ["Kwame"]}, "birth_date": "2009-05-04"},
    "strengths": [{"id": f"s{i}", "text": "x", "domain": domain} for i, domain in enumerate(LIFE)],
    "enrolment": {**ENROLMENT, "coordinator": "child"},
    "contacts": [*COMMON["contacts"], {"id": "k2", "kind": "annual-meeting", "status": "held", "on": DAY}],
}
WRAP = {
    **COMMON,
    "program": "wraparound",
    "child": {
        "name": {"given": ["Kwame"]}, "birth_date": "2013-05-04", "placement": {"kind": "home", "at_intake": "home"},
    },
    "enrolment": ENROLMENT,
}  # fmt: skip
WHOLE = {case["program"]: case for case in (ONTARIO, EARLY, PERSON, WRAP)}
