"""Small views made by hand: what stands around every child, and for each mapping file a record with all its leaves."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from adapter.core.consent.view import Label, View
from adapter.core.identity import Identity
from adapter.core.mapping.bindings import FUNCTIONS
from adapter.core.mapping.codes import load_concept_map
from adapter.core.mapping.mapping import load_mapping
from adapter.core.mapping.resources import Mappings, Resources, resources
from adapter.core.partner import Partner, Release

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CASE_NUMBER = "C-77"

SCHOOL = Partner(
    id="lakeside",
    name="Lakeside District School Board",
    sectors=("education",),
    since=date(2026, 1, 15),
    purpose="education-planning",
    identifiers=(("https://registry.example.ca/organizations", "INVENTED-ORG-0100"),),
)
HOSPITAL = Partner(
    id="riverside", name="Riverside", sectors=("hospital",), since=date(2026, 1, 15), withheld_notice=True
)

BASE: dict[str, Any] = {
    "program": "ontario-csp",
    "child": {"path": "child", "name": {"given": ["Ama"], "family": "Example"}, "gender": "female"},
    "people": [
        {"id": "mother", "path": "people/mother", "name": {"given": ["Efua"]}, "relationship": "mother"},
        {"id": "aunt", "path": "people/aunt", "name": {"family": "Okafor"}, "relationship": "kin"},
    ],
    "organizations": [
        {
            "id": "hub",
            "path": "organizations/hub",
            "name": "Maple Valley Coordinated Services",
            "sector": "coordination",
        },
        {
            "id": "school",
            "path": "organizations/school",
            "name": "Lakeside District School Board",
            "sector": "education",
        },
    ],
    "providers": [
        {
            "id": "teacher",
            "path": "providers/teacher",
            "name": {"given": ["Lin"], "family": "Sauvé"},
            "profession": "teacher",
            "organization": "organizations/school",
        }
    ],
    "needs": [{"id": "n1", "path": "needs/n1", "text": "To be understood by children of her age"}],
    "strengths": [{"id": "s1", "path": "strengths/s1", "text": "Draws what she cannot say"}],
}

TELECOMS = [
    {"system": "phone", "value": "705-555-0101", "use": "home", "preferred": True},
    {"system": "email", "value": "ama@example.org"},
]
ADDRESS = {
    "lines": ["12 Rue des Érables"],
    "city": "Sudbury",
    "province": "ON",
    "postal_code": "P3A 0A0",
    "country": "CA",
    "text": "12 Rue des Érables, Sudbury",
}
STEP = {
    "id": "t1",
    "text": "Show the break card in class",
    "responsible": "people/mother",
    "due": "2026-12-15",
    "status": "in-progress",
    "note": "She made the card herself",
}
SERVICE = {
    "id": "v1",
    "path": "care_plans/p1/services/v1",
    "code": "speech-language-therapy",
    "text": "Talking with the tablet",
    "organization": "organizations/school",
    "provider": "providers/teacher",
    "formal": True,
    "goals": ["goals/g1"],
    "needs": ["needs/n1"],
    "status": "waiting",
    "start": "2026-09-08",
    "end": "2027-06-25",
    "frequency": "every second week",
    "intensity": {"hours": 1.5, "unit": "per visit"},
    "place": "school",
    "natural_environment": False,
    "why_not_natural": "The device stays in the clinic",
    "adaptations": "Large symbols",
    "funding": "School board",
    "received": {"is": "partly", "on": "2026-11-02", "by": "people/mother", "barrier": "The bus"},
    "outcome": "Three new words",
}
GOAL = {
    "id": "g1",
    "path": "goals/g1",
    "title": "Ask for a break with my tablet",
    "text": "I want to say stop before it is too much.",
    "set_by": "child",
    "on": "2026-09-01",
    "rank": 1,
    "urgency": "soon",
    "domain": "communication",
    "status": "active",
    "acceptance": [
        {"by": "people/mother", "decision": "agree", "on": "2026-09-02"},
        {"by": "family", "decision": "pending"},
    ],
    "measure": "breaks asked for per school day",
    "baseline": "none",
    "target": {"value": 3, "unit": "per day", "text": "three a day"},
    "due": "2027-03-31",
    "attainable": "She does it at home",
    "relevance": "School days end in tears",
    "needs": ["needs/n1"],
    "strengths": ["strengths/s1"],
    "steps": [STEP | {"path": "goals/g1/steps/t1"}],
    "progress": [
        {"on": "2026-10-05", "by": "providers/teacher", "rating": -1, "note": "Twice this week"},
        {"on": "2026-11-05", "rating": 1},
    ],
    "barriers": ["The tablet is often empty"],
}
CONTACT = {
    "id": "c1",
    "path": "contacts/c1",
    "kind": "team-meeting",
    "status": "held",
    "on": "2026-11-05T16:00:00-05:00",
    "by": "providers/teacher",
    "with": ["people/mother", "child", "organizations/school"],
    "invited": ["people/aunt", "people/mother", "organizations/hub", "child"],
    "mode": "in-person",
    "place": "The library, ground floor",
    "supports": ["translator", "childcare"],
    "decisions": ["The break card goes to every class", "We meet again in March"],
    "note": "A good hour",
}
DOCUMENT = {
    "id": "d1",
    "path": "documents/d1",
    "type": "school-report",
    "title": "Report of the first term",
    "date": "2026-10-30",
    "originator": "organizations/school",
    "may_forward": False,
    "language": "en",
    "content_type": "text/plain",
    "bytes": "QW1hIGFza3MgZm9yIGEgYnJlYWsu",
    "link": "https://agency.example.ca/documents/d1",
}
PLAN = {
    "id": "p1",
    "path": "care_plans/p1",
    "title": "Ama's plan",
    "status": "active",
    "period": {"start": "2026-09-01", "end": "2027-08-31"},
    "vision": "A friend, and a calm evening",
    "about_me": "I like water and drums.",
    "team": "care_teams/t1",
    "goals": ["goals/g1"],
    "services": [SERVICE],
    "sections": [
        {
            "id": "x1",
            "path": "care_plans/p1/sections/x1",
            "code": "communication",
            "text": "She shows the red card for no.",
            "author": "people/mother",
            "on": "2026-09-03",
        },
        {
            "id": "x2",
            "path": "care_plans/p1/sections/x2",
            "code": "crisis-plan",
            "text": "Lower the lights & your voice; <wait>.",
            "author": "people/mother",
            "on": "2026-09-03",
        },
    ],
    "signatures": [{"id": "sg", "path": "care_plans/p1/signatures/sg", "who": "people/mother", "on": "2026-09-05"}],
    "reviews": {
        "every": "P6M",
        "last": "2026-09-01",
        "next": "2027-03-01",
        "reason": "A new school year",
        "result": "All goals stay",
    },
    "transitions": [
        {
            "id": "tr",
            "path": "care_plans/p1/transitions/tr",
            "kind": "high-school",
            "date": "2029-09-01",
            "text": "Visit the school in spring",
            "steps": [STEP | {"path": "care_plans/p1/transitions/tr/steps/t1"}],
            "to_organization": "organizations/school",
        }
    ],
    "linked_plans": [
        {"kind": "iep", "title": "IEP 2026", "organization": "organizations/school", "date": "2026-10-01"},
    ],
    "supersedes": "care_plans/p0",
    "language": "fr-CA",
}
OLD_PLAN = {"id": "p0", "path": "care_plans/p0", "status": "superseded", "title": "The plan before"}
TEAM = {
    "id": "t1",
    "path": "care_teams/t1",
    "name": "Ama's team",
    "status": "active",
    "period": {"start": "2026-09-01", "end": "2027-08-31"},
    "members": [
        {"id": "a", "member": "people/mother", "role": "parent", "since": "2026-09-01", "until": "2027-01-31"},
        {"id": "b", "member": "child", "role": "youth"},
        {"id": "c", "member": "providers/teacher", "role": "teacher", "lead": True, "invited_by_family": True},
        {"id": "d", "member": "organizations/hub", "role": "coordinator"},
        {"id": "e", "member": "family", "role": "natural-support"},
        {"id": "f", "member": "people/aunt", "role": "drum-teacher"},
    ],
}
REFERRAL = {
    "id": "r1",
    "path": "referrals/r1",
    "direction": "out",
    "kind": "service",
    "warm": True,
    "status": "requested",
    "priority": "immediate",
    "requested_by": "people/mother",
    "from": "organizations/hub",
    "to": "organizations/school",
    "services": [{"code": "speech-language-therapy", "text": "Speech"}, {"code": "assistive-technology"}],
    "reasons": [{"need": "needs/n1"}, {"code": "communication"}, {"text": "Nobody understands her at recess"}],
    "story": "She stopped speaking when she was three.",
    "shares": ["strengths/s1", "needs/n1", "care_plans/p1/services/v1"],
    "current_services": [
        {"service": "care_plans/p1/services/v1", "text": "Every second week", "organization": "organizations/school"}
    ],
    "waiting_for": [{"text": "Hearing test", "organization": "organizations/hub", "since": "2026-05-01"}],
    "handover": {
        "introduced_by": "people/mother",
        "contact": "providers/teacher",
        "meeting": "2026-11-25",
        "how": "in-person",
    },
    "supports": ["interpreter"],
    "do_not_contact_family": True,
    "authored_on": "2026-11-10T09:30:00-05:00",
    "respond_by": "2026-12-01",
    "outcome": {
        "status": "accepted",
        "business_status": "scheduled",
        "reason": "A place is free",
        "on": "2026-11-12",
        "result": "First visit on 5 December",
    },
}

ROWS: dict[str, dict[str, Any]] = {
    "patient": {
        "child": {
            "path": "child",
            "identifiers": [
                {"type": "agency", "value": "1042"},
                {"type": "health-card", "system": "https://health.example.ca/on", "value": "1234-567-897-AB"},
                {"type": "school-number", "system": "https://schools.example.ca/on", "value": "OEN-1"},
                {"type": "other", "system": "https://other.example.ca", "value": "X-9"},
            ],
            "name": {"given": ["Ama", "Serwaa"], "family": "Example", "preferred": "Ama"},
            "birth_date": "2016-05-04",
            "gender": "female",
            "pronouns": "she/her",
            "languages": [{"code": "ak", "preferred": True, "interpreter_needed": True}, {"code": "en"}],
            "address": ADDRESS,
            "telecoms": TELECOMS,
            "communities": [{"code": "metis", "text": "Métis on her father's side"}, {"code": "inuit"}],
            "school": {"organization": "organizations/school", "grade": "4", "enrolled": True},
            "lives_with": ["people/aunt"],
            "placement": {
                "kind": "kin",
                "since": "2026-01-10",
                "at_intake": "home",
                "at_risk": True,
                "least_restrictive": "At home with support",
            },
            "likes": ["Water", "Drums"],
            "dislikes": ["Bells"],
            "what_works": ["Waiting"],
        }
    },
    "related-person": {
        "child": {"path": "child", "name": {"given": ["Ama"]}, "lives_with": ["people/aunt"]},
        "people": [
            {
                "id": "mother",
                "path": "people/mother",
                "name": {"given": ["Efua"], "family": "Example", "preferred": "Effie"},
                "relationship": "mother",
                "telecoms": TELECOMS,
                "address": ADDRESS,
                "languages": [{"code": "ak", "preferred": True, "interpreter_needed": True}],
                "decision_maker": True,
                "since": "2016-05-04",
                "until": "2034-05-04",
                "authority": "parent",
                "shared": False,
                "natural_support": True,
                "support_provided": "Everything",
                "lives_with_child": True,
                "emergency_contact": True,
            },
            {"id": "aunt", "path": "people/aunt", "name": {"family": "Okafor"}, "relationship": "kin"},
        ],
    },
    "organization": {
        "organizations": [
            {
                "id": "school",
                "path": "organizations/school",
                "name": "Lakeside District School Board",
                "sector": ["education", "child-care"],
                "identifiers": [
                    {"system": "https://registry.example.ca/organizations", "value": "INVENTED-ORG-0100"},
                    {"type": "agency", "value": "77"},
                ],
                "telecoms": TELECOMS,
                "address": ADDRESS,
            }
        ]
    },
    "practitioner": {
        "providers": [
            {
                "id": "teacher",
                "path": "providers/teacher",
                "name": {"given": ["Lin"], "family": "Sauvé", "preferred": "Lin", "prefix": "Mme", "suffix": "OCT"},
                "profession": "teacher",
                "organization": "organizations/school",
                "telecoms": TELECOMS,
                "identifiers": [{"type": "license", "system": "https://oct.example.ca", "value": "L-1"}],
            }
        ]
    },
    "episode-of-care": {
        "enrolment": {
            "path": "enrolment",
            "status": "discharged",
            "status_history": [{"status": "waitlisted", "from": "2026-01-05", "to": "2026-02-01"}],
            "first_contact": "2025-12-10",
            "waitlist": {"since": "2026-01-05", "region": "North", "priority": "moved-here"},
            "intensity": "continuous",
            "tier": 3,
            "coordinator": "people/mother",
            "coordinator_history": [
                {
                    "who": "providers/teacher",
                    "from": "2026-02-01",
                    "to": "2026-05-01",
                    "reason": "The family takes over",
                    "asked_by": "people/mother",
                }
            ],
            "service_delivery_area": "Sudbury",
            "eligibility": {"criteria": ["Three services"], "on": "2026-01-20", "by": "organizations/hub"},
            "check_ins": {"every": "P2W", "agreed_on": "2026-02-01", "text": "By text message"},
            "safeguards": [{"what": "Rights explained", "on": "2026-02-01", "to": "people/mother", "language": "en"}],
            "retention": {"until": "2033-01-01"},
            "family_capacity": [{"text": "One call a week is fine", "since": "2026-02-01"}],
            "discharge": {"on": "2026-11-01", "reason": "moved"},
            "funding": [{"kind": "complex-special-needs", "text": "Since spring"}, {"kind": "respite-funding"}],
        }
    },
    "need": {
        "needs": [
            {
                "id": "n1",
                "path": "needs/n1",
                "whose": "people/mother",
                "domain": "communication",
                "text": "To sleep through one night",
                "urgency": "immediate",
                "since": "2026-03-01",
                "status": "met",
                "identified_by": "people/mother",
            },
            {"id": "n2", "path": "needs/n2", "whose": "family", "text": "A larger flat"},
        ]
    },
    "strength": {
        "strengths": [
            {
                "id": "s1",
                "path": "strengths/s1",
                "whose": "people/aunt",
                "kind": "cultural",
                "domain": "culture",
                "text": "Teaches the drum",
                "identified_by": "child",
                "on": "2026-09-01",
            },
            {"id": "s2", "path": "strengths/s2", "whose": "family", "text": "They laugh a lot"},
        ]
    },
    "assessment": {
        "assessments": [
            {
                "id": "a1",
                "path": "assessments/a1",
                "kind": "specialised",
                "domain": "communication",
                "by": "organizations/school",
                "on": "2026-10-01",
                "instrument": "Story retelling",
                "result": "Understands more than she says",
                "next_due": "2027-10-01",
            },
            {"id": "a2", "path": "assessments/a2", "kind": "intake"},
        ]
    },
    "risk": {
        "risks": [
            {
                "id": "k1",
                "path": "risks/k1",
                "text": "Runs towards water",
                "to_whom": "people/mother",
                "likelihood": "medium",
                "what_helps": "A hand, and the word wait",
                "who_watches": "providers/teacher",
                "until": "2027-08-31",
            }
        ]
    },
    "goal": {
        "goals": [
            GOAL,
            {"id": "g2", "path": "goals/g2", "title": "Next", "status": "proposed", "supersedes": "goals/g1"},
        ]
    },
    "goal-step": {"goals": [GOAL]},
    "care-team": {"care_teams": [TEAM]},
    "consent": {
        "consents": [
            {
                "id": "own",
                "path": "consents/own",
                "status": "active",
                "granted_by": ["people/mother"],
                "signed_at": "2026-09-01T10:00:00-04:00",
                "period": {"start": "2026-09-01", "end": "2027-08-31"},
                "purposes": ["education-planning", "referral"],
                "parts": ["goals", "identity"],
                "topics": ["child-welfare", "mental-health"],
                "notices": ["Do not pass this on."],
            }
        ]
    },
    "contact": {
        "contacts": [
            CONTACT,
            {"id": "c2", "path": "contacts/c2", "kind": "home-visit", "by": "child", "with": ["organizations/school"]},
            CONTACT | {"id": "c3", "path": "contacts/c3", "status": "planned", "on": "2026-12-01"},
            CONTACT | {"id": "c4", "path": "contacts/c4", "status": "missed", "with": ["people/aunt"]},
        ]
    },
    "document": {
        "documents": [
            DOCUMENT,
            {
                "id": "d2",
                "path": "documents/d2",
                "title": "A letter",
                "bytes": "bm90IHdob2xl",
                "link": DOCUMENT["link"],
            },
            {"id": "d3", "path": "documents/d3", "title": "On paper", "type": "letter"},
        ]
    },
    "plan-service": {"goals": [GOAL], "care_plans": [PLAN]},
    "referral": {"goals": [GOAL], "care_plans": [PLAN], "referrals": [REFERRAL]},
    "referral-task": {"referrals": [REFERRAL]},
    "care-plan": {"goals": [GOAL], "care_teams": [TEAM], "care_plans": [PLAN, OLD_PLAN]},
    "crisis-plan": {"care_plans": [PLAN]},
    "transition-step": {"care_plans": [PLAN]},
}
ROWS["transition"] = ROWS["transition-step"]
ROWS["practitioner-role"] = ROWS["practitioner"]
ROWS["plan-sections"] = ROWS["care-plan"]
ROWS["signature"] = {"care_plans": [PLAN]}
ROWS["planned-contact"] = ROWS["contact"]
ROWS["document-bytes"] = ROWS["document"]


@cache
def mappings(release: Release = "R4") -> Mappings:
    """The mapping files and ConceptMaps of the repository, as they are; R5's files stand in for R4's of their name."""
    folders = ("r4",) if release == "R4" else ("r4", "r5")
    files = {f.name: f for folder in folders for f in sorted((ROOT / "mappings" / folder).glob("*.yaml"))}
    loaded = [m for f in files.values() for m in load_mapping(f.read_text("utf-8"), file=f.name, functions=FUNCTIONS)]
    maps = [load_concept_map(f.read_text("utf-8"), file=f.name) for f in (ROOT / "mappings" / "codes").glob("*.json")]
    return Mappings(release, tuple(loaded), {each.name: each for each in maps})


def row(name: str) -> dict[str, Any]:
    """A view's case: the base, with this row's records in place of the base's."""
    return copy.deepcopy(BASE | ROWS[name])


