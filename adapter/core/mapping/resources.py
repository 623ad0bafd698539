"""From a view to the resources that a partner should hold: mapped, labelled, named, and closed under references."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapter.core.consent.view import Label, View
from adapter.core.diff import Made, Resource
from adapter.core.fhir.named import named_by
from adapter.core.fhir.narrative import narrative
from adapter.core.identity import Identity, Key, directory_key
from adapter.core.mapping.bindings import Binding
from adapter.core.mapping.codes import ConceptMap, coding
from adapter.core.mapping.mapping import Mapping as MappingFile
from adapter.core.mapping.tidy import tidy
from adapter.core.partner import Partner, Release
from adapter.errors import Problem

PROFILES = "https://csp-adapter.example/StructureDefinition/"
_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_OBSERVATION_VALUE = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"

_NORMAL = coding(_CONFIDENTIALITY, "N", "normal")
_RESTRICTED = coding(_CONFIDENTIALITY, "R", "restricted")
_VERY_RESTRICTED = coding(_CONFIDENTIALITY, "V", "very restricted")
_NO_REDISCLOSURE = coding(_ACT_CODE, "NORDSCLCD", "no redisclosure without consent directive")
_REDACTED = coding(_OBSERVATION_VALUE, "REDACTED", "redacted")

_AUDIENCE: Mapping[str, frozenset[str]] = {
    "health-card": frozenset(("health", "hospital")),
    "school-number": frozenset(("education",)),
    "agency": frozenset(),
    "case": frozenset(),
}
"""Sectors that may be told an identifier of this type; types that are not here go to all (exchange.md, *Identity*)."""
_NO_REAL_IDENTIFIER = frozenset(_AUDIENCE)


@dataclass(frozen=True, slots=True)
class Mappings:
    """The mapping files of one release and the ConceptMaps that they use."""

    release: Release
    mappings: tuple[MappingFile, ...]
    codes: Mapping[str, ConceptMap]
    guides: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Dialect → mapping file → the profiles of that guide that its resources name beside ours (profiles/guides)."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a partner should hold, in an order that depends on nothing but the content (type, urn).

    `findings`: the record's path and the rule (an untranslated code), never a value.
    """

    made: tuple[Made, ...]
    findings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """One record or entry that a mapping is about to be rendered for."""

    mapping: MappingFile
    path: str
    record: dict[str, Any]
    parent: dict[str, Any] | None
    key: Key


def resources(
    view: View,
    mappings: Mappings,
    *,
    case_number: str,
    partner: Partner,
    identity: Identity,
    program: str,
    now: datetime,
) -> Resources:
    """map(view): pure, deterministic, the same for the same permitted content whatever else the case holds.

    `now` serves `now()` and `today()` in mapping files alone; no time of ours is put into a resource. `%program` is
    bound only where the view holds the program: elsewhere it would tell what enrolment withholds.
    """
    if not view.case:
        return Resources((), ())
    case = _for_audience(view.case, partner)
    sources = sorted(_sources(case, mappings.mappings, case_number), key=lambda s: (s.path, s.mapping.name))
    urns: dict[str, dict[str, str]] = {}
    for source in sources:
        slot = f"#{source.mapping.slot}" if source.mapping.slot else ""
        urns.setdefault(source.path, {})[source.key.type + slot] = identity.urn(source.key)
    language = _language(case)
    receiver = _told_of(partner)
    findings: list[Problem] = list(_without_system(case))
    rendered: dict[str, list[tuple[_Source, Resource]]] = {}
    for source in sources:
        binding = Binding(source.path, urns, mappings.codes, language, findings)
        variables = {
            "record": source.record,
            "parent": source.parent,
            "child": case.get("child"),
            "case": case,
            "partner": receiver,
            "program": program if "program" in case else None,
            "release": mappings.release,
        }
        options: dict[str, Any] = {"now": now, "extra": binding}
        when = source.mapping.when
        if when is not None and not when.holds(source.record, variables, **options):
            continue
        resource = source.mapping.template.render(source.record, variables, **options)
        if isinstance(resource, dict):
            rendered.setdefault(identity.urn(source.key), []).append((source, resource))
    # Two records of one directory key are one resource; which of them speaks must not depend on their order.
    chosen = {
        urn: each[0] if len(each) == 1 else min(each, key=lambda pair: _canonical(pair[1]))
        for urn, each in rendered.items()
    }
    clean = tidy({urn: resource for urn, (_, resource) in chosen.items()})
    made = [
        _made(urn, chosen[urn][0], resource, view, mappings, partner, identity, language)
        for urn, resource in clean.items()
    ]
    return Resources(tuple(sorted(made, key=lambda m: (m.type, m.urn))), tuple(sorted(set(findings))))


