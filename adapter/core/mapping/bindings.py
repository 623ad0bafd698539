"""Our FHIRPath functions, as mapping files use them: reference, code, concept, instant; xhtml, octets, sha1."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from adapter.core.fhir.narrative import xhtml as div
from adapter.core.mapping.codes import ConceptMap
from adapter.errors import Problem

FAMILY = "family"
"""Stands in a view for a person whom it may not name (consent.md, *The view*)."""
_SOMEONE = {"en": "A family member", "fr": "Un membre de la famille"}


@dataclass(frozen=True, slots=True)
class Binding:
    """What the functions know while one resource is rendered; handed through the compiler as `extra`.

    `urns`: for each path of the view the urns of what is mapped from it, by FHIR type (`Type#slot` where the mapping
    has a slot). `findings` is filled on the way: the record's path and the rule, never a value.
    """

    path: str
    urns: Mapping[str, Mapping[str, str]]
    codes: Mapping[str, ConceptMap]
    language: str
    findings: list[Problem] = field(default_factory=list)


class Environment(Protocol):
    """The part of the compiler's evaluation environment that is ours."""

    @property
    def extra(self) -> Any: ...


def reference(env: Environment, items: list[Any], *types: list[Any]) -> list[Any]:
    """`'collection/id'.reference('Type', …)`: a Reference to the first of these types that the path is mapped to.

    Empty where the view does not hold the path, or it becomes none of these types: mapping cannot point at what is not
    there. "family" becomes words without a link where a RelatedPerson may stand.
    """
    binding: Binding = env.extra
    wanted = [str(one) for each in types for one in each]
    found: list[Any] = []
    for item in items:
        if item == FAMILY:
            if "RelatedPerson" in wanted:
                found.append({"type": "RelatedPerson", "display": _SOMEONE[binding.language]})
            continue
        urns = binding.urns.get(item, {}) if isinstance(item, str) else {}
        found.extend([{"reference": urns[type_]} for type_ in wanted if type_ in urns][:1])
    return found


def code(env: Environment, items: list[Any], *maps: list[Any]) -> list[Any]:
    """`status.code('goal-status')`: the code alone, for elements of type `code`; without one nothing, and a finding."""
    name = _name(maps)
    found = [(translation.code if (translation := _translate(env, item, name)) else None) for item in items]
    return [each for each in found if each is not None]


def concept(env: Environment, items: list[Any], *maps: list[Any]) -> list[Any]:
    """`domain.concept('domain')`: a CodeableConcept. An untranslated code goes out as text only, and is a finding."""
    name = _name(maps)
    made: list[Any] = []
    for item in items:
        translation = _translate(env, item, name)
        concept_ = {"text": _written(item)} if translation is None else translation.concept()
        if concept_:
            made.append(concept_)
    return made


def instant(env: Environment, items: list[Any], *_: list[Any]) -> list[Any]:
    """`signed_at.instant()`: a date-time in UTC to the second; a date stays a date, for it is a whole day."""
    return [_utc(item) for item in items if isinstance(item, str)]


def xhtml(env: Environment, items: list[Any], *_: list[Any]) -> list[Any]:
    """`text.xhtml()`: plain text as the `div` of a Narrative, so that nothing in it can be read as markup."""
    return [div(item) for item in items if isinstance(item, str) and item]


def octets(env: Environment, items: list[Any], *_: list[Any]) -> list[Any]:
    """`bytes.octets()`: how many bytes a base64 text stands for (Attachment.size)."""
    return [len(each) for each in _decoded(items)]


def sha1(env: Environment, items: list[Any], *_: list[Any]) -> list[Any]:
    """`bytes.sha1()`: their SHA-1 in base64, which is what Attachment.hash holds (a check of wholeness, no secret)."""
    return [
        base64.b64encode(hashlib.sha1(each, usedforsecurity=False).digest()).decode("ascii") for each in _decoded(items)
    ]


def _decoded(items: list[Any]) -> list[bytes]:
    found = []
    for item in items:
        try:
            found.append(base64.b64decode("".join(item.split()), validate=True))
        except (AttributeError, binascii.Error, ValueError):
            continue  # the schema lets no such text in; where it does, its size and hash are not known
    return found


def _utc(text: str) -> str:
    if "T" not in text:
        return text
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        # FHIR takes no time without an offset, and we do not guess one: the day is what is certain.
        return moment.date().isoformat()
    # Not strftime: its %Y has no zeros before years of less than four digits everywhere.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _translate(env: Environment, item: Any, name: str) -> Any:
    binding: Binding = env.extra
    map_ = binding.codes.get(name)
    translation = map_.translate(_written(item)) if map_ else None
    if translation is None:
        rule = f"a code has no line in mappings/codes/{name}.json: it goes out as text, or not at all"
        binding.findings.append(Problem(binding.path, rule))
    return translation


def _written(item: Any) -> str:
    return str(item).lower() if isinstance(item, bool) else str(item)


def _name(maps: tuple[list[Any], ...]) -> str:
    return str(maps[0][0]) if maps and maps[0] else ""


FUNCTIONS: Mapping[str, Callable[..., list[Any]]] = {
    "reference": reference,
    "code": code,
    "concept": concept,
    "instant": instant,
    "xhtml": xhtml,
    "octets": octets,
    "sha1": sha1,
}
"""What `load_mapping(functions=…)` is given."""
