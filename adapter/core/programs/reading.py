"""A program's file while it is read: what stands where, and all that is wrong in it, each with its place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.fhirpath import Expression, compile_expression
from adapter.core.mapping.positions import Document, Path, Positions
from adapter.core.programs.calendar import Interval
from adapter.errors import Finding

VARIABLES = ("record", "parent", "case", "child", "program", "today")
LANGUAGES = ("en", "fr")


@dataclass(frozen=True, slots=True)
class Known:
    """What a program's file may name: records and entries (`goals.steps`), enrolment statuses, priorities, and the
    codes of each list where they are known."""

    each: Collection[str]
    stages: Collection[str]
    priorities: Collection[str]
    lists: dict[str, Collection[str]]


class Reading:
    """One file. What is wrong is found, and reading goes on: with nothing in its place."""

    def __init__(self, document: Document, file: str, known: Known) -> None:
        self.value: dict[str, Any] = document.value
        self._positions: Positions = document.positions
        self._file = file
        self.known = known
        self.variables: tuple[str, ...] = VARIABLES
        self.findings: list[Finding] = []

    def expression(self, path: Path, body: dict[str, Any]) -> Expression | None:
        key = path[-1]
        if key not in body:
            return None
        text = body[key]
        if not isinstance(text, str) or "{{" in text:
            self.find(path, f"{key}: is one FHIRPath expression, without braces")
            return None
        try:
            return compile_expression(text, variables=self.variables)
        except ExpressionError as error:
            line, column = self._positions.value(path).within(text, 0, error.line, error.column)
            self._tell(line, column, error.reason)
            return None

    def interval(self, path: Path, body: dict[str, Any]) -> Interval | None:
        key = path[-1]
        if key not in body:
            return None
        if (found := Interval.of(body[key])) is None:
            self.find(path, f"{key}: must be a length of time, such as P14D or P6M")
        return found

    def words(self, path: Path, body: Any) -> dict[str, str]:
        """What it is called, or says, in each language."""
        words = body if isinstance(body, dict) else {}
        if any(not isinstance(words.get(language), str) or not words[language] for language in LANGUAGES):
            self.find(path, f"{path[-1]}: needs en and fr", key=True)
            return dict.fromkeys(LANGUAGES, "")
        return {language: words[language] for language in LANGUAGES}

    def text(self, path: Path, value: Any) -> str:
        if not isinstance(value, str):
            self.find(path, f"{path[-1]}: must be text")
            return ""
        return value

    def mapping(self, path: Path, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.find(path, f"{path[-1]}: must hold keys and values")
            return {}
        return value

    def at(self, path: Path) -> Any:
        """What stands there."""
        found: Any = self.value
        for step in path:
            found = found[step]
        return found

    def only(self, path: Path, keys: Collection[str]) -> None:
        """A finding for each key that is not one of these."""
        body = self.at(path)
        for key in body if isinstance(body, dict) else ():
            if key not in keys:
                self.find((*path, key), f"{key}: is not known here: {', '.join(keys)}", key=True)

    def find(self, path: Path, reason: str, *, key: bool = False) -> None:
        """This is wrong there: at the value, or at its `key`."""
        while path and not (place := self._positions.key(path) if key else self._positions.value(path)).line:
            path, key = path[:-1], False
        place = self._positions.key(path) if key else self._positions.value(path)
        self._tell(place.line, place.column, reason)

    def _tell(self, line: int, column: int, reason: str) -> None:
        self.findings.append(Finding(self._file, line or 1, f"column {column}: {reason}" if column else reason))
