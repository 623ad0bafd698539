"""What our own /fhir can do, as the CapabilityStatement that /fhir/metadata answers with."""

from __future__ import annotations

from typing import Any

from adapter.core.fhir.search import PARAMETERS
from adapter.core.partner import Release
from adapter.core.subscriptions import words

_INTERACTIONS = ("read", "vread", "update", "patch", "delete", "create", "search-type")
_OPERATIONS = {
    "Patient": {"name": "everything", "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything"},
    "Composition": {"name": "document", "definition": "http://hl7.org/fhir/OperationDefinition/Composition-document"},
}
_DATE = "2026-11-27"
"""When what this statement says last changed."""


def statement(base: str, software: str, release: Release = "R4") -> dict[str, Any]:
    """http://hl7.org/fhir/R4/capabilitystatement.html, for the server at `base`, running `software` (a version).

    A partner is spoken to in the release of its file; who only asks for the statement gets the one it names.
    """
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _DATE,
        "kind": "instance",
        "software": {"name": "csp-fhir-adapter", "version": software},
        "implementation": {"description": "FHIR adapter of a coordinating agency", "url": base},
        "fhirVersion": {"R4": "4.0.1", "R5": "5.0.0"}[release],
        "format": ["application/fhir+json", "json"],
        "patchFormat": ["application/json-patch+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "A partner reads and searches what it wrote itself and, where the agency lets it, its"
                " view of the cases: what consent permits at that moment. Of that only the current version can be read,"
                " and none of it be written. References must lead to resources that are there, or be absolute;"
                " conditional references are refused.",
                "security": {"cors": False, "description": "A bearer token that the agency gave to the partner."},
                "resource": [*(_resource(type_) for type_ in PARAMETERS), _subscription()],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def _resource(type_: str) -> dict[str, Any]:
    own = [{"name": parameter.name, "type": parameter.kind} for parameter in PARAMETERS[type_]]
    return {
        "type": type_,
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "not-match",
        "conditionalUpdate": True,
        "conditionalDelete": "single",
        "referencePolicy": ["literal", "enforced", "local"],
        **({"searchInclude": links} if (links := [f"{type_}:{name}" for name in _links(type_)]) else {}),
        **({"searchRevInclude": _BACK} if type_ == "Patient" else {}),
        "searchParam": [{"name": "_id", "type": "token"}, {"name": "_lastUpdated", "type": "date"}, *own],
        **({"operation": [_OPERATIONS[type_]]} if type_ in _OPERATIONS else {}),
    }


def _subscription() -> dict[str, Any]:
    """Its topics stand where the Subscriptions R5 Backport has them, in either release."""
    operations = ("status", "events")
    return {
        "extension": [{"url": words.TOPIC_STATED, "valueCanonical": topic} for topic in words.TOPICS],
        "type": "Subscription",
        "supportedProfile": [words.PROFILE],
        "interaction": [{"code": code} for code in ("read", "create", "update", "delete", "search-type")],
        "versioning": "versioned-update",
        "updateCreate": False,
        "searchParam": [
            {"name": "url", "type": "uri"},
            {"name": "status", "type": "token"},
            {"name": "_id", "type": "token"},
        ],
        "operation": [{"name": name, "definition": f"{words.OPERATIONS}{name}"} for name in operations],
    }


def _links(type_: str) -> list[str]:
    return [parameter.name for parameter in PARAMETERS[type_] if parameter.kind == "reference"]


_BACK = [f"{type_}:{name}" for type_ in PARAMETERS for name in _links(type_)]
