"""Reads a workbook a row at a time: headers, cells as they are typed, formulas as their text, never computed."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from adapter.core.onramp.cells import Broken, Formula
from adapter.core.onramp.places import Place, Refusal
from adapter.core.onramp.rows import Row, is_empty
from adapter.errors import Malformed, TooLarge
from adapter.workbook import archive

MOST_ROWS = 200_000
"""Of one sheet."""
MOST_COLUMNS = 256
LONGEST_CELL = 32_767
"""Excel's own limit; what is longer was not written by a spreadsheet."""
_HALF = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
COMPLETE = "complete"
"""On the first sheet: the name of the cell beside which yes or no says whether the file is complete."""


@dataclass(frozen=True, slots=True)
class SheetOf:
    """One sheet of a workbook or one CSV file: its name, its headers, and where in the workbook it lies."""

    name: str
    headers: tuple[str, ...]
    rows: Iterator[Row]
    refusals: tuple[Refusal, ...] = ()
    hidden: bool = False


@contextmanager
def opened(path: Path, first: str) -> Iterator[tuple[list[SheetOf], bool]]:
    """The sheets of a workbook but for `first`, which explains it; and whether that one declares it complete."""
    archive.check(path)
    # Ours to close: openpyxl leaves a file open that it cannot read.
    with path.open("rb") as file:
        try:
            with warnings.catch_warnings():
                # openpyxl warns of what it does not keep (validation, styles): nothing here needs it.
                warnings.simplefilter("ignore")
                book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
            sheets, complete = [], False
            for sheet in book.worksheets:
                if sheet.title == first:
                    complete = _declares_complete(sheet)
                else:
                    sheets.append(_sheet(book, sheet, path))
        except Exception as wrong:  # noqa: BLE001  # whatever a damaged file makes its parser raise
            raise Malformed(f"{path.name} cannot be read as a workbook ({type(wrong).__name__}).") from None
        yield sheets, complete


def _sheet(book: Any, sheet: Any, path: Path) -> SheetOf:
    sheet.reset_dimensions()  # what a file says of its size need not be true
    rows = sheet.iter_rows()
    headers = _headers([_value(cell) for cell in next(rows, ())])
    refusals = [
        Refusal(Place(sheet.title, _row_of(a)), f"{a}:{b} are merged: split them, and say in each cell what it holds")
        for a, b in archive.merged(path, sheet._worksheet_path)
        if _row_of(b) > 1
    ]
    later = book.epoch == CALENDAR_MAC_1904
    return SheetOf(
        sheet.title, headers, _rows(sheet.title, headers, rows, later), tuple(refusals), sheet.sheet_state != "visible"
    )


def _headers(cells: list[Any]) -> tuple[str, ...]:
    """The names of the columns; a required one is marked by a star."""
    names = ["" if is_empty(cell) else str(cell).strip().removesuffix("*").strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _rows(name: str, headers: tuple[str, ...], rows: Iterator[Any], later: bool) -> Iterator[Row]:
    number = 1
    try:
        for number, cells in enumerate(rows, start=2):
            if number > MOST_ROWS:
                raise TooLarge(f"The sheet {name} has more than {MOST_ROWS} rows.")
            if len(cells) > MOST_COLUMNS:
                raise TooLarge(f"The sheet {name} has more than {MOST_COLUMNS} columns in row {number}.")
            values = {}
            for index, cell in enumerate(cells):
                if (value := _value(cell)) is not None and not is_empty(value):
                    header = headers[index] if index < len(headers) else ""
                    values[header or f"(no header, column {index + 1})"] = value
            if values:
                yield Row(name, number, values, later)
    except (Malformed, TooLarge):
        raise
    except Exception as wrong:  # noqa: BLE001  # whatever a damaged sheet makes its parser raise
        raise Malformed(f"The sheet {name} is damaged behind row {number} ({type(wrong).__name__}).") from None


def _value(cell: Any) -> Any:
    match cell.data_type if cell.value is not None else "":
        case "":
            return None
        case "f":
            text = cell.value if isinstance(cell.value, str) else getattr(cell.value, "text", "")
            return Formula(str(text or "="))
        case "e":
            return Broken()
    value: Any = cell.value
    if isinstance(value, timedelta):
        return time()
    if isinstance(value, bool | int | float | datetime | date | time):
        return value
    # What XML cannot hold is written _x0041_ (ECMA-376, ST_Xstring).
    text = _ESCAPED.sub(lambda m: chr(int(m[1], 16)), value) if "_x" in value else value
    return text if len(text) <= LONGEST_CELL and not _HALF.search(text) else Broken()


def _declares_complete(sheet: Any) -> bool:
    for cells in sheet.iter_rows(max_row=100, max_col=2, values_only=True):
        if len(cells) > 1 and str(cells[0] or "").strip().lower() == COMPLETE:
            return str(cells[1] or "").strip().lower() in ("yes", "oui", "true")
    return False


def _row_of(cell: str) -> int:
    return int(cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
