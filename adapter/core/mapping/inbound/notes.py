"""What is told of what came in: where in FHIR, and the rule; never a value of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}\Z")
MOST = 20_000
"""A set that breaks more rules than this is answered with these first: an answer is read by a person."""


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """`index`: which of the given resources or Bundles, from 0. `expression`: the element in it, as FHIRPath."""

    index: int
    expression: str
    rule: str


@dataclass(slots=True)
class Told:
    """Collects notes on the way; at most MOST of each kind, each once."""

    refused: dict[Note, None] = field(default_factory=dict)
    findings: dict[Note, None] = field(default_factory=dict)

    def refuse(self, index: int, expression: str, rule: str) -> None:
        """Something that was sent becomes no record, or a part of one does not."""
        if len(self.refused) < MOST:
            self.refused[Note(index, expression, rule)] = None

    def find(self, index: int, expression: str, rule: str) -> None:
        """An element is not taken over; what it stands in is."""
        if len(self.findings) < MOST:
            self.findings[Note(index, expression, rule)] = None


def expression(at: str, pointer: str) -> str:
    """A JSON Pointer below `at` as FHIRPath. It ends before a name that FHIR cannot have: somebody wrote that."""
    for token in pointer.split("/")[1:]:
        if token.isdecimal() and len(token) < 7:
            at += f"[{token}]"
        elif _NAME.match(token):
            at += f".{token}"
        else:
            break
    return at
