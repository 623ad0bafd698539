"""A view made FHIR and brought home: what the inbound room is held against."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from adapter import catalogue
from adapter.core.consent.fhir_consents import receivers_by_identifier
from adapter.core.diff import Made
from adapter.core.mapping.inbound import Consents, Inbound, Mapped, Received, Sender, records
from tests.core.inbound.comparing import Difference, differences, kept, plain
from tests.core.mapping_files.views import BASE, ROWS

ZONE = ZoneInfo("America/Toronto")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@cache
def using(release: Any = "R4") -> Inbound:
    """The inbound files of the repository, as they are."""
    return catalogue.inbound(release)


@cache
def consents() -> Consents:
    return Consents(catalogue.vocabulary(), receivers_by_identifier({}))


def sender(**options: Any) -> Sender:
    """Someone who has never heard of us, unless `options` say more."""
    return Sender(**{"source": "elsewhere", "zone": ZONE, "now": NOW, "consents": consents(), **options})


def bundle_of(made: Sequence[Made]) -> dict[str, Any]:
    """What a partner holds, as it would send it back."""
    entries = [{"fullUrl": each.urn, "resource": each.resource} for each in made]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def at_home(made: Sequence[Made], release: Any = "R4") -> Received:
    """Back at the agency that gave the identifiers: they lead to its paths."""
    paths = {each.identifier: each.about for each in made}
    return records([bundle_of(made)], using(release), sender(known=lambda system, value: paths.get((system, value))))


def elsewhere(made: Sequence[Made], release: Any = "R4") -> Received:
    """At another adapter, which knows nobody's paths: with its own ids written back to ours, to be compared."""
    back = records([bundle_of(made)], using(release), sender(source="another adapter"))
    paths = {
        theirs: made[int(at.removeprefix("Bundle.entry[").partition("]")[0])].about
        for (_, at), theirs in back.paths.items()
    }
    names = {theirs.rpartition("/")[2]: ours.rpartition("/")[2] for theirs, ours in paths.items()}

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: renamed(child) for name, child in value.items()}
        if isinstance(value, list):
            return [renamed(child) for child in value]
        return paths.get(value, names.get(value, value)) if isinstance(value, str) else value

    def home(mapped: Sequence[Mapped]) -> tuple[Mapped, ...]:
        return tuple(Mapped(paths.get(m.path, m.path), renamed(m.record), m.sources) for m in mapped)

    return replace(back, records=home(back.records), incomplete=home(back.incomplete), additions=home(back.additions))


def every_leaf() -> dict[str, Any]:
    """One view with all the records of tests/core/mapping_files/views.py: each leaf of each of them."""
    case = copy.deepcopy(BASE)
    for row in ROWS.values():
        for name, value in copy.deepcopy(row).items():
            if isinstance(value, list):
                there = {record["id"]: record for record in case.get(name, ())}
                # The fullest of several records of one id.
                for record in value:
                    if len(record) >= len(there.get(record["id"], ())):
                        there[record["id"]] = record
                case[name] = list(there.values())
            elif name not in case or len(value) > len(case[name]):
                case[name] = value
    return case


class Compared:
    """A view and what came back, record by record."""

    def __init__(self, case: dict[str, Any], back: Received) -> None:
        self._sent = {name: plain(value) for name, value in case.items() if name not in ("consents", "path")}
        # What a view shows only in part comes back as incomplete, or as additions: its leaves count all the same.
        self._back = {each.path: each.record for each in (*back.records, *back.incomplete, *back.additions)}
        self._fields = back.fields

    def differences(self) -> Iterator[tuple[Difference, str]]:
        """(what is different, the path of the record)"""
        for path, record, back in self._pairs():
            if back is None:
                yield ("lost", path.partition("/")[0]), path
            else:
                yield from ((each, path) for each in differences(record, back, path.partition("/")[0]))
        sent = {path for path, _, _ in self._pairs()}
        for path in self._back:
            if path not in sent and not path.startswith("consents/"):
                yield ("given", path.partition("/")[0]), path

    def kept(self) -> Iterator[str]:
        for path, record, back in self._pairs():
            yield from kept(record, back, path.partition("/")[0])

    def _pairs(self) -> Iterator[tuple[str, Any, Any]]:
        for name, value in self._sent.items():
            if isinstance(value, list):
                for record in value:
                    path = f"{name}/{record['id']}"
                    yield path, record, self._back.get(path)
            elif isinstance(value, dict):
                yield name, value, self._back.get(name)
            else:
                yield name, value, self._fields.get(name)
