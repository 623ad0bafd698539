"""A resource as a whole: its type, the profiles that it claims, what it contains, what a Bundle holds.

Source: http://hl7.org/fhir/R4/references.html#contained and http://hl7.org/fhir/R4/bundle.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from adapter.core.fhir.checker.run import At, Check, Run

if TYPE_CHECKING:
    from adapter.core.fhir.checker.shapes import Shapes

_REST = re.compile(r"https?://.*/([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})")


def check(shapes: Shapes, value: Any, at: At, run: Run) -> None:
    """One resource, also one that is contained or stands in a Bundle or in Parameters."""
    if value.__class__ is not dict:
        run.wrong(at, "must be an object")
        return
    type_ = value.get("resourceType")
    if type_.__class__ is not str or type_ not in shapes.definitions.resource_types:
        run.wrong_in(at, "resourceType", "is no type of resource")
        return
    at = (at[0], at[1], at[2], (type_,))
    inner = run if run.root is value else _within(value, at, run)
    own = shapes.of(type_)
    if own is None:
        _generic(value, at, inner)
        return
    for each in _claims(shapes, value, type_, at, inner) or (own,):
        each(value, at, inner)
    if "contained" in value:
        _contained(value, at, inner)
    if type_ == "Bundle":
        _bundle(shapes, value, at, inner)


def named(value: Any) -> Iterator[str]:
    """What a resource refers to literally."""
    if value.__class__ is dict:
        if value.get("reference").__class__ is str:
            yield value["reference"]
        for each in value.values():
            yield from named(each)
    elif value.__class__ is list:
        for each in value:
            yield from named(each)


def _within(value: dict[str, Any], at: At, run: Run) -> Run:
    """The run of a resource inside another: contained ones know their container, entries the others of their Bundle."""
    contained = at[1] == "contained"
    known = run.known if contained else {**run.known, **_entries(run.root)}
    return Run(value, known, run.found, run if contained else None)


def _entries(bundle: dict[str, Any]) -> dict[str, Any]:
    """The resources of a Bundle by what references may call them."""
    known: dict[str, Any] = {}
    entries = bundle.get("entry")
    for entry in entries if entries.__class__ is list else ():
        resource = entry.get("resource") if entry.__class__ is dict else None
        if resource.__class__ is not dict:
            continue
        url = entry.get("fullUrl")
        if url.__class__ is str:
            known[url] = resource
            if match := _REST.fullmatch(url):
                known[f"{match[1]}/{match[2]}"] = resource
    return known


def _claims(shapes: Shapes, value: dict[str, Any], type_: str, at: At, run: Run) -> list[Check]:
    """The checks of the profiles that a resource claims; those of elsewhere are not known here, and passed over."""
    meta = value.get("meta")
    claimed = meta.get("profile") if meta.__class__ is dict else None
    if claimed.__class__ is not list:
        return []
    found = []
    for url in claimed:
        if url.__class__ is str:
            check, why = shapes.claimed(url, type_)
            if why is not None:
                run.wrong((at, "meta", -1, ()), why)
            elif check is not None:
                found.append(check)
    return found


def _generic(value: Any, at: At, run: Run) -> None:
    """A resource of a type that is not exchanged here: what holds for every type."""
    if value is None or value in ("", [], {}):
        run.wrong(at, "an element must have a value (ele-1)")
    elif value.__class__ is dict:
        for name, each in value.items():
            _generic(each, (at, name, -1, ()), run)
    elif value.__class__ is list:
        for position, each in enumerate(value):
            if each is not None:
                _generic(each, (at[0], at[1], position, ()), run)


def _contained(value: dict[str, Any], at: At, run: Run) -> None:
    """dom-2 to dom-5, and the ids of what is contained."""
    contained = value["contained"]
    if contained.__class__ is not list:
        return
    if run.container is not None:
        run.wrong_in(at, "contained", "a contained resource must not contain others (dom-2)")
        return
    ids: set[str] = set()
    said = _said(value, own=True)
    for position, each in enumerate(contained):
        place: At = (at, "contained", position, ())
        if each.__class__ is not dict:
            continue
        id_ = each.get("id")
        if id_.__class__ is not str:
            run.wrong(place, "a contained resource must have an id")
            continue
        if id_ in ids:
            run.wrong(place, "has the id of another contained resource")
        ids.add(id_)
        inner = _said(each, own=False)
        elsewhere = {word for other in contained if other is not each for word in _said(other, own=False)}
        if f"#{id_}" not in said and f"#{id_}" not in elsewhere and "#" not in inner:
            run.wrong(place, "is referred to from nowhere, and does not refer to what contains it (dom-3)")
        meta = each.get("meta")
        for name in ("versionId", "lastUpdated", "security"):
            if isinstance(meta, dict) and name in meta:
                rule = "dom-5" if name == "security" else "dom-4"
                run.wrong((place, "meta", -1, ()), f"a contained resource must not have meta.{name} ({rule})")


def _said(value: Any, *, own: bool) -> set[str]:
    """The addresses inside the resource (`#id`) that its elements name; not those of what it contains."""
    found: set[str] = set()
    stack = [value]
    while stack:
        each = stack.pop()
        if each.__class__ is str:
            if each.startswith("#"):
                found.add(each)
        elif each.__class__ is list:
            stack += each
        elif each.__class__ is dict:
            stack += [
                v for k, v in each.items() if not (own and k == "contained") and k not in ("div", "display", "text")
            ]
        own = False
    return found


def _bundle(shapes: Shapes, value: dict[str, Any], at: At, run: Run) -> None:
    """What a Bundle's invariants do not say: ids and addresses agree, and no address stands twice."""
    entries = value.get("entry")
    for position, entry in enumerate(entries if entries.__class__ is list else ()):
        if entry.__class__ is not dict:
            continue
        resource, url = entry.get("resource"), entry.get("fullUrl")
        match = _REST.fullmatch(url) if url.__class__ is str else None
        if (
            match
            and resource.__class__ is dict
            and (resource.get("resourceType"), resource.get("id")) != match.groups()
        ):
            run.wrong((at, "entry", position, ()), "has a fullUrl that is not its resource's own")
