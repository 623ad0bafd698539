"""From the tree of a FHIRPath expression to Python source that a person can read.

The source works on collections in the form of items.py: `record.get('title')` for a field of the input, `step(x, 'y')`
for a field of anything else, one call for a function or operator, a comprehension for `where`, `select` and their kin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from adapter.core.mapping import functions, items, operators
from adapter.core.mapping.elements import Model
from adapter.core.mapping.environment import Function
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.names import Names
from adapter.core.mapping.scope import Code, Scope
from adapter.core.mapping.syntax import Binary, Call, Index, Literal, Member, Node, Special, Typed, Unary, Variable
from adapter.core.mapping.written_out import WRITTEN, typed

_OPERATORS: dict[str, tuple[Callable[..., Any], bool]] = {
    "=": (operators.equal, True), "!=": (operators.unequal, True), "~": (operators.equivalent, True),
    "!~": (operators.not_equivalent, True), "<": (operators.less, True), "<=": (operators.less_or_equal, True),
    ">": (operators.greater, True), ">=": (operators.greater_or_equal, True), "and": (operators.both, True),
    "or": (operators.either, True), "xor": (operators.one_of, True), "implies": (operators.implies, True),
    "contains": (operators.contains, True), "|": (operators.union, False), "+": (operators.add, False),
    "-": (operators.subtract, False), "*": (operators.multiply, False), "/": (operators.divide, False),
    "div": (operators.whole_divide, False), "mod": (operators.modulo, False), "&": (operators.join_text, False),
}  # fmt: skip
_BOOLEAN = frozenset({
    "empty", "not", "isDistinct", "allTrue", "anyTrue", "allFalse", "anyFalse", "subsetOf", "supersetOf", "startsWith",
    "endsWith", "contains", "matches", "matchesFull", "hasValue",
})  # fmt: skip
_CONSTANTS = {
    "ucum": "http://unitsofmeasure.org", "sct": "http://snomed.info/sct", "loinc": "http://loinc.org",
}  # fmt: skip
_PREFIXED = {"vs-": "http://hl7.org/fhir/ValueSet/", "ext-": "http://hl7.org/fhir/StructureDefinition/"}
_BY_POSITION = frozenset({"first", "last", "tail", "skip", "take"})
_UNORDERED = frozenset({"children", "descendants"})


class Compiler:
    """Writes expressions of one source text: its constants, its names, and what the names stand for when it runs."""

    def __init__(
        self, custom: Mapping[str, Function], *, model: Model | None = None, variables: frozenset[str] | None = None
    ) -> None:
        self._custom = custom
        self.model = model
        self._known = variables
        self.names = Names(custom)

    def condition(self, node: Node, scope: Scope) -> str:
        """The Python text of a test: true only where the expression is."""
        if isinstance(node, Literal) and node.value is not None and not isinstance(node.value, bool):
            raise ExpressionError("the condition is not a boolean", node.line, node.column)
        code = self.code(node, scope)
        # True, False or nothing: as Python sees it, only the first holds.
        return code.text if code.boolean else f"{self.names.runtime(items.truth)}({code.text})"

    def code(self, node: Node, scope: Scope) -> Code:
        match node:
            case Literal():
                return Code(self.names.constant(node.value), boolean=isinstance(node.value, bool))
            case Variable():
                return Code(self._variable(node, scope))
            case Special():
                return Code(self._special(node, scope))
            case Member():
                return Code(self._member(node, scope))
            case Index():
                return self._call(functions.at, node.target, (node.position,), scope)
            case Unary():
                if isinstance(node.operand, Literal) and isinstance(node.operand.value, int | Decimal):
                    value = node.operand.value
                    return Code(self.names.constant(-value if node.operator == "-" else value))
                return self._call(operators.negative if node.operator == "-" else operators.positive,
                                  node.operand, (), scope)  # fmt: skip
            case Binary(operator="in"):
                return self.code(replace(node, operator="contains", left=node.right, right=node.left), scope)
            case Binary():
                function, boolean = _OPERATORS[node.operator]
                return Code(self._call(function, node.left, (node.right,), scope).text, boolean)
            case Typed():
                return typed(self, node.operator, self.code(node.operand, scope).text, node.type, node)
            case Call():
                return self._function(node, scope)
        raise ExpressionError("this cannot be compiled", node.line, node.column)

    def listed(self, node: Node, scope: Scope) -> str:
        """The Python text of an expression as a list."""
        if isinstance(node, Literal):
            return "[]" if node.value is None else f"[{self.names.constant(node.value)}]"
        return f"{self.names.runtime(items.items)}({self.code(node, scope).text})"

    def _variable(self, node: Variable, scope: Scope) -> str:
        name = node.name
        if name in scope.variables:
            return scope.variables[name]
        if name == "context":
            return "context"
        if name in _CONSTANTS:
            return repr(_CONSTANTS[name])
        for prefix, base in _PREFIXED.items():
            if name.startswith(prefix):
                return repr(base + name.removeprefix(prefix))
        if name in ("resource", "rootResource"):
            return f"values.get({name!r}, context)"
        if self._known is not None and name not in self._known:
            raise ExpressionError(f"there is no variable %{name}", node.line, node.column)
        return f"values[{name!r}]"

    def _special(self, node: Special, scope: Scope) -> str:
        found = {"this": scope.this, "index": scope.index, "total": scope.total}[node.name]
        if not found:
            raise ExpressionError(f"${node.name} has no meaning here", node.line, node.column)
        self._unguarded(node, scope, "$this")
        return found

    def _member(self, node: Member, scope: Scope) -> str:
        if isinstance(node.target, Variable) and node.target.name == "context" and self.model is None:
            return f"record.get({node.name!r})"
        if node.target is not None:
            self._defined(node, node.target)
            return self._step(self.code(node.target, scope).text, node.name)
        self._unguarded(node, scope, node.name)
        if node.name[:1].isupper():
            return f"{self.names.runtime(items.start)}({scope.this}, {node.name!r})"
        if scope.record and self.model is None:
            return f"{scope.record}.get({node.name!r})"
        return self._step(scope.this, node.name)

    def _step(self, target: str, name: str) -> str:
        """The children of that name; of one object, by far the most frequent case, without a call."""
        called = f"{self.names.runtime(items.step)}({target}, {name!r})"
        if self.model is not None or not target.isidentifier():
            return called
        return f"({target}.get({name!r}) if {target}.__class__ is dict else {called})"

    def _defined(self, node: Member, target: Node) -> None:
        """Refuse a member that the type just named does not have: `(value as Period).unit`."""
        if self.model and isinstance(target, Typed) and target.operator == "as":
            kind = target.type.rpartition(".")[2]
            if not self.model.defines(kind, node.name):
                raise ExpressionError(f"{kind} has no `{node.name}`", node.line, node.column)

    def _ordered(self, node: Call) -> None:
        """Refuse to pick by position from what has no order (N1, 5.8)."""
        target = node.target
        if self.model and node.name in _BY_POSITION and isinstance(target, Call) and target.name in _UNORDERED:
            raise ExpressionError(f"`{target.name}()` has no order to `{node.name}` by", node.line, node.column)

    def _unguarded(self, node: Node, scope: Scope, name: str) -> None:
        if scope.guarded:
            raise ExpressionError(f"strict mode: `{name}` reads the input, use a %variable", node.line, node.column)

    def _call(self, function: Callable[..., Any], target: Node, arguments: tuple[Node, ...], scope: Scope) -> Code:
        texts = ", ".join(self.code(n, scope).text for n in (target, *arguments))
        return Code(f"{self.names.runtime(function)}({texts})")

    def _function(self, node: Call, scope: Scope) -> Code:
        target = scope.this if node.target is None else self.code(node.target, scope).text
        if node.name in self._custom:
            focus = Special(node.line, node.column, "this") if node.target is None else node.target
            focused = replace(scope, guarded=False) if node.target is None else scope
            given = "".join(f", {self.listed(a, scope)}" for a in node.arguments)
            name = self.names.runtime(self._custom[node.name], node.name)
            return Code(f"{name}(env, {self.listed(focus, focused)}{given})")
        if node.name in WRITTEN:
            write, least, most = WRITTEN[node.name]
            self._arity(node, least, most)
            return write(self, node, target, scope)
        if node.name == "trace":
            raise ExpressionError("`trace` is refused: it would write values to a log", node.line, node.column)
        if node.name not in functions.FUNCTIONS:
            raise ExpressionError(f"there is no function `{node.name}`", node.line, node.column)
        self._ordered(node)
        function, least, most = functions.FUNCTIONS[node.name]
        self._arity(node, least, most)
        texts = ", ".join([target, *(self.code(a, scope).text for a in node.arguments)])
        boolean = node.name in _BOOLEAN or node.name.startswith("convertsTo")
        name = node.name if node.name.startswith("convertsTo") else ""
        return Code(f"{self.names.runtime(function, name)}({texts})", boolean)

    def _arity(self, node: Call, least: int, most: int) -> None:
        if not least <= len(node.arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}" if most < 99 else f"at least {least}"
            raise ExpressionError(f"`{node.name}` takes {wanted} argument{'' if wanted == '1' else 's'}, not "
                                  f"{len(node.arguments)}", node.line, node.column)  # fmt: skip
