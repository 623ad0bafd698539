"""A partner is asked for answers at the pace at which it is called: seldom if it takes little, not while it is away."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from adapter.core.pace import ASKING, SHARES, Pace
from adapter.store import paces, polls, referrals
from tests.outward.fault_server import Answer
from tests.verbs.agency import Agency
from tests.verbs.conftest import Open
from tests.verbs.test_alerts import Listening
from tests.verbs.test_answers import NUMBER, agency_of, case


def many(count: int) -> dict[str, Any]:
    """A case with so many referrals to the school."""
    made = case()
    [one] = made["referrals"]
    made["referrals"] = [{**one, "id": f"r{number}"} for number in range(count)]
    return made


def opened(open_agency: Open, count: int = 1, rate: float = 0.0) -> Agency:
    agency = agency_of(open_agency)
    agency.put(many(count))
    agency.work()
    partners = agency.desk.catalogue.partners
    slow = {**partners, "lakeside": replace(partners["lakeside"], rate=rate)}
    agency.desk = replace(agency.desk, catalogue=replace(agency.desk.catalogue, partners=slow))
    return agency


def searches(agency: Agency) -> list[str]:
    return [seen.path for seen in agency.seen() if "Task?" in seen.path]


def standing(agency: Agency) -> Any:
    with agency.desk.store.reading() as tx:
        [row] = tx.connection.execute(polls.polls.select()).all()
    return row


def pace(agency: Agency) -> Pace:
    with agency.desk.store.reading() as tx:
        return paces.of_partner(tx, "lakeside")


def set_pace(agency: Agency, **values: Any) -> None:
    with agency.desk.store.writing() as tx:
        paces.change(tx, "lakeside", lambda pace: replace(pace, **values))


def answer_all(agency: Agency) -> None:
    for place, there in list(agency.fhir().resources.items()):
        if place.startswith("Task/"):
            agency.fhir()._keep(place, {**copy.deepcopy(there), "status": "accepted"})


def accepted(agency: Agency) -> int:
    with agency.desk.store.reading() as tx:
        found = referrals.of_case(tx, agency.stored(NUMBER).id)
    return sum(each.course.state == "accepted" for each in found)


def test_a_round_goes_on_where_its_pace_has_cut_it_off(open_agency: Open) -> None:
    """45 Tasks are three questions, ten seconds apart; the partner's time counts only when the round is whole."""
    agency = opened(open_agency, 45, rate=6)
    answer_all(agency)
    agency.clock.pass_(hours=1)
    times: list[datetime] = []
    for _ in range(12):
        before = len(searches(agency))
        agency.work()
        times += [agency.clock.now] * (len(searches(agency)) - before)
        agency.clock.pass_(seconds=5)
    assert len(times) == 3
    assert all(later - earlier >= timedelta(seconds=10) for earlier, later in pairwise(times))
    assert accepted(agency) == 45
    asked = [path.partition("identifier=")[2] for path in searches(agency)]
    assert len(set(asked)) == 3, "each piece once"
    row = standing(agency)
    assert (row.place, row.earliest) == ("", "")
    assert row.since
    assert row.due > agency.clock.now + timedelta(minutes=58)


def test_a_round_that_is_cut_off_has_not_read_up_to_any_time(open_agency: Open) -> None:
    agency = opened(open_agency, 45, rate=6)
    agency.clock.pass_(hours=1)
    agency.work()
    row = standing(agency)
    assert row.place and row.earliest
    assert row.since == ""
    assert row.due == agency.clock.now + timedelta(seconds=10)


def test_what_fails_in_a_round_is_asked_again_from_there_and_later(open_agency: Open) -> None:
    agency = opened(open_agency, 45)
    answer_all(agency)
    agency.clock.pass_(hours=1)
    agency.fhir().watch = lambda method, path, body: None
    agency.servers["lakeside"].plan(None, Answer(500))
    agency.work()
    assert accepted(agency) == 20
    assert (standing(agency).since, standing(agency).attempts) == ("", 1)
    agency.clock.pass_(hours=2)
    agency.work()
    assert (accepted(agency), len(searches(agency))) == (45, 4)
    assert standing(agency).since


def test_who_is_away_is_not_asked_until_it_is_tried_and_asking_may_be_what_tries(open_agency: Open) -> None:
    agency = opened(open_agency)
    away = agency.clock.now + timedelta(hours=3)
    set_pace(agency, open_since=agency.clock.now, tries=1, try_at=away)
    agency.clock.pass_(hours=2)
    agency.work()
    assert searches(agency) == []
    answer_all(agency)
    agency.clock.now = away
    agency.work()
    assert len(searches(agency)) == 1
    assert not pace(agency).is_open
    assert accepted(agency) == 1


def test_who_was_to_try_and_has_nothing_to_ask_lets_another_one_try(open_agency: Open) -> None:
    agency = opened(open_agency)
    with agency.desk.store.writing() as tx:
        tx.connection.execute(referrals.referrals.update().values(open=False))
    agency.clock.pass_(hours=1)
    set_pace(agency, open_since=agency.clock.now, tries=1, try_at=agency.clock.now)
    agency.work()
    found = pace(agency)
    assert searches(agency) == []
    assert found.is_open
    assert (found.trying, found.until(agency.clock.now)) == (None, None)


def test_while_a_share_tries_nobody_asks(open_agency: Open) -> None:
    agency = opened(open_agency)
    agency.clock.pass_(hours=1)
    set_pace(agency, open_since=agency.clock.now, tries=1, trying=77, try_at=agency.clock.now + timedelta(minutes=1))
    agency.work()
    assert searches(agency) == []


def test_asking_in_vain_counts_as_one_of_those_that_find_a_partner_away(open_agency: Open) -> None:
    agency = opened(open_agency)
    somebody = Listening(agency)
    set_pace(agency, failed=tuple(range(101, 100 + SHARES)))
    agency.servers["lakeside"].plan(*[Answer(503)] * 2)
    agency.clock.pass_(hours=1)
    agency.work()
    found = pace(agency)
    assert found.is_open and found.try_at == agency.clock.now + timedelta(minutes=1)
    agency.work()
    assert [(alert.kind, alert.partner) for alert in somebody.heard] == [("circuit", "lakeside")]
    agency.clock.pass_(hours=3)
    agency.work()
    assert pace(agency).is_open, "tried once more in vain"
    agency.clock.pass_(hours=8)
    agency.work()
    assert not pace(agency).is_open


def test_one_that_fails_alone_opens_nothing(open_agency: Open) -> None:
    agency = opened(open_agency)
    agency.servers["lakeside"].plan(*[Answer(503)] * 3)
    for _ in range(3):
        agency.clock.pass_(hours=9)
        agency.work()
    assert pace(agency).failed == (ASKING,)
    assert not pace(agency).is_open


@pytest.mark.parametrize("status", [429, 503])
def test_too_much_asking_slows_what_is_sent_too(open_agency: Open, status: int) -> None:
    agency = opened(open_agency)
    agency.clock.pass_(hours=1)
    agency.servers["lakeside"].plan(Answer(status, {"Retry-After": "600"}))
    agency.work()
    assert pace(agency).next_at == agency.clock.now + timedelta(minutes=10)
    changed = many(1)
    changed["referrals"][0]["services"] = [{"text": "A place in another group"}]
    agency.put(changed)
    seen = len(agency.seen())
    agency.clock.pass_(minutes=9)
    agency.work()
    assert len(agency.seen()) == seen
    agency.clock.pass_(minutes=2)
    agency.work()
    assert len(agency.seen()) > seen
