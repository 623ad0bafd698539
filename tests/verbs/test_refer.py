"""The coordinator's own word about a referral: cancelling as each dialect has it, ending it, hand-over, overdue."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from adapter import keep, refer, show
from adapter.errors import Conflict, NotFound, Refused
from tests.outward.fault_server import Answer, CutAfter, CutBefore
from tests.verbs.agency import Agency
from tests.verbs.conftest import Open
from tests.verbs.test_answers import FULL, NUMBER, agency_of, case, few, opened, outcome, say, task, tracked, ways

WHY = "The family has found a place elsewhere"


def cancel(agency: Agency, reason: str = WHY) -> dict[str, Any]:
    return refer.cancel(agency.desk, NUMBER, "r1", json.dumps({"reason": reason}).encode(), by="D. Roy")


def row(agency: Agency) -> dict[str, Any]:
    return show.referral(agency.desk, NUMBER, "r1")


def begin(agency: Agency) -> None:
    """The receiver accepts and begins, and that comes home."""
    for status in ("accepted", "in-progress"):
        say(agency, status)
        agency.clock.pass_(hours=2)
        agency.work()
    assert tracked(agency).course.state == "in-progress"


@pytest.mark.parametrize("dialect", few(["generic", "gravity", "bser", "ihe", "ontario"], 2))
def test_cancelled_before_the_work_begins_the_task_says_so_first(open_agency: Open, dialect: str) -> None:
    agency = opened(open_agency, dialect)
    told = cancel(agency)
    assert (told["cancelled"], told["asked"]) == (False, "status")
    assert row(agency)["state"] == "requested"
    seen = len(agency.seen())
    agency.work()
    written = [e for e in agency.sent_after(seen) if e.get("resource", {}).get("resourceType") == "Task"]
    cancelled = [e for e in written if e["resource"].get("status") == "cancelled" and "focus" in e["resource"]]
    # Twice where the purpose of the referral ends with it: its label goes from the Task.
    assert len(cancelled) in (1, 2)
    assert all(entry["request"]["ifMatch"] for entry in cancelled)
    assert len(cancelled) == len([e for e in written if "focus" in e["resource"]])
    assert cancelled[0]["resource"]["statusReason"] == {"text": WHY}
    agency.work_on(hours=2)
    assert ways(agency) == [("requested", "cancelled")]
    assert tracked(agency).course.steps[0].by == "requester"
    record = keep.get_case(agency.desk, NUMBER)[0]["referrals"][0]
    assert (record["status"], record["outcome"]["status"]) == ("cancelled", "cancelled")
    with pytest.raises(Conflict):
        cancel(agency)


@pytest.mark.parametrize(
    "fault", few([CutAfter(), CutBefore(), Answer(503)]), ids=few(["after", "before", "unavailable"])
)
def test_a_cancellation_arrives_in_spite_of_faults_once(open_agency: Open, fault: Any) -> None:
    agency = opened(open_agency)
    cancel(agency)
    agency.servers["lakeside"].plan(fault, fault)
    agency.work_on(hours=2)
    assert ways(agency) == [("requested", "cancelled")]
    assert agency.share(NUMBER)["state"] == "idle"


def test_a_referral_that_was_never_sent_is_cancelled_at_once(open_agency: Open) -> None:
    agency = agency_of(open_agency)
    agency.put(case())
    told = cancel(agency)
    assert told["cancelled"]
    agency.work()
    assert task(agency)["status"] == "cancelled", "the school may see referrals, this one too"
    assert ways(agency) == [("requested", "cancelled")]


ASKS = {"generic": "task", "bser": "business-status", "gravity": "status", "ontario": "status"}


@pytest.mark.parametrize(("dialect", "how"), few(ASKS.items(), 2))
def test_after_the_work_has_begun_the_dialect_says_how(open_agency: Open, dialect: str, how: str) -> None:
    agency = opened(open_agency, dialect)
    begin(agency)
    assert cancel(agency)["asked"] == how
    agency.work()
    there = agency.fhir().of_type("Task")
    match how:
        case "task":
            [request] = [t for t in there if t["code"].get("coding", [{}])[0].get("code") == "abort"]
            assert request["focus"]["reference"] == f"Task/{task(agency)['id']}"
            assert request["description"] == WHY
            assert task(agency)["status"] == "in-progress"
        case "business-status":
            codes = {c["code"] for c in task(agency)["businessStatus"]["coding"]}
            assert {"5.2", "cancellation-requested"} <= codes
            assert task(agency)["status"] == "in-progress"
        case "status":
            agency.work_on(hours=1)
            assert ways(agency)[-1] == ("in-progress", "cancelled")
            return
    assert row(agency)["asked_to_end"] == how
    say(agency, "cancelled", statusReason={"text": "Agreed"})
    agency.clock.pass_(hours=2)
    agency.work_on(hours=1)
    assert ways(agency)[-1] == ("in-progress", "cancelled")
    assert tracked(agency).course.steps[-1].by == "receiver"


def test_where_nothing_can_be_asked_for_a_person_is_told(open_agency: Open) -> None:
    agency = opened(open_agency, "ihe")
    begin(agency)
    with pytest.raises(Conflict, match="telephone"):
        cancel(agency)


def test_who_completed_it_meanwhile_is_not_written_over(open_agency: Open) -> None:
    """The receiver completes it just before our word to cancel: theirs stands, ours is flagged."""
    agency = opened(open_agency, "gravity")
    begin(agency)
    cancel(agency)
    say(agency, "completed", output=[{"type": {"text": "Result"}, "valueString": "All done"}])
    agency.work_on(hours=1)
    assert ways(agency)[-1] == ("in-progress", "completed")
    assert outcome(agency)["status"] == "completed"
    assert row(agency)["asked_to_end"] is None
    assert [flag["asked"] for flag in row(agency)["flags"]] == ["cancelled"]


def test_a_cancellation_needs_its_reason(open_agency: Open) -> None:
    agency = opened(open_agency)
    long = json.dumps({"reason": "x" * 2001}).encode()
    for body in (b"{}", b'{"reason": ""}', b'{"reason": 5}', b'{"reason": "x", "y": "z"}', long):
        with pytest.raises(Refused):
            refer.cancel(agency.desk, NUMBER, "r1", body, by="D. Roy")
    assert row(agency)["asked_to_end"] is None


def test_what_is_not_there_is_not_steered(open_agency: Open) -> None:
    agency = opened(open_agency)
    for number, id_ in ((NUMBER, "r9"), ("C-9999", "r1")):
        with pytest.raises(NotFound):
            refer.cancel(agency.desk, number, id_, b'{"reason": "x"}', by="x")


def test_a_request_ends_when_the_coordinator_says_so(open_agency: Open) -> None:
    agency = opened(open_agency)
    with pytest.raises(Conflict):
        refer.accept_outcome(agency.desk, NUMBER, "r1", by="D. Roy")
    say(agency, "rejected", statusReason=FULL)
    agency.clock.pass_(hours=1)
    agency.work()
    assert row(agency)["request"] == "requested"
    assert refer.accept_outcome(agency.desk, NUMBER, "r1", by="D. Roy")["changed"]
    assert not refer.accept_outcome(agency.desk, NUMBER, "r1", by="D. Roy")["changed"]
    assert keep.get_case(agency.desk, NUMBER)[0]["referrals"][0]["status"] == "rejected"
    agency.put(case())
    assert row(agency)["request"] == "rejected", "a put of the same case does not open it again"


def test_a_hand_over_is_followed(open_agency: Open) -> None:
    agency = opened(open_agency, warm=True)
    ours = "https://csp-adapter.example/CodeSystem/business-status"
    say(agency, "accepted", businessStatus={"coding": [{"system": ours, "code": "contact-made"}]})
    agency.clock.pass_(hours=1)
    agency.work()
    step = json.dumps({"step": "introduced", "on": "2026-11-20"}).encode()
    refer.hand_over(agency.desk, NUMBER, "r1", step, by="D. Roy")
    assert row(agency)["handover"] == {
        "introduced": "2026-11-20", "contact-made": "2026-11-21", "first-appointment": None
    }  # fmt: skip
    with pytest.raises(Refused):
        refer.hand_over(agency.desk, NUMBER, "r1", b'{"step": "met", "on": "2026-13-01"}', by="x")


def test_nobody_answered_in_time(open_agency: Open) -> None:
    """The whole day counts, in the agency's zone; an answer, even late, ends it."""
    agency = opened(open_agency, respond_by="2026-11-22")
    assert row(agency)["overdue"] is False
    agency.clock.now += timedelta(days=1, hours=11, minutes=59)
    assert row(agency)["overdue"] is False
    agency.clock.pass_(minutes=2)
    assert row(agency)["overdue"] is True
    alarms = [a["alarm"] for a in show.alarms(agency.desk, NUMBER)["alarms"]]
    assert "referral-overdue" in alarms


def test_the_board_holds_every_state_and_no_text_of_a_record(open_agency: Open) -> None:
    agency = opened(open_agency, story="MARKER story of the family")
    say(agency, "rejected", statusReason={"text": "MARKER reason"})
    agency.clock.pass_(hours=1)
    agency.work()
    found = show.board(agency.desk)
    assert [(r["case"], r["referral"], r["state"], r["partner"]) for r in found["referrals"]] == [
        (NUMBER, "r1", "rejected", "lakeside")
    ]
    assert "MARKER" not in json.dumps(found)
    assert "Théo" not in json.dumps(found, ensure_ascii=False)
    assert show.board(agency.desk, state="accepted")["referrals"] == []
    assert row(agency)["reason"] == "MARKER reason"
