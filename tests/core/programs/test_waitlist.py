# ruff: noqa: E501  a table reads row by row
"""The waitlist: by the program's priorities, then by first contact; every place says why."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.programs.waitlist import Waiting, in_order, waiting_in
from tests.core.programs.cases import ONTARIO, ZONE, changed, read

PRIORITIES = read().programs["ontario-csp"].priorities
CODES = ["crisis", "immediate-need", "re-engaging", "moved-here", "none"]


def one(
    case: str, first: str | None = "2026-03-01", priority: str = "none", since: str | None = None, region: str = ""
) -> Waiting:
    days = [date.fromisoformat(day) if day else None for day in (first, since)]
    return Waiting(case, "ontario-csp", days[0], days[1], region, priority)


@pytest.mark.parametrize(
    ("waiting", "order"),
    [
        pytest.param([one("late", "2026-04-01"), one("early", "2026-03-01")], ["early", "late"], id="by first contact"),
        pytest.param([one("early"), one("back", "2026-05-01", "re-engaging")], ["back", "early"], id="who comes back goes first"),
        pytest.param([one(code, priority=code) for code in reversed(CODES)], CODES, id="in the order of the program's file"),
        pytest.param([one("b", None, since="2026-03-02"), one("a", "2026-03-03"), one("c", "2026-03-01")], ["c", "b", "a"],
                     id="since when it waits stands in for first contact"),
        pytest.param([one("unknown", None), one("known", "2026-11-20")], ["known", "unknown"], id="unknown days come last"),
        pytest.param([one("crisis", None, "crisis"), one("known")], ["crisis", "known"], id="but within their priority"),
        pytest.param([one("b"), one("a")], ["a", "b"], id="the same day: by the case number"),
        pytest.param([one("b", since="2026-03-04"), one("a", since="2026-03-05")], ["b", "a"], id="the same day: who waits longer"),
    ],
)  # fmt: skip
def test_the_order(waiting: list[Waiting], order: list[str]) -> None:
    assert [place.waiting.case for place in in_order(waiting, PRIORITIES)] == order


def test_each_place_says_why_in_both_languages() -> None:
    waiting = [
        one("a", region="North"),
        one("b", "2026-04-01", region="South"),
        one("c", "2026-05-01", "crisis", region="North"),
    ]
    places = in_order(waiting, PRIORITIES)
    assert [(p.place, p.in_region, p.waiting.case) for p in places] == [(1, 1, "c"), (2, 2, "a"), (3, 1, "b")]
    assert places[2].why == {
        "en": "Priority: no priority. First contact on 2026-04-01. Before it: 1 of a higher priority, 1 of the same.",
        "fr": "Priorité : sans priorité. Premier contact le 2026-04-01. Avant : 1 de priorité supérieure, 1 de la même.",
    }
    (unknown,) = in_order([one("a", None)], PRIORITIES)
    assert "last of its priority" in unknown.why["en"]


def test_a_program_without_priorities_goes_by_first_contact_alone() -> None:
    places = in_order([one("a", "2026-03-02", "crisis"), one("b", "2026-03-01")], ())
    assert [p.waiting.case for p in places] == ["b", "a"]


@pytest.mark.parametrize(
    ("enrolment", "said"),
    [
        pytest.param({"status": "active"}, None, id="who does not wait"),
        pytest.param({"status": "waitlisted"}, one("C-1", None), id="nothing else is known"),
        pytest.param({"status": "waitlisted", "first_contact": "2026-03-01", "waitlist": {"priority": "crisis", "region": "North", "since": "2026-03-05"}},
                     one("C-1", "2026-03-01", "crisis", "2026-03-05", "North"), id="all is known"),
        pytest.param({"status": "waitlisted", "status_history": [{"status": "waitlisted", "from": "2026-03-04"}]},
                     one("C-1", None, since="2026-03-04"), id="the history says since when"),
    ],
)  # fmt: skip
def test_what_a_case_says_of_its_waiting(enrolment: dict[str, Any], said: Waiting | None) -> None:
    assert waiting_in(changed(ONTARIO, {"enrolment": enrolment}), ZONE) == said
    assert waiting_in({"case": "C-1", "program": "ontario-csp", "child": {}}, ZONE) is None


@given(st.permutations([one(f"c{i}", f"2026-0{1 + i % 3}-01", CODES[i % 5], region=f"r{i % 2}") for i in range(9)]))
def test_the_order_does_not_depend_on_the_order_in_which_cases_were_read(waiting: list[Waiting]) -> None:
    assert in_order(waiting, PRIORITIES) == in_order(sorted(waiting), PRIORITIES)
