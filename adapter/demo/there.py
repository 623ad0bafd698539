"""What partners really hold: read from their own /fhir, and held against what consent permits."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable
from typing import Any

from adapter.core.fhir.named import names_of
from adapter.core.fhir.named import search as named_so
from adapter.demo.neighbours import Instance, Neighbours
from adapter.demo.talk import Refusal

TYPES = (
    "Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "EpisodeOfCare", "Condition",
    "Observation", "ServiceRequest", "Task", "Consent", "CareTeam", "Goal", "CarePlan", "RiskAssessment",
    "Encounter", "Appointment", "DocumentReference", "Binary", "Composition", "Provenance",
)  # fmt: skip
DIRECTORY = ("Organization", "Practitioner", "PractitionerRole")
_LONGEST = 60.0


class Untrue(Exception):  # noqa: N818  a claim of the story that the partners do not bear out
    """What a partner holds is not what the story says."""


def desired(neighbours: Neighbours, case: dict[str, Any], partner: Instance) -> list[dict[str, Any]]:
    """What consent permits now, as the agency computes it: resources with their own identifiers."""
    path = f"/api/cases/{case['case']}/views/{partner.name}?as=fhir"
    bundle = neighbours.agency.api("GET", path, token=neighbours.coordinator)
    return [entry["resource"] for entry in bundle.get("entry", [])]


def check_equal(partner: Instance, case: dict[str, Any], expected: Iterable[dict[str, Any]]) -> None:
    """Each expected resource is at the partner once, with the same content but for ids and references."""
    for made in expected:
        there = by_identifier(partner, made)
        if len(there) != 1:
            raise Untrue(f"{partner.title} holds {len(there)} of one {made['resourceType']} of {case['case']}")
        directory = made["resourceType"] in DIRECTORY
        if not directory and _content(there[0]) != _content(made):
            raise Untrue(f"a {made['resourceType']} of {case['case']} at {partner.title} is not what consent permits")


def by_identifier(partner: Instance, made: dict[str, Any]) -> list[dict[str, Any]]:
    """What the partner holds under the identifier of this resource."""
    type_ = made["resourceType"]
    return search(partner, type_, f"{named_so(type_, next(names_of(made)))}&")


def search(partner: Instance, type_: str, query: str = "") -> list[dict[str, Any]]:
    """Every match of a search at the partner, page after page."""
    try:
        bundle = partner.api("GET", f"/fhir/{type_}?{query}_count=200")
    except Refusal as refused:
        if refused.status == 404:
            return []
        raise
    found = [e["resource"] for e in bundle.get("entry", [])]
    while link := next((x["url"] for x in bundle.get("link", []) if x["relation"] == "next"), None):
        bundle = partner.api("GET", link.removeprefix(partner.url))
        found += [e["resource"] for e in bundle.get("entry", [])]
    return found


def own(made: dict[str, Any]) -> str:
    """The identifier under which the partner knows it."""
    value: str = next(names_of(made))[1]
    return value


def settle(neighbours: Neighbours, cases: Iterable[dict[str, Any]]) -> None:
    """Wait until no share of these cases has work left. Untrue where one has stopped."""
    listed = list(cases)

    def idle() -> bool:
        found = [s for case in listed for s in _shares(neighbours, case)]
        stopped = [s for s in found if s["state"] == "stopped"]
        if stopped:
            raise Untrue(f"a share with {stopped[0]['partner']} has stopped: {stopped[0]['detail']}")
        return all(s["state"] == "idle" for s in found)

    wait(neighbours, listed, idle, "every share is settled")


def wait(neighbours: Neighbours, cases: Iterable[dict[str, Any]], holds: Callable[[], bool], what: str) -> None:
    """Wait until this `holds`. Untrue where it does not come about."""
    until = time.monotonic() + _LONGEST
    while not holds():
        if time.monotonic() > until:
            states = [
                (s["partner"], s["state"], s["outcome"], s["detail"]) for c in cases for s in _shares(neighbours, c)
            ]
            raise Untrue(f"it does not come about that {what}: {states}")
        time.sleep(0.1)


def _shares(neighbours: Neighbours, case: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = neighbours.agency.api(
        "GET", f"/api/cases/{case['case']}/shares", token=neighbours.coordinator
    )
    return found


def _content(resource: dict[str, Any]) -> Any:
    """A resource without what its server gave it, and with references reduced to their presence."""
    plain = copy.deepcopy(resource)
    plain.pop("id", None)
    meta = plain.get("meta", {})
    plain["meta"] = {name: meta[name] for name in ("profile", "security") if name in meta}
    return _without_targets(plain)


def _without_targets(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: ("…" if _leads(k, v) else _without_targets(v)) for k, v in value.items()}
    return [_without_targets(v) for v in value] if isinstance(value, list) else value


def _leads(name: str, value: Any) -> bool:
    """Does it lead to another resource: a reference, or the address of the bytes of a document?"""
    at = value if isinstance(value, str) else ""
    return (name == "reference" and bool(at)) or (name == "url" and at.startswith(("urn:uuid:", "Binary/")))
