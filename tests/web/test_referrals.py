"""The loop of referrals over the API and on the pages: who may, what is shown, and that a list tells no name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from adapter import answers
from adapter.core.referral.course import Course
from adapter.store import cases, referrals
from adapter.web.context import KEY
from tests.verbs import test_answering as answering
from tests.verbs.test_answers import NUMBER, case
from tests.web.conftest import ROLES, Web
from tests.web.shapes import assert_error
from tests.web.test_console import mark_of, sign_in

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
ANSWERS = {"source", "coordinator", "admin"}
READS = ANSWERS | {"privacy"}


@pytest.fixture
def own(web: Web) -> Web:
    """A case with one referral to the school; the partners' servers are not there, the clock stands."""
    desk = web.app.extensions[KEY]
    web.app.extensions[KEY] = replace(desk, clock=lambda: NOW)
    made = case(respond_by="2026-11-20", story="MARKER story of the family")
    assert web.ask("source", "PUT", f"/api/cases/{NUMBER}", made).status_code == 202
    return web


def answer(web: Web, status: str, **more: Any) -> None:
    """The school writes its answer to our /fhir, by the identifier that it would have been sent."""
    desk = web.app.extensions[KEY]
    names = answers.names_at(desk.bench.identity("lakeside"), NUMBER, "referrals/r1")
    task = {
        "resourceType": "Task", "id": "a1", "status": status, "intent": "order",
        "identifier": [{"system": names.system, "value": names.value}], **more,
    }  # fmt: skip
    assert web.ask("lakeside", "PUT", "/fhir/Task/a1", task).status_code in (200, 201)


def sent(web: Web) -> None:
    """As if the Task had been sent: the row that follows it is there."""
    desk = web.app.extensions[KEY]
    names = answers.names_at(desk.bench.identity("lakeside"), NUMBER, "referrals/r1")
    with web.store.writing() as tx:
        stored = cases.get(tx, NUMBER)
        assert stored is not None
        referrals.ensure(tx, stored.id, "lakeside", names, "referrals/r1", Course(), now=NOW)


@pytest.mark.parametrize("role", ROLES)
def test_who_may_read_the_board_and_a_referral(own: Web, role: str) -> None:
    for path in ("/api/referrals", f"/api/referrals/{NUMBER}/r1"):
        assert own.ask(role, "GET", path).status_code == (200 if role in READS else 403)
    for verb in ("cancel", "cancel-others", "accept-outcome", "handover", "answer"):
        status = own.ask(role, "POST", f"/api/referrals/{NUMBER}/r1/{verb}", {}).status_code
        assert (status in (409, 422)) if role in ANSWERS else status == 403


def test_an_answer_by_fhir_is_on_the_board_and_in_the_case(own: Web) -> None:
    sent(own)
    answer(own, "rejected", statusReason={"text": "MARKER reason"})
    board = own.ask("coordinator", "GET", "/api/referrals")
    assert [(r["referral"], r["state"], r["overdue"]) for r in board.json["referrals"]] == [("r1", "rejected", False)]
    assert b"MARKER" not in board.data
    one = own.ask("coordinator", "GET", f"/api/referrals/{NUMBER}/r1").json
    assert (one["reason"], [s["to"] for s in one["history"]]) == ("MARKER reason", ["rejected"])
    read = own.ask("source", "GET", f"/api/cases/{NUMBER}").json["referrals"][0]
    assert (read["status"], read["outcome"]["status"], read["outcome"]["reason"]) == (
        "requested", "rejected", "MARKER reason"
    )  # fmt: skip
    view = own.ask("coordinator", "GET", f"/api/cases/{NUMBER}/views/lakeside")
    assert b"MARKER reason" not in view.data


def test_who_looks_at_a_referral_stands_in_the_account(own: Web) -> None:
    own.ask("coordinator", "GET", f"/api/referrals/{NUMBER}/r1")
    lines = own.ask("privacy", "GET", f"/api/cases/{NUMBER}/disclosures").json
    assert any(line.get("record") == "referrals/r1" and line.get("kind") == "look" for line in _lines(lines))


def _lines(told: Any) -> list[dict[str, Any]]:
    return told if isinstance(told, list) else next(v for v in told.values() if isinstance(v, list))


