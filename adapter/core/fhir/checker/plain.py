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

    `node` and `code` are the element and type of objects; `single` where a list has one item at most, and `item` the
    text of that item or None. `sure` is True where a truth is True, and False else; `total` where it is never None.
    """

    text: str
    kind: str
    node: Defined | None = None
    code: str = ""
    single: bool = False
    item: str = ""
    sure: str = ""
    total: bool = False


def chosen(name: str, code: str) -> str:
    """The field of JSON in which a choice of this type stands."""
    return name + code[:1].upper() + code[1:]


def _truth(text: str, sure: str = "", *, total: bool = False) -> Code:
    return Code(text, "truth", sure=sure or (text if total else f"({text} is True)"), total=total)


class Plain:
    """Writes expressions over one element, by what definitions say of the elements below it."""

    def __init__(self, elements: Callable[[Defined, str], Defined]) -> None:
        self._elements = elements

    def compiled(self, expression: Node, node: Defined, code: str) -> Callable[[dict[str, Any]], bool] | None:
        """Whether the expression is true of an object; None where it cannot be asked this way."""
        whole = Code("[value]", "objects", node, code, True, "value")
        written = self._asked(self._write(expression, whole, 0))
        if written is None:
            return None
        source = f"def holds(value):\n    return {written.sure}\n"
        found: Callable[[dict[str, Any]], bool] = run_source(source, _NAMES, "holds")
        return found

    def _write(self, part: Node | None, here: Code, depth: int) -> Code | None:
        match part:
            case None:
                return here
            case Literal(value=value) if isinstance(value, bool):
                return _truth(repr(value), total=True)
            case Literal(value=value) if isinstance(value, str):
                return Code(f"[{value!r}]", "texts", single=True, item=repr(value))
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
        children = self._elements(of.node, of.code).children
        if f"{name}[x]" in children and of.item.isidentifier():
            # Of a choice only whether it is there can be asked.
            keys = [chosen(name, each["code"]) for each in children[f"{name}[x]"].element.get("type", ())]
            return Code(f"[k for k in {keys!r} if k in {of.item}]", "others", single=True)
        child = children.get(name)
        types = child.element.get("type", ()) if child else ()
        if child is None or (len(types) != 1 and "contentReference" not in child.element):
            return None
        code = types[0]["code"] if types else "BackboneElement"
        single = of.single and not child.is_list
        item, text = "", f"step({of.text}, {name!r})"
        if of.item:
            # What a name stands for is known to be an object where it is read.
            field = f"{of.item}.get({name!r})" if of.item.isidentifier() else f"field({of.item}, {name!r})"
            item, text = (field, f"listed({field})") if single else ("", f"listed({field})")
        if code in _TEXTS or code[:1].islower():
            kind = "texts" if code in _TEXTS else "truths" if code == "boolean" else "others"
            return Code(text, kind, single=single, item=item)
        return None if code in ("Resource", "xhtml") else Code(text, "objects", child, code, single, item)

    def _called(self, name: str, of: Code | None, arguments: tuple[Node, ...], depth: int) -> Code | None:
        if of is None:
            return None
        if not arguments:
            return self._simple(name, of)
        if of.kind != "objects":
            return None
        if name == "extension" and isinstance(arguments[0], Literal) and (whole := self._member(of, "extension")):
            text = f"[e for e in {whole.text} if e.__class__ is dict and e.get('url') == {arguments[0].value!r}]"
            return Code(text, "objects", whole.node, whole.code)
        item = f"item{depth}"
        inner = Code(f"[{item}]", "objects", of.node, of.code, True, item)
        test = self._asked(self._write(arguments[0], inner, depth + 1))
        if test is None or name not in ("where", "exists", "all"):
            return None
        if name == "where":
            text = f"[{item} for {item} in {of.text} if {item}.__class__ is dict and {test.sure}]"
            return Code(text, "objects", of.node, of.code, of.single)
        tests = f"{item}.__class__ is dict and {test.sure} for {item} in {of.text}"
        return _truth(f"{'any' if name == 'exists' else 'all'}({tests})", total=True)

    def _simple(self, name: str, of: Code) -> Code | None:
        if name == "not":
            truth = self._asked(of)
            return _negated_code(truth) if truth else None
        if of.kind in ("truth", "number"):
            return None
        if of.item and name in ("exists", "empty"):
            return _truth(f"({of.item} is {'not ' if name == 'exists' else ''}None)", total=True)
        if name == "count":
            return Code(f"len({of.text})", "number")
        if name in ("exists", "empty"):
            return _truth(f"({of.text} {'!=' if name == 'exists' else '=='} [])", total=True)
        return Code(f"({of.text})[:1]", of.kind, of.node, of.code, single=True) if name == "first" else None

    def _joined(self, operator: str, left: Code | None, right: Code | None) -> Code | None:
        if left is None or right is None:
            return None
        if operator in _JOINED:
            a, b = self._asked(left), self._asked(right)
            return _connected(operator, a, b) if a and b else None
        if left.kind == right.kind == "number" and operator in (*_COMPARED, "=", "!="):
            return _truth(f"({left.text} {'==' if operator == '=' else operator} {right.text})", total=True)
        if left.kind == right.kind == "number" and operator == "+":
            return Code(f"({left.text} + {right.text})", "number")
        if left.kind == right.kind == "texts":
            return _texts(operator, left, right)
        a, b = self._asked(left), self._asked(right)
        if operator in ("=", "!=") and a and b:
            same = _truth(f"alike({a.text}, {b.text})")
            return same if operator == "=" else _negated_code(same)
        return None

    def _asked(self, of: Code | None) -> Code | None:
        """As a truth."""
        if of is None or of.kind == "truth":
            return of
        return _truth(f"only({of.text})") if of.kind == "truths" else None


def _negated_code(of: Code) -> Code:
    return (
        _truth(f"(not {of.text})", total=True) if of.total else _truth(f"negated({of.text})", f"({of.text} is False)")
    )


def _connected(operator: str, a: Code, b: Code) -> Code:
    text = f"{_JOINED[operator]}({a.text}, {b.text})"
    total = a.total and b.total
    if operator == "xor":
        return _truth(text)
    if operator == "implies":
        wrong = f"not {a.sure}" if a.total else f"{a.text} is False"
        return _truth(text, f"({wrong} or {b.sure})", total=total)
    sure = f"({a.sure} {operator} {b.sure})"
    return _truth(sure if total else text, sure, total=total)


def _texts(operator: str, left: Code, right: Code) -> Code | None:
    if operator in ("=", "!="):
        if not (left.item and right.item):
            same = _truth(f"same({left.text}, {right.text})")
            return same if operator == "=" else _negated_code(same)
        if operator == "!=":
            return _truth(f"negated(equal({left.item}, {right.item}))", f"unequal({left.item}, {right.item})")
        literal = right.item[:1] in "'\""
        sure = f"({left.item} == {right.item})" if literal else f"(equal({left.item}, {right.item}) is True)"
        return _truth(f"equal({left.item}, {right.item})", sure)
    if operator == "in":
        return _truth(f"within({left.text}, {right.text})")
    return Code(f"[*{left.text}, *{right.text}]", "texts") if operator == "|" else None


def _step(found: list[Any], name: str) -> list[Any]:
    """The children of that name; a null has no value."""
    return [each for one in found if one.__class__ is dict for each in _listed(one.get(name))]


def _listed(value: Any) -> list[Any]:
    """What a field holds as a list."""
    if value is None:
        return []
    if value.__class__ is not list:
        return [value]
    return value if None not in value else [each for each in value if each is not None]


def _unequal(a: Any, b: Any) -> bool:
    return a is not None and b is not None and a != b


def _field(value: Any, name: str) -> Any:
    """The one child of that name, or None."""
    return value.get(name) if value.__class__ is dict else None


def _equal(a: Any, b: Any) -> bool | None:
    return None if a is None or b is None else bool(a == b)


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
    "step": _step, "field": _field, "listed": _listed, "equal": _equal, "unequal": _unequal, "both": _both,
    "either": _either, "differ": _differ, "follows": _follows, "negated": _negated, "same": _same, "within": _within,
    "only": _only, "alike": lambda a, b: None if a is None or b is None else a is b,
}  # fmt: skip
