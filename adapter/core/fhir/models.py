"""Does a resource have the structure of its FHIR type? Asked of fhir.resources, which is imported nowhere else.

The models check elements, types, cardinality, choices and formats. They accept wrong codes, wrong reference targets,
broken invariants and empty objects; of these, emptiness is looked at here (ele-1). A model never serialises what
leaves: it would rewrite decimals and times (design.md section 6).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from pydantic import BaseModel, ValidationError

from adapter.core.partner import Release
from adapter.errors import Problem

_PACKAGES: dict[Release, str] = {"R4": "fhir.resources.R4B", "R5": "fhir.resources"}

TYPES = (
    "Appointment", "AuditEvent", "Binary", "Bundle", "CarePlan", "CareTeam", "Composition", "Condition", "Consent",
    "DocumentReference", "Encounter", "Endpoint", "EpisodeOfCare", "Goal", "HealthcareService", "Location",
    "Observation", "OperationOutcome", "Organization", "Parameters", "Patient", "Practitioner", "PractitionerRole",
    "Procedure", "Provenance", "QuestionnaireResponse", "RelatedPerson", "RiskAssessment", "ServiceRequest", "Task",
)  # fmt: skip
"""The types that the adapter sends or takes. A name that is neither here nor below is never imported."""
OF_SUBSCRIPTIONS = ("Subscription", "SubscriptionStatus")
"""By which servers tell each other that something has changed: nothing of a case stands in them."""

_UNCHECKED = (KeyError, TypeError, AttributeError, IndexError)
"""fhir.resources looks up the type of a nested resource, and into addresses, without a check of their type."""
_WRONG = "holds a value that is not of its type, or a resource of an unknown type"
_WORDS = {
    "extra_forbidden": "this element does not exist in this type",
    "missing": "a required element is missing",
    "model_field_validation.missing": "a required element is missing",
    "string_pattern_mismatch": "does not have the format of its type",
    "list_type": "must be a list",
    "string_type": "must be text",
    "json_invalid": "must be an object",
    "model_type": "must be an object",
    "value_error": "is not a value of its type, or breaks a rule of its type",
}


def problems(resource: dict[str, Any], *, release: Release = "R4") -> list[Problem]:
    """Every structural problem of one resource: a JSON Pointer and the rule, never a value. None: it is accepted."""
    type_ = resource.get("resourceType")
    if type_ not in TYPES and type_ not in OF_SUBSCRIPTIONS:
        return [Problem("/resourceType", "not a resource type that is exchanged here")]
    found = [Problem(pointer, "an element must have a value (ele-1)") for pointer in _empty(resource, "")]
    try:
        _model(type_, release).model_validate(resource)
    except ValidationError as wrong:
        # `msg`, `input` and `ctx` may quote the record: only the kind of error and its place are used.
        for error in wrong.errors(include_url=False, include_context=False, include_input=False):
            found.append(Problem(_pointer(error["loc"]), _WORDS.get(error["type"], "is not a value of its type")))
    except _UNCHECKED:
        found += [Problem(f"/{_escaped(name)}", _WRONG) for name in _breaking(resource, type_, release)]
        found = found or [Problem("", _WRONG)]
    return sorted(set(found))


def _breaking(resource: dict[str, Any], type_: str, release: Release) -> Iterator[str]:
    """The elements over which the library itself stumbles, each tried alone."""
    for name, value in resource.items():
        try:
            _model(type_, release).model_validate({"resourceType": type_, name: value})
        except ValidationError:
            continue
        except _UNCHECKED:
            yield name


@cache
def _model(type_: str, release: Release) -> type[BaseModel]:
    module = import_module(f"{_PACKAGES[release]}.{type_.lower()}")
    model: type[BaseModel] = getattr(module, type_)
    return model


def _pointer(place: tuple[int | str, ...]) -> str:
    return "".join(f"/{_escaped(str(step))}" for step in place)


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _empty(value: Any, at: str) -> Iterator[str]:
    """Where null, "", [] or {} stand. (A null in a list beside `_name` is legal FHIR; we never send one.)"""
    if value is None or value in ("", [], {}):
        yield at
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from _empty(child, f"{at}/{name}")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _empty(child, f"{at}/{index}")
