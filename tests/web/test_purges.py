"""What has become of a request to purge: on the API, on the case's page, and where a person enters it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from adapter.core.diff import Holding
from adapter.core.purge import Purge
from adapter.core.residue import PURGE
from adapter.store import cases, purges, shares
from adapter.web.context import KEY
from tests.web.conftest import ROOT, Web
from tests.web.shapes import assert_error
from tests.web.test_console import mark_of, sign_in

WORDS = "We keep <b>charts</b> for ten years"


@pytest.fixture
def own(web: Web) -> Web:
    """The school was asked to purge 31 days ago, and has refused."""
    case = json.loads((ROOT / "fixtures" / "minimal" / "case.json").read_text(encoding="utf-8"))
    web.ask("source", "PUT", f"/api/cases/{case['case']}", case)
    now = web.app.extensions[KEY].clock()
    with web.store.writing() as tx:
        stored = cases.get(tx, "C-0001")
        assert stored is not None
        share = next(s for s in shares.of_case(tx, stored.id) if s.partner == "lakeside")
        task = Holding("urn:uuid:1", "Task", ("https://agency.example.ca/id", "0123"), "7", "1", "h", about=PURGE)
        refused = Purge("h", "refused", now.isoformat(), WORDS)
        purges.begin(tx, share.id, task, refused, now=now - timedelta(days=31))
    return web


def test_the_share_says_it_and_the_page_says_why(own: Web) -> None:
    told = own.ask("source", "GET", "/api/cases/C-0001/shares").json
    by = {each["partner"]: each["purge"] for each in told}
    assert (by["lakeside"]["state"], by["lakeside"]["alarm"]) == ("refused", "purge-refused")
    assert "reason" not in by["lakeside"]
    assert by["riverside"] is None
    rows = own.ask("privacy", "GET", "/api/alarms").json["alarms"]
    assert [(r["case"], r["partner"]) for r in rows if r["alarm"] == "purge-refused"] == [("C-0001", "lakeside")]
    page = sign_in(own, "coordinator")[0].get("/cases/C-0001").text
    assert "it will not" in page
    assert "We keep &lt;b&gt;charts&lt;/b&gt; for ten years" in page


def test_a_person_enters_what_was_said_and_the_alarm_ends(own: Web) -> None:
    place = "/api/shares/C-0001/lakeside/purged"
    assert_error(own.ask("privacy", "POST", place, {"answer": "erased"}), 422)
    assert own.ask("source", "POST", place, {"answer": "done"}).status_code == 403
    assert_error(own.ask("privacy", "POST", "/api/shares/C-0001/riverside/purged", {"answer": "done"}), 404)
    assert own.ask("privacy", "POST", place, {"answer": "kept"}).status_code == 201
    rows = own.ask("privacy", "GET", "/api/alarms").json["alarms"]
    assert not [row for row in rows if row["alarm"].startswith("purge")]
    [line] = [x for x in own.ask("privacy", "GET", "/api/cases/C-0001/disclosures").json if x["kind"] == "purge"]
    assert (line["operation"], line["outcome"], line["role"]) == ("entered", "kept", "privacy")
    assert "it keeps them" in sign_in(own, "privacy")[0].get("/cases/C-0001").text


PLACE = "/purges/C-0001/lakeside"
SAID = {"answer": "kept", "how": "mail", "reason": "The law <i>asks</i> for it"}


def write(web: Web, who: str, **said: str) -> TestResponse:
    """What a person writes down on the page of the request."""
    browser = sign_in(web, who)[0]
    page = browser.get(PLACE)
    asked = re.search(r'name="asked" value="([^"]+)"', page.text)
    assert asked
    return browser.post(PLACE, data={"mark": mark_of(page), "asked": asked[1], **said})


def today(web: Web) -> str:
    wired = web.app.extensions[KEY]
    return str(wired.clock().astimezone(wired.settings.time_zone).date())


def lines(web: Web) -> list[dict[str, Any]]:
    return [x for x in web.ask("privacy", "GET", "/api/cases/C-0001/disclosures").json if x["kind"] == "purge"]


def test_a_coordinator_writes_down_what_a_letter_says(own: Web) -> None:
    """From the case's page to the form; the answer, how and when in the account, the reason on the pages alone."""
    browser = sign_in(own, "coordinator")[0]
    assert PLACE in browser.get("/cases/C-0001").text
    assert PLACE in browser.get("/waiting").text
    answer = write(own, "coordinator", on=today(own), **SAID)
    assert (answer.status_code, answer.headers["Location"]) == (303, PLACE)
    page = browser.get(PLACE).text
    for seen in ("it keeps them", "by mail", today(own), "The law &lt;i&gt;asks&lt;/i&gt; for it"):
        assert seen in page
    assert PLACE not in browser.get("/waiting").text
    [line] = lines(own)
    assert (line["operation"], line["outcome"], line["role"], line["how"]) == ("entered", "kept", "coordinator", "mail")
    assert "asks" not in json.dumps(line)
    statement = own.ask("privacy", "GET", "/api/cases/C-0001/statement?as=csv&language=fr").text
    assert "par la poste" in statement
    assert "asks" not in statement
    assert own.ask("privacy", "GET", "/api/cases/C-0001/disclosures?as=fhir").status_code == 200


