"""A consent form filled in for a case, as a sheet to sign: who may receive, what is ticked, who has to sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from adapter.core.consent.forms import Box, Form, Section, selected
from adapter.core.consent.grantors import CHILD, read_grantors
from adapter.core.consent.rulebook import Rulebook
from adapter.core.sheet import (
    Block,
    Choice,
    Choices,
    Facts,
    Grid,
    GridRow,
    Heading,
    Mark,
    Room,
    Sheet,
    Signatures,
    Words,
)

LABELS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "child": "Child or youth",
            "birth_date": "Date of birth",
            "agency": "Agency",
            "version": "form {form}, version {version}",
            "who": "Who may receive it",
            "for": "What it may be used for",
            "box": "What may be shared",
            "in_file": "In the file: {titles}",
            "none_in_file": "In the file: none today",
            "limits": "Limits in your own words",
            "until": "How long",
            "from": "From",
            "last_day": "Last day",
            "know": "What you should know",
            "notice": "With everything that is shared goes this notice:",
            "sign": "Signatures",
            "signer": "Name",
            "signature": "Signature (or: by telephone, in person)",
            "date": "Date",
            "collected": "Explained and collected by",
            "young": "This form is signed by the young person.",
            "each": "Each of you decides together with the others: all of you must sign.",
            "any": "One of those who may decide for the child signs; more may.",
            "own": "The child may sign for itself.",
            "nobody": "Nobody who may decide for the child is on record.",
            "colon": ":",
            "signature-method": "signed",
            "electronic-method": "signed electronically",
            "verbal-method": "spoken",
        },
        "fr": {
            "child": "Enfant ou jeune",
            "birth_date": "Date de naissance",
            "agency": "Organisme",
            "version": "formulaire {form}, version {version}",
            "who": "Qui peut le recevoir",
            "for": "À quoi cela peut servir",
            "box": "Ce qui peut être communiqué",
            "in_file": "Au dossier : {titles}",
            "none_in_file": "Au dossier : aucun aujourd'hui",
            "limits": "Limites dans vos propres mots",
            "until": "Pendant combien de temps",
            "from": "À partir du",
            "last_day": "Dernier jour",
            "know": "Ce que vous devez savoir",
            "notice": "Avec tout ce qui est communiqué va cet avis :",
            "sign": "Signatures",
            "signer": "Nom",
            "signature": "Signature (ou : par téléphone, en personne)",
            "date": "Date",
            "collected": "Expliqué et recueilli par",
            "young": "Ce formulaire est signé par la jeune personne.",
            "each": "Chacun de vous décide avec les autres : vous devez tous signer.",
            "any": "Une des personnes qui peuvent décider pour l'enfant signe; d'autres le peuvent aussi.",
            "own": "L'enfant peut signer pour soi.",
            "nobody": "Personne qui puisse décider pour l'enfant n'est au dossier.",
            "colon": " :",
            "signature-method": "signé",
            "electronic-method": "signé par voie électronique",
            "verbal-method": "de vive voix",
        },
    }
)
COLUMNS = 4
"""Partners side by side; more go into a further grid, so that each column stays wide enough to write in."""


def form_sheet(
    form: Form,
    case: Mapping[str, Any],
    rulebook: Rulebook,
    *,
    language: str,
    partners: Sequence[str],
    agency: str,
    now: datetime,
    ticks: Mapping[str, Any] | None = None,
) -> Sheet:
    """The form in one language, with the case's names and, where `ticks` are given, as it was filled in.

    `partners`: those on the paper, in this order. `ticks` must be of `ticks.take`, or what it would refuse is left out.
    """
    paper = _Paper(form, case, rulebook, language, tuple(partners), now, ticks or {})
    child = case.get("child", {})
    blocks: list[Block] = [
        Facts(
            (
                (paper.say("child"), name_of(child)),
                (paper.say("birth_date"), child.get("birth_date", "")),
                (paper.say("agency"), agency),
            )
        ),
        Words(form.intro[language]),
        *paper.receivers(),
        Heading(paper.say("for")),
        Words(form.purpose[language]),
    ]
    if form.always:
        blocks.append(Words(form.always_words[language], "strong"))
    for section in form.sections:
        blocks += paper.section(section)
    blocks += [
        Heading(paper.say("limits")),
        Room(form.limits[language], written=str(paper.ticks.get("limits", "")).strip()),
        *paper.period(),
        Heading(paper.say("know")),
        *(Words(note[language]) for note in form.notes),
        Words(" ".join([paper.say("notice"), *(notice[language] for notice in form.notices)])),
        *paper.signatures(),
    ]
    footer = paper.say("version").format(form=form.id, version=form.version)
    return Sheet(language, form.title[language], f"{form.title[language]} - {footer}", tuple(blocks))


def partners_of(case: Mapping[str, Any], rulebook: Rulebook) -> list[str]:
    """The partners that the case's organisations are: whom a family is asked about, if nobody says otherwise."""
    named = {organization.get("partner") for organization in case.get("organizations", ())}
    return sorted(partner for partner in rulebook.partners if partner in named)


def name_of(record: Mapping[str, Any]) -> str:
    """A person's name as it is written: given names, then the family name."""
    name = record.get("name", {})
    return " ".join([*name.get("given", ()), *([name["family"]] if "family" in name else [])])


