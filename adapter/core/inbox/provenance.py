"""Where adopted records and fields came from, as FHIR Provenance: for the agency and its systems, never for partners.

https://hl7.org/fhir/R4/provenance.html. The targets are records of the agency's, which have no address in FHIR: they
are named by a logical reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

_AGENT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_ACTIVITY = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
RECORDS = "urn:csp-fhir-adapter:record"
"""The system of the names of records here: `C-1042/goals/g1`."""


def provenance(number: str, sources: Iterable[Mapping[str, Any]], partners: Mapping[str, str]) -> dict[str, Any]:
    """A Bundle with one Provenance for each record or field that was adopted. `partners`: id → name."""
    entries = [{"resource": _one(number, source, partners)} for source in sources]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "collection"}
    return {**bundle, "entry": entries} if entries else bundle


def _one(number: str, source: Mapping[str, Any], partners: Mapping[str, str]) -> dict[str, Any]:
    first, *others = source["resources"]
    told = {"identifier": {"system": RECORDS, "value": f"{number}/{source['path']}"}}
    return {
        "resourceType": "Provenance",
        "target": [told],
        "recorded": datetime.fromisoformat(source["on"]).isoformat(timespec="seconds"),
        "activity": {"coding": [{"system": _ACTIVITY, "code": "receive"}]},
        "agent": [
            _agent("author", partners.get(source["partner"], source["partner"])),
            _agent("enterer", source["by"]),
        ],
        "entity": [
            {"role": "source", "what": {"reference": f"{first}/_history/{source['version']}"}},
            *({"role": "source", "what": {"reference": each}} for each in others),
        ],
    }


def _agent(kind: str, who: str) -> dict[str, Any]:
    return {"type": {"coding": [{"system": _AGENT, "code": kind}]}, "who": {"display": who}}
