"""What a partner file says of how it answers referrals: by which table, on which way, and how often it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter import catalogue as catalogues
from adapter.catalogue.partners import criteria
from adapter.core.partner import Referrals
from adapter.core.toml_values import WrongError
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


def test_one_whose_server_tells_us_is_asked_every_six_hours_all_the_same(tmp_path: Path) -> None:
    table = (
        '[referrals]\nanswers = "subscription"\ncriteria = "Task?owner=Organization/7&identifier=https://a.example|"'
    )
    told = Referrals(
        "generic", "subscription", 360.0, criteria="Task?owner=Organization/7&identifier=https://a.example|"
    )
    assert _load(tmp_path, table) == told


CRITERIA = [
    "Patient?identifier=x|", "Task?", "Task?subject=Patient/1", "Task?for=Patient/1", "Task?owner=Patient/1",
    "Task?owner=RelatedPerson/1", "Task?identifier=https://a.example|123", "Task?identifier=https://a.example%7C123",
    "Task?identifier=a|,b|1", "Task?owner.name=x", "Task?identifier=a|1|", "Task?owner=Organization/1&_id=7",
    "Task?_id=7", "Task?owner=Organization/1,Patient/2", "Task?status=accepted\n", "Task?code:text=x",
    "Task?identifier=|",
]  # fmt: skip


@pytest.mark.parametrize("asked", CRITERIA)
def test_what_others_may_read_there_names_nobody(asked: str) -> None:
    with pytest.raises(WrongError):
        criteria(asked)


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
        ('[referrals]\nanswers = "fax"', 6, "answers: must be one of poll, subscription, push, link"),
        ('[referrals]\ntopic = "https://t.example.ca/a"', 6, 'topic: is of no use unless answers is "subscription"'),
        ('[referrals]\nanswers = "subscription"\ncriteria = "Task?patient=Patient/7"', 7, "nothing of a child"),
        ('[subscriptions]\nendpoints = ["https://hooks.example.ca/in"]', 6, "endpoints: must be a list of https"),
        ('[subscriptions]\nendpoints = ["http://10.0.0.7"]', 6, "endpoints: must be https, unless private"),
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
