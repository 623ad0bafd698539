"""The human-readable text of a finished resource: what is in it, and nothing else (consent.md, *The view*).

It is written from the resource after all that is withheld, dangling or empty is gone: it cannot say more than the data.
XHTML is escaped; links, identifiers, labels and extensions' addresses do not appear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

_SKIPPED = frozenset(
    (
        "resourceType",
        "id",
        "meta",
        "text",
        "identifier",
        "language",
        "system",
        "url",
        "use",
        "type",
        "rank",
        "reference",
        "hash",
        "size",
        "contentType",
    )
)
"""What only machines read. Links are no words: whom they name is told where that resource is shown."""
_SILENT = frozenset(("record-status", "note-kind"))
_PLAIN = frozenset(("value", "text", "code", "concept", "period", "detail", "repeat", "bounds"))
_UNITS = {
    "en": {"d": "days", "wk": "weeks", "mo": "months", "a": "years"},
    "fr": {"d": "jours", "wk": "semaines", "mo": "mois", "a": "ans"},
}
_FRENCH = {
    "accepted": "accepté", "active": "actif", "activity": "activités", "address": "adresse", "addresses": "répond à",
    "birth date": "date de naissance", "category": "catégorie", "clinical status": "état", "code": "objet",
    "contributor": "contributeurs", "communication": "langue", "description": "description", "effective": "date",
    "end": "fin", "expressed by": "exprimé par", "gender": "genre", "goal": "objectifs", "lifecycle status": "état",
    "name": "nom", "note": "notes", "occurrence": "période", "onset": "depuis", "owner": "responsable",
    "participant": "membres", "period": "période", "priority": "priorité", "progress": "progrès", "reason": "motif",
    "relationship": "lien", "role": "rôle", "start date": "depuis", "start": "début", "status": "état",
    "target": "cible", "telecom": "coordonnées", "time": "date", "title": "titre", "value": "valeur",
    "achievement status": "résultat", "intent": "intention", "due": "échéance", "measure": "mesure",
}  # fmt: skip
_TITLES_FR = {
    "Appointment": "Rendez-vous", "CarePlan": "Plan de services", "CareTeam": "Équipe de soins",
    "Composition": "Sections du plan", "Condition": "Besoin", "Consent": "Consentement",
    "DocumentReference": "Document", "Encounter": "Rencontre", "EpisodeOfCare": "Coordination", "Goal": "Objectif",
    "Observation": "Observation", "Organization": "Organisme", "Patient": "Enfant", "Practitioner": "Intervenant",
    "PractitionerRole": "Rôle de l’intervenant", "Provenance": "Signature", "RelatedPerson": "Proche",
    "RiskAssessment": "Risque", "ServiceRequest": "Service", "Task": "Tâche",
}  # fmt: skip
_CHOICES = re.compile(
    r"(?<=.)(Boolean|Code|CodeableConcept|Coding|Date|DateTime|Duration|Integer|Period|PositiveInt|Quantity|Reference|String"
    r"|Timing)$"
)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def narrative(resource: dict[str, Any], *, language: str = "en") -> dict[str, str]:
    """A Narrative (status generated): a heading and a line for each element, in English or French ("en", "fr")."""
    type_ = resource["resourceType"]
    title = _TITLES_FR.get(type_, type_) if language == "fr" else _words(type_)
    lines = []
    for name, value in resource.items():
        if name == "extension":
            lines += [f"<p>{text}</p>" for text in _told(value, language)]
        elif name not in _SKIPPED - {"type"} and name[0] != "_" and (text := "; ".join(_told(value, language))):
            lines.append(f"<p><b>{_html(_label(name, language))}</b>: {text}</p>")
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml" lang="{language}" xml:lang="{language}">'
        f"<h3>{_html(title)}</h3>{''.join(lines)}</div>",
    }


def _told(value: Any, language: str) -> Iterator[str]:
    """The words of a value, escaped, in order; nothing for what only machines read."""
    match value:
        case bool():
            yield {"en": ("no", "yes"), "fr": ("non", "oui")}[language][value]
        case str():
            yield _html(value)
        case int() | float():
            yield _html(str(value))
        case list():
            for each in value:
                yield from _told(each, language)
        case {"status": str(), "div": str()}:
            return  # a section's own words stand in the section
        case {"title": str(title), "code": _}:
            yield _html(title)
        case {"url": str(url)} if any(key == "extension" or key.startswith("value") for key in value):
            name = url.rpartition("/")[2].removeprefix("csp-")
            if name not in _SILENT and (text := ", ".join(_told_within(value, language, named=False))):
                yield f"{_html(_label(name, language))}: {text}"
        case {"text": str(text), "time": str(time)}:
            yield f"{_html(time)}: {_html(text)}"
        case {"text": str(text)} | {"display": str(text)}:
            yield _html(text)
        case {"coding": [first, *_]}:
            yield from _told(first, language)
        case {"system": str(), "code": str(code)}:
            yield _html(code)
        case {"start": str(start), "end": str(end)}:
            yield f"{_html(start)} – {_html(end)}"
        case {"value": int() | float() as amount}:
            yield _html(f"{amount} {value.get('unit', '')}".strip())
        case {"frequency": 1, "period": int(period), "periodUnit": str(unit)}:
            yield _html(f"{period} {_UNITS[language].get(unit, unit)}")
        case {"given": [*_]} | {"family": str()}:
            parts = [
                *value.get("prefix", []),
                *value.get("given", []),
                value.get("family", ""),
                *value.get("suffix", []),
            ]
            yield _html(" ".join(part for part in parts if part))
        case dict():
            if text := ", ".join(_told_within(value, language, named=True)):
                yield text


def _told_within(value: dict[str, Any], language: str, *, named: bool) -> Iterator[str]:
    for name, child in value.items():
        if name in _SKIPPED or name[0] == "_":
            continue
        text = "; ".join(_told(child, language))
        if text:
            yield (
                text
                if not named or name in _PLAIN or name == "extension"
                else f"{_html(_label(name, language))} {text}"
            )


def _label(name: str, language: str) -> str:
    words = _words(_CHOICES.sub("", name)).replace("-", " ").lower()
    if language == "fr":
        words = _FRENCH.get(words, words)
    return words[:1].upper() + words[1:]


def _words(camel: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", camel)


def xhtml(text: str) -> str:
    """Plain text as a Narrative's div: its words and line breaks, and no markup of theirs."""
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{_html(text)}</div>'


def _html(text: str) -> str:
    return escape(_NOT_XML.sub("", text)).replace("\n", "<br/>")
