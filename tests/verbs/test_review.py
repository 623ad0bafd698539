"""Unread text, end to end: withheld, released, delivered, taken back when it changes; and what is entered of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter import consenting, keep, show
from adapter.errors import NotFound
from tests.verbs.agency import Agency, body, case_of

NUMBER, GOAL, TEXT = "C-0001", "goals/g1", "Tie my own shoes before gym"


@pytest.fixture
def unread(agency: Agency) -> Agency:
    """A case from an intake form that labels nothing, worked on."""
    book = replace(agency.desk.bench.rulebook, sources={"intake-form": False})
    agency.desk = replace(agency.desk, bench=replace(agency.desk.bench, rulebook=book))
    put(agency)
    agency.work()
    return agency


def put(agency: Agency, **goal: Any) -> keep.Kept:
    case = case_of()
    case["goals"][0] |= goal
    agency.numbers.add(NUMBER)
    return keep.put_case(agency.desk, NUMBER, body(case), source="intake-form")


def goals(agency: Agency) -> list[str]:
    return [r["description"]["text"] for r in agency.fhir().of_type("Goal")]


def test_unread_text_is_at_no_partner(unread: Agency) -> None:
    """What else is permitted is there."""
    assert goals(unread) == []
    assert unread.fhir().of_type("Patient")
    for partner in unread.servers:
        unread.assert_never(TEXT, partner)


def test_what_was_read_is_delivered_and_what_changes_is_taken_back(unread: Agency) -> None:
    consenting.release(unread.desk, NUMBER, GOAL, by="D. Roy")
    assert unread.desk.wake.is_set()
    unread.work()
    assert goals(unread) == [TEXT]
    put(unread, title="Stop the panic before gym")
    unread.work()
    assert goals(unread) == []
    unread.assert_never("Stop the panic")
    put(unread)
    unread.work()
    assert goals(unread) == [TEXT]


def test_what_changes_beside_the_text_stays_with_the_partner(unread: Agency) -> None:
    """A review is of text: a goal that is achieved is an update there, and no withdrawal."""
    consenting.release(unread.desk, NUMBER, GOAL, by="D. Roy")
    unread.work()
    put(unread, status="achieved")
    unread.work()
    (goal,) = unread.fhir().of_type("Goal")
    assert goal["lifecycleStatus"] == "completed"


def test_a_release_with_a_topic_delivers_nothing(unread: Agency) -> None:
    consenting.release(unread.desk, NUMBER, GOAL, by="D. Roy", topics=["mental-health"])
    unread.work()
    assert goals(unread) == []


def test_a_release_outlives_what_the_agency_puts_and_deletes(unread: Agency) -> None:
    """The same case again changes nothing; deleted and put again as it was, it has been read."""
    consenting.release(unread.desk, NUMBER, GOAL, by="D. Roy")
    assert not put(unread).changed
    unread.delete(NUMBER)
    put(unread)
    unread.work()
    assert goals(unread) == [TEXT]


def test_the_same_release_again_makes_nothing_due(unread: Agency) -> None:
    first = consenting.release(unread.desk, NUMBER, GOAL, by="D. Roy")
    unread.work()
    again = consenting.release(unread.desk, NUMBER, GOAL, by="D. Roy")
    assert (first["changed"], again["changed"], again["version"]) == (True, False, first["version"])
    assert unread.work() == 0


def test_a_deleted_case_waits_for_nobody(unread: Agency) -> None:
    unread.delete(NUMBER)
    assert show.to_review(unread.desk) == {"waiting": [], "next": None}
    for act in (show.to_review, show.due_soon):
        with pytest.raises(NotFound):
            act(unread.desk, NUMBER)
    with pytest.raises(NotFound):
        consenting.release(unread.desk, NUMBER, GOAL, by="D. Roy")


def test_a_put_tells_what_waits(unread: Agency) -> None:
    """Where, never what: and who is named in a text that may be seen."""
    told = put(unread, title="Tie my shoes with Inès")
    assert [p.detail for p in told.warnings if p.pointer == ""] == [
        "Free text in 2 places waits for a review, and is withheld until then."
    ]
    trusted = case_of()
    trusted["goals"][0]["title"] = "Tie my shoes with Inès"
    told = keep.put_case(unread.desk, "C-0002", body(trusted | {"case": "C-0002"}))
    (named,) = (p for p in told.warnings if p.pointer == "/goals/0" and "ontario-csp" not in p.detail)
    assert "people/mother" in named.detail
    assert "lakeside" in named.detail
    assert "Inès" not in named.detail