@dataclass(frozen=True, slots=True)
class _Paper:
    form: Form
    case: Mapping[str, Any]
    rulebook: Rulebook
    language: str
    partners: tuple[str, ...]
    now: datetime
    ticks: Mapping[str, Any]

    def say(self, label: str) -> str:
        return LABELS[self.language][label]

    def receivers(self) -> list[Block]:
        heading = Heading(self.say("who"))
        before = self.form.receivers[self.language] + self.say("colon")
        names = [self.rulebook.partners[partner].name for partner in self.partners]
        if self.form.columns:
            return [heading, Words(f"{before} {', '.join(names)}")]
        chosen = self.ticks.get("to", ())
        rows = [Choice(Mark(partner in chosen), name) for partner, name in zip(self.partners, names, strict=True)]
        return [heading, Words(before), Choices(tuple(rows))]

    def section(self, section: Section) -> list[Block]:
        blocks: list[Block] = [Heading(section.title[self.language])]
        if section.text:
            blocks.append(Words(section.text[self.language]))
        if not self.form.columns:
            rows = (
                Choice(self.mark(box, self.boxes.get(box.id)), box.words[self.language], self.in_file(box))
                for box in section.boxes
            )
            return [*blocks, Choices(tuple(rows))]
        for start in range(0, max(len(self.partners), 1), COLUMNS):
            partners = self.partners[start : start + COLUMNS]
            blocks.append(
                Grid(
                    self.say("box"),
                    tuple(self.rulebook.partners[partner].name for partner in partners),
                    tuple(
                        GridRow(
                            box.words[self.language],
                            tuple(self.mark(box, self.cell(box, partner)) for partner in partners),
                            self.in_file(box),
                        )
                        for box in section.boxes
                    ),
                )
            )
        return blocks

    @property
    def boxes(self) -> Mapping[str, Any]:
        found = self.ticks.get("boxes", {})
        return found if isinstance(found, Mapping) else {}

    def cell(self, box: Box, partner: str) -> Any:
        row = self.boxes.get(box.id)
        return row.get(partner) if isinstance(row, Mapping) else None

    def mark(self, box: Box, value: Any) -> Mark:
        if box.initials:
            return Mark(isinstance(value, str) and bool(value.strip()), True, value if isinstance(value, str) else "")
        return Mark(value is True)

    def in_file(self, box: Box) -> tuple[str, ...]:
        """Which records of the case the box would name today: a family that signs knows what for."""
        chosen = [selector for gift in box.gives for selector in gift.records or ()]
        if not chosen:
            return ()
        found = selected(tuple(chosen), self.case)
        titles = [title for path in found if (title := self.title(path))]
        return (self.say("in_file").format(titles="; ".join(titles)),) if titles else (self.say("none_in_file"),)

    def title(self, path: str) -> str:
        collection, _, identity = path.partition("/")
        record = next(r for r in self.case[collection] if r["id"] == identity)
        words = record.get("title") or record.get("instrument") or record.get("kind", "").replace("-", " ")
        day = record.get("date") or record.get("on")
        return f"{words} ({day})" if day else str(words)

    def period(self) -> list[Block]:
        given = self.ticks.get("period", {})
        given = given if isinstance(given, Mapping) else {}
        chosen = given.get("choice", "")
        if not chosen and given.get("end"):
            chosen = next((term.id for term in self.form.periods if not term.months and not term.until), "")
        rows = (Choice(Mark(term.id == chosen), term.words[self.language]) for term in self.form.periods)
        days = ((self.say("from"), str(given.get("start", ""))), (self.say("last_day"), str(given.get("end", ""))))
        return [Heading(self.say("until")), Choices(tuple(rows)), Facts(days)]

    def signatures(self) -> list[Block]:
        """A line for each who has to sign, by the rules of today (consent.md, rule 6); or who did."""
        grantors = read_grantors(self.case, self.rulebook)
        deciders, words = list(grantors.current(self.now)), []
        if grantors.child_alone_permits(self.now):
            deciders, words = [CHILD], [self.say("young")]
        else:
            if deciders:
                words = [self.say("each" if grantors.shared(self.now) and len(deciders) > 1 else "any")]
            if grantors.child_may_permit(self.now):
                words.append(self.say("own"))
                deciders.append(CHILD)
            if not deciders:
                words = [self.say("nobody")]
        signed = {s["by"]: s for s in self.ticks.get("signed", ()) if isinstance(s, Mapping) and "by" in s}
        rows = [self.signature(who, signed.get(who)) for who in dict.fromkeys([*deciders, *signed])]
        collected = sorted({s["collected_by"] for s in signed.values() if "collected_by" in s})
        before = self.say("collected") + self.say("colon")
        rows += [(f"{before} {self.name(who)}".strip(), "", "") for who in collected or [""]]
        return [
            Heading(self.say("sign")),
            Words(" ".join(words), "strong"),
            Signatures(self.say("signer"), self.say("signature"), self.say("date"), tuple(rows)),
        ]

    def signature(self, who: str, given: Mapping[str, Any] | None) -> tuple[str, str, str]:
        if given is None:
            return self.name(who), "", ""
        method = f"{given.get('method')}-method"
        return self.name(who), LABELS[self.language].get(method, ""), str(given.get("at", ""))

    def name(self, path: str) -> str:
        if path == CHILD:
            return name_of(self.case.get("child", {}))
        collection, _, identity = path.partition("/")
        return next((name_of(r) for r in self.case.get(collection, ()) if r["id"] == identity), "")
