"""ConceptMaps of mappings/codes: what a local code is called elsewhere (FHIR R4 ConceptMap, JSON).

A map has one or more groups with the same source. Each group names a target code system; a code takes its codings
from all of them, in the order of the groups, and its text from the element's `display`. `unmatched` says that a code is
known and has no counterpart (it goes out as text, and is no finding); `unmapped` with mode `fixed` answers for every
other code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from adapter.core.mapping.positions import Path, read_yaml
from adapter.errors import Finding, Misconfigured

_NO_COUNTERPART = frozenset({"unmatched", "disjoint"})
_SAME = frozenset({"equal", "equivalent"})
_WITHIN = frozenset({"narrower", "specializes"})
"""R4 equivalences: the target means the same as our code; the target lies within it. Only these lead back."""
_EQUIVALENCES = _NO_COUNTERPART | {
    "relatedto", "equivalent", "equal", "wider", "subsumes", "narrower", "specializes", "inexact",
}  # fmt: skip
"""http://hl7.org/fhir/R4/valueset-concept-map-equivalence.html"""


@dataclass(frozen=True)
class Translation:
    """What one local code becomes: codings (system, code, display), and its words."""

    codings: tuple[tuple[str, str, str], ...]
    text: str = ""

    @property
    def code(self) -> str | None:
        """The code alone, for elements of type `code`: that of the first group."""
        return self.codings[0][1] if self.codings else None

    def concept(self) -> dict[str, Any]:
        """A CodeableConcept without empty elements: the same value each time, and never to be changed."""
        return self._concept

    @cached_property
    def _concept(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if self.codings:
            made["coding"] = [coding(*each) for each in self.codings]
        if self.text:
            made["text"] = self.text
        return made


def coding(system: str, code: str, display: str = "") -> dict[str, str]:
    """A Coding: always with a system, never without a code."""
    return {"system": system, "code": code} | ({"display": display} if display else {})


@dataclass(frozen=True, slots=True)
class ConceptMap:
    """One code list of ours and its translations."""

    name: str
    translations: Mapping[str, Translation]
    fallback: Translation | None = None
    backwards: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(system, code) elsewhere → the one code of ours that it certainly means."""
    system: str = ""
    """The first group's target: that of elements of type `code`, which name no system."""

    def translate(self, code: str) -> Translation | None:
        """None: this code has no line here, so nobody has said what it means to others."""
        return self.translations.get(code, self.fallback)

    def missing(self, codes: Iterable[str]) -> tuple[str, ...]:
        """Which of these have no code to give (`code('…')` needs a total map): what `adapter check` reports."""
        return tuple(c for c in codes if (found := self.translate(c)) is None or found.code is None)


def load_concept_map(text: str, *, file: str) -> ConceptMap:
    """Read a ConceptMap; raises Misconfigured with every problem (file and line) where it is not one."""
    try:
        resource = json.loads(text)
    except ValueError as wrong:
        line = getattr(wrong, "lineno", 0)
        raise Misconfigured("a ConceptMap cannot be read", [Finding(file, line, "not JSON")]) from None
    if not isinstance(resource, dict) or resource.get("resourceType") != "ConceptMap" or not resource.get("name"):
        raise Misconfigured("a ConceptMap cannot be read", [Finding(file, 1, "not a ConceptMap with a name")])
    reader = _Reader()
    for at, group in enumerate(reader.objects(resource, "group")):
        reader.group(group, ("group", at))
    if reader.wrong:
        # Every JSON file of ours is YAML too, and its reader keeps the lines; only a wrong map pays for it.
        places = read_yaml(text, file)[0].positions
        findings = [Finding(file, places.value(path).line, detail) for path, detail in reader.wrong]
        raise Misconfigured("a ConceptMap is wrong", sorted(findings))
    return ConceptMap(
        resource["name"],
        {code: Translation(tuple(found), reader.words[code]) for code, found in reader.codings.items()},
        Translation(tuple(reader.fallback), reader.fallback[0][2]) if reader.fallback else None,
        {theirs: ours for theirs, by in reader.meant.items() if (ours := _one_of_ours(by))},
        str(resource["group"][0].get("target", "")) if resource.get("group") else "",
    )


def _one_of_ours(by: Mapping[str, set[str]]) -> str:
    """What a code elsewhere means in ours: the one that is the same, else the one that takes it in, else nothing.

    What is wider than our code, or only near it, is never translated back: it may mean something else.
    """
    for certain in (_SAME, _WITHIN):
        if ours := {code for equivalence in certain for code in by.get(equivalence, ())}:
            return ours.pop() if len(ours) == 1 else ""
    return ""


class _Reader:
    """What the groups of one map say, and what is wrong in them: the path, and why."""

    def __init__(self) -> None:
        self.codings: dict[str, list[tuple[str, str, str]]] = {}
        self.words: dict[str, str] = {}
        self.meant: dict[tuple[str, str], dict[str, set[str]]] = {}
        """Their (system, code) → equivalence → our codes."""
        self.fallback: list[tuple[str, str, str]] = []
        self.wrong: list[tuple[Path, str]] = []

    def objects(self, holder: Mapping[str, Any], name: str, path: Path = ()) -> list[dict[str, Any]]:
        found = holder.get(name, [])
        if isinstance(found, list) and all(isinstance(each, dict) for each in found):
            return found
        self.wrong.append(((*path, name), f"{name} must be a list of objects"))
        return []

    def group(self, group: dict[str, Any], path: Path) -> None:
        system, seen = group.get("target", ""), set()
        if system and (not isinstance(system, str) or ":" not in system):
            self.wrong.append(((*path, "target"), "target must be the URI of a code system"))
        for at, element in enumerate(self.objects(group, "element", path)):
            here, code = (*path, "element", at), element.get("code")
            if not isinstance(code, str) or not code or code in seen:
                self.wrong.append((here, f"code missing, or twice in one group: {code}"))
                continue
            seen.add(code)
            self.words.setdefault(code, element.get("display", ""))
            self._targets(element, code, system, here)
        unmapped = group.get("unmapped", {})
        if not isinstance(unmapped, dict) or unmapped.get("mode", "fixed") != "fixed":
            self.wrong.append(((*path, "unmapped"), "unmapped can only be of the mode `fixed` here"))
        elif unmapped:
            if not system or not unmapped.get("code"):
                self.wrong.append(((*path, "unmapped"), "unmapped has no system or no code"))
            self.fallback.append((system, unmapped.get("code", ""), unmapped.get("display", "")))

    def _targets(self, element: dict[str, Any], code: str, system: str, path: Path) -> None:
        found = self.codings.setdefault(code, [])
        for at, target in enumerate(self.objects(element, "target", path)):
            equivalence = target.get("equivalence", "equivalent")
            if equivalence not in _EQUIVALENCES:
                detail = f"{equivalence} is no equivalence: they are {', '.join(sorted(_EQUIVALENCES))}"
                self.wrong.append(((*path, "target", at), detail))
            if equivalence in _NO_COUNTERPART:
                continue
            if not system or not target.get("code"):
                self.wrong.append(((*path, "target", at), f"a target of {code} has no system or no code"))
                continue
            found.append((system, target["code"], target.get("display", "")))
            by = self.meant.setdefault((system, target["code"]), {})
            by.setdefault(str(target.get("equivalence")), set()).add(code)
        if not element.get("target"):
            self.wrong.append((path, f"{code} has no target; or say `unmatched`"))
