"""Dates, date-times and times of FHIRPath: partial precision, comparison that may be undecided, calendar arithmetic.

Source: FHIRPath N1, sections 4.1.5-4.1.7 (literals), 6.1-6.2 (equality, comparison), 6.6.7 (date arithmetic).
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_DATE_TIME = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:T(?:(\d{2})(?::(\d{2})(?::(\d{2}(?:\.\d+)?))?)?(Z|[+-]\d{2}:\d{2})?)?)?",
    re.ASCII,
)
_TIME = re.compile(r"T?(\d{2})(?::(\d{2})(?::(\d{2}(?:\.\d+)?))?)?", re.ASCII)

_SECONDS: dict[str, Decimal | int] = {
    "week": 604800, "day": 86400, "hour": 3600, "minute": 60, "second": 1, "millisecond": Decimal("0.001"),
}  # fmt: skip
CALENDAR_UNITS = ("year", "month", *_SECONDS)


@dataclass(frozen=True, slots=True, eq=False)
class Temporal:
    """One date, dateTime or time: as many `parts` as its precision has, seconds as a Decimal with their fraction."""

    kind: str
    parts: tuple[Any, ...]
    offset: int | None = None
    text: str = ""

    def __str__(self) -> str:
        return self.text


def read_date(text: str) -> Temporal | None:
    """`2026`, `2026-11` or `2026-11-21`; None where the text is no date."""
    match = _DATE.fullmatch(text)
    parts = _parts(match) if match else None
    return Temporal("date", parts, None, text) if parts else None


def read_date_time(text: str) -> Temporal | None:
    """A date, or a date with a time of any precision and an offset; None where the text is none."""
    match = _DATE_TIME.fullmatch(text)
    if not match or (match[4] and not match[3]):
        return None
    parts = _parts(match)
    return Temporal("dateTime", parts, _offset(match[7]), text.removesuffix("T")) if parts else None


def read_time(text: str) -> Temporal | None:
    """`10`, `10:30` or `10:30:00.000`, with or without a leading T."""
    match = _TIME.fullmatch(text)
    if not match:
        return None
    parts = tuple(Decimal(p) if i == 2 else int(p) for i, p in enumerate(match.groups()) if p is not None)
    return Temporal("time", parts, None, text.removeprefix("T")) if _in_day(parts) else None


def of_instant(now: datetime) -> Temporal:
    """A dateTime of the caller's clock, to the millisecond."""
    text = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    parts = (now.year, now.month, now.day, now.hour, now.minute, Decimal(text[17:23]))
    offset = now.utcoffset()
    return Temporal("dateTime", parts, None if offset is None else int(offset.total_seconds() // 60), text)


def compare(a: Temporal, b: Temporal) -> int | None:
    """-1, 0 or 1; None where precision or a missing offset leaves it undecided."""
    mine, theirs = a.parts, b.parts
    if len(mine) > 3 and len(theirs) > 3:
        if a.offset is not None and b.offset is not None:
            mine, theirs = _utc(a), _utc(b)
        elif (a.offset is None) != (b.offset is None):
            # Offsets reach from -12:00 to +14:00, so only days further apart than that are decided.
            apart = (date(*mine[:3]) - date(*theirs[:3])).days
            return None if abs(apart) < 2 else (1 if apart > 0 else -1)
    for x, y in zip(mine, theirs, strict=False):
        if x != y:
            return 1 if x > y else -1
    return 0 if len(mine) == len(theirs) else None


def same_precision(a: Temporal, b: Temporal) -> bool:
    return len(a.parts) == len(b.parts)


def plus(value: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    """Add `amount` calendar units; None past the calendar's end. `unit` is one of CALENDAR_UNITS."""
    if unit != "second":
        # "For precisions above seconds, the decimal portion of the time-valued quantity is ignored."
        amount = Decimal(int(amount))
    try:
        if value.kind == "time":
            return _plus_time(value, amount, unit)
        return _plus_calendar(value, amount, unit)
    except (OverflowError, ValueError):
        return None


def _plus_time(value: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    if unit in ("year", "month"):
        return None
    units = (3600, 60, 1)
    total = sum((p * u for p, u in zip(value.parts, units, strict=False)), Decimal(0)) + amount * _SECONDS[unit]
    total %= 86400
    hour, rest = divmod(total, 3600)
    minute, second = divmod(rest, 60)
    parts = (int(hour), int(minute), _fraction(second, value, unit))[: len(value.parts)]
    return Temporal("time", parts, None, ":".join(_two(p) for p in parts))


def _plus_calendar(value: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    parts = value.parts
    whole = int(amount)
    if unit not in ("year", "month") and len(parts) < 3:
        # A value without days counts in the units that it has: 365 days a year, 30 days a month.
        days = int(amount * _SECONDS[unit] / 86400)
        unit, whole = ("year", int(days / 365)) if len(parts) == 1 else ("month", int(days / 30))
    elif unit == "month" and len(parts) == 1:
        unit, whole = "year", int(whole / 12)
    if unit in ("year", "month"):
        months = parts[0] * 12 + (parts[1] - 1 if len(parts) > 1 else 0) + whole * (12 if unit == "year" else 1)
        year, month = divmod(months, 12)
        moved = (year, month + 1, *parts[2:])[: len(parts)]
        if len(moved) > 2:
            moved = (*moved[:2], min(parts[2], calendar.monthrange(year, month + 1)[1]), *parts[3:])
        if not 1 <= year <= 9999:
            return None
        return _written(value, moved)
    if len(parts) == 3:
        amount = Decimal(int(amount * _SECONDS[unit] / 86400))
        unit = "day"
    elif len(parts) < 6:
        smallest = 3600 if len(parts) == 4 else 60
        amount, unit = Decimal(int(amount * _SECONDS[unit] / smallest) * smallest), "second"
    moment = _moment(parts) + timedelta(microseconds=int(amount * _SECONDS[unit] * 1_000_000))
    second = _fraction(Decimal(moment.second) + Decimal(moment.microsecond) / 1_000_000, value, unit)
    return _written(value, (moment.year, moment.month, moment.day, moment.hour, moment.minute, second)[: len(parts)])


def _fraction(second: Decimal, value: Temporal, unit: str) -> Decimal:
    last = value.parts[-1]
    digits = -int(last.as_tuple().exponent) if isinstance(last, Decimal) else 0
    if unit == "millisecond" and second != int(second):
        digits = max(digits, 3)
    elif not digits and second != int(second):
        digits = 3
    return second.quantize(Decimal(1).scaleb(-digits))


def _written(value: Temporal, parts: tuple[Any, ...]) -> Temporal:
    return written(value.kind, parts, value.offset)


def written(kind: str, parts: tuple[Any, ...], offset: int | None) -> Temporal:
    """The value with its text made from its parts."""
    text = f"{parts[0]:04}" + "".join(f"-{p:02}" for p in parts[1:3])
    if kind == "dateTime":
        text += "T" if len(parts) > 3 else ""
        text += ":".join(_two(p) for p in parts[3:]) + (offset_text(offset) if len(parts) > 3 else "")
    return Temporal(kind, parts, offset, text)


def written_time(parts: tuple[Any, ...]) -> Temporal:
    return Temporal("time", parts, None, ":".join(_two(p) for p in parts))


def offset_text(offset: int | None) -> str:
    if offset is None:
        return ""
    if offset == 0:
        return "Z"
    hours, minutes = divmod(abs(offset), 60)
    return f"{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}"


def _two(part: Any) -> str:
    if isinstance(part, Decimal):
        whole, _, fraction = f"{part:f}".partition(".")
        return f"{whole:0>2}" + (f".{fraction}" if fraction else "")
    return f"{part:02}"


def _utc(value: Temporal) -> tuple[Any, ...]:
    minutes = value.offset or 0
    moment = _moment(value.parts) - timedelta(minutes=minutes)
    shifted = (moment.year, moment.month, moment.day, moment.hour, moment.minute)[: len(value.parts)]
    return (*shifted, value.parts[5]) if len(value.parts) > 5 else shifted


def _moment(parts: tuple[Any, ...]) -> datetime:
    year, month, day, hour, minute, second = (*(int(p) for p in parts), *(1, 1, 1, 0, 0, 0)[len(parts) :])
    micro = int((parts[5] % 1) * 1_000_000) if len(parts) > 5 else 0
    return datetime(year, month, day, hour, minute, second, micro)


def _parts(match: re.Match[str]) -> tuple[Any, ...] | None:
    found = [g for g in match.groups()[:6] if g is not None]
    parts: tuple[Any, ...] = tuple(Decimal(p) if i == 5 else int(p) for i, p in enumerate(found))
    if not 1 <= parts[0] <= 9999 or (len(parts) > 1 and not 1 <= parts[1] <= 12):
        return None
    if len(parts) > 2 and not 1 <= parts[2] <= calendar.monthrange(parts[0], parts[1])[1]:
        return None
    return parts if _in_day(parts[3:]) else None


def _in_day(parts: tuple[Any, ...]) -> bool:
    return all(p < limit for p, limit in zip(parts, (24, 60, 60), strict=False))


def _offset(text: str | None) -> int | None:
    if text is None:
        return None
    if text == "Z":
        return 0
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return -minutes if text[0] == "-" else minutes
