"""Answers to referrals that came in: the Task in the partner's world says what the agency answers, as far as it may."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from adapter import answering, answers, keep, receive, refer, show
from adapter.core.fhir import models
from adapter.core.fhir.transaction import ALONE, Method, Step
from adapter.core.partner import Release
from adapter.core.referral import inward
from adapter.errors import Conflict, NotFound, PreconditionFailed, Refused
from adapter.receive.world import World
from adapter.store import cases, disclosures, referrals, resources, shares
from adapter.store.referrals import Tracked
from adapter.store.resources import Received
from tests.core.referral.test_table import DIALECTS
from tests.verbs.agency import Agency, case_of
from tests.verbs.conftest import Open
from tests.verbs.test_answers import agency_of

NUMBER = "C-3310"
PATH = "referrals/r1"
REQUEST: dict[str, Any] = {
    "resourceType": "ServiceRequest", "id": "sr1", "status": "active", "intent": "order",
    "code": {"text": "Coordination of services"}, "subject": {"reference": "Patient/p1"},
}  # fmt: skip
TASK: dict[str, Any] = {
    "resourceType": "Task", "id": "t1", "status": "requested", "intent": "order",
    "focus": {"reference": "ServiceRequest/sr1"}, "description": "Please coordinate", "authoredOn": "2026-11-20",
}  # fmt: skip
PATIENT = {"resourceType": "Patient", "id": "p1"}
LETTER = "The family asked another agency, and MARKER is with them"


def case(*parts: str, enrolment: dict[str, Any] | None = None, **referral: Any) -> dict[str, Any]:
    """A small case with a referral from the school, which may see these parts."""
    made = case_of("minimal")
    made["case"] = NUMBER
    permit = made["consents"][0]["provisions"][0]
    permit["parts"] = ["identity", *parts]
    permit["purposes"] = ["care-coordination", "education-planning", "referral"]
    permit["to"] = ["partners/lakeside"]
    made["referrals"] = [
        {
            "id": "r1", "direction": "in", "kind": "coordination", "status": "requested",
            "from": "organizations/lakeside", "services": [{"text": "Coordination of services"}], **referral,
        }
    ]  # fmt: skip
    if enrolment is not None:
        made["enrolment"] = enrolment
    return made


@dataclass
class Both:
    """The agency, and the partner that writes to its /fhir."""

    agency: Agency
    made: dict[str, Any]
    number: str = NUMBER
    release: Release = "R4"

    def world(self) -> World:
        hears = answers.hearing(self.agency.desk.catalogue, "lakeside")
        return World("lakeside", "https://agency.example/fhir", self.agency.clock.now, self.release, hears=hears)

    def ask(self, method: Method, type_: str, id_: str = "", body: Any = None, **more: Any) -> receive.Answer:
        sent = json.dumps(body).encode() if body is not None else b""
        return receive.interact(self.agency.desk.store, self.world(), Step(ALONE, method, type_, id_, **more), sent)

    def write(self, *bodies: dict[str, Any]) -> None:
        for body in bodies:
            self.ask("PUT", body["resourceType"], body["id"], body)

    def adopt(self, request: str = "sr1", **came: Any) -> None:
        """As the inbox does: what came stands beside the case, and the shares are due."""
        store, now = self.agency.desk.store, self.agency.clock.now
        said = {
            "partner": "lakeside", "type": "ServiceRequest", "id": request, "version": "1",
            "on": now.isoformat(), "by": "coordinator", "item": "i1", "fields": {}, **came,
        }  # fmt: skip
        with store.writing() as tx:
            stored = cases.get(tx, self.number)
            assert stored is not None
            cases.put(tx, self.number, stored.body, {**stored.kept, "arrived": {PATH: said}}, now=now)
            shares.mark_due(tx, case_id=stored.id, now=now)
        answering.bring_all(self.agency.desk, self.number)

    def put(self, **referral: Any) -> None:
        """The case system says something else of the referral."""
        self.made["referrals"][0].update(referral)
        self.agency.put(self.made)

    def history(self, id_: str = "t1") -> list[Received]:
        with self.agency.desk.store.reading() as tx:
            return resources.history(tx, "lakeside", "Task", id_)[::-1]

    def task(self, id_: str = "t1") -> dict[str, Any]:
        return self.history(id_)[-1].body

    def states(self, id_: str = "t1") -> list[str]:
        """Each state that the Task came to, in its history."""
        found = [version.body.get("status", "") for version in self.history(id_) if not version.deleted]
        return [state for state, before in zip(found, ["", *found], strict=False) if state != before]

    def row(self) -> Tracked:
        with self.agency.desk.store.reading() as tx:
            [found] = referrals.of_case(tx, self.agency.stored(self.number).id, inward=True)
        return found

    @property
    def held(self) -> str:
        known = self.row().inward
        assert known is not None
        return known.held


def quiet(open_agency: Open, dialect: str = "generic", **each: Any) -> Agency:
    """An agency whose partners have no server of their own: they write and read here."""
    return agency_of(open_agency, dialect, base_url="", **each)


def opened(open_agency: Open, made: dict[str, Any], dialect: str = "generic", *, task: bool = True) -> Both:
    """Adopted from what the partner wrote, and answered as the case says."""
    both = Both(quiet(open_agency, dialect), made)
    both.agency.put(made)
    both.write(PATIENT, REQUEST, *([TASK] if task else []))
    both.adopt()
    return both


def codes(task: dict[str, Any]) -> list[str]:
    return [coding["code"] for coding in task.get("businessStatus", {}).get("coding", ())]


def test_what_is_adopted_has_been_received(open_agency: Open) -> None:
    both = opened(open_agency, case())
    assert both.states() == ["requested", "received"]
    assert both.task()["description"] == "Please coordinate"
    both.agency.work_on(hours=100)
    assert len(both.history()) == 2


def test_the_record_drives_the_task_at_once_and_each_move_once(open_agency: Open) -> None:
    both = opened(open_agency, case())
    for status in ("accepted", "accepted", "in-progress", "completed"):
        both.put(status=status)
        both.agency.work()
    assert both.states() == ["requested", "received", "accepted", "in-progress", "completed"]
    assert len(both.history()) == 5
    assert [(s.start, s.end, s.by) for s in both.row().course.steps][-1] == ("in-progress", "completed", "receiver")


def test_states_that_lie_between_are_moves_of_their_own(open_agency: Open) -> None:
    both = opened(open_agency, case(), "gravity")
    both.put(status="completed")
    assert both.states() == ["requested", "accepted", "in-progress", "completed"]


def test_a_move_that_is_not_ours_is_never_forced(open_agency: Open) -> None:
    both = opened(open_agency, case(), "ontario")
    both.put(status="cancelled")
    assert both.states() == ["requested", "received"]
    assert both.held == "not-theirs"
    both.put(status="rejected")
    assert both.states()[-1] == "rejected"
    assert both.held == ""
    both.put(status="accepted")
    assert both.states()[-1] == "accepted", "Ontario lets a declined referral be opened again"


def test_every_change_stands_in_the_account_before_it_can_be_read(open_agency: Open) -> None:
    both = opened(open_agency, case())
    both.put(status="completed")
    lines = [line for line in both.agency.account(NUMBER, "lakeside") if line.about == PATH]
    assert [line.operation for line in lines] == ["update"] * (len(both.history()) - 1)
    assert {(line.resource_type, line.kind, line.purpose, line.parts) for line in lines} == {
        ("Task", "delivered", "referral", ("referrals",))
    }


def test_a_request_that_came_alone_gets_a_task_to_be_answered_on(open_agency: Open) -> None:
    both = opened(open_agency, case(), task=False)
    known = both.row().inward
    assert known is not None
    assert known.made
    task = both.task(known.task)
    assert task["focus"] == task["basedOn"][0] == {"reference": "ServiceRequest/sr1"}
    assert task["for"] == {"reference": "Patient/p1"}
    assert both.states(known.task) == ["requested", "received"]
    found = receive.search(both.agency.desk.store, both.world(), "Task", _query("focus=ServiceRequest/sr1"))
    assert [kept.id for kept in found.found] == [known.task]
    assert [line.operation for line in both.agency.account(NUMBER, "lakeside") if line.about == PATH] == [
        "create", "update"
    ]  # fmt: skip


@pytest.mark.parametrize("also", [(), ("ServiceRequest/sr1",)])
def test_what_was_adopted_from_the_task_is_answered_on_it(open_agency: Open, also: tuple[str, ...]) -> None:
    both = Both(quiet(open_agency), case())
    both.agency.put(both.made)
    both.write(PATIENT, REQUEST, TASK)
    both.adopt("t1", type="Task", also=list(also))
    assert both.states() == ["requested", "received"]


def test_a_task_that_comes_later_takes_the_place_of_ours(open_agency: Open) -> None:
    both = opened(open_agency, case(status="accepted"), task=False)
    known = both.row().inward
    assert known is not None
    both.write(TASK)
    both.agency.work()
    assert both.states() == ["requested", "accepted"]
    assert both.history(known.task)[-1].deleted


def _query(text: str) -> Any:
    from urllib.parse import parse_qsl

    from adapter.core.fhir.search import query

    return query("Task", parse_qsl(text), base="https://agency.example/fhir")


def test_it_is_still_found_by_all_that_it_was(open_agency: Open) -> None:
    made = case()
    both = Both(quiet(open_agency), made)
    both.agency.put(made)
    about = {"reference": "https://agency.example/fhir/ServiceRequest/sr1"}
    both.write(PATIENT, REQUEST, {**TASK, "focus": about, "code": {"text": "x", "coding": [{"code": "fulfill"}]}})
    both.adopt()
    both.put(status="accepted")
    for asked, there in (
        ("focus=ServiceRequest/sr1", True), ("code=fulfill", True), ("status=accepted", True),
        ("status=received", False), ("status=requested", False),
    ):  # fmt: skip
        found = receive.search(both.agency.desk.store, both.world(), "Task", _query(asked)).found
        assert bool(found) == there, asked


# Consent


def test_a_reason_goes_where_the_partner_may_see_it(open_agency: Open) -> None:
    both = opened(open_agency, case("referrals"))
    both.put(status="rejected", outcome={"status": "rejected", "reason": LETTER})
    assert both.task()["statusReason"] == {"text": LETTER}


@pytest.mark.parametrize("reason", [None, LETTER])
def test_a_withheld_reason_changes_nothing(open_agency: Open, reason: str | None) -> None:
    """Whether there is one or not: the same Task, in as many versions, with the same times."""
    both = opened(open_agency, case())
    outcome = {"status": "rejected", **({"reason": reason} if reason else {})}
    both.put(status="rejected", outcome=outcome)
    said = both.task()
    assert (said["status"], said["statusReason"]) == ("rejected", {"text": inward.WITHHELD})
    assert len(both.history()) == 3
    both.agency.clock.pass_(hours=1)
    both.put(outcome={**outcome, "result": "MARKER came of it"})
    both.agency.work()
    assert len(both.history()) == 3


def test_a_reason_that_is_missing_where_it_could_be_told_is_asked_for(open_agency: Open) -> None:
    both = opened(open_agency, case("referrals"))
    both.put(status="rejected")
    assert both.states() == ["requested", "received"]
    assert both.held == "no-reason"
    both.put(outcome={"status": "rejected", "reason": "No place"})
    assert both.states()[-1] == "rejected"


def test_what_may_no_longer_be_seen_is_taken_out(open_agency: Open) -> None:
    both = opened(open_agency, case("referrals"))
    both.put(status="completed", outcome={"status": "completed", "result": LETTER, "reason": LETTER})
    assert both.task()["output"] == [{"type": {"text": "Result"}, "valueString": LETTER}]
    both.made["consents"][0]["status"] = "revoked"
    both.put()
    for version in both.history():
        assert "MARKER" not in json.dumps(version.body)


def test_a_denial_leaves_the_task_as_it_is(open_agency: Open) -> None:
    both = opened(open_agency, case("referrals"))
    provision = {"id": "no", "effect": "deny", "to": ["partners/lakeside"], "parts": ["referrals"]}
    both.made["consents"][0]["provisions"].append(provision)
    both.put(status="accepted")
    both.agency.work()
    assert both.states() == ["requested", "received"]
    known = both.row().inward
    assert known is not None
    assert (known.held, known.because) == ("denied", "consents/c1/provisions/no")
    provision["period"] = {"start": "2026-01-01", "end": "2026-11-25"}
    both.put()
    assert both.states()[-1] == "received"
    both.agency.work_on(hours=200)
    assert both.states()[-1] == "accepted", "when the denial ends, the answer goes"


def test_a_denial_takes_back_the_words_and_not_the_state(open_agency: Open) -> None:
    both = opened(open_agency, case("referrals"), "gravity")
    both.put(status="rejected", outcome={"status": "rejected", "reason": LETTER})
    both.made["consents"][0]["provisions"].append({"id": "no", "effect": "deny", "records": [PATH]})
    both.put()
    assert (both.task()["status"], both.task()["statusReason"]) == ("rejected", {"text": inward.WITHHELD})
    assert "MARKER" not in json.dumps([version.body for version in both.history()])
    last = both.agency.account(NUMBER, "lakeside")[-1]
    assert (last.about, last.kind, last.operation) == (PATH, "withdrawn", "withdraw")


def test_a_denial_for_another_partner_or_of_another_part_holds_nothing_up(open_agency: Open) -> None:
    both = opened(open_agency, case("referrals"))
    both.made["consents"][0]["provisions"] += [
        {"id": "n1", "effect": "deny", "to": ["partners/riverside"]},
        {"id": "n2", "effect": "deny", "to": ["partners/lakeside"], "parts": ["goals"]},
    ]
    both.put(status="accepted")
    assert both.states()[-1] == "accepted"


def test_the_enrolment_is_followed_where_the_partner_may_see_it(open_agency: Open) -> None:
    both = opened(open_agency, case("referrals", "enrolment", enrolment={"status": "intake"}, status="accepted"))
    assert codes(both.task()) == []
    both.made["enrolment"] = {"status": "waitlisted", "waitlist": {"since": "2026-11-01"}}
    both.put()
    assert "waitlisted" in codes(both.task())
    both.made["enrolment"] = {"status": "active"}
    both.put()
    assert both.states()[-1] == "in-progress"
    assert codes(both.task()) == []
    assert {line.parts for line in both.agency.account(NUMBER, "lakeside") if line.about == PATH} >= {
        ("enrolment", "referrals")
    }


def test_an_enrolment_that_is_withheld_tells_nothing(open_agency: Open) -> None:
    both = opened(open_agency, case("referrals", enrolment={"status": "intake"}, status="accepted"))
    before = both.history()
    for status in ("waitlisted", "active"):
        both.made["enrolment"] = {"status": status}
        both.put()
        both.agency.work()
    assert both.history() == before


def test_an_enrolment_that_goes_back_takes_no_answer_back(open_agency: Open) -> None:
    made = case("referrals", "enrolment", enrolment={"status": "active"}, status="accepted")
    both = opened(open_agency, made)
    assert both.states()[-1] == "in-progress"
    before = both.history()
    both.made["enrolment"] = {"status": "inactive"}
    both.put()
    both.made["consents"][0]["status"] = "revoked"
    both.put()
    assert (both.history(), both.held, both.row().course.flags) == (before, "", ())


def test_what_the_agency_says_itself_stands_before_the_enrolment(open_agency: Open) -> None:
    outcome = {"status": "accepted", "business_status": "scheduled"}
    made = case("referrals", "enrolment", enrolment={"status": "waitlisted"}, status="accepted", outcome=outcome)
    both = opened(open_agency, made)
    assert "scheduled" in codes(both.task())


@pytest.mark.parametrize(("parts", "told"), [([], None), (["referrals"], {"text": "seventh-in-the-row"})])
def test_a_code_of_the_agency_s_own_goes_as_its_words_do(open_agency: Open, parts: list[str], told: Any) -> None:
    outcome = {"status": "accepted", "business_status": "seventh-in-the-row"}
    both = opened(open_agency, case(*parts, status="accepted", outcome=outcome))
    assert both.task().get("businessStatus") == told
    withheld = show.referral(both.agency.desk, NUMBER, "r1")["withheld"]
    assert withheld == ([] if told else ["business_status"])
    both.made["consents"][0]["status"] = "revoked"
    both.put()
    assert "seventh" not in json.dumps([version.body for version in both.history()])


@pytest.mark.parametrize("release", ["R4", "R5"])
def test_what_is_answered_is_sound_in_the_partner_s_release(open_agency: Open, release: Release) -> None:
    both = Both(quiet(open_agency, release=release), case("referrals", status="accepted"))
    both.release = release
    both.agency.put(both.made)
    code = REQUEST["code"] if release == "R4" else {"concept": REQUEST["code"]}
    both.write(PATIENT, {**REQUEST, "code": code})
    both.adopt()
    known = both.row().inward
    assert known is not None
    outcome = {"status": "rejected", "business_status": "at-capacity", "reason": LETTER, "result": LETTER}
    both.put(status="rejected", outcome=outcome)
    for version in both.history(known.task):
        assert models.problems(version.body, release=release) == []
    said = both.task(known.task)["statusReason"]
    assert said == ({"text": LETTER} if release == "R4" else {"concept": {"text": LETTER}})
    both.made["consents"][0]["status"] = "revoked"
    both.put()
    assert "MARKER" not in json.dumps([version.body for version in both.history(known.task)])


# What the partner writes


def test_a_write_of_the_sender_erases_no_answer(open_agency: Open) -> None:
    both = opened(open_agency, case(status="accepted"))
    both.write({**TASK, "description": "Please hurry", "priority": "urgent"})
    both.agency.work()
    task = both.task()
    assert (task["status"], task["description"], task["priority"]) == ("accepted", "Please hurry", "urgent")
    assert both.states() == ["requested", "accepted"]
    assert [(f.by, f.asked) for f in both.row().course.flags] == [("requester", "requested")]


def test_a_write_that_names_an_earlier_version_is_refused(open_agency: Open) -> None:
    both = opened(open_agency, case(status="accepted"))
    with pytest.raises(PreconditionFailed):
        both.ask("PUT", "Task", "t1", TASK, if_match='W/"1"')
    both.ask("PUT", "Task", "t1", {**both.task(), "priority": "asap"}, if_match='W/"2"')
    assert both.row().course.flags == ()


@pytest.mark.parametrize(("dialect", "applied"), [("generic", True), ("bser", False), ("gravity", True)])
def test_a_cancellation_by_the_sender_is_judged_by_the_table(open_agency: Open, dialect: str, applied: bool) -> None:
    both = opened(open_agency, case(status="accepted"), dialect)
    both.write({**both.task(), "status": "cancelled", "statusReason": {"text": "They moved away"}})
    both.agency.work()
    assert both.states()[-1] == ("cancelled" if applied else "accepted")
    assert bool(both.row().course.flags) != applied
    record = _record(both)
    assert record["status"] == "accepted", "the request's record stays the coordinator's"
    assert record.get("outcome", {}).get("status") == ("cancelled" if applied else None)
    both.put(status="in-progress")
    both.agency.work()
    assert both.states()[-1] == ("cancelled" if applied else "in-progress")


def _record(both: Both) -> dict[str, Any]:
    found: dict[str, Any] = keep.get_case(both.agency.desk, NUMBER)[0]["referrals"][0]
    return found


def test_a_request_that_is_revoked_ends_its_task(open_agency: Open) -> None:
    both = opened(open_agency, case(status="accepted"))
    both.write({**REQUEST, "status": "revoked"})
    both.agency.work()
    assert both.states() == ["requested", "accepted", "cancelled"]
    assert _record(both)["outcome"]["status"] == "cancelled"


def test_a_request_that_is_revoked_after_the_work_has_begun_is_shown(open_agency: Open) -> None:
    both = opened(open_agency, case(status="in-progress"))
    both.write({**REQUEST, "status": "revoked"})
    both.agency.work()
    both.agency.work()
    assert both.states()[-1] == "in-progress"
    assert [(f.by, f.asked) for f in both.row().course.flags] == [("requester", "cancelled")]


def test_an_end_that_is_asked_for_by_a_task_or_a_business_status_is_shown(open_agency: Open) -> None:
    both = opened(open_agency, case(status="in-progress"))
    abort = {**TASK, "id": "t2", "focus": {"reference": "Task/t1"}, "code": {"coding": [{"code": "abort"}]}}
    both.write(abort)
    both.agency.work()
    known = both.row().inward
    assert known is not None
    assert known.asked == "task"


def test_bser_asks_by_its_business_status_and_is_answered_by_the_next_move(open_agency: Open) -> None:
    both = opened(open_agency, case(status="in-progress"), "bser")
    asks = {"coding": [{"system": "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS", "code": "5.2"}]}
    both.write({**both.task(), "businessStatus": asks})
    both.agency.work()
    known = both.row().inward
    assert known is not None
    assert known.asked == "business-status"
    assert both.task()["businessStatus"] == asks
    both.put(status="cancelled")
    assert both.states()[-1] == "cancelled"
    assert "businessStatus" not in both.task()


def test_a_task_that_its_sender_deletes_is_not_made_again(open_agency: Open) -> None:
    both = opened(open_agency, case(status="accepted"))
    both.ask("DELETE", "Task", "t1")
    both.put(status="in-progress")
    both.agency.work()
    assert both.held == "gone"
    assert both.history()[-1].deleted
    both.write(TASK)
    both.agency.work()
    assert both.states()[-1] == "in-progress"
    assert both.held == ""


def test_a_new_task_after_the_end_is_answered_once_the_answer_is_another(open_agency: Open) -> None:
    both = opened(open_agency, case("referrals", outcome={"status": "rejected", "reason": "Full"}, status="rejected"))
    both.write({**TASK, "id": "t2"})
    both.agency.work()
    assert both.states("t2") == ["requested"], "nobody has looked at it yet"
    both.put(status="accepted", outcome={"status": "accepted"})
    assert both.states("t2") == ["requested", "accepted"]
    assert both.states() == ["requested", "rejected"]
    assert both.task()["statusReason"] == {"text": "Full"}
    both.made["consents"][0]["status"] = "revoked"
    both.put()
    assert "Full" not in json.dumps([version.body for id_ in ("t1", "t2") for version in both.history(id_)])


# What a coordinator answers here


def say(both: Both, **given: Any) -> dict[str, Any]:
    return refer.answer(both.agency.desk, NUMBER, "r1", json.dumps(given).encode(), by="coordinator")


def test_a_coordinator_answers_and_the_record_stays_the_agency_s(open_agency: Open) -> None:
    both = opened(open_agency, case())
    assert say(both, status="accepted", business_status="waitlisted", by="Noor")["changed"]
    assert both.states()[-1] == "accepted"
    assert "waitlisted" in codes(both.task())
    read = _record(both)
    assert (read["status"], read["outcome"]["status"], read["outcome"]["business_status"]) == (
        "requested", "accepted", "waitlisted"
    )  # fmt: skip
    assert not say(both, status="accepted", business_status="waitlisted", by="Noor")["changed"]
    assert say(both, status="accepted")["changed"]
    assert codes(both.task()) == []


def test_who_puts_back_what_it_read_has_said_nothing(open_agency: Open) -> None:
    both = opened(open_agency, case(outcome={"status": "requested"}))
    say(both, status="accepted", business_status="waitlisted", reason="A place in spring")
    versions = len(both.history())
    read = keep.get_case(both.agency.desk, NUMBER)[0]
    both.agency.put(read)
    assert (both.states()[-1], len(both.history())) == ("accepted", versions)
    read["referrals"][0]["status"] = "accepted"
    both.agency.put(read)
    assert codes(both.task())[0] == "waitlisted", "it has caught up, and said no more"
    read["referrals"][0]["status"] = "in-progress"
    both.agency.put(read)
    assert both.states()[-1] == "in-progress", "the record's own new word is the last one"
    assert "answers" not in both.agency.stored(NUMBER).kept


@pytest.mark.parametrize(
    ("given", "pointers"),
    [
        ({}, ["/status"]),
        ({"status": "requested"}, ["/status"]),
        ({"status": "accepted", "colour": 1}, ["/colour"]),
        ({"status": "accepted", "business_status": "cancellation-requested"}, ["/business_status"]),
        ({"status": "accepted", "business_status": "Place 7"}, ["/business_status"]),
        ({"status": "rejected", "reason": " "}, ["/reason"]),
        ({"status": "rejected"}, ["/reason"]),
        ({"status": "x", "result": 3, "by": ""}, ["/by", "/result", "/status"]),
    ],
)
def test_an_answer_that_cannot_be_read_changes_nothing(both: Both, given: Any, pointers: list[str]) -> None:
    before = both.history()
    with pytest.raises(Refused) as refused:
        say(both, **given)
    assert [problem.pointer for problem in refused.value.problems] == pointers
    assert both.history() == before


@pytest.fixture
def both(open_agency: Open) -> Both:
    return opened(open_agency, case())


def test_an_answer_that_the_dialect_does_not_know_is_refused_at_once(open_agency: Open) -> None:
    both = opened(open_agency, case(status="completed"))
    with pytest.raises(Conflict):
        say(both, status="accepted")
    with pytest.raises(NotFound):
        refer.answer(both.agency.desk, NUMBER, "r9", b'{"status": "accepted"}', by="x")


def test_what_the_sender_has_ended_is_answered_no_more(open_agency: Open) -> None:
    both = opened(open_agency, case())
    both.write({**both.task(), "status": "cancelled"})
    with pytest.raises(Conflict, match="The sender has ended"):
        say(both, status="accepted")


def test_a_referral_by_telephone_is_answered_in_the_record_alone(open_agency: Open) -> None:
    both = Both(quiet(open_agency), case())
    both.agency.put(both.made)
    say(both, status="accepted")
    assert _record(both)["outcome"]["status"] == "accepted"
    assert show.referral(both.agency.desk, NUMBER, "r1")["state"] == "accepted"


def test_the_board_shows_what_came_in_beside_what_goes_out(open_agency: Open) -> None:
    made = case(respond_by="2026-11-20", story="MARKER of the family")
    both = opened(open_agency, made)
    [row] = show.board(both.agency.desk)["referrals"]
    assert (row["direction"], row["partner"], row["state"], row["overdue"]) == ("in", "lakeside", "received", True)
    alarms = [a["alarm"] for a in show.alarms(both.agency.desk, NUMBER)["alarms"]]
    assert alarms == ["answer-overdue"]
    both.write({**TASK, "status": "in-progress"})
    assert "answer-flagged" in [a["alarm"] for a in show.alarms(both.agency.desk, NUMBER)["alarms"]]
    both.agency.clock.pass_(minutes=5)
    say(both, status="accepted")
    assert show.alarms(both.agency.desk, NUMBER)["alarms"] == []
    assert "MARKER" not in json.dumps(show.board(both.agency.desk))


def test_the_coordinator_sees_why_an_answer_is_held_and_what_is_withheld(open_agency: Open) -> None:
    both = opened(open_agency, case())
    say(both, status="rejected", reason=LETTER)
    found = show.referral(both.agency.desk, NUMBER, "r1")
    assert (found["held"], found["withheld"]) == (None, ["reason"])
    both.made["consents"][0]["provisions"].append({"id": "no", "effect": "deny", "records": [PATH]})
    both.put()
    found = show.referral(both.agency.desk, NUMBER, "r1")
    assert (found["held"], found["because"]) == ("denied", "consents/c1/provisions/no")
    assert "said no" in found["sentence"]


def test_an_enrolment_that_lags_behind_is_told_and_not_changed(open_agency: Open) -> None:
    agency = quiet(open_agency)
    kept = agency.put(case(enrolment={"status": "referred"}, status="accepted"))
    assert [w.pointer for w in kept.warnings if "still says referred" in w.detail] == ["/enrolment/status"]


def test_a_warm_hand_over_is_followed_by_what_we_say(open_agency: Open) -> None:
    both = opened(open_agency, case(warm=True, status="accepted"))
    say(both, status="accepted", business_status="contact-made")
    found = show.referral(both.agency.desk, NUMBER, "r1")
    assert found["handover"] == {"introduced": None, "contact-made": "2026-11-21", "first-appointment": None}


# What partners send, and cases make of it


def test_one_request_is_answered_once_though_two_cases_adopted_it(open_agency: Open) -> None:
    both = opened(open_agency, case(status="accepted"))
    twin = Both(both.agency, {**case(status="requested"), "case": "C-3311"}, "C-3311")
    twin.agency.put(twin.made)
    twin.adopt()
    twin.put(status="rejected", outcome={"status": "rejected", "reason": "No"})
    assert both.states() == ["requested", "accepted"]
    assert (both.held, twin.held) == ("", "twice")
    assert show.referral(both.agency.desk, "C-3311", "r1")["sentence"]
    both.agency.delete(NUMBER)
    twin.put(status="accepted", outcome={"status": "accepted"})
    assert twin.held == ""


@pytest.mark.parametrize(
    ("dialect", "status", "found"),
    [
        ("generic", "ready", ["ready", "received"]), ("ihe", "draft", ["draft", "received"]),
        ("generic", "draft", ["draft"]), ("generic", "in-progress", ["in-progress"]),
        ("generic", "cancelled", ["cancelled"]),
    ],
)  # fmt: skip
def test_where_a_sender_begins(open_agency: Open, dialect: str, status: str, found: list[str]) -> None:
    both = Both(quiet(open_agency, dialect), case())
    both.agency.put(both.made)
    both.write(PATIENT, REQUEST, {**TASK, "status": status})
    both.adopt()
    assert both.states() == found
    assert (both.held, both.row().course.flags) == ("", ())


def test_a_draft_is_answered_once_it_is_asked(open_agency: Open) -> None:
    both = Both(quiet(open_agency), case(status="accepted"))
    both.agency.put(both.made)
    both.write(PATIENT, REQUEST, {**TASK, "status": "draft"})
    both.adopt()
    both.write(TASK)
    both.agency.work()
    assert both.states() == ["draft", "requested", "accepted"]


@pytest.mark.parametrize(
    ("authored", "told"),
    [
        ("2026-11-20", True), ("2026-11-21", False), ("2026-11", False), (None, True),
        ("2026-11-21T12:00:00-05:00", True), ("2026-11-21T23:00:00Z", False), ("2027-01-01", False),
    ],
)  # fmt: skip
def test_a_task_is_never_changed_before_it_was_written(open_agency: Open, authored: str | None, told: bool) -> None:
    """NOW is 2026-11-21T17:00Z; FHIR R4's inv-1 asks for lastModified not before authoredOn."""
    both = Both(quiet(open_agency), case())
    both.agency.put(both.made)
    task = {name: value for name, value in TASK.items() if name != "authoredOn"}
    both.write(PATIENT, REQUEST, {**task, **({"authoredOn": authored} if authored else {})})
    both.adopt()
    assert both.states()[-1] == "received"
    assert ("lastModified" in both.task()) == told


