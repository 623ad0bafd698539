"""Workbooks written by hand, byte by byte: large ones quickly, and hostile ones that no program would write."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def book(path: Path, sheets: dict[str, str], *, extra: dict[str, bytes] | None = None, later: bool = False) -> Path:
    """A workbook with these sheets, each the XML of its `sheetData` (and what may follow it)."""
    parts = _parts(list(sheets), "1" if later else "0")
    for i, content in enumerate(sheets.values(), 1):
        parts[f"xl/worksheets/sheet{i}.xml"] = f'<worksheet xmlns="{_SPREADSHEET}">{content}</worksheet>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, _HEAD + text)
        for name, body in (extra or {}).items():
            archive.writestr(name, body)
    return path


def _parts(names: list[str], later: str) -> dict[str, str]:
    """What every workbook has around its sheets."""
    places = [(i, name, f"worksheets/sheet{i}.xml") for i, name in enumerate(names, 1)]
    package = f"{_PACKAGE}/relationships"
    types = [f'<Override PartName="/xl/{at}" ContentType="{_TYPE}.worksheet+xml"/>' for _, _, at in places]
    links = [f'<Relationship Id="rId{i}" Type="{_RELATED}/worksheet" Target="{at}"/>' for i, _, at in places]
    listed = [f'<sheet name="{name}" sheetId="{i}" r:id="rId{i}"/>' for i, name, _ in places]
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{"".join(types)}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}">'
        f'<Relationship Id="rId1" Type="{_RELATED}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_RELATED}">'
        f'<workbookPr date1904="{later}"/><sheets>{"".join(listed)}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">{"".join(links)}</Relationships>',
    }


def data(rows: Iterable[Sequence[object]]) -> str:
    """The `sheetData` of rows: texts inline, numbers as numbers, `=…` as a formula, `#…!` as an error."""
    written = []
    for number, row in enumerate(rows, 1):
        cells = [_cell(value, f"{_letters(i)}{number}") for i, value in enumerate(row) if value is not None]
        written.append(f'<row r="{number}">{"".join(cells)}</row>')
    return f"<sheetData>{''.join(written)}</sheetData>"


def _cell(value: object, at: str) -> str:
    if isinstance(value, bool):
        return f'<c r="{at}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{at}"><v>{value}</v></c>'
    text = escape(str(value))
    if text.startswith("="):
        return f'<c r="{at}"><f>{text[1:]}</f><v>1</v></c>'
    if text.startswith("#") and text.endswith("!"):
        return f'<c r="{at}" t="e"><v>{text}</v></c>'
    return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _letters(index: int) -> str:
    return chr(65 + index) if index < 26 else chr(64 + index // 26) + chr(65 + index % 26)
