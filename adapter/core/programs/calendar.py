"""Whole days in the agency's time zone, and lengths of time as records and program files write them (P6M, P30D)."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

_FORM = re.compile(r"P([1-9][0-9]{0,3})([DWMY])", re.ASCII)
_DAYS = {"D": 1, "W": 7}


@dataclass(frozen=True, slots=True)
class Interval:
    """A number of days, weeks, months or years; months and years keep the day of the month where it exists."""

    count: int
    unit: str

    @staticmethod
    def of(text: Any) -> Interval | None:
        """`P14D`, `P6M`, `P1Y`: the form that mappings/records ask for; None for anything else."""
        found = _FORM.fullmatch(text) if isinstance(text, str) else None
        return Interval(int(found[1]), found[2]) if found else None

    def after(self, day: date) -> date | None:
        """The day that much later; None beyond the calendar. The 31st becomes the last day of a shorter month."""
        return self._moved(day, 1)

    def before(self, day: date) -> date | None:
        """The day that much earlier; None before the calendar begins."""
        return self._moved(day, -1)

    def _moved(self, day: date, sign: int) -> date | None:
        try:
            if self.unit in _DAYS:
                return day + timedelta(days=sign * self.count * _DAYS[self.unit])
            months = day.year * 12 + day.month - 1 + sign * self.count * (12 if self.unit == "Y" else 1)
            year, month = divmod(months, 12)
            return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
        except (ValueError, OverflowError):
            return None


def day_of(text: Any, zone: tzinfo) -> date | None:
    """The whole day of a date, or of a date-time where the agency is; None for what is neither."""
    if not isinstance(text, str):
        return None
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
        return moment.astimezone(zone).date() if moment.tzinfo else moment.date()
    except (ValueError, OverflowError):
        return _first_ten(text)


def _first_ten(text: str) -> date | None:
    """A second of 60 is a time that schemas accept and Python does not know."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def days_of(texts: Iterable[Any], zone: tzinfo) -> list[date]:
    """Each day that can be read."""
    return [day for text in texts if (day := day_of(text, zone)) is not None]


def birthday(born: date, years: int) -> date | None:
    """The day on which so many years are reached; who was born on 29 February reaches them on 1 March."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1) if born.year + years <= date.max.year else None
