"""What a partner does after it seemed not to: a gateway gave up, and the server behind it is still at it."""

from __future__ import annotations

import copy

import pytest

from tests.outward import fault_server as faults
from tests.outward.fault_server import JSON
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
