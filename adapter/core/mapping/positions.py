"""YAML text to plain values, with the line and column of every key and value.

The YAML read here is the part that JSON has: objects with text as keys, lists, text, numbers, true, false, null.
Duplicate keys, tags, merge keys and aliases that multiply are refused; `yes`, `on` and dates stay text, and a number
with a point keeps its digits as a Decimal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from adapter.errors import Finding, Misconfigured

Path = tuple[str | int, ...]
_MOST_NODES = 50_000
_DEEPEST = 100
_PLAIN = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d{0,17})", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d+\.\d+([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column from 1, of the first character of a text; `exact` where columns inside of it can be counted."""

    line: int = 0
    column: int = 0
    exact: bool = False
    block: bool = False

    def within(self, text: str, offset: int, line: int = 1, column: int = 1) -> tuple[int, int]:
        """Where in the file a part of the text is that begins at `offset`, at its own line and column."""
        before = text[:offset].count("\n") + line - 1
        if self.block:
            return self.line + 1 + before, 0
        if not self.exact or before:
            return self.line, 0
        return self.line, self.column + offset + column - 1


@dataclass(frozen=True, slots=True)
class Positions:
    """The places of a document, or of the part of it below a path."""

    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    base: Path = ()

    def value(self, path: Path) -> Place:
        return self.values.get(self.base + path, Place())

    def key(self, path: Path) -> Place:
        """Of the key that the last name of the path is."""
        return self.keys.get(self.base + path, Place())

    def below(self, *path: str | int) -> Positions:
        return Positions(self.values, self.keys, self.base + path)


@dataclass(frozen=True, slots=True)
class Document:
    value: Any
    positions: Positions


def read_yaml(text: str, file: str) -> list[Document]:
    """Every document of the text; Misconfigured with file and line where it is not such YAML."""
    findings: list[Finding] = []
    documents = []
    try:
        for node in _composed(text):
            reader = _Reader(file, findings)
            documents.append(Document(reader.read(node, ()), Positions(reader.values, reader.keys)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        findings.append(Finding(file, mark.line + 1 if mark else 0, _said(error, mark)))
    except yaml.YAMLError:
        findings.append(Finding(file, 0, "this is no YAML text"))
    except RecursionError:
        findings.append(Finding(file, 0, "the file is nested too deep"))
    if findings:
        raise Misconfigured(f"{file} cannot be read", findings)
    return documents


def _composed(text: str) -> Iterator[yaml.Node]:
    """The documents, by libyaml where it is there; where that finds fault, by the other, whose words are kinder."""
    try:
        documents = list(yaml.compose_all(text, Loader=_QUICK))
    except yaml.YAMLError:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    yield from documents


def _said(error: yaml.MarkedYAMLError, mark: yaml.Mark | None) -> str:
    column = f"column {mark.column + 1}: " if mark else ""
    return f"{column}{error.problem or 'this is no YAML'}"


_QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Reader:
    def __init__(self, file: str, findings: list[Finding]) -> None:
        self._file = file
        self._findings = findings
        self._count = 0
        self.values: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}

    def read(self, node: yaml.Node, path: Path) -> Any:
        self._count += 1
        if self._count > _MOST_NODES or len(path) > _DEEPEST:
            raise yaml.MarkedYAMLError(problem="the file is too large or too deep, with its aliases followed",
                                       problem_mark=node.start_mark)  # fmt: skip
        self.values[path] = _place(node)
        if isinstance(node, yaml.MappingNode):
            return self._object(node, path)
        if isinstance(node, yaml.SequenceNode):
            self._tagged(node, "seq")
            return [self.read(child, (*path, i)) for i, child in enumerate(node.value)]
        return self._scalar(node)

    def _object(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        self._tagged(node, "map")
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                self._find(key_node, "a key must be text: put quotation marks around it")
                continue
            if key in found:
                self._find(key_node, f"the key `{key}` is there twice")
                continue
            self.keys[(*path, key)] = _place(key_node)
            found[key] = self.read(value_node, (*path, key))
        return found

    def _scalar(self, node: Any) -> Any:
        text: str = node.value
        if node.style in ("'", '"', "|", ">"):
            self._tagged(node, "str")
            return text
        match node.tag.removeprefix(_PLAIN):
            case "null":
                return None
            case "bool" if text.lower() in ("true", "false"):
                return text.lower() == "true"
            case "int" if _INTEGER.fullmatch(text):
                return int(text)
            case "float" if _DECIMAL.fullmatch(text):
                return Decimal(text)
            case "str" | "bool" | "int" | "float" | "timestamp" | "value":
                return text
        self._find(node, "merge keys and tags are not read here")
        return text

    def _tagged(self, node: yaml.Node, kind: str) -> None:
        if node.tag != _PLAIN + kind:
            self._find(node, "tags are not read here")

    def _find(self, node: yaml.Node, reason: str) -> None:
        mark = node.start_mark
        self._findings.append(Finding(self._file, mark.line + 1, f"column {mark.column + 1}: {reason}"))


def _place(node: yaml.Node) -> Place:
    start, end = node.start_mark, node.end_mark
    style = node.style if isinstance(node, yaml.ScalarNode) else None
    quoted = style in ("'", '"')
    written = end.column - start.column - (2 if quoted else 0)
    exact = isinstance(node, yaml.ScalarNode) and start.line == end.line and written == len(node.value)
    return Place(start.line + 1, start.column + 1 + quoted, exact, style in ("|", ">"))
