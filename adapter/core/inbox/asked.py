"""Reads what a person or a case system says about an item: which case it is, what to adopt, what to dismiss and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapter.core.asked import an_object, is_day, unknown
from adapter.errors import Problem, Refused

LONGEST_REASON = 2000
_LONGEST = 64
_MOST_PATHS = 5000


@dataclass(frozen=True, slots=True)
class Matching:
    """`case`: its number; None: the match is undone. `pairs`: `Type/id` of theirs → path of the case's record that it
    is; None: it is not."""

    case: str | None
    pairs: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Opening:
    """A new case of this number; `first_contact`: a day, "" for today."""

    case: str
    program: str
    first_contact: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Which paths; None: all. `reason`: why they are dismissed. `with_`: path → fields that a person adds to it."""

    paths: tuple[str, ...] | None
    reason: str = ""
    with_: Mapping[str, Mapping[str, Any]] | None = None


def matching(body: bytes) -> Matching:
    """`{"case": number or null, "pairs"?: {"RelatedPerson/x": "people/mother"}}`."""
    given = an_object(body)
    wrong = unknown(given, ("case", "pairs"))
    case, pairs = given.get("case"), given.get("pairs", {})
    if "case" not in given or not (case is None or _is_number(case)):
        wrong.append(Problem("/case", "must be the number of a case, or null to undo the match"))
    if not isinstance(pairs, dict) or not all(isinstance(v, str | None) for v in pairs.values()):
        wrong.append(Problem("/pairs", "must give for a resource (Type/id) the path of a record, or null"))
    _refuse(wrong)
    return Matching(case, pairs)


def opening(body: bytes, programs: Mapping[str, Any]) -> Opening:
    """`{"case": new number, "program": one of these, "first_contact"?: day}`."""
    given = an_object(body)
    wrong = unknown(given, ("case", "program", "first_contact"))
    if not _is_number(given.get("case")):
        wrong.append(Problem("/case", "must be the number of the new case"))
    if given.get("program") not in programs:
        wrong.append(Problem("/program", f"must be one of {', '.join(sorted(programs))}"))
    if "first_contact" in given and not is_day(given["first_contact"]):
        wrong.append(Problem("/first_contact", "must be a date that exists (ISO 8601)"))
    _refuse(wrong)
    return Opening(given["case"], given["program"], given.get("first_contact", ""))


def adoption(body: bytes) -> Choice:
    """`{"all": true}` or `{"paths": […]}`, and `with`: path → fields that are added to that record."""
    given = an_object(body)
    wrong = unknown(given, ("all", "paths", "with"))
    with_ = given.get("with", {})
    if not isinstance(with_, dict) or not all(isinstance(fields, dict) for fields in with_.values()):
        wrong.append(Problem("/with", "must give fields for the path of a record"))
    paths = _paths(given, wrong)
    _refuse(wrong)
    return Choice(paths, with_=with_)


def dismissal(body: bytes) -> Choice:
    """`{"all": true}` or `{"paths": […]}`, and `reason`."""
    given = an_object(body)
    wrong = unknown(given, ("all", "paths", "reason"))
    reason = given.get("reason")
    if not isinstance(reason, str) or not reason.strip() or len(reason) > LONGEST_REASON:
        wrong.append(Problem("/reason", f"says why, in at most {LONGEST_REASON} characters"))
    paths = _paths(given, wrong)
    _refuse(wrong)
    return Choice(paths, reason=str(reason).strip())


def _paths(given: Mapping[str, Any], wrong: list[Problem]) -> tuple[str, ...] | None:
    if given.get("all") is True and "paths" not in given:
        return None
    paths = given.get("paths")
    if not isinstance(paths, list) or not paths or len(paths) > _MOST_PATHS or "all" in given:
        wrong.append(Problem("/paths", 'must be a list of paths that the item proposes; or `"all": true` in its place'))
        return ()
    wrong += [Problem(f"/paths/{i}", "must be a path") for i, each in enumerate(paths) if not isinstance(each, str)]
    return tuple(each for each in paths if isinstance(each, str))


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST


def _refuse(wrong: list[Problem]) -> None:
    if wrong:
        raise Refused("The request breaks rules.", sorted(wrong))
