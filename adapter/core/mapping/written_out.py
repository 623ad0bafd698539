"""Functions that are written out where they are called: most of them ask an expression of each item.

Each takes the call, the Python text of what it is called on, and the scope in which it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from adapter.core.mapping import conversion, environment, functions, items
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.scope import Code, Scope
from adapter.core.mapping.syntax import Call, Member, Node, Special, Unary

if TYPE_CHECKING:
    from adapter.core.mapping.compiler import Compiler

_PRIMITIVES = frozenset({"boolean", "integer", "decimal", "string"})


def _inner(to: Compiler, scope: Scope) -> Scope:
    return replace(scope, this=to.names.new("item"), record="", index=to.names.new("index"), guarded=False)


def _over(to: Compiler, inner: Scope, target: str, written: str) -> str:
    """`for item in items(target)`, with its index where what was written uses it."""
    each = f"{to.names.runtime(items.items)}({target})"
    if re.search(rf"\b{inner.index}\b", written):
        return f"for {inner.index}, {inner.this} in enumerate({each})"
    return f"for {inner.this} in {each}"


def _where(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    inner = _inner(to, scope)
    test = to.condition(node.arguments[0], inner)
    return Code(f"[{inner.this} {_over(to, inner, target, test)} if {test}]")


def _exists(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    if not node.arguments:
        return Code(f"{to.names.runtime(functions.exists)}({target})", boolean=True)
    inner = _inner(to, scope)
    test = to.condition(node.arguments[0], inner)
    return Code(f"any({test} {_over(to, inner, target, test)})", boolean=True)


def _all(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    inner = _inner(to, scope)
    test = to.condition(node.arguments[0], inner)
    return Code(f"all({test} {_over(to, inner, target, test)})", boolean=True)


def _select(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    inner = _inner(to, scope)
    each = to.code(node.arguments[0], inner).text
    return Code(f"{to.names.runtime(items.gather)}({each} {_over(to, inner, target, each)})")


def _repeat(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    inner = replace(_inner(to, scope), index="")
    each = to.code(node.arguments[0], inner).text
    return Code(f"{to.names.runtime(functions.repeat)}({target}, lambda {inner.this}: {each})")


def _aggregate(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    inner = _inner(to, scope)
    inner = replace(inner, total=to.names.new("total"))
    each = to.code(node.arguments[0], inner).text
    start = f", {to.code(node.arguments[1], scope).text}" if len(node.arguments) > 1 else ""
    head = f"lambda {inner.this}, {inner.index}, {inner.total}"
    return Code(f"{to.names.runtime(functions.aggregate)}({target}, {head}: {each}{start})")


def _sort(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    keys = node.arguments or (Special(node.line, node.column, "this"),)
    written = []
    for key in keys:
        descending = isinstance(key, Unary) and key.operator == "-"
        inner = replace(_inner(to, scope), index="")
        each = to.code(key.operand if isinstance(key, Unary) and descending else key, inner).text
        written.append(f"(lambda {inner.this}: {each}, {descending})")
    return Code(f"{to.names.runtime(functions.sort)}({target}, {', '.join(written)})")


def _iif(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    inner = scope if node.target is None else replace(scope, this=to.names.new("item"), record="", guarded=False)
    test = to.condition(node.arguments[0], inner)
    chosen = [to.code(a, inner) for a in node.arguments[1:]]
    other = chosen[1].text if len(chosen) > 1 else "None"
    text = f"({chosen[0].text} if {test} else {other})"
    if node.target is None:
        return Code(text, boolean=all(c.boolean for c in chosen))
    return Code(f"{to.names.runtime(functions.apply)}({target}, lambda {inner.this}: {text})")


def _coalesce(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    inner = scope if node.target is None else replace(scope, this=to.names.new("item"), record="", guarded=False)
    name = to.names.new("unused") if node.target is None else inner.this
    texts = "".join(f", lambda {name}: {to.code(a, inner).text}" for a in node.arguments)
    return Code(f"{to.names.runtime(functions.coalesce)}({'None' if node.target is None else target}{texts})")


def _is(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    return typed(to, "is", target, _type_name(node), node)


def _as(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    return typed(to, "as", target, _type_name(node), node)


def _oftype(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    return typed(to, "ofType", target, _type_name(node), node)


def _resolve(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    return Code(f"{to.names.runtime(functions.resolve)}({target}, values.get('resource', context))")


def _now(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    return Code(f"{to.names.runtime(environment.now)}(env)")


def _today(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    return Code(f"{to.names.runtime(environment.today)}(env)")


def _timeofday(to: Compiler, node: Call, target: str, scope: Scope) -> Code:
    return Code(f"{to.names.runtime(environment.time_of_day)}(env)")


def typed(to: Compiler, operator: str, target: str, name: str, node: Node) -> Code:
    """A test of a type, or what is of it; refused where there is no type of that name."""
    namespace, _, short = name.rpartition(".")
    system = short in conversion.SYSTEM and namespace in ("", "System")
    named = (short in to.model.names) if to.model else (short[:1].isupper() or short in _PRIMITIVES)
    if not (system or named or namespace == "System") or namespace not in ("", "System", "FHIR"):
        raise ExpressionError(f"there is no type `{name}`", node.line, node.column)
    function = {"is": conversion.is_type, "as": conversion.as_type, "ofType": conversion.of_type}[operator]
    return Code(f"{to.names.runtime(function)}({target}, {name!r})", boolean=operator == "is")


def _type_name(node: Call) -> str:
    parts: list[str] = []
    given: Node | None = node.arguments[0]
    while isinstance(given, Member):
        parts.insert(0, given.name)
        given = given.target
    if given is not None:
        raise ExpressionError(f"`{node.name}` takes the name of a type", node.line, node.column)
    return ".".join(parts)


WRITTEN: Mapping[str, tuple[Callable[[Compiler, Call, str, Scope], Code], int, int]] = {
    "where": (_where, 1, 1),
    "exists": (_exists, 0, 1),
    "all": (_all, 1, 1),
    "select": (_select, 1, 1),
    "repeat": (_repeat, 1, 1),
    "aggregate": (_aggregate, 1, 2),
    "sort": (_sort, 0, 99),
    "iif": (_iif, 2, 3),
    "is": (_is, 1, 1),
    "as": (_as, 1, 1),
    "ofType": (_oftype, 1, 1),
    "resolve": (_resolve, 0, 0),
    "now": (_now, 0, 0),
    "today": (_today, 0, 0),
    "timeOfDay": (_timeofday, 0, 0),
    "coalesce": (_coalesce, 1, 99),
}
"""The functions that are written out: what writes them, and how many arguments they take, at least and at most."""
