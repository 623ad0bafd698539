"""FHIRPath Mapping Language: compile a template to one Python function, once.

Source: https://github.com/beda-software/FHIRPathMappingLanguage, *Specification*. Where `fpml` does otherwise than
that text, the text wins: what comes from a record is never read as a template again, `true` is written `true` inside
text, a condition that is one item holds, `merge` and `if` may stand in one object (tests/core/mapping/test_oracle.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from adapter.core.mapping.compiler import Compiler
from adapter.core.mapping.elements import Model
from adapter.core.mapping.environment import Env, Function
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.fhirpath import preamble, run_source
from adapter.core.mapping.positions import Positions
from adapter.core.mapping.statements import Statements
from adapter.core.mapping.writer import Writer
from adapter.errors import Finding, Misconfigured


class Template:
    """One compiled template. `source` is the Python text of it."""

    def __init__(
        self, name: str, source: str, run: Callable[[Any, Env], Any], places: list[tuple[int, int]],
        functions: Mapping[str, Function], model: Model | None,
    ) -> None:  # fmt: skip
        self.name = name
        self.source = source
        self._run = run
        self._places = places
        self._functions = functions
        self._model = model

    def render(
        self,
        context: Any,
        variables: Mapping[str, Any] | Env | None = None,
        *,
        now: datetime | None = None,
        extra: Any = None,
    ) -> Any:
        """The value it makes of one input; None when everything in it was absent.

        `variables`: by name; or what `environment` made of them, once, for many inputs.
        ExpressionError, with the line of the file, where the input breaks a rule of FHIRPath.
        """
        if self._model is not None:
            context = self._model.root(context)
        env = variables if isinstance(variables, Env) else Env(variables, now, self._functions, extra)
        try:
            return self._run(context, env)
        except ExpressionError as error:
            line, column = self._place(error)
            raise ExpressionError(error.reason, line, column, self.name) from error

    def environment(
        self, variables: Mapping[str, Any] | None = None, *, now: datetime | None = None, extra: Any = None
    ) -> Env:
        """What `render` knows besides its input."""
        return Env(variables, now, self._functions, extra)

    def _place(self, error: ExpressionError) -> tuple[int, int]:
        found, trace = (0, 0), error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == f"<{self.name}>":
                found = self._places[trace.tb_lineno - 1]
            trace = trace.tb_next
        return found


def compile_template(
    body: Any,
    *,
    name: str,
    positions: Positions | None = None,
    functions: Mapping[str, Function] | None = None,
    strict: bool = False,
    model: Model | None = None,
    variables: Iterable[str] | None = None,
) -> Template:
    """Compile a template: a JSON value whose strings and keys may hold expressions and blocks.

    `name` is the file that findings name. `strict` refuses expressions that read the input without a `%variable`. With
    `variables`, any other `%name` is refused. Misconfigured holds a finding for every problem of the template.
    """
    compiler = Compiler(functions or {}, model=model, variables=None if variables is None else frozenset(variables))
    written = Statements(compiler, positions or Positions())
    Writer(written, guarded=strict).write(body)
    if written.problems:
        findings = [Finding(name, line, f"column {column}: {reason}" if column else reason)
                    for line, column, reason in written.problems]  # fmt: skip
        raise Misconfigured(f"{name} is no template", findings)
    body_text = "\n".join(written.lines)
    head = [f"{constant} = {made}" for constant, made in compiler.names.constants.items()]
    head += ["def render(this, env):", *(f"    {line}" for line in preamble(body_text, compiler))]
    places = [(0, 0)] * len(head) + written.places
    source = "\n".join([*head, body_text]) + "\n"
    run = run_source(source, compiler.names.namespace, "render", f"<{name}>")
    return Template(name, source, run, places, functions or {}, model)
