"""The receiver has passed a referral on: by a Task of its own that is part of ours, somebody else has it now.

What such a Task says moves nothing of ours: its states are between the receiver and whoever works for it, and the
receiver alone answers us (HL7 Clinical Order Workflows, *core concepts*; Gravity, *Referral Workflow*: a filler order
with `basedOn`, its Task with `partOf`). It is kept beside, for people of the agency; nobody is sent any of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapter.core.referral.answer import Answer, clean

MOST = 50
"""Of one referral; whoever passes on without end fills nothing up."""
MOST_NAMES = 20
"""References of one resource that are looked up."""
_LOCAL = re.compile(r"([A-Za-z]{1,64})/([A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?")


@dataclass(frozen=True, slots=True)
class Passed:
    """One such Task. `place`: which one it is, of which server; `to`: who has it, as the receiver says; `since`: when
    we learnt of it, `at`: of how it stands now, `said_at`: when the receiver says that it was."""

    place: str
    to: str
    said: str
    business: str
    words: str
    reason: str
    result: str
    since: str
    at: str
    said_at: str
    key: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Led:
    """Where a reference leads: by an identifier, or to a resource of the same server by its type and id."""

    identifier: tuple[str, str] | None
    place: tuple[str, str] | None


def added(passed: tuple[Passed, ...], place: str, to: str, said: Answer, now: datetime) -> tuple[Passed, ...]:
    """With what this Task says now; the very same where it says nothing new, or something older."""
    there = next((each for each in passed if each.place == place), None)
    if there is not None and (there.key == said.key or _older(there, said)):
        return passed
    if there is None and len(passed) >= MOST:
        return passed
    at = now.isoformat()
    made = Passed(
        place, to, said.said, said.business, said.words, said.reason, said.result,
        there.since if there else at, at, said.at, said.key, said.number,
    )  # fmt: skip
    if there is None:
        return (*passed, made)
    if replace(there, key=made.key, at=at, number=made.number, said_at=made.said_at) == made:
        made = replace(made, at=there.at, said_at=there.said_at)
    return tuple(made if each is there else each for each in passed)


def owner(task: Mapping[str, Any]) -> str:
    """Who has it, in the receiver's words: the display of its owner, else its identifier's value; empty for neither."""
    reference = task.get("owner")
    if not isinstance(reference, Mapping):
        return ""
    identifier = reference.get("identifier")
    value = identifier.get("value") if isinstance(identifier, Mapping) else ""
    return clean(reference.get("display")) or clean(value)


def led(references: Any, base: str = "") -> Iterator[Led]:
    """Where these references lead; `base`: the address of the server that they stand on, without a slash at the end."""
    listed = references if isinstance(references, list) else [references]
    for each in listed[:MOST_NAMES]:
        if not isinstance(each, Mapping):
            continue
        yield Led(_identifier(each.get("identifier")), _place(each.get("reference"), base))


def _identifier(value: Any) -> tuple[str, str] | None:
    if not isinstance(value, Mapping):
        return None
    system, name = value.get("system"), value.get("value")
    return (system, name) if isinstance(system, str) and isinstance(name, str) else None


def _place(value: Any, base: str) -> tuple[str, str] | None:
    if not isinstance(value, str):
        return None
    found = _LOCAL.fullmatch(value.removeprefix(f"{base}/") if base else value)
    return (found[1], found[2]) if found else None


def _older(there: Passed, said: Answer) -> bool:
    return said.number is not None and there.number is not None and said.number < there.number
