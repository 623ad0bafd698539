"""Mapping files: our small wrapper (`each`, `make`, `when`, `slot`, `directory`) around a template.

Source: exchange.md, *Mapping files*. A file may hold several documents, each one mapping. Everything that is wrong is
found when the file is loaded, with its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any

from adapter.core.mapping.environment import Function
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.fhirpath import Expression, compile_expression
from adapter.core.mapping.positions import Document, Path, Positions, read_yaml
from adapter.core.mapping.template import Template, compile_template
from adapter.errors import Finding, Misconfigured

VARIABLES = frozenset({"record", "child", "case", "partner", "program", "release", "parent"})
KEYS = ("each", "make", "when", "slot", "directory")
_EACH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_SLOT = re.compile(r"[a-z0-9][a-z0-9-]*|")
_TYPE = re.compile(r"[A-Z][A-Za-z]+")


@dataclass(frozen=True)
class Mapping:
    """One resource for each record of a collection.

    `each` is `child`, `case`, a collection (`goals`) or a path into its entries (`goals.steps`); the caller goes
    through them and binds the variables. `type` is the resource's type, written in `make`. `slot` tells apart two
    resources of one type from one record. `directory` marks resources that cases share (exchange.md, *Identity*).
    """

    name: str
    each: str
    when: Expression | None
    slot: str
    directory: bool
    type: str
    template: Template


def load_mapping(text: str, *, file: str, functions: Map[str, Function]) -> tuple[Mapping, ...]:
    """The mappings of one file; Misconfigured with a finding, file and line, for every problem in it."""
    documents = [d for d in read_yaml(text, file) if d.value is not None]
    if not documents:
        raise Misconfigured(f"{file} holds no mapping", [Finding(file, 1, "there is no mapping in this file")])
    stem = file.rpartition("/")[2].removesuffix(".yaml")
    findings: list[Finding] = []
    found = [_Loader(d, file, findings).load(stem, functions, single=len(documents) == 1) for d in documents]
    mappings = tuple(m for m in found if m is not None)
    for name in {m.name for m in mappings if sum(m.name == other.name for other in mappings) > 1}:
        findings.append(Finding(file, 1, f"two mappings are `{name}`: give them a `slot` each"))
    if findings:
        raise Misconfigured(f"{file} is no mapping", sorted(findings))
    return mappings


class _Loader:
    def __init__(self, document: Document, file: str, findings: list[Finding]) -> None:
        self._value: Any = document.value
        self._positions: Positions = document.positions
        self._file = file
        self._findings = findings

    def load(self, stem: str, functions: Map[str, Function], *, single: bool) -> Mapping | None:
        before = len(self._findings)
        if not isinstance(self._value, dict):
            self._find((), "a mapping is an object with `each` and `make`")
            return None
        for key in self._value:
            if key not in KEYS:
                self._find_key((key,), f"`{key}` is no key of a mapping: they are {', '.join(KEYS)}")
        each = self._text("each", _EACH, "`child`, `case`, a collection, or a path into its entries (goals.steps)")
        slot = self._text("slot", _SLOT, "lower-case letters, digits and hyphens", "")
        directory = self._value.get("directory", False)
        if not isinstance(directory, bool):
            self._find(("directory",), "`directory` is true or false")
        when = self._when(functions)
        type_ = self._made()
        template = self._template(functions)
        if len(self._findings) > before or template is None or not isinstance(directory, bool):
            return None
        name = stem if single else " ".join(part for part in (stem, type_, slot) if part)
        return Mapping(name, each, when, slot, directory, type_, template)

    def _text(self, key: str, form: re.Pattern[str], rule: str, default: str | None = None) -> str:
        value = self._value.get(key, default)
        if value is None:
            self._find((), f"`{key}` is missing")
        elif not isinstance(value, str) or not form.fullmatch(value):
            self._find((key,), f"`{key}` is {rule}")
        else:
            return value
        return ""

    def _when(self, functions: Map[str, Function]) -> Expression | None:
        text = self._value.get("when")
        if "when" not in self._value:
            return None
        if not isinstance(text, str) or "{{" in text:
            self._find(("when",), "`when` is one FHIRPath expression, without braces")
            return None
        try:
            return compile_expression(text, functions=functions, variables=VARIABLES)
        except ExpressionError as error:
            line, column = self._positions.value(("when",)).within(text, 0, error.line, error.column)
            reason = f"column {column}: {error.reason}" if column else error.reason
            self._findings.append(Finding(self._file, line, reason))
            return None

    def _made(self) -> str:
        make = self._value.get("make")
        if not isinstance(make, dict):
            self._find(("make",) if "make" in self._value else (), "`make` is missing: the resource to be made")
            return ""
        self._search(make, ("make",))
        if "id" in make:
            self._find_key(("make", "id"), "a mapping makes no `id`: the partner's server gives it")
        type_ = make.get("resourceType")
        if not isinstance(type_, str) or not _TYPE.fullmatch(type_):
            path = ("make", "resourceType") if "resourceType" in make else ("make",)
            self._find(path, "`make` needs a `resourceType`, written out")
            return ""
        return type_

    def _search(self, node: Any, path: Path) -> None:
        """Find what is well formed and yet never right: a key without a value, a reference written by hand."""
        if isinstance(node, dict):
            for key, value in node.items():
                here = (*path, key)
                if value is None:
                    self._find_key(here, f"`{key}` has no value")
                elif key == "reference" and isinstance(value, str) and not value.startswith(("{{", "#")):
                    self._find(here, "a reference is not written by hand: use reference('Type')")
                self._search(value, here)
        elif isinstance(node, list):
            for index, child in enumerate(node):
                self._search(child, (*path, index))

    def _template(self, functions: Map[str, Function]) -> Template | None:
        if not isinstance(self._value.get("make"), dict):
            return None
        try:
            return compile_template(self._value["make"], name=self._file, positions=self._positions.below("make"),
                                    functions=functions, variables=VARIABLES)  # fmt: skip
        except Misconfigured as error:
            self._findings.extend(error.findings)
            return None

    def _find(self, path: Path, reason: str) -> None:
        place = self._positions.value(path)
        self._findings.append(Finding(self._file, place.line, f"column {place.column}: {reason}"))

    def _find_key(self, path: Path, reason: str) -> None:
        place = self._positions.key(path)
        self._findings.append(Finding(self._file, place.line, f"column {place.column}: {reason}"))
