"""What a person enters into the account: that something was told outside of the adapter (consent.md, rule 8).

It is entered, and never taken for consent: such a line names a legal basis in words, and no consent.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

from adapter.core.account.chain import LOOK, TOLD, Line
from adapter.core.account.words import HOW
from adapter.errors import Problem, Refused

LONGEST: Mapping[str, int] = {"to": 200, "by": 200, "basis": 2000}
"""The texts of an entered disclosure, with the most characters that each may have."""


def told(
    asked: Any, *, parts: Collection[str], role: str, label: str, request_id: str, zone: tzinfo, now: datetime
) -> Line:
    """The line of `{"to", "at", "how", "parts", "basis", "by"}`: to whom what was told, when, how, why and by whom.

    `at` is a date, or a date-time (without a zone, in the agency's `zone`), and not later than `now`. Refused: every
    problem at once.
    """
    if not isinstance(asked, dict):
        raise Refused("The disclosure breaks rules.", [Problem("", "must be an object")])
    if problems := sorted(_problems(asked, parts, zone, now)):
        raise Refused(f"The disclosure breaks {len(problems)} rules.", problems)
    return Line(
        at=now,
        partner="",
        purpose="",
        kind=TOLD,
        request_id=request_id,
        operation=asked["how"],
        resource_type="",
        urn="",
        about="",
        parts=tuple(sorted(set(asked["parts"]))),
        topics=(),
        consents=(),
        outcome="",
        role=role,
        label=label,
        by=asked["by"].strip(),
        to=asked["to"].strip(),
        basis=asked["basis"].strip(),
        happened=moment_of(asked["at"], zone),
    )


def look(*, about: str, role: str, label: str, request_id: str, now: datetime) -> Line:
    """The line of a look: `about` is the path of a record, `views/P` for what a partner may see, "" for the case."""
    return Line(
        at=now,
        partner="",
        purpose="",
        kind=LOOK,
        request_id=request_id,
        operation="read",
        resource_type="",
        urn="",
        about=about,
        parts=(),
        topics=(),
        consents=(),
        outcome="",
        role=role,
        label=label,
    )


def _problems(asked: Mapping[Any, Any], parts: Collection[str], zone: tzinfo, now: datetime) -> Iterator[Problem]:
    fields = (*LONGEST, "at", "how", "parts")
    if any(name not in fields for name in asked):
        yield Problem("", f"may hold {', '.join(sorted(fields))} and nothing else")
    for name, longest in LONGEST.items():
        if not is_text(asked.get(name), longest):
            yield Problem(f"/{name}", f"must be a text of 1 to {longest} characters on one line")
    if not isinstance(asked.get("how"), str) or asked["how"] not in HOW:
        yield Problem("/how", f"must be one of {', '.join(HOW)}")
    named = asked.get("parts")
    if not isinstance(named, list) or not named or not all(isinstance(p, str) and p in parts for p in named):
        yield Problem("/parts", f"must be a list of at least one of {', '.join(parts)}")
    moment = moment_of(asked.get("at"), zone)
    if moment is None:
        yield Problem("/at", "must be a date or a date-time (ISO 8601)")
    elif moment > now:
        yield Problem("/at", "must not be in the future")


def is_text(value: Any, longest: int) -> bool:
    """Is it a text of 1 to `longest` characters, on one line?"""
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        return False
    return not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value)


def moment_of(value: Any, zone: tzinfo) -> datetime | None:
    """A date or a date-time as an instant in UTC; a date is the start of that day in the zone. None: it is neither."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(value), time(), zone).astimezone(UTC)
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
