"""What has happened, for the case system to fetch, or to be told once more: by number, for those who may."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from adapter.outward.webhook import Taken
from adapter.store import cases, notices
from adapter.web.context import KEY
from tests.web.conftest import ROOT, Web
from tests.web.shapes import assert_error


@pytest.fixture
def own(web: Web) -> Web:
    """A share of one case has stopped, a referral of it was answered, and something came to the inbox."""
    case = json.loads((ROOT / "fixtures" / "minimal" / "case.json").read_text(encoding="utf-8"))
    web.ask("source", "PUT", f"/api/cases/{case['case']}", case)
    now = web.app.extensions[KEY].clock()
    with web.store.writing() as tx:
        stored = cases.get(tx, "C-0001")
        assert stored is not None
        about = {"case": stored.id, "partner": "lakeside"}
        notices.note(tx, "share.stopped", about, now=now)
        notices.note(tx, "referral.answered", about | {"path": "referrals/r 1"}, now=now)
        notices.note(tx, "inbox.changed", {"item": "42"}, now=now)
    return web


def test_they_are_listed_with_a_link_that_leads_there(own: Web) -> None:
    found = own.ask("source", "GET", "/api/notices").json
    assert [(row["number"], row["type"], row["link"]) for row in found["notices"]] == [
        (1, "share.stopped", "/api/cases/C-0001/shares"),
        (2, "referral.answered", "/api/referrals/C-0001/r%201"),
        (3, "inbox.changed", "/api/inbox/42"),
    ]
    assert own.ask("source", "GET", found["notices"][0]["link"]).status_code == 200
    assert "case" not in found["notices"][2]
    page = own.ask("privacy", "GET", "/api/notices", query={"after": 1, "limit": 1}).json
    assert ([row["number"] for row in page["notices"]], page["next"]) == ([2], 2)
    assert own.ask("source", "GET", "/api/notices", query={"after": page["next"] + 1}).json["notices"] == []


@pytest.mark.parametrize("query", [{"after": "-1"}, {"after": "x"}, {"after": "9" * 19}, {"limit": "0"}])
def test_what_cannot_be_read_is_refused_by_name(own: Web, query: dict[str, str]) -> None:
    assert_error(own.ask("source", "GET", "/api/notices", query=query), 400)


def test_who_may_not_see_cases_sees_no_notices(own: Web) -> None:
    for who in ("engineer", "lakeside"):
        assert own.ask(who, "GET", "/api/notices").status_code == 403
    for who in ("coordinator", "privacy", "engineer"):
        assert own.ask(who, "POST", "/api/notices/replay", {}).status_code == 403


def test_they_are_told_again(own: Web) -> None:
    assert_error(own.ask("source", "POST", "/api/notices/replay", {"after": 1}), 409)
    desk = own.app.extensions[KEY]
    own.app.extensions[KEY] = replace(desk, case_system=lambda id_, body: Taken(done=True))
    answer = own.ask("source", "POST", "/api/notices/replay", {"after": 1})
    assert (answer.status_code, answer.json["telling"]["configured"]) == (202, True)
    assert own.ask("source", "POST", "/api/notices/replay").status_code == 202
    assert_error(own.ask("source", "POST", "/api/notices/replay", {"behind": 1}), 422)
