"""Reads CSV files a row at a time: UTF-8 with or without its mark, UTF-16 with its mark, else Windows-1252, named."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from adapter.core.onramp.rows import Row
from adapter.errors import Malformed, TooLarge

MOST_BYTES = 500_000_000
MOST_ROWS = 1_000_000
LONGEST_CELL = 100_000
_CHUNK = 1 << 20
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Csv:
    """One file: its headers, its rows, and what its bytes were read as."""

    name: str
    headers: tuple[str, ...]
    encoding: str
    rows: Iterator[Row]


def opened(path: Path, name: str) -> Csv:
    """The file, to be read once. Malformed, TooLarge: it is no table that can be read for certain."""
    if path.stat().st_size > MOST_BYTES:
        raise TooLarge(f"{path.name} is larger than {MOST_BYTES // 1_000_000} MB.")
    encoding = _encoding(path)
    rows = _read(path, encoding)
    first = next(rows, (1, []))[1]
    headers = tuple(text.strip().removesuffix("*").strip() for text in first)
    doubled = sorted({header for header in headers if header and headers.count(header) > 1})
    if doubled or not any(headers):
        rows.close()
        # By its place: a file without headers would have its first row told.
        twice = headers.index(doubled[0]) + 1 if doubled else 0
        what = f"the header of column {twice} is there twice" if doubled else "has no row of headers"
        raise Malformed(f"{path.name}: {what}.")
    return Csv(path.name, headers, encoding, _rows(name, headers, rows))


def _rows(name: str, headers: tuple[str, ...], rows: Iterator[tuple[int, list[str]]]) -> Iterator[Row]:
    for number, cells in rows:
        values = {}
        for index, text in enumerate(cells):
            if text.strip():
                header = headers[index] if index < len(headers) else ""
                values[header or f"(no header, column {index + 1})"] = text
        if values:
            yield Row(name, number, values)


def _read(path: Path, encoding: str) -> Generator[tuple[int, list[str]], None, None]:
    """Each row with its number, the header's being 1: what a spreadsheet shows, not the line of the file."""
    number = 0
    csv.field_size_limit(LONGEST_CELL)
    with path.open(encoding=encoding, newline="") as file:
        delimiter = _delimiter(file.readline())
        file.seek(0)
        try:
            for number, cells in enumerate(csv.reader(file, delimiter=delimiter, strict=True), start=1):
                if number > MOST_ROWS:
                    raise TooLarge(f"{path.name} has more than {MOST_ROWS} rows.")
                if any("\0" in cell for cell in cells):
                    raise Malformed(f"{path.name}, row {number}: holds a character that no text has.")
                yield number, cells
        except (csv.Error, UnicodeError):
            raise Malformed(f"{path.name}, row {number + 1}: is no row of a CSV file.") from None


def _delimiter(line: str) -> str:
    return max(",;\t|", key=line.count)


def _encoding(path: Path) -> str:
    """What the bytes are: never guessed where two readings are possible and both plausible."""
    with path.open("rb") as file:
        head = file.read(4)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if _reads_as(path, "utf-8"):
        return "utf-8"
    if b"\0" in head:
        raise Malformed(f"{path.name} is UTF-16 without its mark: save it as CSV UTF-8.")
    if _reads_as(path, "cp1252"):
        return "cp1252"
    raise Malformed(f"{path.name} is neither UTF-8 nor Windows-1252: save it as CSV UTF-8.")


def _reads_as(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
