"""Organizations and practitioners are shared by the cases of a partner: there once, and gone with the last case."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapter.outward.answer import Answer
from adapter.outward.server import Server
from adapter.reconcile import reconcile_next
from tests.outward.fault_server import Answer as Refused
from tests.verbs.agency import DIRECTORY, Agency, case_of, revoked
from tests.verbs.conftest import Open

ONLY = {"each": {"paused": True}, "lakeside": {"paused": False}}
"""One partner is enough to see it."""


def another(case: Any, number: str = "C-2") -> Any:
    """The same in another case: another child with the same people around."""
    return {**copy.deepcopy(case), "case": number}


def directory(agency: Agency) -> dict[str, str]:
    """Identifier → place of what is shared."""
    there = agency.fhir().resources
    return {r["identifier"][0]["value"]: p for p, r in there.items() if r["resourceType"] in DIRECTORY}


def test_two_cases_share_one_and_only_the_last_takes_it_back(open_agency: Open) -> None:
    agency = open_agency(**ONLY)
    case = case_of("shared-decision")
    agency.put(case)
    agency.work()
    first = directory(agency)
    assert len(first) > 2
    before = len(agency.seen())
    agency.put(another(case))
    agency.work()
    assert directory(agency) == first
    assert {e["resource"]["resourceType"] for e in agency.sent_after(before)}.isdisjoint(DIRECTORY)
    agency.assert_equal()
    agency.put(revoked(copy.deepcopy(case)))
    agency.work()
    assert directory(agency) == first
    agency.assert_equal()
    agency.delete("C-2")
    agency.work()
    assert directory(agency) == {}
    assert set(agency.fhir().counted()) == {"Consent", "Task"}


def test_a_release_that_failed_leaves_the_other_case_its_withdrawal(open_agency: Open) -> None:
    """Until the partner has done what lets go of an organisation, another case does not have it deleted there: that
    would be refused, and with it all that must be taken back."""
    agency = open_agency(**ONLY)
    one = case_of("shared-decision")
    other = another(one)
    agency.put(one)
    agency.put(other)
    agency.work()
    agency.servers["lakeside"].plan(Refused(503))
    agency.put(revoked(copy.deepcopy(one)))
    agency.work()
    assert [h for h in agency.held(one["case"]).values() if h.directory]
    agency.put(revoked(other))
    agency.work()
    assert agency.share("C-2")["outcome"] == "delivered"
    agency.work_on()
    agency.assert_equal()
    assert directory(agency) == {}


def test_what_one_case_alone_refers_to_goes_with_it(open_agency: Open) -> None:
    agency = open_agency(**ONLY)
    agency.put(case_of("shared-decision"))
    agency.work()
    alone = set(directory(agency))
    agency.put(case_of("ontario-csp"))
    agency.work()
    agency.delete("C-2031")
    agency.work()
    assert set(directory(agency)) == alone
    agency.assert_equal()


class Meanwhile:
    """A way to the partner on which something else happens before the first Bundle goes out, or after it was done."""

    def __init__(self, server: Server, happen: Callable[[], object], after: bool) -> None:
        self.server, self.happen, self.after, self.done = server, happen, after, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.server, name)

    def transact(self, payload: bytes, **options: Any) -> Answer:
        first, self.done = not self.done, True
        if first and not self.after:
            self.happen()
        answer = self.server.transact(payload, **options)
        if first and self.after:
            self.happen()
        return answer


def work_with_another_at_it(agency: Agency, happen: Callable[[], object], *, after: bool) -> None:
    """One worker is at a share when another does all that is due besides."""
    way = Meanwhile(agency.desk.server("lakeside"), happen, after)
    slow: Any = replace(agency.desk, server=lambda _: way)
    assert reconcile_next(slow, "slow") is not None
    agency.work_on()


def others(agency: Agency) -> None:
    while reconcile_next(agency.desk, "other"):
        pass


@pytest.mark.parametrize("after", [False, True])
def test_two_last_cases_that_go_at_once_do_not_leave_it_to_each_other(open_agency: Open, after: bool) -> None:
    """Each sees that the other still uses it; whoever settles last looks again."""
    agency = open_agency(**ONLY)
    case = case_of("shared-decision")
    for one in (case, another(case)):
        agency.put(one)
    agency.work()
    for one in (case, another(case)):
        agency.put(revoked(one))
    work_with_another_at_it(agency, lambda: others(agency), after=after)
    assert directory(agency) == {}
    agency.assert_equal()


@pytest.mark.parametrize("after", [False, True])
def test_a_case_that_comes_while_the_last_one_goes_finds_it_there(open_agency: Open, after: bool) -> None:
    """Nobody counts on what is being taken back; no Bundle fails because of it."""
    agency = open_agency(**ONLY)
    case = case_of("shared-decision")
    agency.put(case)
    agency.work()
    agency.put(revoked(copy.deepcopy(case)))

    def comes() -> None:
        agency.put(another(case))
        others(agency)

    work_with_another_at_it(agency, comes, after=after)
    assert directory(agency)
    agency.assert_equal()
    assert {line.outcome for line in agency.account("C-2")} == {"", "delivered"}
    assert {line.outcome for line in agency.account(case["case"])} == {"", "delivered"}


@pytest.mark.parametrize("after", [False, True])
def test_the_last_case_that_goes_while_another_comes_leaves_it(open_agency: Open, after: bool) -> None:
    agency = open_agency(**ONLY)
    case = case_of("shared-decision")
    agency.put(case)
    agency.work()
    agency.put(another(case))

    def goes() -> None:
        agency.put(revoked(copy.deepcopy(case)))
        others(agency)

    work_with_another_at_it(agency, goes, after=after)
    assert directory(agency)
    agency.assert_equal()
    assert {line.outcome for line in agency.account("C-2")} == {"", "delivered"}


@pytest.mark.parametrize("after", [False, True])
def test_two_cases_that_come_at_once_make_it_once(open_agency: Open, after: bool) -> None:
    agency = open_agency(**ONLY)
    case = case_of("shared-decision")
    agency.put(case)

    def comes() -> None:
        agency.put(another(case))
        others(agency)

    work_with_another_at_it(agency, comes, after=after)
    agency.assert_equal()
    for number in (case["case"], "C-2"):
        agency.delete(number)
        agency.work_on()
    assert directory(agency) == {}