# When nothing is to be answered


def test_a_referral_that_came_by_telephone_is_a_record_and_no_more(open_agency: Open) -> None:
    agency = quiet(open_agency)
    made = case(status="accepted", requested_by="child")
    agency.put(made)
    agency.work()
    with agency.desk.store.reading() as tx:
        assert referrals.of_case(tx, agency.stored(NUMBER).id, inward=True) == []


def test_a_partner_that_is_paused_is_answered_when_it_goes_on(open_agency: Open) -> None:
    both = opened(open_agency, case())
    with both.agency.desk.store.writing() as tx:
        shares.pause(tx, "lakeside", now=both.agency.clock.now)
    both.put(status="accepted")
    both.agency.work()
    assert both.states()[-1] == "received"
    with both.agency.desk.store.writing() as tx:
        shares.resume(tx, "lakeside", now=both.agency.clock.now)
    both.agency.work()
    assert both.states()[-1] == "accepted"


@pytest.mark.parametrize("broken", ["amend", "append"])
def test_what_is_interrupted_is_done_whole_or_again(
    open_agency: Open, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    both = opened(open_agency, case())
    place: Any = resources if broken == "amend" else disclosures
    real, calls = getattr(place, broken), []

    def fails(*given: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the machine stops")
        return real(*given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(place, broken, fails)
        with pytest.raises(RuntimeError):
            both.put(status="completed")
    assert both.states() == ["requested", "received"]
    both.agency.work()
    assert both.states() == ["requested", "received", "accepted", "completed"]
    assert len([x for x in both.agency.account(NUMBER, "lakeside") if x.about == PATH]) == len(both.history()) - 1


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_each_dialect_begins_as_it_says(open_agency: Open, name: str) -> None:
    both = opened(open_agency, case(), name)
    assert both.row().course.state == "received"
    assert both.states()[-1] == DIALECTS[name].says.get("received", "received")


def test_saves_and_writes_at_once_are_done_one_after_the_other(open_agency: Open) -> None:
    """The case system saves, a coordinator answers, the partner writes its Task and a worker works, all at once."""
    both = opened(open_agency, case(respond_by="2026-12-01"))
    begun, faults = threading.Barrier(4), list[BaseException]()

    def doing(do: Callable[[int], Any]) -> None:
        try:
            begun.wait()
            for turn in range(6):
                do(turn)
        except BaseException as fault:  # noqa: BLE001  told below
            faults.append(fault)

    def save(turn: int) -> None:
        both.put(status="accepted", priority=("routine", "urgent")[turn % 2])

    deeds: list[Callable[[int], Any]] = [
        save,
        lambda turn: both.write({**TASK, "description": f"Written {turn}"}),
        lambda turn: answering.bring_all(both.agency.desk, NUMBER),
        lambda turn: both.agency.work(),
    ]
    threads = [threading.Thread(target=doing, args=(do,)) for do in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    both.agency.work()
    lines = [line for line in both.agency.account(NUMBER, "lakeside") if line.about == PATH]
    assert both.states() == ["requested", "received", "accepted"]
    assert len(both.history()) == 1 + 6 + len(lines) == 1 + 6 + 2
    assert both.task()["description"] == "Written 5"
