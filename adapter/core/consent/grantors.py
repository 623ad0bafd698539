"""Who may decide for the child, and when: the child's capacity and the authority of decision makers (rules 2, 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from adapter.core.consent.provisions import Span, Terms, span
from adapter.core.consent.rulebook import Rulebook

CHILD = "child"


@dataclass(frozen=True, slots=True)
class Person:
    decides: bool
    held: Span
    authority: str
    shared: bool


@dataclass(frozen=True, slots=True)
class Grantors:
    """The people of one case as the rules see them."""

    people: Mapping[str, Person]
    """`people/…` → what they may decide."""
    birth: date | None
    own_age: int | None
    """Age of own consent in this program; None where the program is not known."""
    capacity: tuple[tuple[datetime | None, bool, bool], ...]
    """(assessed on, capable, names who assessed): the record of assessments."""
    rulebook: Rulebook

    def age_reached(self, at: datetime) -> bool | None:
        """Has the young person reached the age of own consent? None: unknown, because the birth date is missing."""
        birthday = self.own_birthday()
        return None if birthday is None else birthday <= at

    def own_birthday(self) -> datetime | None:
        """The instant at which the young person reaches the age of own consent."""
        if self.birth is None or self.own_age is None:
            return None
        if self.birth.year + self.own_age > date.max.year:
            return self.rulebook.end_of(date.max)
        year, leap_day = self.birth.year + self.own_age, (self.birth.month, self.birth.day) == (2, 29)
        if leap_day and not _is_leap(year):
            return self.rulebook.start_of(date(year, 3, 1))
        return self.rulebook.start_of(self.birth.replace(year=year))

    def incapable(self, at: datetime) -> bool | None:
        """Was the child assessed incapable, by the latest assessment not later than `at`? None: it cannot be told."""
        found = self._latest(at)
        if any(on is None and not capable for on, capable, _ in self.capacity):
            return None
        if not found:
            return False
        verdicts = {capable for capable, _ in found}
        return None if len(verdicts) > 1 else verdicts == {False}

    def capable_on_record(self, at: datetime) -> bool:
        """Is there an assessment, with who and when, that says capable, and none of that day that says otherwise?"""
        found = self._latest(at)
        return bool(found) and all(capable and named for capable, named in found)

    def _latest(self, at: datetime) -> list[tuple[bool, bool]]:
        dated = [(on, capable, named) for on, capable, named in self.capacity if on is not None and on <= at]
        last = max((on for on, _, _ in dated), default=None)
        return [(capable, named) for on, capable, named in dated if on == last]

    def child_may_permit(self, at: datetime) -> bool:
        """From the age of own consent: unless assessed incapable. Below it: only with capacity on record (rule 6)."""
        if self.age_reached(at):
            return self.incapable(at) is False
        return self.capable_on_record(at)

    def child_alone_permits(self, at: datetime) -> bool | None:
        """Are the young person's consents the only ones that permit? None: unknown, so nobody else permits."""
        reached = self.age_reached(at)
        if reached is False:
            return False
        incapable = self.incapable(at)
        if incapable:
            return False
        return None if reached is None or incapable is None else True

    def may_permit(self, terms: Terms, at: datetime) -> str:
        """Why the one who gave this consent may not permit at `at`; empty when they may."""
        if terms.by == CHILD:
            if terms.authority not in ("", "self"):
                return "no-authority"
            return "" if self.child_may_permit(at) else "no-capacity"
        person = self.people.get(terms.by)
        if person is None or not person.decides or not person.held.holds(at):
            return "no-authority"
        if terms.authority and (terms.authority == "self" or person.authority not in ("", terms.authority)):
            return "no-authority"
        return ""

    def current(self, at: datetime) -> tuple[str, ...]:
        """The decision makers in office at `at`."""
        return tuple(sorted(path for path, p in self.people.items() if p.decides and p.held.holds(at)))

    def shared(self, at: datetime) -> bool:
        """Must every current decision maker have permitted?"""
        return any(self.people[path].shared for path in self.current(at))


def read_grantors(case: Mapping[str, Any], rulebook: Rulebook) -> Grantors:
    child = case.get("child", {})
    return Grantors(
        people={
            f"people/{p['id']}": Person(
                decides=p.get("decision_maker", False),
                held=span(p, rulebook, "since", "until"),
                authority=p.get("authority", ""),
                shared=p.get("shared", False),
            )
            for p in case.get("people", ())
        },
        birth=date.fromisoformat(child["birth_date"]) if "birth_date" in child else None,
        own_age=rulebook.age_of_own_consent.get(case.get("program", "")),
        capacity=tuple(
            (
                rulebook.start_of(date.fromisoformat(entry["assessed_on"])) if "assessed_on" in entry else None,
                entry["capable"],
                "assessed_by" in entry,
            )
            for entry in child.get("decision_making", ())
        ),
        rulebook=rulebook,
    )


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
