"""The FHIR document Bundle: a Composition first, then everything that it reaches (http://hl7.org/fhir/R4/documents.html,
http://hl7.org/fhir/R5/documents.html), each under its own urn."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from adapter.core.diff import ORDER, Made, Resource, referred
from adapter.core.document.telling import Section
from adapter.core.document.words import WORDS
from adapter.core.fhir.named import named_by
from adapter.core.fhir.narrative import xhtml
from adapter.core.partner import Release
from adapter.core.sheet import Block, Facts, Table, Words

PLAN = {"coding": [{"system": "http://loinc.org", "code": "18776-5", "display": "Plan of care note"}]}
_LOINC: Mapping[str, tuple[str, str]] = {
    "goals": ("61146-7", "Goals"),
    "plan": ("18776-5", "Plan of care note"),
    "services": ("62387-6", "Interventions Provided"),
    "consent": ("59284-0", "Consent Document"),
}
"""Codes of sections, as the mapping files have them; the others are named by their titles."""
_TYPES: Mapping[str, str] = {
    "CarePlan": "plan", "Composition": "plan", "CareTeam": "team", "Goal": "goals", "ServiceRequest": "services",
    "Condition": "needs", "Observation": "strengths", "RiskAssessment": "risks", "Consent": "consent",
}  # fmt: skip
"""The section in which a resource of this type is listed; any other stands under `more`."""
_DATED = frozenset(
    ("authoredOn", "creation", "date", "dateTime", "effectiveDateTime", "onsetDateTime", "recordedDate", "startDate",
     "statusDate", "time")
)  # fmt: skip
"""Elements that say when something was written, found, or decided: never when it is due."""
_DAY = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")


def reached(wanted: Iterable[str], by_urn: Mapping[str, Made]) -> dict[str, Made]:
    """These resources and everything that they refer to, by urn, along ORDER."""
    found: dict[str, Made] = {}
    waiting = list(wanted)
    while waiting:
        urn = waiting.pop()
        if urn in by_urn and urn not in found:
            found[urn] = by_urn[urn]
            waiting += referred(by_urn[urn].resource)
    rank = {type_: place for place, type_ in enumerate(ORDER)}
    return dict(sorted(found.items(), key=lambda each: (rank.get(each[1].type, len(rank)), each[1].type, each[0])))


def youngest(resources: Iterable[Resource]) -> str:
    """The youngest day on which something in them was written (`2026-11-20`), or empty.

    The document bears it as its date: a time of ours would change it without a change (exchange.md, *Partners*).
    """
    return max((_whole(each) for resource in resources for each in _days(resource)), default="")


def composition(
    listed: Iterable[Made],
    told: Sequence[Section],
    *,
    identifier: tuple[str, str],
    security: Sequence[Mapping[str, str]],
    child: str,
    agency: str | None,
    on: str,
    title: str,
    language: str,
    release: Release,
    narrative: bool,
) -> Resource:
    """What the document says, section by section: its own words, and the resources (`listed`) that they are made of.

    `child` and `agency` are urns; `on` the day of `youngest`.
    """
    who = {"reference": agency} if agency else {"type": "Organization", "display": "The coordinating agency"}
    subject = {"reference": child}
    return {
        "resourceType": "Composition",
        "meta": {"security": list(security)},
        "language": language,
        **({"text": {"status": "generated", "div": xhtml(title)}} if narrative else {}),
        **named_by("Composition", identifier, release),
        "status": "final",
        "type": PLAN,
        "subject": [subject] if release == "R5" else subject,
        "date": on,
        "author": [who],
        "title": title,
        **({"custodian": who} if agency else {}),
        "section": list(_sections(listed, told, language, narrative)),
    }


def bundle(
    first: tuple[str, Resource],
    entries: Mapping[str, Made],
    *,
    kept_apart: Collection[str],
    security: Sequence[Mapping[str, str]],
    name: Callable[[Resource], str],
    on: str,
) -> Resource:
    """`first` is the Composition under its urn. `kept_apart`: urns of documents of the case and of their Binaries that
    the partner holds by themselves: their bytes are not told twice. `name` gives the urn of this content: another for
    another."""
    rest = [
        (urn, _apart(made, kept_apart))
        for urn, made in entries.items()
        if made.type != "Binary" or urn not in kept_apart
    ]
    content: Resource = {
        "type": "document",
        "timestamp": f"{on}T00:00:00Z",
        "entry": [{"fullUrl": urn, "resource": resource} for urn, resource in (first, *rest)],
    }
    identifier = {"system": "urn:ietf:rfc:3986", "value": name(content)}
    return {"resourceType": "Bundle", "meta": {"security": list(security)}, "identifier": identifier, **content}


def _sections(listed: Iterable[Made], told: Sequence[Section], language: str, narrative: bool) -> Iterator[Resource]:
    entries: dict[str, list[str]] = {}
    for made in listed:
        # What was found is listed with the assessments, by the category that the mapping file gives it.
        survey = made.type == "Observation" and made.about.startswith("assessments/")
        entries.setdefault("assessments" if survey else _TYPES.get(made.type, "more"), []).append(made.urn)
    titles = {section.name: section.title for section in told}
    words = {section.name: section.blocks for section in told}
    for name in dict.fromkeys((*titles, *entries)):
        title = titles.get(name) or WORDS[language][name]
        code = _LOINC.get(name)
        text = "".join(map(_html, words.get(name, ()))) if narrative else ""
        if not text and name not in entries:
            continue  # the child is the subject
        yield {
            "title": title,
            "code": {"coding": [{"system": "http://loinc.org", "code": code[0], "display": code[1]}]}
            if code
            else {"text": title},
            **({"text": {"status": "generated", "div": _div(text, language)}} if text else {}),
            **({"entry": [{"reference": urn} for urn in entries[name]]} if name in entries else {}),
        }


def _div(inner: str, language: str) -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml" lang="{language}" xml:lang="{language}">{inner}</div>'


def _html(block: Block) -> str:
    match block:
        case Words(text, weight):
            return f"<p><b>{_text(text)}</b></p>" if weight == "strong" else f"<p>{_text(text)}</p>"
        case Facts(rows):
            return "".join(f"<p><b>{_text(label)}</b>: {_text(value)}</p>" for label, value in rows)
        case Table(headings, rows):
            lines = (headings, *rows)
            return "<table>" + "".join(_row(line, "td" if at else "th") for at, line in enumerate(lines)) + "</table>"
        case _:
            return ""  # nothing to tick or to sign


def _row(cells: Iterable[str], name: str) -> str:
    return "<tr>" + "".join(f"<{name}>{_text(cell)}</{name}>" for cell in cells) + "</tr>"


def _text(text: str) -> str:
    return escape(text).replace("\n", "<br/>")


def _apart(made: Made, kept_apart: Collection[str]) -> Resource:
    """A document of the case without its bytes where the partner holds them by themselves: hash and size stay."""
    if made.type != "DocumentReference" or made.urn not in kept_apart:
        return made.resource
    contents = [
        each | {"attachment": {name: value for name, value in each["attachment"].items() if not _bytes(name, value)}}
        for each in made.resource["content"]
    ]
    return made.resource | {"content": contents}


def _bytes(name: str, value: Any) -> bool:
    return name == "data" or (name == "url" and value.startswith("urn:uuid:"))


def _days(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _days(child, key)
    elif isinstance(value, list):
        for child in value:
            yield from _days(child, name)
    elif name in _DATED and isinstance(value, str) and (found := _DAY.match(value)):
        yield found[0]


def _whole(day: str) -> str:
    """A year or a month is as young as its first day."""
    return day + "-01" * ((10 - len(day)) // 3)
