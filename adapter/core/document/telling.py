"""The view as a family reads it: sections of plain blocks, of which the PDF and the document's own text are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapter.core.account.words import PURPOSES
from adapter.core.document.words import WORDS, day
from adapter.core.mapping.codes import ConceptMap
from adapter.core.sheet import Block, Facts, Heading, Sheet, Table, Words

Record = Mapping[str, Any]
LONG, LINES = 400, 12
"""Characters and lines of the longest cell of a table: more is told in paragraphs, which may run over pages."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section: `name` is that of its place in the document (`goals`), `title` what people read over it."""

    name: str
    title: str
    blocks: tuple[Block, ...]


def sections(view: Record, codes: Mapping[str, ConceptMap], *, language: str, partner: str) -> tuple[Section, ...]:
    """What the view's case says, section by section; those with nothing in them are left out.

    `language`: en or fr, of our own words; `partner`: the receiver's name, for *who may see this*.
    """
    tell = _Telling(view, codes, language)
    say = tell.say
    told = (
        ("child", say["child"].format(name=tell.child_called()), tell.child()),
        ("plan", say["plan"], tell.plans()),
        ("team", say["team"], tell.teams()),
        ("goals", say["goals"], tell.goals()),
        ("services", say["services"], tell.services()),
        ("transitions", say["transitions"], tell.transitions()),
        ("needs", say["needs"], tell.needs()),
        ("strengths", say["strengths"], tell.strengths()),
        ("assessments", say["assessments"], tell.assessments()),
        ("risks", say["risks"], tell.risks()),
        ("consent", say["consent"], tell.consent(partner)),
    )
    found = ((name, title, tuple(blocks)) for name, title, blocks in told)
    return tuple(Section(name, title, blocks) for name, title, blocks in found if blocks)


def sheet(told: Sequence[Section], *, language: str, title: str, on: str) -> Sheet:
    """The sections as one sheet to print. `on`: the day as of which it speaks, or empty."""
    say = WORDS[language]
    as_of = say["as-of"].format(day=day(language, on)) if on else ""
    blocks: list[Block] = [Words(as_of, "small")] if as_of else []
    for section in told:
        blocks += [Heading(section.title), *section.blocks]
    return Sheet(language, title, ", ".join(filter(None, (say["title"], as_of))), tuple(blocks))


