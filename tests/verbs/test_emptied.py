"""Withdrawal where a server refuses: what it does not delete is emptied, nothing waits for what it does not take."""

from __future__ import annotations

import json

import pytest

from tests.outward import fault_server as faults
from tests.outward.memory_fhir import Can
from tests.verbs.agency import DIRECTORY, Agency, case_of, is_residue, record, revoked
from tests.verbs.conftest import Open

pytestmark = pytest.mark.parametrize("place", ["sqlite"], indirect=True)
"""How things are sent does not depend on the database."""

CANS = {
    "transactions": Can(),
    "batches": Can(transaction=False),
    "single calls": Can(transaction=False, batch=False),
}


def opened(open_agency: Open, can: str, **file: object) -> Agency:
    agency = open_agency(each={"paused": True}, lakeside={"paused": False, **file})
    agency.fhir().can = CANS[can]
    return agency


def there(agency: Agency) -> str:
    return json.dumps(list(agency.fhir().resources.values()), ensure_ascii=False, default=float)


@pytest.mark.parametrize(
    ("can", "refused"),
    [
        ("transactions", "nothing is deleted there (405)"),
        ("transactions", "its own record refers to a goal (409)"),
        ("batches", "its own record refers to a goal (409)"),
        ("single calls", "nothing is deleted there (405)"),
    ],
)
def test_what_is_not_deleted_is_emptied_and_all_else_goes(open_agency: Open, can: str, refused: str) -> None:
    """Its file says nothing of it. What was emptied stays so without more traffic; permitted again it is whole."""
    agency = opened(open_agency, can)
    agency.put(case_of())
    agency.work()
    ids = {place for place in agency.fhir().resources if place.startswith("Goal")}
    agency.fhir().deletes = "405" not in refused
    agency.fhir().needed = frozenset({"Goal"} if "409" in refused else ())
    agency.put(revoked(case_of()))
    agency.work_on()
    share = agency.share("C-0001")
    assert (share["state"], share["alarms"]) == ("idle", [])
    assert record(case_of(), "goals/g1")["title"] not in there(agency)
    assert agency.fhir().counted()["Task"] == 1
    assert agency.fhir().counted()["Patient"] == (1 if "405" in refused else 0)
    agency.assert_equal()
    before = len(agency.seen())
    saved = revoked(case_of())
    record(saved, "goals/g1")["title"] = "Another"
    agency.put(saved)
    agency.work_on()
    assert len(agency.seen()) == before
    agency.put(case_of())
    agency.work_on()
    agency.assert_equal()
    assert {place for place in agency.fhir().resources if place.startswith("Goal")} == ids


@pytest.mark.parametrize("can", CANS)
def test_each_of_several_that_are_not_deleted_is_emptied_once(open_agency: Open, can: str) -> None:
    agency = opened(open_agency, can)
    case = case_of()
    case["goals"] += [{**case["goals"][0], "id": f"h{n}", "title": f"Goal {n}"} for n in range(2)]
    case["consents"][0]["provisions"][1]["records"] += ["goals/h0", "goals/h1"]
    agency.put(case)
    agency.work()
    agency.fhir().needed = frozenset({"Goal"})
    agency.put(revoked(case))
    agency.work_on()
    agency.assert_equal()
    assert agency.share("C-0001")["state"] == "idle"
    assert [goal["meta"]["versionId"] for goal in agency.fhir().of_type("Goal")] == ["2", "2", "2"]


def test_a_refused_resource_holds_up_no_withdrawal_in_its_transaction(open_agency: Open) -> None:
    """Nor in a later one, and however slowly the partner wants to be asked."""
    agency = opened(open_agency, "transactions", chunk=3, rate=6.0)
    case = case_of()
    permitted = case["consents"][0]["provisions"][1]["records"]
    for id_ in ("g7", "g8", "g9"):
        case["goals"].append({**case["goals"][0], "id": id_, "title": f"The goal {id_}"})
        permitted.append(f"goals/{id_}")
    agency.put(case)
    agency.work_on()
    assert agency.fhir().counted()["Goal"] == 4
    permitted.remove("goals/g9")
    case["goals"][0]["title"] = "What nobody there takes"
    agency.fhir().refuses = "What nobody there takes"
    agency.put(case)
    agency.work_on()
    assert "The goal g9" not in there(agency)
    share = agency.share("C-0001")
    assert (share["state"], share["outcome"]) == ("stopped", "rejected")
    before = len(agency.seen())
    agency.work_on()
    assert len(agency.seen()) == before
    agency.fhir().refuses = ""
    case["goals"][0]["title"] += " now"
    agency.put(case)
    agency.work_on()
    agency.assert_equal()


