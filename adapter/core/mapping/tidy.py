"""What is left of rendered resources once nothing empty, half-said or dangling may stay in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from adapter.core.diff import Resource

_URN = "urn:uuid:"

_WHOLE: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "Appointment": (("status",), ("participant",)),
    "Binary": (("contentType",), ("data",)),
    "CarePlan": (("status",), ("subject",)),
    "CareTeam": (("subject",),),
    "Composition": (("status",), ("subject",), ("author",), ("title",), ("section",)),
    "Condition": (("subject",), ("code",)),
    "Consent": (("status",), ("patient", "subject")),
    "DocumentReference": (("status",), ("subject",), ("content",)),
    "Encounter": (("status",), ("subject",)),
    "EpisodeOfCare": (("status",), ("patient",)),
    "Goal": (("lifecycleStatus",), ("subject",), ("description",)),
    "Observation": (("subject",), ("code",), ("valueString", "dataAbsentReason")),
    "Organization": (("name",),),
    "Practitioner": (("name",),),
    "PractitionerRole": (("practitioner",),),
    "Provenance": (("target",), ("agent",), ("signature",)),
    "RelatedPerson": (("patient",), ("name",)),
    "RiskAssessment": (("subject",), ("prediction",)),
    "ServiceRequest": (("status",), ("subject",), ("code",)),
    "Task": (("status",), ("for",), ("description", "focus")),
}
"""Without one of each group a resource is not worth sending: it is not made, and links to it are dropped."""

_ENTIRE: Mapping[str, str] = {"Provenance": "target"}
"""A list of which nothing may be missing: a signature holds for all that was signed, or is not sent."""

_PARTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "activity": (("reference", "detail", "plannedActivityReference"),),
    "agent": (("who",),),
    "coding": (("code",),),
    "communication": (("language",),),
    "detailQuantity": (("value",),),
    "input": (("type",), ("valueReference", "valueString", "valueDate")),
    "content.attachment": (("title", "url", "data"),),
    "note": (("text",),),
    "output": (("type",), ("valueReference", "valueString")),
    "parameter": (("code",), ("valueCodeableConcept",)),
    "participant": (("member", "individual", "actor"),),
    "provision.actor": (("role",), ("reference",)),
    "quantityQuantity": (("value",),),
    "relatesTo": (("targetReference", "resourceReference"),),
    "section": (("text", "entry"),),
    "section.text": (("div",),),
    "signature": (("type",), ("who",)),
    "valueReference": (("reference", "display", "identifier"),),
    "statusHistory": (("status",), ("period",)),
    "telecom": (("system",), ("value",)),
}
"""An element under this name (or `parent.name`) is dropped whole unless it has one of each group (FHIR's own minima,
and good sense)."""

_NESTED = frozenset(key.partition(".")[2] for key in _PARTS if "." in key)

_EXTENSIONS: Mapping[str, tuple[str, ...]] = {
    "http://hl7.org/fhir/StructureDefinition/goal-acceptance": ("individual",),
    "http://hl7.org/fhir/StructureDefinition/goal-relationship": ("type", "target"),
}
"""Complex extensions of HL7 and the parts without which they mean nothing."""


def tidy(resources: Mapping[str, Resource]) -> dict[str, Resource]:
    """The resources (by urn) without empty elements and without references to what is not among them.

    A resource that loses what it needs goes too, then what referred to it, until nothing changes. Where references run
    in a circle (two plans that supersede each other), the one that closes it goes: creation runs along references.
    """
    kept = dict(resources)
    cut: set[tuple[str, str]] = set()
    while True:
        cleaned = {
            urn: _clean(
                each, "", kept.keys() - barred if (barred := {to for from_, to in cut if from_ == urn}) else kept
            )
            for urn, each in kept.items()
        }
        whole = {urn: each for urn, each in cleaned.items() if each is not None and _is_whole(each, resources[urn])}
        if len(whole) == len(kept):
            if (link := _circle(whole)) is None:
                return whole
            cut.add(link)
        kept = {urn: resources[urn] for urn in whole}


def links(value: Any) -> Iterator[str]:
    """The urns that a resource refers to; in Attachment.url too."""
    if isinstance(value, dict):
        for name in ("reference", "url"):
            if isinstance(to := value.get(name), str) and to.startswith(_URN):
                yield to
        for child in value.values():
            yield from links(child)
    elif isinstance(value, list):
        for child in value:
            yield from links(child)


def _is_whole(resource: Resource, rendered: Resource) -> bool:
    type_ = resource["resourceType"]
    if (entire := _ENTIRE.get(type_)) and len(resource.get(entire, ())) < len(rendered.get(entire, ())):
        return False
    return _has(resource, _WHOLE.get(type_, ()))


def _clean(value: Any, name: str, there: Collection[str], within: str = "") -> Any:
    """The value without what is empty; None where nothing is left. `within`: the name of what it stands in."""
    if isinstance(value, list):
        return [each for child in value if (each := _clean(child, name, there, within)) is not None] or None
    if isinstance(value, str):
        return value or None
    if not isinstance(value, dict):
        return value
    made = {key: each for key, child in value.items() if (each := _clean(child, key, there, name)) is not None}
    if isinstance(to := made.get("reference"), str) and to.startswith(_URN) and to not in there:
        # The type of what is withheld would still say that it exists: the link goes whole, only words may stay.
        made = {key: each for key, each in made.items() if key in ("display", "identifier")}
    if isinstance(at := made.get("url"), str) and at.startswith(_URN) and at not in there:
        del made["url"]
    if name in ("extension", "modifierExtension") and not _says(made):
        return None
    needed = _PARTS.get(f"{within}.{name}" if name in _NESTED else name, ())
    return made if made and _has(made, needed) else None


def _has(made: Mapping[str, Any], groups: Iterable[tuple[str, ...]]) -> bool:
    return all(any(name in made for name in group) for group in groups)


def _says(extension: dict[str, Any]) -> bool:
    inner = {each["url"] for each in extension.get("extension", ())}
    if needed := _EXTENSIONS.get(extension.get("url", "")):
        return inner.issuperset(needed)
    return bool(inner) or any(key.startswith("value") for key in extension)


def _circle(resources: Mapping[str, Resource]) -> tuple[str, str] | None:
    """One reference (from, to) that closes a circle, the same one whatever the order of the input."""
    graph = {urn: sorted(set(links(each))) for urn, each in sorted(resources.items())}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        nodes: list[str] = circle.args[1]
        return max((from_, to) for to, from_ in zip(nodes, nodes[1:], strict=False) if to in graph[from_])
    return None
