"""Whatever fails at a partner: once it is over, its copy is what it should be, and no other share has waited for it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from adapter import steer
from tests.outward import fault_server as faults
from tests.outward.fault_server import JSON
from tests.verbs import schedules
from tests.verbs.agency import Agency, case_of, record, revoked
from tests.verbs.conftest import Open
from tests.verbs.schedules import LASTING, OUTCOME, PASSING

QUICK = {"each": {"timeout": 0.2, "paused": True}, "lakeside": {"paused": False}}


@pytest.mark.parametrize("kind", PASSING)
def test_a_fault_that_passes_is_survived_without_a_person(open_agency: Open, kind: str) -> None:
    """At the first time, at a change, and when all is taken back."""
    agency = open_agency(**QUICK)
    server, case = agency.servers["lakeside"], case_of()
    for step in ("create", "change", "take back"):
        if step == "change":
            record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
        server.plan(PASSING[kind])
        agency.put(revoked(case) if step == "take back" else case)
        agency.work()
        server.forget()
        agency.work_on()
        agency.assert_equal()
        assert agency.share("C-0001")["state"] == "idle"
        assert (agency.fhir().of_type("Goal") == []) is (step == "take back")
    agency.assert_nothing_withheld("minimal", "lakeside")
    asked = agency.asked()
    agency.put(case_of())
    agency.put(revoked(case))
    agency.work_on()
    assert agency.asked() == asked


@pytest.mark.parametrize("kind", LASTING)
def test_what_is_refused_is_not_repeated_until_something_changes(agency: Agency, kind: str) -> None:
    """A person sees what the partner said, in codes; a retry, or any save, tries again."""
    agency.servers["lakeside"].plan(LASTING[kind])
    agency.put(case_of())
    agency.work()
    share = agency.share("C-0001")
    assert (share["state"], share["outcome"]) == ("stopped", "rejected")
    assert share["detail"].startswith("HTTP ")
    agency.clock.pass_(days=7)
    assert agency.work() == 0
    assert len(agency.seen()) == 1
    steer.retry(agency.desk, "C-0001", "lakeside")
    agency.work()
    agency.assert_equal()


def test_a_throttled_partner_is_left_alone_as_long_as_it_asks(agency: Agency) -> None:
    agency.servers["lakeside"].plan(faults.Answer(429, {"Retry-After": "3600"}))
    agency.put(case_of())
    agency.work()
    due = agency.share("C-0001")["due"]
    assert due is not None
    assert datetime.fromisoformat(due) >= agency.clock.now + timedelta(hours=1)
    agency.put({**case_of(), "goals": case_of()["goals"][:1]})
    agency.clock.pass_(minutes=59)
    agency.work()
    assert len(agency.seen()) == 1
    agency.work_on()
    agency.assert_equal()


def test_a_partner_that_stays_away_is_tried_for_four_days(agency: Agency) -> None:
    """Then a person is called; what was not sent is not forgotten."""
    agency.servers["lakeside"].plan(*[faults.Answer(503)] * 1000)
    agency.put(case_of())
    start = agency.clock.now
    for hours in (0, 24, 48, 72, 95):
        agency.clock.now = start + timedelta(hours=hours)
        agency.work()
        assert agency.share("C-0001")["state"] == "waiting"
    agency.clock.now = start + timedelta(hours=96, minutes=16)
    agency.work()
    assert agency.share("C-0001")["state"] == "stopped"
    agency.servers["lakeside"].forget()
    steer.retry(agency.desk, "C-0001", "lakeside")
    agency.work()
    agency.assert_equal()


@pytest.mark.parametrize("stale", [412, 409])
@pytest.mark.parametrize("then", ["a person says that it is ours", "it is revoked"])
def test_a_copy_that_somebody_there_changed_is_not_overwritten_unread(agency: Agency, then: str, stale: int) -> None:
    """412, or HAPI FHIR's 409: it stops with an alarm; nothing is written over before a person says so."""
    case = case_of()
    agency.fhir().stale = stale
    agency.put(case)
    agency.work()
    place = next(place for place in agency.fhir().resources if place.startswith("Goal/"))
    agency.fhir().edit(place, description={"text": "Tie laces"})
    record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
    agency.put(case)
    agency.work_on(hours=1)
    share = agency.share("C-0001")
    assert (share["state"], share["outcome"], share["alarms"]) == ("stopped", "version", ["conflict"])
    assert agency.fhir().resources[place]["description"]["text"] == "Tie laces"
    if then == "a person says that it is ours":
        steer.retry(agency.desk, "C-0001", "lakeside", theirs="overwrite")
    else:
        agency.put(revoked(case))
    agency.work()
    agency.assert_equal()
    assert agency.share("C-0001")["state"] == "idle"


def test_a_copy_that_somebody_there_deleted_comes_again(agency: Agency) -> None:
    case = case_of()
    agency.put(case)
    agency.work()
    place = next(place for place in agency.fhir().resources if place.startswith("Goal/"))
    del agency.fhir().resources[place]
    record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
    agency.servers["lakeside"].plan(faults.Answer(404, JSON, OUTCOME))
    agency.put(case)
    agency.work_on()
    steer.retry(agency.desk, "C-0001", "lakeside")
    agency.work_on()
    agency.assert_equal()


def test_a_partner_that_fails_holds_up_no_other(open_agency: Open) -> None:
    agency = open_agency(each={"timeout": 0.5})
    agency.servers["harbour-cas"].plan(*[faults.CutBefore()] * 2)
    agency.servers["lakeside"].plan(*[faults.Answer(503)] * 2)
    case = case_of("ontario-csp")
    agency.put(case)
    agency.work()
    for partner in ("riverside", "northstar"):
        assert agency.share(case["case"], partner)["state"] == "idle"
        agency.assert_equal(partner)
    for partner in ("lakeside", "harbour-cas"):
        assert agency.share(case["case"], partner)["state"] == "waiting"
        agency.servers[partner].forget()
    agency.work_on()
    for partner in agency.servers:
        agency.assert_equal(partner)


SEED = 20261121


@pytest.mark.parametrize("schedule", range(20))
def test_after_any_schedule_of_faults_the_partner_holds_what_it_should(open_agency: Open, schedule: int) -> None:
    """The first of those that tests/servers/test_schedules.py goes through."""
    dice = random.Random(SEED + schedule)  # noqa: S311  a schedule is no secret
    schedules.run(open_agency(each={"paused": True}, lakeside=schedules.file(dice)), dice)
