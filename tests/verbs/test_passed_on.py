"""A receiver that passes a referral on: who has it now is shown with the referral, and answers nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapter import answers, receive, show
from adapter.core.fhir.transaction import ALONE, Step
from adapter.receive.world import World
from tests.verbs.agency import Agency
from tests.verbs.conftest import Open
from tests.verbs.test_answers import NUMBER, agency_of, case, opened, ours, outcome, put, tracked, ways

CLINIC = {"display": "The clinic at Wickenbrook"}


@pytest.fixture
def sent(open_agency: Open) -> Agency:
    return opened(open_agency)


def of_request(agency: Agency) -> dict[str, Any]:
    [found] = agency.fhir().of_type("ServiceRequest")
    return dict(found["identifier"][0])


def child(id_: str = "c1", status: str = "accepted", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Task", "id": id_, "intent": "order", "status": status, "owner": CLINIC, **more}


def write(agency: Agency, resource: dict[str, Any]) -> None:
    world = World(
        "lakeside", "https://us.example/fhir", agency.clock.now, "R4",
        hears=answers.hearing(agency.desk.catalogue, "lakeside"),
    )  # fmt: skip
    step = Step(ALONE, "PUT", resource["resourceType"], resource["id"])
    answer = receive.interact(agency.desk.store, world, step, json.dumps(resource).encode())
    assert answer.status in (200, 201)


def passed(agency: Agency) -> list[tuple[str, str]]:
    found = show.referral(agency.desk, NUMBER, "r1")["passed_on"]
    return [(each.get("to", ""), each["state"]) for each in found]


def _by_identifier(agency: Agency) -> None:
    write(agency, child(partOf=[{"identifier": ours(agency)}]))


def _by_their_answer(agency: Agency) -> None:
    """It is part of the Task by which they answered us."""
    put(agency, {"resourceType": "Task", "id": "a1", "intent": "order", "status": "received",
                 "identifier": [ours(agency)]})  # fmt: skip
    write(agency, child(partOf=[{"reference": "Task/a1"}]))


def _by_a_filler_order(agency: Agency) -> None:
    write(agency, filler(agency))
    write(agency, child(focus={"reference": "ServiceRequest/f1"}))


def _with_our_identifier_too(agency: Agency) -> None:
    """Copied whole: that it is a part of ours counts for more."""
    write(agency, child(partOf=[{"identifier": ours(agency)}], identifier=[ours(agency)]))


def _based_on_ours_too(agency: Agency) -> None:
    write(agency, child(partOf=[{"identifier": ours(agency)}], basedOn=[{"identifier": of_request(agency)}]))


def filler(agency: Agency) -> dict[str, Any]:
    return {
        "resourceType": "ServiceRequest", "id": "f1", "status": "active", "intent": "filler-order",
        "subject": {"display": "A child"}, "basedOn": [{"identifier": of_request(agency)}],
    }  # fmt: skip


WAYS: dict[str, Callable[[Agency], None]] = {
    "it is a part of our Task, by its identifier": _by_identifier,
    "it is a part of the Task by which they answered": _by_their_answer,
    "it is about a filler order that is based on ours": _by_a_filler_order,
    "it is a part of ours and bears its identifier": _with_our_identifier_too,
    "it is a part of ours and based on our request": _based_on_ours_too,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_who_has_it_now_is_shown_and_answers_nothing(sent: Agency, way: Callable[[Agency], None]) -> None:
    way(sent)
    assert passed(sent) == [("The clinic at Wickenbrook", "accepted")]
    assert tracked(sent).course.state in ("requested", "received")
    assert outcome(sent).get("status") in (None, "received")
    assert tracked(sent).course.flags == ()
    [row] = show.board(sent.desk, NUMBER)["referrals"]
    assert row["passed_on"] == 1


def test_a_part_of_a_part_is_no_answer_either(sent: Agency) -> None:
    """Who has it passes it on once more, and names our request; and nothing that goes round in circles goes on."""
    write(sent, child(partOf=[{"identifier": ours(sent)}]))
    write(sent, child("c2", "completed", partOf=[{"reference": "Task/c1"}], basedOn=[{"identifier": of_request(sent)}]))
    assert [state for _, state in passed(sent)] == ["accepted", "completed"]
    write(sent, child("c3"))
    write(sent, child("c4", partOf=[{"reference": "Task/c3"}]))
    write(sent, child("c3", partOf=[{"reference": "Task/c4"}, {"reference": "Task/c3"}]))
    assert len(passed(sent)) == 2
    assert ways(sent) == []


def test_an_order_and_its_task_may_come_in_one_bundle_in_any_order(sent: Agency) -> None:
    entries = [
        {"fullUrl": "urn:uuid:7a1b0c44-95c3-4f4e-8f0e-0e4f0b4e1a01", "request": {"method": "POST", "url": "Task"},
         "resource": {k: v for k, v in child(
             focus={"reference": "urn:uuid:7a1b0c44-95c3-4f4e-8f0e-0e4f0b4e1a02"}).items() if k != "id"}},
        {"fullUrl": "urn:uuid:7a1b0c44-95c3-4f4e-8f0e-0e4f0b4e1a02",
         "request": {"method": "POST", "url": "ServiceRequest"},
         "resource": {k: v for k, v in filler(sent).items() if k != "id"}},
    ]  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    hears = answers.hearing(sent.desk.catalogue, "lakeside")
    world = World("lakeside", "https://us.example/fhir", sent.clock.now, "R4", hears=hears)
    receive.bundle(sent.desk.store, world, json.dumps(bundle).encode())
    assert passed(sent) == [("The clinic at Wickenbrook", "accepted")]
    assert ways(sent) == []


def test_it_goes_its_own_way_and_the_receiver_answers_for_itself(sent: Agency) -> None:
    """What becomes of it is seen; our referral moves by the receiver's own answer alone; each way stands once."""
    part = {"partOf": [{"identifier": ours(sent)}]}
    write(sent, child(**part))
    write(sent, child(**part))
    write(sent, child("c2", "requested", **part) | {"owner": {"display": "A second clinic"}})
    write(sent, child("c1", "completed", statusReason={"text": "All is done"}, **part))
    assert passed(sent) == [("The clinic at Wickenbrook", "completed"), ("A second clinic", "requested")]
    assert ways(sent) == []
    put(sent, {"resourceType": "Task", "id": "a1", "intent": "order", "status": "accepted", "identifier": [ours(sent)]})
    assert ways(sent) == [("requested", "accepted")]
    assert len(passed(sent)) == 2


