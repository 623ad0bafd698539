"""Writes the workbook that people fill in: a sheet for each collection, codes to choose from, notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from adapter.core.onramp.layout import CASE, Column, Sheet
from adapter.workbook.reading import COMPLETE

FIRST = "read me"
"""The sheet that explains, and where the file says whether it is complete."""
CODES = "codes"
LAST_ROW = 5000
"""How far down cells offer their codes."""
_LONGEST_NAME = 31  # of a sheet, in Excel
_HEAD, _REQUIRED = PatternFill("solid", fgColor="DDE6F0"), PatternFill("solid", fgColor="FFE2A8")
_YES_NO = ("yes", "no")

ABOUT = (
    ("How to fill this in",),
    ("One workbook holds many cases. Each row on every sheet begins with the number of its case.",),
    ("Begin with the sheets case and child; then fill in only the sheets that you need.",),
    ("Columns with a star, and coloured, are required in each row that you fill in.",),
    ("An id is a short name of your own: letters, digits, dashes; unique in its sheet and case (mother, g1).",),
    ("People and things are named by sheet and id: people/mother, goals/g1, or child.",),
    ("A sheet with a dot in its name (goals.steps) holds what stands in a record: name the record's id, as goals.id.",),
    ("Dates are written 2026-01-31. Several codes or references are parted by semicolons, texts by new lines.",),
    ("Point at a header to read what belongs there. Cells that offer a list take the codes of that list.",),
    ("Formulas are not computed: put values in their place. Do not merge cells, and do not rename sheets or headers.",),
    ("Try it: adapter import THIS.xlsx --source NAME --dry-run lists every row that would be refused, and why.",),
    (),
    ("Does this file hold everything? If yes, what is in the adapter of these cases and not in here is taken away.",),
)  # fmt: skip


def tab(sheet: Sheet) -> str:
    """The sheet's name on its tab: Excel takes 31 characters."""
    return sheet.name[:_LONGEST_NAME]


def write(path: Path, sheets: Sequence[Sheet], words: Mapping[str, Mapping[str, str]]) -> None:
    """A new workbook. `words`: code list → code → what it is called, of lists that the schemas leave open too."""
    book = Workbook()
    book.remove(book.worksheets[0])
    about = book.create_sheet(FIRST)
    for line in ABOUT:
        about.append(line)
    about.append((COMPLETE, "no"))
    about["A1"].font = Font(bold=True, size=14)
    about.column_dimensions["A"].width = 110
    for row in about.iter_rows(max_col=1):
        row[0].alignment = Alignment(wrap_text=True, vertical="top")
    _choice(about, ",".join(_YES_NO), f"B{about.max_row}")
    choices = _Choices(book.create_sheet(CODES), words)
    for sheet in sheets:
        _sheet(book.create_sheet(tab(sheet)), sheet, choices)
    codes = book[CODES]
    book.move_sheet(codes, len(book.worksheets))
    codes.sheet_state = "hidden"
    book.save(path)


class _Choices:
    """The lists of codes, a column each on a sheet of their own: a cell's own list is 255 characters at most."""

    def __init__(self, sheet: Any, words: Mapping[str, Mapping[str, str]]) -> None:
        self._sheet = sheet
        self._words = words
        self._places: dict[tuple[str, ...], str] = {}

    def of(self, column: Column) -> tuple[str, bool]:
        """The formula of the column's codes, and whether it takes no others; empty where it has none."""
        if column.kinds == {"boolean"}:
            return f'"{",".join(_YES_NO)}"', True
        codes = column.codes or tuple(self._words.get(column.list, ()))
        # A cell that may hold several can only offer one: it would refuse the others.
        return (self._place(codes) if codes else ""), bool(column.codes) and not column.many

    def _place(self, codes: tuple[str, ...]) -> str:
        if codes not in self._places:
            letter = get_column_letter(len(self._places) + 1)
            for row, code in enumerate(codes, start=1):
                self._sheet[f"{letter}{row}"] = code
            self._places[codes] = f"={CODES}!${letter}$1:${letter}${len(codes)}"
        return self._places[codes]


def _sheet(made: Any, sheet: Sheet, choices: _Choices) -> None:
    keys = [
        Column(key, (key,), frozenset({"text"}), required=True, about=_KEY_WORDS[key == CASE]) for key in sheet.keys
    ]
    for index, column in enumerate([*keys, *sheet.columns], start=1):
        letter = get_column_letter(index)
        cell = made[f"{letter}1"]
        cell.value = f"{column.name} *" if column.required else column.name
        cell.font = Font(bold=True)
        cell.fill = _REQUIRED if column.required else _HEAD
        cell.comment = Comment(note(column), "adapter", width=360, height=140)
        made.column_dimensions[letter].width = max(14, min(40, len(column.name) + 4))
        made.column_dimensions[letter].number_format = _format(column)
        formula, only = choices.of(column)
        if formula:
            _choice(made, formula, f"{letter}2:{letter}{LAST_ROW}", only=only)
    made.freeze_panes = made[f"{get_column_letter(len(keys) + 1)}2"] if keys else "A2"


_KEY_WORDS = {True: "The number of the case that this row is about.",
              False: "The id of the record that this row stands in."}  # fmt: skip


def note(column: Column) -> str:
    """What belongs into a cell: the schema's own words, the form, whether it must be there."""
    lines = [column.about] if column.about else []
    forms = {"date": "A date, such as 2026-01-31.", "boolean": "yes or no.", "integer": "A whole number.",
             "number": "A number.", "date-time": "A date, or a date and time with its offset."}  # fmt: skip
    if column.refers:
        lines.append(
            f"Refers to {' or '.join(name if name in ('child', 'family') else name + '/…' for name in column.refers)}."
        )
    elif column.codes:
        lines.append(f"One of: {', '.join(column.codes)}."[:600])
    else:
        lines += [words for kind, words in forms.items() if kind in column.kinds]
        if column.list:
            lines.append("A short code; others than those offered can be used, and go out as text.")
    if column.many:
        lines.append("Several are parted by semicolons or new lines.")
    if column.required:
        lines.append("Required.")
    if column.part:
        lines.append(f"Shared with the part: {column.part}.")
    return "\n".join(lines) or "Text."


def _format(column: Column) -> str:
    if column.kinds == {"date"}:
        return "yyyy-mm-dd"
    return "General" if column.kinds & {"integer", "number", "boolean"} else "@"


def _choice(made: Any, formula: str, cells: str, *, only: bool = True) -> None:
    quoted = formula if formula.startswith(("=", '"')) else f'"{formula}"'
    rule = DataValidation(type="list", formula1=quoted, allow_blank=True)
    rule.showErrorMessage = only
    rule.error = "Choose one of the list."
    made.add_data_validation(rule)
    rule.add(cells)
