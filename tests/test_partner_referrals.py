"""What a partner file says of how it answers referrals: by which table, on which way, and how often it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter import catalogue as catalogues
from adapter.core.partner import Referrals
from adapter.errors import Misconfigured

FILE = """\
name = "Lakeside"
sectors = ["education"]
since = 2026-01-15
base_url = "https://fhir.lakeside.example.ca/fhir"
{}
"""


def _load(folder: Path, table: str) -> Referrals:
    (folder / "lakeside.toml").write_text(FILE.format(table), "utf-8")
    return catalogues.load(partners=folder).partners["lakeside"].referrals


def test_a_file_that_says_nothing_is_asked_each_hour_by_the_generic_table(tmp_path: Path) -> None:
    assert _load(tmp_path, "") == Referrals("generic", "poll", 60.0)


def test_a_file_may_choose(tmp_path: Path) -> None:
    assert _load(tmp_path, '[referrals]\ndialect = "bser"\nevery = 15') == Referrals("bser", "poll", 15)
    assert _load(tmp_path, '[referrals]\ndialect = "ontario"\nanswers = "push"') == Referrals("ontario", "push", 60.0)


def test_one_that_answers_by_a_link_needs_no_address(tmp_path: Path) -> None:
    without = FILE.replace('base_url = "https://fhir.lakeside.example.ca/fhir"\n', "")
    (tmp_path / "lakeside.toml").write_text(without.format('[referrals]\nanswers = "link"'), "utf-8")
    assert catalogues.load(partners=tmp_path).partners["lakeside"].referrals.answers == "link"
    (tmp_path / "lakeside.toml").write_text(without.format(""), "utf-8")
    with pytest.raises(Misconfigured):
        catalogues.load(partners=tmp_path)


@pytest.mark.parametrize(
    ("table", "line", "detail"),
    [
        ('[referrals]\ndialect = "gravitty"', 6, "dialect: must be one of bser, generic, gravity, ihe, ontario"),
        ('[referrals]\nanswers = "fax"', 6, "answers: must be one of poll, push, link"),
        ("[referrals]\nevery = 0", 6, "every: must be a number from 0.01 to 10080"),
        ('[referrals]\nanswers = "push"\nevery = 60', 7, "every: is of no use unless"),
        ('[referrals]\nanswers = "link"\npasses_on = true', 7, "passes_on: is of no use unless"),
        ("[referrals]\npasses_on = 1", 6, "passes_on: must be"),
        ("[referrals]\noften = true", 6, "often"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(table: str, line: int, detail: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as wrong:
        _load(tmp_path, table)
    assert [(f.line, detail in f.detail) for f in wrong.value.findings] == [(line, True)]
