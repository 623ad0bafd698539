"""The last look reads into the PDFs that leave: their pages, what stands around them; and stops what it cannot read."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from fpdf import FPDF

from adapter.core.consent.last_look import Stop
from adapter.core.consent.last_look.pages import pages
from adapter.core.sheet import Block, Facts, Heading, Sheet, Table, Words
from adapter.paper.pdf import pdf
from tests.core.consent import builders
from tests.core.consent.test_last_look import GOAL, bundle, look

FILLER = "Nothing of this is withheld from anybody. "


def paper(*blocks: Block, title: str = "The plan", footer: str = "The plan") -> bytes:
    return pdf(Sheet("en", title, footer, blocks))


def binary(content: bytes) -> dict[str, Any]:
    return bundle(data=base64.b64encode(content).decode())


def lines_up_to_the_foot_of_a_page() -> Words:
    return Words("\n".join(f"Line {number}" for number in range(38)))


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(partial(paper, Words(GOAL)), id="in a paragraph"),
        pytest.param(partial(paper, Words(FILLER + GOAL + FILLER)), id="over the end of a line"),
        pytest.param(partial(paper, Words(GOAL.replace(" ", "\n"))), id="a word a line"),
        pytest.param(partial(paper, Heading(GOAL)), id="in a heading"),
        pytest.param(partial(paper, Table(("a", "b", "c", "d"), (("1", "2", "3", GOAL),))), id="in a narrow cell"),
        pytest.param(partial(paper, Facts((("Goal", GOAL),))), id="as a fact"),
        pytest.param(partial(paper, title=GOAL), id="as the title of the file"),
        pytest.param(partial(paper, footer=GOAL), id="at the foot of each page"),
        pytest.param(
            partial(paper, lines_up_to_the_foot_of_a_page(), Words(f"{FILLER * 8}{GOAL} {FILLER * 8}")), id="anywhere"
        ),
        pytest.param(partial(paper, Words(f"(({GOAL}) \\ {GOAL}")), id="beside brackets"),
    ],
)
def test_a_withheld_text_stops_wherever_it_stands_in_a_pdf(written: Callable[[], bytes]) -> None:
    content = written()
    assert look(binary(content)) == Stop(("/goals/1/title",))
    document = {"resourceType": "Bundle", "type": "document", "entry": [{"resource": binary(content)}]}
    within = bundle(data=base64.b64encode(json.dumps(document).encode()).decode())
    assert look(within) == Stop(("/goals/1/title",)), "in a document in an attachment too"


@pytest.mark.parametrize("lines", range(28, 44))
def test_a_text_that_runs_over_a_page_is_one_text(lines: int) -> None:
    """What stands at the foot of the page is no part of it, wherever the page ends."""
    body = "\n".join([*("x" for _ in range(lines)), *GOAL.split(), "y"])
    assert look(binary(paper(Words(body)))) == Stop(("/goals/1/title",))


def test_a_word_that_a_narrow_cell_breaks_is_found() -> None:
    """A name longer than its column."""
    case = builders.case()
    case["people"][1]["name"]["given"] = ["Bartholomewandferdinandandmaximilian"]
    cell = Table(("a", "b", "c", "d", "e"), (("1", "2", "3", "4", "Bartholomewandferdinandandmaximilian"),))
    assert look(binary(paper(cell)), case=case) == Stop(("/people/1/name/given/0",))


def test_what_is_permitted_goes() -> None:
    assert look(binary(paper(Heading("The plan"), Words(FILLER * 40)))) is None


def test_a_document_in_an_attachment_is_read_as_json() -> None:
    """Line breaks and quotation marks are written otherwise in JSON: they hide nothing."""
    case = builders.case()
    case["goals"][1]["title"] = 'Fall asleep\nwithout "the panic" coming back'
    text = json.dumps({"text": case["goals"][1]["title"]}, indent=2)
    assert look(bundle(data=base64.b64encode(text.encode()).decode()), case=case) == Stop(("/goals/1/title",))


def _with_image() -> bytes:
    sheet = FPDF()
    sheet.add_page()
    sheet.set_font("Helvetica")
    sheet.cell(text="a font that does not say what its glyphs mean")
    return bytes(sheet.output())


def _plain() -> bytes:
    return paper(Words(FILLER))


def _instead(before: bytes, after: bytes) -> bytes:
    plain = _plain()
    assert before in plain
    return plain.replace(before, after)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda: b"%PDF-1.7\nnothing that is known", id="nothing in it that is known"),
        pytest.param(lambda: _plain()[: len(_plain()) // 2], id="cut"),
        pytest.param(_with_image, id="a font whose glyphs mean nothing"),
        pytest.param(partial(_instead, b"/Type /Catalog", b"/Type /Catalog /XFA (x)"), id="a form in XML"),
        pytest.param(partial(_instead, b"trailer\n<<", b"trailer\n<<\n/Encrypt 3 0 R"), id="encrypted"),
        pytest.param(partial(_instead, b"\nxref\n", b"\n% a remark\nxref\n"), id="a remark between objects"),
        pytest.param(
            partial(_instead, b"\nxref\n", b"\n99 0 obj\n<<\n/Length 5\n>>\nstream\nhello\nendstream\nendobj\nxref\n"),
            id="a stream that nobody refers to",
        ),
        pytest.param(partial(_instead, b"/FlateDecode", b"/ASCII85Decode"), id="a filter that is not known"),
    ],
)
def test_what_cannot_be_read_does_not_leave(written: Callable[[], bytes]) -> None:
    content = written()
    with pytest.raises((ValueError, LookupError)):
        pages(content)
    assert look(binary(content)) == Stop(("",))


def test_a_document_of_the_case_that_is_permitted_goes_as_it_is() -> None:
    """What an agency's own PDF holds was for a person to read (consent.md, *Unreviewed text*)."""
    scan = base64.b64encode(_with_image()).decode()
    case = builders.case()
    case["documents"] = [{"id": "scan", "title": "A scan", "bytes": scan, "type": "report"}]
    for consent in case["consents"]:
        for provision in consent["provisions"]:
            if provision["effect"] == "permit":
                provision["parts"] = [*provision["parts"], "documents"]
    assert look(bundle(data=scan), case=case) is None
    assert look(bundle(data=scan)) == Stop(("",))


def test_it_unpacks_no_more_than_it_can_hold() -> None:
    bomb = zlib.compress(b"0" * 60_000_000)
    stream = b"4 0 obj\n<<\n/Filter /FlateDecode\n/Length %d\n>>\nstream\n%s\nendstream\nendobj\n" % (len(bomb), bomb)
    with pytest.raises(ValueError, match="too large"):
        pages(b"%PDF-1.4\n" + stream)
