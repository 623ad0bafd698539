"""What a partner does not take in one Bundle goes in smaller ones, and what is taken back goes alone if it must."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from adapter.core.desired import narrows
from adapter.core.diff import Delete
from adapter.core.fhir.abilities import Way
from adapter.core.fhir.bundle import Sent, groups
from adapter.core.fhir.results import Result
from adapter.reconcile.sending import Sending
from adapter.reconcile.work import OF_ONE

_TOO_MUCH = frozenset(("too-costly", "too-long"))
"""http://hl7.org/fhir/R4/valueset-issue-type.html: what is said of a Bundle that is over the limit, beside 413."""

Group = tuple[Sent, ...]


def in_smaller(sending: Sending, chunk: Sequence[Sent], waiting: Iterable[Group], way: Way) -> list[Group]:
    """All that is left, in groups of half the size, where the whole Bundle was too much; empty where it was not."""
    if len(chunk) < 2 or not sending.results or not all(map(_was_too_much, sending.results)):
        return []
    left = [change for group in (chunk, *waiting) for change in group]
    smaller = groups(left, replace(way, chunk=len(chunk) // 2))
    return list(smaller) if len(smaller[0]) < len(chunk) else []


def is_refused(sending: Sending, chunk: Sequence[Sent]) -> bool:
    """Was a whole Bundle refused, for what may be the fault of one entry?"""
    return len(chunk) > 1 and bool(sending.results) and all(r.outcome in OF_ONE for r in sending.results)


def takes_back(chunk: Sequence[Sent], waiting: Iterable[Group]) -> bool:
    """Is something taken back in it, or after it? That waits for nothing that is refused."""
    left = [change for group in (chunk, *waiting) for change in group]
    return narrows(left) or any(isinstance(change, Delete) for change in left)


def one_by_one(chunk: Sequence[Sent], waiting: Iterable[Group]) -> list[Group]:
    """Each change alone."""
    return [(change,) for group in (chunk, *waiting) for change in group]


def _was_too_much(result: Result) -> bool:
    codes = {word for line in result.said for word in line.split(" at ")[0].split()}
    return result.outcome == "rejected" and (result.status == 413 or not _TOO_MUCH.isdisjoint(codes))
