"""The values that go into the inbound room and come out of it: the files, who sent, what a set of resources becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from adapter.core.mapping.codes import ConceptMap
from adapter.core.mapping.inbound.consents import Consents
from adapter.core.mapping.inbound.fit import open_lists
from adapter.core.mapping.inbound.mapping import InboundMapping
from adapter.core.mapping.inbound.notes import Note
from adapter.core.partner import Release
from adapter.core.schema import SINGULAR, Schemas


@dataclass(frozen=True, slots=True)
class Inbound:
    """The inbound mapping files of one release, and what they are held against."""

    release: Release
    mappings: Mapping[str, tuple[InboundMapping, ...]]
    """Type of resource → its mappings, in the order of files and documents."""
    codes: Mapping[str, ConceptMap]
    schemas: Schemas
    open: frozenset[str]

    @staticmethod
    def of(
        release: Release, mappings: Iterable[InboundMapping], codes: Mapping[str, ConceptMap], schemas: Schemas
    ) -> Inbound:
        by_type: dict[str, tuple[InboundMapping, ...]] = {}
        for mapping in mappings:
            by_type[mapping.from_] = (*by_type.get(mapping.from_, ()), mapping)
        return Inbound(release, by_type, codes, schemas, open_lists(schemas.files))


def _nobody(*_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent it, and what the caller knows of it. `zone`: the agency's, in which its days begin and end.

    `source` tells senders apart: their resources' ids mean nothing elsewhere. `known(system, value)` gives the path of
    a record or entry of the case for an identifier that we gave out; `held("Type/id")` for an address at the sender of
    what it holds from us. `child`: the reference, address or `system|value` of the child where the caller knows.
    """

    source: str
    zone: tzinfo
    now: datetime
    known: Callable[[str, str], str | None] = _nobody
    held: Callable[[str], str | None] = _nobody
    child: str = ""
    consents: Consents | None = None


@dataclass(frozen=True, slots=True)
class Mapped:
    """A record: its path (`goals/g1`), itself, and the resources that it was made of."""

    path: str
    record: dict[str, Any]
    sources: tuple[tuple[int, str], ...]

    @property
    def collection(self) -> str:
        return self.path.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Received:
    """What a set of resources becomes.

    `records`: each valid by its schema. `additions`: fields and entries for records that the case has and the set has
    not (the answer to a referral, a step of a goal). `incomplete`: what only lacks required fields, each of them named
    among `refused`: a person may complete it. `fields`: of the case itself (`program`). `paths`: of what each resource
    becomes, or becomes a part of, by its place in the set.
    """

    records: tuple[Mapped, ...]
    additions: tuple[Mapped, ...]
    incomplete: tuple[Mapped, ...]
    fields: Mapping[str, Any]
    paths: Mapping[tuple[int, str], str]
    refused: tuple[Note, ...]
    findings: tuple[Note, ...]

    def case(self) -> dict[str, Any]:
        """The records as they stand in a case file."""
        made: dict[str, Any] = dict(self.fields)
        for each in self.records:
            if each.collection in SINGULAR:
                made[each.collection] = each.record
            else:
                made.setdefault(each.collection, []).append(each.record)
        return made
