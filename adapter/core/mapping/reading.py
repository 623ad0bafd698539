"""One mapping of a file while it is read, outward or inbound: its parts, and all that is wrong, with its place."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from adapter.core.mapping.environment import Function
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.fhirpath import Expression, compile_expression
from adapter.core.mapping.positions import Document, Path
from adapter.core.mapping.template import Template, compile_template
from adapter.errors import Finding, Misconfigured


class Reading:
    """One document. `functions` and `variables`: what its expressions may name; `findings` grow as it is read."""

    def __init__(
        self,
        document: Document,
        file: str,
        findings: list[Finding],
        functions: Mapping[str, Function],
        variables: Collection[str],
    ) -> None:
        self.value: Any = document.value
        self.positions = document.positions
        self.file = file
        self.findings = findings
        self._functions = functions
        self._variables = variables

    def text(self, key: str, form: re.Pattern[str], rule: str, default: str | None = None) -> str:
        """The text of a key that must be there, or of its default; empty where it is not what the rule says."""
        value = self.value.get(key, default)
        if value is None:
            self.find((), f"`{key}` is missing")
        elif not isinstance(value, str) or not form.fullmatch(value):
            self.find((key,), f"`{key}` is {rule}")
        else:
            return value
        return ""

    def expression(self, key: str) -> Expression | None:
        """The expression of a key; None where there is none, or it is wrong."""
        if key not in self.value:
            return None
        text = self.value[key]
        if not isinstance(text, str) or "{{" in text:
            self.find((key,), f"`{key}` is one FHIRPath expression, without braces")
            return None
        try:
            return compile_expression(text, functions=self._functions, variables=self._variables)
        except ExpressionError as error:
            line, column = self.positions.value((key,)).within(text, 0, error.line, error.column)
            reason = f"column {column}: {error.reason}" if column else error.reason
            self.findings.append(Finding(self.file, line, reason))
            return None

    def template(self, key: str) -> Template | None:
        """The template of a key that holds an object; None where it is wrong."""
        try:
            return compile_template(self.value[key], name=self.file, positions=self.positions.below(key),
                                    functions=self._functions, variables=self._variables)  # fmt: skip
        except Misconfigured as error:
            self.findings.extend(error.findings)
            return None

    def find(self, path: Path, reason: str) -> None:
        """This is wrong with the value there."""
        place = self.positions.value(path)
        self.findings.append(Finding(self.file, place.line, f"column {place.column}: {reason}"))

    def find_key(self, path: Path, reason: str) -> None:
        """This is wrong with the key there."""
        place = self.positions.key(path)
        self.findings.append(Finding(self.file, place.line, f"column {place.column}: {reason}"))
