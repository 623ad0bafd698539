"""A sheet as a PDF to print and sign: fonts embedded, nothing loaded, the same sheet always the same bytes.

DejaVu Sans has the letters of French and the syllabics of Inuktitut and Cree; it is embedded as far as it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos

from adapter import log
from adapter.core.sheet import (
    LEGENDS,
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
    Table,
    Words,
)

FONTS = Path(__file__).parent / "fonts"
FONT = "DejaVuSans"
FORMATS = {"letter": (215.9, 279.4), "a4": (210.0, 297.0)}
"""Millimetres."""
TEXT, SMALL, HEADING, TITLE = 11.0, 9.5, 13.0, 18.0
"""Points."""
MARGIN, GAP, PAD = 18.0, 2.0, 1.5
BOX, INITIALS, COLUMN = 4.2, 17.0, 30.0
"""Millimetres: the side of a box, the line for initials, a column of a grid."""
MADE = datetime(2000, 1, 1, tzinfo=UTC)
"""PDF wants a date of creation; a real one would make each copy of the same sheet another file."""
_LINE = {TEXT: 5.4, SMALL: 4.6, HEADING: 6.4, TITLE: 8.6}


def pdf(sheet: Sheet, *, size: str = "letter") -> bytes:
    """The whole document. `size`: letter or a4."""
    log.replace_lines_of("fpdf", "fontTools")  # they name the letters that a font has not
    page = _Page(sheet, size)
    page.add_page()
    page.title_block(sheet.title)
    for block in sheet.blocks:
        page.block(block)
    return bytes(page.output())


class _Page(FPDF):
    """The sheet being laid out: what must stay together is measured first, and begins on a new page if need be."""

    def __init__(self, sheet: Sheet, size: str) -> None:
        super().__init__(format=FORMATS[size])
        self.sheet = sheet
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.c_margin = 0  # so that words begin where boxes and lines do
        self.set_auto_page_break(True, MARGIN + 4)
        self.add_font(FONT, "", FONTS / "DejaVuSans.ttf")
        self.add_font(FONT, "B", FONTS / "DejaVuSans-Bold.ttf")
        self.set_lang(sheet.language)
        self.set_title(sheet.title)
        self.set_creation_date(MADE)
        self.set_producer("")
        self.letters(TEXT)

    def footer(self) -> None:
        """On each page: which form and version it is, and which page of how many."""
        # What stands around a page, said so (ISO 32000-1, 14.8.2.2): a paragraph that runs over the page is one.
        self._out("/Artifact BMC")
        self.set_y(-MARGIN + 2)
        self.letters(SMALL)
        self.set_text_color(70)
        self.cell(self.epw - 40, 5, self.sheet.footer)
        counted = LEGENDS[self.sheet.language].page.format(page=self.page_no(), pages="{nb}")
        self.cell(40, 5, counted, align="R")
        self.set_text_color(0)
        self._out("EMC")

    def letters(self, points: float, *, bold: bool = False) -> None:
        self.set_font(FONT, "B" if bold else "", points)

    def title_block(self, text: str) -> None:
        self.words(text, TITLE, bold=True)
        self.ln(GAP)

    def block(self, block: Block) -> None:
        match block:
            case Heading(text):
                self.heading(text)
            case Words(text, weight):
                self.words(text, SMALL if weight == "small" else TEXT, bold=weight == "strong")
                self.ln(GAP)
            case Facts(rows):
                self.facts(rows)
            case Choices(rows):
                for row in rows:
                    self.choice(row)
                self.ln(GAP)
            case Grid():
                self.grid(block)
            case Table(headings, rows):
                self.table_of(headings, rows, height=0.0)
            case Room():
                self.room(block)
            case Signatures(who, how, when, rows):
                self.table_of((who, how, when), rows, height=13.0)

    def heading(self, text: str) -> None:
        """Never alone at the foot of a page."""
        self.ln(GAP)
        self.together(self.tall(text, self.epw, HEADING, bold=True) + 45)
        self.words(text, HEADING, bold=True)
        self.set_draw_color(110)
        self.line(self.l_margin, self.get_y() + 0.4, self.l_margin + self.epw, self.get_y() + 0.4)
        self.set_draw_color(0)
        self.ln(GAP)

    def words(self, text: str, points: float, *, bold: bool = False, width: float = 0, at: float | None = None) -> None:
        self.letters(points, bold=bold)
        if at is not None:
            self.set_x(at)
        self.multi_cell(width or self.epw, _LINE[points], text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def tall(self, text: str, width: float, points: float, *, bold: bool = False) -> float:
        """How high the text would stand, in millimetres."""
        self.letters(points, bold=bold)
        height = self.multi_cell(width, _LINE[points], text, align="L", dry_run=True, output=MethodReturnValue.HEIGHT)
        return float(height) if isinstance(height, int | float) else 0.0

    def together(self, height: float) -> bool:
        """Begin a new page where so much does not fit any more; was one begun?"""
        if self.get_y() + height <= self.page_break_trigger:
            return False
        self.add_page()
        return True

    def facts(self, rows: Iterable[tuple[str, str]]) -> None:
        label = 48.0
        for name, value in rows:
            self.together(max(self.tall(value or " ", self.epw - label, TEXT, bold=True), _LINE[TEXT]) + 2)
            top = self.get_y()
            self.words(name, TEXT, width=label)
            below = self.get_y()
            self.set_y(top)
            if value:
                self.words(value, TEXT, bold=True, width=self.epw - label, at=self.l_margin + label)
            else:
                self.rule(self.l_margin + label, top + _LINE[TEXT], 70)
            self.set_y(max(below, self.get_y()) + 0.8)
        self.ln(GAP)

    def rule(self, x: float, y: float, width: float) -> None:
        """A line to write on."""
        self.set_line_width(0.25)
        self.line(x, y, x + width, y)

    def choice(self, row: Choice) -> None:
        indent = (INITIALS if row.mark.initials else BOX) + 3
        width = self.epw - indent
        height = self.tall(row.text, width, TEXT) + sum(self.tall(line, width, SMALL) for line in row.under)
        self.together(height + GAP)
        top = self.get_y()
        self.mark(row.mark, self.l_margin, top + 0.4)
        self.words(row.text, TEXT, width=width, at=self.l_margin + indent)
        for line in row.under:
            self.words(line, SMALL, width=width, at=self.l_margin + indent)
        self.set_y(max(self.get_y(), top + BOX) + GAP)

    def mark(self, mark: Mark, x: float, y: float) -> None:
        """A box with a cross in it, or a line with initials on it."""
        self.set_line_width(0.35)
        if mark.initials:
            self.rule(x, y + BOX + 0.2, INITIALS)
            if mark.written:
                self.letters(TEXT, bold=True)
                self.set_xy(x, y - 0.6)
                self.cell(INITIALS, BOX + 0.6, mark.written, align="C")
            self.set_xy(self.l_margin, y - 0.4)
            return
        self.rect(x, y, BOX, BOX)
        if mark.ticked:
            self.set_line_width(0.7)
            self.line(x + 0.8, y + 0.8, x + BOX - 0.8, y + BOX - 0.8)
            self.line(x + 0.8, y + BOX - 0.8, x + BOX - 0.8, y + 0.8)
            self.set_line_width(0.25)

    def grid(self, grid: Grid) -> None:
        """Its headings stand again at the top of each page."""
        first = self.epw - COLUMN * len(grid.columns)
        widths = [first, *[COLUMN] * len(grid.columns)]
        headings = (grid.corner, *grid.columns)
        heights = [self.row_height(row, first) for row in grid.rows]
        self.together(self.head_height(headings, widths) + (heights[0] if heights else 0))
        self.head(headings, widths)
        for row, height in zip(grid.rows, heights, strict=True):
            if self.together(height):
                self.head(headings, widths)
            self.grid_row(row, widths, height)
        self.ln(GAP)

    def row_height(self, row: GridRow, width: float) -> float:
        inner = width - 2 * PAD
        under = sum(self.tall(line, inner, SMALL) for line in row.under)
        return max(self.tall(row.text, inner, TEXT) + under, BOX + 2) + 2 * PAD

    def grid_row(self, row: GridRow, widths: Sequence[float], height: float) -> None:
        top = self.get_y()
        self.frames(widths, top, height)
        self.set_y(top + PAD)
        for points, text in ((TEXT, row.text), *((SMALL, line) for line in row.under)):
            self.words(text, points, width=widths[0] - 2 * PAD, at=self.l_margin + PAD)
        x = self.l_margin + widths[0]
        for mark, width in zip(row.marks, widths[1:], strict=True):
            inner = INITIALS if mark.initials else BOX
            self.mark(mark, x + (width - inner) / 2, top + (height - BOX) / 2 - 0.4)
            x += width
        self.set_y(top + height)

    def head_height(self, headings: Sequence[str], widths: Sequence[float]) -> float:
        tall = (self.tall(h, w - 2 * PAD, SMALL, bold=True) for h, w in zip(headings, widths, strict=True))
        return max(tall) + 2 * PAD

    def head(self, headings: Sequence[str], widths: Sequence[float]) -> None:
        self.cells(headings, widths, self.head_height(headings, widths), SMALL, bold=True)

    def table_of(self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, height: float) -> None:
        """Rows of text, each at least `height` high: in a table to sign there is room to sign in."""
        widths = [self.epw * 0.42, self.epw * 0.36, self.epw * 0.22] if height else []
        widths = widths or [self.epw / len(headings)] * len(headings)
        self.together(self.head_height(headings, widths) + max(height, 12))
        self.head(headings, widths)
        for row in rows:
            tall = max(self.tall(cell, w - 2 * PAD, TEXT) for cell, w in zip(row, widths, strict=True)) + 2 * PAD
            if self.together(max(tall, height)):
                self.head(headings, widths)
            self.cells(row, widths, max(tall, height), TEXT)
        self.ln(GAP)

    def cells(
        self, texts: Sequence[str], widths: Sequence[float], height: float, points: float, *, bold: bool = False
    ) -> None:
        top, x = self.get_y(), self.l_margin
        self.frames(widths, top, height)
        for text, width in zip(texts, widths, strict=True):
            self.set_y(top + PAD)
            self.words(text, points, bold=bold, width=width - 2 * PAD, at=x + PAD)
            x += width
        self.set_y(top + height)

    def frames(self, widths: Sequence[float], top: float, height: float) -> None:
        self.set_line_width(0.2)
        x = self.l_margin
        for width in widths:
            self.rect(x, top, width, height)
            x += width

    def room(self, room: Room) -> None:
        """Lines to write on, or what was written, which may be longer than a page."""
        self.together(self.tall(room.label, self.epw, TEXT) + (12 if room.written else 9.0 * room.lines))
        self.words(room.label, TEXT)
        self.ln(GAP)
        if room.written:
            self.words(room.written, TEXT, bold=True)
        else:
            for _ in range(room.lines):
                self.ln(9)
                self.rule(self.l_margin, self.get_y(), self.epw)
        self.ln(2 * GAP)
