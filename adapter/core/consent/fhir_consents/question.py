"""What is asked of Consents: who wants to do what, for which purpose, with which data, at which time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from adapter.core.consent.fhir_consents.elements import moment, type_of
from adapter.core.consent.fhir_consents.values import Coding
from adapter.core.consent.provisions import Span

NONE = "none"
"""The word for a label, class or code that the data are known not to have; left out, it is not known."""


@dataclass(frozen=True, slots=True)
class Whom:
    """One actor, under all the names that are known for it."""

    references: frozenset[str]
    identifiers: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Known:
    """A resource that came along with the Consents, so that references to it can be followed."""

    type: str
    identifiers: frozenset[tuple[str, str]]
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """None in place of a list: it is not known, so that a denial that looks at it is hit, and no permit is."""

    whom: Whom
    purposes: tuple[Coding, ...] | None
    classes: tuple[Coding, ...] | None
    labels: tuple[Coding, ...] | None
    codes: tuple[Coding, ...] | None
    actions: tuple[Coding, ...] | None
    at: datetime
    patient: str = ""
    data: str = ""
    """The resource asked for, as a literal reference."""
    refers_to: tuple[str, ...] | None = None
    referred_by: tuple[str, ...] | None = None
    authors: tuple[str, ...] | None = None
    dated: Span | None = None
    known: Mapping[str, Known] | None = None


def codings(given: Sequence[str] | None) -> tuple[Coding, ...] | None:
    """`system|code` or `code` each; the one word `none` is an empty list, nothing given is None."""
    if not given:
        return None
    return tuple(coding(text) for text in given if text != NONE)


def coding(text: str) -> Coding:
    system, bar, code = text.rpartition("|")
    return Coding(system if bar else "", code)


def whom(given: Iterable[str], known: Mapping[str, Known]) -> Whom:
    """One actor by its references and identifiers (`system|value`), and by what the resources at hand add."""
    named = list(given)
    identifiers = {(s, v) for s, _, v in (text.partition("|") for text in named if "|" in text)}
    references = {text for text in named if "|" not in text}
    for reference in sorted(references):
        if found := known.get(reference):
            identifiers |= found.identifiers
    references |= {reference for reference, found in known.items() if found.identifiers & identifiers}
    return Whom(frozenset(references), frozenset(identifiers))


def know(resources: Iterable[Any]) -> dict[str, Known]:
    """Who or what came along: `Type/id` → its type and identifiers, and the members of a Group."""
    found: dict[str, Known] = {}
    for resource in resources:
        if not isinstance(resource, Mapping):
            continue
        kind, name = resource.get("resourceType"), resource.get("id")
        if not isinstance(kind, str) or not isinstance(name, str) or type_of(f"{kind}/{name}") != kind:
            continue
        identifiers = resource.get("identifier")
        listed = identifiers if isinstance(identifiers, list) else []
        found[f"{kind}/{name}"] = Known(
            kind,
            frozenset(
                (i["system"], i["value"])
                for i in listed
                if isinstance(i, Mapping) and isinstance(i.get("system"), str) and isinstance(i.get("value"), str)
            ),
            tuple(_members(resource)),
        )
    return found


def dated(text: str | None, zone: tzinfo) -> Span | None:
    """When the data were made: a date or date-time of FHIR, as the span that it may mean."""
    return moment(text, zone) if text else None


def _members(resource: Mapping[str, Any]) -> Iterable[str]:
    members = resource.get("member") if resource.get("resourceType") == "Group" else None
    for member in members if isinstance(members, list) else ():
        entity = member.get("entity") if isinstance(member, Mapping) else None
        reference = entity.get("reference") if isinstance(entity, Mapping) else None
        if isinstance(reference, str) and not member.get("inactive") and not member.get("modifierExtension"):
            yield reference


def unbundle(value: Any) -> tuple[list[Any], list[Any]]:
    """(Consents, other resources) of a JSON value: a Consent, another resource, a Bundle or a list of them.

    What is none of these counts as a Consent, so that it is answered with what is wrong with it.
    """
    consents: list[Any] = []
    others: list[Any] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += reversed(item)
        elif isinstance(item, Mapping) and item.get("resourceType") == "Bundle":
            entries = item.get("entry")
            held = [e["resource"] for e in entries if isinstance(e, Mapping) and "resource" in e] if isinstance(
                entries, list
            ) else []  # fmt: skip
            waiting += reversed(held)
        elif isinstance(item, Mapping) and item.get("resourceType") not in (None, "Consent"):
            others.append(item)
        else:
            consents.append(item)
    return consents, others
