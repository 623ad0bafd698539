"""Which referrals were made at the same time for one thing: once one is taken on, a coordinator may end the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapter.core.referral.course import Course
from adapter.core.referral.kept import OVER
from adapter.core.referral.task import state_of

TAKEN = ("accepted", "in-progress", "completed")
"""States in which a receiver has taken the referral on, so that the others may have become needless."""


def parallel_to(records: Sequence[Mapping[str, Any]], id_: str) -> tuple[str, ...]:
    """The ids of the outward referrals that were made in parallel with this one: whom it names, who names it, and so
    on (`parallel` of the record); in the order of the records, itself not among them."""
    out = {record["id"]: record for record in records if record.get("direction") == "out"}
    named = {(a, path.removeprefix("referrals/")) for a, record in out.items() for path in record.get("parallel", ())}
    found, waiting = {id_}, [id_]
    for each in waiting:
        beside = {b for a, b in named if a == each} | {a for a, b in named if b == each}
        waiting += sorted((beside & out.keys()) - found)
        found |= beside & out.keys()
    return tuple(each for each in out if each in found and each != id_)


def standing(record: Mapping[str, Any], course: Course | None) -> str:
    """Where a referral is: by what was heard of it, else by its record (with the outcome that is kept)."""
    if course is not None:
        return course.state
    return state_of(record) if "outcome" in record else str(record["status"])


def still_asked(
    records: Sequence[Mapping[str, Any]], courses: Mapping[str, Course], asks: Mapping[str, Any], id_: str
) -> tuple[str, ...]:
    """The ids of those in parallel that are still open once this one is taken on, and whose end nobody has asked for.

    `courses` and `asks` by path. Nothing while nobody has taken this one on.
    """
    every = {record["id"]: record for record in records}
    now = {each: standing(record, courses.get(f"referrals/{each}")) for each, record in every.items()}
    if now.get(id_) not in TAKEN:
        return ()
    asked = {path.removeprefix("referrals/") for path, ask in asks.items() if not ask.get("done")}
    over = {each for each, record in every.items() if now[each] in OVER or record["status"] in OVER}
    return tuple(each for each in parallel_to(records, id_) if each not in over | asked)
