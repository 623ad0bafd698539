"""What has become of a request to purge: on the API, on the case's page, and where a person enters it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from adapter.core.diff import Holding
from adapter.core.purge import Purge
from adapter.core.residue import PURGE
from adapter.store import cases, purges, shares
from adapter.web.context import KEY
from tests.web.conftest import ROOT, Web
from tests.web.shapes import assert_error
from tests.web.test_console import sign_in

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
