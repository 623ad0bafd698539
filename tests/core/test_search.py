"""What a query finds, and what it refuses: the terms that are kept meet the terms that are asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.fhir.search import PARAMETERS, REFERS, index, query
from adapter.errors import Malformed

BASE = "https://agency.example/fhir"
GOAL: dict[str, Any] = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "identifier": [{"system": "https://board.example/goals", "value": "G,1|a"}, {"value": "bare"}],
    "category": [
        {"coding": [{"system": "http://snomed.info/sct", "code": "288524001"}], "text": "never found by text"}
    ],
    "subject": {"reference": "Patient/p1", "identifier": {"system": "urn:oid:1.2", "value": "77"}},
}

FOUND = {
    "identifier by system and value": [("identifier", r"https://board.example/goals|G\,1\|a")],
    "identifier by value alone": [("identifier", "bare")],
    "identifier without a system": [("identifier", "|bare")],
    "identifier by its system alone": [("identifier", "https://board.example/goals|")],
    "any of several values": [("identifier", "other,bare")],
    "a code by system": [("category", "http://snomed.info/sct|288524001")],
    "status by R4's name": [("lifecycle-status", "active")],
    "status by the usual name": [("status", "active")],
    "the subject by type and id": [("subject", "Patient/p1")],
    "the subject by id alone": [("subject", "p1")],
    "the subject by our own address": [("subject", f"{BASE}/Patient/p1")],
    "the subject with its type as modifier": [("subject:Patient", "p1")],
    "the patient": [("patient", "p1")],
    "the patient by an identifier that the reference carries": [("patient:identifier", "urn:oid:1.2|77")],
}
NOT_FOUND = {
    "identifier of another system": [("identifier", "https://other.example|bare")],
    "identifier in another case": [("identifier", "BARE")],
    "a part of a code": [("category", "2885")],
    "a text": [("category", "never found by text")],
    "a subject of another type": [("subject", "Group/p1")],
    "a subject at another server": [("subject", "https://other.example/fhir/Patient/p1")],
}


def met(resource: dict[str, Any], pairs: list[tuple[str, str]]) -> bool:
    """As the store does: every parameter, by any of its values."""
    kept = index(resource, base=BASE)
    return all(set(values) & set(kept.get(name, [])) for name, values in query("Goal", pairs, base=BASE).terms)


@pytest.mark.parametrize("pairs", FOUND.values(), ids=FOUND)
def test_a_resource_is_found_by(pairs: list[tuple[str, str]]) -> None:
    """Each way in which the specification lets a client write a value meets the value."""
    assert met(GOAL, pairs)


@pytest.mark.parametrize("pairs", NOT_FOUND.values(), ids=NOT_FOUND)
def test_a_resource_is_not_found_by(pairs: list[tuple[str, str]]) -> None:
    """What is not equal is not found."""
    assert not met(GOAL, pairs)


REFUSED = {
    "a parameter that is not known": [("colour", "blue")],
    "a parameter of another type": [("owner", "Organization/1")],
    "a modifier that is not supported": [("identifier:contains", "b")],
    "a reference with an unknown modifier": [("subject:missing", "true")],
    "no value": [("identifier", "")],
    "only commas": [("identifier", ",,")],
    "a count below zero": [("_count", "-1")],
    "a count in words": [("_count", "ten")],
    "a day that does not exist": [("_lastUpdated", "2026-02-30")],
    "a time without a zone": [("_lastUpdated", "2026-02-20T10:00")],
    "a prefix that is not one": [("_lastUpdated", "xx2026-02-20")],
    "the last instant there is": [("_lastUpdated", "9999-12-31")],
    "a sort by something else": [("_sort", "identifier")],
    "a summary that is not offered": [("_summary", "true")],
}


@pytest.mark.parametrize("pairs", REFUSED.values(), ids=REFUSED)
def test_a_query_is_refused_for(pairs: list[tuple[str, str]]) -> None:
    """A search that was not understood is an error, never a search for everything; and its value is not repeated."""
    with pytest.raises(Malformed) as refused:
        query("Goal", pairs, base=BASE)
    assert refused.value.problems
    assert not any(pairs[0][1] in problem.detail for problem in refused.value.problems if len(pairs[0][1]) > 1)


def test_a_lenient_query_leaves_out_what_it_does_not_know() -> None:
    """Prefer: handling=lenient: the rest still holds, and what was left out is told."""
    asked = query("Goal", [("colour", "blue"), ("identifier", "bare")], base=BASE, lenient=True)
    assert asked.terms == (("identifier", ("bare",)),)
    assert asked.ignored == ("colour",)


TIMES = {
    "ge2026-03-01": ("2026-03-01T00:00:00", None),
    "gt2026-03-01": ("2026-03-02T00:00:00", None),
    "lt2026-03-01": (None, "2026-03-01T00:00:00"),
    "le2026-03-01": (None, "2026-03-02T00:00:00"),
    "2026-03-01": ("2026-03-01T00:00:00", "2026-03-02T00:00:00"),
    "gt2026-03-01T12:00:00.250-05:00": ("2026-03-01T17:00:00.251", None),
    "eq2026-03-01T12:00:00Z": ("2026-03-01T12:00:00", "2026-03-01T12:00:01"),
}


@pytest.mark.parametrize(("text", "bounds"), TIMES.items(), ids=TIMES)
def test_last_updated_is_read_as(text: str, bounds: tuple[str | None, str | None]) -> None:
    """A time is as wide as its precision; since is inclusive and before is not."""
    asked = query("Goal", [("_lastUpdated", text)], base=BASE)
    wanted = tuple(datetime.fromisoformat(bound).replace(tzinfo=UTC) if bound else None for bound in bounds)
    assert (asked.since, asked.before) == wanted


def test_ids_that_are_asked_twice_must_both_hold() -> None:
    """`_id` repeated narrows, with a comma it widens."""
    assert query("Goal", [("_id", "a,b"), ("_id", "b,c")], base=BASE).ids == ("b",)


def test_every_reference_is_kept_for_the_check_before_a_deletion() -> None:
    """References deep inside count too; those to other servers do not."""
    deep = GOAL | {
        "addresses": [{"reference": "Condition/c1/_history/2"}, {"reference": "https://other.example/Condition/c9"}],
        "extension": [{"url": "x", "valueReference": {"reference": f"{BASE}/Task/t1"}}],
    }
    assert index(deep, base=BASE)[REFERS] == ["Condition/c1", "Patient/p1", "Task/t1"]


def test_a_patient_parameter_finds_patients_only() -> None:
    """A ServiceRequest about a group has no patient."""
    group = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Group/g"},
    }
    kept = index(group, base=BASE)
    assert "Group/g" in kept["subject"]
    assert "patient" not in kept


@given(st.text(), st.text())
def test_no_parameter_is_an_internal_error(name: str, value: str) -> None:
    """Whatever is asked is a query or Malformed."""
    for key in (name, "identifier", "subject", "_lastUpdated", "_count", "_id", f"subject:{name}"):
        try:
            query("Goal", [(key, value)], base=BASE)
        except Malformed:
            continue


def test_every_type_but_bytes_is_found_by_its_child() -> None:
    """The types that are about a child can be searched by it (issue: *search by identifier, subject and patient*)."""
    without = {"Patient", "Practitioner", "PractitionerRole", "Organization", "Binary"}
    assert {
        type_ for type_, found in PARAMETERS.items() if not any(each.name == "patient" for each in found)
    } == without
