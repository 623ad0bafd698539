"""The four kinds of rule: what each says of one record on one day. Days are set by the record alone, never by today:
what is overdue stays so until the record changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from typing import Any, NamedTuple

from adapter.core.mapping.environment import Env
from adapter.core.mapping.fhirpath import Expression
from adapter.core.programs.calendar import Interval, birthday, day_of, days_of
from adapter.core.programs.program import Age, Area, Around, Cover, Kind, Must, Repeat, Rule


class Said(NamedTuple):
    """What one rule says of one record."""

    kind: Kind
    due: date | None = None
    since: date | None = None
    area: Area | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One record with what expressions know of the case; `today` in `zone`, and until when something counts as due."""

    record: dict[str, Any]
    env: Env
    today: date
    zone: tzinfo
    until: date

    def holds(self, expression: Expression | None) -> bool:
        """None holds."""
        return expression is None or expression.test(self.record, self.env)

    def days(self, expression: Expression | None) -> list[date]:
        """The days that an expression gives, the earliest first."""
        return sorted(days_of(self._items(expression), self.zone))

    def first(self, expression: Expression | None) -> Any:
        return next(iter(self._items(expression)), None)

    def codes(self, expression: Expression) -> frozenset[str]:
        return frozenset(item for item in self._items(expression) if isinstance(item, str))

    def _items(self, expression: Expression | None) -> list[Any]:
        return [] if expression is None else expression.evaluate(self.record, self.env)


def said(rule: Rule, asked: Asked) -> Iterator[Said]:
    """What the rule finds in this record. ExpressionError: an expression cannot be worked out there."""
    match rule.asks:
        case Must():
            yield from _must(rule.asks, asked)
        case Repeat():
            yield from _repeat(rule.asks, asked)
        case Cover(codes, areas):
            there = asked.codes(codes)
            yield from (Said("missing", area=area) for area in areas if there.isdisjoint(area.codes))
        case Age():
            yield from _age(rule.asks, asked)


def _must(must: Must, asked: Asked) -> Iterator[Said]:
    told = list(_by_its_day(must, asked))
    # Asked last: it may look through the whole case.
    if told and not (must.holds is not None and asked.holds(must.holds)):
        yield from told


def _by_its_day(must: Must, asked: Asked) -> Iterator[Said]:
    if must.by is not None:
        for day in asked.days(must.by)[:1]:
            yield from _by(day, None, asked)
        return
    start = next(iter(asked.days(must.start)), None)
    if must.within is None or start is None:
        yield Said(must.says, since=start)
    else:
        yield from _by(must.within.after(start), start, asked)


def _repeat(repeat: Repeat, asked: Asked) -> Iterator[Said]:
    agreed = Interval.of(asked.first(repeat.agreed))
    usual = next((every for when, every in repeat.every if asked.holds(when)), None)
    if agreed is None and usual is None:
        return
    last = max(asked.days(repeat.last), default=None)
    start = last or next(iter(asked.days(repeat.start)), None)
    planned = [day for day in asked.days(repeat.planned) if last is None or day > last]
    if start is None and not planned:
        yield Said("missing")
        return
    given = [each.after(start) for each in (agreed, usual) if each is not None] if start else []
    given += [*planned, *_around(repeat.around, start, asked)]
    if day := min((day for day in given if day is not None), default=None):
        yield from _by(day, start, asked)


def _around(around: Around | None, start: date | None, asked: Asked) -> Iterator[date]:
    """The next time by the closer rhythm: not before the time around such a day begins, and only if it falls in it."""
    soonest = around.every.after(start) if around and start else None
    if around is None or soonest is None:
        return
    for day in asked.days(around.days):
        begins, ends = around.before.before(day), around.after.after(day)
        if begins and ends and max(soonest, begins) <= ends:
            yield max(soonest, begins)


def _age(age: Age, asked: Asked) -> Iterator[Said]:
    born = day_of(asked.record.get("birth_date"), asked.zone)
    if born is None:
        yield Said("missing")
        return
    years = age.under
    if age.otherwise is not None and asked.holds(age.otherwise[0]):
        years = age.otherwise[1]
    reached = birthday(born, years)
    if reached is None or reached == date.min:
        return
    last = reached - timedelta(days=1)
    if asked.today >= reached:
        yield Said("warning", last, reached)
    elif last <= asked.until:
        yield Said("due", last)


def _by(day: date | None, start: date | None, asked: Asked) -> Iterator[Said]:
    """Due until the end of the day, and overdue from the next one on; nothing where it is still far."""
    if day is None or day == date.max:
        return
    if day < asked.today:
        yield Said("overdue", day, day + timedelta(days=1))
    elif day <= asked.until:
        yield Said("due", day, start)
