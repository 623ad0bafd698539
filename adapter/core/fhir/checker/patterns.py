"""Fixed values and patterns of elements, and small questions that several rules ask.

Source: http://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_ and `pattern_x_`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.core.fhir.checker.definitions import Node
from adapter.core.fhir.checker.run import At, Check, Run

NOT_FIXED = "must be the value that the definition fixes"


def wanted(node: Node) -> tuple[str, Any] | None:
    """("fixed" or "pattern", the value) of an element."""
    for name, value in node.element.items():
        for kind in ("fixed", "pattern"):
            if name.startswith(kind) and name[len(kind) :][:1].isupper():
                return kind, value
    return None


def of(node: Node) -> list[Check]:
    """The check that a value is the fixed one, or holds the pattern."""
    found = wanted(node)
    if found is None:
        return []
    kind, value = found
    if kind == "fixed":

        def fixed(given: Any, at: At, run: Run) -> None:
            if not same(value, given):
                run.wrong(at, NOT_FIXED)

        return [fixed]
    test = matching(value)

    def pattern(given: Any, at: At, run: Run) -> None:
        if not test(given):
            run.wrong(at, "must hold what the definition's pattern asks for")

    return [pattern]


def without(node: Node) -> Node:
    """The element without its fixed value or pattern: where that has been asked already."""
    element = {k: v for k, v in node.element.items() if not k.startswith(("fixed", "pattern"))}
    return Node(element, node.definition, node.children, node.slices)


def same(wanted: Any, given: Any) -> bool:
    """Equal as JSON: true is no 1."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        return wanted.keys() == given.keys() and all(same(v, given[k]) for k, v in wanted.items())
    if isinstance(wanted, list) and isinstance(given, list):
        return len(wanted) == len(given) and all(map(same, wanted, given))
    return bool(wanted == given) and isinstance(wanted, bool) is isinstance(given, bool)


def matching(wanted: Any) -> Callable[[Any], bool]:
    """Whether everything of the pattern is there; more may be, and lists in any order."""
    if isinstance(wanted, dict):
        fields = tuple((name, matching(value)) for name, value in wanted.items())

        def an_object(given: Any) -> bool:
            if given.__class__ is not dict:
                return False
            return all(name in given and test(given[name]) for name, test in fields)

        return an_object
    if isinstance(wanted, list):
        tests = tuple(matching(each) for each in wanted)

        def a_list(given: Any) -> bool:
            return given.__class__ is list and all(any(map(test, given)) for test in tests)

        return a_list
    if wanted.__class__ is str:
        return lambda given: bool(given == wanted)
    return lambda given: same(wanted, given)


def passes(check: Check, value: Any, run: Run) -> bool:
    """Whether a check finds nothing; what it finds is told nowhere."""
    quiet = Run(run.root, run.known, [], run.container)
    type_ = value.get("resourceType") if value.__class__ is dict else None
    # A resource is the context of its extensions.
    check(value, (None, type_, -1, (type_,)) if type_.__class__ is str else (None, "", -1, ()), quiet)
    return not quiet.found


def has_id(value: Any, id_: str) -> bool:
    """Whether any element of a resource has this id."""
    if isinstance(value, dict):
        return value.get("id") == id_ or any(has_id(each, id_) for each in value.values())
    return isinstance(value, list) and any(has_id(each, id_) for each in value)
