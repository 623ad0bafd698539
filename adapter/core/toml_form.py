"""Reads a TOML file against what is expected of it: every wrong, missing or unknown key at once, each with its line."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from adapter.core.toml_values import WrongError
from adapter.errors import Finding, Misconfigured

T = TypeVar("T")
KeyPath = tuple[str | int, ...]
_HEADER = re.compile(r"^\s*(\[\[?[^\[\]=]+\]\]?)\s*(#.*)?$")
_SYNTAX = re.compile(r"^(.*) \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Document:
    """One TOML file: its values, and on which line each key stands (paths of keys and list positions)."""

    file: str
    values: Mapping[str, Any]
    lines: Mapping[KeyPath, int]
    elsewhere: Mapping[KeyPath, str] = field(default_factory=dict)
    """Keys whose values were not written in this file, with what to call the place they come from."""

    def replaced(self, path: tuple[str, ...], value: Any, source: str) -> Document:
        """The same document with one value that comes from elsewhere."""
        values = _put(self.values, path, value)
        return Document(self.file, values, self.lines, {**self.elsewhere, path: source})

    def finding(self, detail: str, *path: str | int) -> Finding:
        """A finding at this key, or at the nearest table around it that stands in the file."""
        if source := self.elsewhere.get(path):
            return Finding(source, 0, detail)
        while path and path not in self.lines:
            path = path[:-1]
        return Finding(self.file, self.lines.get(path, 0), detail)


def parse(file: str, text: str) -> Document:
    """The file's values with their lines; Misconfigured with one finding where it is not TOML.

    A byte order mark before it, which some editors write, is passed over.
    """
    text = text.removeprefix("\ufeff")
    try:
        values = tomllib.loads(text)
        lines = _lines(text)
    except tomllib.TOMLDecodeError as error:
        words, line = str(error), len(text.splitlines())
        if found := _SYNTAX.match(words):
            words, line = found[1], int(found[2] or line)
        raise Misconfigured(f"{file} is not TOML.", [Finding(file, line, f"is not TOML: {words}")]) from None
    except (ValueError, RecursionError):  # what Python's own limits refuse, digits and levels: it names no line
        wrong = "holds a number of thousands of digits, or hundreds of tables or lists within each other"
        raise Misconfigured(f"{file} cannot be read.", [Finding(file, 0, wrong)]) from None
    return Document(file, values, lines)


def _put(values: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    key, *rest = path
    inner = values.get(key, {})
    return {**values, key: _put(inner if isinstance(inner, Mapping) else {}, tuple(rest), value) if rest else value}


def _lines(text: str) -> dict[KeyPath, int]:
    """The line of each key. A statement ends where it parses on its own, so that long values need no second parser."""
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    counts: dict[KeyPath, int] = {}
    statement, start = "", 0
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if not statement and (header := _HEADER.match(line)):
            table = _table(header[1], counts)
            lines.setdefault(table, number)
            continue
        start = start if statement else number
        statement += line
        try:
            keys = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        statement = ""
        for path in _paths(keys):
            lines.setdefault(table + path, start)
    return lines


def _table(header: str, counts: dict[KeyPath, int]) -> KeyPath:
    """The path that a [table] or [[list of tables]] header opens, with positions in lists of tables."""
    name = next(_paths(tomllib.loads(header.strip("[]").strip() + " = 0"), deepest=True))
    path: KeyPath = ()
    for depth, key in enumerate(name, start=1):
        path += (key,)
        if depth == len(name) and header.startswith("[["):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path += (counts[path],)
    return path


def _paths(value: Any, prefix: KeyPath = (), *, deepest: bool = False) -> Iterator[KeyPath]:
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        if not (deepest and isinstance(inner, dict)):
            yield (*prefix, key)
        yield from _paths(inner, (*prefix, key), deepest=deepest)


class Form:
    """Takes one table's keys one by one, each by its reader, and collects what is wrong; `close` names what is left."""

    def __init__(self, document: Document, *path: str | int, findings: list[Finding] | None = None) -> None:
        self.findings: list[Finding] = [] if findings is None else findings
        self._document = document
        self._path = path
        self._known: list[str] = []
        values: Any = document.values
        for step in path:
            values = values[step] if isinstance(step, int) else values.get(step, {})
        self._values: Mapping[str, Any] = values

    def take(self, key: str, read: Callable[[Any], T], default: T) -> T:
        """The value of a key that may be left out."""
        self._known.append(key)
        if key not in self._values:
            return default
        try:
            return read(self._values[key])
        except WrongError as wrong:
            self.wrong(f"{key}: {wrong}", key)
            return default

    def require(self, key: str, read: Callable[[Any], T], stand_in: T, why: str = "is missing") -> T:
        """The value of a key that must be there; else a finding, and the stand-in so that reading goes on."""
        if key not in self._values:
            self.wrong(f"{key}: {why}")
        return self.take(key, read, stand_in)

    def has(self, key: str) -> bool:
        """Is the key in the file, rightly or not?"""
        return key in self._values

    def table(self, key: str) -> Form:
        """The form of a table inside, whose findings join these; an empty one if it is left out."""
        self._known.append(key)
        if isinstance(self._values.get(key, {}), Mapping):
            return Form(self._document, *self._path, key, findings=self.findings)
        self.wrong(f"{key}: must be a table, [{key}]", key)
        return Form(Document(self._document.file, {}, {}), findings=self.findings)

    def tables(self, key: str) -> list[Form]:
        """The forms of a list of tables inside."""
        self._known.append(key)
        found = self._values.get(key, [])
        if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
            self.wrong(f"{key}: must be a list of tables, [[{key}]]", key)
            return []
        path = (*self._path, key)
        return [Form(self._document, *path, position, findings=self.findings) for position in range(len(found))]

    def wrong(self, detail: str, key: str = "") -> None:
        """Note a finding at a key of this table."""
        path = (*self._path, key) if key else self._path
        self.findings.append(self._document.finding(detail, *path))

    def close(self) -> None:
        """Note every key that nobody took."""
        for key in self._values:
            if key not in self._known:
                near = difflib.get_close_matches(key, self._known, n=1)
                self.wrong(f"{key}: is not a key of this file" + (f"; did you mean {near[0]}?" if near else ""), key)
