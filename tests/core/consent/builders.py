"""The case that the table of decisions starts from, the partners it is about, and the rules they stand on."""

from __future__ import annotations

import copy
import json
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from adapter.core.consent.rulebook import Rulebook
from adapter.core.partner import Partner
from adapter.core.schema import Schemas

MAPPINGS = Path(__file__).parents[3] / "mappings"
NOW = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)
AGENCY = ("https://registry.example.ca/organizations", "INVENTED-ORG-0001")

PARTNERS = {
    "lakeside": Partner(
        id="lakeside",
        name="Lakeside District School Board",
        sectors=("education",),
        since=date(2026, 1, 15),
        purpose="education-planning",
    ),
    "riverside": Partner(
        id="riverside",
        name="Riverside Children's Hospital",
        sectors=("hospital", "health"),
        since=date(2026, 1, 15),
        purpose="treatment",
        written_only=True,
        withheld_notice=True,
    ),
    "harbour": Partner(
        id="harbour",
        name="Harbour Children's Aid Society",
        sectors=("child-welfare",),
        since=date(2026, 1, 15),
        purpose="care-coordination",
        after_end="withdraw",
    ),
    "northstar": Partner(
        id="northstar",
        name="Northstar Child and Youth Mental Health",
        sectors=("mental-health",),
        since=date(2026, 10, 1),
        purpose="treatment",
    ),
}


def rulebook(**changes: Any) -> Rulebook:
    """The committed parts, topics, programs and schemas, with the partners above; `changes` replace single fields."""
    return Rulebook(**{**_committed(), **changes})


@cache
def _committed() -> dict[str, Any]:
    """Read once: every table of consent is made of it."""
    parts = yaml.safe_load((MAPPINGS / "parts.yaml").read_text("utf-8"))
    topics = yaml.safe_load((MAPPINGS / "topics.yaml").read_text("utf-8"))
    programs = {each.stem: yaml.safe_load(each.read_text("utf-8")) for each in (MAPPINGS / "programs").glob("*.yaml")}
    schemas = {
        each.name.removesuffix(".schema.json"): json.loads(each.read_text("utf-8"))
        for each in (MAPPINGS / "records").glob("*.schema.json")
    }
    return {
        "schemas": Schemas.of(schemas),
        "parts": {part: each["since"] for part, each in parts["parts"].items()},
        "part_tables": parts["tables"],
        "audience": {kind: None if to == "all" else tuple(to) for kind, to in parts["audience"].items()},
        "topics": {table: {code: tuple(to) for code, to in each.items()} for table, each in topics.items()},
        "age_of_own_consent": {program: each["age_of_own_consent"] for program, each in programs.items()},
        "partners": PARTNERS,
        "time_zone": ZoneInfo("America/Toronto"),
        "agency": frozenset({AGENCY}),
        "sectors": frozenset(schemas["organizations"]["properties"]["sector"]["anyOf"][0]["enum"]),
    }


def case() -> dict[str, Any]:
    """A girl of ten, her mother who decides, and the school board that may see the plan but nothing sensitive."""
    return copy.deepcopy(_CASE)


