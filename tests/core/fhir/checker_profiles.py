"""Small profiles written by hand over FHIR's own definitions: one of each kind of rule that a profile can add."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

from adapter.catalogue import files_root
from adapter.core.fhir.checker import Checker, Definitions, read
from adapter.core.fhir.checker.definitions import HL7
from adapter.core.partner import Release

OWN = "https://own.example/StructureDefinition/"
VALUES = "https://own.example/ValueSet/kind"
SYSTEM = "https://own.example/CodeSystem/kind"
Json = dict[str, Any]


@cache
def base(release: Release) -> tuple[Json, ...]:
    """The definitions of FHIR that the repository holds."""
    file = files_root() / "profiles" / "base" / release.lower() / "definitions.ndjson"
    return tuple(json.loads(line) for line in file.read_text("utf-8").splitlines())


@cache
def definitions(release: Release) -> Definitions:
    return read([*base(release), *own(release)], own=OWN)


@cache
def checker(release: Release = "R4") -> Checker:
    """A checker that knows FHIR and these profiles."""
    return Checker(definitions(release), release)


def own(release: Release) -> list[Json]:
    """The profiles, extensions and codes of this file."""
    return [
        {"resourceType": "CodeSystem", "url": SYSTEM, "content": "complete", "concept": [
            {"code": "home"}, {"code": "school", "concept": [{"code": "class"}]}]},
        {"resourceType": "ValueSet", "url": VALUES, "compose": {"include": [{"system": SYSTEM}]}},
        _extension("kind", ["Goal"], [{"code": "code"}], binding={"strength": "required", "valueSet": VALUES}),
        _extension("anywhere", ["Element"], [{"code": "string"}]),
        _extension("urgent", ["Goal"], [{"code": "boolean"}], modifies=True),
        _complex("story", {"who": ("string", 1, "1"), "when": ("date", 0, "*")}),
        _goal(),
        _observation(),
        _team(release),
    ]  # fmt: skip


def snapshot(url: str) -> list[Json]:
    found = next(each for each in base("R4") if each.get("url") == HL7 + url)
    return copy.deepcopy(found["snapshot"]["element"])


def definition(name: str, type_: str, elements: list[Json], **more: Any) -> Json:
    kind = "complex-type" if type_ == "Extension" else "resource"
    return {
        "resourceType": "StructureDefinition", "url": OWN + name, "type": type_, "kind": kind,
        "derivation": "constraint", "baseDefinition": HL7 + type_, "snapshot": {"element": elements}, **more,
    }  # fmt: skip


def _extension(name: str, where: list[str], types: list[Json], *, modifies: bool = False, **more: Any) -> Json:
    elements = [
        {"id": "Extension", "path": "Extension", "min": 0, "max": "*", "isModifier": modifies},
        {"id": "Extension.id", "path": "Extension.id", "min": 0, "max": "1", "type": [{"code": "string"}]},
        {"id": "Extension.extension", "path": "Extension.extension", "min": 0, "max": "0", "base": {"max": "*"},
         "type": [{"code": "Extension"}]},
        _element("Extension.url", "uri", 1, fixedUri=OWN + name),
        {"id": "Extension.value[x]", "path": "Extension.value[x]", "min": 1, "max": "1", "type": types, **more},
    ]  # fmt: skip
    contexts = [{"type": "element", "expression": each} for each in where]
    return definition(name, "Extension", elements, context=contexts)


def _complex(name: str, parts: dict[str, tuple[str, int, str]]) -> Json:
    elements: list[Json] = [
        {"id": "Extension", "path": "Extension", "min": 0, "max": "1"},
        {"id": "Extension.extension", "path": "Extension.extension", "min": 0, "max": "*",
         "type": [{"code": "Extension"}],
         "slicing": {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}},
    ]  # fmt: skip
    for part, (code, least, most) in parts.items():
        inside = f"Extension.extension:{part}"
        elements += [
            {"id": inside, "path": "Extension.extension", "min": least, "max": most, "type": [{"code": "Extension"}]},
            {"id": f"{inside}.url", "path": "Extension.extension.url", "min": 1, "max": "1", "type": [{"code": "uri"}],
             "fixedUri": part},
            {"id": f"{inside}.value[x]", "path": "Extension.extension.value[x]", "min": 1, "max": "1",
             "type": [{"code": code}]},
        ]  # fmt: skip
    elements += [
        _element("Extension.url", "uri", 1, fixedUri=OWN + name),
        {"id": "Extension.value[x]", "path": "Extension.value[x]", "min": 0, "max": "0", "type": [{"code": "string"}]},
    ]
    return definition(name, "Extension", elements, context=[{"type": "element", "expression": "Resource"}])


def _element(path: str, code: str, least: int = 0, most: str = "1", **more: Any) -> Json:
    return {"id": path, "path": path, "min": least, "max": most, "type": [{"code": code}], **more}


def _goal() -> Json:
    """Slices by pattern and by value, a fixed code, a forbidden element, a closed list, a rule, required extensions."""
    elements = snapshot("Goal")
    by_id = {each["id"]: each for each in elements}
    by_id["Goal"]["constraint"].append({
        "key": "own-1", "severity": "error", "human": "A goal with a start has a target",
        "expression": "start.exists() implies target.exists()",
    })  # fmt: skip
    by_id["Goal.description"]["patternCodeableConcept"] = {"coding": [{"system": SYSTEM, "code": "home"}]}
    by_id["Goal.statusReason"]["max"] = "0"
    by_id["Goal.subject"]["type"] = [{"code": "Reference", "targetProfile": [HL7 + "Patient"]}]
    by_id["Goal.note"] |= {"max": "2", "base": {"max": "*"}}
    _slice(elements, "Goal.category", "CodeableConcept", {"type": "pattern", "path": "$this"}, "open", [
        ("kind", 1, "1", {"patternCodeableConcept": {"coding": [{"system": SYSTEM}]}}, []),
    ])  # fmt: skip
    _slice(elements, "Goal.identifier", "Identifier", {"type": "value", "path": "system"}, "closed", [
        ("case", 0, "1", {}, [_element("Goal.identifier.system", "uri", 1, fixedUri="https://own.example/case"),
                              _element("Goal.identifier.value", "string", 1)]),
    ])  # fmt: skip
    _slice(elements, "Goal.extension", "Extension", {"type": "value", "path": "url"}, "open", [
        ("kind", 1, "1", {"type": [{"code": "Extension", "profile": [OWN + "kind"]}]}, []),
    ])  # fmt: skip
    return definition("goal", "Goal", elements)


def _observation() -> Json:
    """A choice of one type, with a unit; components told apart by their code, and by whether they have a value."""
    elements = snapshot("Observation")
    by_id = {each["id"]: each for each in elements}
    by_id["Observation.value[x]"]["type"] = [{"code": "Quantity"}]
    by_id["Observation.value[x]"]["patternQuantity"] = {"unit": "steps"}
    by_absence = {"type": "exists", "path": "dataAbsentReason"}
    _slice(elements, "Observation.component", "BackboneElement", by_absence, "open", [
        ("absent", 0, "1", {}, [_element("Observation.component.code", "CodeableConcept", 1),
                                _element("Observation.component.dataAbsentReason", "CodeableConcept", 1)]),
    ])  # fmt: skip
    return definition("observation", "Observation", elements)


def _team(release: Release) -> Json:
    """Members told apart by the type of what they refer to."""
    elements = snapshot("CareTeam")
    by_member = {"type": "type", "path": "member.resolve()"}
    _slice(elements, "CareTeam.participant", "BackboneElement", by_member, "closed", [
        ("family", 1, "*", {}, [
            {"id": "CareTeam.participant.member", "path": "CareTeam.participant.member", "min": 1, "max": "1",
             "type": [{"code": "Reference", "targetProfile": [HL7 + "RelatedPerson"]}]}]),
        ("worker", 0, "1", {}, [
            {"id": "CareTeam.participant.member", "path": "CareTeam.participant.member", "min": 1, "max": "1",
             "type": [{"code": "Reference", "targetProfile": [HL7 + "Practitioner"]}]}]),
    ])  # fmt: skip
    return definition("team", "CareTeam", elements)


def _slice(
    elements: list[Json],
    path: str,
    code: str,
    discriminator: Json,
    rules: str,
    slices: list[tuple[str, int, str, Json, list[Json]]],
) -> None:
    """Put slices behind the element that they slice."""
    element = next(each for each in elements if each["id"] == path)
    element["slicing"] = {"discriminator": [discriminator], "rules": rules}
    after = 1 + max(i for i, each in enumerate(elements) if each["id"] == path or each["id"].startswith(f"{path}."))
    made: list[Json] = []
    for name, least, most, more, children in slices:
        own = {"id": f"{path}:{name}", "path": path, "min": least, "max": most, "type": [{"code": code}]}
        made.append(own | {"base": {"max": "*"}, "sliceName": name} | more)
        made += [child | {"id": child["id"].replace(path, f"{path}:{name}", 1)} for child in children]
    elements[after:after] = made