def _made(
    urn: str,
    source: _Source,
    body: Resource,
    view: View,
    mappings: Mappings,
    partner: Partner,
    identity: Identity,
    language: str,
) -> Made:
    label = _label(view.labels, source.path)
    topics = label.topics if label else ()
    system, value = identity.identifier(source.key)
    security = [_NORMAL] if source.mapping.directory else _security(label, mappings.codes)
    if body["resourceType"] == "Consent" and partner.withheld_notice and view.withheld:
        security.append(_REDACTED)
    rest = {
        name: each for name, each in body.items() if name not in ("resourceType", "id", "meta", "text", "identifier")
    }
    # What cases share must read the same from each of them.
    tongue = "en" if source.mapping.directory else language
    type_ = body["resourceType"]
    named = named_by(type_, (system, value), mappings.release)
    given = body.get("identifier", [])
    if isinstance(named.get("identifier"), list):
        named["identifier"] += given if isinstance(given, list) else [given]
    guided = mappings.guides.get(partner.dialect, {})
    resource: Resource = {
        "resourceType": type_,
        "meta": {
            "profile": [f"{PROFILES}csp-{source.mapping.name}", *guided.get(source.mapping.name, ())],
            "security": security,
            **named.pop("meta", {}),
        },
        **({"text": narrative(body, language=tongue)} if partner.narrative and type_ != "Binary" else {}),
        **named,
        **rest,
    }
    return Made(
        urn=urn,
        type=type_,
        identifier=(system, value),
        resource=resource,
        directory=source.mapping.directory,
        about=source.path,
        parts=label.parts if label else (),
        topics=topics,
    )


def _security(label: Label | None, codes: Mapping[str, ConceptMap]) -> list[dict[str, str]]:
    """Confidentiality, sensitivity, purpose, no redisclosure: what travels with each copy (consent.md, *The view*)."""
    topics, purposes = (label.topics, label.purposes) if label else ((), ())
    labels = [_confidentiality(topics, codes.get("confidentiality"))]
    for name, values in (("topic", topics), ("purpose", purposes)):
        map_ = codes.get(name)
        for value in sorted(set(values)):
            if map_ and (found := map_.translate(value)):
                labels.extend(coding(*each) for each in found.codings)
    return [*labels, _NO_REDISCLOSURE]


def _confidentiality(topics: Sequence[str], levels: ConceptMap | None) -> dict[str, str]:
    """N where there is no topic; else R, or V where one of them asks for it (mappings/codes/confidentiality.json)."""
    if not topics:
        return _NORMAL
    found = [levels.translate(topic) for topic in topics] if levels else []
    return _VERY_RESTRICTED if any(each and each.code == "V" for each in found) else _RESTRICTED


def _label(labels: Mapping[str, Label], path: str) -> Label | None:
    """The label of a path, or of the nearest thing that holds it."""
    while path not in labels:
        if "/" not in path:
            return None
        path = path.rpartition("/")[0]
    return labels[path]


def _sources(case: dict[str, Any], files: Sequence[MappingFile], case_number: str) -> Iterator[_Source]:
    for file in files:
        for path, record, parent in _entries(case, file.each):
            key = (
                _directory(file, record, case) if file.directory else Key(case_number, path, file.type, file.slot or "")
            )
            yield _Source(file, path, record, parent, key)