def whole(case: dict[str, Any]) -> dict[str, Any]:
    """A whole case file as a view in which everything is permitted, with a consent of the partner's own."""
    shown = {name: value for name, value in copy.deepcopy(case).items() if name != "case"}
    shown["consents"] = copy.deepcopy(ROWS["consent"]["consents"])
    shown["consents"][0]["granted_by"] = []
    for name, value in shown.items():
        for record in value if isinstance(value, list) else [value] if isinstance(value, dict) else []:
            record["path"] = f"{name}/{record['id']}" if "id" in record else name
            _name_entries(record)
    return shown


def _name_entries(record: dict[str, Any]) -> None:
    for name, value in record.items():
        for entry in value if isinstance(value, list) else ():
            if isinstance(entry, dict) and "id" in entry:
                entry["path"] = f"{record['path']}/{name}/{entry['id']}"
                _name_entries(entry)


def fixtures() -> Iterator[tuple[str, dict[str, Any]]]:
    """(folder, case) of every whole case of the repository."""
    for file in sorted((ROOT / "fixtures").glob("*/case.json")):
        yield file.parent.name, json.loads(file.read_text("utf-8"))


def mapped(
    case: dict[str, Any],
    using: Mappings,
    *,
    partner: Partner = SCHOOL,
    withheld: bool = True,
    topics: tuple[str, ...] = (),
) -> Resources:
    """What the partner should hold of this case, every record with the same plain label."""
    label = Label(("education-planning",), topics, ("goals",))
    paths = {name.split("/")[0] for name in case} | {r["path"] for v in case.values() if isinstance(v, list) for r in v}
    view = View(case, dict.fromkeys(paths, label), withheld)
    identity = Identity(b"a secret of tests only", partner.id, f"https://agency.example.ca/id/{partner.id}")
    return resources(
        view, using, case_number=CASE_NUMBER, partner=partner, identity=identity, program="ontario-csp", now=NOW
    )
