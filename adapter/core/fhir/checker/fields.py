"""The checks of fields: one value or a list, a primitive or an object, alone of its choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.core.fhir.checker import patterns
from adapter.core.fhir.checker.definitions import Node
from adapter.core.fhir.checker.invariants import NATIVE
from adapter.core.fhir.checker.plain import chosen
from adapter.core.fhir.checker.run import At, Check, Member, Run
from adapter.core.fhir.checker.slices import Slicing

OBJECT = "must be an object"
LIST = "must be a list"
NOT_A_LIST = "must be one value, not a list"
EMPTY = "an element must have a value (ele-1)"
UNKNOWN = "this element does not exist in this type"
MISSING = "a required element is missing"


def alone(member: Member, group: frozenset[str]) -> Member:
    """A field of a choice also sees that it is the only one."""

    def checked(field: Any, at: At, name: str, run: Run, value: dict[str, Any]) -> None:
        member(field, at, name, run, value)
        for other in value:
            if other in group and other != name and other.lstrip("_") != name.lstrip("_"):
                run.wrong(at, "only one of the choices of an element may be there")
                return

    return checked


def field_name(name: str, code: str) -> str:
    """The field of JSON in which an element of this type stands."""
    return chosen(name.removesuffix("[x]"), code) if name.endswith("[x]") else name


def needed(name: str, node: Node, keys: tuple[str, ...]) -> list[tuple[tuple[str, ...], str]]:
    """The fields of which one must be there: for the element, and for slices of it that must not be missing."""
    slices = [each for each in node.slices.values() if each.least]
    if not name.endswith("[x]"):
        return [(keys, name)] if node.least or slices else []
    chosen_ = [field_name(name, t["code"]) for each in slices for t in each.element.get("type", [])]
    return [*([(keys, name)] if node.least else []), *(((key, f"_{key}"), name) for key in chosen_)]


def asks_more(node: Node) -> bool:
    """Whether a definition may ask more of a primitive than its format."""
    element = node.element
    binding = element.get("binding", {})
    return (
        "extension" in binding
        or "maxLength" in element
        or any(each["key"] not in NATIVE for each in element.get("constraint", ()))
        or ((found := patterns.wanted(node)) is not None and found[1].__class__ is not str)
    )


def nothing(field: Any, at: At, name: str, run: Run, value: dict[str, Any]) -> None:
    """`resourceType` is read before a resource's own check."""


def primitive_field(test: Callable[[Any], bool], sentence: str, extra: Check | None, called: tuple[str, ...]) -> Member:
    if extra is None:

        def plain(field: Any, at: At, name: str, run: Run, value: dict[str, Any]) -> None:
            if not test(field):
                run.wrong_in(at, name, why(field, sentence))

        return plain

    def member(field: Any, at: At, name: str, run: Run, value: dict[str, Any]) -> None:
        if not test(field):
            run.wrong_in(at, name, why(field, sentence))
        else:
            extra(field, (at, name, -1, called), run)

    return member


def why(field: Any, sentence: str) -> str:
    if field is None or field == "" or field == [] or field == {}:
        return EMPTY
    return NOT_A_LIST if field.__class__ is list else sentence


def primitive_list(
    test: Callable[[Any], bool],
    sentence: str,
    extra: Check | None,
    called: tuple[str, ...],
    least: int,
    most: float,
) -> Member:
    def member(field: Any, at: At, name: str, run: Run, value: dict[str, Any]) -> None:
        if field.__class__ is not list or not field:
            run.wrong_in(at, name, LIST if field else EMPTY)
            return
        if not least <= len(field) <= most:
            run.wrong_in(at, name, how_many(least, most))
        for position, item in enumerate(field):
            if not test(item):
                if item is not None or not has_beside(value.get(f"_{name}"), position):
                    run.wrong((at, name, position, called), why(item, sentence))
            elif extra is not None:
                extra(item, (at, name, position, called), run)

    return member


def has_beside(beside: Any, position: int) -> bool:
    return beside.__class__ is list and position < len(beside) and beside[position] is not None


def one(check: Check, called: tuple[str, ...]) -> Member:
    def member(field: Any, at: At, name: str, run: Run, value: dict[str, Any]) -> None:
        check(field, (at, name, -1, called), run)

    return member


def many(check: Check, called: tuple[str, ...], least: int, most: float, slicing: Slicing | None) -> Member:
    def member(field: Any, at: At, name: str, run: Run, value: dict[str, Any]) -> None:
        if field.__class__ is not list or not field:
            run.wrong_in(at, name, LIST if field.__class__ is not list else EMPTY)
            return
        if not least <= len(field) <= most:
            run.wrong_in(at, name, how_many(least, most))
        if slicing is not None:
            slicing.check(field, at, name, called, run, check)
            return
        for position, item in enumerate(field):
            check(item, (at, name, position, called), run)

    return member


def how_many(least: int, most: float) -> str:
    return (
        f"must stand here {least} to {int(most)} times"
        if most != float("inf")
        else f"must stand here {least} times or more"
    )


def both_members(first: Member, second: Member) -> Member:
    def member(field: Any, at: At, name: str, run: Run, value: dict[str, Any]) -> None:
        first(field, at, name, run, value)
        second(field, at, name, run, value)

    return member


def slice_of_choice(node: Node, key: str) -> Node | None:
    """The slice of `value[x]` that says more of `valueQuantity`."""
    if not node.element["path"].endswith("[x]"):
        return None
    for name, each in node.slices.items():
        base = node.path.rpartition(".")[2].removesuffix("[x]")
        codes = [t["code"] for t in each.element.get("type", [])]
        if name == key or any(base + code[:1].upper() + code[1:] == key for code in codes):
            return each
    return None


def without_slices(node: Node) -> Node:
    return Node(node.element, node.definition, node.children, {})
