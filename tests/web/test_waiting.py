"""What waits for a person: on the API and on the pages; who may read texts, and what a release changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from adapter import show
from adapter.core.desired import Bench
from adapter.core.matching import Candidate
from adapter.store import matches, shares, tokens
from adapter.web.context import KEY
from tests.web.conftest import ROOT, Web
from tests.web.shapes import assert_error
from tests.web.test_console import Structure, mark_of, sign_in

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
TEXT = "Tie my own shoes before gym"
GOAL = "goals/g1"


@pytest.fixture
def own(web: Web) -> Iterator[Web]:
    """Two sources: a case system that labels, an intake form that does not; the clock stands."""
    desk = web.app.extensions[KEY]
    book = replace(desk.bench.rulebook, sources={"case-system": True, "intake-form": False})
    bench: Bench = replace(desk.bench, rulebook=book)
    web.app.extensions[KEY] = replace(desk, bench=bench, clock=lambda: NOW)
    given = dict(web.tokens)
    with web.store.writing() as tx:
        for source in ("case-system", "intake-form", "forgotten"):
            given[source] = tokens.new(tx, role="source", source=source, now=NOW)
    yield replace(web, tokens=given)


def said() -> Any:
    return json.loads((ROOT / "fixtures" / "minimal" / "case.json").read_text(encoding="utf-8"))


def put(web: Web, who: str, **changes: Any) -> Any:
    answer = web.ask(who, "PUT", "/api/cases/C-0001", said() | changes)
    assert answer.status_code == 202
    return answer.json


def goals(web: Web) -> set[str]:
    shown = web.ask("privacy", "GET", "/api/cases/C-0001/views/lakeside").json
    return {goal["title"] for goal in shown.get("goals", ())}


def paths(web: Web, **query: Any) -> set[str]:
    return {row["path"] for row in web.ask("privacy", "GET", "/api/review", query=query).json["waiting"]}


@pytest.mark.parametrize(
    ("who", "shared"),
    [
        pytest.param("case-system", True, id="a source that labels"),
        pytest.param("intake-form", False, id="a source that does not"),
        pytest.param("forgotten", False, id="a source that the settings do not know"),
        pytest.param("source", True, id="a token of no source, in an instance that labels"),
        pytest.param("coordinator", True, id="a person"),
    ],
)
def test_the_token_says_whose_text_it_is(own: Web, who: str, shared: bool) -> None:
    told = put(own, who)
    assert (goals(own) == {TEXT}) is shared
    assert (GOAL in paths(own)) is not shared
    assert any("waits for a review" in w["detail"] for w in told["warnings"]) is not shared


def test_one_record_of_another_source_waits_alone(own: Web) -> None:
    put(own, "case-system")
    goal = said()["goals"][0] | {"title": "Stop the panic before gym"}
    assert own.ask("intake-form", "PUT", f"/api/cases/C-0001/{GOAL}", goal).status_code == 202
    assert paths(own) == {GOAL}
    assert goals(own) == set()


def test_reading_it_lets_it_go_and_is_entered_in_the_account(own: Web) -> None:
    """Release: due at once, shared as far as consent goes; who read the text stands in the account."""
    put(own, "intake-form")
    (row,) = (r for r in own.ask("coordinator", "GET", "/api/review?text=true").json["waiting"] if r["path"] == GOAL)
    assert row["text"] == {"title": TEXT}
    lines = own.ask("privacy", "GET", "/api/cases/C-0001/disclosures").json
    assert GOAL in json.dumps(lines)
    answer = own.ask("coordinator", "POST", "/api/cases/C-0001/review", {"path": GOAL})
    assert (answer.status_code, answer.json["changed"]) == (200, True)
    assert goals(own) == {TEXT}
    assert GOAL not in paths(own)
    shares = own.ask("privacy", "GET", "/api/cases/C-0001/shares").json
    assert {share["due"] for share in shares} == {NOW.isoformat()}
    again = put(own, "intake-form")
    assert (again["changed"], goals(own)) == (False, {TEXT})


def test_topics_are_given_with_the_release(own: Web) -> None:
    put(own, "intake-form")
    own.ask("privacy", "POST", "/api/cases/C-0001/review", {"path": GOAL, "topics": ["mental-health"], "by": "D. Roy"})
    assert GOAL not in paths(own)
    assert goals(own) == set()


def test_nothing_but_paths_without_asking_for_the_text(own: Web) -> None:
    """Nor any name: of the child, of people, of who is named in a text."""
    case = said()
    case["goals"][0]["title"] = "Tie my shoes with Inès before gym"
    put(own, "intake-form", goals=case["goals"])
    for path in ("/api/review", "/api/due?days=3660", "/api/alarms"):
        words = own.ask("privacy", "GET", path).text
        assert "C-0001" in words or path == "/api/alarms"
        assert not [word for word in ("Théo", "Exemple", "Inès", "shoes") if word in words]


@pytest.mark.parametrize("who", ["source", "intake-form"])
def test_the_text_is_for_people(own: Web, who: str) -> None:
    put(own, "intake-form")
    assert_error(own.ask(who, "GET", "/api/review?text=true"), 403)
    assert own.ask(who, "GET", "/api/review").status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        pytest.param({}, 400, [], id="no path"),
        pytest.param([], 400, [], id="no object"),
        pytest.param({"path": GOAL, "topics": "hiv"}, 400, [], id="topics that are no list"),
        pytest.param({"path": GOAL, "topics": ["weather", 1]}, 422, ["/topics/1"], id="a topic that is no word"),
        pytest.param({"path": GOAL, "topics": ["weather"]}, 422, ["/topics"], id="an unknown topic"),
        pytest.param({"path": [GOAL]}, 422, ["/path"], id="a path that is no text"),
        pytest.param({"path": GOAL, "colour": 1, "not_denied": 1}, 422, ["/colour", "/not_denied"], id="unknown"),
        pytest.param({"path": "goals/none"}, 404, [], id="a goal that is not there"),
        pytest.param({"path": "consents/c1"}, 404, [], id="a consent, which has nothing to read"),
        pytest.param({"path": GOAL, "not_denied": True}, 404, [], id="not denied, where nobody asked"),
    ],
)
def test_what_is_no_review_changes_nothing(own: Web, body: Any, status: int, pointers: list[str]) -> None:
    put(own, "intake-form")
    answer = own.ask("coordinator", "POST", "/api/cases/C-0001/review", body)
    assert_error(answer, status)
    assert [error["pointer"] for error in answer.json["errors"]] == pointers
    assert own.ask("privacy", "GET", "/api/cases/C-0001").headers["ETag"] == 'W/"1"'


def test_pages_of_cases(own: Web) -> None:
    """`next` leads to all of them, once."""
    for number in ("C-0001", "C-0002", "C-0003"):
        own.ask("intake-form", "PUT", f"/api/cases/{number}", said() | {"case": number})
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        found = own.ask("privacy", "GET", "/api/review", query={"limit": 2, "after": after} if after else {"limit": 2})
        seen += {row["case"] for row in found.json["waiting"]}
        after = found.json["next"]
    assert sorted(seen) == ["C-0001", "C-0002", "C-0003"]
    assert_error(own.ask("privacy", "GET", "/api/review?case=none"), 404)
    assert_error(own.ask("privacy", "GET", "/api/due?after=none"), 404)


def test_what_ends_soon(own: Web) -> None:
    put(own, "source")
    told = own.ask("privacy", "GET", "/api/due").json
    assert (told["due"], told["next"]) == ([], None)
    (row,) = own.ask("privacy", "GET", "/api/due?days=400&case=C-0001").json["due"]
    assert (row["on"], row["kind"], row["path"], row["partners"]) == (
        "2027-09-30", "consent-ends", "consents/c1", ["lakeside"],
    )  # fmt: skip
    for wrong in ("-1", "many", "²", "99999", "1.5"):
        assert_error(own.ask("privacy", "GET", "/api/due", query={"days": wrong}), 400)


def test_alarms_of_consents_and_of_shares(own: Web) -> None:
    """Also of a deleted case whose withdrawal has stopped: nobody else would tell."""
    case = said()
    case["consents"][0]["provisions"].append({"id": "p9", "effect": "deny", "records": ["goals/never-was"]})
    put(own, "source", consents=case["consents"])
    (row,) = own.ask("privacy", "GET", "/api/alarms").json["alarms"]
    assert (row["case"], row["path"], row["alarm"]) == ("C-0001", "consents/c1", "not-computable")
    desk = own.app.extensions[KEY]
    own.ask("admin", "DELETE", "/api/cases/C-0001")
    stop_first_share(desk)
    rows = show.alarms(desk)["alarms"]
    assert [(r["case"], r["path"], r["alarm"]) for r in rows] == [("C-0001", None, "last-look")]


def stop_first_share(desk: Any) -> None:
    with desk.store.writing() as tx:
        share = shares.claim(tx, worker="w", now=NOW, lease=timedelta(seconds=30))
        assert share is not None
        shares.stop(tx, share, outcome="stopped", detail="stopped", alarms=("last-look",), now=NOW)


def waits_at(web: Web) -> str:
    """At which partner a child waits, as a worker leaves it: two patients there come into question."""
    desk = web.app.extensions[KEY]
    with desk.store.writing() as tx:
        share = shares.claim(tx, worker="w", now=NOW, lease=timedelta(seconds=30))
        assert share is not None
        shares.stop(tx, share, outcome="ambiguous", alarms=("match",), now=NOW)
        matches.save(tx, share.id, "waiting", [Candidate("p-1", "0.930"), Candidate("p-2")], now=NOW)
    return share.partner


@pytest.mark.parametrize("role", ["source", "engineer"])
def test_whom_a_child_may_be_is_for_people_who_look_after_cases(own: Web, role: str) -> None:
    assert own.ask(role, "GET", "/api/matches").status_code in (401, 403)


def test_a_person_says_on_the_api_who_a_child_is(own: Web) -> None:
    put(own, "case-system")
    partner = waits_at(own)
    (row,) = own.ask("coordinator", "GET", "/api/matches").json["matches"]
    assert (row["case"], row["partner"]) == ("C-0001", partner)
    assert row["candidates"] == [{"id": "p-1", "score": "0.930"}, {"id": "p-2", "score": ""}]
    address = f"/api/matches/C-0001/{partner}"
    assert_error(own.ask("coordinator", "POST", address, {"accept": "../x"}), 422)
    assert own.ask("coordinator", "POST", address, {"accept": "p-2"}).status_code == 202
    assert own.ask("coordinator", "GET", "/api/matches").json == {"matches": [], "next": None}
    assert_error(own.ask("coordinator", "POST", address, {"create": True}), 404)
    lines = own.ask("privacy", "GET", "/api/cases/C-0001/disclosures").json
    assert [line["record"] for line in lines if line["kind"] == "look"] == ["child"]


# The pages.


def test_a_person_says_on_the_page_who_a_child_is(own: Web, browser: FlaskClient) -> None:
    partner = waits_at(own)
    page = browser.get("/waiting")
    assert f"C-0001 at {partner}" in page.text and "p-1 (0.930), p-2" in page.text
    address = f"/waiting/C-0001/match/{partner}"
    assert browser.post(address, data={"create": "true"}).status_code == 403
    assert browser.post(address, data={"mark": mark_of(page), "accept": "p-1"}).status_code == 303
    assert "p-1 (0.930)" not in browser.get("/waiting").text


@pytest.fixture
def browser(own: Web) -> FlaskClient:
    put(own, "intake-form")
    return sign_in(own, "coordinator")[0]


def test_the_page_lists_what_waits_without_texts(browser: FlaskClient) -> None:
    page = browser.get("/waiting")
    assert page.status_code == 200
    assert "C-0001" in page.text
    assert GOAL in page.text
    assert not [word for word in (TEXT, "Théo", "Inès") if word in page.text]
    assert 'href="/waiting"' in browser.get("/").text


def test_a_person_reads_and_releases(own: Web, browser: FlaskClient) -> None:
    page = browser.get("/waiting/C-0001")
    assert TEXT in page.text
    assert any("look" in json.dumps(line) for line in own.ask("privacy", "GET", "/api/cases/C-0001/disclosures").json)
    answer = browser.post("/waiting/C-0001", data={"mark": mark_of(page), "path": GOAL})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/waiting/C-0001")
    assert goals(own) == {TEXT}
    assert TEXT not in browser.get("/waiting/C-0001").text


def test_a_person_labels_what_was_read(own: Web, browser: FlaskClient) -> None:
    mark = mark_of(browser.get("/waiting/C-0001"))
    browser.post("/waiting/C-0001", data={"mark": mark, "path": GOAL, "topics": ["hiv", "finances"]})
    assert goals(own) == set()
    assert GOAL not in paths(own)


def test_a_form_from_elsewhere_releases_nothing(own: Web, browser: FlaskClient) -> None:
    assert browser.post("/waiting/C-0001", data={"path": GOAL}).status_code == 403
    assert GOAL in paths(own)


@pytest.mark.parametrize("path", ["/waiting", "/waiting/C-0001"])
def test_the_pages_are_for_those_who_see_cases(own: Web, path: str) -> None:
    put(own, "intake-form")
    nobody = own.app.test_client().get(path)
    assert nobody.status_code == 401
    engineer = sign_in(own, "engineer")[0].get(path)
    assert engineer.status_code == 403
    for page in (nobody, engineer):
        assert page.content_type.startswith("text/html")
        assert GOAL not in page.text


@pytest.mark.parametrize("path", ["/waiting", "/waiting/C-0001"])
def test_each_page_is_for_everyone(browser: FlaskClient, path: str) -> None:
    """Language, one heading, labels, table headers, ids once; no script, no style inside, nothing from elsewhere."""
    text = browser.get(path).text
    page = Structure(text)
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert all("scope" in header for header in page.all("th"))
    labelled = {label["for"] for label in page.all("label")}
    assert all(field.get("type") == "hidden" or field["id"] in labelled for field in page.all("input"))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert not page.all("script")
    assert not re.search(r"\son\w+=|\sstyle=", text)
