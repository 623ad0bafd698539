"""A partner whose server takes no plans holds one document, end to end: sent, accounted for, taken back."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from adapter import consenting
from adapter.core.consent.last_look.pages import pages
from adapter.core.sheet import Sheet, Words
from adapter.paper.pdf import pdf
from tests.verbs.agency import Agency, case_of, record
from tests.verbs.conftest import Open

NUMBER = "C-4418"
PARTNER = "fernhollow"
SECRET = "Start college with what I need on the first day"
"""The title of a goal that is withheld from this partner."""


@pytest.fixture
def agency(open_agency: Open) -> Agency:
    """The others are paused: what they hold is told elsewhere."""
    return open_agency(each={"paused": True}, fernhollow={"paused": False})


def held_files(agency: Agency) -> dict[str, bytes]:
    """Content type → bytes, as the DocumentReference at the partner leads to them."""
    fhir = agency.fhir(PARTNER)
    (reference,) = fhir.of_type("DocumentReference")
    files = [content["attachment"] for content in reference["content"]]
    return {each["contentType"]: base64.b64decode(fhir.resources[each["url"]]["data"]) for each in files}


def permit(case: Any) -> Any:
    return record(case, "consents/c-fern")


def test_it_arrives_whole_and_alone(agency: Agency) -> None:
    case = case_of("person-centred")
    agency.put(case)
    agency.work()
    assert agency.share(NUMBER, PARTNER)["outcome"] == "delivered"
    agency.assert_equal(PARTNER)
    assert not {"Goal", "CarePlan", "CareTeam", "Composition"} & agency.fhir(PARTNER).counted().keys()
    files = held_files(agency)
    assert json.loads(files["application/fhir+json"])["type"] == "document"
    assert "Choose the aide" in " ".join(pages(files["application/pdf"]).flow)
    agency.assert_nothing_withheld("person-centred", PARTNER)
    whole = files["application/fhir+json"].decode() + " ".join(pages(files["application/pdf"]).flow)
    assert SECRET not in whole


def test_a_withheld_save_sends_nothing_and_a_seen_one_three_resources(agency: Agency) -> None:
    agency.put(case_of("person-centred"))
    agency.work()
    before = len(agency.seen(PARTNER))
    case = case_of("person-centred")
    record(case, "goals/g-college")["title"] = "Start college somewhere else"
    agency.put(case)
    agency.work()
    assert len(agency.seen(PARTNER)) == before
    record(case, "goals/g-teeth")["title"] = "See the dentist on Mill Road"
    agency.put(case)
    agency.clock.pass_(seconds=120)
    agency.work()
    sent = agency.sent_after(before, PARTNER)
    assert sorted(each["resource"]["resourceType"] for each in sent) == ["Binary", "Binary", "DocumentReference"]
    assert "Mill Road" in " ".join(pages(held_files(agency)["application/pdf"]).flow)


def test_the_account_says_what_went_in_it(agency: Agency) -> None:
    """Each record in it, for the purpose of its permission; and a consent entered in error lists them one by one."""
    agency.put(case_of("person-centred"))
    agency.work()
    lines = [line for line in agency.account(NUMBER, PARTNER) if line.resource_type == "DocumentReference"]
    assert [line.kind for line in lines] == ["attempted", "delivered"]
    assert {"goals/g-work", "care_plans/mine", "care_teams/circle", "child"} <= set(lines[-1].about.split())
    assert "goals/g-college" not in lines[-1].about.split()
    assert {"goals", "plan", "team", "identity"} <= set(lines[-1].parts)
    assert lines[-1].purpose == "treatment"
    cancelled = consenting.cancel(agency.desk, NUMBER, "c-fern", b'{"reason": "wrong child"}', by="privacy")
    left = {each["record"] for each in cancelled["left"] if each["type"] == "DocumentReference"}
    assert left == set(lines[-1].about.split())


def test_it_is_taken_back_when_he_changes_his_mind(agency: Agency) -> None:
    case = case_of("person-centred")
    agency.put(case)
    agency.work()
    permit(case)["status"] = "revoked"
    agency.put(case)
    agency.work()
    counted = agency.fhir(PARTNER).counted()
    assert set(counted) <= {"Consent", "Task", "Organization", "Practitioner", "PractitionerRole"}
    (task,) = agency.fhir(PARTNER).of_type("Task")
    assert {"DocumentReference", "Binary"} <= {each["valueReference"]["type"] for each in task["input"]}


def test_a_page_that_says_too_much_does_not_leave(agency: Agency) -> None:
    """The last look reads the PDF, whatever made it: here a fault in what lays it out."""

    def leaking(sheet: Sheet) -> bytes:
        return pdf(Sheet(sheet.language, sheet.title, sheet.footer, (*sheet.blocks, Words(SECRET))))

    object.__setattr__(agency.desk.bench, "paper", leaking)
    agency.put(case_of("person-centred"))
    agency.work()
    share = agency.share(NUMBER, PARTNER)
    assert (share["state"], share["alarms"]) == ("stopped", ["last-look"])
    assert agency.seen(PARTNER) == []
