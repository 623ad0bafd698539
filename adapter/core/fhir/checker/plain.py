"""Invariants that look at JSON as it stands: written as one Python expression where that surely says the same.

FHIRPath over FHIR's types finds `Observation.value` in `valueQuantity`, reads dates as dates and sees what stands in
`_status`. An expression that only looks whether elements are there, counts them and compares texts needs none of that.
Its tree is held against the definitions once; anything it does besides leaves it to the compiler of FHIRPath, which is
also what the tests hold these against.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapter.core.fhir.checker.definitions import Node as Defined
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.fhirpath import run_source
from adapter.core.mapping.syntax import Binary, Call, Literal, Member, Node

_TEXTS = frozenset({"string", "code", "uri", "url", "canonical", "id", "markdown", "oid", "uuid"})
_COMPARED = {"<", ">", "<=", ">="}
_JOINED = {"and": "both", "or": "either", "xor": "differ", "implies": "follows"}


@dataclass(frozen=True, slots=True)
class Code:
    """Python text of a part, and what it gives: a list of `objects`, `texts`, `truths` or `others`; a `number`; or a
    `truth`: True, False, None.

    `node` and `code` are the element and type of objects; `single` where a list has one item at most.
    """

    text: str
    kind: str
    node: Defined | None = None
    code: str = ""
    single: bool = False


class Plain:
    """Writes expressions over one element, by what definitions say of the elements below it."""

    def __init__(self, elements: Callable[[Defined, str], Defined]) -> None:
        self._elements = elements

    def compiled(self, expression: Node, node: Defined, code: str) -> Callable[[dict[str, Any]], bool] | None:
        """Whether the expression is true of an object; None where it cannot be asked this way."""
        written = self._truth(self._write(expression, Code("[value]", "objects", node, code, single=True), 0))
        if written is None:
            return None
        source = f"def holds(value):\n    return ({written}) is True\n"
        found: Callable[[dict[str, Any]], bool] = run_source(source, _NAMES, "holds")
        return found

    def _write(self, part: Node | None, here: Code, depth: int) -> Code | None:
        match part:
            case None:
                return here
            case Literal(value=value) if isinstance(value, bool):
                return Code(repr(value), "truth")
            case Literal(value=value) if isinstance(value, str):
                return Code(f"[{value!r}]", "texts", single=True)
            case Literal(value=value) if isinstance(value, int):
                return Code(repr(value), "number")
            case Member(target=target, name=name):
                return self._member(self._write(target, here, depth), name)
            case Call(target=target, name=name, arguments=arguments):
                return self._called(name, self._write(target, here, depth), arguments, depth)
            case Binary(operator=operator, left=left, right=right):
                return self._joined(operator, self._write(left, here, depth), self._write(right, here, depth))
        return None

    def _member(self, of: Code | None, name: str) -> Code | None:
        if of is None or of.node is None:
            return None
        child = self._elements(of.node, of.code).children.get(name)
        types = child.element.get("type", ()) if child else ()
        if child is None or (len(types) != 1 and "contentReference" not in child.element):
            return None
        code = types[0]["code"] if types else "BackboneElement"
        text = f"step({of.text}, {name!r})"
        single = of.single and not child.is_list
        if code in _TEXTS or code[:1].islower():
            return Code(text, "texts" if code in _TEXTS else "truths" if code == "boolean" else "others", single=single)
        return None if code in ("Resource", "xhtml") else Code(text, "objects", child, code, single)

    def _called(self, name: str, of: Code | None, arguments: tuple[Node, ...], depth: int) -> Code | None:
        if of is None:
            return None
        if not arguments:
            return self._simple(name, of)
        if of.kind != "objects":
            return None
        item = f"item{depth}"
        if name == "extension" and isinstance(arguments[0], Literal) and (whole := self._member(of, "extension")):
            url = arguments[0].value
            return Code(f"[e for e in {whole.text} if e.get('url') == {url!r}]", "objects", whole.node, whole.code)
        inner = Code(f"[{item}]", "objects", of.node, of.code, single=True)
        test = self._truth(self._write(arguments[0], inner, depth + 1))
        if test is None or name not in ("where", "exists", "all"):
            return None
        if name == "where":
            return Code(f"[{item} for {item} in {of.text} if ({test}) is True]", "objects", of.node, of.code, of.single)
        return Code(f"{'any' if name == 'exists' else 'all'}(({test}) is True for {item} in {of.text})", "truth")

    def _simple(self, name: str, of: Code) -> Code | None:
        if name == "not":
            truth = self._truth(of)
            return Code(f"negated({truth})", "truth") if truth else None
        if of.kind in ("truth", "number"):
            return None
        if name in ("exists", "empty", "count"):
            text = {"exists": f"bool({of.text})", "empty": f"(not {of.text})", "count": f"len({of.text})"}[name]
            return Code(text, "number" if name == "count" else "truth")
        return Code(f"({of.text})[:1]", of.kind, of.node, of.code, single=True) if name == "first" else None

    def _joined(self, operator: str, left: Code | None, right: Code | None) -> Code | None:
        if left is None or right is None:
            return None
        if operator in _JOINED:
            a, b = self._truth(left), self._truth(right)
            return Code(f"{_JOINED[operator]}({a}, {b})", "truth") if a and b else None
        if left.kind == right.kind == "number" and operator in (*_COMPARED, "=", "!="):
            return Code(f"({left.text} {'==' if operator == '=' else operator} {right.text})", "truth")
        if left.kind == right.kind == "texts":
            if operator in ("=", "!="):
                same = f"same({left.text}, {right.text})"
                return Code(same if operator == "=" else f"negated({same})", "truth")
            if operator == "in":
                return Code(f"within({left.text}, {right.text})", "truth")
            return Code(f"[*{left.text}, *{right.text}]", "texts") if operator == "|" else None
        a, b = self._truth(left), self._truth(right)
        if operator in ("=", "!=") and a and b:
            same = f"alike({a}, {b})"
            return Code(same if operator == "=" else f"negated({same})", "truth")
        return None

    def _truth(self, of: Code | None) -> str | None:
        if of is None:
            return None
        return of.text if of.kind == "truth" else f"only({of.text})" if of.kind == "truths" else None


def _step(found: list[Any], name: str) -> list[Any]:
    """The children of that name; a null has no value."""
    if len(found) == 1:
        value = found[0].get(name) if found[0].__class__ is dict else None
        if value is None:
            return []
        if value.__class__ is not list:
            return [value]
        return value if None not in value else [each for each in value if each is not None]
    return [each for one in found for each in _step([one], name)]


def _both(a: bool | None, b: bool | None) -> bool | None:
    return False if a is False or b is False else None if a is None or b is None else True


def _either(a: bool | None, b: bool | None) -> bool | None:
    return True if a is True or b is True else None if a is None or b is None else False


def _differ(a: bool | None, b: bool | None) -> bool | None:
    return None if a is None or b is None else a is not b


def _follows(a: bool | None, b: bool | None) -> bool | None:
    return True if a is False or b is True else None if a is None or b is None else False


def _negated(a: bool | None) -> bool | None:
    return None if a is None else not a


def _same(a: list[Any], b: list[Any]) -> bool | None:
    return a == b if a and b else None


def _within(a: list[Any], b: list[Any]) -> bool | None:
    if len(a) > 1:
        raise ExpressionError("`in` looks for one item, and there are several")
    return a[0] in b if a else None


def _only(found: list[Any]) -> bool | None:
    if len(found) > 1:
        raise ExpressionError("a condition is one truth, and there are several")
    return (found[0] if found[0].__class__ is bool else True) if found else None


_NAMES: dict[str, Any] = {
    "step": _step, "both": _both, "either": _either, "differ": _differ, "follows": _follows, "negated": _negated,
    "same": _same, "within": _within, "only": _only, "alike": lambda a, b: None if a is None or b is None else a is b,
}  # fmt: skip
