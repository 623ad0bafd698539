"""What the programs ask for: in the answer to a put, on the API, as FHIR Tasks, and on the pages; and the waitlist."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.core.fhir.models import problems
from adapter.web.context import KEY
from tests.web.conftest import ROOT, Web
from tests.web.shapes import assert_error
from tests.web.test_console import Structure, sign_in

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)


@pytest.fixture
def own(web: Web) -> Iterator[Web]:
    """The clock stands."""
    desk = web.app.extensions[KEY]
    web.app.extensions[KEY] = replace(desk, clock=lambda: NOW)
    yield web


def fixture(name: str) -> Any:
    return json.loads((ROOT / "fixtures" / name / "case.json").read_text(encoding="utf-8"))


def put(web: Web, case: Any) -> Any:
    answer = web.ask("source", "PUT", f"/api/cases/{case['case']}", case)
    assert answer.status_code == 202
    return answer.json


def waits(web: Web, number: str, first: str | None, priority: str = "none", region: str = "North") -> None:
    case = fixture("minimal") | {"case": number}
    case["enrolment"] = {"status": "waitlisted", "waitlist": {"priority": priority, "region": region}}
    put(web, case if first is None else case | {"enrolment": case["enrolment"] | {"first_contact": first}})


def test_whoever_puts_a_case_is_told_what_its_program_asks_for(own: Web) -> None:
    """With the JSON Pointer of the place, in the words of the program's file; no day of a record and no word of it."""
    told = {(w["pointer"], w["detail"]) for w in put(own, fixture("shared-decision"))["warnings"]}
    review = "Overdue: Review the plan with the child and the family. (ontario-csp, plan-reviewed-every-six-months)"
    assert ("/care_plans/0", review) in told
    assert any(pointer == "/referrals" and detail.startswith("Missing: ") for pointer, detail in told)
    asked = " ".join(detail for _, detail in told if "ontario-csp" in detail)
    assert not [word for word in ("2026", "Kofi", "Netherwhistle", "deaf") if word in asked]


def test_what_is_due_names_rule_and_place_and_day(own: Web) -> None:
    put(own, fixture("wraparound"))
    found = own.ask("coordinator", "GET", "/api/due").json
    (answer,) = [row for row in found["findings"] if row["rule"] == "referral-answered"]
    assert answer | {"case": "", "sentences": {}} == {
        "case": "", "kind": "overdue", "path": "referrals/r-school", "due": "2026-11-06", "since": "2026-11-07",
        "sentence": "Ask the agency that the child was referred to for its answer.", "sentences": {},
        "rule": "referral-answered", "program": "wraparound",
        "source": "docs/referrals.md, A warm hand-over, and nobody answering: overdue after its respond_by day",
    }  # fmt: skip
    assert answer["sentences"]["fr"].startswith("Demander sa réponse")
    assert {"due", "findings", "next"} == set(found)
    soon = own.ask("coordinator", "GET", "/api/due?days=400").json["findings"]
    assert {r["rule"] for r in soon} > {r["rule"] for r in found["findings"]}
    assert "plan-reviewed-every-30-days" in {r["rule"] for r in soon if r["due"] == "2026-12-16"}


def test_pages_of_cases_hold_all_that_is_asked_for(own: Web) -> None:
    for name in ("minimal", "wraparound", "shared-decision"):
        put(own, fixture(name))
    whole = own.ask("privacy", "GET", "/api/due").json["findings"]
    pages, after = [], None
    for _ in range(4):
        page = own.ask("privacy", "GET", f"/api/due?limit=1{f'&after={after}' if after else ''}").json
        pages += page["findings"]
        after = page["next"]
        if after is None:
            break
    assert pages == whole
    assert len({row["case"] for row in whole}) == 3


@pytest.mark.parametrize("name", ["ontario-csp", "early-intervention", "person-centred", "wraparound"])
def test_what_is_due_as_fhir_is_valid_and_stays_the_same(own: Web, name: str) -> None:
    """Tasks for the coordinator's own system; the same thing has the same identifier as long as it is asked for."""
    number = fixture(name)["case"]
    put(own, fixture(name))
    answer = own.ask("coordinator", "GET", f"/api/due?case={number}&as=fhir")
    assert answer.mimetype == "application/fhir+json"
    bundle = json.loads(answer.data)
    rows = own.ask("coordinator", "GET", f"/api/due?case={number}").json["findings"]
    tasks = [entry["resource"] for entry in bundle["entry"]]
    assert [t["description"] for t in tasks] == [row["sentence"] for row in rows]
    assert [t.get("restriction", {}).get("period", {}).get("end") for t in tasks] == [row["due"] for row in rows]
    assert {t["for"]["identifier"]["value"] for t in tasks} == {number}
    assert len({t["id"] for t in tasks}) == len(tasks)
    assert {t["owner"]["identifier"]["value"] for t in tasks} == {
        f"{number}/{fixture(name)['enrolment']['coordinator']}"
    }
    assert problems(bundle, release="R4") == []
    checker = own.app.extensions[KEY].bench.checkers["R4"]
    assert [found for found in checker.each([(t["id"], t) for t in tasks]) if found] == []
    again = json.loads(own.ask("coordinator", "GET", f"/api/due?case={number}&as=fhir&days=60").data)
    assert {t["id"] for t in tasks} <= {entry["resource"]["id"] for entry in again["entry"]}


