"""Moves the fixtures to today: their consents should be in force whenever they are used.

Every date moves by the same days, of the cases and of the partners' files: ages, periods and who was there when a
consent was signed stay as they are.
"""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from adapter.catalogue import files_root

WRITTEN = date(2026, 11, 21)
"""The day on which the fixtures' dates were written."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|T)")
_SINCE = re.compile(r"(?m)^since = (\d{4}-\d{2}-\d{2})")


def case(name: str) -> dict[str, Any]:
    """A fixture's case, every date of it moved."""
    written = json.loads((files_root() / "fixtures" / name / "case.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = _shifted(written, _elapsed())
    return found


def partner(name: str) -> str:
    """A fixture's partner file, the day on which it was connected moved."""
    text = (files_root() / "fixtures" / "partners" / f"{name}.toml").read_text(encoding="utf-8")
    return _SINCE.sub(lambda found: f"since = {(date.fromisoformat(found[1]) + _elapsed()).isoformat()}", text)


def today() -> date:
    """Today as the agency of the fixtures counts days, wherever this machine is."""
    settings = tomllib.loads((files_root() / "fixtures" / "adapter.toml").read_text(encoding="utf-8"))
    return datetime.now(ZoneInfo(settings["agency"]["time_zone"])).date()


def _elapsed() -> timedelta:
    return today() - WRITTEN


def _shifted(value: Any, by: timedelta) -> Any:
    if isinstance(value, dict):
        return {name: _shifted(child, by) for name, child in value.items()}
    if isinstance(value, list):
        return [_shifted(child, by) for child in value]
    if isinstance(value, str) and (found := _DAY.match(value)):
        return (date.fromisoformat(found[0]) + by).isoformat() + value[len(found[0]) :]
    return value
