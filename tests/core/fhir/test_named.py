"""Our identifier on types that have `identifier`, have it once, or have none; and how each is found by it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from adapter.core.fhir.models import TYPES, problems
from adapter.core.fhir.named import TAGGED, named_by, names_of, search
from adapter.core.fhir.results import found
from adapter.core.partner import Release

OURS = ("https://agency.example.ca/id/p", "0123abcd")
TAG = {"system": OURS[0], "code": OURS[1]}
OWN = {"system": OURS[0], "value": OURS[1]}


@pytest.mark.parametrize(
    ("type_", "release", "elements"),
    [
        pytest.param("Goal", "R4", {"identifier": [OWN]}, id="most types have a list"),
        pytest.param("Composition", "R4", {"identifier": OWN}, id="a Composition of R4 has one"),
        pytest.param("Composition", "R5", {"identifier": [OWN]}, id="a Composition of R5 has a list"),
        pytest.param("Binary", "R4", {"meta": {"tag": [TAG]}}, id="a Binary has a tag"),
        pytest.param("Provenance", "R5", {"meta": {"tag": [TAG]}}, id="Provenance too"),
    ],
)
def test_it_stands_where_the_type_has_room(type_: str, release: Release, elements: dict[str, Any]) -> None:
    made = {"resourceType": type_, **named_by(type_, OURS, release)}
    assert made == {"resourceType": type_, **elements}
    assert list(names_of(made)) == [OURS]


@pytest.mark.parametrize("release", ["R4", "R5"])
@pytest.mark.parametrize("type_", sorted(set(TYPES) - {"Bundle", "OperationOutcome", "Parameters", "AuditEvent"}))
def test_the_models_of_both_releases_accept_it(type_: str, release: Release) -> None:
    """No type is asked for an element that it has not: what else is missing does not matter here."""
    wrong = problems({"resourceType": type_, **named_by(type_, OURS, release)}, release=release)
    assert [p for p in wrong if p.pointer.startswith(("/identifier", "/meta"))] == []


@pytest.mark.parametrize(("type_", "name"), [("Goal", "identifier"), ("Provenance", "_tag"), ("Binary", "_tag")])
def test_it_is_searched_by_what_it_is(type_: str, name: str) -> None:
    assert parse_qsl(search(type_, OURS)) == [(name, "|".join(OURS))]


@pytest.mark.parametrize("type_", ["Goal", "Composition", *sorted(TAGGED)])
def test_it_is_found_in_what_a_server_returns(type_: str) -> None:
    """And what is named otherwise is not taken for it."""
    right = {"resourceType": type_, "id": "7", **named_by(type_, OURS, "R4")}
    other = {"resourceType": type_, "id": "8", **named_by(type_, (OURS[0], "another"), "R4")}
    body = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in (other, right)]}
    assert found(body, type_, OURS) == (("7", ""),)


@pytest.mark.parametrize("stated", [None, 7, "x", [], [7], {"tag": 7}, {"tag": ["x"]}, {"tag": [{"code": 1}]}])
def test_what_others_write_there_is_read_whatever_it_is(stated: Any) -> None:
    for type_ in ("Goal", "Provenance"):
        assert OURS not in list(names_of({"resourceType": type_, "identifier": stated, "meta": stated}))