def test_what_cases_share_and_their_records_need_is_left_there(open_agency: Open) -> None:
    agency = opened(open_agency, "transactions")
    agency.fhir().needed = frozenset(DIRECTORY)
    case = case_of("ontario-csp")
    agency.put(case)
    agency.work()
    agency.delete(case["case"])
    agency.work_on(hours=1)
    assert agency.share(case["case"])["state"] == "idle"
    assert {*agency.fhir().counted()} - {*DIRECTORY} == {"Consent", "Task"}
    assert not [held for held in agency.held(case["case"]).values() if held.directory]


@pytest.mark.parametrize(
    ("dark", "stays"),
    [
        pytest.param("twice", 2, id="two there bear the identifier of one"),
        pytest.param("unreadable", 0, id="one cannot be read, and the others can"),
    ],
)
def test_what_is_clear_is_taken_back_while_one_is_not(open_agency: Open, dark: str, stays: int) -> None:
    """A person is asked about the one, and the partner to purge it; all else is gone meanwhile."""
    agency = opened(open_agency, "single calls")
    agency.put(case_of())
    agency.work()
    fhir = agency.fhir()
    case = case_of()
    if dark == "twice":
        case["goals"].append({**case["goals"][0], "id": "g9"})
        case["consents"][0]["provisions"][1]["records"].append("goals/g9")
    else:
        case["goals"][0]["title"] = "Another title"
    agency.servers["lakeside"].plan(faults.CutAfter())
    agency.put(case)
    agency.work()
    assert agency.share("C-0001")["outcome"] == "unknown"
    newest = max((place for place in fhir.resources if place.startswith("Goal")), key=lambda p: int(p.split("/")[1]))
    if dark == "twice":
        fhir.resources["Goal/copy"] = {**fhir.resources[newest], "id": "copy"}
    else:
        fhir.broken = newest
    agency.put(revoked(case))
    agency.work_on(hours=1)
    assert agency.fhir().counted()["Goal"] == stays
    assert all(is_residue(each) for each in fhir.resources.values() if each["resourceType"] != "Goal")
    assert agency.fhir().counted()["Task"] == 1
    assert agency.share("C-0001")["state"] == ("stopped" if stays else "idle")


def test_what_cases_share_goes_with_the_last_of_ours_that_needs_it(open_agency: Open) -> None:
    """While it cannot be told whether the child is there, it stays, and so does the organization that it names."""
    agency = opened(open_agency, "transactions")
    case = case_of("shared-decision")
    agency.servers["lakeside"].plan(faults.CutAfter())
    agency.put(case)
    agency.work()
    fhir = agency.fhir()
    fhir.broken = "Patient"
    agency.delete(case["case"])
    agency.work_on(hours=1)
    assert fhir.counted()["Patient"] == 1 <= fhir.counted()["Organization"]
    assert agency.share(case["case"])["state"] != "idle"
    fhir.broken = ""
    agency.work_on()
    agency.assert_equal()
    assert agency.share(case["case"])["state"] == "idle"
    assert fhir.counted()["Organization"] == 0


@pytest.mark.parametrize("can", ["transactions", "single calls"])
@pytest.mark.parametrize("why", ["it is refused", "they have changed it"])
def test_what_was_to_tell_less_does_not_stay_as_it_was(open_agency: Open, can: str, why: str) -> None:
    """The family no longer shares how it is reached: what stands there tells of it, whoever else has written in it."""
    agency = opened(open_agency, can)
    case = case_of()
    case["child"]["telecoms"] = [{"system": "phone", "value": "+1 519 555 0199"}]
    case["consents"][0]["provisions"][0]["parts"] = ["identity", "contact"]
    agency.put(case)
    agency.work_on()
    assert "555 0199" in there(agency)
    (patient,) = (place for place in agency.fhir().resources if place.startswith("Patient"))
    if why == "it is refused":
        agency.fhir().refuses = case["child"]["birth_date"]
    else:
        agency.fhir().edit(patient, gender="female")
    case["consents"][0]["provisions"][0]["parts"] = ["identity"]
    agency.put(case)
    agency.work_on(hours=1)
    assert "555 0199" not in there(agency)
    assert agency.share("C-0001")["state"] == ("stopped" if why == "it is refused" else "idle")
    agency.fhir().refuses = ""
    case["goals"][0]["title"] += " now"
    agency.put(case)
    agency.work_on()
    agency.assert_equal()
