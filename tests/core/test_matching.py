"""Who a child is among a partner's patients: one verdict for each of what searches and `$match` may answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.fhir.named import names_of
from adapter.core.matching import (
    Candidate,
    Found,
    Nobody,
    Waits,
    by_identifier,
    matched,
    question,
    shared,
    with_identifier,
)

CARD = ("https://health.example.ca/card", "123")
CHILD: dict[str, Any] = {
    "resourceType": "Patient",
    "identifier": [
        {"system": "https://agency.example.ca/id", "value": "opaque"},
        {"system": CARD[0], "value": CARD[1]},
        {"system": "https://schools.example.ca/n", "value": "9"},
    ],
    "name": [{"family": "Exemple"}],
    "birthDate": "2016-05-04",
    "generalPractitioner": [{"reference": "urn:uuid:x"}],
    "address": [{"city": "X"}],
}


def patient(id_: str = "7", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": id_,
        "meta": {"versionId": "3"},
        "identifier": CHILD["identifier"][1:2],
    } | more


def searchset(*entries: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in entries]}


@pytest.mark.parametrize(
    ("there", "verdict"),
    [
        pytest.param([], Nobody(), id="nobody has it"),
        pytest.param([patient()], Found("7", "3"), id="one has it"),
        pytest.param([patient(), patient()], Found("7", "3"), id="the same one, found by two identifiers"),
        pytest.param([patient(birthDate="2016-05-04")], Found("7", "3"), id="and the same birth date"),
        pytest.param([patient(birthDate="2016")], Found("7", "3"), id="and the same year, no more being known"),
        pytest.param(
            [patient(birthDate="2015-05-04")], Waits((Candidate("7", "identifier"),)), id="another birth date"
        ),
        pytest.param([patient(active=False)], Waits((Candidate("7", "identifier"),)), id="not in use"),
        pytest.param(
            [patient(link=[{"type": "replaced-by"}])], Waits((Candidate("7", "identifier"),)), id="merged away"
        ),
        pytest.param([patient(link=[{"type": "seealso"}])], Found("7", "3"), id="with a link to another record"),
        pytest.param(
            [patient("1"), patient("2")],
            Waits((Candidate("1", "identifier"), Candidate("2", "identifier"))),
            id="several have it",
        ),
    ],
)
def test_only_one_of_whom_nothing_speaks_against_is_found(there: list[Any], verdict: Any) -> None:
    assert by_identifier(CHILD, there) == verdict


@pytest.mark.parametrize(("there", "candidates"), [([patient()], (Candidate("7", "identifier"),)), ([], ())])
def test_who_may_stand_on_a_page_that_is_not_fetched_waits_for_a_person(there: list[Any], candidates: Any) -> None:
    assert by_identifier(CHILD, there, more=True) == Waits(candidates)


@pytest.mark.parametrize(
    ("body", "count"),
    [
        pytest.param(searchset(patient()), 1, id="one"),
        pytest.param(searchset(), 0, id="none"),
        pytest.param({"resourceType": "Bundle", "type": "searchset"}, 0, id="no entries at all"),
        pytest.param(searchset(patient(identifier=[{"system": CARD[0], "value": "9"}])), 0, id="another identifier"),
        pytest.param(searchset({**patient(), "resourceType": "Person"}), 0, id="another type"),
        pytest.param(searchset(patient("../x")), 0, id="an id that is none"),
        pytest.param({"resourceType": "OperationOutcome"}, None, id="an outcome"),
        pytest.param({"resourceType": "Bundle", "type": "batch"}, None, id="another Bundle"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_a_searchset_counts_by_what_stands_in_it(body: Any, count: int | None) -> None:
    """A server that ignores the parameter and answers with everybody has found nobody."""
    found = with_identifier(body, CARD)
    assert (None if found is None else len(found)) == count


def test_only_shared_systems_are_asked_by_and_little_is_told() -> None:
    assert shared(CHILD, (CARD[0], "https://other")) == (CARD,)
    assert shared(CHILD, ()) == ()
    resource = question(CHILD, [CARD])["parameter"][0]["resource"]
    assert resource == {
        "resourceType": "Patient",
        "name": CHILD["name"],
        "birthDate": CHILD["birthDate"],
        "identifier": [{"system": CARD[0], "value": CARD[1]}],
    }
    assert {p["name"]: p.get("valueBoolean") for p in question(CHILD, [])["parameter"]}["onlyCertainMatches"] is True


GRADE = {"url": "http://hl7.org/fhir/StructureDefinition/match-grade", "valueCode": "certain"}


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        pytest.param({"score": Decimal("0.93")}, Waits((Candidate("7", "0.930"),)), id="a score"),
        pytest.param({"extension": [GRADE], "score": 1}, Waits((Candidate("7", "certain"),)), id="a grade"),
        pytest.param({"extension": [{**GRADE, "valueCode": "certainly-not"}]}, Nobody(), id="surely not this one"),
        pytest.param(
            {"extension": [{**GRADE, "valueCode": "Ama Example"}]}, Waits((Candidate("7"),)), id="a name as a grade"
        ),
        pytest.param({"score": "Ama"}, Waits((Candidate("7"),)), id="a name as a score"),
        pytest.param(None, Waits((Candidate("7"),)), id="nothing more"),
    ],
)
def test_whom_match_names_waits_for_a_person(search: Any, expected: Any) -> None:
    """Even one that is certain there: no identifier says so here. Nothing is kept but an id and a score."""
    body = searchset(patient(name=[{"family": "Ama"}]))
    body["entry"][0] |= {"search": search} if search else {}
    assert matched(body) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["Patient", "Bundle", "searchset", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resource", "entry", "id", "identifier", "search", "score", "extension", "link"]), inner
        )
    ),
    max_leaves=15,
)


@given(JSON)
def test_any_answer_has_a_verdict(entry: Any) -> None:
    body = {"resourceType": "Bundle", "type": "searchset", "entry": entry}
    assert matched(body) is None or isinstance(matched(body), Waits | Nobody)
    for each in with_identifier(body, CARD) or ():
        assert CARD in names_of(each)
        assert isinstance(by_identifier(CHILD, [each]), Found | Waits)