@pytest.mark.parametrize(
    ("query", "status"), [({"state": "requested"}, 200), ({"state": "lost"}, 400), ({"limit": "0"}, 400)]
)
def test_the_board_can_be_asked_for_one_state(own: Web, query: dict[str, str], status: int) -> None:
    found = own.ask("coordinator", "GET", "/api/referrals", query=query)
    assert found.status_code == status
    if status == 400:
        assert_error(found, 400)


def test_what_is_not_there_is_one_answer(own: Web) -> None:
    for path in (f"/api/referrals/{NUMBER}/r9", "/api/referrals/C-9999/r1"):
        assert own.ask("coordinator", "GET", path).status_code == 404


def test_the_board_shows_each_state_and_no_name(own: Web) -> None:
    client, _ = sign_in(own, "coordinator")
    page = client.get("/referrals")
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert "Waiting for an answer (1)" in text
    assert "overdue" in text
    for secret in ("Théo", "Exemple", "MARKER", "reading group"):
        assert secret not in text
    one = client.get(f"/referrals/{NUMBER}/r1")
    assert one.status_code == 200
    assert "Cancel this referral" in one.get_data(as_text=True)


def test_a_coordinator_cancels_on_the_page_and_nobody_without_its_mark(own: Web) -> None:
    client, _ = sign_in(own, "coordinator")
    path = f"/referrals/{NUMBER}/r1"
    assert client.post(path, data={"do": "cancel", "reason": "x"}).status_code == 403
    mark = mark_of(client.get(path))
    assert client.post(path, data={"do": "cancel", "reason": "", "mark": mark}).status_code == 422
    assert client.post(path, data={"do": "cancel", "reason": "Found elsewhere", "mark": mark}).status_code == 303
    assert own.ask("coordinator", "GET", "/api/referrals").json["referrals"][0]["state"] == "cancelled"


def test_a_coordinator_cancels_the_others_once_one_is_accepted(own: Web) -> None:
    made = case(parallel=["referrals/r2"])
    made["referrals"].append({**made["referrals"][0], "id": "r2", "parallel": []})
    assert own.ask("source", "PUT", f"/api/cases/{NUMBER}", made).status_code == 202
    sent(own)
    client, _ = sign_in(own, "coordinator")
    path = f"/referrals/{NUMBER}/r1"
    assert "Cancel the others" not in client.get(path).text
    answer(own, "accepted")
    assert "1 other(s) asked at the same time are still open" in client.get("/referrals").text
    mark = mark_of(client.get(path))
    assert client.post(path, data={"do": "cancel-others", "reason": "", "mark": mark}).status_code == 422
    assert client.post(path, data={"do": "cancel-others", "reason": "Found", "mark": mark}).status_code == 303
    rows = own.ask("coordinator", "GET", "/api/referrals").json["referrals"]
    assert [(row["referral"], row["state"], row["others"]) for row in rows] == [
        ("r1", "accepted", []), ("r2", "cancelled", []),
    ]  # fmt: skip
    assert "Cancel the others" not in client.get(path).text


@pytest.mark.parametrize("role", ["privacy", "engineer"])
def test_who_does_not_steer_sees_at_most(own: Web, role: str) -> None:
    client, _ = sign_in(own, role)
    path = f"/referrals/{NUMBER}/r1"
    assert client.get(path).status_code == (200 if role == "privacy" else 403)
    assert client.post(path, data={"do": "cancel", "reason": "x"}).status_code == 403
    assert own.app.test_client().get("/referrals").status_code == 401


def test_an_overdue_referral_is_an_alarm(own: Web) -> None:
    found = own.ask("privacy", "GET", "/api/alarms", query={"case": NUMBER}).json["alarms"]
    assert [(a["alarm"], a["path"]) for a in found if a["path"]] == [("referral-overdue", "referrals/r1")]
    assert "MARKER" not in json.dumps(found)


@pytest.fixture
def came_in(web: Web) -> Web:
    """A referral that the school wrote here, and that was adopted."""
    desk = web.app.extensions[KEY]
    web.app.extensions[KEY] = replace(desk, clock=lambda: NOW)
    for body in (answering.PATIENT, answering.REQUEST, answering.TASK):
        assert web.ask("lakeside", "PUT", f"/fhir/{body['resourceType']}/{body['id']}", body).status_code == 201
    made = answering.case(story="MARKER story of the family")
    assert web.ask("source", "PUT", f"/api/cases/{answering.NUMBER}", made).status_code == 202
    with web.store.writing() as tx:
        stored = cases.get(tx, answering.NUMBER)
        assert stored is not None
        came = {
            "partner": "lakeside", "type": "ServiceRequest", "id": "sr1", "version": "1", "on": NOW.isoformat(),
            "by": "coordinator", "item": "i1", "fields": {},
        }  # fmt: skip
        cases.put(tx, stored.number, stored.body, {**stored.kept, "arrived": {answering.PATH: came}}, now=NOW)
    return web


