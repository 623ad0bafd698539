"""Where in a file something stands: sheet or file, row and column; and from a place in a case back to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """`file`: a sheet of the workbook, or a file; `row` from 1, 0 is the whole of it; `column` its header."""

    file: str
    row: int = 0
    column: str = ""

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        return f"{self.file}{row}{f', column {self.column}' if self.column else ''}"


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """One row (or file) that is refused, and why: a place and a rule, never a value."""

    place: Place
    rule: str


Key = tuple[str | int, ...]
"""A record or entry of a case by its ids: `("goals", "g1", "steps", "s1")`; a number where an entry has no id."""


class Places:
    """What a case was made of: the row of each record and entry, and the column of each leaf."""

    def __init__(self, first: Place) -> None:
        self.first = first
        """Where the case itself is told of: what else has no place is told there."""
        self.lost: set[tuple[str, ...]] = set()
        """The lists of which a row has no place in the case, by their paths; () where any may have lost something."""
        self._rows: dict[Key, Place] = {}
        self._leaves: dict[Key, Place] = {}

    def row(self, key: Key, place: Place) -> None:
        self._rows.setdefault(key, place)

    def leaf(self, key: Key, place: Place) -> None:
        self._leaves.setdefault(key, place)

    def rows(self) -> frozenset[Place]:
        return frozenset({*self._rows.values(), self.first})

    def of(self, pointer: str, case: Mapping[str, Any]) -> Place:
        """The place of a JSON Pointer into the case: of the leaf, else of the nearest row around it."""
        key = tuple(_keyed(pointer, case))
        for length in range(len(key), 0, -1):
            if leaf := self._leaves.get(key[:length]):
                return leaf
            if row := self._rows.get(key[:length]):
                rest = ".".join(str(step) for step in key[length:] if isinstance(step, str))
                return Place(row.file, row.row, row.column or rest)
        return self.first


def _keyed(pointer: str, case: Any) -> Iterator[str | int]:
    """The steps of a pointer, with ids in the place of positions where entries have ids."""
    node = case
    for raw in pointer.split("/")[1:]:
        step = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list):
            index = int(step) if step.isdigit() else -1
            node = node[index] if 0 <= index < len(node) else None
            yield id_of(node, index)
        else:
            node = node.get(step) if isinstance(node, Mapping) else None
            yield step


def id_of(entry: Any, index: int) -> str | int:
    """How an entry of a list is named in a key."""
    found = entry.get("id") if isinstance(entry, Mapping) else None
    return found if isinstance(found, str) else index
