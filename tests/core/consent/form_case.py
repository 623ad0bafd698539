"""The forms of the repository, and a case with something for every box of them, whose mother alone decides."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from functools import cache
from typing import Any

from adapter import catalogue
from adapter.catalogue import Catalogue, files_root
from adapter.core.consent.forms import Box, Form
from adapter.core.consent.rulebook import PURPOSES, TOPICS
from adapter.core.consent.rules import compile_rules
from adapter.core.consent.ticks import Taken, take
from adapter.core.consent.view import View, view
from tests.core.consent.builders import case, rulebook

NOW = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)
RULES = rulebook()
SIGNED = [{"by": "people/mother", "at": "2026-10-05", "method": "signature"}]
PARTNER, OTHER = "lakeside", "riverside"


@cache
def _loaded() -> Catalogue:
    return catalogue.load(partners=files_root() / "fixtures" / "partners")


def form(name: str) -> Form:
    return _loaded().forms[name]


def forms() -> list[Form]:
    return list(_loaded().forms.values())


def every_box() -> list[tuple[str, str]]:
    return [(each.id, box.id) for each in forms() for box in each.boxes()]


def box(name: str, identity: str) -> Box:
    found = form(name).box(identity)
    assert found is not None
    return found


DOCUMENTS = (
    ("iep", "teacher"), ("school-report", "teacher"), ("medical-report", "doctor"), ("report", "speech"),
    ("assessment-report", "psychologist"), ("psychology-report", "psychologist"), ("psychiatric-report", "doctor"),
    ("mental-health-report", "counsellor"), ("treatment-plan", "counsellor"), ("genetic-report", "doctor"),
    ("child-welfare-report", "caseworker"), ("plan-of-care", "caseworker"), ("court-order", "coordinator"),
    ("custody-order", "coordinator"), ("probation-order", "coordinator"), ("substance-use-report", "doctor"),
    ("financial-record", "coordinator"), ("immigration-record", "coordinator"), ("letter", "teacher"),
    ("intake-form", "coordinator"), ("psychological-report", "psychologist"), ("other", "teacher"),
)  # fmt: skip


def form_case() -> dict[str, Any]:
    """The case of the table of decisions without its consents, with a document of every type and of every sender."""
    made = case()
    made["consents"] = []
    made["providers"].append(
        {
            "id": "psychologist",
            "name": {"family": "Halloran"},
            "profession": "psychologist",
            "organization": "organizations/riverside",
        }
    )
    made["documents"] = [
        {"id": f"d-{kind}", "type": kind, "title": f"What the {kind} says", "originator": f"providers/{by}"}
        for kind, by in DOCUMENTS
    ]
    made["assessments"].append(
        {"id": "attention", "kind": "specialised", "by": "providers/psychologist", "result": "Attends when it is quiet"}
    )
    made["goals"] += [
        {"id": f"about-{topic}", "title": f"A goal about {topic}", "status": "active", "topics": [topic]}
        for topic in TOPICS
    ]
    return made


def ticks(name: str, boxes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Ticks that break no rule: of these boxes, for one partner, for a year."""
    made: dict[str, Any] = {
        "form": name,
        "version": form(name).version,
        "boxes": boxes,
        "period": {"choice": "year"},
        "signed": copy.deepcopy(SIGNED),
    }
    if not form(name).columns:
        made["to"] = [PARTNER]
    return made | changes


def ticked(name: str, *identities: str, partner: str = PARTNER) -> dict[str, Any]:
    """These boxes as they are ticked on this form: a cross, or initials."""
    marks = {identity: "JW" if box(name, identity).initials else True for identity in identities}
    return {identity: {partner: mark} for identity, mark in marks.items()} if form(name).columns else marks


def taken(name: str, boxes: dict[str, Any], of: dict[str, Any] | None = None, **changes: Any) -> Taken:
    return take(form(name), ticks(name, boxes, **changes), of or form_case(), RULES)


def seen(of: dict[str, Any], partner: str = PARTNER, kept: dict[str, Any] | None = None) -> View:
    return view(of, compile_rules(of, RULES, kept), partner, NOW)


def all_permitted() -> dict[str, Any]:
    """A consent to everything, for everyone: what a 'never' has to stand against."""
    return {
        "id": "everything",
        "status": "active",
        "granted_by": "people/mother",
        "method": "signature",
        "signed_at": "2026-10-04",
        "period": {"start": "2026-10-04", "end": "2027-10-03"},
        "provisions": [
            {
                "id": "p",
                "effect": "permit",
                "to": "all",
                "purposes": list(PURPOSES),
                "parts": "all",
                "topics": list(TOPICS),
            }
        ],
    }
