"""Picks elements out of JSON that others wrote: what is not of its type is a fault at its path, never an error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from adapter.core.consent.fhir_consents.values import Actor, Coding, Fault
from adapter.core.consent.provisions import Span

_DATE_TIME = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
_REFERENCE = re.compile(r"(?:.*/)?([A-Z][A-Za-z]{1,60})/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?")
_VERSION = re.compile(r"/_history/[A-Za-z0-9.-]{1,64}\Z")
_INSTANT, _SECOND, _MINUTE = timedelta(microseconds=1), timedelta(seconds=1), timedelta(minutes=1)
_MOST = 1000
"""Elements read of one list: a longer one is a fault, not a long wait."""


@dataclass(slots=True)
class Reader:
    """Reads one Consent, and collects what is wrong with it."""

    zone: tzinfo
    contained: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fault(self, path: str, why: str) -> None:
        self.faults.append(Fault(path, why))

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def text(self, of: Mapping[str, Any], name: str, path: str) -> str:
        """A string; absent is empty."""
        value = of.get(name)
        if value is None:
            return ""
        if isinstance(value, str) and value.strip():
            return value
        self.fault(f"{path}.{name}", "it is not a text")
        return ""

    def one(self, of: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any]:
        """An object; absent is empty."""
        value = of.get(name)
        if value is None:
            return {}
        if isinstance(value, Mapping):
            return value
        self.fault(f"{path}.{name}", "it is not an object")
        return {}

    def several(self, of: Mapping[str, Any], name: str, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The objects of a list, each with its path. One object in place of a list is a list of one, with a note."""
        value = of.get(name)
        if value is None:
            return
        if isinstance(value, Mapping):
            self.note(f"{path}.{name} is an object where FHIR has a list: read as a list of one.")
            value = [value]
        if not isinstance(value, list) or not value:
            self.fault(f"{path}.{name}", "it is not a list of objects")
            return
        if len(value) > _MOST:
            self.fault(f"{path}.{name}", "it has too many entries to be read")
        for index, item in enumerate(value[:_MOST]):
            if isinstance(item, Mapping):
                yield f"{path}.{name}[{index}]", item
            else:
                self.fault(f"{path}.{name}[{index}]", "it is not an object")

    def codings(self, of: Mapping[str, Any], name: str, path: str) -> tuple[Coding, ...]:
        """A list of Coding."""
        return tuple(self._coding(at, item) for at, item in self.several(of, name, path))

    def concept(self, concept: Mapping[str, Any], path: str) -> tuple[Coding, ...]:
        """The codings of a CodeableConcept; one that says its meaning in words only is a fault."""
        found = self.codings(concept, "coding", path)
        if not found:
            self.fault(path, "it has no code")
        return found

    def concepts(self, of: Mapping[str, Any], name: str, path: str) -> tuple[tuple[Coding, ...], ...]:
        """A list of CodeableConcept."""
        return tuple(self.concept(item, at) for at, item in self.several(of, name, path))

    def _coding(self, path: str, item: Mapping[str, Any]) -> Coding:
        found = Coding(self.text(item, "system", path), self.text(item, "code", path))
        if not found.code:
            self.fault(path, "it has no code")
        return found

    def reference(self, of: Mapping[str, Any], path: str, roles: tuple[Coding, ...] = ()) -> Actor:
        """A Reference: literal, contained, by identifier, or several of these; with none it names nobody."""
        literal = self.text(of, "reference", path)
        identifiers = list(self.identifiers({"identifier": [of["identifier"]]} if "identifier" in of else {}, path))
        kind = self.text(of, "type", path).rpartition("/")[2]
        if literal.startswith("#"):
            held = self.contained.get(literal[1:])
            if held is None:
                self.fault(f"{path}.reference", "it refers to nothing that the Consent contains")
            else:
                identifiers += self.identifiers(held, path)
                kind = kind or str(held.get("resourceType", ""))
            return Actor(path, (), tuple(identifiers), roles, kind, contained=True)
        literal = _VERSION.sub("", literal)
        return Actor(path, (literal,) if literal else (), tuple(identifiers), roles, type_of(literal) or kind)

    def identifiers(self, of: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
        for at, item in self.several(of, "identifier", path):
            system, value = self.text(item, "system", at), self.text(item, "value", at)
            if value:
                yield system, value
            else:
                self.fault(at, "the identifier has no value")

    def period(self, of: Mapping[str, Any], name: str, path: str) -> Span | None:
        """A Period, from the first instant of its start to after the last instant of its end."""
        if name not in of:
            return None
        item = self.one(of, name, path)
        start, end = self.moment(item, "start", f"{path}.{name}"), self.moment(item, "end", f"{path}.{name}")
        if not item:
            self.fault(f"{path}.{name}", "it has neither start nor end")
        found = Span(start.start if start else None, end.end if end else None)
        if found.start is not None and found.end is not None and found.end <= found.start:
            self.fault(f"{path}.{name}", "it ends before it starts")
        return found

    def moment(self, of: Mapping[str, Any], name: str, path: str) -> Span | None:
        """A date, dateTime or instant as the span of all that it may mean: a day its whole day, in the zone."""
        text = self.text(of, name, path)
        if not text:
            return None
        found = moment(text, self.zone)
        if found is None:
            self.fault(f"{path}.{name}", "it is not a date or date-time of FHIR")
        return found

    def modifiers(self, of: Mapping[str, Any], path: str) -> bool:
        """Does it carry a modifier extension? None is known here, so that each may turn the meaning round."""
        if not of.get("modifierExtension"):
            return False
        self.fault(f"{path}.modifierExtension", "an extension that is not known here may change what it means")
        return True


def moment(text: str, zone: tzinfo) -> Span | None:
    """The span of instants that a FHIR date or dateTime may mean; None where it is none."""
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        if hour is not None:
            at = datetime.fromisoformat(
                f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{(fraction or '')[:7]}"
                f"{(offset or '').replace('Z', '+00:00')}"
            )
            at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
            return Span(at, at + (_INSTANT if fraction else _SECOND if second else _MINUTE))
        first = date(int(year), int(month or 1), int(day or 1))
        return Span(_midnight(first, zone), _end_of(first, month is None, day is None, zone))
    except (ValueError, OverflowError):
        return None


def _end_of(first: date, whole_year: bool, whole_month: bool, zone: tzinfo) -> datetime:
    """The first instant after the day, month or year; the calendar's last one for what ends with it."""
    if first.year == date.max.year and (whole_year or first.month == 12 and (whole_month or first.day == 31)):
        return datetime.max.replace(tzinfo=UTC)
    if whole_year:
        return _midnight(date(first.year + 1, 1, 1), zone)
    if whole_month:
        return _midnight(date(first.year + first.month // 12, first.month % 12 + 1, 1), zone)
    return _midnight(first + timedelta(days=1), zone)


def type_of(reference: str) -> str:
    """The resource type that a literal reference names, or nothing."""
    found = _REFERENCE.fullmatch(reference)
    return found[1] if found else ""


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
