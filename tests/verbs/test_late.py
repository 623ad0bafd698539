"""What a partner does after it seemed not to: a gateway gave up, and the server behind it is still at it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.outward import fault_server as faults
from tests.outward.fault_server import JSON, Seen
from tests.outward.memory_fhir import Can
from tests.verbs.agency import Agency, case_of, revoked
from tests.verbs.conftest import Open
from tests.verbs.schedules import OUTCOME

pytestmark = pytest.mark.parametrize("place", ["sqlite"], indirect=True)
"""How things are sent does not depend on the database."""

SERVERS = {
    "transactions": Can(),
    "batches": Can(transaction=False),
    "single calls": Can(transaction=False, batch=False),
    "no conditions": Can(conditions=False),
}


def lost(open_agency: Open, can: Can | None = None, **file: object) -> Agency:
    """A first delivery of which nothing is heard; nothing has come to be by the time at which it is looked for."""
    agency = open_agency(each={"paused": True}, lakeside={"paused": False, **file})
    agency.fhir().can = can or Can()
    asked_first = [] if agency.fhir().can.conditions else [None] * 3
    agency.servers["lakeside"].plan(*asked_first, faults.CutAfter(applied=False))
    agency.put(case_of())
    agency.work()
    return agency


def goes_on(agency: Agency) -> None:
    agency.clock.pass_(seconds=15)
    agency.work()


def arrives(agency: Agency) -> None:
    """The first of what was written, which was lost, is done after all."""
    agency.servers["lakeside"]._apply(next(seen for seen in agency.seen() if seen.method == "POST"))


@pytest.mark.parametrize("withdrawal", ["delete", "stub"])
@pytest.mark.parametrize("can", SERVERS)
def test_what_comes_late_is_taken_back_where_permission_has_ended(open_agency: Open, can: str, withdrawal: str) -> None:
    """It had been looked for and not found, and there was nothing to be taken back."""
    agency = lost(open_agency, SERVERS[can], withdrawal=withdrawal)
    agency.put(revoked(case_of()))
    goes_on(agency)
    assert agency.share("C-0001")["state"] == "idle"
    arrives(agency)
    assert agency.fhir().of_type("Patient")
    agency.work_on(hours=1)
    agency.assert_equal()
    assert agency.share("C-0001")["state"] == "idle"
    of_child = [line for line in agency.account("C-0001", "lakeside") if line.resource_type == "Patient"]
    assert ("create", "delivered", "existing") in [(line.operation, line.kind, line.outcome) for line in of_child]


def test_what_was_made_again_and_taken_back_may_come_late_too(open_agency: Open) -> None:
    agency = lost(open_agency)
    goes_on(agency)
    agency.assert_equal()
    agency.put(revoked(case_of()))
    agency.work()
    arrives(agency)
    assert agency.fhir().of_type("Patient")
    agency.work_on(hours=1)
    agency.assert_equal()


def test_it_is_taken_back_although_what_says_so_was_refused(open_agency: Open) -> None:
    """A share that has stopped looks, too."""
    agency = lost(open_agency)
    agency.put(revoked(case_of()))
    agency.servers["lakeside"].plan(*[None] * 3, faults.Answer(422, JSON, OUTCOME))
    goes_on(agency)
    assert agency.share("C-0001")["state"] == "stopped"
    arrives(agency)
    agency.work_on(hours=1)
    agency.assert_equal()


def test_what_never_comes_is_looked_for_twice_more_and_no_save_makes_it_more(open_agency: Open) -> None:
    agency = lost(open_agency)
    case = revoked(case_of())
    agency.put(case)
    goes_on(agency)
    asked = agency.asked()
    agency.put({**copy.deepcopy(case), "people": [{**case["people"][0], "relationship": "father"}]})
    agency.work()
    assert agency.asked() == asked
    agency.clock.pass_(minutes=1)
    agency.work()
    assert agency.asked() == asked + 3
    agency.work_on()
    assert agency.asked() == asked + 6
    assert [seen.method for seen in agency.seen()[asked:]] == ["GET"] * 6


def test_what_may_still_be_there_is_not_looked_for_again(open_agency: Open) -> None:
    """Its creation has a condition: whichever comes last finds the other."""
    agency = lost(open_agency)
    goes_on(agency)
    asked = agency.asked()
    arrives(agency)
    agency.work_on()
    assert agency.asked() == asked
    agency.assert_equal()


def two_goals() -> Any:
    case = case_of()
    case["goals"].append({**case["goals"][0], "id": "g9", "title": "Ride the bus"})
    case["consents"][0]["provisions"][1]["records"] = ["goals/g1", "goals/g9"]
    return case


def taken_back_in_vain(open_agency: Open, can: Can) -> tuple[Agency, Seen]:
    """Nothing is heard of taking back one of two goals, which is still there; then it is permitted again. With what
    asked for it."""
    agency = open_agency(each={"paused": True}, lakeside={"paused": False})
    agency.fhir().can = can
    agency.put(two_goals())
    agency.work()
    before = len(agency.seen())
    narrower = two_goals()
    narrower["consents"][0]["provisions"][1]["records"] = ["goals/g1"]
    asks_to_purge = [] if can.transaction else [None]
    agency.servers["lakeside"].plan(*asks_to_purge, faults.CutAfter(applied=False))
    agency.put(narrower)
    agency.work()
    agency.put(two_goals())
    goes_on(agency)
    agency.assert_equal()
    return agency, next(s for s in agency.seen()[before:] if s.method == "DELETE" or b'"DELETE"' in s.body)


@pytest.mark.parametrize("can", ["transactions", "batches", "single calls"])
def test_what_is_taken_back_late_comes_again_where_it_is_permitted_again(open_agency: Open, can: str) -> None:
    agency, taken_back = taken_back_in_vain(open_agency, SERVERS[can])
    agency.servers["lakeside"]._apply(taken_back)
    assert agency.fhir().counted()["Goal"] == 1
    agency.work_on(hours=1)
    agency.assert_equal()
    assert agency.share("C-0001")["state"] == "idle"


def test_what_is_not_taken_back_after_all_is_read_twice_and_left_as_it_is(open_agency: Open) -> None:
    """Also where somebody there has changed it meanwhile: it was only looked at."""
    agency, _ = taken_back_in_vain(open_agency, Can())
    asked = agency.asked()
    place = next(place for place in agency.fhir().resources if place.startswith("Goal/"))
    agency.fhir().edit(place, description={"text": "Tie laces"})
    agency.work_on()
    after = agency.seen()[asked:]
    assert {seen.method for seen in after} == {"GET"}
    assert len([seen for seen in after if "/Goal/" in seen.path]) == 2
    assert agency.fhir().resources[place]["description"]["text"] == "Tie laces"
