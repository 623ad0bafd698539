"""412 and 409: what somebody at the partner has changed is read first; theirs is kept, or a person says whose it is."""

from __future__ import annotations

from typing import Any

import pytest

from adapter import steer
from adapter.errors import Forbidden, Refused
from tests.outward import fault_server as faults
from tests.outward.fault_server import JSON
from tests.outward.memory_fhir import Can
from tests.verbs.agency import Agency, case_of, record, revoked
from tests.verbs.conftest import Open
from tests.verbs.test_faults import OUTCOME

pytestmark = pytest.mark.parametrize("place", ["sqlite"], indirect=True)

WAYS = {"transactions": Can(), "batches": Can(transaction=False), "single": Can(transaction=False, batch=False)}
NOTE = [{"text": "She tied them twice"}]


@pytest.fixture(params=WAYS)
def agency(open_agency: Open, request: pytest.FixtureRequest) -> Agency:
    """The goal is there, and somebody at the school is about to change it."""
    agency = open_agency(each={"paused": True}, lakeside={"paused": False})
    agency.fhir().can = WAYS[request.param]
    agency.put(case_of())
    agency.work()
    return agency


def goal(agency: Agency) -> str:
    (place,) = (place for place in agency.fhir().resources if place.startswith("Goal/"))
    return place


def change(agency: Agency) -> Any:
    case = case_of()
    record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
    agency.put(case)
    agency.work_on()
    return case


def text(agency: Agency) -> str:
    return str(agency.fhir().resources[goal(agency)]["description"]["text"])


def test_a_copy_that_was_only_saved_there_is_written(agency: Agency) -> None:
    agency.fhir().touch(goal(agency))
    change(agency)
    agency.assert_equal()
    assert agency.share("C-0001")["state"] == "idle"


def test_their_note_stays_and_ours_is_written(agency: Agency) -> None:
    """And then nothing more is sent; when all is taken back it goes with the rest."""
    agency.fhir().edit(goal(agency), note=NOTE)
    case = change(agency)
    assert (text(agency), agency.fhir().resources[goal(agency)]["note"]) == ("Tie my own shoes before anything", NOTE)
    assert agency.share("C-0001")["state"] == "idle"
    asked = agency.asked()
    agency.work_on()
    assert agency.asked() == asked
    agency.put(revoked(case))
    agency.work_on()
    agency.assert_equal()


def test_what_they_wrote_may_hold_any_word(agency: Agency) -> None:
    """They know whom they write of; the last look is at what we say."""
    agency.fhir().edit(goal(agency), note=[{"text": "Sleep through the night, says Wickenbrook"}])
    change(agency)
    assert agency.share("C-0001")["alarms"] == []
    assert text(agency) == "Tie my own shoes before anything"


@pytest.mark.parametrize("then", ["retry", "overwrite", "leave", "revoke"])
def test_our_own_words_changed_there_wait_for_a_person(agency: Agency, then: str) -> None:
    """Nothing is overwritten before somebody says so; a withdrawal waits for nobody."""
    agency.fhir().edit(goal(agency), description={"text": "Tie laces"})
    case = change(agency)
    share = agency.share("C-0001")
    assert (share["state"], share["outcome"], share["alarms"]) == ("stopped", "version", ["conflict"])
    assert text(agency) == "Tie laces"
    assert "laces" not in share["detail"]
    match then:
        case "retry":
            steer.retry(agency.desk, "C-0001", "lakeside")
            agency.work_on()
            assert (text(agency), agency.share("C-0001")["alarms"]) == ("Tie laces", ["conflict"])
            return
        case "overwrite":
            steer.retry(agency.desk, "C-0001", "lakeside", theirs="overwrite")
            agency.work_on()
            agency.assert_equal()
        case "leave":
            steer.retry(agency.desk, "C-0001", "lakeside", theirs="leave")
            agency.work_on()
            assert text(agency) == "Tie laces"
        case "revoke":
            agency.put(revoked(case))
            agency.work_on()
            agency.assert_equal()
    assert (agency.share("C-0001")["state"], agency.share("C-0001")["alarms"]) == ("idle", [])
    asked = agency.asked()
    agency.work_on()
    assert agency.asked() == asked


def test_what_is_contested_holds_up_nothing_else(agency: Agency) -> None:
    agency.fhir().edit(goal(agency), description={"text": "Tie laces"})
    case = case_of()
    record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
    case["child"]["birth_date"] = "2017-02-03"
    agency.put(case)
    agency.work_on()
    assert agency.fhir().of_type("Patient")[0]["birthDate"] == "2017-02-03"
    assert (text(agency), agency.share("C-0001")["alarms"]) == ("Tie laces", ["conflict"])


def test_what_they_change_again_is_contested_again(agency: Agency) -> None:
    """A person has decided about one version, not about what comes after it."""
    agency.fhir().edit(goal(agency), description={"text": "Tie laces"})
    change(agency)
    agency.fhir().edit(goal(agency), description={"text": "Tie ribbons"})
    steer.retry(agency.desk, "C-0001", "lakeside", theirs="overwrite")
    agency.work_on()
    assert (text(agency), agency.share("C-0001")["alarms"]) == ("Tie ribbons", ["conflict"])
    steer.retry(agency.desk, "C-0001", "lakeside", theirs="overwrite")
    agency.work_on()
    agency.assert_equal()


def test_what_they_deleted_comes_again(agency: Agency) -> None:
    del agency.fhir().resources[goal(agency)]
    agency.servers["lakeside"].plan(faults.Answer(409, JSON, OUTCOME))
    change(agency)
    agency.assert_equal()
    assert agency.share("C-0001")["state"] == "idle"


def test_409_is_read_and_tried_again(agency: Agency) -> None:
    agency.servers["lakeside"].plan(faults.Answer(409, JSON, OUTCOME))
    change(agency)
    agency.assert_equal()
    assert any(seen.method == "GET" for seen in agency.seen())


def test_a_server_without_history_leaves_more_to_a_person(agency: Agency) -> None:
    agency.fhir().can = Can(history=False, transaction=agency.fhir().can.transaction, batch=agency.fhir().can.batch)
    agency.fhir().edit(goal(agency), note=NOTE)
    change(agency)
    assert agency.share("C-0001")["alarms"] == ["conflict"]
    assert agency.fhir().resources[goal(agency)]["note"] == NOTE


@pytest.mark.parametrize("body", [b'{"theirs": "burn"}', b'{"their": "leave"}'])
def test_only_what_is_known_can_be_decided(agency: Agency, body: bytes) -> None:
    with pytest.raises(Refused):
        steer.retry_as_asked(agency.desk, "C-0001", "lakeside", body, role="coordinator")


def test_a_program_decides_nothing(agency: Agency) -> None:
    with pytest.raises(Forbidden):
        steer.retry_as_asked(agency.desk, "C-0001", "lakeside", b'{"theirs": "leave"}', role="source")
    assert steer.retry_as_asked(agency.desk, "C-0001", "lakeside", b"", role="source")["partner"] == "lakeside"
