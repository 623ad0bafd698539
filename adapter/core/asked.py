"""Reads what people and case systems ask of a verb, as JSON: one object, the fields that are known, days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from adapter.core import strict_json
from adapter.core.case import pointer
from adapter.errors import Malformed, Problem


def an_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Malformed: it is none."""
    given = strict_json.parse(body)
    if not isinstance(given, dict):
        raise Malformed("This needs a JSON object.")
    return given


def unknown(given: Mapping[str, Any], known: tuple[str, ...]) -> list[Problem]:
    """A problem for each field that nobody asked for."""
    return [Problem(pointer([name]), "this field is not known here") for name in given if name not in known]


def is_day(text: Any) -> bool:
    """Is it a day as FHIR writes it, `2026-11-27`, that the calendar has?"""
    try:
        return isinstance(text, str) and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
