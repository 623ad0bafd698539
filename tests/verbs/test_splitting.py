"""What a partner does not take in one Bundle goes in smaller ones, and what is unclear holds up what it must alone."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.core.identity import Key
from tests.outward.memory_fhir import Can
from tests.verbs.agency import Agency, case_of, record, revoked
from tests.verbs.conftest import Open

pytestmark = pytest.mark.parametrize("place", ["sqlite"], indirect=True)
"""How things are sent does not depend on the database."""


@pytest.mark.parametrize("can", [Can(), Can(transaction=False)], ids=["transactions", "batches"])
def test_a_bundle_that_is_too_large_there_goes_in_smaller_ones(open_agency: Open, can: Can) -> None:
    """Its file does not say how much it takes; a gateway says so, in a page."""
    agency = open_agency(each={"paused": True}, lakeside={"paused": False, "rate": 6.0})
    agency.fhir().can, agency.fhir().most = can, 1
    agency.put(case_of())
    agency.work_on()
    agency.assert_equal()
    assert agency.share("C-0001")["outcome"] == "delivered"
    agency.put(revoked(case_of()))
    agency.work_on()
    agency.assert_equal()
    assert agency.share("C-0001")["state"] == "idle"


@pytest.mark.parametrize("can", [Can(), Can(transaction=False, batch=False)], ids=["transactions", "single calls"])
def test_what_cannot_be_looked_for_holds_up_no_withdrawal(open_agency: Open, can: Can) -> None:
    """Where there are no conditions a goal is looked for before it is created; two there bear its identifier."""
    agency = open_agency(each={"paused": True}, lakeside={"paused": False, "conditional": "never"})
    agency.fhir().can = can
    case = case_of()
    case["goals"].append({**case["goals"][0], "id": "g9", "title": "Another goal"})
    case["consents"][0]["provisions"][1]["records"] = ["goals/g9"]
    agency.put(case)
    agency.work()
    (goal,) = agency.fhir().of_type("Goal")
    for copy in ("copy", "copy2"):
        agency.fhir().resources[f"Goal/{copy}"] = {**goal, "id": copy, "identifier": agency_name(agency, case)}
    case["consents"][0]["provisions"][1]["records"] = ["goals/g1"]
    agency.put(case)
    agency.work_on()
    assert f"Goal/{goal['id']}" not in agency.fhir().resources
    share = agency.share("C-0001")
    assert (share["state"], share["outcome"]) == ("stopped", "ambiguous")
    assert record(case, "goals/g1")["title"] not in str(agency.fhir().resources)


def agency_name(agency: Agency, case: Any) -> list[dict[str, str]]:
    """The identifier under which the school is to hold the first goal."""
    key = Key(case["case"], "goals/g1", "Goal")
    system, value = agency.desk.bench.identity("lakeside").identifier(key)
    return [{"system": system, "value": value}]
