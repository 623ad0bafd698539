"""A view of everything that FHIR cannot hold whole: each line of the list in docs/inbound.md has its instance here."""

from __future__ import annotations

import copy
from typing import Any

from tests.core.mapping_files.views import BASE

_SPOKEN = [{"system": "phone", "value": "705-555-0109", "preferred": False}]
_NO_LINE = "a-code-without-a-line"


def _steps(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": f"s{number}", "text": f"Step {number}"} for number in numbers]


_CORNERS: dict[str, Any] = {
    "child": {"path": "child", "name": {"given": ["Ama"]}, "gender": "unknown", "telecoms": _SPOKEN},
    "people": [
        {
            "id": "mother",
            "name": {"given": ["Efua"]},
            "relationship": "mother",
            "telecoms": _SPOKEN,
            "emergency_contact": False,
        },
        {"id": "aunt", "name": {"family": "Okafor"}, "relationship": "kin"},
    ],
    "organizations": [
        {"id": "hub", "name": "Maple Valley Coordinated Services", "sector": "coordination"},
        {
            "id": "school",
            "name": "Lakeside District School Board",
            "sector": ["education"],
            "identifiers": [{"type": "agency", "value": "77"}],
            "telecoms": [*_SPOKEN, {"system": "phone", "value": "705-555-0110", "use": "home"}],
        },
    ],
    "providers": [
        {
            "id": "teacher",
            "name": {"given": ["Lin"], "family": "Sauvé"},
            "organization": "organizations/school",
            "identifiers": [{"type": "agency", "value": "78"}],
            "telecoms": _SPOKEN,
        }
    ],
    "enrolment": {
        "path": "enrolment",
        "status": "active",
        "coordinator": "providers/teacher",
        "funding": [{"kind": _NO_LINE, "text": "A fund of the town"}],
    },
    "needs": [{"id": "n1", "whose": "child", "text": "A friend"}],
    "strengths": [{"id": "s1", "whose": "child", "text": "Draws"}],
    "risks": [{"id": "k1", "to_whom": "child", "text": "Runs"}],
    "goals": [
        {
            "id": "g1",
            "title": "Ask for a break",
            "status": "active",
            "set_by": "family",
            "target": {"text": "three", "unit": "per day"},
            "acceptance": [{"by": "family", "decision": "agree"}],
            "steps": [*_steps(1, 2, 3, 4, 5), {"id": "s6", "text": "Step 6", "responsible": "family"}],
            "progress": [{"on": "2026-10-01"}, {"on": "2026-10-02", "by": "family", "note": "Better"}],
            "supersedes": "goals/g2",
        },
        {
            "id": "g2",
            "title": "Next",
            "status": "active",
            "target": {"unit": "times"},
            "supersedes": "goals/g1",
        },
    ],
    "care_teams": [
        {
            "id": "t1",
            "status": "active",
            "members": [{"id": "m1", "member": "people/aunt", "role": "kin"}, {"member": "family", "role": "parent"}],
        }
    ],
    "care_plans": [
        {
            "id": "p1",
            "status": "active",
            "services": [
                {"id": "v1", "code": _NO_LINE, "text": "Swimming", "status": "current", "intensity": {"unit": "a week"}}
            ],
            "sections": [
                {"id": "x1", "code": "crisis-plan", "text": "Lower the lights"},
                {"id": "x2", "code": "education", "text": "Sits in front"},
            ],
            "signatures": [{"id": f"g{n}", "who": who} for n, who in enumerate(("child", "people/mother"))]
            + [{"id": "g2", "who": "people/aunt"}, {"id": "g3", "who": "providers/teacher"}],
            "transitions": [
                {"id": "tr1", "kind": "adulthood", "text": "One"},
                {"id": "tr2", "kind": "adulthood", "text": "Another", "steps": _steps(1)},
                {"id": "tr3", "kind": "home", "steps": _steps(2)},
            ],
            "linked_plans": [{"id": "l1", "title": "IEP"}],
            "supersedes": "care_plans/p2",
        },
        {"id": "p2", "status": "superseded", "supersedes": "care_plans/p1"},
    ],
    "contacts": [
        {
            "id": "c1",
            "kind": "check-in",
            "status": "planned",
            "on": "2026-12-01T10:00:00-05:00",
            "by": "child",
            "with": ["people/mother", "child"],
            "invited": ["people/aunt", "child", "people/mother"],
        },
        {
            "id": "c2",
            "kind": "check-in",
            "status": "held",
            "by": "providers/teacher",
            "with": ["organizations/school", "people/aunt", "providers/teacher"],
        },
        {"id": "c3", "kind": "check-in", "status": "planned", "by": "child"},
    ],
    "documents": [
        {"id": "d1", "type": "intake-form", "title": "Intake"},
        {"id": "d2", "title": "On paper"},
        {"id": "d3", "type": "a-drawing", "title": "Our house"},
    ],
    "referrals": [
        {
            "id": "r1",
            "direction": "in",
            "kind": "service",
            "status": "accepted",
            "requested_by": "organizations/school",
            "from": "organizations/school",
            "services": [{"code": _NO_LINE, "text": "Riding"}],
            "reasons": [
                {"need": "needs/n1", "text": "She cries at night"},
                {"need": "needs/n1", "code": "communication", "text": "She is alone"},
                {"code": _NO_LINE, "text": "Nobody knows"},
                {"need": "needs/n1"},
                {"text": "And more"},
            ],
            "intake_form": "documents/d1",
            "parallel": ["referrals/r2"],
            "outcome": {"status": "accepted"},
        },
        {
            "id": "r2",
            "direction": "out",
            "kind": "service",
            "status": "requested",
            "services": [{"text": "Swimming"}],
            "authored_on": "2026-11-10T09:30:00-05:00",
            "shares": ["documents/d1"],
            "intake_form": "documents/d1",
            "parallel": ["referrals/r1"],
            "outcome": {"status": "accepted", "by": "organizations/school", "on": "2026-11-10"},
        },
        {
            "id": "r3",
            "direction": "out",
            "kind": "service",
            "status": "requested",
            "services": [{"text": "Skating"}],
            "outcome": {"reason": "The rink is closed"},
        },
    ],
}


def corners() -> dict[str, Any]:
    """The view, with the paths that a view has."""
    case = copy.deepcopy(BASE | _CORNERS)
    for name, value in case.items():
        if isinstance(value, list):
            for record in value:
                _name(record, f"{name}/{record['id']}")
    return case


def _name(record: dict[str, Any], path: str) -> None:
    record["path"] = path
    for name, value in record.items():
        for entry in value if isinstance(value, list) else ():
            if isinstance(entry, dict) and "id" in entry:
                _name(entry, f"{path}/{name}/{entry['id']}")
