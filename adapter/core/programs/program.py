"""A program as data: its rules, each of one of four kinds, and the priorities of its waitlist (docs/programs.md).

The kinds are closed: a new one needs Python, here, in kinds.py and in asks.py. All else of a program is YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

from adapter.core.mapping.fhirpath import Expression
from adapter.core.programs.calendar import Interval

OWN_CONSENT = 16
"""Years; a program says otherwise (consent.md, rule 6)."""
ACTIVE = frozenset({"active"})
"""The enrolment statuses in which a rule is asked where it does not say `while`."""
AHEAD = Interval(30, "D")
"""How long before its day a thing is told of as due, where a rule does not say `ahead`."""

Kind = Literal["overdue", "due", "missing", "warning"]
KINDS: tuple[Kind, ...] = ("overdue", "due", "missing", "warning")


@dataclass(frozen=True, slots=True)
class Must:
    """Something must hold of each record: at once, or by a day (`by`, or so long after the earliest day of `start`)."""

    holds: Expression | None
    """None: nothing but the day matters."""
    by: Expression | None = None
    start: Expression | None = None
    within: Interval | None = None
    says: Kind = "missing"
    """Of what no day is set for."""


@dataclass(frozen=True, slots=True)
class Around:
    """From `before` to `after` each of these days, it is asked for as often as `every`."""

    days: Expression
    before: Interval
    after: Interval
    every: Interval


@dataclass(frozen=True, slots=True)
class Repeat:
    """Something is done again and again: at least as often as the first `every` whose condition holds, or more often
    where the record agrees on it (`agreed`); counted from the latest day of `last`, else the earliest of `start`."""

    every: tuple[tuple[Expression | None, Interval], ...]
    last: Expression
    agreed: Expression | None = None
    start: Expression | None = None
    planned: Expression | None = None
    """A day that was set for the next time: it counts where it comes earlier."""
    around: Around | None = None


@dataclass(frozen=True, slots=True)
class Area:
    """A field that is to be spoken of: the codes that show it, and its name (language → words)."""

    id: str
    codes: frozenset[str]
    title: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cover:
    """Each area must be among these codes: one finding for each that is not."""

    codes: Expression
    areas: tuple[Area, ...]


@dataclass(frozen=True, slots=True)
class Age:
    """Until which birthday; and until which other one where a condition holds."""

    under: int
    otherwise: tuple[Expression, int] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a program. `each`: `case`, `child`, `enrolment`, a collection, or a path into its entries."""

    id: str
    asks: Must | Repeat | Cover | Age
    sentence: Mapping[str, str]
    """Language → what is to be done; `{area}` stands for the area's name."""
    source: str
    """Where the program's own document asks for it."""
    each: str = "case"
    at: str = ""
    """The path to tell where `each` is the case as a whole."""
    when: Expression | None = None
    stages: frozenset[str] = ACTIVE
    ahead: Interval = AHEAD


@dataclass(frozen=True, slots=True)
class Priority:
    """One priority of a waitlist and what it is called (language → words)."""

    code: str
    title: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Program:
    """A program that works with coordinated plans: what it is called (language → title), and its rules."""

    id: str
    title: Mapping[str, str]
    age_of_own_consent: int = OWN_CONSENT
    rules: tuple[Rule, ...] = field(default=(), repr=False)
    priorities: tuple[Priority, ...] = ()
    """Of its waitlist, the first goes first; empty: by first contact alone."""
    named: tuple[tuple[str, Expression], ...] = field(default=(), repr=False)
    """What the rules call by a name (`%plans`), worked out once for a case, in this order."""


class Finding(NamedTuple):
    """What a rule asks for in one case: where, by when, and in words; never a word of a record.

    `since`: for overdue the first day on which it is; for due and missing the day from which it was asked, if known.
    """

    kind: Kind
    rule: str
    path: str
    due: date | None
    since: date | None
    sentence: Mapping[str, str]
    program: str
    source: str
