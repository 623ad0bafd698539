"""Reads the consent forms: every word in both languages, and each box giving only what exists."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.catalogue.files import Found, Source, read_yaml
from adapter.catalogue.records import CodeList
from adapter.core.consent.forms import ALWAYS, CHOSEN, LANGUAGES, Box, Form, Gift, Section, Selector, Term, Words
from adapter.core.consent.rulebook import PURPOSES, TOPICS, UNREVIEWED
from adapter.core.consent.sight import NEVER

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_MOST_MONTHS = 60
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What a form can name: parts, sectors, and the collections with their fields and codes."""

    parts: Collection[str]
    sectors: Collection[str]
    schemas: Mapping[str, Source]
    lists: Mapping[str, CodeList]
    lines: Mapping[str, Collection[str]]
    """The codes of each ConceptMap: for lists that the schemas leave open."""


def read_forms(folder: Path, name: str, found: Found, known: Known) -> dict[str, Form]:
    """Every form of the folder, by the name of its file; errors noted for what it says wrongly or leaves out."""
    forms = {}
    for path in sorted(folder.glob("*.yaml")):
        source = read_yaml(path, f"{name}/{path.name}", found)
        if not source.text:
            continue
        before = len(found.errors)
        form = _Reader(source, found, known).form(path.stem)
        if len(found.errors) == before:
            forms[form.id] = form
    return forms


