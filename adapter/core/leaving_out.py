"""What a partner should hold without the types that its server does not take: who refers to them names them instead."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapter.core.diff import Made, Resource, referred
from adapter.core.fhir.abilities import DIRECTORY


def without(
    made: Sequence[Made], types: Collection[str], sound: Callable[[Sequence[Made]], Collection[str]]
) -> tuple[tuple[Made, ...], tuple[str, ...]]:
    """(what is sent, the types that something was left out of).

    A reference to what is left out is carried by identifier; of an organisation or a person who works there also by
    name, which may be told wherever they may be referred to (consent.md, *The view*). `sound` gives the urns, of some
    resources, that pass our check: what does not pass once it was changed so is left out too, and so on.
    """
    gone = {each.urn: each for each in made if each.type in types}
    there = [each for each in made if each.urn not in gone]
    while changed := {each.urn for each in there if referred(each.resource) & gone.keys()}:
        named = [replace(each, resource=_named(each.resource, gone)) if each.urn in changed else each for each in there]
        whole = set(sound([each for each in named if each.urn in changed]))
        there = [each for each in named if each.urn not in changed or each.urn in whole]
        gone |= {each.urn: each for each in named if each.urn in changed - whole}
    return tuple(there), tuple(sorted({each.type for each in gone.values()}))


def _named(value: Any, gone: Mapping[str, Made]) -> Any:
    if isinstance(value, list):
        return [_named(each, gone) for each in value]
    if not isinstance(value, dict):
        return value
    copy = {key: _named(each, gone) for key, each in value.items()}
    urn, url = copy.get("reference"), copy.get("url")
    if isinstance(urn, str) and urn in gone:
        del copy["reference"]
        copy |= _name_of(gone[urn]) | {key: copy[key] for key in ("display",) if key in copy}
    if isinstance(url, str) and url.startswith("urn:uuid:") and url in gone:
        del copy["url"]
    return copy


def _name_of(made: Made) -> dict[str, Any]:
    """How else it is referred to: in the directory by an identifier that the partner may know, and by name."""
    system, value = made.identifier
    known = {"type": made.type, "identifier": {"system": system, "value": value}}
    if made.type not in DIRECTORY:
        return known
    stated = made.resource.get("identifier")
    real = [each for each in stated if isinstance(each, dict)] if isinstance(stated, list) else []
    other = next((each for each in real if (each.get("system"), each.get("value")) != made.identifier), None)
    if other is not None and "value" in other:
        known["identifier"] = {key: other[key] for key in ("system", "value") if key in other}
    return known | ({"display": name} if (name := _display(made.resource)) else {})


def _display(resource: Resource) -> str:
    """The name of an organisation or a person; a role at a place has none of its own."""
    name = resource.get("name")
    if isinstance(name, list) and name and isinstance(name[0], dict):
        one = name[0]
        return str(one.get("text") or " ".join([*one.get("given", ()), one.get("family", "")])).strip()
    return name if isinstance(name, str) else ""
