"""From the rows of a workbook that speak of one case to its case file, as far as the rows say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.core.onramp import cells
from adapter.core.onramp.cells import NoValueError
from adapter.core.onramp.layout import CASE, Column, Sheet, is_single
from adapter.core.onramp.places import Key, Place, Places, Refusal

UNKNOWN_COLUMN = "this column is not known on this sheet"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a sheet: its number as the program shows it, and its cells by their headers."""

    sheet: str
    number: int
    values: Mapping[str, Any]
    counts_from_1904: bool = False


@dataclass(slots=True)
class Built:
    """What rows make of one case: records in part (`told` says which leaves the file has columns for)."""

    case: dict[str, Any]
    places: Places
    refusals: list[Refusal] = field(default_factory=list)


def build(number: str, rows: Iterable[Row], layout: Mapping[str, Sheet]) -> Built:
    """The case file that the rows tell of, with every refusal. Parents' sheets come before what stands in them."""
    order = {name: position for position, name in enumerate(layout)}
    sorted_rows = sorted(rows, key=lambda row: (order[row.sheet], row.number))
    first = next((r for r in sorted_rows if r.sheet == CASE), sorted_rows[0])
    builder = _Builder(number, layout, Places(Place(first.sheet, first.number)))
    for row in sorted_rows:
        builder.add(row)
    return builder.built


class _Builder:
    def __init__(self, number: str, layout: Mapping[str, Sheet], places: Places) -> None:
        self._layout = layout
        self._entries: dict[Key, dict[str, Any]] = {}
        self._seen: dict[Key, int] = {}
        self.built = Built({"case": number}, places)

    def add(self, row: Row) -> None:
        sheet = self._layout[row.sheet]
        before = len(self.built.refusals)
        leaves = [(c, v) for c in sheet.columns if (v := self._cell(row, c)) is not None]
        for name, value in row.values.items():
            if name not in (CASE, *sheet.keys) and sheet.column(name) is None and not is_empty(value):
                self._refuse(row, name, UNKNOWN_COLUMN)
        parents = self._parents(row, sheet)
        # A row with a wrong cell has its place all the same, so that all else can be told of it and what refers to it.
        nameless = any(each.place.column == "id" for each in self.built.refusals[before:])
        if parents is None or nameless:
            self.built.places.lost.add(sheet.path)
            return
        found = self._place(row, sheet, parents, {c.name: v for c, v in leaves})
        if found is None:
            self.built.places.lost.add(sheet.path)
            return
        key, entry = found
        for column, value in leaves:
            _put(entry, column.path, value)
            self.built.places.leaf((*key, *column.path), Place(row.sheet, row.number, column.name))
        self.built.places.row(key, Place(row.sheet, row.number))

    def _cell(self, row: Row, column: Column) -> Any:
        try:
            return cells.read(row.values.get(column.name), column, counts_from_1904=row.counts_from_1904)
        except NoValueError as rule:
            self._refuse(row, column.name, str(rule))
            return None

    def _parents(self, row: Row, sheet: Sheet) -> list[str] | None:
        """The ids of what the row stands in; None, with a refusal, where it leaves one out."""
        found = []
        for name in sheet.keys[1:]:
            try:
                text = cells.read(row.values.get(name), _ID_COLUMN)
            except NoValueError as rule:
                self._refuse(row, name, str(rule))
                return None
            if text is None:
                self._refuse(row, name, "is empty: it says in which record this row stands")
                return None
            found.append(str(text).rpartition("/")[2])
        return found

    def _place(
        self, row: Row, sheet: Sheet, parents: list[str], leaves: Mapping[str, Any]
    ) -> tuple[Key, dict[str, Any]] | None:
        """Where the row belongs, and its record or entry; None, with a refusal, where another row is that one."""
        if is_single(sheet):
            key: Key = sheet.path
            entry = self.built.case
            for step in sheet.path:
                entry = entry.setdefault(step, {})
        else:
            key, holder, step = self._list(row, sheet, parents)
            entries = holder.setdefault(step, [])
            own = leaves.get("id")
            if own is None and _needs_id(sheet):
                self._refuse(row, "id", "is empty: each row of this sheet has an id of its own")
                return None
            key, entry = self._entry((*key, own if own is not None else len(entries)), entries)
        if key in self._seen:
            what = "the case has a row on this sheet" if is_single(sheet) else "this id is there"
            self._refuse(row, CASE if is_single(sheet) else "id", f"{what} already, in row {self._seen[key]}")
            return None
        self._seen[key] = row.number
        return key, entry

    def _list(self, row: Row, sheet: Sheet, parents: list[str]) -> tuple[Key, dict[str, Any], str]:
        """The list that the sheet's rows belong to: its key, what holds it, and its name there."""
        node, begin = self.built.case, 0
        key: Key = ()
        for name, parent in zip(sheet.keys[1:], parents, strict=True):
            end = name.count(".")
            for step in sheet.path[begin : end - 1]:
                node = node.setdefault(step, {})
            entries = node.setdefault(sheet.path[end - 1], [])
            key, node = self._entry((*key, *sheet.path[begin:end], parent), entries)
            # Where no row of its own tells of the parent, this one is where to look.
            self.built.places.row(key, Place(row.sheet, row.number))
            begin = end
        for step in sheet.path[begin:-1]:
            node = node.setdefault(step, {})
        return (*key, *sheet.path[begin:]), node, sheet.path[-1]

    def _entry(self, key: Key, entries: list[dict[str, Any]]) -> tuple[Key, dict[str, Any]]:
        """The entry of this key, made where no row has spoken of it yet: what is stored may have the rest of it."""
        if key not in self._entries:
            made = {"id": key[-1]} if isinstance(key[-1], str) else {}
            entries.append(made)
            self._entries[key] = made
        return key, self._entries[key]

    def _refuse(self, row: Row, column: str, rule: str) -> None:
        self.built.refusals.append(Refusal(Place(row.sheet, row.number, column), rule))


_ID_COLUMN = Column("id", ("id",), frozenset({"text"}), refers=("id",))


def is_empty(value: Any) -> bool:
    return value is None or isinstance(value, str) and not value.strip()


def _needs_id(sheet: Sheet) -> bool:
    return any(column.name == "id" and column.required for column in sheet.columns)


def _put(entry: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        entry = entry.setdefault(step, {})
    entry[path[-1]] = value
