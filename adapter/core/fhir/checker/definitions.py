"""What FHIR and our profiles say of types, extensions and codes, as one value to compile from.

It is made of StructureDefinitions with snapshots, ValueSets and CodeSystems as parsed JSON: the trimmed base of
profiles/base and what our profiles are compiled to. Nothing is fetched: a ValueSet whose codes are not all here (SNOMED
CT, LOINC, media types) is not held against, and `Definitions.open` names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

HL7 = "http://hl7.org/fhir/StructureDefinition/"
_SYSTEM = "http://hl7.org/fhirpath/System."
_FHIR_TYPE = HL7 + "structuredefinition-fhir-type"
_EMPTY: Mapping[str, Any] = {}

Codes = frozenset[tuple[str, str]]
"""The codes of a ValueSet: (system, code)."""


@dataclass(frozen=True, slots=True)
class Definitions:
    """The definitions of one release."""

    structures: Mapping[str, Mapping[str, Any]]
    """Canonical URL → StructureDefinition with a snapshot."""
    value_sets: Mapping[str, Codes]
    """Canonical URL → its codes, where they are all known here."""
    open: frozenset[str]
    """ValueSets that are named somewhere and whose codes are not all known here."""
    code_systems: Mapping[str, frozenset[str]]
    """The URL of a code system that is given whole → its codes."""
    resource_types: frozenset[str]
    """Every resource type of the release, also those that are not exchanged here."""
    own: str = ""
    """How the canonical URLs of our own profiles and extensions begin; empty where none are there."""

    def structure(self, name: str) -> Mapping[str, Any] | None:
        """By its canonical URL (a version after `|` is left out), or by the name of a type of FHIR."""
        url = name.partition("|")[0]
        return self.structures.get(url) or self.structures.get(HL7 + url)

    def type_of(self, profile: str) -> str | None:
        """The type that a profile is of: `Patient` of a profile of Patient."""
        found = self.structure(profile)
        return found["type"] if found else None

    def ancestors(self, name: str) -> tuple[str, ...]:
        """A type and all it is derived from: Goal, DomainResource, Resource."""
        found = self.structure(name)
        above = self.ancestors(found["baseDefinition"]) if found and found.get("baseDefinition") else ()
        return (found["type"], *above) if found else ()


def read(definitions: Iterable[Mapping[str, Any]], *, own: str = "") -> Definitions:
    """The definitions among these resources. A later one of the same URL stands in place of an earlier one.

    `own`: how the URLs of our own profiles and extensions begin. Where one of them is here, all of them must be.
    """
    kinds: dict[str, dict[str, Mapping[str, Any]]] = {"StructureDefinition": {}, "ValueSet": {}, "CodeSystem": {}}
    types: set[str] = set()
    for each in definitions:
        if each["resourceType"] in kinds and "url" in each:
            kinds[each["resourceType"]][each["url"]] = each
        elif each["resourceType"] == "Parameters":  # the first line of profiles/base: the names of all resource types
            types |= {one["valueCode"] for one in each.get("parameter", []) if one.get("name") == "resource"}
    structures = {url: one for url, one in kinds["StructureDefinition"].items() if "snapshot" in one}
    systems = {url: one for url, one in kinds["CodeSystem"].items() if one.get("content") == "complete"}
    sets = {url: _codes(url, kinds["ValueSet"], systems, ()) for url in kinds["ValueSet"]}
    known = {url: codes for url, codes in sets.items() if codes is not None}
    named = {url.partition("|")[0] for one in structures.values() for url in _bound(one)}
    return Definitions(
        structures=structures,
        value_sets=known,
        open=frozenset(named - known.keys()),
        code_systems={url: frozenset(_concepts(one.get("concept", ()))) for url, one in systems.items()},
        resource_types=frozenset(types),
        own=own if own and any(url.startswith(own) for url in structures) else "",
    )


@dataclass(frozen=True, slots=True)
class Node:
    """One element of a snapshot with what stands below it, by the ids of elements (`Goal.target.detail[x]`)."""

    element: Mapping[str, Any]
    definition: Mapping[str, Any]
    children: dict[str, Node] = field(default_factory=dict)
    slices: dict[str, Node] = field(default_factory=dict)

    @property
    def path(self) -> str:
        path: str = self.element["path"]
        return path

    @property
    def is_list(self) -> bool:
        """Whether JSON has a list here: a profile that allows one of many does not change that."""
        return str(self.element.get("base", _EMPTY).get("max", self.element["max"])) not in ("0", "1")

    @property
    def least(self) -> int:
        return int(self.element.get("min", 0))

    @property
    def most(self) -> float:
        return float("inf") if self.element["max"] == "*" else int(self.element["max"])


def tree(definition: Mapping[str, Any]) -> Node:
    """The root element of a definition, with all others below it."""
    first, *rest = definition["snapshot"]["element"]
    root = Node(_plain(first), definition)
    for element in rest:
        steps = element["id"].split(".")
        parent: Node | None = root
        for step in steps[1:-1]:
            parent = _step(parent, step)
        if parent is not None:
            _hang(parent, steps[-1], Node(_plain(element), definition))
    return root


def at(definition: Mapping[str, Any], id_: str) -> Node | None:
    """The element with this id."""
    node: Node | None = tree(definition)
    for step in id_.split(".")[1:]:
        node = _step(node, step)
    return node


def _plain(element: Mapping[str, Any]) -> Mapping[str, Any]:
    """An element with the names of FHIR's types: snapshots say System.String of ids and of extensions' URLs."""
    types = element.get("type", ())
    if not any(each["code"].startswith(_SYSTEM) for each in types):
        return element
    return {**element, "type": [{**each, "code": _fhir_type(each)} for each in types]}


def _fhir_type(type_: Mapping[str, Any]) -> str:
    for extension in type_.get("extension", ()):
        if extension.get("url") == _FHIR_TYPE:
            return str(extension.get("valueUrl") or extension.get("valueUri"))
    code: str = type_["code"]
    return code.removeprefix(_SYSTEM).lower() if code.startswith(_SYSTEM) else code


def _step(node: Node | None, step: str) -> Node | None:
    name, _, slice_ = step.partition(":")
    found = node.children.get(name) if node else None
    return found.slices.get(slice_) if found and slice_ else found


def _hang(parent: Node, step: str, node: Node) -> None:
    name, _, slice_ = step.partition(":")
    if not slice_:
        parent.children[name] = node
    elif name in parent.children:
        parent.children[name].slices[slice_] = node


def _bound(definition: Mapping[str, Any]) -> Iterator[str]:
    for element in definition["snapshot"]["element"]:
        binding = element.get("binding", _EMPTY)
        if binding.get("strength") == "required" and "valueSet" in binding:
            yield binding["valueSet"]


def _codes(url: str, sets: Mapping[str, Any], systems: Mapping[str, Any], within: tuple[str, ...]) -> Codes | None:
    found = sets.get(url.partition("|")[0])
    if found is None or url in within:
        return None
    if "compose" not in found:
        expansion = found.get("expansion", _EMPTY).get("contains")
        return frozenset((one["system"], one["code"]) for one in expansion) if expansion else None
    codes: set[tuple[str, str]] = set()
    for include in found["compose"].get("include", ()):
        some = _included(include, sets, systems, (*within, url))
        if some is None:
            return None
        codes |= some
    for exclude in found["compose"].get("exclude", ()):
        some = _included(exclude, sets, systems, (*within, url))
        if some is None:
            return None
        codes -= some
    return frozenset(codes)


def _included(
    include: Mapping[str, Any], sets: Mapping[str, Any], systems: Mapping[str, Any], within: tuple[str, ...]
) -> Codes | None:
    groups = [_codes(url, sets, systems, within) for url in include.get("valueSet", ())]
    if system := include.get("system"):
        if include.get("concept"):
            groups.append(frozenset((system, one["code"]) for one in include["concept"]))
        elif system in systems and not include.get("filter"):
            groups.append(frozenset((system, code) for code in _concepts(systems[system].get("concept", ()))))
        else:
            groups.append(None)
    known = [group for group in groups if group is not None]
    return frozenset.intersection(*known) if known and len(known) == len(groups) else None


def _concepts(concepts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in concepts:
        yield one["code"]
        yield from _concepts(one.get("concept", ()))
