"""One file or folder that another system or a person wrote, read into rows by case; nothing of it is decided here.

A workbook, a folder of CSV files in the workbook's layout, or what a source's file says: JSON, or CSV of its own.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapter.core import strict_json
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.onramp.cells import Formula
from adapter.core.onramp.layout import CASE, Sheet
from adapter.core.onramp.places import Place, Places, Refusal
from adapter.core.onramp.rows import Row, build
from adapter.core.onramp.source import Source, make_case
from adapter.core.onramp.tracing import Traced, traced
from adapter.errors import Malformed, TooLarge
from adapter.workbook import reading, tables
from adapter.workbook.writing import CODES, FIRST, tab

MOST_JSON = 200_000_000
Told = tuple[Any, Places, list[Refusal]]


@dataclass(slots=True)
class Export:
    """What a file holds. `cases`: each case's number, and what makes its case file, as far as the file tells it.

    `whole`: what refuses the file as such; `loose`: rows that name no case; `remarks`: what a person may want to know.
    """

    cases: dict[str, Callable[[], Told]] = field(default_factory=dict)
    tells: Callable[[tuple[str, ...]], bool] = lambda _: True
    whole: list[Refusal] = field(default_factory=list)
    loose: list[Refusal] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    complete: bool = False
    rows: int = 0
    formulas: set[tuple[str, str]] = field(default_factory=set)
    """The columns of which a formula has been told."""


def read(path: Path, source: Source | None, layout: Sequence[Sheet], on_row: Callable[[], None]) -> Export:
    """The file or folder. `on_row` is called for each row that is read. Malformed, TooLarge: it cannot be read."""
    if source is not None and source.tables:
        return _tables(path, source, on_row)
    if path.suffix.lower() == ".json":
        if source is None:
            raise Malformed(f"{path.name} is JSON: a source.yaml has to say what becomes of it (docs/onramp.md).")
        return _json(path, source, on_row)
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.suffix.lower() == ".csv")
        if not files:
            raise Malformed(f"There is no .csv file in {path.name}.")
        opened = [tables.opened(file, file.stem) for file in files]
        sheets = [reading.SheetOf(Path(each.name).stem, each.headers, each.rows) for each in opened]
        export = _sheets(sheets, layout, on_row)
        export.remarks += _encodings(opened)
        return export
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        raise Malformed(f"{path.name} is no .xlsx workbook, no .json file and no folder of .csv files.")
    with reading.opened(path, FIRST) as (found, complete):
        export = _sheets([s for s in found if s.name != CODES], layout, on_row)
    export.complete = complete
    return export


def _sheets(found: Iterable[reading.SheetOf], layout: Sequence[Sheet], on_row: Callable[[], None]) -> Export:
    """Sheets in the workbook's own layout."""
    export, by_case = Export(), dict[str, list[Row]]()
    known = {name.lower(): sheet for sheet in layout for name in (sheet.name, tab(sheet))}
    told: set[tuple[str, ...]] = set()
    for one in found:
        sheet = known.get(one.name.strip().lower())
        if sheet is None:
            near = difflib.get_close_matches(one.name, known, n=1)
            words = f"is no sheet of a workbook{f'; did you mean {near[0]}?' if near else ''}"
            if not one.hidden and next(one.rows, None) is not None:
                export.whole.append(Refusal(Place(one.name), words))
            continue
        export.whole += one.refusals
        # Whatever the capitals: programs and people write headers anew.
        own = {name.lower(): name for name in (CASE, *sheet.keys, *(column.name for column in sheet.columns))}
        told.update(_told(sheet, [own.get(header.lower(), header) for header in one.headers], export))
        for row in one.rows:
            on_row()
            export.rows += 1
            values = {own.get(header.lower(), header): value for header, value in row.values.items()}
            _take(Row(sheet.name, row.number, values, row.counts_from_1904), export, by_case)
    by_sheet = {sheet.name: sheet for sheet in layout}
    export.tells = told.__contains__
    export.cases = {number: _builder(number, rows, by_sheet) for number, rows in by_case.items()}
    return export


def _told(sheet: Sheet, headers: Sequence[str], export: Export) -> Iterator[tuple[str, ...]]:
    """What the sheet's headers speak of; headers that are not known, or are missing, are named."""
    if headers and CASE not in headers:
        # Perhaps a file without headers: then its first row is a family's, and none of it is repeated.
        export.whole.append(Refusal(Place(sheet.name, 1, CASE), "this column is missing"))
        return
    for doubled in sorted({header for header in headers if header and headers.count(header) > 1}):
        export.whole.append(Refusal(Place(sheet.name, 1, doubled), "this header is there twice"))
    for key in sheet.keys[1:]:
        if key not in headers and headers:
            export.whole.append(Refusal(Place(sheet.name, 1, key), "this column is missing"))
    for header in headers:
        if header and header not in (CASE, *sheet.keys) and sheet.column(header) is None:
            near = difflib.get_close_matches(header, [column.name for column in sheet.columns], n=1)
            words = f"; did you mean {near[0]}?" if near else ""
            export.remarks.append(f"{Place(sheet.name, 1, header)}: this column is not known on this sheet{words}")
    if headers:
        yield sheet.path
    yield from ((*sheet.path, *column.path) for column in sheet.columns if column.name in headers)