def test_the_next_page_of_tasks_is_linked(own: Web) -> None:
    for name in ("minimal", "wraparound"):
        put(own, fixture(name))
    bundle = json.loads(own.ask("privacy", "GET", "/api/due?as=fhir&limit=1").data)
    (link,) = bundle["link"]
    rest = json.loads(own.ask("privacy", "GET", link["url"][link["url"].index("/api/") :]).data)
    values = [{e["resource"]["for"]["identifier"]["value"] for e in b["entry"]} for b in (bundle, rest)]
    assert values[0].isdisjoint(values[1])
    assert_error(own.ask("privacy", "GET", "/api/due?as=xml"), 400)


def test_the_waitlist_is_in_order_and_says_why(own: Web) -> None:
    waits(own, "C-1", "2026-03-01")
    waits(own, "C-2", "2026-02-01", region="South")
    waits(own, "C-3", "2026-06-01", "crisis", region="South")
    put(own, fixture("wraparound"))
    found = own.ask("coordinator", "GET", "/api/waitlist").json["waitlist"]
    assert [(p["place"], p["case"], p["place_in_region"]) for p in found] == [
        (1, "C-3", 1),
        (2, "C-2", 2),
        (3, "C-1", 1),
    ]
    assert found[0]["why"].startswith("Priority: family in crisis. First contact on 2026-06-01.")
    assert found[0]["whys"]["fr"].startswith("Priorité : famille en crise.")
    south = own.ask("source", "GET", "/api/waitlist?region=South").json["waitlist"]
    assert [p["place"] for p in south] == [1, 2]
    assert own.ask("privacy", "GET", "/api/waitlist?program=wraparound").json == {"waitlist": []}
    own.ask("admin", "DELETE", "/api/cases/C-3")
    assert [p["case"] for p in own.ask("privacy", "GET", "/api/waitlist").json["waitlist"]] == ["C-2", "C-1"]


@pytest.mark.parametrize("path", ["/api/waitlist", "/api/due", "/api/due?as=fhir"])
def test_partners_and_engineers_may_not_ask(own: Web, path: str) -> None:
    """What is computed from a whole case is for those who may see whole cases."""
    waits(own, "C-1", "2026-03-01")
    for who in ("lakeside", "riverside", "engineer"):
        answer = own.ask(who, "GET", path)
        assert_error(answer, 403)
        assert "C-1" not in answer.text
    assert_error(own.ask(None, "GET", path), 401)


def test_the_page_of_a_case_shows_what_is_asked_and_enters_the_look(own: Web) -> None:
    put(own, fixture("shared-decision"))
    browser, _ = sign_in(own, "coordinator")
    page = browser.get("/cases/C-7045")
    assert page.status_code == 200
    assert "Review the plan with the child and the family." in page.text
    assert "plan-reviewed-every-six-months" in page.text
    assert not [word for word in ("Kofi", "Asante", "Netherwhistle") if word in page.text]
    shape = Structure(page.text)
    assert len(shape.all("h1")) == 1
    assert all("scope" in header for header in shape.all("th"))
    looks = own.ask("privacy", "GET", "/api/cases/C-7045/disclosures").text
    assert "look" in looks
    assert browser.get("/cases/none").status_code == 404
    counts = browser.get("/waiting").text
    assert 'href="/cases/C-7045"' in counts
    assert 'href="/cases/C-7045"' in browser.get("/").text


def test_the_page_of_the_waitlist_shows_regions_and_reasons(own: Web) -> None:
    waits(own, "C-1", "2026-03-01")
    waits(own, "C-2", "2026-02-01", region="South & East")
    browser, _ = sign_in(own, "privacy")
    page = browser.get("/waitlist").text
    assert page.index("C-2") < page.index("C-1")
    assert "Priority: no priority. First contact on 2026-02-01." in page
    assert 'href="/waitlist?region=South%20%26%20East"' in page
    south = browser.get("/waitlist?region=South %26 East").text
    assert "C-2" in south
    assert "/cases/C-1" not in south
    assert "at place 2 of" in browser.get("/cases/C-1").text
    engineer, _ = sign_in(own, "engineer")
    assert engineer.get("/waitlist").status_code == engineer.get("/cases/C-1").status_code == 403
