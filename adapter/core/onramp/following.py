"""Which problems of a case are there only because rows or cells of it were refused already: they are not told twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adapter.core.case import DANGLING, LACKING
from adapter.core.onramp.places import Place, Places, Refusal
from adapter.core.onramp.rows import UNKNOWN_COLUMN
from adapter.errors import Problem


def beside(
    problems: Iterable[Problem], case: Mapping[str, Any], places: Places, refusals: Iterable[Refusal]
) -> list[Problem]:
    """The problems that would stand also if what is refused were put right."""
    refused = list(refusals)
    return [each for each in problems if not (refused and _follows(each, case, places, refused))]


def _follows(problem: Problem, case: Mapping[str, Any], places: Places, refused: list[Refusal]) -> bool:
    if problem.detail == DANGLING:
        target = str(_value(problem.pointer, case)).partition("/")[0]
        return any(path[:1] in ((target,), ()) for path in places.lost)
    if problem.detail not in LACKING:
        return False
    at = places.of(problem.pointer, case)
    names = tuple(step for step in problem.pointer.split("/")[1:] if not step.isdigit())
    return any(_may_hold(path, names, at) for path in places.lost) or any(_is_there(each, at) for each in refused)


def _may_hold(path: tuple[str, ...], names: tuple[str, ...], at: Place) -> bool:
    """Would a lost row of this list be what is lacking, or the record of which only what stands in it is told?"""
    return path[: len(names)] == names or (names[: len(path)] == path and at.file != ".".join(path))


def _is_there(refusal: Refusal, at: Place) -> bool:
    """Is what is lacking at this place the cell that was refused, or may it be, in a column by another name?"""
    place = refusal.place
    if (place.file, place.row) != (at.file, at.row):
        return False
    return refusal.rule == UNKNOWN_COLUMN or not at.column or f"{place.column}.".startswith(f"{at.column}.")


def _value(pointer: str, case: Any) -> Any:
    for step in pointer.split("/")[1:]:
        case = case[int(step)] if isinstance(case, list) else case[step]
    return case
