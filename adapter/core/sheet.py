"""What goes on paper, as a value: words, boxes to tick, columns, lines to sign; rendered as HTML and PDF elsewhere.

Texts are plain; whoever renders escapes them. A sheet says nothing of fonts, colours or pages.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph. `weight`: plain; strong for what must not be overlooked; small for what may be read later."""

    text: str
    weight: str = "plain"


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels with their values; an empty value is a line to write on."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A box to tick (`initials` False) or a place for initials; as it was filled in, where it was."""

    ticked: bool = False
    initials: bool = False
    written: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A box with its words, and smaller lines under them."""

    mark: Mark
    text: str
    under: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choices:
    rows: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class GridRow:
    text: str
    marks: tuple[Mark, ...]
    under: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """A box for each line and column. `corner` says what the lines are."""

    corner: str
    columns: tuple[str, ...]
    rows: tuple[GridRow, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under their headings."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Room:
    """Room to write by hand, `lines` high; or what was written."""

    label: str
    lines: int = 4
    written: str = ""


@dataclass(frozen=True, slots=True)
class Signatures:
    """A line for each: who, how it was given or signed, and when; empty values are lines to write on."""

    who: str
    how: str
    when: str
    rows: tuple[tuple[str, str, str], ...]


Block = Heading | Words | Facts | Choices | Grid | Table | Room | Signatures


@dataclass(frozen=True, slots=True)
class Sheet:
    """`language` is one of LEGENDS; `footer` stands on every page, with the page's number where there are pages."""

    language: str
    title: str
    footer: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Legend:
    """The renderers' own few words, in the language of the sheet. `page` has {page} and {pages} in it."""

    ticked: str
    not_ticked: str
    initials: str
    no_initials: str
    page: str


LEGENDS = {
    "en": Legend("ticked", "not ticked", "initials", "no initials", "Page {page} of {pages}"),
    "fr": Legend("coché", "non coché", "initiales", "sans initiales", "Page {page} de {pages}"),
}