def test_the_sender_reads_our_answer_on_its_own_task(came_in: Web) -> None:
    path = f"/api/referrals/{answering.NUMBER}/r1/answer"
    given = came_in.ask("coordinator", "POST", path, {"status": "accepted", "business_status": "scheduled"})
    assert (given.status_code, given.json["status"], given.json["changed"]) == (202, "accepted", True)
    read = came_in.ask("lakeside", "GET", "/fhir/Task/t1")
    assert (read.json["status"], read.headers["ETag"]) == ("accepted", 'W/"2"')
    stale = came_in.ask("lakeside", "PUT", "/fhir/Task/t1", answering.TASK, If_Match='W/"1"')
    assert_error(stale, 412)
    written = came_in.ask("lakeside", "PUT", "/fhir/Task/t1", {**answering.TASK, "priority": "urgent"})
    assert (written.status_code, written.json["status"], written.json["priority"]) == (200, "accepted", "urgent")
    assert came_in.ask("riverside", "GET", "/fhir/Task/t1").status_code == 404
    bad = came_in.ask("coordinator", "POST", path, {"status": "rejected"})
    assert_error(bad, 422)
    assert_error(came_in.ask("coordinator", "POST", path, {"status": "received"}), 409)
    lines = _lines(came_in.ask("privacy", "GET", f"/api/cases/{answering.NUMBER}/disclosures").json)
    assert len([line for line in lines if line.get("record") == answering.PATH and line["partner"]]) == 1


def test_a_patch_of_the_task_is_the_sender_s_move_too(came_in: Web) -> None:
    came_in.ask("coordinator", "POST", f"/api/referrals/{answering.NUMBER}/r1/answer", {"status": "accepted"})

    def patch(status: str, etag: str) -> TestResponse:
        body = [
            {"op": "replace", "path": "/status", "value": status},
            {"op": "add", "path": "/priority", "value": "asap"},
        ]
        sent = json.dumps(body).encode()
        kind = "application/json-patch+json"
        return came_in.ask("lakeside", "PATCH", "/fhir/Task/t1", sent, Content_Type=kind, If_Match=etag)

    assert_error(patch("cancelled", 'W/"1"'), 412)
    forged = patch("completed", 'W/"2"')
    assert (forged.status_code, forged.json["status"], forged.json["priority"]) == (200, "accepted", "asap")
    assert patch("cancelled", 'W/"3"').json["status"] == "cancelled"
    read = came_in.ask("source", "GET", f"/api/cases/{answering.NUMBER}").json["referrals"][0]
    assert (read["status"], read["outcome"]["status"]) == ("requested", "cancelled")


def test_a_coordinator_answers_on_the_page(came_in: Web) -> None:
    client, _ = sign_in(came_in, "coordinator")
    path = f"/referrals/{answering.NUMBER}/r1"
    board = client.get("/referrals").get_data(as_text=True)
    assert "came in" in board
    assert "MARKER" not in board
    page = client.get(path)
    assert "Came from" in page.get_data(as_text=True)
    mark = mark_of(page)
    filled = {"do": "answer", "status": "accepted", "business_status": "waitlisted", "reason": "", "result": ""}
    assert client.post(path, data=filled).status_code == 403
    assert client.post(path, data={**filled, "mark": mark}).status_code == 303
    assert came_in.ask("lakeside", "GET", "/fhir/Task/t1").json["status"] == "accepted"
    assert "accepted, waitlisted" in client.get(path).get_data(as_text=True)


def test_a_day_on_the_board_is_that_day_in_every_zone(own: Web) -> None:
    made = case(status="accepted", outcome={"status": "accepted", "by": "organizations/lakeside", "on": "2026-05-20"})
    assert own.ask("source", "PUT", f"/api/cases/{NUMBER}", made).status_code == 202
    client, _ = sign_in(own, "coordinator")
    assert '<time datetime="2026-05-20">2026-05-20</time>' in client.get("/referrals").text
