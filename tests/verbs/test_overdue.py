"""People are told of a referral that nobody has answered in time: once, and with nothing about anybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapter.core.alert import told, words
from tests.outward.fault_server import Answer
from tests.verbs.agency import Agency
from tests.verbs.conftest import Open
from tests.verbs.test_alerts import REFUSED, Listening
from tests.verbs.test_answers import NUMBER, agency_of, case, say

BY = "2026-11-25"
"""Until midnight in Toronto, which is 5 in the morning of the next day in UTC."""


def opened(open_agency: Open, **referral: Any) -> tuple[Agency, Listening]:
    agency = agency_of(open_agency)
    somebody = Listening(agency)
    agency.put(case(respond_by=BY, **referral))
    agency.work()
    return agency, somebody


def until(agency: Agency, **time_: float) -> None:
    """Work on as time passes, hour by hour."""
    end = agency.clock.now + timedelta(**time_)
    while agency.clock.now < end:
        agency.clock.now = min(end, agency.clock.now + timedelta(hours=6))
        agency.work()


def heard(somebody: Listening) -> list[tuple[str, str, int]]:
    return [(alert.kind, alert.partner, alert.count) for alert in somebody.heard]


def test_it_is_told_when_the_day_is_over_and_only_once(open_agency: Open) -> None:
    agency, somebody = opened(open_agency)
    until(agency, days=4, hours=11)
    assert heard(somebody) == [], "the day is not over"
    agency.clock.pass_(hours=1)
    agency.work()
    assert heard(somebody) == [("overdue", "lakeside", 1)]
    [alert] = somebody.heard
    said = f"{alert} {told(alert, 'maple')} {words(alert, 'maple')}"
    for withheld in (NUMBER, "r1", "Exemple", "reading group", agency.stored(NUMBER).id, BY):
        assert withheld not in said
    until(agency, days=3)
    changed = case(respond_by=BY)
    changed["goals"][0]["title"] = "Another title that is long enough to tell"
    agency.put(changed)
    agency.work()
    assert len(somebody.heard) == 1
    agency.put(case(respond_by="2026-11-30"))
    agency.work()
    until(agency, days=5)
    assert len(somebody.heard) == 2, "another day was asked for, and is over too"


@pytest.mark.parametrize("status", ["accepted", "rejected"])
def test_what_is_answered_in_time_is_not_told_of(open_agency: Open, status: str) -> None:
    agency, somebody = opened(open_agency)
    say(agency, status, statusReason={"text": "No places"})
    until(agency, days=6)
    assert heard(somebody) == []


def test_one_that_never_arrived_is_told_of_too(open_agency: Open) -> None:
    agency = agency_of(open_agency)
    somebody = Listening(agency)
    agency.servers["lakeside"].plan(REFUSED, *[Answer(503)] * 5)
    agency.put(case(respond_by=BY))
    agency.work()
    assert agency.share(NUMBER)["state"] == "stopped"
    until(agency, days=5)
    assert ("overdue", "lakeside", 1) in heard(somebody)
    assert [kind for kind, _, _ in heard(somebody)].count("overdue") == 1


@pytest.mark.parametrize(
    "referral",
    [{"to": "organizations/nobody"}, {"status": "completed"}, {"status": "draft"}],
    ids=["to nobody whom we know", "over", "not sent"],
)
def test_what_waits_for_no_partner_is_not_told_of(open_agency: Open, referral: dict[str, Any]) -> None:
    agency = agency_of(open_agency)
    somebody = Listening(agency)
    made = case(respond_by=BY, **referral)
    made["organizations"].append({"id": "nobody", "name": "Nobody in particular", "sector": "education"})
    agency.put(made)
    agency.work()
    until(agency, days=6)
    assert heard(somebody) == []


def test_whoever_is_named_later_is_told_of_what_is_overdue_then(open_agency: Open) -> None:
    agency = agency_of(open_agency)
    agency.put(case(respond_by=BY))
    agency.work()
    until(agency, days=6)
    somebody = Listening(agency)
    changed = case(respond_by=BY)
    changed["goals"][0]["title"] = "Another title that is long enough to tell"
    agency.put(changed)
    agency.work()
    assert heard(somebody) == [("overdue", "lakeside", 1)]
