"""A child that the agency does not know yet: the case that begins with what a partner says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from adapter.core.inbox.values import Proposal

_BEGINS = ("child", "people", "organizations", "referrals")
"""What a new case begins with, and what these refer to; all else waits until somebody adopts it."""


def first_of(proposals: Iterable[Proposal]) -> list[Proposal]:
    """The records that a new case begins with: the child, people, organizations, referrals, and what they refer to."""
    by_path = {each.path: each for each in proposals if each.kind == "record"}
    wanted = [path for path in by_path if path.partition("/")[0] in _BEGINS]
    picked: dict[str, Proposal] = {}
    while wanted:
        path = wanted.pop()
        if path in picked or path not in by_path:
            continue
        picked[path] = by_path[path]
        # A reference may lead into a record: to a service of a plan.
        wanted += ["/".join(need.split("/")[:2]) for need in by_path[path].needs]
    return [each for path, each in by_path.items() if path in picked]


def begun(number: str, program: str, *, first_contact: str) -> dict[str, Any]:
    """The case before anything is in it: referred, and first in contact on this day."""
    return {"case": number, "program": program, "enrolment": {"status": "referred", "first_contact": first_contact}}


def completed(picked: Iterable[Proposal], with_: Mapping[str, Mapping[str, Any]]) -> list[Proposal]:
    """The records with the fields that a person adds to them, such as how a consent was signed."""
    return [each if each.path not in with_ else _with(each, with_[each.path]) for each in picked]


def _with(proposal: Proposal, fields: Mapping[str, Any]) -> Proposal:
    return replace(proposal, theirs={**proposal.theirs, **fields})
