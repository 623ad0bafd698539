"""A partner that is away, or that takes so much and no more: the others go on, and it gets all in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from adapter.core.pace import SHARES
from adapter.store import paces, shares
from tests.outward.fault_server import Answer, CutAfter, FaultServer
from tests.outward.memory_fhir import Can
from tests.verbs.agency import Agency, case_of, record, revoked
from tests.verbs.conftest import Open

MANY = SHARES + 1


def cases(count: int = MANY) -> Iterator[Any]:
    for number in range(count):
        yield case_of() | {"case": f"C-{number:04}"}


def opened(open_agency: Open, **lakeside: Any) -> Agency:
    return open_agency(each={"paused": True}, lakeside={"paused": False, **lakeside})


def fails(server: FaultServer, fault: Any) -> Callable[[], None]:
    """Whatever it is asked it answers so, until the returned function is called."""
    server.plan(*[fault] * 10_000)
    return server.forget


def circuit(agency: Agency) -> bool:
    with agency.desk.store.reading() as tx:
        return paces.of_partner(tx, "lakeside").is_open


def states(agency: Agency) -> list[str]:
    with agency.desk.store.reading() as tx:
        return [share.state for share in shares.listed(tx, partner="lakeside", limit=1000)]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Answer(503), id="says so"),
        pytest.param(CutAfter(applied=False), id="says nothing", marks=pytest.mark.servers),
        pytest.param(Answer(401), id="knows us no more", marks=pytest.mark.servers),
    ],
)
def test_a_partner_that_is_away_for_a_week_is_asked_now_and_then_and_has_all_in_the_end(
    open_agency: Open, fault: Any
) -> None:
    """One share at a time tries, no more often than each quarter of an hour; none stops, none is lost, none doubled."""
    agency = opened(open_agency)
    heals = fails(agency.servers["lakeside"], fault)
    for case in cases():
        agency.put(case)
    agency.work()
    assert circuit(agency)
    begun, asked = agency.clock.now, len(agency.seen())
    agency.work_on(hours=4)
    hours = (agency.clock.now - begun) / timedelta(hours=1)
    assert len(agency.seen()) - asked <= 4 * hours + 10
    agency.clock.now = begun + timedelta(days=7)
    agency.work()
    assert circuit(agency) and "stopped" not in states(agency)
    heals()
    agency.work_on()
    assert not circuit(agency)
    assert set(states(agency)) == {"idle"}
    agency.assert_equal()


def test_a_revocation_during_an_outage_is_the_first_thing_that_arrives_after_it(open_agency: Open) -> None:
    """What was never sent is not sent then either."""
    agency = opened(open_agency)
    heals = fails(agency.servers["lakeside"], Answer(503))
    for case in cases():
        agency.put(case)
    agency.work()
    for case in cases():
        agency.put(revoked(case))
    heals()
    agency.work_on()
    assert agency.fhir().resources == {} or set(agency.fhir().counted()) <= {"Consent", "Task"}
    agency.assert_equal()


def test_one_case_that_always_fails_holds_nobody_up(open_agency: Open) -> None:
    """It is that case, not the partner."""
    agency = opened(open_agency)
    agency.put(case_of())
    agency.servers["lakeside"].plan(*[Answer(500)] * 50)
    agency.work_on(hours=2)
    assert not circuit(agency)


def test_a_person_who_says_try_now_is_obeyed(open_agency: Open) -> None:
    from adapter import steer

    agency = opened(open_agency)
    heals = fails(agency.servers["lakeside"], Answer(503))
    for case in cases():
        agency.put(case)
    agency.work()
    heals()
    asked = len(agency.seen())
    assert agency.work() == 0, "its time has not come"
    steer.retry(agency.desk, "C-0003", "lakeside")
    agency.work()
    assert not circuit(agency)
    assert len(agency.seen()) > asked
    agency.work_on(hours=1)
    agency.assert_equal()


class Timed:
    """Notes when each request arrived, by the agency's clock."""

    def __init__(self, agency: Agency) -> None:
        self.at: list[datetime] = []
        agency.fhir().watch = lambda *_: self.at.append(agency.clock.now)