@dataclass(frozen=True, slots=True)
class _Telling:
    case: Record
    codes: Mapping[str, ConceptMap]
    language: str
    say: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "say", WORDS[self.language])

    def child_called(self) -> str:
        name = self.case["child"].get("name", {})
        return str(name.get("preferred") or _full(name) or self.say["the-child"])

    def child(self) -> Iterator[Block]:
        say, child = self.say, self.case["child"]
        name, school, placement = child.get("name", {}), child.get("school", {}), child.get("placement", {})
        grade = say["grade"].format(grade=school["grade"]) if "grade" in school else ""
        yield from self._facts(
            ("name", _full(name)),
            ("called", name.get("preferred", "")),
            ("born", self._day(child.get("birth_date", ""))),
            ("pronouns", child.get("pronouns", "")),
            ("languages", _listed(self._language(each) for each in child.get("languages", ()))),
            ("school", _listed((self.who(school.get("organization", "")), grade))),
            ("placement", self._word("placement", placement.get("kind", ""))),
            ("likes", _listed(child.get("likes", ()), "; ")),
            ("dislikes", _listed(child.get("dislikes", ()), "; ")),
            ("works", _listed(child.get("what_works", ()), "; ")),
        )

    def plans(self) -> Iterator[Block]:
        for plan in self._records("care_plans"):
            if plan.get("title"):
                yield Words(plan["title"], "strong")
            yield from self._facts(
                ("period", self._period(plan.get("period", {}))),
                ("review", self._day(plan.get("reviews", {}).get("next", ""))),
                ("signed", _listed(self._dated(each, "who") for each in plan.get("signatures", ()))),
            )
            yield from self._under(self.say["vision"], plan.get("vision", ""))
            yield from self._under(self.say["about-me"], plan.get("about_me", ""))
            for each in plan.get("sections", ()):
                yield from self._under(self._word("section", each.get("code", "")), each.get("text", ""))

    def teams(self) -> Iterator[Block]:
        say = self.say
        for team in self._records("care_teams"):
            if team.get("name"):
                yield Words(team["name"], "strong")
            rows = []
            for seat in team.get("members", ()):
                role = self._word("team-role", seat.get("role", ""))
                lead = say["lead"].format(role=role) if seat.get("lead") else role
                rows.append((self.who(seat.get("member", "")), lead, self._workplace(seat.get("member", ""))))
            yield from _table((say["team-who"], say["team-role"], say["team-where"]), rows)

    def goals(self) -> Iterator[Block]:
        say = self.say
        for goal in sorted(self._records("goals"), key=lambda goal: (goal.get("rank", 1_000), str(goal.get("id")))):
            if goal.get("title"):
                yield Words(goal["title"], "strong")
            yield from self._facts(
                ("goal-by", self._dated(goal, "set_by")),
                ("goal-state", self._word("goal-status", goal.get("status", ""))),
                ("measure", goal.get("measure", "")),
                ("baseline", goal.get("baseline", "")),
                ("target", _target(goal.get("target", {}))),
                ("due", self._day(goal.get("due", ""))),
            )
            yield from self._under(say["goal-what"], goal.get("text", ""))
            yield from self._under(say["goal-why"], goal.get("relevance", ""))
            yield from self._under(say["barriers"], _listed(goal.get("barriers", ()), "; "))
            yield from self._steps(goal.get("steps", ()))
            progress = [_listed((self._noted(each), each.get("note", "")), ": ") for each in goal.get("progress", ())]
            yield from (Words(f"{say['progress']}: {text}") for text in progress if text)

    def services(self) -> Iterator[Block]:
        say = self.say
        rows = []
        for service in (each for plan in self._records("care_plans") for each in plan.get("services", ())):
            received = self._word("received", service.get("received", {}).get("is", ""))
            state = (self._word("service-status", service.get("status", "")), received)
            place = self._word("place", service.get("place", ""))
            rows.append(
                (
                    service.get("text") or self._word("service", service.get("code", "")),
                    _listed(self.who(service.get(by, "")) for by in ("provider", "organization")),
                    _listed((service.get("frequency", ""), place)),
                    _listed(state),
                )
            )
        yield from _table((say["service"], say["service-who"], say["service-how"], say["service-state"]), rows)

    def transitions(self) -> Iterator[Block]:
        for each in (each for plan in self._records("care_plans") for each in plan.get("transitions", ())):
            kind = self._word("transition-kind", each.get("kind", ""))
            where = self.who(each.get("to_organization", ""))
            if head := _listed((kind, self._day(each.get("date", "")), where)):
                yield Words(head, "strong")
            if each.get("text"):
                yield Words(each["text"])
            yield from self._steps(each.get("steps", ()))

    def needs(self) -> Iterator[Block]:
        say = self.say
        rows = [
            (
                _listed((self._whose(each), each.get("text", "")), ": "),
                self._word("need-urgency", each.get("urgency", "")),
                self._word("need-status", each.get("status", "")),
            )
            for each in self._records("needs")
        ]
        yield from _table((say["need"], say["urgency"], say["need-state"]), rows)

    def strengths(self) -> Iterator[Block]:
        for each in self._records("strengths"):
            if text := _listed((self._whose(each), each.get("text", "")), ": "):
                yield Words(text)

    def assessments(self) -> Iterator[Block]:
        for each in self._records("assessments"):
            kind = self._word("assessment-kind", each.get("kind", ""))
            by, on = self.who(each.get("by", "")), self._day(each.get("on", ""))
            named = _listed((kind, each.get("instrument", ""), by, on))
            if text := _listed((named, each.get("result", "")), ": "):
                yield Words(text)

    def risks(self) -> Iterator[Block]:
        for each in self._records("risks"):
            yield from self._under(self.say["risk"], each.get("text", ""))
            yield from self._under(self.say["helps"], each.get("what_helps", ""))
            watched = self.who(each.get("who_watches", "")), self._day(each.get("until", ""))
            yield from self._facts(("watches", watched[0]), ("due", watched[1]))

    def consent(self, partner: str) -> Iterator[Block]:
        say = self.say
        for own in self._records("consents"):
            purposes = [PURPOSES[each][self.language] for each in own.get("purposes", ()) if each in PURPOSES]
            if purposes:
                yield Words(say["allowed"].format(partner=partner, purposes=_listed(purposes)))
            if end := own.get("period", {}).get("end", ""):
                yield Words(say["until"].format(day=self._day(end)))
            yield from (Words(notice) for notice in own.get("notices", ()))
            yield Words(say["pass-on"], "strong")

    def who(self, path: str) -> str:
        """The name of whom a reference means; nobody's where the view does not hold them."""
        if path == "child":
            return self.child_called()
        if path == "family":
            return self.say["family"]
        found = next((each for each in self._records(path.partition("/")[0]) if each.get("path") == path), None)
        name = found.get("name", "") if found else ""
        return _full(name) if isinstance(name, Mapping) else str(name)

    def _workplace(self, path: str) -> str:
        found = next((each for each in self._records("providers") if each.get("path") == path), {})
        return self.who(found.get("organization", ""))

    def _whose(self, each: Record) -> str:
        whose = each.get("whose", "child")
        return "" if whose == "child" else self.say["the-family"] if whose == "family" else self.who(whose)

    def _steps(self, steps: Iterable[Record]) -> Iterator[Block]:
        say = self.say
        rows = [
            (
                _listed((each.get("text", ""), each.get("note", "")), ". "),
                self.who(each.get("responsible", "")),
                self._day(each.get("due", "")),
                self._word("step-status", each.get("status", "")),
            )
            for each in steps
        ]
        yield from _table((say["step-what"], say["step-who"], say["step-due"], say["step-state"]), rows)

    def _noted(self, each: Record) -> str:
        rating = each.get("rating")
        word = self._word("progress-rating", str(rating)) if rating is not None else ""
        return _listed((self._day(each.get("on", "")), self.who(each.get("by", "")), word))

    def _dated(self, each: Record, by: str) -> str:
        return _listed((self.who(each.get(by, "")), self._day(each.get("on", ""))))

    def _language(self, each: Record) -> str:
        with_ = self.say["interpreter"] if each.get("interpreter_needed") else ""
        return _listed((str(each.get("code", "")), with_), " ")

    def _under(self, title: str, text: str) -> Iterator[Block]:
        if text:
            yield Words(title, "strong")
            yield Words(text)

    def _facts(self, *rows: tuple[str, str]) -> Iterator[Block]:
        if told := tuple((self.say[name], value) for name, value in rows if value):
            yield Facts(told)

    def _period(self, period: Record) -> str:
        start, end = self._day(period.get("start", "")), self._day(period.get("end", ""))
        which = "from-to" if start and end else "from" if start else "to" if end else ""
        return self.say[which].format(start=start, end=end) if which else ""

    def _day(self, written: str) -> str:
        return day(self.language, written) if written else ""

    def _word(self, map_: str, code: str) -> str:
        """The words of a code, or the code itself where nobody has said what it means to others."""
        found = self.codes[map_].translate(code) if code and map_ in self.codes else None
        return found.text if found and found.text else code

    def _records(self, collection: str) -> Sequence[Record]:
        """In an order that does not depend on how the agency wrote them."""
        found = self.case.get(collection, ())
        return sorted(found, key=lambda each: str(each.get("path"))) if isinstance(found, list) else ()


def _full(name: Record) -> str:
    return " ".join(filter(None, (name.get("prefix"), *name.get("given", ()), name.get("family"), name.get("suffix"))))


def _listed(values: Iterable[str], between: str = ", ") -> str:
    return between.join(filter(None, values))


def _target(target: Record) -> str:
    value = "" if target.get("value") is None else str(target["value"])
    return _listed((_listed((value, target.get("unit", "")), " "), target.get("text", "")))


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Block]:
    """A table without the columns of which nothing is known; paragraphs where a cell would be longer than a page."""
    kept = [at for at in range(len(headings)) if any(row[at] for row in rows)]
    if any(len(cell) > LONG or cell.count("\n") > LINES for row in rows for cell in row):
        for row in rows:
            yield from (Words(f"{headings[at]}: {row[at]}") for at in kept if row[at])
    elif kept:
        yield Table(tuple(headings[at] for at in kept), tuple(tuple(row[at] for at in kept) for row in rows))
