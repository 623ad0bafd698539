"""Who may move a referral from where to where: one table for each dialect, read from mappings/dialects.

The guides disagree (exchange.md, *Warm referrals*; docs/referrals.md names the source of each table), so that a table
is a partner's setting. `move` is total over states and setters: it applies, or says in one word why it does not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

State = Literal[
    "draft", "requested", "received", "accepted", "in-progress", "on-hold",
    "completed", "rejected", "cancelled", "failed", "entered-in-error",
]  # fmt: skip
"""The states of a referral's Task: those of `outcome.status` in the record."""
Setter = Literal["requester", "receiver"]
AfterStart = Literal["status", "task", "business-status", "never"]
"""How a referral that has been started is cancelled: by setting the state; by a Task that asks for it; by a business
status that asks for it; not through the Task at all."""

STATES: tuple[State, ...] = get_args(State)
ENDED: frozenset[State] = frozenset({"completed", "cancelled", "failed", "entered-in-error"})
"""States that nothing leaves, in any dialect; `rejected` is one too, but where a dialect re-opens it."""
ANSWERED: frozenset[State] = frozenset(STATES) - {"draft", "requested", "received"}
"""States that say what the receiver has decided."""

Why = Literal["unknown-state", "ended", "not-theirs", "no-such-move", "no-reason", "too-many"]
WHYS: Mapping[Why, str] = MappingProxyType(
    {
        "unknown-state": "The state is none that this partner's dialect knows.",
        "ended": "The referral had ended.",
        "not-theirs": "Only the other side may set this state.",
        "no-such-move": "This state does not follow the one that the referral is in.",
        "no-reason": "This state needs a reason, and none was given.",
        "too-many": "The referral has been moved more often than any referral is.",
    }
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One table. `says`: states that this partner does not know → what is written instead; `hears`: other codes of
    Task.status → the state that they mean."""

    id: str
    moves: Mapping[Setter, Mapping[State, frozenset[State]]]
    reasons: frozenset[State] = frozenset()
    says: Mapping[State, State] = field(default_factory=dict)
    hears: Mapping[str, State] = field(default_factory=dict)
    after_start: AfterStart = "task"
    title: str = ""
    source: str = ""

    def may(self, by: Setter, state: State) -> frozenset[State]:
        """Where `by` may move it from `state`."""
        return self.moves.get(by, {}).get(state, frozenset())

    def ended(self, state: State) -> bool:
        """Does nothing lead on from here?"""
        return not self.may("requester", state) and not self.may("receiver", state)

    def state(self, code: object) -> State | None:
        """The state that a Task.status means here; None: none."""
        if not isinstance(code, str):
            return None
        return self.hears.get(code) or next((s for s in STATES if s == code), None)


@dataclass(frozen=True, slots=True)
class Applied:
    """The referral is in `state` now. `through`: states on the way that nobody saw."""

    state: State
    through: tuple[State, ...] = ()


@dataclass(frozen=True, slots=True)
class Same:
    """It was there already."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """It stays where it is; what was asked for is kept, flagged and shown."""

    why: Why


Moved = Applied | Same | Impossible


def move(dialect: Dialect, at: State, asked: State | None, by: Setter, *, reason: bool, gaps: bool = False) -> Moved:
    """What comes of `by` setting `asked` on a referral that is `at`. `asked` is None for a code that means nothing.

    `reason`: was one given? `gaps`: may states have gone by unseen (whoever polls sees the latest only)? Then a state
    counts that moves of the same side lead to, none of the unseen ones needing a reason.
    """
    if asked is None:
        return Impossible("unknown-state")
    if asked in (at, dialect.says.get(at)):
        return Same()
    if dialect.ended(at):
        return Impossible("ended")
    through = way(dialect, at, asked, by) if gaps else (() if asked in dialect.may(by, at) else None)
    if through is None:
        other: Setter = "receiver" if by == "requester" else "requester"
        theirs = asked in dialect.may(other, at) or not any(
            asked in ends for ends in dialect.moves.get(by, {}).values()
        )
        return Impossible("not-theirs" if theirs else "no-such-move")
    if asked in dialect.reasons and not reason:
        return Impossible("no-reason")
    return Applied(asked, through)


def way(
    dialect: Dialect, at: State, asked: State, by: Setter, through: Collection[State] = STATES
) -> tuple[State, ...] | None:
    """The shortest way from `at` to `asked` by moves of `by`: the states between, in `through`; None if none."""
    ways: list[tuple[State, ...]] = [(at,)]
    known = {at}
    for way in ways:
        for following in (s for s in STATES if s in dialect.may(by, way[-1])):
            if following == asked:
                return way[1:]
            if following in through and following not in known and following not in dialect.reasons:
                known.add(following)
                ways.append((*way, following))
    return None
