"""The family's statement as a sheet and as a table for spreadsheets: the same rows, in one of our languages."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from adapter.core.account.statement import Fact
from adapter.core.account.words import HOW, PURPOSES, ROLES, SENTENCES, SOMEONE, day_in
from adapter.core.sheet import Block, Heading, Sheet, Words

MARK = "\ufeff"
"""A byte order mark: without it spreadsheets misread accents."""
_FORMULA = "=+-@\t\r\n＝＋－＠"


@dataclass(frozen=True, slots=True)
class Row:
    """One fact in words; what does not apply is empty."""

    day: date
    whom: str
    happened: str
    parts: str
    purposes: str
    permission: str
    how: str
    basis: str
    by: str
    times: int


@dataclass(frozen=True, slots=True)
class Names:
    """What families read for a code: `parts` part → language → words; `partners` id → name; `signed`: `consents/c1` →
    the day."""

    parts: Mapping[str, Mapping[str, str]]
    partners: Mapping[str, str]
    signed: Mapping[str, date]


def rows(facts: Iterable[Fact], names: Names, language: str) -> list[Row]:
    """The facts in words."""
    return [_row(fact, names, language) for fact in facts]


def sheet(rows: Sequence[Row], *, agency: str, made: date, language: str) -> Sheet:
    """The statement as a sheet, for a screen or to print: a heading for each day, under it who, under that what."""
    say = SENTENCES[language]
    blocks: list[Block] = [Words(say["made"].format(day=day_in(language, made), agency=agency)), Words(say["intro"])]
    for day, of_day in groupby(rows, key=lambda row: row.day):
        blocks.append(Heading(day_in(language, day)))
        for whom, of_whom in groupby(of_day, key=lambda row: row.whom):
            blocks.append(Words(whom, "strong"))
            blocks += [Words(sentence(row, language)) for row in of_whom]
    blocks.append(Words(say["footer"] if rows else say["nothing"], "small" if rows else "plain"))
    return Sheet(language, say["title"], agency, tuple(blocks))


def table(rows: Sequence[Row], language: str) -> str:
    """The rows as CSV (RFC 4180), with a byte order mark; no cell is read as a formula."""
    lines: list[str] = []
    writer = csv.writer(_Lines(lines), lineterminator="\r\n")
    writer.writerow(SENTENCES[language]["columns"].split("|"))
    for row in rows:
        cells = [row.day.isoformat(), row.whom, row.happened, row.parts, row.purposes, row.permission]
        writer.writerow([_plain(cell) for cell in [*cells, row.how, row.basis, row.by, str(row.times)]])
    return MARK + "".join(lines)


def sentence(row: Row, language: str) -> str:
    """A row as one paragraph."""
    say = SENTENCES[language]
    more = {"purposes": row.purposes, "consents": row.permission, "basis": row.basis, "by": row.by}
    said = [row.happened, *(say[name].format(**{name: value.rstrip(".")}) for name, value in more.items() if value)]
    return " ".join([*said, *([say["times"].format(times=row.times)] if row.times > 1 else [])])


def _row(fact: Fact, names: Names, language: str) -> Row:
    say = SENTENCES[language]
    parts = ", ".join(names.parts[part][language] for part in fact.parts if part in names.parts)
    how = HOW.get(fact.how, HOW["other"])[language] if fact.how else ""
    looked = fact.kind.startswith("looked")
    by = ROLES.get(fact.by, SOMEONE)[language] if looked else fact.by
    whom = fact.to or (names.partners.get(fact.partner, say["gone"]) if fact.partner else say["us"])
    return Row(
        day=fact.day,
        whom=whom,
        happened=say[fact.kind].format(parts=parts or say["nothing-named"], by=by, how=how),
        parts=parts,
        purposes=", ".join(PURPOSES[purpose][language] for purpose in fact.purposes if purpose in PURPOSES),
        permission=", ".join(sorted({_consent(consent, fact.day, names, language) for consent in fact.consents})),
        how=how,
        basis=fact.basis,
        by="" if looked else by,
        times=fact.times if looked else 1,
    )


def _consent(consent: str, used: date, names: Names, language: str) -> str:
    """By the day of its signature. A signature of a later day than the consent was used is another version's."""
    say = SENTENCES[language]
    day = names.signed.get(consent.partition("@")[0])
    known = day is not None and day <= used
    return say["consent"].format(day=day_in(language, day)) if day and known else say["consent-unknown"]


def _plain(cell: str) -> str:
    """A cell that a spreadsheet takes as text (OWASP, *CSV injection*): also one that only looks like a formula."""
    return f"'{cell}" if cell.lstrip(" '").startswith(tuple(_FORMULA)) or cell.startswith(tuple(_FORMULA)) else cell


class _Lines:
    """What csv writes to: a list of lines, since nothing here opens files."""

    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append
