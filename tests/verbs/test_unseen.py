"""A save that a partner may not see calls nobody, in whatever state its share is (consent.md, *Non-interference*)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from adapter import steer
from tests.outward import fault_server as faults
from tests.outward.fault_server import JSON
from tests.verbs.agency import Agency, case_of, record

OUTCOME = b'{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]}'


def _delivered(agency: Agency) -> None:
    agency.work()


def _waiting(agency: Agency) -> None:
    agency.servers["lakeside"].plan(faults.Answer(503))
    agency.work()
    assert agency.share("C-0001")["state"] == "waiting"


def _rejected(agency: Agency) -> None:
    agency.servers["lakeside"].plan(faults.Answer(422, JSON, OUTCOME))
    agency.work()
    assert agency.share("C-0001")["state"] == "stopped"


def _given_up(agency: Agency) -> None:
    agency.servers["lakeside"].plan(*[faults.Answer(503)] * 2000)
    agency.work_on(hours=200)
    agency.servers["lakeside"].forget()
    assert agency.share("C-0001")["state"] == "stopped"


def _changed_there(agency: Agency) -> None:
    agency.work()
    (place,) = (p for p, r in agency.fhir().resources.items() if r["resourceType"] == "Goal")
    agency.fhir().edit(place, description={"text": "Ask"})
    case = case_of()
    record(case, "goals/g1")["title"] = "Ask for a break"
    agency.put(case)
    agency.work()
    assert agency.share("C-0001")["state"] == "stopped"


STATES = {
    "which holds all": _delivered,
    "which waits for its next attempt": _waiting,
    "which its partner refused": _rejected,
    "which was given up after days": _given_up,
    "of which a copy was changed at the partner": _changed_there,
}


@pytest.mark.parametrize("come_to", STATES.values(), ids=STATES)
def test_a_withheld_save_changes_nothing_for_a_share(agency: Agency, come_to: Callable[[Agency], None]) -> None:
    """Not a request, and not when the next one is; what stopped it is shown as before."""
    agency.put(case_of())
    come_to(agency)
    before, asked = agency.share("C-0001"), len(agency.seen())
    agency.clock.pass_(seconds=0.5)
    case = agency.stored("C-0001").body
    record(case, "goals/g2")["title"] = "Sleep through the night, every night"
    assert agency.put(case).changed
    agency.work()
    after = agency.share("C-0001")
    assert len(agency.seen()) == asked
    shown = ("state", "due") if before["state"] == "idle" else ("state", "due", "outcome", "detail", "alarms")
    assert [after[name] for name in shown] == [before[name] for name in shown]


@pytest.mark.parametrize("seen", [True, False], ids=["what the partner may see changes", "a person says so"])
def test_what_was_refused_is_tried_again(agency: Agency, seen: bool) -> None:
    agency.put(case_of())
    _rejected(agency)
    case = case_of()
    record(case, "goals/g1" if seen else "goals/g2")["title"] = "Ask for a break"
    agency.put(case)
    agency.work()
    assert (agency.share("C-0001")["outcome"] == "delivered") == seen
    steer.retry(agency.desk, "C-0001", "lakeside")
    agency.work()
    assert agency.share("C-0001")["state"] == "idle"
    agency.clock.now += timedelta(days=1)
    agency.assert_equal()
