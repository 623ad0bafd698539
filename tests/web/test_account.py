"""The account on the API: what people read is entered, what they tell is taken in, and who asks gets which form."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from tests.web.conftest import ROOT, Web
from tests.web.shapes import assert_error

CASE = json.loads((ROOT / "fixtures" / "minimal" / "case.json").read_text(encoding="utf-8"))
PATH = f"/api/cases/{CASE['case']}"
TOLD = {
    "to": "Harbour Aid",
    "at": "2026-01-20",
    "how": "fax",
    "parts": ["identity"],
    "basis": "Duty to report",
    "by": "R. Osei",
}


@pytest.fixture
def stored(web: Web) -> Web:
    assert web.ask("source", "PUT", PATH, CASE).status_code == 202
    return web


def lines(web: Web) -> list[Any]:
    found: list[Any] = web.ask("source", "GET", f"{PATH}/disclosures").json
    return found


SEEN = {
    PATH: "",
    f"{PATH}/child": "child",
    f"{PATH}/goals/g1": "goals/g1",
    f"{PATH}/views/lakeside": "views/lakeside",
    f"{PATH}/views/lakeside?as=explain": "views/lakeside",
}


@pytest.mark.parametrize("role", ["coordinator", "privacy", "admin"])
@pytest.mark.parametrize(("path", "about"), SEEN.items(), ids=SEEN)
def test_what_a_person_reads_is_entered_as_a_look(stored: Web, role: str, path: str, about: str) -> None:
    assert stored.ask(role, "GET", path).status_code == 200
    (line,) = lines(stored)
    assert (line["kind"], line["record"], line["role"], line["partner"]) == ("look", about, role, "")


@pytest.mark.parametrize("path", [*SEEN, f"{PATH}/shares", f"{PATH}/disclosures", "/api/cases", "/healthz", "/readyz"])
def test_what_a_program_reads_is_no_look(stored: Web, path: str) -> None:
    assert stored.ask("source", "GET", path).status_code == 200
    assert lines(stored) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [(f"{PATH}/goals/none", 404), (f"{PATH}/views/none", 404), (f"{PATH}/views/lakeside?as=poem", 400)],
)
def test_what_showed_nothing_is_no_look(stored: Web, path: str, status: int) -> None:
    assert_error(stored.ask("coordinator", "GET", path), status)
    assert lines(stored) == []


def test_what_cannot_be_entered_is_not_shown(stored: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that leaves no line would be no accounting."""
    from adapter import steer
    from adapter.errors import Unavailable

    def full(*_: Any, **__: Any) -> None:
        raise Unavailable("The database cannot be reached, is full, or is locked.")

    monkeypatch.setattr(steer, "enter_look", full)
    answer = stored.ask("coordinator", "GET", PATH)
    assert_error(answer, 503)
    assert "Wickenbrook" not in answer.text


@pytest.mark.parametrize("role", ["coordinator", "privacy", "admin"])
def test_what_was_told_by_other_means_is_taken_in(stored: Web, role: str) -> None:
    answer = stored.ask(role, "POST", f"{PATH}/disclosures", TOLD)
    assert (answer.status_code, answer.json) == (201, {"case": CASE["case"], "seq": 1})
    (line,) = lines(stored)
    assert (line["kind"], line["to"], line["role"], line["consents"]) == ("told", "Harbour Aid", role, [])


@pytest.mark.parametrize("role", ["source", "engineer"])
def test_others_enter_nothing(stored: Web, role: str) -> None:
    assert_error(stored.ask(role, "POST", f"{PATH}/disclosures", TOLD), 403)
    assert_error(stored.ask(role, "GET", f"{PATH}/statement"), 403)
    assert lines(stored) == []


@pytest.mark.parametrize(
    "changes", [{"how": "Zquill"}, {"parts": ["Zquill"]}, {"at": "Zquill"}, {"Zquill": 1}, {"to": 7}]
)
def test_what_is_refused_says_why_and_repeats_nothing(stored: Web, changes: Any) -> None:
    answer = stored.ask("privacy", "POST", f"{PATH}/disclosures", TOLD | changes)
    assert_error(answer, 422)
    assert "Zquill" not in answer.text
    assert_error(stored.ask("privacy", "POST", f"{PATH}/disclosures", b"{"), 400)
    assert_error(stored.ask("privacy", "POST", "/api/cases/C-NONE/disclosures", TOLD), 404)
    assert lines(stored) == []


def test_the_statement_comes_in_three_forms_and_two_languages(stored: Web) -> None:
    stored.ask("privacy", "POST", f"{PATH}/disclosures", TOLD)
    page = stored.ask("coordinator", "GET", f"{PATH}/statement")
    assert page.content_type == "text/html; charset=utf-8"
    assert "Harbour Aid" in page.text
    table = stored.ask("coordinator", "GET", f"{PATH}/statement?as=csv&language=fr")
    assert table.content_type == "text/csv; charset=utf-8"
    assert next(csv.reader(io.StringIO(table.text)))[1] == "Qui"
    paper = stored.ask("coordinator", "GET", f"{PATH}/statement?as=pdf")
    assert (paper.content_type, paper.data[:5]) == ("application/pdf", b"%PDF-")
    for name in (table, paper):
        assert CASE["case"] not in name.headers["Content-Disposition"]


@pytest.mark.parametrize("asked", ["statement?as=doc", "statement?language=de", "disclosures?as=poem"])
def test_a_form_that_there_is_not(stored: Web, asked: str) -> None:
    assert_error(stored.ask("privacy", "GET", f"{PATH}/{asked}"), 400)


def test_systems_get_the_account_as_fhir(stored: Web) -> None:
    stored.ask("privacy", "POST", f"{PATH}/disclosures", TOLD)
    answer = stored.ask("source", "GET", f"{PATH}/disclosures?as=fhir")
    assert answer.content_type == "application/fhir+json"
    (entry,) = answer.json["entry"]
    assert entry["resource"]["resourceType"] == "AuditEvent"