def _entries(case: dict[str, Any], each: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any] | None]]:
    """(path, record, what holds it) for `child`, `case`, `goals`, `goals.steps`, `care_plans.transitions.steps` …"""
    if each == "case":
        yield "case", case, None
        return
    collection, *fields = each.split(".")
    holder = case.get(collection)
    found: list[tuple[str, dict[str, Any], dict[str, Any] | None]] = [
        (record.get("path") or (f"{collection}/{record['id']}" if "id" in record else collection), record, None)
        for record in (holder if isinstance(holder, list) else [holder] if holder else [])
    ]
    for name in fields:
        found = [
            (entry.get("path") or f"{path}/{name}/{entry['id']}", entry, record)
            for path, record, _ in found
            for entry in record.get(name, ())
            if "path" in entry or "id" in entry
        ]
    yield from found


def _directory(file: MappingFile, record: dict[str, Any], case: dict[str, Any]) -> Key:
    """Who this is, whichever case speaks of it: a real identifier that the view itself shows, else name and sector."""
    real = [
        (each["system"], each["value"])
        for each in record.get("identifiers", ())
        if each.get("system") and each.get("value") and each.get("type") not in _NO_REAL_IDENTIFIER
    ]
    at = record.get("organization")
    home: dict[str, Any] = next((o for o in case.get("organizations", ()) if o.get("path") == at), {})
    sectors = (record if file.each == "organizations" else home).get("sector", ())
    name = record.get("name", "")
    if isinstance(name, dict):
        # Two people may bear one name: where they work keeps them apart.
        name = " ".join([*name.get("given", ()), name.get("family", ""), "at", home.get("name", "")])
    role = "" if file.type != "PractitionerRole" else json.dumps([home.get("name", ""), record.get("profession", "")])
    return directory_key(
        file.type,
        identifiers=real,
        name=name,
        sectors=[sectors] if isinstance(sectors, str) else list(sectors),
        slot=role or file.slot or "",
    )


def _for_audience(case: dict[str, Any], partner: Partner) -> dict[str, Any]:
    """The case without identifiers that this partner may not be told; consent cannot widen this."""

    def may(identifier: dict[str, Any]) -> bool:
        type_ = identifier.get("type", "other")
        sectors = _AUDIENCE.get(type_)
        return sectors is None or type_ in partner.audience or not sectors.isdisjoint(partner.sectors)

    def told(record: dict[str, Any]) -> dict[str, Any]:
        if "identifiers" not in record:
            return record
        return record | {"identifiers": [each for each in record["identifiers"] if may(each)]}

    # Collections have no order of their own: what is made must not change when an agency writes them differently.
    smaller = {
        name: sorted(value, key=lambda record: str(record.get("id", ""))) if isinstance(value, list) else value
        for name, value in case.items()
    }
    if "child" in case:
        smaller["child"] = told(case["child"])
    for collection in ("organizations", "providers"):
        if collection in case:
            smaller[collection] = [told(record) for record in smaller[collection]]
    return smaller


def _without_system(case: dict[str, Any]) -> Iterator[Problem]:
    """Each record with an identifier that no mapping sends: its value alone would mean something else elsewhere."""
    for name in ("child", "organizations", "providers"):
        held = case.get(name)
        for record in held if isinstance(held, list) else [held] if held else []:
            if any(not each.get("system") for each in record.get("identifiers", ())):
                yield Problem(record.get("path") or name, "an identifier without a system is not sent")


def _language(case: dict[str, Any]) -> str:
    """ "fr" where the plan is written in French, else "en": the languages that generated text speaks."""
    plans = sorted(case.get("care_plans", ()), key=lambda plan: str(plan.get("id", "")))
    return "fr" if any(str(plan.get("language", "")).split("-")[0] == "fr" for plan in plans) else "en"


def _told_of(partner: Partner) -> dict[str, Any]:
    """What a mapping may know of the partner: nothing of how we reach it, nothing secret."""
    return {
        "id": partner.id,
        "name": partner.name,
        "sectors": list(partner.sectors),
        "purpose": partner.purpose,
        "bytes": partner.bytes,
        "dialect": partner.dialect,
        "identifiers": [{"system": system, "value": value} for system, value in partner.identifiers],
    }


def _canonical(resource: Resource) -> str:
    return json.dumps(resource, sort_keys=True, ensure_ascii=False, default=str)
