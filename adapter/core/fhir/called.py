"""How a Consent names its child where it refers to no Patient of its world: by identifier, or contained.

A denial must not wait for a partner to write a Patient, or for a person to look: the identifier says whose it is, where
both know its system (core/inbox/names.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.core.fhir.named import names_of

Patient = dict[str, Any]
_FIELDS = ("patient", "subject")
"""Of a Consent in R4, and in R5."""
_MOST = 20
"""Identifiers by which one child is looked for."""


def child_of(consent: Mapping[str, Any]) -> Patient:
    """The Patient as far as the Consent says itself who it is: contained, or no more than its identifiers; {} where it
    says nothing, or is no Consent."""
    if consent.get("resourceType") != "Consent":
        return {}
    refers: Mapping[str, Any] = next((consent[name] for name in _FIELDS if isinstance(consent.get(name), dict)), {})
    text = str(refers.get("reference") or "")
    found = dict(_contained(consent, text))
    named = [*_listed(found.get("identifier")), *_listed([refers.get("identifier")])]
    return {**found, "resourceType": "Patient", "identifier": named[:_MOST]} if named else {}


def calls(consent: Mapping[str, Any]) -> list[str]:
    """The terms by which a Consent is found that names its child so: `system|value` of each identifier."""
    return [f"{of}|{value}" for of, value in identifiers(child_of(consent))]


def identifiers(patient: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(system, value) of each whole identifier."""
    return [(of, value) for of, value in names_of(patient) if isinstance(of, str) and isinstance(value, str) and value]


def _contained(consent: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    held = consent.get("contained")
    for each in held if text.startswith("#") and isinstance(held, list) else ():
        if isinstance(each, dict) and each.get("resourceType") == "Patient" and f"#{each.get('id')}" == text:
            return each
    return {}


def _listed(found: Any) -> list[dict[str, Any]]:
    every = found if isinstance(found, list) else []
    return [each for each in every if isinstance(each, dict) and each.get("system") and each.get("value")]
