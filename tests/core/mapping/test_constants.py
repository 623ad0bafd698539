"""Codes that mapping files write out are held against what their elements require; what is made of a record is not."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from adapter.catalogue import files_root
from adapter.catalogue.definitions import read_definitions
from adapter.core.fhir.checker import Definitions
from adapter.core.mapping.constants import wrong_codes
from adapter.core.mapping.resources import PROFILES


@cache
def known() -> Definitions:
    return read_definitions(files_root(), "R4")


KIND = {"url": f"{PROFILES}csp-note-kind", "valueCode": "barrier"}
ACTIVE = {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}


@pytest.mark.parametrize(
    ("make", "places"),
    [
        pytest.param({"lifecycleStatus": "active"}, [], id="a code of the set"),
        pytest.param({"lifecycleStatus": "actve"}, [("lifecycleStatus",)], id="a code that is not of the set"),
        pytest.param({"lifecycleStatus": "{{ status }}"}, [], id="an expression is not judged"),
        pytest.param({"note": [KIND | {"extension": [KIND]}]}, [], id="an extension by its own definition"),
        pytest.param(
            {"note": [{"extension": [KIND | {"valueCode": "x"}]}]},
            [("note", 0, "extension", 0, "valueCode")],
            id="an extension's value",
        ),
        pytest.param(
            {"note": [{"extension": [{"url": "urn:x", "valueCode": "x"}]}]}, [], id="someone else's extension"
        ),
        pytest.param(
            {"{% if a %}": {"lifecycleStatus": "x"}, "{% else %}": {"lifecycleStatus": "active"}},
            [("{% if a %}", "lifecycleStatus")],
            id="under a condition",
        ),
        pytest.param(
            {"target": [{"{{ target }}": {"dueDate": "soon", "detailString": "x"}}]},
            [],
            id="what no set is required of",
        ),
    ],
)
def test_of_a_goal(make: dict[str, Any], places: list[tuple[Any, ...]]) -> None:
    found = [place for place, _ in wrong_codes({"resourceType": "Goal", **make}, "", known())]
    assert found == places


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        pytest.param({"coding": [ACTIVE]}, False, id="a coding of the set"),
        pytest.param({"coding": [ACTIVE | {"code": "open"}]}, True, id="none of the set"),
        pytest.param({"coding": [ACTIVE | {"code": "open"}, ACTIVE]}, False, id="one of them is enough"),
        pytest.param({"coding": [ACTIVE | {"code": "open"}, ACTIVE | {"code": "{{ a }}"}]}, False, id="one is made"),
        pytest.param({"text": "open"}, False, id="words alone"),
    ],
)
def test_of_a_concept_that_requires_a_code(status: dict[str, Any], wrong: bool) -> None:
    found = list(wrong_codes({"resourceType": "Condition", "clinicalStatus": status}, "", known()))
    assert [place for place, _ in found] == ([("clinicalStatus", "coding", 0, "code")] if wrong else [])


def test_a_profile_asks_more_than_its_type() -> None:
    make = {"resourceType": "ServiceRequest", "locationCode": [{"coding": [{"system": "urn:x", "code": "attic"}]}]}
    assert list(wrong_codes(make, "", known())) == []
    assert [place for place, _ in wrong_codes(make, f"{PROFILES}csp-plan-service", known())] == [
        ("locationCode", 0, "coding", 0, "code")
    ]
