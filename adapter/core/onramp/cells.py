"""What one cell of a workbook or a CSV file says, as the JSON of its leaf; or the rule that it breaks, never its value.

Spreadsheets keep dates as the number of days since 1899-12-30 (ECMA-376, 18.17.4.1), whole numbers as decimals, and a
number where a person typed an id. What cannot be told for certain is refused, not guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from adapter.core.onramp.layout import Column

_YES = frozenset({"yes", "y", "true", "oui", "o", "vrai", "1"})
_NO = frozenset({"no", "n", "false", "non", "faux", "0"})
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,15}([.]\d{1,15})?", re.ASCII)
_HALF = re.compile("[\ud800-\udfff]")  # of a surrogate pair, which a workbook can write by its escapes
_EPOCH = date(1899, 12, 30)
_LATER = 1462  # days by which a workbook that counts from 1904 is behind
_SERIALS = range(61, 2_958_466)  # before 1900-03-01 spreadsheets count a day that never was; the last is 9999-12-31


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell that would compute something: here it is its text, and is never computed."""

    text: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A cell that holds an error of the spreadsheet (`#REF!`)."""


class NoValueError(Exception):
    """The rule that a cell breaks, in words for whoever filled it in."""


def read(value: Any, column: Column, *, counts_from_1904: bool = False) -> Any:
    """The leaf's value; None for an empty cell. `value`: text, number, boolean, date or one of the two above."""
    if value is None or isinstance(value, str) and not value.strip():
        return None
    if isinstance(value, Broken):
        raise NoValueError("holds an error of the spreadsheet")
    if isinstance(value, Formula):
        if not column.kinds <= {"text"} or column.codes or column.refers or column.name == "id":
            raise NoValueError("holds a formula, which is not computed here: put its value in its place")
        value = value.text
    if isinstance(value, str) and _HALF.search(value):
        raise NoValueError("holds half of a character")
    if not column.many:
        return _one(value, column, counts_from_1904)
    parts = _parts(value, column) if isinstance(value, str) else [value]
    found = [_one(part, column, counts_from_1904) for part in parts]
    return found[0] if column.either and len(found) == 1 else found or None


def _parts(text: str, column: Column) -> list[str]:
    """Codes and references are apart by line ends, semicolons or commas; texts, which may hold those, by line ends."""
    plain = column.kinds <= {"text"} and not (column.codes or column.list or column.refers or _is_steering(column))
    return [part.strip() for part in re.split(r"[\r\n]+" if plain else r"[\r\n;,]+", text) if part.strip()]


def _is_steering(column: Column) -> bool:
    return column.name in ("to", "purposes", "parts", "topics", "topics_lifted", "records", "supersedes", "shares")


def _one(value: Any, column: Column, counts_from_1904: bool) -> Any:
    if isinstance(value, datetime | date | time):
        return _moment(value, column)
    if isinstance(value, bool):
        if "boolean" in column.kinds:
            return value
        raise NoValueError("holds yes or no, which this column does not take")
    if isinstance(value, int | float | Decimal):
        return _number(value, column, counts_from_1904)
    text = str(value).strip()
    if "boolean" in column.kinds:
        return _boolean(text)
    if column.kinds & {"integer", "number"} and _NUMBER.fullmatch(text):
        return _written_number(text, column)
    if column.kinds <= {"integer", "number"}:
        raise NoValueError("must be a number, with a point for decimals")
    if "date-time" in column.kinds and _INSTANT.fullmatch(text):
        return text
    if column.kinds <= {"date", "date-time"}:
        return _day(text)
    return _coded(text, column)


def _coded(text: str, column: Column) -> str:
    """The code as the schema writes it, whatever the capitals; other text as it is."""
    if not column.codes or text in column.codes:
        return text
    lowered = text.lower().replace(" ", "-").replace("_", "-")
    if lowered in column.codes:
        return lowered
    raise NoValueError(f"must be one of: {', '.join(column.codes)}")


def _boolean(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise NoValueError("must be yes or no")


def _day(text: str) -> str:
    """Only as 2026-01-31: 03/04/2026 is two days, depending on who reads it."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise NoValueError("must be a date, such as 2026-01-31")


def _moment(value: date | datetime | time, column: Column) -> str:
    if not column.kinds & {"date", "date-time"}:
        if column.kinds <= {"text"} and not column.codes and not isinstance(value, time):
            return value.isoformat() if _has_time(value) else value.isoformat()[:10]
        raise NoValueError("holds a date or time, which this column does not take")
    if isinstance(value, time) or _has_time(value):
        raise NoValueError("holds a time of day; a date is asked for, such as 2026-01-31")
    return value.isoformat()[:10]


def _has_time(value: date | datetime) -> bool:
    return isinstance(value, datetime) and value.time() != time()


def _number(value: float | Decimal, column: Column, counts_from_1904: bool) -> Any:
    whole = value == int(value) if _is_finite(value) else False
    if "boolean" in column.kinds:
        return _boolean(str(int(value)) if whole else "")
    if column.kinds & {"integer", "number"}:
        return _written_number(str(int(value)) if whole else repr(value), column)
    if column.kinds & {"date", "date-time"}:
        serial = int(value) + (_LATER if counts_from_1904 else 0) if whole else 0
        if serial not in _SERIALS:
            raise NoValueError("must be a date, such as 2026-01-31")
        return (_EPOCH + timedelta(days=serial)).isoformat()
    # An id or a postal code that the spreadsheet took for a number.
    return _coded(str(int(value)) if whole else str(value), column)


def _is_finite(value: float | Decimal) -> bool:
    return value == value and value not in (float("inf"), float("-inf"))


def _written_number(text: str, column: Column) -> int | Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise NoValueError("must be a number, with a point for decimals")
    if number == number.to_integral_value():
        return int(number)
    if "number" not in column.kinds:
        raise NoValueError("must be a whole number")
    return number
