"""The inbox over the API and on the pages: who may, what is shown, and what comes of deciding."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from adapter import show
from adapter.web.console.inbox import plain
from adapter.web.context import KEY
from tests.inbox.conftest import GOAL, PATIENT
from tests.verbs.agency import case_of
from tests.web.conftest import Web
from tests.web.shapes import assert_error
from tests.web.test_console import mark_of, sign_in

MARKED = {**GOAL, "description": {"text": "MARKER <b>walk</b> to school"}}


def sent(web: Web) -> str:
    """The item of a child that lakeside has written of."""
    for resource in (PATIENT, MARKED):
        path = f"/fhir/{resource['resourceType']}/{resource['id']}"
        assert web.ask("lakeside", "PUT", path, resource).status_code == 201
    (item,) = web.ask("coordinator", "GET", "/api/inbox").json["items"]
    return str(item["id"])


def matched(web: Web) -> str:
    case = case_of("minimal")
    assert web.ask("source", "PUT", f"/api/cases/{case['case']}", case).status_code == 202
    item = sent(web)
    answer = web.ask("coordinator", "POST", f"/api/inbox/{item}/match", {"case": case["case"]})
    assert (answer.status_code, answer.json["case"]) == (202, case["case"])
    return item


def test_an_item_is_read_decided_and_read_again_with_its_version(web: Web) -> None:
    item = matched(web)
    read = web.ask("coordinator", "GET", f"/api/inbox/{item}")
    paths = [p["path"] for each in read.json["records"] for p in each["proposals"]]
    goal = next(path for path in paths if path.startswith("goals/"))
    done = web.ask("source", "POST", f"/api/inbox/{item}/adopt", {"paths": [goal]}, If_Match=read.headers["ETag"])
    assert done.status_code == 202 and done.json["changed"] and "lakeside" in done.json["due"]
    late = web.ask("source", "POST", f"/api/inbox/{item}/adopt", {"all": True}, If_Match=read.headers["ETag"])
    assert_error(late, 412)
    sources = web.ask("source", "GET", "/api/cases/C-0001/sources").json["sources"]
    assert [each["path"] for each in sources] == [goal]
    bundle = web.ask("source", "GET", "/api/cases/C-0001/sources?as=fhir").json
    assert [e["resource"]["resourceType"] for e in bundle["entry"]] == ["Provenance"]


def test_whoever_opens_an_item_of_a_case_looks_at_the_case(web: Web) -> None:
    item = matched(web)
    before = looks(web)
    web.ask("source", "GET", f"/api/inbox/{item}")
    assert looks(web) == before, "a program does not look"
    web.ask("privacy", "GET", f"/api/inbox/{item}")
    assert looks(web) == before + 1


def looks(web: Web) -> int:
    found: Any = show.disclosures_of(web.app.extensions[KEY], "C-0001")
    return json.dumps(found).count('"look"')


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        pytest.param("state=other", "/state", id="a state that is none"),
        pytest.param("after=x", "/after", id="a place that is none"),
        pytest.param("limit=0", "/limit", id="no item at all"),
    ],
)
def test_what_cannot_be_read_is_named(web: Web, query: str, pointer: str) -> None:
    answer = web.ask("source", "GET", f"/api/inbox?{query}")
    assert_error(answer, 400)
    assert [each["pointer"] for each in answer.json["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("do", "body"),
    [
        pytest.param("match", {}, id="match without a case"),
        pytest.param("match", {"case": 5}, id="match a number"),
        pytest.param("match", {"case": "C", "pairs": []}, id="pairs that are none"),
        pytest.param("open", {"case": "C", "program": "x"}, id="open for no program"),
        pytest.param("open", {"case": "", "program": "wraparound"}, id="open without a number"),
        pytest.param("adopt", {"paths": []}, id="adopt nothing"),
        pytest.param("adopt", {"all": True, "paths": ["child"]}, id="adopt all and one"),
        pytest.param("adopt", {"all": True, "colour": 1}, id="an unknown field"),
        pytest.param("dismiss", {"all": True}, id="dismiss without a reason"),
        pytest.param("dismiss", {"paths": [5], "reason": "x"}, id="a path that is no text"),
    ],
)
def test_a_wrong_request_changes_nothing_and_names_what_is_wrong(web: Web, do: str, body: Any) -> None:
    item = sent(web)
    before = web.ask("source", "GET", f"/api/inbox/{item}").json
    answer = web.ask("coordinator", "POST", f"/api/inbox/{item}/{do}", body)
    assert_error(answer, 422)
    assert answer.json["errors"]
    assert web.ask("source", "GET", f"/api/inbox/{item}").json == before


def test_the_pages_show_the_item_beside_the_case_and_decide(web: Web) -> None:
    item = matched(web)
    browser, _ = sign_in(web, "coordinator")
    listed = browser.get("/inbox").text
    assert f"/inbox/{item}" in listed and "MARKER" not in listed
    page = browser.get(f"/inbox/{item}")
    shown = page.text
    assert "MARKER" in shown and "<b>walk" not in shown
    goal = re.search(r'name="paths" value="(goals/[^"]+)"', shown)
    version = re.search(r'name="version" value="(\d+)"', shown)
    assert goal and version
    form = {"mark": mark_of(page), "do": "adopt", "paths": goal[1], "version": version[1]}
    assert browser.post(f"/inbox/{item}", data=form).status_code == 303
    assert any(f"goals/{each['id']}" == goal[1] for each in web.ask("source", "GET", "/api/cases/C-0001").json["goals"])
    assert browser.post(f"/inbox/{item}", data=form).status_code == 412, "the page that was sent is an old one"


def test_a_form_without_its_mark_decides_nothing(web: Web) -> None:
    item = matched(web)
    browser, _ = sign_in(web, "coordinator")
    assert browser.post(f"/inbox/{item}", data={"do": "undo"}).status_code == 403
    assert web.ask("source", "GET", f"/api/inbox/{item}").json["case"] == "C-0001"


def test_a_child_that_is_new_opens_a_case_on_the_page(web: Web) -> None:
    item = sent(web)
    browser, _ = sign_in(web, "coordinator")
    page = browser.get(f"/inbox/{item}")
    form = {"mark": mark_of(page), "do": "open", "case": "N-1", "program": "wraparound"}
    assert browser.post(f"/inbox/{item}", data=form).status_code == 303
    assert web.ask("source", "GET", "/api/cases/N-1").json["child"]["name"]["family"] == "Okoye"


def test_a_privacy_officer_matches_and_adopts_nothing(web: Web) -> None:
    item = matched(web)
    browser, _ = sign_in(web, "privacy")
    page = browser.get(f"/inbox/{item}")
    assert 'value="adopt"' not in page.text
    form = {"mark": mark_of(page), "do": "adopt", "all": "1"}
    assert browser.post(f"/inbox/{item}", data=form).status_code == 403
    assert browser.post(f"/inbox/{item}", data={"mark": mark_of(page), "do": "undo"}).status_code == 303


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param({"id": "x", "value": 3, "unit": "per day"}, "value: 3\nunit: per day", id="fields, without an id"),
        pytest.param([{"text": "a"}, "b"], "text a\nb", id="entries, one a line"),
        pytest.param(True, "yes", id="yes"),
        pytest.param(None, "", id="nothing"),
        pytest.param("x" * 3000, f"{'x' * 2000}… (3000 characters)", id="what is too long to be read there"),
    ],
)
def test_a_value_is_shown_as_a_person_reads_it(value: Any, shown: str) -> None:
    assert plain(value) == shown
