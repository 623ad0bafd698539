"""Each case arrives whole at each partner, once; and what a partner may not see causes no traffic."""

from __future__ import annotations

import pytest

from tests.verbs.agency import NAMES, Agency, case_of, kinds, record, revoked
from tests.verbs.conftest import Open


@pytest.mark.parametrize("name", NAMES)
def test_each_case_arrives_whole_and_a_second_time_nothing_is_asked(agency: Agency, name: str) -> None:
    """What each partner holds is what consent allows, its references resolved; then there is nothing left to do."""
    case = case_of(name)
    agency.put(case)
    agency.work()
    for partner in agency.servers:
        agency.assert_equal(partner)
        agency.assert_nothing_withheld(name, partner)
        assert agency.share(case["case"], partner)["state"] == "idle"
    assert any(server.fhir.resources for server in agency.servers.values())
    asked = agency.asked()
    assert agency.put(case).due == ()
    assert agency.work() == 0
    unused = {"id": "unused", "name": "Unused", "sector": "education"}
    agency.put({**case, "organizations": [*case["organizations"], unused]})
    assert agency.work() == len(agency.servers)
    assert agency.asked() == asked


def test_a_withheld_save_sends_nothing(agency: Agency) -> None:
    """Not a request, not a line of the account: the school cannot notice that a goal it may not see was changed."""
    case = case_of()
    agency.put(case)
    agency.work()
    asked, told = agency.asked(), len(agency.account(case["case"]))
    record(case, "goals/g2")["title"] = "See another doctor about something else"
    assert agency.put(case).version == 2
    agency.work()
    assert agency.asked() == asked
    assert len(agency.account(case["case"])) == told


def test_a_change_that_may_be_seen_is_one_update(agency: Agency) -> None:
    case = case_of()
    agency.put(case)
    agency.work()
    before = len(agency.seen())
    record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
    agency.put(case)
    agency.work()
    (entry,) = agency.sent_after(before)
    assert entry["request"]["method"] == "PUT"
    assert entry["request"]["ifMatch"] == 'W/"1"'
    agency.assert_equal()


@pytest.mark.parametrize("size", [1, 3])
def test_chunks_of_any_size_arrive_whole_and_leave_whole(open_agency: Open, size: int) -> None:
    """Each Bundle refers only to itself and to what is there already; the small server refuses anything else."""
    agency = open_agency(each={"chunk": size, "paused": True}, lakeside={"paused": False})
    case = case_of("shared-decision")
    agency.put(case)
    agency.work()
    agency.assert_equal()
    count = len(agency.fhir().resources)
    assert count > 10
    assert len(agency.seen()) >= count / size
    agency.put(revoked(case))
    agency.work()
    agency.assert_equal()
    assert set(agency.fhir().counted()) == {"Consent", "Task"}


def test_every_line_has_its_other_one(agency: Agency) -> None:
    agency.put(case_of("ontario-csp"))
    agency.work()
    lines = agency.account(case_of("ontario-csp")["case"])
    assert kinds(lines)["attempted"] == kinds(lines)["delivered"] == len(lines) / 2
