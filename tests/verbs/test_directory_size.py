"""What a claim reads does not grow with the other cases of a partner, and nobody waits while it is being planned."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from adapter import reconcile
from adapter.core.diff import Holding
from adapter.store import cases, holdings, shares
from adapter.store.shares import Share
from tests.verbs.agency import Agency, case_of, record
from tests.verbs.conftest import Open

LAKESIDE = {"each": {"paused": True}, "lakeside": {"paused": False}}
OTHERS = 60


def crowd(agency: Agency, held: list[Holding]) -> None:
    """As many other cases at the same partner, each with the same directory resources and some of its own."""
    with agency.desk.store.writing() as tx:
        for number in range(OTHERS):
            case, _ = cases.put(tx, f"X-{number}", {}, {}, now=agency.clock.now)
            shares.ensure(tx, case.id, ["lakeside"], now=agency.clock.now)
            own = [replace(h, urn=f"{h.urn}-{number}", identifier=(h.identifier[0], f"x{number}")) for h in held]
            holdings.save(tx, shares.of_case(tx, case.id)[0].id, [*held, *own], now=agency.clock.now)


@pytest.mark.parametrize("step", ["it comes to the case", "it is there already", "it leaves the case"])
def test_a_claim_reads_no_more_of_the_directory_than_its_plan_needs(
    open_agency: Open, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    agency = open_agency(**LAKESIDE)
    case = case_of("shared-decision")
    number = case["case"]
    agency.put(case)
    agency.work()
    directory = [h for h in agency.held(number).values() if h.directory]
    assert directory
    crowd(agency, directory)
    if step == "it comes to the case":
        with agency.desk.store.writing() as tx:
            share = next(s for s in shares.of_case(tx, agency.stored(number).id) if s.partner == "lakeside")
            holdings.forget(tx, share.id, [h.urn for h in directory])
    if step == "it leaves the case":
        agency.delete(number)
    else:
        record(case, "goals")[0]["title"] = "Something else that we want"
        agency.put(case)
    opened: list[str] = []
    right = holdings._holding

    def counting(tx: Any, row: Any) -> Holding:
        opened.append(row.urn)
        return right(tx, row)

    monkeypatch.setattr(holdings, "_holding", counting)
    agency.work()
    monkeypatch.undo()
    # Its own twice at most (the plan, and the looking back when it settles), and each of the directory thrice.
    assert len(opened) <= 2 * len(agency.held(number)) + 3 * len(directory) + 3
    assert {h.urn for h in directory} <= agency.held(number).keys() or step == "it leaves the case"
    agency.fhir().watch = None


def test_while_a_share_is_planned_others_claim_and_people_save(
    open_agency: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim's transaction is over by then: on SQLite too, where there is one writer at a time."""
    agency = open_agency(**LAKESIDE)
    agency.put(case_of())
    planning, saved = threading.Event(), threading.Event()
    right = reconcile.read_work

    def slowly(*args: Any) -> Any:
        planning.set()
        assert saved.wait(60), "a save had to wait for a plan"
        return right(*args)

    monkeypatch.setattr(reconcile, "read_work", slowly)
    found: list[Share | None] = []
    thread = threading.Thread(target=lambda: found.append(reconcile.reconcile_next(agency.desk, "w")))
    thread.start()
    assert planning.wait(60)
    changed = case_of()
    record(changed, "goals/g1")["title"] = "Tie my own shoes before anything"
    agency.put(changed)
    saved.set()
    thread.join(60)
    assert not thread.is_alive()
    agency.work()
    agency.assert_equal()
