"""A consent that was entered in error: what had left under it is listed, and taken back."""

from __future__ import annotations

import json

from adapter import consenting
from tests.verbs.agency import Agency, case_of


def test_what_had_left_under_it_is_listed_and_taken_back(agency: Agency) -> None:
    """Each record once for each partner, with the first and last time; then the partner holds the residue alone."""
    case = case_of()
    agency.put(case)
    agency.work()
    there = agency.fhir().counted()
    assert there["Goal"]
    asked = json.dumps({"reason": "It is of another child"}).encode()
    told = consenting.cancel(agency.desk, case["case"], case["consents"][0]["id"], asked, by="privacy")
    assert {each["partner"] for each in told["left"]} == {"lakeside"}
    kinds = {each["type"] for each in told["left"]}
    assert {"Patient", "Goal", "Consent"} <= kinds
    assert len({(each["record"], each["type"]) for each in told["left"]}) == len(told["left"])
    assert all(each["first"] <= each["last"] for each in told["left"])
    agency.work()
    assert set(agency.fhir().counted()) <= {"Consent", "Task", "Organization", "Practitioner", "PractitionerRole"}
