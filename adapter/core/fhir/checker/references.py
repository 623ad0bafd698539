"""Where a Reference may lead: the types, and the profiles, that its element allows.

The type of the target is read from the resource that is there (contained, an entry of the same Bundle, or one of the
set that is checked together), or from the reference itself: `Patient/1`, `https://…/Patient/1`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adapter.core.fhir.checker.definitions import HL7
from adapter.core.fhir.checker.patterns import passes
from adapter.core.fhir.checker.run import At, Run

if TYPE_CHECKING:
    from adapter.core.fhir.checker.shapes import Shapes

_LITERAL = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*://[^?#]*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}(?:/_history/[A-Za-z0-9.-]{1,64})?(?:#.*)?"
)
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?\S+")


class Referring:
    """The check of one element's references."""

    def __init__(self, shapes: Shapes, type_: Mapping[str, Any], code: str) -> None:
        self._shapes = shapes
        self._concept = code == "CodeableReference"
        profiles: dict[str, list[str]] = {}
        for url in type_.get("targetProfile", ()):
            if target := shapes.definitions.type_of(url) or _name(url):
                profiles.setdefault(target, []).append(url)
        # Resource is every type; an element that names none takes every type. A type of FHIR asks for no profile.
        self._targets: dict[str, tuple[str, ...]] = {
            name: () if any(url.startswith(HL7) for url in urls) else tuple(urls) for name, urls in profiles.items()
        }
        if "Resource" in profiles:
            self._targets = {}

    def check(self, value: Any, at: At, run: Run) -> None:
        if self._concept:
            value, at = value.get("reference"), (at, "reference", -1, ())
            if value.__class__ is not dict:
                return
        reference, named = value.get("reference"), value.get("type")
        found: Any = None
        type_ = None
        if reference.__class__ is str:
            if " " in reference or not reference.isprintable():
                run.wrong_in(at, "reference", "must be a reference without spaces")
            if reference[:1] == "#":
                found = _contained(reference[1:], run)
                if found is None:
                    run.wrong_in(at, "reference", "refers to a contained resource that is not there (ref-1)")
                    return
                type_ = _type(found)
            elif (found := run.known.get(reference)) is not None:
                type_ = _type(found)
            else:
                type_ = self._literal(reference)
        if named.__class__ is str:
            named = named.removeprefix(HL7)
            if type_ is not None and named != type_:
                run.wrong_in(at, "type", "is not the type of what is referred to")
        targets = self._targets
        if not targets:
            return
        if type_ is not None and type_ not in targets:
            run.wrong_in(at, "reference", "refers to a type of resource that may not stand here")
        elif named.__class__ is str and named not in targets:
            run.wrong_in(at, "type", "refers to a type of resource that may not stand here")
        elif found is not None and type_ is not None and targets[type_] and not self._meets(found, targets[type_], run):
            run.wrong_in(at, "reference", "refers to a resource that does not meet the profile asked for here")

    def _literal(self, reference: str) -> str | None:
        match = _LITERAL.fullmatch(reference) or _CONDITIONAL.fullmatch(reference)
        return match[1] if match and match[1] in self._shapes.definitions.resource_types else None

    def _meets(self, found: dict[str, Any], urls: tuple[str, ...], run: Run) -> bool:
        """Whether a target claims one of the profiles (it is then checked against it itself), or else meets one."""
        meta = found.get("meta")
        claimed = meta.get("profile") if meta.__class__ is dict else None
        if claimed.__class__ is list and any(url in claimed for url in urls):
            return True
        checks = [check for url in urls if (check := self._shapes.of(url))]
        return not checks or any(passes(check, found, Run(found, run.known, [])) for check in checks)


def _type(resource: dict[str, Any]) -> str | None:
    type_ = resource.get("resourceType")
    return type_ if type_.__class__ is str else None


def _contained(id_: str, run: Run) -> dict[str, Any] | None:
    whole = run.container.root if run.container else run.root
    if not id_:
        return whole if run.container else None
    contained = whole.get("contained")
    for each in contained if contained.__class__ is list else ():
        if each.__class__ is dict and each.get("id") == id_:
            found: dict[str, Any] = each
            return found
    return None


def _name(url: str) -> str | None:
    """The type that a profile of FHIR itself is named after, where its definition is not here."""
    name = url.removeprefix(HL7)
    return name if name.isalpha() and name != url else None
