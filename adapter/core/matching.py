"""Whether a partner already has this child among its patients: who is found, who may be, and what follows.

The wrong child is the worst mistake that this software can make (exchange.md, *Partners*): only one patient, found by
an identifier that both know, and of whom nothing speaks against it, is taken without a person's word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapter.core.diff import Resource
from adapter.core.fhir.named import names_of
from adapter.core.fhir.results import place_of

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")
_TOLD = ("resourceType", "name", "birthDate", "gender")
"""Of a Patient, what `$match` is asked with, besides the identifiers that both know."""
_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
_GRADES = frozenset(("certain", "probable", "possible", "certainly-not"))
_MOST = 5
"""Candidates that are kept at most."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who it may be: the id there, and how sure the partner is (`certain`, `0.93`); nothing else of anybody."""

    id: str
    score: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """It is this one."""

    id: str
    version: str


@dataclass(frozen=True, slots=True)
class Waits:
    """A person must say which, or that it is none of these; there may be none."""

    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Nobody:
    """Nobody there comes into question."""


Verdict = Found | Waits | Nobody


def shared(patient: Resource, systems: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """(system, value) of the child's identifiers that both know. Those that the partner may not be told are not in
    `patient`; ours, which only we make, have another system."""
    known = set(systems)
    found = {(str(s), str(v)) for s, v in names_of(patient) if s in known and isinstance(v, str) and v}
    return tuple(sorted(found))


def with_identifier(body: Any, identifier: tuple[str, str]) -> list[Resource] | None:
    """The patients in a searchset that state this identifier; None if it is no searchset. What a server returns besides
    (some ignore parameters that they do not know) is left out."""
    entries = _entries(body)
    if entries is None:
        return None
    there: list[Any] = [each.get("resource") for each in entries]
    return [each for each in there if _is_patient(each) and identifier in set(names_of(each))]


def by_identifier(patient: Resource, found: Iterable[Resource], *, more: bool = False) -> Verdict:
    """What searches by shared identifiers come to: one patient, unless something in it speaks against it. Where there
    are `more`, on pages that are not fetched, another may be among them, or the only one: a person says who it is."""
    there = {place_of(each)[0]: each for each in found}
    if more:
        return Waits(tuple(Candidate(id_, "identifier") for id_ in sorted(there))[:_MOST])
    if not there:
        return Nobody()
    candidates = tuple(Candidate(id_, "identifier") for id_ in sorted(there))
    if len(there) > 1:
        return Waits(candidates[:_MOST])
    ((id_, one),) = there.items()
    return Found(id_, place_of(one)[1]) if speaks_nothing_against(patient, one) else Waits(candidates)


def speaks_nothing_against(patient: Resource, other: Mapping[str, Any]) -> bool:
    """Can `other` be this child? Not with another birth date, not where it was merged into another or is not in use."""
    links = other.get("link") if isinstance(other.get("link"), list) else []
    replaced = any(isinstance(each, dict) and each.get("type") == "replaced-by" for each in links or ())
    born, there = patient.get("birthDate"), other.get("birthDate")
    alike = not (isinstance(born, str) and isinstance(there, str)) or born.startswith(there) or there.startswith(born)
    return alike and not replaced and other.get("active") is not False


def question(patient: Resource, identifiers: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Parameters of `$match` (http://hl7.org/fhir/R4/patient-operation-match.html): only who is certain is asked."""
    asked = {name: patient[name] for name in _TOLD if name in patient}
    if identifiers:
        asked["identifier"] = [{"system": system, "value": value} for system, value in identifiers]
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "resource", "resource": asked},
            {"name": "count", "valueInteger": _MOST},
            {"name": "onlyCertainMatches", "valueBoolean": True},
        ],
    }


def matched(body: Any) -> Verdict | None:
    """What `$match` answered: whoever it names waits for a person, it is no shared identifier; None if unreadable."""
    entries = _entries(body)
    if entries is None:
        return None
    found = [
        Candidate(place_of(each["resource"])[0], _score(each.get("search")))
        for each in entries
        if _is_patient(each.get("resource"))
    ]
    candidates = tuple(dict.fromkeys(each for each in found if each.score != "certainly-not"))
    return Waits(candidates[:_MOST]) if candidates else Nobody()


def is_id(value: Any) -> bool:
    """Can this be the id of a resource?"""
    return isinstance(value, str) and bool(_ID.match(value))


def _entries(body: Any) -> list[dict[str, Any]] | None:
    if not isinstance(body, dict) or body.get("resourceType") != "Bundle" or body.get("type") != "searchset":
        return None
    entries = body.get("entry", [])
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else None


def _is_patient(resource: Any) -> bool:
    return isinstance(resource, dict) and resource.get("resourceType") == "Patient" and bool(place_of(resource)[0])


def _score(search: Any) -> str:
    """The grade, else the score of an entry; nothing else that stands there."""
    if not isinstance(search, dict):
        return ""
    extensions = search.get("extension") if isinstance(search.get("extension"), list) else []
    for each in extensions or ():
        if isinstance(each, dict) and each.get("url") == _GRADE and each.get("valueCode") in _GRADES:
            return str(each["valueCode"])
    score = search.get("score")
    if isinstance(score, int | Decimal) and not isinstance(score, bool) and 0 <= score <= 1:
        return str(round(Decimal(score), 3))
    return ""
