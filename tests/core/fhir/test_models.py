"""What fhir.resources says of a resource, as problems with a place and without a value."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.core.fhir.models import TYPES, problems

GOAL: dict[str, Any] = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "Sleep"},
    "subject": {"reference": "urn:uuid:00000000-0000-4000-8000-000000000000"},
}
SECRET = "the-hidden-word"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        pytest.param({"lifecycleStatus": None}, "/lifecycleStatus", id="a null"),
        pytest.param({"surprise": SECRET}, "/surprise", id="an unknown element"),
        pytest.param({"startDate": SECRET}, "/startDate", id="no date"),
        pytest.param({"target": [{"dueDate": "2026-02-30"}]}, "/target/0/dueDate", id="a day that does not exist"),
        pytest.param({"note": SECRET}, "/note", id="text where a list belongs"),
        pytest.param({"note": [{"time": "2026-01-01"}]}, "/note/0/text", id="a required element missing inside"),
        pytest.param({"subject": SECRET}, "/subject", id="text where an object belongs"),
        pytest.param({"category": []}, "/category", id="an empty list"),
        pytest.param({"outcomeCode": [{}]}, "/outcomeCode/0", id="an empty object"),
        pytest.param({"description": {"text": ""}}, "/description/text", id="an empty text"),
    ],
)
def test_a_problem_names_its_place_and_never_the_value(change: dict[str, Any], pointer: str) -> None:
    """JSON Pointers, RFC 6901; the words are ours, because the library's quote the input."""
    found = problems(GOAL | change)
    assert pointer in [problem.pointer for problem in found]
    assert SECRET not in str(found)


def test_a_sound_resource_has_no_problem_in_either_release() -> None:
    """R4B models for R4 traffic; R5 too."""
    assert problems(GOAL) == problems(GOAL, release="R5") == []


def test_a_missing_required_element_is_found() -> None:
    """Alone: models look for it only where nothing else is wrong."""
    assert [p.pointer for p in problems({k: v for k, v in GOAL.items() if k != "lifecycleStatus"})] == [
        "/lifecycleStatus"
    ]


@pytest.mark.parametrize("type_", ["Medication", "os", "../Goal", None, 3])
def test_types_that_are_not_exchanged_are_not_imported(type_: Any) -> None:
    """A resourceType is hostile input; it never reaches the import system unless it is listed."""
    assert [p.pointer for p in problems({"resourceType": type_})] == ["/resourceType"]


def test_an_unknown_type_inside_a_bundle_is_a_problem_and_no_crash() -> None:
    """fhir.resources raises a bare KeyError there."""
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "NopeType"}}]}
    assert problems(bundle)


def test_every_listed_type_has_its_model() -> None:
    """A typing error in the list would show only when such a resource is sent."""
    for type_ in TYPES:
        assert not any("not a resource type" in p.detail for p in problems({"resourceType": type_}))
