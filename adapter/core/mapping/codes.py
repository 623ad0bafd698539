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
from typing import Any

from adapter.errors import Finding, Misconfigured

_NO_COUNTERPART = frozenset({"unmatched", "disjoint"})
_SAME = frozenset({"equal", "equivalent"})
_WITHIN = frozenset({"narrower", "specializes"})
"""R4 equivalences: the target means the same as our code; the target lies within it. Only these lead back."""


@dataclass(frozen=True, slots=True)
class Translation:
    """What one local code becomes: codings (system, code, display), and its words."""

    codings: tuple[tuple[str, str, str], ...]
    text: str = ""

    @property
    def code(self) -> str | None:
        """The code alone, for elements of type `code`: that of the first group."""
        return self.codings[0][1] if self.codings else None

    def concept(self) -> dict[str, Any]:
        """A CodeableConcept without empty elements."""
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
    findings: list[Finding] = []
    if not isinstance(resource, dict) or resource.get("resourceType") != "ConceptMap" or not resource.get("name"):
        raise Misconfigured("a ConceptMap cannot be read", [Finding(file, 1, "not a ConceptMap with a name")])
    codings: dict[str, list[tuple[str, str, str]]] = {}
    words: dict[str, str] = {}
    meant: dict[tuple[str, str], dict[str, set[str]]] = {}
    fallback: list[tuple[str, str, str]] = []
    for group in resource.get("group", []):
        system, seen = group.get("target", ""), set()
        for element in group.get("element", []):
            code = element.get("code")
            if not code or code in seen:
                findings.append(Finding(file, _line(text, code), f"code missing, or twice in one group: {code}"))
                continue
            seen.add(code)
            words.setdefault(code, element.get("display", ""))
            found = codings.setdefault(code, [])
            for target in element.get("target", []):
                if target.get("equivalence") in _NO_COUNTERPART:
                    continue
                if not system or not target.get("code"):
                    findings.append(Finding(file, _line(text, code), f"a target of {code} has no system or no code"))
                    continue
                found.append((system, target["code"], target.get("display", "")))
                for_them = meant.setdefault((system, target["code"]), {})
                for_them.setdefault(str(target.get("equivalence")), set()).add(code)
            if not element.get("target"):
                findings.append(Finding(file, _line(text, code), f"{code} has no target; or say `unmatched`"))
        unmapped = group.get("unmapped", {})
        if unmapped.get("mode") == "fixed":
            fallback.append((system, unmapped["code"], unmapped.get("display", "")))
    if findings:
        raise Misconfigured("a ConceptMap is wrong", findings)
    return ConceptMap(
        resource["name"],
        {code: Translation(tuple(found), words[code]) for code, found in codings.items()},
        Translation(tuple(fallback), fallback[0][2]) if fallback else None,
        {theirs: ours for theirs, by in meant.items() if (ours := _one_of_ours(by))},
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


def _line(text: str, code: object) -> int:
    at = text.find(f'"code": "{code}"')
    return text.count("\n", 0, at) + 1 if at >= 0 else 0
