"""Answers that look as if they said something: nothing is taken for gone, or for nobody's, that may be there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.outward import fault_server as faults
from tests.outward.memory_fhir import Can
from tests.verbs.agency import case_of, kinds, revoked
from tests.verbs.conftest import Open

pytestmark = pytest.mark.parametrize("place", ["sqlite"], indirect=True)
"""How things are sent does not depend on the database."""

ELSEWHERE = [{"relation": "next", "url": "http://169.254.169.254/"}]


def first_page(bundle: Any) -> Any:
    """Who asked by an identifier gets all that there is, a page at a time, and another's first."""
    other = {"resourceType": "Patient", "id": "other", "identifier": [{"system": "urn:x", "value": "1"}]}
    return {**bundle, "entry": [{"resource": other}], "link": ELSEWHERE}


NOBODY = {"a page": faults.page(404), "nothing at all": faults.Answer(404), "gone, with no word": faults.Answer(410)}


@pytest.mark.parametrize("said", NOBODY)
def test_what_a_gateway_does_not_find_may_be_at_the_server_behind_it(open_agency: Open, said: str) -> None:
    """It lost its way to the server for a while: what was to be taken back was not there, it said."""
    agency = open_agency(each={"paused": True}, lakeside={"paused": False, "mode": "single"})
    agency.put(case_of())
    agency.work()
    agency.put(revoked(case_of()))
    agency.servers["lakeside"].plan(None, None, *[NOBODY[said]] * 6)
    agency.work()
    assert agency.fhir().counted()["Goal"] == 1
    assert agency.share("C-0001")["state"] == "waiting"
    assert kinds(agency.account("C-0001", "lakeside"))["withdrawn"] == 0
    agency.work_on()
    assert set(agency.fhir().counted()) == {"Consent", "Task"}
    assert agency.share("C-0001")["state"] == "idle"


@pytest.mark.parametrize("withdrawal", ["delete", "stub"])
def test_who_is_told_404_once_while_looking_takes_back_what_is_there(open_agency: Open, withdrawal: str) -> None:
    """An update whose end is not known is read; a gateway does not find it; then permission ends."""
    agency = open_agency(each={"paused": True}, lakeside={"paused": False, "withdrawal": withdrawal})
    agency.put(case_of())
    agency.work()
    case = case_of()
    case["goals"][0]["title"] = "Another title"
    agency.put(case)
    agency.servers["lakeside"].plan(faults.CutAfter(), *[faults.Answer(404)] * 4)
    agency.work()
    agency.clock.pass_(minutes=20)
    agency.work()
    agency.put(revoked(case_of()))
    agency.work_on()
    agency.assert_equal()
    assert [consent["status"] for consent in agency.fhir().of_type("Consent")] == ["inactive"]
    assert agency.share("C-0001")["state"] == "idle"


def test_a_server_that_says_no_more_than_404_is_believed_when_its_search_finds_nothing(open_agency: Open) -> None:
    agency = open_agency(each={"paused": True}, lakeside={"paused": False})
    agency.put(case_of())
    agency.work()
    place = next(place for place, one in agency.fhir().resources.items() if one["resourceType"] == "Goal")
    del agency.fhir().resources[place]
    agency.fhir().can = Can(terse=True)
    case = case_of()
    case["goals"][0]["title"] = "Another title"
    agency.put(case)
    agency.work_on()
    agency.assert_equal()
    assert agency.share("C-0001")["state"] == "idle"


def test_what_may_be_on_another_page_is_not_created_again(open_agency: Open) -> None:
    agency = open_agency(each={"paused": True}, lakeside={"paused": False})
    agency.fhir().can = Can(transaction=False, batch=False, conditions=False)
    agency.put(case_of())
    agency.servers["lakeside"].plan(None, faults.CutAfter(), *[faults.Changed(first_page)] * 3)
    agency.work_on(hours=1)
    agency.assert_equal()
    assert agency.share("C-0001")["state"] == "idle"
    assert not [seen for seen in agency.seen() if "254" in json.dumps(seen.path)]


def swapped(bundle: Any) -> Any:
    """Each entry without its resource, and the two goals in each other's place."""
    entries = [{"response": entry["response"]} for entry in bundle["entry"]]
    first, second = [n for n, each in enumerate(entries) if each["response"]["location"].startswith("Goal")]
    entries[first], entries[second] = entries[second], entries[first]
    return {**bundle, "entry": entries}


@pytest.mark.parametrize("can", [Can(), Can(transaction=False)], ids=["in a transaction", "in a batch"])
def test_two_that_changed_places_in_an_answer_are_told_apart(open_agency: Open, can: Can) -> None:
    """The server shows no resource, whatever it is asked: one would be taken back in place of the other."""
    agency = open_agency(each={"paused": True}, lakeside={"paused": False})
    agency.fhir().can = can
    case = case_of()
    case["goals"].append({**case["goals"][0], "id": "g9", "title": "Another goal"})
    case["consents"][0]["provisions"][1]["records"].append("goals/g9")
    agency.put(case)
    plan = [faults.Changed(swapped)] if can.transaction else [None, faults.Changed(swapped)]
    agency.servers["lakeside"].plan(*plan)
    agency.work()
    agency.assert_equal()
    before = len(agency.seen())
    del case["goals"][0], case["consents"][0]["provisions"][1]["records"][0]
    agency.put(case)
    agency.work_on()
    assert [goal["description"]["text"] for goal in agency.fhir().of_type("Goal")] == ["Another goal"]
    assert {entry["request"]["method"] for entry in agency.sent_after(before)} <= {"DELETE", "POST", "PUT"}
    agency.assert_equal()


@pytest.mark.parametrize("then", ["revoked", "as before"])
def test_a_refused_transaction_may_have_been_done_in_part(open_agency: Open, then: str) -> None:
    """The server has no rollback, and does not say so: what was written before the one that it refused is there."""
    agency = open_agency(each={"paused": True}, lakeside={"paused": False})
    agency.fhir().can = Can(rolls_back=False)
    case = case_of()
    case["goals"].append({**case["goals"][0], "id": "g9", "title": "What nobody there takes"})
    case["consents"][0]["provisions"][1]["records"].append("goals/g9")
    agency.fhir().refuses = "What nobody there takes"
    if then == "as before":
        agency.put(case_of())
        agency.work()
        case["goals"][0]["title"] = "Another title"
    agency.put(case)
    agency.work_on()
    assert agency.share("C-0001")["state"] == "stopped"
    assert agency.fhir().resources
    agency.put(revoked(case) if then == "revoked" else case_of())
    agency.work_on()
    agency.assert_equal()
    assert agency.share("C-0001")["state"] == "idle"
