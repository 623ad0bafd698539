"""People are told when something waits for one of them: once, of nobody by name; and no share waits for that."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapter import worker
from adapter.core.alert import Alert, told, words
from adapter.core.pace import SHARES
from adapter.store import shares
from tests.outward.fault_server import Answer
from tests.outward.memory_fhir import JSON
from tests.verbs.agency import Agency, case_of, record
from tests.verbs.conftest import Open

REFUSED = Answer(422, JSON, b'{"resourceType": "OperationOutcome", "issue": [{"diagnostics": "Inex Exemple"}]}')


class Listening:
    """Somebody who is told, and may be out of reach."""

    def __init__(self, agency: Agency) -> None:
        self.heard: list[Alert] = []
        self.tried = 0
        self.there: Any = True
        agency.desk = replace(agency.desk, ways={"mail": self})

    def __call__(self, alert: Alert) -> bool:
        self.tried += 1
        if isinstance(self.there, Exception):
            raise self.there
        if isinstance(self.there, threading.Event):
            self.there.wait(60)
        if self.there:
            self.heard.append(alert)
        return bool(self.there)


def opened(open_agency: Open) -> tuple[Agency, Listening]:
    agency = open_agency(each={"paused": True}, lakeside={"paused": False})
    return agency, Listening(agency)


def test_a_share_that_stops_is_told_of_without_a_word_about_anybody(open_agency: Open) -> None:
    agency, somebody = opened(open_agency)
    agency.servers["lakeside"].plan(REFUSED)
    case = case_of()
    agency.put(case)
    agency.work()
    [alert] = somebody.heard
    assert (alert.kind, alert.partner, alert.outcome, alert.count) == ("stopped", "lakeside", "rejected", 1)
    with agency.desk.store.reading() as tx:
        assert alert.shares == tuple(share.id for share in shares.listed(tx, state="stopped"))
    said = f"{alert} {told(alert, 'maple')} {words(alert, 'maple')}"
    for withheld in ("C-0001", "Exemple", "Inex", "Théo", "shoes", agency.stored("C-0001").id):
        assert withheld not in said


def test_many_that_stop_are_one_alert_and_the_rest_an_hour_later(open_agency: Open) -> None:
    agency, somebody = opened(open_agency)
    agency.servers["lakeside"].plan(*[REFUSED] * 4)
    for number in range(4):
        agency.put(case_of() | {"case": f"C-000{number}"})
    agency.work()
    assert [alert.count for alert in somebody.heard] == [1]
    agency.clock.pass_(minutes=59)
    agency.work()
    assert len(somebody.heard) == 1
    agency.clock.pass_(minutes=1)
    agency.work()
    assert [(alert.kind, alert.count) for alert in somebody.heard] == [("stopped", 1), ("stopped", 3)]


def test_a_conflict_and_a_partner_that_is_away_have_alerts_of_their_own(open_agency: Open) -> None:
    agency, somebody = opened(open_agency)
    case = case_of()
    agency.put(case)
    agency.work()
    goal = next(place for place in agency.fhir().resources if place.startswith("Goal/"))
    agency.fhir().edit(goal, description={"text": "Tie somebody's shoes"})
    record(case, "goals/g1")["title"] = "Tie my own shoes"
    agency.put(case)
    agency.work()
    assert [(alert.kind, alert.outcome) for alert in somebody.heard] == [("conflict", "version")]
    agency.servers["lakeside"].plan(*[Answer(503)] * 50)
    for number in range(SHARES):
        agency.put(case_of() | {"case": f"C-100{number}"})
    agency.work()
    assert [alert.kind for alert in somebody.heard] == ["conflict", "circuit"]
    assert somebody.heard[-1].outcome == "unavailable"


@pytest.mark.parametrize("why", [False, RuntimeError("a bug in telling")], ids=["out of reach", "a fault of ours"])
def test_that_nobody_can_be_told_stops_nothing_and_is_tried_again(open_agency: Open, why: Any) -> None:
    agency, somebody = opened(open_agency)
    somebody.there = why
    agency.servers["lakeside"].plan(REFUSED)
    agency.put(case_of())
    agency.put(case_of() | {"case": "C-0002"})
    agency.work()
    assert agency.share("C-0002")["outcome"] == "delivered"
    assert (somebody.heard, somebody.tried) == ([], 1)
    agency.clock.pass_(minutes=6)
    somebody.there = True
    agency.work()
    assert [alert.count for alert in somebody.heard] == [1]
    agency.clock.now += timedelta(days=3)
    agency.work()
    assert len(somebody.heard) == 1, "told once"


def test_a_fault_of_our_own_is_told_of(open_agency: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    agency, somebody = opened(open_agency)
    monkeypatch.setattr("adapter.reconcile.delivering.request", lambda *_: 1 / 0)
    agency.put(case_of())
    agency.work()
    assert [(alert.kind, alert.outcome) for alert in somebody.heard] == [("stopped", "stopped")]


def test_whoever_takes_his_time_holds_no_share_up(open_agency: Open) -> None:
    """Beside the worker, and it stops with it."""
    agency, somebody = opened(open_agency)
    held, stop = threading.Event(), threading.Event()
    somebody.there = held
    agency.servers["lakeside"].plan(REFUSED)
    agency.put(case_of())
    agency.put(case_of() | {"case": "C-0002"})
    thread = threading.Thread(target=worker.run, args=(agency.desk,), kwargs={"stop": stop})
    thread.start()
    try:
        until = time.monotonic() + 60
        while (agency.share("C-0002")["outcome"], somebody.tried) != ("delivered", 1):
            assert time.monotonic() < until
            time.sleep(0.05)
        assert somebody.heard == []
        held.set()
        while not somebody.heard:
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        held.set()
        stop.set()
        agency.desk.wake.set()
        thread.join()
