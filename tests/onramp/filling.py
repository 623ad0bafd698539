"""Fills a workbook in as a person would: a case file's records into the rows of their sheets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl

from adapter.catalogue import record_schemas
from adapter.core.onramp.layout import Column, Sheet, sheets
from adapter.workbook.writing import FIRST, tab
from tests.onramp.books import book, data

Change = Callable[[str, str, dict[str, Any]], None]
LAYOUT = sheets(record_schemas().files)


def rows_of(case: Mapping[str, Any]) -> Iterator[tuple[Sheet, dict[str, Any]]]:
    """Each row that tells of the case, with its sheet: cells by their headers."""
    for sheet in LAYOUT:
        for ids, entry in _entries(case, sheet):
            cells = dict(zip(sheet.keys, (case["case"], *ids), strict=False)) | {
                c.name: cell(value, c) for c in sheet.columns if (value := _at(entry, c.path)) is not None
            }
            if len(cells) > len(sheet.keys):
                yield sheet, cells


def quick(
    path: Path, *cases: Mapping[str, Any], change: Change | None = None, first: list[tuple[object, ...]] | None = None
) -> Path:
    """A workbook of these cases alone, made at once; `change` gets each row's sheet, case and cells."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for case in cases:
        for sheet, cells in rows_of(case):
            if change is not None:
                change(sheet.name, case["case"], cells)
            rows.setdefault(sheet.name, []).append(cells)
    written = {FIRST: data(first)} if first else {}
    for sheet in LAYOUT:
        headers = [*sheet.keys, *(column.name for column in sheet.columns)]
        found = rows.get(sheet.name, [])
        written[tab(sheet)] = data([headers, *([cells.get(header) for header in headers] for cells in found)])
    return book(path, written)


def fill(path: Path, *cases: Mapping[str, Any]) -> Path:
    """The workbook at this path with the rows of these cases behind what is there: as a person fills in a new one."""
    made = openpyxl.load_workbook(path)
    for case in cases:
        for sheet, cells in rows_of(case):
            headers = [str(head.value).removesuffix(" *") for head in made[tab(sheet)][1]]
            made[tab(sheet)].append([cells.get(header) for header in headers])
    made.save(path)
    return path


def cell(value: Any, column: Column) -> Any:
    """What a person writes for a leaf."""
    if isinstance(value, list):
        return ("\n" if not (column.codes or column.refers) else "; ").join(str(each) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return float(value) if isinstance(value, Decimal) else value


def _entries(case: Mapping[str, Any], sheet: Sheet) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not sheet.path:
        yield (), case
        return
    names = {key.removesuffix(".id") for key in sheet.keys[1:]}
    yield from _below(case, sheet.path, (), names, (), last=len(sheet.path))


def _below(
    node: Any, path: tuple[str, ...], walked: tuple[str, ...], names: set[str], ids: tuple[str, ...], *, last: int
) -> Iterator[tuple[tuple[str, ...], Any]]:
    child = node.get(path[0])
    here = (*walked, path[0])
    for entry in child if isinstance(child, list) else [child] if child is not None else []:
        own = (*ids, entry["id"]) if ".".join(here) in names else ids
        if len(here) == last:
            yield own, entry
        else:
            yield from _below(entry, path[1:], here, names, own, last=last)


def _at(entry: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        entry = entry.get(step) if isinstance(entry, Mapping) else None
    return entry
