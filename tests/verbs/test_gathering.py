"""Ten saves are one update; what takes back waits for nothing; what is withheld changes no moment of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from adapter import steer
from tests.verbs.agency import Agency, case_of, record, revoked
from tests.verbs.conftest import Open

QUIET = {"quiet_seconds": 20.0}


def opened(open_agency: Open, **lakeside: Any) -> Agency:
    return open_agency(each={"paused": True}, lakeside={"paused": False, **QUIET, **lakeside})


def delivered(agency: Agency) -> Any:
    """A case that the partner holds as it should be."""
    case = case_of()
    agency.put(case)
    agency.work_on(hours=1)
    agency.assert_equal()
    return case


def due(agency: Agency) -> datetime:
    return datetime.fromisoformat(agency.share("C-0001")["due"])


def test_ten_saves_are_one_update(open_agency: Open) -> None:
    """Twenty seconds after the first of them, not after the last."""
    agency = opened(open_agency)
    case = delivered(agency)
    asked, begun = len(agency.seen()), agency.clock.now
    for number in range(10):
        record(case, "goals/g1")["title"] = f"Ride the bus, with {number} stops"
        agency.put(case)
        agency.work()
        agency.clock.pass_(seconds=1.5)
    assert len(agency.seen()) == asked
    assert due(agency) == begun + timedelta(seconds=20)
    agency.work_on(hours=1)
    assert agency.clock.now == begun + timedelta(seconds=20)
    assert len(agency.seen()) == asked + 1
    agency.assert_equal()


def test_the_first_delivery_is_gathered_too(open_agency: Open) -> None:
    agency = opened(open_agency)
    agency.put(case_of())
    agency.work()
    assert agency.seen() == []
    agency.clock.pass_(seconds=20)
    agency.work()
    agency.assert_equal()


@pytest.mark.parametrize("how", ["revoked", "goal gone", "narrowed", "leaf gone", "case gone"])
def test_what_takes_back_waits_for_nothing(open_agency: Open, how: str) -> None:
    """Also where an edit waits already: that goes along."""
    agency = opened(open_agency)
    case = delivered(agency)
    record(case, "goals/g1")["title"] = "Ride the bus to school"
    agency.put(case)
    agency.work()
    asked = len(agency.seen())
    agency.clock.pass_(seconds=3)
    match how:
        case "revoked":
            agency.put(revoked(case))
        case "goal gone":
            case["goals"] = [goal for goal in case["goals"] if goal["id"] != "g1"]
            for plan in case.get("care_plans", ()):
                plan.pop("goals", None)
            agency.put(case)
        case "narrowed":
            case["consents"][0]["provisions"].append(
                {"id": "no", "effect": "deny", "to": ["partners/lakeside"], "records": ["goals/g1"]}
            )
            agency.put(case)
        case "leaf gone":
            del record(case, "goals/g1")["set_by"]
            agency.put(case)
        case "case gone":
            agency.delete("C-0001")
    agency.work()
    assert len(agency.seen()) > asked
    agency.assert_equal()


def test_a_save_that_is_withheld_neither_begins_a_wait_nor_makes_one_longer(open_agency: Open) -> None:
    """The moments of all requests are the same with it as without."""
    moments = []
    for withheld in (False, True):
        agency = opened(open_agency)
        case = delivered(agency)
        begun, asked = agency.clock.now, len(agency.seen())
        for second in range(30):
            if second == 8:
                record(case, "goals/g1")["title"] = "Ride the bus to school"
            if withheld:
                record(case, "goals/g2")["title"] = f"Hidden, the {second}th time"
            agency.put(case)
            agency.work()
            if len(agency.seen()) > asked:
                moments.append(agency.clock.now - begun)
                asked = len(agency.seen())
            agency.clock.pass_(seconds=1)
        agency.assert_never("Hidden")
        agency.delete("C-0001")
        agency.work()
        agency.numbers.clear()
        del agency
    assert moments == [timedelta(seconds=28)] * 2


def test_what_has_waited_elsewhere_waits_a_little_and_a_person_not_at_all(open_agency: Open) -> None:
    agency = opened(open_agency)
    case = delivered(agency)
    record(case, "goals/g1")["title"] = "Ride the bus to school"
    agency.put(case)
    agency.work()
    asked = len(agency.seen())
    steer.retry(agency.desk, "C-0001", "lakeside")
    agency.work()
    assert len(agency.seen()) == asked + 1


def test_a_consent_that_ends_meanwhile_ends_in_time(open_agency: Open) -> None:
    """With a day to gather edits, and a consent that ends at midnight: midnight it is."""
    agency = opened(open_agency, quiet_seconds=86_400.0, after_end="withdraw")
    case = case_of()
    end = datetime.fromisoformat(case["consents"][0]["period"]["end"]).replace(hour=12, tzinfo=agency.clock.now.tzinfo)
    agency.put(case)
    agency.work_on(hours=30)
    agency.assert_equal()
    agency.clock.now = end
    record(case, "goals/g1")["title"] = "Ride the bus to school"
    agency.put(case)
    agency.work()
    assert due(agency) < end + timedelta(hours=24)
    agency.work_on(hours=24)
    assert agency.clock.now < end + timedelta(hours=24)
    agency.assert_equal()
