"""A small story as an account: something is sent, fails, is taken back, told by telephone, and looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from adapter.core.account.audit import Scene
from adapter.core.account.chain import Entry, Line, content_hash, link, origin, written
from adapter.core.account.pages import Names
from adapter.core.mapping.codes import ConceptMap, Translation
from adapter.core.partner import Partner

START = datetime(2026, 10, 1, 15, tzinfo=UTC)
ZONE = ZoneInfo("America/Toronto")
CHAIN = "5f" * 16
PARTS = {
    "identity": {"en": "Who the child is", "fr": "Qui est l'enfant"},
    "school": {"en": "School", "fr": "École"},
    "goals": {"en": "Goals", "fr": "Objectifs"},
}
NAMES = Names(
    PARTS, {"lakeside": "Lakeside School Board", "clinic": "Rivière Clinic"}, {"consents/c1": date(2026, 9, 1)}
)
PARTNERS = {
    "lakeside": Partner(
        "lakeside",
        "Lakeside School Board",
        ("education",),
        date(2026, 1, 1),
        base_url="https://fhir.lakeside.example.ca",
        identifiers=(("https://registry.example.ca", "L-1"),),
    )
}
LINE = Line(
    at=START,
    partner="lakeside",
    purpose="education-planning",
    kind="attempted",
    request_id="r1",
    operation="create",
    resource_type="Goal",
    urn="urn:uuid:1",
    about="goals/g1",
    parts=("goals",),
    topics=("mental-health",),
    consents=("consents/c1@3",),
    outcome="",
)


def line(days: float = 0, **changes: Any) -> Line:
    return replace(LINE, at=START + timedelta(days=days), **changes)


def look(days: float = 0, about: str = "") -> Line:
    nothing = {"partner": "", "purpose": "", "resource_type": "", "urn": "", "parts": (), "topics": (), "consents": ()}
    return line(days, kind="look", operation="read", about=about, role="coordinator", label="Dana", **nothing)


def told(days: float = 0, **changes: Any) -> Line:
    said = {
        "operation": "telephone",
        "parts": ("identity",),
        "role": "privacy",
        "by": "R. Osei",
        "to": "Harbour Aid",
        "basis": "Duty to report, CYFSA s. 125",
        "happened": START + timedelta(days=days - 1),
    }
    return replace(look(days), kind="told", **(said | changes))


def purged(days: float = 0, outcome: str = "done", **changes: Any) -> Line:
    task = {"resource_type": "Task", "urn": "urn:uuid:4", "about": "withdrawal", "parts": (), "topics": ()}
    nothing = {"purpose": "", "consents": (), "request_id": ""}
    return line(days, kind="purge", outcome=outcome, **({"operation": "answered"} | task | nothing | changes))


def story() -> list[Line]:
    patient = {"resource_type": "Patient", "urn": "urn:uuid:2", "about": "child", "parts": ("identity",)}
    own = {"resource_type": "Consent", "urn": "urn:uuid:3", "about": "consents/own"}
    purge = {"resource_type": "Task", "urn": "urn:uuid:4", "about": "withdrawal", "parts": (), "consents": ()}
    there = {"kind": "delivered", "outcome": "delivered"}
    gone: dict[str, Any] = {"kind": "withdrawn", "operation": "withdraw", "outcome": "delivered", "consents": ()}
    clinic = {"partner": "clinic", "purpose": "treatment", "consents": ("consents/c2@1",)}
    return [
        *(line(**patient), line(), line(**own)),
        *(line(**patient, **there), line(**there), line(**own, **there)),
        *(line(**clinic, urn="urn:uuid:8"), line(**clinic, urn="urn:uuid:8", kind="failed", outcome="unavailable")),
        *(line(1, **clinic, urn="urn:uuid:8"), line(1, **clinic, urn="urn:uuid:8", kind="failed", outcome="unknown")),
        line(1, **clinic, urn="urn:uuid:9"),
        told(2),
        *(look(2), look(2), look(2, "views/lakeside")),
        *(line(3, **gone), line(3, **(patient | gone), topics=())),
        line(3, **(own | there), parts=(), operation="update"),
        *(line(3, **purge), line(3, **purge, **there)),
    ]


def entries(lines: Iterable[Line], chain: str = CHAIN) -> list[Entry]:
    previous, found = origin(chain), []
    for seq, each in enumerate(lines, 1):
        hash_ = link(previous, seq, content_hash(salt(seq), written(each)))
        found.append(Entry(seq, each, previous, hash_))
        previous = hash_
    return found


def salt(seq: int) -> bytes:
    return bytes([seq % 256]) * 32


def scene(**changes: Any) -> Scene:
    coc = Translation((("http://terminology.hl7.org/CodeSystem/v3-ActReason", "COC", "coordination of care"),), "Care")
    known = Scene(
        agency="Maple Valley",
        identifier=("https://registry.example.ca", "A-1"),
        address="https://adapter.example.ca",
        partners=PARTNERS,
        purposes=ConceptMap("purpose", {"education-planning": coc}),
        patient=lambda partner: ("https://ids.example.ca", f"child at {partner or 'home'}"),
        authorizers={"consents/c1@3": "parent"},
    )
    return replace(known, **changes)
