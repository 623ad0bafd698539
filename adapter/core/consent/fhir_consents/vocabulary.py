"""What others' codes mean in our words: the ConceptMaps of mappings/codes, read backwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.core.consent.fhir_consents.codes import ACT_CODE, covers, same
from adapter.core.consent.fhir_consents.values import Coding

_NOT_BROADER = frozenset({"equal", "equivalent", "wider", "subsumes"})
"""R4 equivalences under which all that our code means is meant by theirs: only then is their permit one of ours."""
_TOPICS = {
    "BH": ("mental-health", "substance-use"),
    "ETH": ("substance-use",),
    "ETHUD": ("substance-use",),
    "OPIOIDUD": ("substance-use",),
    "PSY": ("mental-health",),
    "STD": ("sexual-health",),
}
"""Sensitivity codes of HL7 that no map of ours gives out and that denials use: topics within which they lie."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """(their coding, our code, may it carry a permit?), for each of our code lists."""

    purposes: tuple[tuple[Coding, str, bool], ...]
    parts: tuple[tuple[Coding, str, bool], ...]
    topics: tuple[tuple[Coding, str, bool], ...]

    @classmethod
    def of(cls, *, purpose: Mapping[str, Any], part: Mapping[str, Any], topic: Mapping[str, Any]) -> Vocabulary:
        """Three R4 ConceptMap resources, as they stand in mappings/codes/{purpose,part,topic}.json."""
        return cls(tuple(_backwards(purpose)), tuple(_backwards(part)), tuple(_backwards(topic)))

    def permitted(self, entries: Iterable[tuple[Coding, str, bool]], listed: Coding) -> tuple[str, ...]:
        """Our codes that theirs certainly takes in."""
        return tuple(ours for theirs, ours, sure in entries if sure and same(listed, theirs))

    def denied_purposes(self, listed: Coding) -> tuple[str, ...]:
        """Our purposes that theirs takes in, narrower ones with it."""
        return tuple(ours for theirs, ours, _ in self.purposes if covers(listed, theirs, permits=False))

    def denied_topics(self, listed: Coding) -> tuple[str, ...]:
        found = tuple(ours for theirs, ours, _ in self.topics if same(listed, theirs))
        return found or (_TOPICS.get(listed.code, ()) if listed.system in (ACT_CODE, "") else ())


def _backwards(concept_map: Mapping[str, Any]) -> Iterator[tuple[Coding, str, bool]]:
    for group in concept_map["group"]:
        for element in group["element"]:
            for target in element.get("target", ()):
                if "code" in target:
                    theirs = Coding(group["target"], target["code"])
                    yield theirs, element["code"], target["equivalence"] in _NOT_BROADER