def test_what_is_missing_is_said_beside_what_was_filled_in(own: Web) -> None:
    """Every problem at once, nothing written down; how, when and (of what is kept) why are needed."""
    page = write(own, "coordinator", answer="kept", how="", on="2199-01-01", reason="")
    assert page.status_code == 422
    for said in ("Say how it said so.", "When it said so must not be in the future.", "Say why it keeps its copies."):
        assert said in page.text
    assert 'value="kept" required checked' in page.text
    assert 'value="2199-01-01"' in page.text
    assert lines(own) == []
    assert write(own, "coordinator", answer="done", how="telephone", on="", reason="").status_code == 422
    assert write(own, "coordinator", answer="done", how="telephone", on=today(own), reason="").status_code == 303


def test_a_form_from_elsewhere_or_of_an_engineer_writes_nothing(own: Web) -> None:
    browser = sign_in(own, "coordinator")[0]
    assert browser.post(PLACE, data={"mark": "0" * 64, "on": today(own), **SAID}).status_code == 403
    assert sign_in(own, "engineer")[0].get(PLACE).status_code == 403
    assert own.app.test_client().get(PLACE).status_code == 401
    assert browser.get("/purges/C-0001/riverside").status_code == 404
    assert "<h1>" in browser.get("/purges/C-0001/riverside").text
    assert lines(own) == []


def test_an_answer_to_an_earlier_request_is_none_to_the_one_that_stands(own: Web) -> None:
    """The page was opened, more was taken back, and then the form was sent."""
    answer = write(own, "coordinator", on=today(own), **SAID, asked="2026-01-01T00:00:00+00:00")
    assert answer.status_code == 409
    assert "asked for more since" in answer.text
    assert lines(own) == []


def test_a_deleted_case_has_its_page_too(own: Web) -> None:
    assert own.ask("source", "DELETE", "/api/cases/C-0001").status_code == 202
    page = sign_in(own, "privacy")[0].get(PLACE).text
    assert "The case has been deleted here" in page
    assert "/cases/C-0001" not in page
    assert PLACE in sign_in(own, "privacy")[0].get("/waiting").text
    assert write(own, "privacy", on=today(own), **SAID).status_code == 303


def test_whoever_opens_it_has_looked_at_the_case(own: Web) -> None:
    sign_in(own, "privacy")[0].get(PLACE)
    looks = [x for x in own.ask("privacy", "GET", "/api/cases/C-0001/disclosures").json if x["kind"] == "look"]
    assert [look["role"] for look in looks] == ["privacy"]