def _take(row: Row, export: Export, by_case: dict[str, list[Row]]) -> None:
    """Note the row under its case."""
    for header, value in row.values.items():
        if isinstance(value, Formula) and (row.sheet, header) not in export.formulas:
            # The first of each column: a column of formulas is told once.
            export.formulas.add((row.sheet, header))
            place = Place(row.sheet, row.number, header)
            export.remarks.append(f"{place}: holds a formula, which is taken as its text and not computed")
    value = row.values.get(CASE)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or isinstance(value, bool) or not isinstance(value, str | int):
        export.loose.append(Refusal(Place(row.sheet, row.number, CASE), "names no case: put its number there"))
        return
    by_case.setdefault(str(value).strip(), []).append(row)


def _builder(number: str, rows: list[Row], layout: Mapping[str, Sheet]) -> Callable[[], Told]:
    def told() -> Told:
        built = build(number, rows, layout)
        return built.case, built.places, built.refusals

    return told


def _json(path: Path, source: Source, on_row: Callable[[], None]) -> Export:
    """One JSON document; `cases` of the source finds each case in it."""
    if path.stat().st_size > MOST_JSON:
        raise TooLarge(f"{path.name} is larger than {MOST_JSON // 1_000_000} MB.")
    body = path.read_bytes()
    mark = b"\xef\xbb\xbf"
    try:
        document = traced(strict_json.parse(body.removeprefix(mark), max_bytes=MOST_JSON), path.name)
        if source.cases is None or source.case is None:
            raise Malformed("The source's format is csv: give the folder.")
        found = source.cases.evaluate(document)
    except (Malformed, TooLarge, ExpressionError) as wrong:
        raise Malformed(f"{path.name}: {getattr(wrong, 'detail', wrong)}", getattr(wrong, "problems", ())) from None
    export = _from_source(source)
    for index, item in enumerate(found):
        on_row()
        export.rows += 1
        at = Place(path.name, index + 1)
        try:
            numbers = source.case.evaluate(item)
        except ExpressionError as wrong:
            export.loose.append(Refusal(at, wrong.reason))
            continue
        number = str(numbers[0]).strip() if len(numbers) == 1 and isinstance(numbers[0], str | int) else ""
        if not number:
            export.loose.append(Refusal(at, "names no case"))
        elif number in export.cases:
            export.loose.append(Refusal(at, "another item is this case already"))
        else:
            export.cases[number] = _maker(source, item, at)
    return export


def _tables(path: Path, source: Source, on_row: Callable[[], None]) -> Export:
    """A folder of the source's own CSV files."""
    if not path.is_dir():
        raise Malformed(f"{path.name}: the source {source.id} has several CSV files; give the folder that holds them.")
    export = _from_source(source)
    by_case: dict[str, dict[str, list[Any]]] = {}
    first: dict[str, Place] = {}
    opened = []
    for name, table in source.tables.items():
        if not (path / table.file).is_file():
            export.whole.append(Refusal(Place(table.file), "this file is missing from the folder"))
            continue
        file = tables.opened(path / table.file, table.file)
        opened.append(file)
        missing = sorted(set(table.columns) - set(file.headers))
        export.whole += [Refusal(Place(table.file, 1, each), "this column is missing") for each in missing]
        # Without what it must have it may be without headers: then none of its first row is repeated.
        unused = [header for header in file.headers if header and header not in table.columns and not missing]
        export.remarks += [f"{table.file}, column {header}: the source does not use it" for header in unused]
        for row in file.rows:
            on_row()
            export.rows += 1
            place = Place(table.file, row.number)
            number = str(row.values.get(table.case, "")).strip()
            if not number:
                export.loose.append(Refusal(Place(table.file, row.number, table.case), "names no case"))
                continue
            first.setdefault(number, place)
            cells = {n: Traced(str(v).strip(), Place(table.file, row.number, n)) for n, v in row.values.items()}
            by_case.setdefault(number, {each: [] for each in source.tables})[name].append(cells)
    for number, rows in by_case.items():
        export.cases[number] = _maker(source, rows, first[number])
    export.remarks += _encodings(opened)
    return export


def _from_source(source: Source) -> Export:
    return Export(tells=lambda path: path[0] in source.tells if path else True, complete=source.complete)


def _maker(source: Source, given: Any, at: Place) -> Callable[[], Told]:
    return lambda: make_case(source, given, at)


def _encodings(opened: Iterable[tables.Csv]) -> list[str]:
    return [f"{each.name}: is not UTF-8, and was read as Windows-1252" for each in opened if each.encoding == "cp1252"]
