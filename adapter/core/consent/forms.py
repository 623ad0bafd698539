"""A consent form as a value: its sections and boxes in two languages, and what each box gives or denies.

`mappings/consents/<form>.yaml` is read into it by `adapter.catalogue.forms`; `ticks` makes consents of it, `form_sheet`
the paper to sign. A box that is not ticked gives nothing (consent.md, *Consent forms*).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LANGUAGES = ("en", "fr")
CHOSEN = "chosen"
"""In `to`: the partners that the family chose on this form."""
ALWAYS = "always"
"""The id of the provision that goes along with every box that gives something."""

Words = Mapping[str, str]
"""Language → text, in the form's own words; every language of `LANGUAGES` is there."""


@dataclass(frozen=True, slots=True)
class Selector:
    """Records of one collection by their codes: field → codes, or reference/field → codes; all of them must hold."""

    of: str
    where: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Gift:
    """One provision of a box. `records` None: of any record; a selector finds those in the case when it is signed."""

    permits: bool
    to: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    records: tuple[Selector, ...] | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """What one tick means. `topic`: the box only lets what else is ticked speak about that topic."""

    id: str
    words: Words
    initials: bool = False
    topic: str = ""
    gives: tuple[Gift, ...] = ()

    @property
    def permits(self) -> bool:
        return any(gift.permits for gift in self.gives)


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: Words
    text: Words | None
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """How long: a number of months, until a day of the year (month, day), or, with neither, until a day to write in."""

    id: str
    words: Words
    months: int = 0
    until: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """One version of one form. `columns`: each box is ticked for each partner by itself."""

    id: str
    version: str
    title: Words
    intro: Words
    receivers: Words
    columns: bool
    purposes: tuple[str, ...]
    purpose: Words
    always: tuple[str, ...]
    """Parts that go along with every box that gives something."""
    always_words: Words
    sections: tuple[Section, ...]
    limits: Words
    periods: tuple[Term, ...]
    notices: tuple[Words, ...]
    notes: tuple[Words, ...]

    def boxes(self) -> Iterator[Box]:
        return (box for section in self.sections for box in section.boxes)

    def box(self, identity: str) -> Box | None:
        return next((box for box in self.boxes() if box.id == identity), None)


def selected(selectors: tuple[Selector, ...], case: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths of the records of a case that one of the selectors finds, in the order of the case."""
    return tuple(
        dict.fromkeys(
            f"{selector.of}/{record['id']}"
            for selector in selectors
            for record in case.get(selector.of, ())
            if all(_holds(record, field, codes, case) for field, codes in selector.where)
        )
    )


def _holds(record: Mapping[str, Any], field: str, codes: tuple[str, ...], case: Mapping[str, Any]) -> bool:
    name, _, further = field.partition("/")
    value = record.get(name)
    if not further:
        return not set(codes).isdisjoint(value if isinstance(value, list) else [value])
    collection, _, identity = str(value).partition("/")
    found = next((r for r in case.get(collection, ()) if r["id"] == identity), None)
    return found is not None and _holds(found, further, codes, case)


def told(form: Form) -> dict[str, Any]:
    """The form as JSON, for whoever shows it: every text in every language, what each box gives."""
    return {
        "form": form.id,
        "version": form.version,
        "title": dict(form.title),
        "intro": dict(form.intro),
        "receivers": dict(form.receivers),
        "columns": form.columns,
        "purposes": list(form.purposes),
        "purpose": dict(form.purpose),
        "always": {"parts": list(form.always), **form.always_words},
        "sections": [
            {
                "id": section.id,
                "title": dict(section.title),
                **({"text": dict(section.text)} if section.text else {}),
                "boxes": [_told_box(box) for box in section.boxes],
            }
            for section in form.sections
        ],
        "limits": dict(form.limits),
        "periods": [
            {
                "id": term.id,
                **term.words,
                **({"months": term.months} if term.months else {}),
                **({"until": "{:02}-{:02}".format(*term.until)} if term.until else {}),
            }
            for term in form.periods
        ],
        "notices": [dict(words) for words in form.notices],
        "notes": [dict(words) for words in form.notes],
    }


def _told_box(box: Box) -> dict[str, Any]:
    made: dict[str, Any] = {"id": box.id, **box.words, "initials": box.initials}
    if box.topic:
        return {**made, "topic": box.topic}
    return {**made, "gives": [_told_gift(gift) for gift in box.gives]}


def _told_gift(gift: Gift) -> dict[str, Any]:
    made: dict[str, Any] = {"effect": "permit" if gift.permits else "deny", "to": list(gift.to)}
    made |= {name: list(values) for name in ("purposes", "parts", "topics") if (values := getattr(gift, name))}
    if gift.records is not None:
        made["records"] = [{"of": s.of, "where": {k: list(v) for k, v in s.where}} for s in gift.records]
    return made
