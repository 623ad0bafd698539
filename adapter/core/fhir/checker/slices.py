"""Slicing: which slice an item of a list belongs to, and how many of each there may be.

Source: http://hl7.org/fhir/R4/profiling.html#slicing. Discriminators by value, pattern, existence, type and profile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from adapter.core.fhir.checker import bindings, patterns
from adapter.core.fhir.checker.definitions import Node
from adapter.core.fhir.checker.plain import chosen
from adapter.core.fhir.checker.run import At, Check, Run

if TYPE_CHECKING:
    from adapter.core.fhir.checker.shapes import Shapes

Belongs = Callable[[Any, Run], bool]


class Slicing:
    """The slices of one list."""

    def __init__(
        self,
        slices: list[tuple[str, Belongs, Check, int, float]],
        rules: str,
        by: tuple[str, dict[str, int]] | None,
        *,
        ordered: bool,
    ) -> None:
        self._slices = slices
        self._by = by
        self._rules = rules
        self._ordered = ordered

    @staticmethod
    def of(shapes: Shapes, node: Node, type_: Mapping[str, Any]) -> Slicing:
        slicing = node.element.get("slicing", {})
        discriminators = slicing.get("discriminator", [])
        slices = []
        for name, each in node.slices.items():
            types = each.element.get("type") or [type_]
            belongs = _belongs(shapes, each, types[0], discriminators)
            asked = any(one["path"] == "$this" and one["type"] in ("value", "pattern") for one in discriminators)
            check = shapes.value(patterns.without(each) if asked else each, types[0])
            slices.append((name, belongs, check, each.least, each.most))
        by = _by_word(shapes, node, type_, discriminators)
        return Slicing(slices, slicing.get("rules", "open"), by, ordered=bool(slicing.get("ordered")))

    def check(self, field: list[Any], at: At, name: str, called: tuple[str, ...], run: Run, otherwise: Check) -> None:
        """Each item by the first slice that it belongs to, or by what holds for all; then the numbers."""
        counts, by = [0] * len(self._slices), self._by
        before = -1
        for position, item in enumerate(field):
            place = (at, name, position, called)
            if by is not None:
                word = item.get(by[0]) if item.__class__ is dict else None
                found = by[1].get(word, -1) if word.__class__ is str else -1
            else:
                found = -1
                for number, each in enumerate(self._slices):
                    if each[1](item, run):
                        found = number
                        break
            if found < 0:
                otherwise(item, place, run)
                if self._rules == "closed":
                    run.wrong(place, "belongs to none of the slices, and no other may stand here")
                elif self._rules == "openAtEnd":
                    before = len(self._slices)
                continue
            self._slices[found][2](item, place, run)
            counts[found] += 1
            if found < before and (self._ordered or self._rules == "openAtEnd"):
                run.wrong(place, "stands out of the order of its slices")
            before = max(before, found)
        for (slice_, _, _, least, most), count in zip(self._slices, counts, strict=True):
            if not least <= count <= most:
                run.wrong_in(at, name, f"has too {'few' if count < least else 'many'} of the slice {slice_}")


def _by_word(
    shapes: Shapes, node: Node, type_: Mapping[str, Any], discriminators: list[Mapping[str, Any]]
) -> tuple[str, dict[str, int]] | None:
    """The one field whose text tells all slices apart, with the text of each; None where it takes more."""
    if len(discriminators) != 1 or discriminators[0]["type"] not in ("value", "pattern"):
        return None
    path = discriminators[0]["path"]
    words: dict[str, int] = {}
    for number, each in enumerate(node.slices.values()):
        here = _down(shapes, each, (each.element.get("type") or [type_])[0], [path]) if path.isalpha() else None
        found = patterns.wanted(here) if here and not here.is_list else None
        if not found or found[1].__class__ is not str or found[1] in words:
            return None
        words[found[1]] = number
    return path, words


def _belongs(shapes: Shapes, node: Node, type_: Mapping[str, Any], discriminators: list[Mapping[str, Any]]) -> Belongs:
    tests = [_test(shapes, node, type_, each["type"], each["path"]) for each in discriminators]
    if len(tests) == 1:
        return tests[0]
    return lambda item, run: all(test(item, run) for test in tests)


def _test(shapes: Shapes, node: Node, type_: Mapping[str, Any], kind: str, path: str) -> Belongs:
    steps = [] if path == "$this" else [s for s in path.replace("$this.", "").split(".") if not s.startswith("ofType(")]
    resolves = bool(steps) and steps[-1] == "resolve()"
    steps = steps[:-1] if resolves else steps
    here = _down(shapes, node, type_, steps)
    if kind in ("type", "profile"):
        return _typed(shapes, here, steps, kind, resolves=resolves)
    if kind == "exists":
        there = here is not None and here.most > 0 and here.least > 0
        return lambda item, run: bool(_values(item, steps)) is there
    found = patterns.wanted(here) if here else None
    if found and len(steps) == 1 and found[1].__class__ is str:
        (step,), word = steps, found[1]
        return lambda item, run: item.__class__ is dict and item.get(step) == word
    asked = _asked(shapes, node, type_, steps)
    if not steps:
        return lambda item, run: asked(item)
    return lambda item, run: any(asked(value) for value in _values(item, steps))


def _asked(shapes: Shapes, node: Node, type_: Mapping[str, Any], steps: list[str]) -> Callable[[Any], bool]:
    """What a value at the end of a path must be: fixed, of a pattern (there or above it), or of a value set."""
    for depth in range(len(steps), -1, -1):
        place = _down(shapes, node, type_, steps[:depth])
        found = patterns.wanted(place) if place else None
        if found and depth == len(steps):
            kind, value = found
            return patterns.matching(value) if kind == "pattern" else partial(patterns.same, value)
        if found:
            inner = [patterns.matching(each) for each in _values(found[1], steps[depth:])]
            if inner:
                return lambda given: any(test(given) for test in inner)
    last = _down(shapes, node, type_, steps)
    allowed = bindings.codes(last, shapes.definitions) if last else None
    return (lambda given: bindings.holds(given, allowed)) if allowed is not None else (lambda given: False)


def _typed(shapes: Shapes, node: Node | None, steps: list[str], kind: str, *, resolves: bool) -> Belongs:
    """By type or profile: of what a reference leads to, or of a resource or value that stands here."""
    types = node.element.get("type", []) if node else []
    if kind == "type" and steps and not resolves and node is not None and node.path.endswith("[x]"):
        keys = {chosen(steps[-1], t["code"]) for t in types}
        return lambda item, run: any(v.__class__ is dict and not keys.isdisjoint(v) for v in _values(item, steps[:-1]))
    profiles = [url for t in types for url in (t.get("targetProfile", []) if resolves else t.get("profile", []))]
    names = {shapes.definitions.type_of(url) or url.rpartition("/")[2] for url in profiles} or {
        t["code"] for t in types
    }

    def target(value: Any, run: Run) -> Any:
        if not resolves or value.__class__ is not dict:
            return value
        reference = value.get("reference")
        return run.known.get(str(reference), {"resourceType": str(value.get("type") or reference).split("/")[0]})

    def is_one(value: Any, run: Run) -> bool:
        found = target(value, run)
        if found.__class__ is not dict:
            return False
        if kind == "type":
            return str(found.get("resourceType")) in names if "resourceType" in found else not resolves
        meta = found.get("meta")
        claimed = meta.get("profile") if meta.__class__ is dict else None
        if claimed.__class__ is list and any(url in claimed for url in profiles):
            return True
        checks = [check for url in profiles if (check := shapes.of(url))]
        return any(patterns.passes(check, found, run) for check in checks)

    return lambda item, run: any(is_one(value, run) for value in _values(item, steps))


def _down(shapes: Shapes, node: Node, type_: Mapping[str, Any], steps: list[str]) -> Node | None:
    """The element at the end of a path below a slice: in its snapshot, or in the types on the way."""
    here: Node | None = node
    code = type_["code"]
    for step in steps:
        if here is None:
            return None
        children = here.children
        if not children:
            profile = (here.element.get("type") or [{}])[0].get("profile", ())
            definition = shapes.definitions.structure(profile[0] if profile else code)
            children = shapes.root(definition).children if definition else {}
        here = children.get(step) or children.get(f"{step}[x]")
        code = (here.element.get("type") or [{"code": ""}])[0]["code"] if here else ""
    return here


def _values(item: Any, steps: list[str]) -> list[Any]:
    """What stands at the end of a path, choices by their name without type."""
    found = [item]
    for step in steps:
        inner: list[Any] = []
        for value in found:
            if value.__class__ is dict:
                keys = (
                    [step]
                    if step in value
                    else [k for k in value if k.startswith(step) and k[len(step) :][:1].isupper()]
                )
                for key in keys:
                    inner += value[key] if value[key].__class__ is list else [value[key]]
        found = inner
    return found
