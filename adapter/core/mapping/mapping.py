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
from adapter.core.mapping.fhirpath import Expression
from adapter.core.mapping.positions import Path, read_yaml
from adapter.core.mapping.reading import Reading
from adapter.core.mapping.template import Template
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
    found = [_Loader(d, file, findings, functions, VARIABLES).load(stem, single=len(documents) == 1) for d in documents]
    mappings = tuple(m for m in found if m is not None)
    for name in {m.name for m in mappings if sum(m.name == other.name for other in mappings) > 1}:
        findings.append(Finding(file, 1, f"two mappings are `{name}`: give them a `slot` each"))
    if findings:
        raise Misconfigured(f"{file} is no mapping", sorted(findings))
    return mappings


class _Loader(Reading):
    def load(self, stem: str, *, single: bool) -> Mapping | None:
        before = len(self.findings)
        if not isinstance(self.value, dict):
            self.find((), "a mapping is an object with `each` and `make`")
            return None
        for key in self.value:
            if key not in KEYS:
                self.find_key((key,), f"`{key}` is no key of a mapping: they are {', '.join(KEYS)}")
        each = self.text("each", _EACH, "`child`, `case`, a collection, or a path into its entries (goals.steps)")
        slot = self.text("slot", _SLOT, "lower-case letters, digits and hyphens", "")
        directory = self.value.get("directory", False)
        if not isinstance(directory, bool):
            self.find(("directory",), "`directory` is true or false")
        when = self.expression("when")
        type_ = self._made()
        template = self.template("make") if isinstance(self.value.get("make"), dict) else None
        if len(self.findings) > before or template is None or not isinstance(directory, bool):
            return None
        name = stem if single else " ".join(part for part in (stem, type_, slot) if part)
        return Mapping(name, each, when, slot, directory, type_, template)

    def _made(self) -> str:
        make = self.value.get("make")
        if not isinstance(make, dict):
            self.find(("make",) if "make" in self.value else (), "`make` is missing: the resource to be made")
            return ""
        self._search(make, ("make",))
        if "id" in make:
            self.find_key(("make", "id"), "a mapping makes no `id`: the partner's server gives it")
        type_ = make.get("resourceType")
        if not isinstance(type_, str) or not _TYPE.fullmatch(type_):
            path = ("make", "resourceType") if "resourceType" in make else ("make",)
            self.find(path, "`make` needs a `resourceType`, written out")
            return ""
        return type_

    def _search(self, node: Any, path: Path) -> None:
        """Find what is well formed and yet never right: a key without a value, a reference written by hand."""
        if isinstance(node, dict):
            for key, value in node.items():
                here = (*path, key)
                if value is None:
                    self.find_key(here, f"`{key}` has no value")
                elif key == "reference" and isinstance(value, str) and not value.startswith(("{{", "#")):
                    self.find(here, "a reference is not written by hand: use reference('Type')")
                self._search(value, here)
        elif isinstance(node, list):
            for index, child in enumerate(node):
                self._search(child, (*path, index))