@dataclass(frozen=True, slots=True)
class _Reader:
    """One file: reads on past what is wrong, so that everything is told at once; the value then is not used."""

    source: Source
    found: Found
    known: Known

    def form(self, stem: str) -> Form:
        values = self.source.values
        self.keys(
            values,
            (
                "form", "version", "title", "intro", "receivers", "columns", "purposes", "purpose", "always",
                "sections", "limits", "periods", "notices", "notes",
            ),
        )  # fmt: skip
        if values.get("form") != stem:
            self.wrong("form: must be the name of the file", "form")
        if not isinstance(values.get("version"), str) or not values["version"].strip():
            self.wrong("version: must be a text that changes with every change of the form", "version")
        if not isinstance(values.get("columns", False), bool):
            self.wrong("columns: must be true or false", "columns")
        columns = values.get("columns", False) is True
        always = self.mapping(values.get("always"), "always")
        self.keys(always, ("parts", *LANGUAGES), "always")
        purposes = self.names(values.get("purposes"), "purpose", PURPOSES, "purposes")
        if not purposes:
            self.wrong("purposes: a form names what for", "purposes")
        sections = tuple(
            self.section(section, columns, "sections", i)
            for i, section in self.entries(values.get("sections"), "sections")
        )
        self.twice([(section.id, ("sections", i)) for i, section in enumerate(sections)])
        self.twice([(b.id, ("sections", i, "boxes", j)) for i, s in enumerate(sections) for j, b in enumerate(s.boxes)])
        periods = tuple(self.term(t, "periods", i) for i, t in self.entries(values.get("periods"), "periods"))
        self.twice([(term.id, ("periods", i)) for i, term in enumerate(periods)])
        return Form(
            id=stem,
            version=str(values.get("version")),
            title=self.words(values.get("title"), "title"),
            intro=self.words(values.get("intro"), "intro"),
            receivers=self.words(values.get("receivers"), "receivers"),
            columns=columns,
            purposes=purposes,
            purpose=self.words(values.get("purpose"), "purpose"),
            always=self.parts(always.get("parts"), "always", "parts"),
            always_words=self.words(always, "always"),
            sections=sections,
            limits=self.words(values.get("limits"), "limits"),
            periods=periods,
            notices=tuple(self.words(n, "notices", i) for i, n in self.entries(values.get("notices"), "notices")),
            notes=tuple(self.words(n, "notes", i) for i, n in self.entries(values.get("notes", ()), "notes")),
        )

    def section(self, value: Any, columns: bool, *place: str | int) -> Section:
        section = self.mapping(value, *place)
        self.keys(section, ("id", "title", "text", "boxes"), *place)
        return Section(
            id=self.identity(section, *place),
            title=self.words(section.get("title"), *place, "title"),
            text=self.words(section["text"], *place, "text") if "text" in section else None,
            boxes=tuple(
                self.box(box, columns, *place, "boxes", i)
                for i, box in self.entries(section.get("boxes"), *place, "boxes")
            ),
        )

    def box(self, value: Any, columns: bool, *place: str | int) -> Box:
        box = self.mapping(value, *place)
        self.keys(box, ("id", *LANGUAGES, "initials", "topic", "gives"), *place)
        identity, topic, initials = self.identity(box, *place), box.get("topic", ""), box.get("initials", False)
        if ("topic" in box) == ("gives" in box):
            self.wrong(f"{identity}: either names a topic or says what it gives", *place)
        if "topic" in box and topic not in (*TOPICS, UNREVIEWED):
            self.wrong(f"{identity}: names no topic that the rules know", *place, "topic")
        if not isinstance(initials, bool):
            self.wrong(f"{identity}: initials must be true or false", *place, "initials")
        gifts = self.entries(box.get("gives"), *place, "gives") if "gives" in box else []
        gives = tuple(self.gift(gift, identity, columns, *place, "gives", i) for i, gift in gifts)
        if len({gift.permits for gift in gives}) > 1:
            self.wrong(f"{identity}: 'never' is a box of its own: a box permits or denies", *place, "gives")
        if initials is not True and any(gift.permits and gift.topics for gift in gives):
            self.wrong(f"{identity}: a sensitive topic needs initials: true", *place, "gives")
        return Box(identity, self.words(box, *place), bool(topic) or initials is True, str(topic), gives)

    def gift(self, value: Any, box: str, columns: bool, *place: str | int) -> Gift:
        gift = self.mapping(value, *place)
        self.keys(gift, ("effect", "to", "purposes", "parts", "topics", "records"), *place)
        if gift.get("effect") not in ("permit", "deny"):
            self.wrong(f"{box}: effect must be permit or deny", *place, "effect")
        permits = gift.get("effect") == "permit"
        made = Gift(
            permits=permits,
            to=self.receivers(gift.get("to"), box, columns, *place, "to"),
            purposes=self.names(gift.get("purposes", ()), "purpose", PURPOSES, *place, "purposes"),
            parts=self.parts(gift.get("parts", ()), *place, "parts"),
            topics=self.names(
                gift.get("topics", ()), "topic", (*TOPICS, *(() if permits else ("all",))), *place, "topics"
            ),
            records=self.selectors(gift["records"], *place, "records") if "records" in gift else None,
        )
        if permits and not made.parts:
            self.wrong(f"{box}: a permit names its parts", *place)
        if not permits and made.records is not None:
            # It would name what is there when it is signed, and a denial must reach what comes later.
            self.wrong(f"{box}: a denial cannot choose records by their codes", *place, "records")
        return made

    def receivers(self, value: Any, box: str, columns: bool, *place: str | int) -> tuple[str, ...]:
        given = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()
        possible = {CHOSEN} if columns else {CHOSEN, "all", "care-team", *(f"sectors/{s}" for s in self.known.sectors)}
        if not given or not all(isinstance(each, str) and each in possible for each in given):
            which = "chosen, in a form with columns" if columns else "chosen, all, care-team or sectors/…"
            self.wrong(f"{box}: to must be {which}", *place)
        return tuple(str(each) for each in given)

    def parts(self, value: Any, *place: str | int) -> tuple[str, ...]:
        # Where parts.yaml cannot be read, that is told once, not by every box.
        known = self.known.parts or (value if isinstance(value, list) else ())
        return self.names(value, "part", [part for part in known if part != NEVER], *place)

    def names(self, value: Any, what: str, known: Collection[str], *place: str | int) -> tuple[str, ...]:
        if not isinstance(value, list | tuple):
            self.wrong(f"{place[-1]}: must be a list", *place)
            return ()
        for i, each in enumerate(value):
            if each not in known:
                self.wrong(f"{each}: is no {what} that a form can offer", *place, i)
        return tuple(str(each) for each in value)

    def selectors(self, value: Any, *place: str | int) -> tuple[Selector, ...]:
        return tuple(self.selector(selector, *place, i) for i, selector in self.entries(value, *place))

    def selector(self, value: Any, *place: str | int) -> Selector:
        selector = self.mapping(value, *place)
        self.keys(selector, ("of", "where"), *place)
        of, where = str(selector.get("of")), self.mapping(selector.get("where"), *place, "where")
        if "id" not in self.fields(of):
            self.wrong(f"{of}: is no collection of records", *place, "of")
        elif not where:
            self.wrong("where: names the codes of the records that are meant", *place)
        else:
            for field, codes in where.items():
                self.condition([of], str(field), codes, *place, "where", field)
        return Selector(
            of, tuple((str(f), tuple(map(str, c)) if isinstance(c, list) else ()) for f, c in where.items())
        )

    def condition(self, collections: list[str], field: str, codes: Any, *place: str | int) -> None:
        name, _, further = field.partition("/")
        leaves = [leaf for c in collections if isinstance(leaf := self.fields(c).get(name), Mapping)]
        refs = sorted({ref for leaf in leaves for ref in _found(leaf, "x-ref") or ()})
        if not leaves or (further and not refs):
            self.wrong(f"{field}: is no field of these records", *place)
        elif further:
            self.condition(refs, further, codes, *place)
        else:
            named = [leaf for leaf in leaves if isinstance(_found(leaf, "x-codes"), str)]
            possible = {code for leaf in named for code in self.codes(_found(leaf, "x-codes"))}
            if not named or not isinstance(codes, list) or not codes:
                self.wrong(f"{field}: must be a field of codes, with a list of them", *place)
            elif unknown := sorted(set(map(str, codes)) - possible):
                self.wrong(f"{field}: no code {', '.join(unknown)} is known", *place)

    def codes(self, name: str) -> set[str]:
        return {*self.known.lists.get(name, CodeList()).codes, *self.known.lines.get(name, ())}

    def fields(self, collection: str) -> Mapping[str, Any]:
        source = self.known.schemas.get(collection)
        fields = source.values.get("properties", {}) if source else {}
        return fields if isinstance(fields, Mapping) else {}

    def term(self, value: Any, *place: str | int) -> Term:
        term = self.mapping(value, *place)
        self.keys(term, ("id", *LANGUAGES, "months", "until"), *place)
        months, until = term.get("months", 0), term.get("until")
        if not isinstance(months, int) or isinstance(months, bool) or not 0 <= months <= _MOST_MONTHS:
            self.wrong(f"months: must be a whole number up to {_MOST_MONTHS}", *place, "months")
            months = 0
        if until is not None and not (isinstance(until, str) and _DAY.fullmatch(until)) or until == "02-29":
            self.wrong("until: must be a month and a day of every year, such as 06-30", *place, "until")
            until = None
        if months and until:
            self.wrong("a period is a number of months, or until a day", *place)
        day = (int(until[:2]), int(until[3:])) if until else None
        if day and day[1] > (29 if day[0] == 2 else 30 if day[0] in (4, 6, 9, 11) else 31):
            self.wrong("until: is no day that exists", *place, "until")
        return Term(self.identity(term, *place), self.words(term, *place), months, day)

    def words(self, value: Any, *place: str | int) -> Words:
        """Every language of it, or an error for each that is missing."""
        given = value if isinstance(value, Mapping) else {}
        for language in LANGUAGES:
            if not isinstance(given.get(language), str) or not given[language].strip():
                name = next(step for step in reversed(place) if isinstance(step, str))
                self.wrong(f"{name}: has no words in {language}", *place)
        return {language: str(given.get(language, "")).strip() for language in LANGUAGES}

    def identity(self, value: Mapping[str, Any], *place: str | int) -> str:
        identity = value.get("id")
        if not isinstance(identity, str) or not _ID.fullmatch(identity) or identity == ALWAYS:
            self.wrong("id: must be up to 40 small letters, digits and hyphens", *place, "id")
        return str(identity)

    def mapping(self, value: Any, *place: str | int) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.wrong(f"{place[-1]}: must hold keys and values", *place)
            return {}
        return value

    def entries(self, value: Any, *place: str | int) -> list[tuple[int, Any]]:
        if not isinstance(value, list | tuple) or (not value and place[-1] != "notes"):
            self.wrong(f"{place[-1]}: must be a list with something in it", *place)
            return []
        return list(enumerate(value))

    def keys(self, value: Mapping[str, Any], known: Collection[str], *place: str | int) -> None:
        for key in value:
            if key not in known:
                self.wrong(f"{key}: is not known here", *place, key)

    def twice(self, named: list[tuple[str, Place]]) -> None:
        seen: set[str] = set()
        for identity, place in named:
            if identity in seen:
                self.wrong(f"{identity}: this id stands twice", *place, "id")
            seen.add(identity)

    def wrong(self, detail: str, *place: str | int) -> None:
        self.found.errors.append(self.source.finding(detail, *place))


def _found(leaf: Mapping[str, Any], annotation: str) -> Any:
    """An annotation of a leaf, or of what its list or its choices hold."""
    return next((inner[annotation] for inner in _inner(leaf) if annotation in inner), None)


def _inner(leaf: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield leaf
    for below in (leaf.get("items"), *leaf.get("anyOf", ())):
        if isinstance(below, Mapping):
            yield from _inner(below)