def test_another_partner_passes_nothing_on(sent: Agency) -> None:
    """Nor is a Task that is a part of something else anything of ours."""
    put(sent, child(partOf=[{"identifier": ours(sent)}]), "riverside")
    write(sent, child("c3", partOf=[{"identifier": {"system": "s", "value": "v"}}]))
    write(sent, child("c4"))
    write(sent, child("c5", partOf=[{"reference": "Task/c4"}]))
    assert passed(sent) == []
    assert ways(sent) == []


def test_what_it_says_goes_to_nobody(open_agency: Open) -> None:
    """Who has it, and its words, are for the agency: the other partner, which may see the referral, is not called."""
    agency = agency_of(open_agency)
    made = case()
    made["consents"][0]["provisions"][0]["to"] += ["partners/riverside"]
    made["consents"][0]["provisions"] = made["consents"][0]["provisions"][:1]
    agency.put(made)
    agency.work()
    calls = agency.asked()
    write(
        agency,
        child(partOf=[{"identifier": ours(agency)}], statusReason={"text": "MARKER reason"})
        | {"owner": {"display": "MARKER clinic"}},
    )
    agency.work()
    assert agency.asked() == calls
    assert passed(agency) == [("MARKER clinic", "accepted")]
    for partner in ("lakeside", "riverside"):
        agency.assert_never("MARKER", partner)
    assert "MARKER" not in json.dumps(show.board(agency.desk, NUMBER))
