"""Reads what the address of a request asks for beside its path; what cannot be read is refused by name."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Literal, cast

from flask import request

from adapter.errors import Malformed, PreconditionFailed, Problem
from adapter.wiring import Wiring

Form = Literal["records", "fhir", "explain"]
FORMS = ("records", "fhir", "explain")
MOST, USUAL = 1000, 100


def form(forms: Collection[str] = FORMS) -> Form:
    """`as`: which of these forms it is wanted in; records if it is left out."""
    if (wanted := request.args.get("as", "records")) not in forms:
        raise _unreadable("as", f"must be one of {', '.join(forms)}")
    return cast(Form, wanted)


def at(wiring: Wiring) -> datetime | None:
    """`at`: another time than now, as a date or date-time (ISO 8601); without a zone, in the agency's."""
    if not (text := request.args.get("at", "")):
        return None
    try:
        # A plus sign that nobody escaped arrives as a space.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=wiring.settings.time_zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _unreadable("at", "must be a date or a date-time (ISO 8601)") from None


def after() -> str | None:
    """`after`: the case behind which the page begins."""
    return request.args.get("after")


def behind() -> int:
    """`after`: a number behind which the page begins, as `next` said; 0 if it is left out."""
    text = request.args.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise _unreadable("after", "must be a number")
    return int(text)


def limit() -> int:
    """`limit`: how many at most."""
    text = request.args.get("limit", str(USUAL))
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MOST:
        raise _unreadable("limit", f"must be a whole number from 1 to {MOST}")
    return int(text)


def number(name: str) -> int:
    """A parameter that is a whole number; 0 if it is left out."""
    text = request.args.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise _unreadable(name, "must be a number")
    return int(text)


def number_of(text: str) -> int | None:
    """The number that a form of ours carries; None: it carries none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def version() -> int | None:
    """If-Match: the version of the case that is to be replaced. PreconditionFailed: it names none of ours."""
    if (text := request.headers.get("If-Match", "*").strip()) == "*":
        return None
    if (found := re.fullmatch(r'(?:W/)?"([0-9]{1,9})"', text)) is None:
        raise PreconditionFailed("If-Match names no version that this adapter gave out.")
    return int(found[1])


def _unreadable(name: str, rule: str) -> Malformed:
    return Malformed("A parameter of the address cannot be read.", [Problem(f"/{name}", rule)])
