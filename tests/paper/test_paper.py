"""A form on paper: whole in both languages, harmless as HTML, the same bytes each time as PDF."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from adapter.core.consent.form_sheet import form_sheet, partners_of
from adapter.core.sheet import LEGENDS, Facts, Heading, Sheet, Table, Words
from adapter.paper.html import html
from adapter.paper.pdf import pdf
from tests.core.consent.form_case import NOW, RULES, form, form_case, forms, ticked, ticks

NASTY = "<script>alert(1)</script> & \"ᐃᓄᒃᑎᑐᑦ\" 'œuvre'"
BOTH = [pytest.param(each.id, language, id=f"{each.id} {language}") for each in forms() for language in ("en", "fr")]


def sheet(name: str, language: str, case: dict[str, Any] | None = None, **changes: Any) -> Sheet:
    case = case or form_case()
    partners = partners_of(case, RULES)
    given = {"language": language, "partners": partners, "agency": "Maple Valley", "now": NOW} | changes
    return form_sheet(form(name), case, RULES, **given)


class Reader(HTMLParser):
    """What a person reads, what a screen reader is told besides, and which elements there are."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.labels, self.tags, self.attributes = "", [], set[str](), set[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.labels += [value for name, value in attrs if name == "aria-label" and value]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(("name", "language"), BOTH)
def test_the_page_has_every_word_of_the_form(name: str, language: str) -> None:
    """Each box, each section, the child, the partners, and who has to sign."""
    read = Reader(html(sheet(name, language)))
    its = form(name)
    words = [its.title, its.intro, its.purpose, its.always_words, its.limits, *its.notices, *its.notes]
    words += [w for s in its.sections for w in (s.title, s.text) if w] + [b.words for b in its.boxes()]
    words += [term.words for term in its.periods]
    assert [w[language] for w in words if w[language] not in read.text] == []
    for known in ("Ama Wickenbrook", "2016-05-04", "Lakeside District School Board", "Josephine Wickenbrook", "2026-1"):
        assert known in read.text


@pytest.mark.parametrize(("name", "language"), BOTH)
def test_a_page_needs_nothing_else_and_runs_nothing(name: str, language: str) -> None:
    page = html(sheet(name, language))
    read = Reader(page)
    assert not read.tags & {"script", "img", "link", "iframe", "object", "form", "a"}
    assert not any(attribute.startswith("on") or attribute in ("src", "href") for attribute in read.attributes)
    assert f'<html lang="{language}">' in page
    assert "url(" not in page
    assert "http" not in re.sub(r'http-equiv="[^"]*"', "", page)


def test_every_value_is_escaped() -> None:
    """A name, a title of a document, handwritten limits and initials are text, whatever stands in them."""
    case = form_case()
    case["child"]["name"] = {"given": [NASTY], "family": NASTY}
    case["documents"][0]["title"] = NASTY
    given = ticks("default", {"my-plan": True, "hiv": NASTY[:10]}, limits=NASTY)
    page = html(sheet("default", "en", case, ticks=given))
    assert "<script" not in page
    assert Reader(page).text.count(NASTY) == 4


def test_what_was_ticked_is_marked_and_nothing_else() -> None:
    """For eyes, and for a screen reader."""
    boxes = ticked("default", "my-plan", "hiv", "never-family")
    read = Reader(html(sheet("default", "en", ticks=ticks("default", boxes))))
    # The box of the plan, of never, of the partner and of the year.
    assert read.labels.count("ticked") == 4
    assert [label for label in read.labels if label.startswith("initials")] == ["initials: JW"]
    given = ticks("reports", ticked("reports", "letter", "never-documents"))
    columns = Reader(html(sheet("reports", "fr", ticks=given)))
    assert columns.labels.count("coché") == 2
    assert [label for label in columns.labels if label.startswith("initiales")] == ["initiales: JW"]


def test_it_lists_the_reports_that_a_box_means() -> None:
    text = Reader(html(sheet("default", "en"))).text
    assert "In the file: What the iep says; What the school-report says" in text
    case = form_case()
    case["documents"] = []
    assert "In the file: none today" in Reader(html(sheet("default", "en", case))).text


def test_who_has_to_sign_follows_the_rules() -> None:
    """One decision maker, all where they are shared, the young person alone from the age of own consent."""
    case = form_case()
    assert "One of those who may decide" in Reader(html(sheet("default", "en", case))).text
    case["people"][0]["shared"] = case["people"][1]["decision_maker"] = True
    text = Reader(html(sheet("default", "en", case))).text
    assert "all of you must sign" in text
    assert "Bartholomew Tremblay-Ouellette" in text
    case["child"]["birth_date"] = "2009-01-01"
    text = Reader(html(sheet("default", "en", case))).text
    assert "signed by the young person" in text
    assert "Josephine" not in text


@pytest.mark.parametrize(("name", "language"), BOTH)
def test_a_pdf_is_whole_and_always_the_same(name: str, language: str) -> None:
    """Fonts embedded, no script, no action, nothing to fetch; the same sheet gives the same bytes."""
    made = pdf(sheet(name, language))
    assert made == pdf(sheet(name, language))
    assert made.startswith(b"%PDF-")
    assert made.rstrip().endswith(b"%%EOF")
    assert b"FontFile2" in made
    assert not re.search(rb"/(JavaScript|JS|AA|URI|Launch|EmbeddedFile)\b", made)
    assert b"/OpenAction [" in made, "a place to begin reading at, and no action"
    assert f"/Lang ({language})".encode() in made
    assert 2 <= len(re.findall(rb"/Type /Page\b", made)) <= 8


def test_a_pdf_can_be_of_either_size() -> None:
    assert b"[0 0 612.00 792.00]" in pdf(sheet("default", "en"))
    assert b"[0 0 595.28 841.89]" in pdf(sheet("default", "en"), size="a4")


def test_every_letter_of_a_name_has_a_shape() -> None:
    """French and Inuktitut are in the fonts: no empty boxes where a child's name should be."""
    from fontTools.ttLib import TTFont

    from adapter.paper.pdf import FONTS

    wanted = "àâäçéèêëîïôöùûüÿœæÀÂÇÉÈÊËÎÏÔÙÛŸŒÆ«»’ᐃᓄᒃᑎᑐᑦᖃᙱᖅᑲᔪᓛᕿᖏ"
    for file in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"):
        with TTFont(FONTS / file) as font:
            assert [letter for letter in wanted if ord(letter) not in font.getBestCmap()] == []


def test_long_and_many_things_go_on_to_further_pages() -> None:
    """Handwriting of many pages, a long table, seven partners side by side: nothing is cut off or fails."""
    many = {f"partner-{i}": RULES.partners["lakeside"] for i in range(7)}
    rules = replace(RULES, partners=many)
    given = ticks("reports", {"letter": {"partner-0": "JW"}}, limits="Not this. " * 1500 + "End")
    made = form_sheet(
        form("reports"), form_case(), rules, language="en", partners=list(many), agency="A", now=NOW, ticks=given
    )
    assert len(re.findall(rb"/Type /Page\b", pdf(made))) > 8
    assert html(made).count("Not this. ") >= 1500
    rows = Table(("a", "b"), (("one", "two"),) * 200)
    table = Sheet("en", "T", "F", (Heading("H"), rows, Words("small", "small"), Facts(())))
    assert len(re.findall(rb"/Type /Page\b", pdf(table))) > 3


def test_the_legend_has_the_same_words_in_each_language() -> None:
    for legend in LEGENDS.values():
        assert legend.page.format(page=1, pages=2)
