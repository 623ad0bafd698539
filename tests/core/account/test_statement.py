"""The family's statement: a small story in both languages, what it says of each line, and cells that are no formulas.

`ACCEPT_GOLDEN=1 pytest tests/core/account` writes the golden files anew, to be reviewed as a diff.
"""

from __future__ import annotations

import csv
import io
import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from adapter.core.account import pages
from adapter.core.account.chain import Line
from adapter.core.account.statement import KINDS, authorities, facts, signatures
from adapter.core.account.words import HOW, LANGUAGES, PURPOSES, ROLES, SENTENCES
from adapter.core.consent.rulebook import PURPOSES as KNOWN_PURPOSES
from adapter.paper.html import html
from adapter.paper.pdf import pdf
from tests.core.account.story import NAMES, PARTS, START, ZONE, entries, line, look, purged, story, told

GOLDEN = Path(__file__).parent / "golden"


def said(lines: list[Line], language: str = "en") -> list[pages.Row]:
    return pages.rows(facts(entries(lines), ZONE, order=PARTS), NAMES, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", ["txt", "csv"])
def test_the_story_reads_as_it_should(form: str, language: str) -> None:
    rows = said(story(), language)
    if form == "csv":
        made = pages.table(rows, language)
    else:
        sheet = pages.sheet(rows, agency="Maple Valley", made=date(2026, 10, 9), language=language)
        made = "\n".join([sheet.title, *(block.text for block in sheet.blocks if hasattr(block, "text")), ""])
    golden = GOLDEN / f"story.{language}.{form}"
    if os.environ.get("ACCEPT_GOLDEN"):
        golden.write_bytes(made.encode())
    assert made.encode() == golden.read_bytes()


ASKED = line(kind="delivered", urn="urn:uuid:4", about="withdrawal", parts=())
WHAT_LINES_SAY = {
    "what was delivered was received": ([line(kind="delivered")], ["received"]),
    "an attempt with an answer is said by the answer": ([line(), line(kind="delivered")], ["received"]),
    "an attempt without an answer is said": ([line()], ["open"]),
    "an attempt whose answer was found out later under another request is said by it": (
        [line(), line(1, kind="delivered", request_id="r2", outcome="existing")],
        ["received"],
    ),
    "an attempt after an answer is open again": (
        [line(kind="delivered"), line(operation="update")],
        ["received", "open"],
    ),
    "what was refused failed": ([line(kind="failed", outcome="rejected")], ["failed"]),
    "what may have arrived is not said to have failed": ([line(kind="failed", outcome="unknown")], ["unknown"]),
    "what was deleted was taken back": ([line(kind="withdrawn", operation="withdraw")], ["taken-back"]),
    "what was emptied was taken back": (
        [line(kind="delivered"), line(1, kind="delivered", operation="update", parts=())],
        ["received", "taken-back"],
    ),
    "what could not be deleted is said": (
        [line(kind="failed", operation="withdraw", outcome="rejected")],
        ["not-taken-back"],
    ),
    "a frozen copy is said": ([line(kind="frozen", operation="freeze")], ["frozen"]),
    "the partner's own consent is no news of its own": ([line(kind="delivered", about="consents/own")], []),
    "its end is": ([line(kind="delivered", operation="update", about="consents/own", parts=())], ["ended"]),
    "a request to purge is said, and that it is not answered": ([ASKED], ["purge-open"]),
    "that it is taken up is no answer yet": ([ASKED, purged(1, "taken-up")], ["purge-open"]),
    "one that is answered, and what": ([ASKED, purged(1)], ["purge", "purge-done"]),
    "one that is refused": ([ASKED, purged(1, "refused")], ["purge", "purge-refused"]),
    "one that could not be done": ([ASKED, purged(1, "failed")], ["purge", "purge-not-done"]),
    "one that a person knows to be refused": ([ASKED, purged(1, "kept", operation="entered")], ["purge", "purge-kept"]),
    "what was answered before is no answer to another request": (
        [ASKED, purged(1), replace(ASKED, at=line(2).at)],
        ["purge", "purge-done", "purge-open"],
    ),
    "of two requests of one day the last is said": ([ASKED, ASKED], ["purge-open"]),
    "one that is called off": (
        [ASKED, ASKED, purged(0, "called-off", operation="called-off")],
        ["purge", "purge-over"],
    ),
    "one that did not arrive too": (
        [line(kind="failed", about="withdrawal", parts=(), outcome="unknown")],
        ["purge-failed"],
    ),
    "a look at the case": ([look()], ["looked"]),
    "looks of one day are counted": ([look(), look(), look(0.1)], ["looked"]),
    "a look at what a partner sees": ([look(about="views/lakeside")], ["looked-view"]),
    "what was told by telephone": ([told()], ["told"]),
}


@pytest.mark.parametrize(("lines", "kinds"), WHAT_LINES_SAY.values(), ids=WHAT_LINES_SAY)
def test_what_a_line_says_to_a_family(lines: list[Line], kinds: list[str]) -> None:
    assert [fact.kind for fact in facts(entries(lines), ZONE)] == kinds


def test_a_day_is_one_in_the_agency_s_time_zone() -> None:
    """11 in the evening there is the next day in UTC."""
    late = line(12.5 / 24, kind="delivered")
    assert late.at.date() == date(2026, 10, 2)
    assert facts(entries([late]), ZONE)[0].day == date(2026, 10, 1)


def test_what_was_emptied_is_named_by_the_parts_that_it_had() -> None:
    lines = [line(kind="delivered"), line(1, kind="delivered", operation="update", parts=())]
    assert facts(entries(lines), ZONE)[1].parts == ("goals",)


def test_a_permission_is_dated_by_its_signature_unless_it_was_signed_later() -> None:
    """A consent that was signed anew since is not the one under which this was sent."""
    before, after = line(-40, kind="delivered"), line(kind="delivered")
    assert [row.permission for row in said([before, after])] == [
        "the one on file with us",
        "signed on 1 September 2026",
    ]


def test_dates_and_authorities_come_from_the_case() -> None:
    case = {
        "consents": [
            {
                "id": "c1",
                "signed_at": "2026-09-01T10:00:00-04:00",
                "authority": "parent",
                "granted_by": "people/mother",
            },
            {"id": "c2", "granted_by": "child"},
        ]
    }
    assert signatures(case) == {"consents/c1": date(2026, 9, 1)}
    assert authorities(case, {"versions": {"consents/c1": [3, ""]}}) == {
        "consents/c1@3": "parent",
        "consents/c2@1": "self",
    }
    assert signatures({}) == authorities({}, {}) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_ours_is_in_it(language: str) -> None:
    """No ids, paths, topics, hashes or codes: of the lines, or of the people at our desks."""
    sheet = pages.sheet(said(story(), language), agency="Maple Valley", made=date(2026, 10, 9), language=language)
    for text in (html(sheet).partition("<main>")[2], pages.table(said(story(), language), language)):
        ours = ("lakeside", "goals/", "consents/", "c1", "urn:", "mental-health", "education-planning", "r1", "Dana")
        assert not [word for word in ours if word in text]


def test_a_page_for_print_has_the_same_words() -> None:
    """A PDF, the same for the same account."""
    sheet = pages.sheet(said(story(), "fr"), agency="Maple Valley", made=date(2026, 10, 9), language="fr")
    assert pdf(sheet).startswith(b"%PDF-")
    assert pdf(sheet) == pdf(sheet)


def test_without_lines_it_says_so() -> None:
    sheet = pages.sheet([], agency="Maple Valley", made=date(2026, 10, 9), language="en")
    assert "Nothing was sent" in html(sheet)


def test_a_partner_and_a_part_that_are_no_more() -> None:
    (row,) = said([line(kind="delivered", partner="old-one", parts=("weather",))])
    assert (row.whom, row.parts) == ("A partner that we no longer work with", "")
    assert "details of the plan" in row.happened


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "'=1", "＝1", '=HYPERLINK("http://x","y")'],  # noqa: RUF001
)
def test_no_cell_is_a_formula(cell: str) -> None:
    """Whatever a person typed: after quotes are taken off, a spreadsheet sees an apostrophe first."""
    rows = said([told(to=cell, by=cell, basis=cell)])
    found = list(csv.reader(io.StringIO(pages.table(rows, "en").removeprefix(pages.MARK), newline="")))
    cells = [each for row in found[1:] for each in row]
    assert cells.count(f"'{cell}") == 3
    assert not [each for each in cells if each.lstrip()[:1] in tuple("=+-@＝")]  # noqa: RUF001


def test_a_page_shows_what_was_typed_as_text() -> None:
    rows = said([told(to="<script>alert(1)</script>", basis="a & b")])
    page = html(pages.sheet(rows, agency="<b>", made=date(2026, 10, 9), language="en"))
    assert "<script>" not in page
    assert "<b>" not in page
    assert "a &amp; b" in page


def test_each_language_has_every_sentence_with_the_same_gaps() -> None:
    import string

    def gaps(sentence: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}

    english, french = SENTENCES["en"], SENTENCES["fr"]
    assert set(english) == set(french)
    assert set(KINDS) <= set(english)
    assert {name: gaps(s) for name, s in english.items()} == {name: gaps(s) for name, s in french.items()}
    assert len(english["columns"].split("|")) == len(french["columns"].split("|"))
    assert all(set(words) == set(LANGUAGES) for table in (PURPOSES, ROLES, HOW) for words in table.values())
    assert set(PURPOSES) == set(KNOWN_PURPOSES)
    assert START.tzinfo is not None
