"""An answer comes home: asked for, or written to us; once, whatever goes wrong; nothing of theirs is lost."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from adapter import answers, keep, receive
from adapter.core.fhir.transaction import ALONE, Step
from adapter.core.partner import Referrals
from adapter.receive.world import World
from adapter.store import polls, referrals, shares
from adapter.store.referrals import Tracked
from tests.outward.fault_server import Answer, CutAfter, CutBefore, Truncated, page
from tests.verbs.agency import Agency, case_of
from tests.verbs.conftest import Open

NUMBER = "C-2210"
FULL = {"text": "There are no places before the summer."}


def case(**referral: Any) -> dict[str, Any]:
    """A small case with one referral to the school, which may see it."""
    made = case_of("minimal")
    made["case"] = NUMBER
    permit = made["consents"][0]["provisions"][0]
    permit["parts"] = ["identity", "referrals", "needs"]
    permit["purposes"] = ["care-coordination", "education-planning", "treatment", "referral"]
    permit["to"] = ["partners/lakeside"]
    made["referrals"] = [
        {
            "id": "r1", "direction": "out", "kind": "service", "status": "requested", "to": "organizations/lakeside",
            "services": [{"text": "A place in the reading group"}], "authored_on": "2026-11-20", **referral,
        }
    ]  # fmt: skip
    return made


@pytest.fixture
def sent(open_agency: Open) -> Agency:
    return opened(open_agency)


PROOFS = os.environ.get("CSP_PROOFS") == "1"


def few(values: Iterable[Any], number: int = 1) -> list[Any]:
    """The first of these; all of them where everything is to be shown."""
    every = list(values)
    return every if PROOFS else every[:number]


def agency_of(open_agency: Open, dialect: str = "generic", **each: Any) -> Agency:
    """An agency with two partners, that answer by this dialect: the school, and a hospital that looks on."""
    agency = open_agency(each={"referrals": Referrals(dialect, "poll", 60.0), **each})
    desk = agency.desk
    partners = {name: desk.catalogue.partners[name] for name in ("lakeside", "riverside")}
    known = {name: desk.bench.rulebook.partners[name] for name in partners}
    book = replace(desk.bench.rulebook, partners=known)
    agency.desk = replace(
        desk, catalogue=replace(desk.catalogue, partners=partners), bench=replace(desk.bench, rulebook=book)
    )
    return agency


def opened(open_agency: Open, dialect: str = "generic", **case_: Any) -> Agency:
    agency = agency_of(open_agency, dialect)
    agency.put(case(**case_))
    agency.work()
    return agency


def task(agency: Agency) -> dict[str, Any]:
    [found] = [t for t in agency.fhir().of_type("Task") if t.get("focus", {}).get("reference", "").startswith("Serv")]
    return found


def say(agency: Agency, status: str, **more: Any) -> None:
    """The receiver moves the Task on its own server."""
    there = task(agency)
    agency.fhir()._keep(f"Task/{there['id']}", {**copy.deepcopy(there), "status": status, **more})


def tracked(agency: Agency) -> Tracked:
    with agency.desk.store.reading() as tx:
        [found] = referrals.of_case(tx, agency.stored(NUMBER).id)
    return found


def ways(agency: Agency) -> list[tuple[str, str]]:
    return [(step.start, step.end) for step in tracked(agency).course.steps]


def outcome(agency: Agency) -> dict[str, Any]:
    found: dict[str, Any] = keep.get_case(agency.desk, NUMBER)[0]["referrals"][0].get("outcome", {})
    return found


def test_an_answer_that_is_asked_for_is_in_the_record(sent: Agency) -> None:
    assert outcome(sent) == {}
    say(sent, "accepted")
    sent.clock.pass_(minutes=59)
    sent.work()
    assert outcome(sent) == {}
    sent.clock.pass_(minutes=2)
    sent.work()
    assert outcome(sent)["status"] == "accepted"
    assert outcome(sent)["by"] == "organizations/lakeside"
    assert ways(sent) == [("requested", "accepted")]


def test_asking_is_for_our_tasks_alone_from_their_own_time_on(sent: Agency) -> None:
    sent.clock.pass_(hours=1)
    sent.work()
    say(sent, "accepted")
    sent.clock.pass_(hours=1)
    sent.work()
    asked = [seen.path for seen in sent.seen() if "Task?" in seen.path]
    ours = task(sent)["identifier"][0]["value"]
    assert len(asked) == 2
    assert all(path.count("%7C") == 1 and ours in path for path in asked)
    assert "_lastUpdated" not in asked[0]
    assert "_lastUpdated=gt2026-11-21T17%3A00%3A20.000Z" in asked[1], "ten seconds before the server's own time"


def test_what_the_receiver_moved_is_neither_a_conflict_nor_written_over(sent: Agency) -> None:
    """Another save goes out, the Task stays as the receiver left it, and nothing waits for a person."""
    say(sent, "accepted", output=[{"type": {"text": "Result"}, "valueString": "Starts in May"}], owner={"display": "A"})
    theirs = copy.deepcopy(task(sent))
    changed = case()
    changed["goals"][0]["title"] = "Another title that is long enough to tell"
    sent.put(changed)
    sent.work()
    assert sent.share(NUMBER)["state"] == "idle"
    assert task(sent) == theirs


def test_each_version_between_two_polls_comes_home(sent: Agency) -> None:
    versions: list[dict[str, Any]] = []
    _keep_versions(sent, versions)
    for status in ("received", "accepted", "in-progress", "on-hold", "in-progress", "completed"):
        say(sent, status)
    sent.clock.pass_(hours=1)
    sent.work()
    assert ways(sent) == [
        ("requested", "received"), ("received", "accepted"), ("accepted", "in-progress"), ("in-progress", "on-hold"),
        ("on-hold", "in-progress"), ("in-progress", "completed"),
    ]  # fmt: skip


def _keep_versions(agency: Agency, versions: list[dict[str, Any]]) -> None:
    """Let the small server answer `_history/N` from what is saved from now on."""
    fhir = agency.fhir()
    keep_, handle = fhir._keep, fhir._handle

    def kept(place: str, resource: dict[str, Any]) -> str:
        where = keep_(place, resource)
        versions.append(copy.deepcopy(fhir.resources[where]))
        return where

    def handled(method: str, path: str, body: bytes, echo: bool) -> Any:
        if "/_history/" in path:
            number = path.rpartition("/")[2]
            found = next((v for v in versions if v["meta"]["versionId"] == number), None)
            if found is not None:
                return 200, {"Content-Type": "application/fhir+json"}, json.dumps(found).encode()
        return handle(method, path, body, echo)

    fhir._keep, fhir._handle = kept, handled  # type: ignore[method-assign]


FAULTS = {
    "the line is cut after": CutAfter(), "slow down": Answer(429, {"Retry-After": "7200"}), "an error page": page(502),
    "half an answer": Truncated(), "the line is cut before": CutBefore(),
    "no bundle": Answer(200, {"Content-Type": "application/fhir+json"}, b'{"resourceType": "Patient"}'),
    "not JSON": Answer(200, {"Content-Type": "application/fhir+json"}, b"{"),
    "a list": Answer(200, {"Content-Type": "application/fhir+json"}, b"[1]"),
}  # fmt: skip


@pytest.mark.parametrize("fault", few(FAULTS.values(), 3), ids=few(FAULTS, 3))
def test_a_poll_that_fails_is_tried_later_and_loses_nothing(sent: Agency, fault: Any) -> None:
    say(sent, "accepted")
    sent.servers["lakeside"].plan(fault)
    sent.clock.pass_(hours=1)
    before = len(sent.seen())
    sent.work()
    assert len(sent.seen()) <= before + 1, "no busy loop"
    with sent.desk.store.reading() as tx:
        standing = next(p for p in polls.listed(tx) if p.partner == "lakeside")
    assert standing.outcome != "delivered"
    assert standing.due is not None
    assert standing.due >= sent.clock.now + (standing.due - sent.clock.now).__class__(hours=2)
    sent.clock.pass_(hours=3)
    sent.work()
    assert ways(sent) == [("requested", "accepted")]


def test_a_server_that_cannot_search_so_is_read_by_id(sent: Agency) -> None:
    say(sent, "accepted")
    sent.servers["lakeside"].plan(Answer(400, {"Content-Type": "application/fhir+json"}, b"{}"))
    sent.clock.pass_(hours=1)
    sent.work()
    assert ways(sent) == [("requested", "accepted")]


def test_a_task_under_another_id_is_not_believed(sent: Agency) -> None:
    impostor = {**copy.deepcopy(task(sent)), "status": "completed"}
    sent.fhir()._keep("Task/impostor", impostor)
    sent.clock.pass_(hours=1)
    sent.work()
    assert ways(sent) == []


def test_what_is_impossible_is_flagged_and_changes_nothing(sent: Agency) -> None:
    say(sent, "draft")
    version = sent.stored(NUMBER).version
    sent.clock.pass_(hours=1)
    sent.work()
    assert [flag.asked for flag in tracked(sent).course.flags] == ["draft"]
    assert (outcome(sent), sent.stored(NUMBER).version) == ({}, version)


def test_a_rejection_leaves_the_request_to_the_coordinator(open_agency: Open) -> None:
    agency = opened(open_agency)
    say(agency, "rejected", statusReason=FULL)
    agency.clock.pass_(hours=1)
    agency.work()
    record = keep.get_case(agency.desk, NUMBER)[0]["referrals"][0]
    assert (record["status"], record["outcome"]["status"]) == ("requested", "rejected")
    assert record["outcome"]["reason"] == FULL["text"]


def test_the_receivers_words_go_to_nobody_else(open_agency: Open) -> None:
    """The other partner, which may see referrals too, receives the state and never the words."""
    agency = agency_of(open_agency)
    made = case()
    made["consents"][0]["provisions"][0]["to"] += ["partners/riverside"]
    made["consents"][0]["provisions"] = made["consents"][0]["provisions"][:1]
    agency.put(made)
    agency.work()
    assert agency.fhir("riverside").of_type("ServiceRequest"), agency.share(NUMBER, "riverside")
    say(agency, "accepted", statusReason={"text": "MARKER words of the school"},
        output=[{"type": {"text": "x"}, "valueString": "MARKER result"}])  # fmt: skip
    agency.clock.pass_(hours=1)
    agency.work()
    agency.work_on(hours=1)
    assert outcome(agency)["reason"] == "MARKER words of the school"
    agency.assert_never("MARKER", "riverside")
    agency.assert_never("MARKER", "lakeside")


def test_who_may_see_a_referral_but_does_not_receive_it_cannot_answer_it(open_agency: Open) -> None:
    """Its copy of the Task is a copy: what it writes there is not an answer, and what it writes to us neither."""
    agency = agency_of(open_agency)
    made = case()
    made["consents"][0]["provisions"][0]["to"] += ["partners/riverside"]
    made["consents"][0]["provisions"] = made["consents"][0]["provisions"][:1]
    agency.put(made)
    agency.work()
    [copy_] = agency.fhir("riverside").of_type("Task")
    answer = {"resourceType": "Task", "id": "a1", "intent": "order", "status": "accepted"}
    put(agency, {**answer, "identifier": copy_["identifier"]}, "riverside")
    agency.fhir("riverside")._keep(f"Task/{copy_['id']}", {**copy_, "status": "accepted"})
    agency.clock.pass_(hours=2)
    agency.work()
    assert ways(agency) == []
    assert outcome(agency) == {}
    assert not [seen for seen in agency.seen("riverside") if "Task?" in seen.path]


def test_words_that_others_may_not_see_call_nobody(open_agency: Open) -> None:
    """A result that is added later changes nothing that the hospital, which looks on, may see: it is not called."""
    agency = agency_of(open_agency)
    made = case()
    made["consents"][0]["provisions"][0]["to"] += ["partners/riverside"]
    made["consents"][0]["provisions"] = made["consents"][0]["provisions"][:1]
    agency.put(made)
    agency.work()
    say(agency, "accepted")
    agency.clock.pass_(hours=1)
    agency.work_on(hours=0.1)
    seen, before = len(agency.seen("riverside")), agency.stored(NUMBER).kept["outcomes"]
    say(agency, "accepted", output=[{"type": {"text": "x"}, "valueString": "MARKER later"}])
    agency.clock.pass_(hours=1)
    agency.work_on(hours=0.1)
    after = agency.stored(NUMBER).kept["outcomes"]
    assert after["referrals/r1"].pop("result") == "MARKER later"
    assert after == before
    assert len(agency.seen("riverside")) == seen


@pytest.mark.parametrize("withdrawal", ["delete", "stub"])
def test_the_last_answer_comes_home_before_the_task_is_taken_back(open_agency: Open, withdrawal: str) -> None:
    """The receiver had completed it, and moved our copy on: neither keeps what is withdrawn there."""
    agency = agency_of(open_agency)
    desk = agency.desk
    school = replace(desk.catalogue.partners["lakeside"], withdrawal=withdrawal)
    partners = {**desk.catalogue.partners, "lakeside": school}
    book = replace(desk.bench.rulebook, partners=partners)
    agency.desk = replace(
        desk, catalogue=replace(desk.catalogue, partners=partners), bench=replace(desk.bench, rulebook=book)
    )
    agency.fhir().deletes = withdrawal == "delete"
    agency.put(case())
    agency.work()
    say(agency, "accepted", output=[{"type": {"text": "x"}, "valueString": "Starts in May"}])
    ended = case()
    ended["consents"][0]["status"] = "revoked"
    agency.put(ended)
    agency.work_on(hours=1)
    assert ways(agency) == [("requested", "accepted")]
    assert agency.share(NUMBER)["state"] == "idle"
    agency.assert_never("Starts in May")
    held = [t for t in agency.fhir().of_type("Task") if "focus" in t or "output" in t]
    assert held == []


def test_a_partner_that_a_person_paused_is_not_asked(sent: Agency) -> None:
    say(sent, "accepted")
    with sent.desk.store.writing() as tx:
        shares.pause(tx, "lakeside", now=sent.clock.now)
    before = len(sent.seen())
    sent.clock.pass_(hours=3)
    sent.work()
    assert len(sent.seen()) == before
    with sent.desk.store.writing() as tx:
        shares.resume(tx, "lakeside", now=sent.clock.now)
    sent.work()
    assert ways(sent) == [("requested", "accepted")]


def test_who_reads_and_puts_back_has_said_nothing(sent: Agency) -> None:
    say(sent, "accepted", statusReason={"text": "Welcome"})
    sent.clock.pass_(hours=1)
    sent.work()
    read, version = keep.get_case(sent.desk, NUMBER)
    assert read["referrals"][0]["outcome"]["reason"] == "Welcome"
    put = sent.put(read)
    assert (put.changed, put.version) == (False, version)
    assert sent.put(case()).changed is False


def test_a_narrowing_keeps_what_the_receiver_wrote_in_the_task(open_agency: Open) -> None:
    """What went along and may not be seen any more leaves the Task; the answer in it stays, and comes home first."""
    agency = agency_of(open_agency)
    made = case(shares=["needs/n1"])
    made["needs"] = [{"id": "n1", "text": "Time to read in a quiet room", "domain": "learning", "status": "open"}]
    agency.put(made)
    agency.work()
    assert len(task(agency)["input"]) == 1
    say(agency, "accepted", output=[{"type": {"text": "Result"}, "valueString": "Starts in May"}])
    made["consents"][0]["provisions"][0]["parts"].remove("needs")
    agency.put(made)
    agency.work()
    agency.work_on(hours=1)
    there = task(agency)
    assert "input" not in there
    assert (there["status"], there["output"][0]["valueString"]) == ("accepted", "Starts in May")
    assert ways(agency) == [("requested", "accepted")]
    assert agency.share(NUMBER)["state"] == "idle"


def put(agency: Agency, resource: dict[str, Any], partner: str = "lakeside") -> int:
    hears = answers.hearing(agency.desk.catalogue, partner)
    world = World(partner, "https://us.example/fhir", agency.clock.now, "R4", hears=hears)
    step = Step(ALONE, "PUT", "Task", resource["id"])
    return receive.interact(agency.desk.store, world, step, json.dumps(resource).encode()).status


def ours(agency: Agency) -> dict[str, Any]:
    return dict(task(agency)["identifier"][0])


BEARING = {
    "its own identifier": lambda a: {"identifier": [ours(a)]},
    "the identifier of its focus": lambda a: {"focus": {"identifier": _of_request(a)}},
    "the identifier that it is based on": lambda a: {"basedOn": [{"identifier": _of_request(a)}]},
}


def _of_request(agency: Agency) -> dict[str, Any]:
    [found] = agency.fhir().of_type("ServiceRequest")
    return dict(found["identifier"][0])


@pytest.mark.parametrize("bearing", few(BEARING.values(), 2), ids=few(BEARING, 2))
def test_a_partner_writes_its_answer_to_us(sent: Agency, bearing: Any) -> None:
    written = {"resourceType": "Task", "id": "a1", "intent": "order", "status": "accepted", **bearing(sent)}
    assert put(sent, written) == 201
    assert put(sent, {**written, "status": "in-progress"}) == 200
    assert ways(sent) == [("requested", "accepted"), ("accepted", "in-progress")]
    assert outcome(sent)["status"] == "in-progress"


def test_a_partner_cannot_answer_for_another(sent: Agency) -> None:
    written = {"resourceType": "Task", "id": "a1", "intent": "order", "status": "accepted", "identifier": [ours(sent)]}
    assert put(sent, written, "riverside") == 201
    assert ways(sent) == []


def test_an_answer_both_ways_is_one(sent: Agency) -> None:
    say(sent, "accepted")
    put(sent, {"resourceType": "Task", "id": "a1", "intent": "order", "status": "accepted", "identifier": [ours(sent)]})
    sent.clock.pass_(hours=1)
    sent.work()
    assert ways(sent) == [("requested", "accepted")]


def test_an_answer_to_what_was_taken_back_goes_nowhere(sent: Agency) -> None:
    identifier = ours(sent)
    sent.delete(NUMBER)
    sent.work()
    answered = {"resourceType": "Task", "id": "a1", "intent": "order", "status": "accepted", "identifier": [identifier]}
    assert put(sent, answered) == 201
    assert ways(sent) == []
    asked = len(sent.seen())
    sent.clock.pass_(hours=5)
    sent.work()
    later = [seen.path for seen in sent.seen()[asked:]]
    assert not any(identifier["value"] in path for path in later), "nobody is asked for what is not there"
    assert all("Task?" in path for path in later), "what is asked for is whether it was purged"


def test_what_is_taken_back_goes_also_where_few_requests_are_taken(open_agency: Open) -> None:
    """The last word of a Task is read in the same breath in which it is taken back."""
    agency = agency_of(open_agency)
    partners = agency.desk.catalogue.partners
    slow = {**partners, "lakeside": replace(partners["lakeside"], rate=6.0)}
    agency.desk = replace(agency.desk, catalogue=replace(agency.desk.catalogue, partners=slow))
    agency.put(case())
    agency.work_on(hours=1)
    assert task(agency)
    agency.delete(NUMBER)
    agency.work_on(hours=1)
    assert agency.fhir().of_type("ServiceRequest") == []


def test_a_referral_that_came_again_begins_again(sent: Agency) -> None:
    say(sent, "rejected", statusReason=FULL)
    sent.clock.pass_(hours=1)
    sent.work()
    without = case()
    del without["referrals"]
    sent.put(without)
    sent.work()
    sent.put(case())
    sent.work()
    assert ways(sent) == [("requested", "rejected"), ("rejected", "requested")]
    assert outcome(sent) == {}
    say(sent, "accepted")
    sent.clock.pass_(hours=1)
    sent.work()
    assert outcome(sent)["status"] == "accepted"


def test_gravity_is_told_no_state_that_it_does_not_know(open_agency: Open) -> None:
    agency = opened(open_agency, "gravity", status="received")
    assert task(agency)["status"] == "requested"
    agency.clock.pass_(hours=1)
    agency.work()
    assert tracked(agency).course.flags == ()