@pytest.mark.parametrize("chunk", [1, 200])
def test_no_more_requests_leave_than_the_partner_file_allows(open_agency: Open, chunk: int) -> None:
    """Of one case in many pieces as of many cases; and all arrives, once."""
    agency = opened(open_agency, rate=30.0, chunk=chunk)
    timed = Timed(agency)
    for case in cases(2):
        agency.put(case)
    agency.work_on()
    agency.assert_equal()
    assert len(timed.at) >= (2 if chunk == 200 else 4)
    assert all(later - earlier >= timedelta(seconds=2) for earlier, later in pairwise(timed.at))
    assert agency.clock.now - timed.at[0] <= timedelta(seconds=2.1 * len(timed.at))


@pytest.mark.parametrize("applied", [True, False], ids=["done", "not done"])
def test_what_must_be_looked_up_before_it_is_sent_arrives_at_the_slowest_rate(open_agency: Open, applied: bool) -> None:
    """Looking takes a request and sending another: were the second to wait for its turn, it would be looked up anew."""
    agency = opened(open_agency, rate=1.0)
    case = case_of()
    agency.put(case)
    agency.work_on(hours=1)
    agency.servers["lakeside"].plan(CutAfter(applied=applied))
    record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
    agency.put(case)
    begun, asked = agency.clock.now, len(agency.seen())
    agency.work_on(hours=1)
    agency.assert_equal()
    assert len(agency.seen()) - asked <= 4
    assert agency.clock.now - begun <= timedelta(minutes=10)


def test_what_is_read_before_it_is_written_anew_arrives_at_the_slowest_rate(open_agency: Open) -> None:
    """The request to purge is read for its answer, and is another one once all is given again."""
    agency = opened(open_agency, rate=1.0)
    for case in (case_of(), revoked(case_of()), case_of()):
        agency.put(case)
        asked = len(agency.seen())
        agency.work_on(hours=1)
    agency.assert_equal()
    [task] = agency.fhir().of_type("Task")
    assert task["status"] == "cancelled"
    assert len(agency.seen()) - asked <= 6


@pytest.mark.parametrize(
    "can", [Can(), Can(transaction=False), Can(conditions=False)], ids=["all", "batches", "no conditions"]
)
@pytest.mark.parametrize("edit", ["a note of theirs", "our words"])
def test_what_somebody_there_changed_is_settled_at_the_slowest_rate(open_agency: Open, can: Can, edit: str) -> None:
    """What follows from reading it goes at once: were it to wait for its turn, all would be refused and read anew."""
    agency = opened(open_agency, rate=1.0)
    agency.fhir().can = can
    case = case_of()
    agency.put(case)
    agency.work_on(hours=1)
    (place,) = (place for place in agency.fhir().resources if place.startswith("Goal/"))
    theirs = (
        {"note": [{"text": "She tied them twice"}]} if edit == "a note of theirs" else {"description": {"text": "x"}}
    )
    agency.fhir().edit(place, **theirs)
    record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
    case["goals"].append({**case["goals"][0], "id": "g9", "title": "Another goal"})
    case["consents"][0]["provisions"][1]["records"].append("goals/g9")
    agency.put(case)
    asked = len(agency.seen())
    agency.work_on(hours=2)
    share = agency.share("C-0001")
    assert (share["state"], share["alarms"]) == (
        ("idle", []) if edit == "a note of theirs" else ("stopped", ["conflict"])
    )
    assert agency.fhir().counted()["Goal"] == 2
    assert len(agency.seen()) - asked <= 9


def test_one_answer_that_it_was_too_much_holds_the_whole_partner(open_agency: Open) -> None:
    agency = opened(open_agency)
    agency.servers["lakeside"].plan(Answer(429, {"Retry-After": "120"}))
    begun = agency.clock.now
    for case in cases(3):
        agency.put(case)
    agency.work()
    assert len(agency.seen()) == 1
    agency.clock.now = begun + timedelta(seconds=119)
    agency.work()
    assert len(agency.seen()) == 1
    agency.work_on()
    agency.assert_equal()


def test_another_partner_waits_for_none_of_it(open_agency: Open) -> None:
    agency = open_agency(each={"paused": True}, lakeside={"paused": False}, riverside={"paused": False})
    fails(agency.servers["lakeside"], Answer(503))
    agency.put(case_of("ontario-csp"))
    for case in cases():
        agency.put(case)
    agency.work()
    assert circuit(agency)
    assert agency.fhir("riverside").resources
    agency.assert_equal("riverside")
