"""The invariants of a definition, compiled from FHIRPath, and when they need not be asked.

An expression such as `period.empty() or periodUnit.exists()` is true wherever `period` is absent. That is read off its
tree once, so that it is evaluated only in an object that has what could break it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields as fields_of
from types import MappingProxyType
from typing import Any

from adapter.core.mapping.elements import Element, Model
from adapter.core.mapping.fhirpath import Env, Expression, compile_expression
from adapter.core.mapping.syntax import Binary, Call, Literal, Member, Node, Special, Typed, Unary, parse

NATIVE = frozenset({"ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "ref-1", "txt-1", "txt-2"})
"""Invariants that the checker asks in Python: they hold for every element, or cannot be said in FHIRPath."""
ERRATA: MappingProxyType[str, str] = MappingProxyType({
    "probability is decimal implies (probability as decimal) <= 100":
        "(probability.exists() and (probability is decimal)) implies ((probability as decimal) <= 100)",
    "fullUrl.contains('/_history/').not()": "fullUrl.exists() implies fullUrl.contains('/_history/').not()",
    "offset.empty() or (when.exists() and ((when in ('C' | 'CM' | 'CD' | 'CV')).not()))":
        "offset.empty() or (when.exists() and when.select($this in ('C' | 'CM' | 'CD' | 'CV')).allFalse())",
    "value.empty() or code!=component.code": "value.empty() or (code in component.code).not()",
})  # fmt: skip
"""What FHIR R4 published and does not mean: of nothing the rule would not be true. As later releases say it."""
_UNKNOWN = object()


def _in_order(value: dict[str, Any]) -> bool:
    """Two whole days compare as their texts do."""
    start, end = value.get("start"), value.get("end")
    return start.__class__ is str and end.__class__ is str and len(start) == len(end) == 10 and start <= end


SURE: MappingProxyType[str, Callable[[dict[str, Any]], bool]] = MappingProxyType({"per-1": _in_order})
"""Where a rule that is asked often surely holds; else its expression decides."""
_EMPTY = object()


def _trace(env: Env, items: list[Any], *_: list[Any]) -> list[Any]:
    """`trace()` gives its input; what it would write to a log is a record's value and goes nowhere."""
    return items


FUNCTIONS = {"trace": _trace}


class Invariant:
    """One rule of a type. `guards`: sets of fields, of each of which one must be there for the rule to be broken."""

    __slots__ = ("_expression", "_model", "_text", "detail", "guards", "key", "plain", "reads", "surely")

    def __init__(
        self,
        constraint: Mapping[str, Any],
        model: Model,
        fields: Callable[[str], Collection[str]],
        plain: Callable[[Node], Callable[[dict[str, Any]], bool] | None],
    ) -> None:
        self.key: str = constraint["key"]
        human = constraint.get("human", "").strip().rstrip(".")
        self.detail = f"{human} ({self.key})"
        self.surely = SURE.get(self.key)
        self._text = ERRATA.get(constraint["expression"], constraint["expression"])
        self._model = model
        self._expression: Expression | None = None
        tree = parse(self._text)
        self.guards = guards(tree, fields)
        self.reads = frozenset(_names(tree))
        """Every name that stands in the expression, at any depth."""
        self.plain = plain(tree)
        """The rule for JSON as it stands, where that says the same (plain.py)."""

    @property
    def expression(self) -> Expression:
        if self._expression is None:
            self._expression = compile_expression(self._text, functions=FUNCTIONS, model=self._model)
        return self._expression

    def need_not_be_asked(self, value: Any) -> bool:
        """Whether it surely holds: what could break it is not there, or is in order at a glance."""
        if value.__class__ is not dict:
            return False
        keys = value.keys()
        for guard in self.guards:
            if keys.isdisjoint(guard):
                return True
        return self.surely is not None and self.surely(value)

    def holds(self, element: Element, env: Env) -> bool:
        return self.expression.test(element, env)


def guards(node: Node, fields: Callable[[str], Collection[str]]) -> tuple[frozenset[str], ...]:
    """The sets of fields of which one each must be there, or else the rule holds. `fields`: those of an element."""
    used = _first_names(node)
    if used is None:
        return ()
    found = [frozenset(fields(name)) for name in sorted(used) if _truth(node, {name}) is True]
    if not found and used and _truth(node, used) is True:
        found = [frozenset(field for name in used for field in fields(name))]
    return tuple(found)


def _names(part: Any) -> Iterator[str]:
    if isinstance(part, Member):
        yield part.name
    if isinstance(part, tuple):
        for each in part:
            yield from _names(each)
    elif isinstance(part, Node):
        for each in fields_of(part):
            yield from _names(getattr(part, each.name))


def _first_names(node: Node) -> set[str] | None:
    """The elements of the object itself that an expression reads; None where it may read something else."""
    found: set[str] = set()
    return found if _gather(node, found, own=True) else None


def _gather(node: Node | None, found: set[str], *, own: bool) -> bool:
    match node:
        case None | Literal():
            return True
        case Member(target=None, name=name):
            if own:
                found.add(name)
            return not name[:1].isupper()
        case Member(target=target):
            return _gather(target, found, own=own)
        case Call(target=target, name=name, arguments=arguments):
            if name in ("children", "descendants", "resolve", "repeat") or (target is None and own):
                return False
            inner = name in ("where", "exists", "all", "select", "iif")
            return _gather(target, found, own=own) and all(_gather(a, found, own=own and not inner) for a in arguments)
        case Binary(left=left, right=right):
            return _gather(left, found, own=own) and _gather(right, found, own=own)
        case Unary(operand=operand) | Typed(operand=operand):
            return _gather(operand, found, own=own)
        case Special():
            return not own
    return True  # a %variable, an index: not a field of the object


def _truth(node: Node, absent: Collection[str]) -> Any:
    """What an expression gives where these fields are absent: True, False, _EMPTY, or _UNKNOWN."""
    match node:
        case Literal(value=bool(value)):
            return value
        case Member(target=None, name=name):
            return _EMPTY if name in absent else _UNKNOWN
        case Member(target=target) if target is not None:
            return _EMPTY if _truth(target, absent) is _EMPTY else _UNKNOWN
        case Call(target=target, name=name) if target is not None:
            return _called(name, _truth(target, absent))
        case Typed(operator="as", operand=operand):
            return _EMPTY if _truth(operand, absent) is _EMPTY else _UNKNOWN
        case Binary(operator=operator, left=left, right=right):
            return _joined(operator, _truth(left, absent), _truth(right, absent))
    return _UNKNOWN


def _called(name: str, target: Any) -> Any:
    if target is _EMPTY:
        if name in ("exists", "hasValue"):
            return False
        if name in ("empty", "all", "isDistinct", "allTrue", "allFalse"):
            return True
        return (
            _EMPTY if name in ("where", "select", "first", "not", "startsWith", "matches", "ofType", "as") else _UNKNOWN
        )
    if name == "not" and isinstance(target, bool):
        return not target
    return _UNKNOWN


def _joined(operator: str, left: Any, right: Any) -> Any:
    if operator == "or":
        return True if left is True or right is True else False if left is False and right is False else _UNKNOWN
    if operator == "and":
        return False if left is False or right is False else True if left is True and right is True else _UNKNOWN
    if operator == "implies":
        return True if left is False or right is True else right if left is True else _UNKNOWN
    if operator in ("=", "!=") and isinstance(left, bool) and isinstance(right, bool):
        return (left == right) is (operator == "=")
    return _UNKNOWN
