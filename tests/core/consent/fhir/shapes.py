"""Invented Consents in the shapes that others publish: HL7's R4 base, IHE PCF, HL7 FAST, LEAP's R4 and R5."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
ACTIONS = "http://terminology.hl7.org/CodeSystem/consentaction"
TYPES = "http://hl7.org/fhir/resource-types"
REGISTRY = "https://registry.example.ca/organizations"
SCHOOL, CLINIC, NURSE = "Organization/school", "Organization/clinic", "Practitioner/nurse"
AGREED = {"period": {"start": "2026-01-01", "end": "2026-12-31"}}


def purpose(*codes: str) -> dict[str, Any]:
    return {"purpose": [{"system": ACT_REASON, "code": code} for code in codes]}


def level(*codes: str) -> dict[str, Any]:
    return {"securityLabel": [{"system": CONFIDENTIALITY, "code": code} for code in codes]}


def sensitive(*codes: str) -> dict[str, Any]:
    return {"securityLabel": [{"system": ACT_CODE, "code": code} for code in codes]}


def types(*codes: str) -> dict[str, Any]:
    return {"class": [{"system": TYPES, "code": code} for code in codes]}


def actions(*codes: str) -> dict[str, Any]:
    return {"action": [{"coding": [{"system": ACTIONS, "code": code}]} for code in codes]}


def actor(*references: str, role: str = "IRCP") -> dict[str, Any]:
    roles = {"coding": [{"system": PARTICIPATION, "code": role}]}
    return {"actor": [{"role": roles, "reference": _reference(each)} for each in references]}


def about(meaning: str, reference: str) -> dict[str, Any]:
    return {"data": [{"meaning": meaning, "reference": {"reference": reference}}]}


def _reference(name: str) -> dict[str, Any]:
    system, bar, value = name.partition("|")
    return {"identifier": {"system": system, "value": value}} if bar else {"reference": name}


def permit(*parts: dict[str, Any], below: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return _provision("permit", parts, below)


def deny(*parts: dict[str, Any], below: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return _provision("deny", parts, below)


def bare(*parts: dict[str, Any], below: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A provision without a type, as in R5 (and in most of R4's core examples)."""
    return _provision("", parts, below)


def _provision(kind: str, parts: tuple[dict[str, Any], ...], below: list[dict[str, Any]] | None) -> dict[str, Any]:
    made: dict[str, Any] = {"type": kind} if kind else {}
    for part in parts:
        made |= part
    return made | ({"provision": below} if below is not None else {})


def r4(provision: dict[str, Any] | None = None, *, rule: str = "", **changes: Any) -> dict[str, Any]:
    """An R4 Consent; `rule`: OPTIN, OPTOUT or another policyRule."""
    made: dict[str, Any] = {
        "resourceType": "Consent",
        "id": "c1",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/ama"},
        "dateTime": "2026-01-01",
        "performer": [{"reference": "Patient/ama"}],
    }
    if rule:
        made["policyRule"] = {"coding": [{"system": ACT_CODE, "code": rule}]}
    if provision is not None:
        made["provision"] = provision
    return {name: value for name, value in {**made, **changes}.items() if value is not None}


def pcf(provision: dict[str, Any], **changes: Any) -> dict[str, Any]:
    profile = "https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consentAdvanced"
    uri = [{"uri": "https://policies.example.org/base"}]
    return r4(provision, **({"meta": {"profile": [profile]}, "policy": uri} | changes))


def r5(decision: str | None, *provisions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Consent",
        "id": "c5",
        "status": "active",
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "subject": {"reference": "Patient/ama"},
        "date": "2026-01-01",
        "grantor": [{"reference": "Patient/ama"}],
        **AGREED,
    }
    if decision is not None:
        made["decision"] = decision
    if provisions:
        made["provision"] = list(provisions)
    return {name: value for name, value in {**made, **changes}.items() if value is not None}
