"""A consent record read into values: what it says, from when to when, and what in it cannot be computed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from adapter.core.consent.rulebook import PURPOSES, TOPICS, UNREVIEWED, Rulebook

ALL = "all"


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to before `end`; None leaves that side open."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


@dataclass(frozen=True, slots=True)
class Provision:
    """One line of a consent. An empty tuple is a field left out; what that means depends on the effect (rules 2, 3)."""

    path: str
    permits: bool
    to: tuple[str, ...]
    purposes: tuple[str, ...]
    parts: tuple[str, ...]
    topics: tuple[str, ...]
    records: tuple[str, ...]
    names_no_record: bool
    """`records` is there and empty: in a permit that names no record (rule 1)."""
    period: Span | None
    exceptions: tuple[Provision, ...]
    confirmed: tuple[tuple[str, str, datetime], ...]
    """(partner, by, from when): the family's word for a partner that came later."""
    unreadable: frozenset[str]
    """Fields of its own that cannot be computed, and `except` where one of its exceptions cannot."""


@dataclass(frozen=True, slots=True)
class Terms:
    """One consent record. `faults` say why it is not computable: then it never permits, and denies what it may deny."""

    path: str
    status: str
    by: str
    authority: str
    method: str
    signed: Span | None
    """The instant of the signature, or the whole day where only the day is known."""
    collected: bool
    period: Span
    ends: bool
    provisions: tuple[Provision, ...]
    supersedes: tuple[str, ...]
    revoked: datetime | None
    imported: bool
    entered: datetime | None
    """When the adapter first saw it: stands in for a missing `signed_at` where a deny is to be lifted (rule 3)."""
    notices: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def counts_for_denying(self) -> bool:
        return self.status not in ("draft", "entered-in-error")


def read_terms(
    record: Mapping[str, Any], rulebook: Rulebook, *, known: Collection[str], entered: str | None = None
) -> Terms:
    """`known`: every record path that is or was in the case; a deny of any other is not computable."""
    path = f"consents/{record['id']}"
    period = span(record.get("period") or {}, rulebook)
    reader = _Reader(rulebook, frozenset(known))
    provisions = tuple(_provision(path, p, reader) for p in record.get("provisions", ()))
    return Terms(
        path=path,
        status=record["status"],
        by=record["granted_by"],
        authority=record.get("authority", ""),
        method=record.get("method", ""),
        signed=moment(record.get("signed_at"), rulebook),
        collected="collected_by" in record,
        period=period,
        ends=period.end is not None and period.start is not None,
        provisions=provisions,
        supersedes=tuple(record.get("supersedes", ())),
        revoked=_start(record.get("revoked_on"), rulebook),
        imported=record.get("imported", False),
        entered=datetime.fromisoformat(entered) if entered else None,
        notices=tuple(record.get("notices", ())),
        faults=tuple(sorted({_FAULTS[field] for p in provisions for field in p.unreadable})),
    )


def span(period: Mapping[str, Any], rulebook: Rulebook, first: str = "start", last: str = "end") -> Span:
    """Whole days in the agency's time zone; the last day is included."""
    end = period.get(last)
    return Span(_start(period.get(first), rulebook), rulebook.end_of(date.fromisoformat(end)) if end else None)


def moment(text: str | None, rulebook: Rulebook) -> Span | None:
    """A date-time is that instant; a date is its whole day."""
    if not text:
        return None
    if len(text) == len("2026-01-01"):
        day = date.fromisoformat(text)
        return Span(rulebook.start_of(day), rulebook.end_of(day))
    at = datetime.fromisoformat(text)
    return Span(at, at)


def _start(day: str | None, rulebook: Rulebook) -> datetime | None:
    return rulebook.start_of(date.fromisoformat(day)) if day else None


@dataclass(frozen=True, slots=True)
class _Reader:
    rulebook: Rulebook
    known: frozenset[str]


def _provision(consent: str, raw: Mapping[str, Any], reader: _Reader) -> Provision:
    path = f"{consent}/provisions/{raw['id']}"
    rulebook = reader.rulebook
    exceptions = tuple(_provision(consent, x, reader) for x in raw.get("except", ()))
    return Provision(
        path=path,
        permits=raw["effect"] == "permit",
        to=_several(raw, "to"),
        purposes=_several(raw, "purposes"),
        parts=_several(raw, "parts"),
        topics=_several(raw, "topics"),
        records=_several(raw, "records"),
        names_no_record="records" in raw and not raw["records"],
        period=span(raw["period"], rulebook) if "period" in raw else None,
        exceptions=exceptions,
        confirmed=tuple(
            (c["partner"].removeprefix("partners/"), c["by"], rulebook.start_of(date.fromisoformat(c["on"])))
            for c in raw.get("confirmed", ())
        ),
        unreadable=frozenset(_unreadable(raw, exceptions, reader)),
    )


def _several(raw: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = raw.get(name, ())
    return (value,) if isinstance(value, str) else tuple(value)


_FAULTS = {
    "to": "it names a receiver that is neither a partner, a sector, the care team nor all",
    "purposes": "it names an unknown purpose",
    "parts": "it names an unknown part",
    "topics": "it names an unknown topic",
    "records": "it denies a record that was never in the case",
    "except": "an exception of it cannot be computed",
}


def _unreadable(raw: Mapping[str, Any], exceptions: tuple[Provision, ...], reader: _Reader) -> Iterator[str]:
    """The fields of a provision that cannot be computed (consent.md, *Not computable*)."""
    rulebook, permits = reader.rulebook, raw["effect"] == "permit"
    if not all(_is_receiver(r, rulebook) for r in _several(raw, "to")):
        yield "to"
    if set(_several(raw, "purposes")) - {*PURPOSES, ALL}:
        yield "purposes"
    if set(_several(raw, "parts")) - {*rulebook.parts, ALL}:
        yield "parts"
    if set(_several(raw, "topics")) - {*TOPICS, UNREVIEWED} - (set() if permits else {ALL}):
        yield "topics"
    if not permits and not reader.known.issuperset(_several(raw, "records")):
        yield "records"
    if any(x.unreadable or x.exceptions or x.permits == permits for x in exceptions):
        yield "except"


def _is_receiver(receiver: str, rulebook: Rulebook) -> bool:
    kind, _, name = receiver.partition("/")
    if kind == "sectors":
        return name in rulebook.sectors
    return (kind == "partners" and bool(name)) or receiver in (ALL, "care-team")
