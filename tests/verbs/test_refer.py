"""The coordinator's own word about a referral: cancelling as each dialect has it, ending it, hand-over, overdue."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from adapter import keep, refer, show
from adapter.answers import names_at
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


def two_more(agency: Agency) -> None:
    """Two more referrals to the school in parallel with r1, and one that is not."""
    made = case(parallel=["referrals/r2", "referrals/r3"])
    [one] = made["referrals"]
    plain = {name: value for name, value in one.items() if name != "parallel"}
    made["referrals"] += [{**plain, "id": id_} for id_ in ("r2", "r3", "r4")]
    agency.put(made)
    agency.work()


def answer_to(agency: Agency, id_: str, *statuses: str) -> None:
    value = names_at(agency.desk.bench.identity("lakeside"), NUMBER, f"referrals/{id_}").value
    for status in statuses:
        [there] = [t for t in agency.fhir().of_type("Task") if t["identifier"][0]["value"] == value]
        agency.fhir()._keep(f"Task/{there['id']}", {**there, "status": status})
        agency.clock.pass_(hours=2)
        agency.work()


def others(agency: Agency, id_: str = "r1") -> dict[str, Any]:
    return refer.cancel_others(agency.desk, NUMBER, id_, json.dumps({"reason": WHY}).encode(), by="D. Roy")


def states(agency: Agency) -> dict[str, str]:
    return {row["referral"]: row["state"] for row in show.board(agency.desk, NUMBER)["referrals"]}


def test_once_one_is_accepted_the_others_are_cancelled_if_the_coordinator_says_so(open_agency: Open) -> None:
    agency = opened(open_agency)
    two_more(agency)
    with pytest.raises(Conflict):
        others(agency)
    answer_to(agency, "r2", "accepted")
    agency.work_on(hours=1)
    assert states(agency) == dict.fromkeys(("r1", "r3", "r4"), "requested") | {"r2": "accepted"}, "not by itself"
    board = {each["referral"]: each["others"] for each in show.board(agency.desk, NUMBER)["referrals"]}
    assert board == {"r1": [], "r2": ["r1", "r3"], "r3": [], "r4": []}
    told = others(agency, "r2")
    assert [(each["referral"], each["asked"]) for each in told["others"]] == [("r1", "status"), ("r3", "status")]
    agency.work_on(hours=2)
    assert states(agency) == {"r1": "cancelled", "r2": "accepted", "r3": "cancelled", "r4": "requested"}
    with pytest.raises(Conflict):
        others(agency, "r2")
    assert states(agency)["r2"] == "accepted"


def test_one_that_cannot_be_cancelled_is_told_and_holds_no_other_up(open_agency: Open) -> None:
    """The work of r1 has begun, and this dialect takes no request to end it."""
    agency = opened(open_agency, "ihe")
    two_more(agency)
    answer_to(agency, "r1", "in-progress")
    answer_to(agency, "r3", "accepted")
    told = others(agency, "r3")["others"]
    assert [(each["referral"], "refused" in each) for each in told] == [("r1", True), ("r2", False)]
    assert "telephone" in told[0]["refused"]
    agency.work_on(hours=2)
    assert states(agency) == {"r1": "in-progress", "r2": "cancelled", "r3": "accepted", "r4": "requested"}


def test_who_has_taken_it_on_may_be_no_partner(open_agency: Open) -> None:
    """Its record says that it was accepted; the one in parallel, to a partner, can be cancelled."""
    agency = opened(open_agency)
    made = case(parallel=["referrals/r2"])
    made["organizations"].append({"id": "club", "name": "A chess club", "sector": "community"})
    said_ = {"status": "accepted", "by": "organizations/club", "on": "2026-11-20"}
    made["referrals"].append({**made["referrals"][0], "id": "r2", "to": "organizations/club", "parallel": [],
                              "status": "accepted", "outcome": said_})  # fmt: skip
    agency.put(made)
    agency.work()
    assert [each["referral"] for each in others(agency, "r2")["others"]] == ["r1"]
    agency.work_on(hours=1)
    assert states(agency) == {"r1": "cancelled", "r2": "accepted"}


def test_the_others_need_a_reason_too(open_agency: Open) -> None:
    agency = opened(open_agency)
    two_more(agency)
    answer_to(agency, "r1", "accepted")
    with pytest.raises(Refused):
        refer.cancel_others(agency.desk, NUMBER, "r1", b'{"reason": ""}', by="D. Roy")
    with pytest.raises(NotFound):
        others(agency, "r9")
    assert states(agency)["r2"] == "requested"
