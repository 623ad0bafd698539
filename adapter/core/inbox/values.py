"""The values of the inbox: what could be adopted, one by one, and how a record compares as a whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal["record", "field", "differs", "incomplete", "refused", "gone"]
"""`record`: the case has none of that path; `field`: a field or entry that its record lacks; `differs`: it has another
value. `incomplete`: a record that lacks what every record of its kind has: a person may complete it. `refused`: a
resource that becomes no record; `gone`: one that was adopted is not there any more: these two can be dismissed only."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing that could be adopted, or has to be seen.

    `path`: ids and fields in turn (`goals/g1`, `goals/g1/steps/t1/text`); an entry of a list without ids is named by
    what it says (`child/identifiers/+3f2a…`). `digest`: of what was sent, to which a decision is bound. `sources`:
    `Type/id` of the resources. `needs`: paths that it refers to and that the case has not.
    """

    path: str
    kind: Kind
    theirs: Any
    ours: Any
    digest: str
    sources: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    decided: str = ""
    """`dismissed`, where that was decided of exactly this; empty: it waits."""

    @property
    def adoptable(self) -> bool:
        return self.kind in ("record", "field", "differs", "incomplete")

    @property
    def whole(self) -> bool:
        """Can it be adopted as it is?"""
        return self.adoptable and self.kind != "incomplete"

    def as_decided(self, what: str) -> Proposal:
        return replace(self, decided=what)


@dataclass(frozen=True, slots=True)
class Compared:
    """One record: what could be adopted, and the paths of what both say alike and of what only the agency says."""

    path: str
    sources: tuple[str, ...]
    proposals: tuple[Proposal, ...]
    same: tuple[str, ...] = ()
    only_here: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a resource, or an element of it, becomes nothing here: FHIRPath and rule, never a value."""

    resource: str
    element: str
    rule: str