_CASE: dict[str, Any] = {
    "case": "C-2077-AMA",
    "program": "ontario-csp",
    "child": {
        "identifiers": [
            {"system": "https://maple-valley.example.ca/child", "type": "agency", "value": "MV-1042-77"},
            {"system": "https://health.example.ca/card", "type": "health-card", "value": "9988-776-655-XK"},
            {"system": "https://schools.example.ca/number", "type": "school-number", "value": "SN-445566"},
            {"system": "https://camp.example.ca/member", "type": "other", "value": "CAMP-31-A"},
        ],
        "name": {"given": ["Ama"], "family": "Wickenbrook"},
        "birth_date": "2016-05-04",
        "gender": "female",
        "pronouns": "she/her",
        "languages": [{"code": "en", "preferred": True}],
        "address": {"lines": ["17 Invented Concession Road West"], "city": "Maple Valley", "postal_code": "K0A 0A0"},
        "telecoms": [{"system": "phone", "value": "+1-613-555-0117", "use": "home"}],
        "communities": [{"code": "first-nations", "text": "Her grandmother's family is from the north shore"}],
        "school": {"organization": "organizations/lakeside", "grade": "5", "enrolled": True},
        "lives_with": ["people/mother"],
        "placement": {"kind": "home", "since": "2016-05-04"},
        "likes": ["Drawing foxes and anything with glitter on it"],
    },
    "people": [
        {
            "id": "mother",
            "name": {"given": ["Josephine"], "family": "Wickenbrook"},
            "relationship": "mother",
            "decision_maker": True,
            "authority": "parent",
            "telecoms": [{"system": "phone", "value": "+1-613-555-0118", "use": "mobile"}],
        },
        {
            "id": "father",
            "name": {"given": ["Bartholomew"], "family": "Tremblay-Ouellette"},
            "relationship": "father",
            "authority": "parent",
            "telecoms": [{"system": "email", "value": "barto@example.ca"}],
        },
        {
            "id": "grandmother",
            "name": {"given": ["Marguerite"], "family": "Northshore"},
            "relationship": "grandparent",
            "natural_support": True,
            "support_provided": "Looks after Ama on the evenings when her mother works",
        },
    ],
    "organizations": [
        {
            "id": "maple-valley",
            "name": "Maple Valley Coordinated Services",
            "sector": "coordination",
            "identifiers": [{"system": AGENCY[0], "value": AGENCY[1]}],
        },
        {"id": "lakeside", "name": "Lakeside District School Board", "sector": "education", "partner": "lakeside"},
        {
            "id": "riverside",
            "name": "Riverside Children's Hospital",
            "sector": ["hospital", "health"],
            "partner": "riverside",
            "telecoms": [{"system": "phone", "value": "+1-613-555-0200", "use": "work"}],
        },
        {"id": "harbour", "name": "Harbour Children's Aid Society", "sector": "child-welfare", "partner": "harbour"},
        {
            "id": "northstar",
            "name": "Northstar Child and Youth Mental Health",
            "sector": "mental-health",
            "partner": "northstar",
        },
        {"id": "birch", "name": "Birch Street Speech Clinic", "sector": "rehabilitation"},
    ],
    "providers": [
        {"id": "coordinator", "name": {"family": "Okonkwo-Reyes"}, "organization": "organizations/maple-valley"},
        {
            "id": "teacher",
            "name": {"family": "Abernathy"},
            "profession": "teacher",
            "organization": "organizations/lakeside",
        },
        {"id": "doctor", "name": {"family": "Desrosiers"}, "organization": "organizations/riverside"},
        {"id": "caseworker", "name": {"family": "Vandermeer"}, "organization": "organizations/harbour"},
        {"id": "counsellor", "name": {"family": "Fitzgibbon"}, "organization": "organizations/northstar"},
        {
            "id": "speech",
            "name": {"family": "Montgomery"},
            "profession": "speech-language-pathologist",
            "organization": "organizations/birch",
            "telecoms": [{"system": "phone", "value": "+1-613-555-0300", "use": "work"}],
        },
    ],
    "enrolment": {
        "status": "active",
        "first_contact": "2026-02-01",
        "tier": 2,
        "coordinator": "providers/coordinator",
        "family_capacity": [{"text": "The family would like to carry more from next spring"}],
    },
    "assessments": [
        {
            "id": "learning",
            "kind": "specialised",
            "domain": "learning",
            "by": "providers/speech",
            "result": "Understands more than she can yet say in words",
        },
    ],
    "strengths": [{"id": "kind", "whose": "child", "text": "She notices when somebody else is sad"}],
    "needs": [
        {"id": "words", "whose": "child", "domain": "communication", "text": "A way to say no without hitting out"},
        {
            "id": "worry",
            "whose": "child",
            "domain": "mental-health",
            "text": "Help with the worries that keep her awake",
        },
    ],
    "goals": [
        {
            "id": "g1",
            "title": "Ask for a break with my tablet at school",
            "set_by": "child",
            "rank": 1,
            "status": "active",
            "needs": ["needs/words", "needs/worry"],
            "acceptance": [{"by": "people/mother", "decision": "agree"}],
            "steps": [
                {"id": "s1", "text": "Put the break button on her tablet", "responsible": "providers/speech"},
                {"id": "s2", "text": "Practise at the kitchen table", "responsible": "people/mother"},
            ],
        },
        {
            "id": "g2",
            "title": "Fall asleep without the panic coming back",
            "set_by": "people/mother",
            "rank": 2,
            "status": "active",
            "topics": ["mental-health"],
        },
        {
            "id": "g3",
            "title": "Swim one length of the pool by summer",
            "set_by": "child",
            "rank": 3,
            "status": "active",
        },
    ],
    "care_plans": [
        {
            "id": "plan",
            "title": "The plan that we made for Ama",
            "status": "active",
            "vision": "Ama has friends who wait for her to finish a sentence",
            "team": "care_teams/team",
            "goals": ["goals/g1", "goals/g2", "goals/g3"],
            "services": [
                {
                    "id": "speech",
                    "code": "speech-therapy",
                    "text": "Speech therapy every second week",
                    "status": "current",
                    "organization": "organizations/birch",
                },
                {
                    "id": "talk",
                    "code": "counselling",
                    "text": "Talking with somebody about the worries",
                    "status": "waiting",
                    "organization": "organizations/northstar",
                },
            ],
            "sections": [
                {"id": "about", "code": "about-me", "text": "I like it when people say what happens next"},
                {"id": "crisis", "code": "crisis-plan", "text": "Leave the room quiet and wait beside the door"},
                {"id": "court", "code": "legal", "text": "The order of last March says who may collect her"},
                {"id": "stars", "code": "zodiac", "text": "Nobody has mapped what this section is about"},
            ],
            "signatures": [{"id": "sig", "who": "people/mother", "on": "2026-09-02"}],
            "transitions": [
                {
                    "id": "high",
                    "kind": "high-school",
                    "text": "Two visits to the new building before the summer",
                    "steps": [{"id": "visit", "text": "Walk the corridors while they are empty"}],
                },
            ],
        },
    ],
    "care_teams": [
        {
            "id": "team",
            "name": "Ama's circle of people at home and school",
            "status": "active",
            "members": [
                {"id": "m1", "member": "people/mother", "role": "parent", "invited_by_family": True},
                {"id": "m2", "member": "providers/teacher", "role": "teacher", "invited_by_family": True},
                {"id": "m3", "member": "providers/caseworker", "role": "social-worker"},
                {"id": "m4", "member": "providers/coordinator", "role": "coordinator", "lead": True},
            ],
        },
    ],
    "contacts": [
        {
            "id": "call",
            "kind": "check-in",
            "status": "held",
            "on": "2026-10-12",
            "note": "She told us the mornings have become easier",
        },
    ],
    "risks": [{"id": "runs", "to_whom": "child", "text": "She may run towards water when frightened"}],
    "documents": [
        {"id": "report", "type": "school-report", "title": "Report card of the spring term of grade four"},
        {"id": "form", "type": "consent-form", "title": "The consent form that the mother signed"},
    ],
    "consents": [
        {
            "id": "c1",
            "status": "active",
            "granted_by": "people/mother",
            "authority": "parent",
            "method": "signature",
            "signed_at": "2026-09-01",
            "period": {"start": "2026-09-01", "end": "2027-08-31"},
            "document": "documents/form",
            "provisions": [
                {
                    "id": "p1",
                    "effect": "permit",
                    "to": ["partners/lakeside"],
                    "purposes": ["education-planning"],
                    "parts": ["identity", "strengths", "needs", "goals", "plan", "services"],
                }
            ],
        }
    ],
}
