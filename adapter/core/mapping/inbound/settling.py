"""What is valid stays, what is not is refused with its element named, and what referred to it loses the reference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.core.case import DANGLING, check
from adapter.core.mapping.inbound.arrived import Node
from adapter.core.mapping.inbound.fit import alive, cleaned, field_of, named, place_of
from adapter.core.mapping.inbound.making import Draft
from adapter.core.mapping.inbound.mapping import InboundMapping
from adapter.core.mapping.inbound.notes import Told
from adapter.core.schema import SINGULAR, Schemas

_MOST_RECORDS = 2000
"""Of a collection, as the schema of a case allows."""
_CHILD = {"name": {"family": "-"}}
_MISSING = "a required field is missing"


@dataclass(frozen=True, slots=True)
class Settled:
    """`whole`: valid by their schemas, together. `incomplete`: refused, for required fields that are missing alone."""

    whole: tuple[Draft, ...]
    incomplete: tuple[Draft, ...]


def settle(drafts: Mapping[str, Draft], schemas: Schemas, homes: Collection[str], told: Told) -> Settled:
    """`homes`: paths that the case has, and that references may name."""
    return _Settling(schemas, frozenset(homes), told).settled(drafts)


class _Settling:
    def __init__(self, schemas: Schemas, homes: frozenset[str], told: Told) -> None:
        self._schemas = schemas
        self._homes = homes
        self._told = told

    def settled(self, drafts: Mapping[str, Draft]) -> Settled:
        kept = self._fitting(drafts)
        bad: dict[str, bool] = {}
        while True:
            there = {*_paths_of(kept, bad), *self._homes, "child", "enrolment", "family"}
            found = {path: self._wrong(draft, there) for path, draft in kept.items() if path not in bad}
            more = {path: only for path, only in found.items() if only is not None}
            if not more:
                break
            bad |= more
        return Settled(
            tuple(draft for path, draft in sorted(kept.items()) if path not in bad),
            tuple(kept[path] for path, only in sorted(bad.items()) if only),
        )

    def _fitting(self, drafts: Mapping[str, Draft]) -> dict[str, Draft]:
        """The drafts with plain texts and with ids; no more of a collection than a case can hold."""
        counts: dict[str, int] = defaultdict(int)
        kept: dict[str, Draft] = {}
        for path, draft in drafts.items():
            schema = self._schemas.files[draft.collection]
            draft.record = cleaned(draft.record, schema, schema) or {}
            if draft.collection not in SINGULAR:
                draft.record = {"id": path.partition("/")[2], **draft.record}
            named(draft.record, schema, schema, path)
            counts[draft.collection] += 1
            if counts[draft.collection] > _MOST_RECORDS:
                node = draft.nodes[0]
                self._told.refuse(node.index, node.at, f"a case holds at most {_MOST_RECORDS} {draft.collection}")
            else:
                kept[path] = draft
        return kept

    def _wrong(self, draft: Draft, there: set[str]) -> bool | None:
        """None: a record of ours. Else it is refused, each element named; True where it only lacks required fields."""
        schema = self._schemas.files[draft.collection]

        def lost(place: tuple[str | int, ...], rule: str) -> None:
            self._told.find(*self._element(draft, place), rule)

        draft.record = alive(draft.record, schema, schema, there.__contains__, lost)
        found = self._problems(draft)
        if draft.home:
            found = [p for p in found if p[1] != _MISSING or len(p[0]) > 1]
        for place, rule in found:
            told = f"{draft.collection} need `{place[-1]}`: it is missing" if rule == _MISSING and place else rule
            self._told.refuse(*self._element(draft, place), told)
        return all(rule == _MISSING for _, rule in found) if found else None

    def _problems(self, draft: Draft) -> list[tuple[tuple[str | int, ...], str]]:
        """What case.check finds in a case that holds this record: (place in the record, rule)."""
        single = draft.collection in SINGULAR
        case = {"case": "received", "program": "ontario-csp", "child": _CHILD} | {
            draft.collection: draft.record if single else [draft.record]
        }
        start = 1 if single else 2
        found = [(place_of(p.pointer), p.detail) for p in check(case, self._schemas) if p.detail != DANGLING]
        return [(place[start:], rule) for place, rule in found if place[:1] == (draft.collection,)]

    def _element(self, draft: Draft, place: tuple[str | int, ...]) -> tuple[int, str]:
        """(index, FHIRPath) of what a place in the record was read from."""
        value: Any = draft.record
        for depth, step in enumerate(place):
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                break
            key = (str(place[depth - 1]), str(value.get("id")) if isinstance(value, dict) else "")
            if (made_of := draft.entries.get(key)) is not None:
                return made_of[0].index, _named(*made_of, field_of(place[depth + 1 :]))
        node, maker = draft.makers[0] if draft.makers else next(iter(draft.entries.values()))
        for other, mapping_ in draft.makers:
            if mapping_ is not None and field_of(place) in mapping_.elements:
                return other.index, _named(other, mapping_, field_of(place))
        return node.index, _named(node, maker, field_of(place)) if maker is not None else node.at


def _named(node: Node, mapping: InboundMapping, fields: tuple[str, ...]) -> str:
    """The element that these fields are read from; else the one around them; else the resource."""
    element = ""
    while fields and not element:
        below = (each for field_, each in mapping.elements.items() if field_[: len(fields)] == fields)
        element = mapping.elements.get(fields) or next(below, "")
        fields = fields[:-1]
    element = element.removeprefix("%").removeprefix(".")
    return f"{node.at}.{element}" if element else node.at


def _paths_of(drafts: Mapping[str, Draft], bad: Mapping[str, bool]) -> Iterator[str]:
    """Every path that a reference may name, of what is not refused."""
    for path, draft in drafts.items():
        if path not in bad:
            yield path
            for name, value in draft.record.items():
                for entry in value if isinstance(value, list) else ():
                    if isinstance(entry, dict) and "id" in entry:
                        yield f"{path}/{name}/{entry['id']}"
