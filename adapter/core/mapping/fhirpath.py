"""FHIRPath: compile an expression once, evaluate it often.

Source: FHIRPath N1 (http://hl7.org/fhirpath/N1), and the functions of its continuation that FHIR R4's invariants and
HL7's tests use (lowBoundary, highBoundary, precision, sort, matchesFull, encode, escape and their kin).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from adapter.core.mapping import items
from adapter.core.mapping.compiler import Compiler
from adapter.core.mapping.dates import Temporal
from adapter.core.mapping.elements import Element, Model
from adapter.core.mapping.environment import Env, Function
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.quantities import Quantity, to_json
from adapter.core.mapping.scope import Scope
from adapter.core.mapping.syntax import parse

__all__ = ["Env", "Expression", "ExpressionError", "Function", "Model", "compile_expression"]


class Expression:
    """One compiled expression. `source` is the Python text of it."""

    def __init__(self, text: str, source: str, run: Callable[[Any, Env], Any], model: Model | None) -> None:
        self.text = text
        self.source = source
        self._run = run
        self._model = model

    def evaluate(
        self,
        context: Any,
        variables: Mapping[str, Any] | Env | None = None,
        *,
        now: datetime | None = None,
        extra: Any = None,
    ) -> list[Any]:
        """The items it gives for one input, as JSON; ExpressionError where the input breaks a rule of FHIRPath."""
        return [_json(i) for i in items.items(self._result(context, variables, now, extra))]

    def holds(
        self,
        context: Any,
        variables: Mapping[str, Any] | Env | None = None,
        *,
        now: datetime | None = None,
        extra: Any = None,
    ) -> bool:
        """Whether it is true: an empty answer is not."""
        return items.truth(self._result(context, variables, now, extra)) is True

    def test(self, context: Any, env: Env) -> bool:
        """`holds` of what is an element of a model already, with an Env that is used again."""
        return items.truth(self._run(context, env)) is True

    def select(self, context: Any, env: Env) -> list[Any]:
        """The items as they are, elements of the model among them, with an Env that is used again."""
        return items.items(self._run(context, env))

    def _result(self, context: Any, variables: Mapping[str, Any] | Env | None, now: datetime | None, extra: Any) -> Any:
        env = variables if isinstance(variables, Env) else Env(variables or {}, now, {}, extra)
        if self._model is not None:
            root = self._model.root
            env = Env({k: root(v) for k, v in env.variables.items()}, env.now, env.functions, env.extra)
            context = root(context)
        return self._run(context, env)


def compile_expression(
    text: str,
    *,
    functions: Mapping[str, Function] | None = None,
    model: Model | None = None,
    variables: Iterable[str] | None = None,
) -> Expression:
    """Compile one whole expression.

    `functions` are called as environment.Function says and win over those of the same name here. With `variables`, any
    other `%name` is refused. With a `model`, inputs are FHIR resources of that release. ExpressionError says where and
    why an expression is refused.
    """
    compiler = Compiler(functions or {}, model=model, variables=None if variables is None else frozenset(variables))
    try:
        written = compiler.code(parse(text), Scope("this", "record")).text
    except RecursionError:
        raise ExpressionError("the expression is nested too deep", 1, 1) from None
    lines = ["# " + "".join(c if c.isprintable() else " " for c in line) for line in text.splitlines()]
    lines += [f"{name} = {made}" for name, made in compiler.names.constants.items()]
    lines += ["def evaluate(this, env):", *(f"    {line}" for line in preamble(written, compiler))]
    lines.append(f"    return {written}")
    source = "\n".join(lines) + "\n"
    return Expression(text, source, run_source(source, compiler.names.namespace, "evaluate"), model)


def preamble(written: str, compiler: Compiler) -> list[str]:
    """The lines that give the names of a scope's beginning their meaning, of those that the text uses."""
    lines = []
    if "values[" in written or "values.get(" in written:
        lines.append("values = env.variables")
    if "context" in written:
        lines.append("context = this")
    if "record.get(" in written:
        lines.append(f"record = this if this.__class__ is dict else {compiler.names.runtime(items.fields)}(this)")
    return lines


def run_source(source: str, namespace: dict[str, Any], name: str, file: str = "<expression>") -> Callable[..., Any]:
    """The function of that name which the source defines."""
    filled = dict(namespace)
    try:
        exec(compile(source, file, "exec"), filled)  # noqa: S102  # written by our compiler, from a parsed tree
    except (SyntaxError, RecursionError, MemoryError):
        raise ExpressionError("the expression is nested too deep", 1, 1) from None
    made: Callable[..., Any] = filled[name]
    return made


def _json(item: Any) -> Any:
    if item.__class__ is Element:
        return item.value
    if isinstance(item, Temporal):
        return item.text
    return to_json(item) if isinstance(item, Quantity) else item
