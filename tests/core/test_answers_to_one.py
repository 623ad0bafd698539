"""What a partner answered to one change that travelled alone: nothing of it is taken on trust."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.diff import Create, Delete, Update
from adapter.core.fhir.bundle import transaction
from adapter.core.fhir.results import Result, is_loose, result_of_one, results
from tests.core.test_diff import GOAL, held, made

CREATE = Create(GOAL)
UPDATE = Update(GOAL, held(GOAL, id="g1", version="3"))
DELETE = Delete(held(GOAL, id="g1"))
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
FINE = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]}
MANY = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "multiple-matches"}]}
THERE = {"location": "https://partner.example.ca/fhir/Goal/9/_history/2"}
OURS = {**GOAL.resource, "id": "9", "meta": {"versionId": "2"}}
SWAPPED = {**OURS, "identifier": [{"system": "https://s", "value": "another"}]}
DARK = ("unknown", "", "", False)
IS_THERE = ("delivered", "9", "2", False)


def read(change: Any, status: int, body: Any = None, *, location: str = "", etag: str = "", waits: bool = False) -> Any:
    found = result_of_one(change, GOAL.resource, body, status=status, location=location, etag=etag, waits=waits)
    return found.outcome, found.id, found.version, found.undone


@pytest.mark.parametrize(
    ("change", "status", "more", "expected"),
    [
        pytest.param(CREATE, 201, THERE, IS_THERE, id="created"),
        pytest.param(CREATE, 201, {"location": "Goal/9", "etag": 'W/"2"'}, IS_THERE, id="created, with an etag"),
        pytest.param(CREATE, 201, {"body": OURS}, IS_THERE, id="told by the resource alone"),
        pytest.param(CREATE, 200, THERE, ("existing", "9", "2", False), id="found by the condition"),
        pytest.param(CREATE, 201, {}, DARK, id="created, and nobody says where"),
        pytest.param(CREATE, 201, {"location": "Patient/9"}, DARK, id="another type"),
        pytest.param(CREATE, 201, {"location": "https://evil.example/Goal/9?x"}, DARK, id="an address to fetch"),
        pytest.param(CREATE, 201, {**THERE, "body": SWAPPED}, DARK, id="another's resource"),
        pytest.param(CREATE, 201, {**THERE, "body": ERROR}, DARK, id="an error inside"),
        pytest.param(CREATE, 201, {**THERE, "body": FINE}, IS_THERE, id="kind words inside"),
        pytest.param(CREATE, 201, {**THERE, "body": [1]}, IS_THERE, id="a list inside"),
        pytest.param(CREATE, 202, THERE, DARK, id="accepted, not done"),
        pytest.param(CREATE, 412, {"body": MANY}, ("ambiguous", "", "", True), id="several have the identifier"),
        pytest.param(CREATE, 412, {}, ("ambiguous", "", "", True), id="a condition, without a word"),
        pytest.param(CREATE, 409, {}, ("conflict", "", "", False), id="two at once: looked for"),
        pytest.param(UPDATE, 423, {}, ("conflict", "", "", True), id="somebody is writing it"),
        pytest.param(CREATE, 422, {"body": ERROR}, ("rejected", "", "", True), id="refused"),
        pytest.param(CREATE, 404, {}, ("rejected", "", "", True), id="an unknown type"),
        pytest.param(CREATE, 500, {}, DARK, id="failed, perhaps after it was done"),
        pytest.param(CREATE, 503, {}, ("unavailable", "", "", False), id="a gateway that knows nothing"),
        pytest.param(CREATE, 503, {"waits": True}, ("throttled", "", "", False), id="a gateway that asks to wait"),
        pytest.param(CREATE, 308, {"location": "http://169.254.169.254/"}, ("rejected", "", "", True), id="a redirect"),
        pytest.param(CREATE, 302, {"location": "http://169.254.169.254/"}, DARK, id="a redirect for now"),
        pytest.param(UPDATE, 200, {"etag": 'W/"4"'}, ("delivered", "", "4", False), id="updated"),
        pytest.param(UPDATE, 200, {"location": "Goal/other"}, DARK, id="another was updated"),
        pytest.param(UPDATE, 412, {}, ("version", "", "", True), id="changed there"),
        pytest.param(UPDATE, 409, {}, ("conflict", "", "", True), id="changed there, said otherwise"),
        pytest.param(UPDATE, 404, {"body": ERROR}, ("conflict", "", "", True), id="deleted there"),
        pytest.param(UPDATE, 404, {}, DARK, id="not found, by whom is not told"),
        pytest.param(UPDATE, 200, {"body": ERROR}, DARK, id="not updated, says the body"),
        pytest.param(DELETE, 204, {}, ("delivered", "", "", False), id="deleted"),
        pytest.param(DELETE, 404, {"body": ERROR}, ("delivered", "", "", False), id="gone already"),
        pytest.param(DELETE, 410, {}, DARK, id="gone already, by whose word is not told"),
        pytest.param(DELETE, 409, {}, ("conflict", "", "", False), id="still referred to"),
        pytest.param(DELETE, 405, {}, ("rejected", "", "", True), id="not allowed"),
        pytest.param(DELETE, 202, {}, DARK, id="deleted later, perhaps"),
    ],
)
def test_one_answer_is_one_result(change: Any, status: int, more: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert read(change, status, **more) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "meta", "issue", "resourceType"]), inner)
    ),
    max_leaves=10,
)


@given(st.integers(100, 599), JSON, st.text(max_size=20), st.text(max_size=10))
def test_any_answer_is_read(status: int, body: Any, location: str, etag: str) -> None:
    for change in (CREATE, UPDATE, DELETE):
        outcome, *_ = read(change, status, body, location=location, etag=etag)
        assert status < 300 or outcome != "existing"
        assert 200 <= status < 300 or isinstance(change, Delete) or outcome != "delivered"


TASK = made("Task", "t", "g")
BOTH = [Create(GOAL), Create(TASK)]
REFUSED = {"response": {"status": "422"}}
VERBATIM = {**TASK.resource, "id": "2"}


def answered(kind: str, *entries: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(place: str, **more: Any) -> dict[str, Any]:
    return {"response": {"status": "201", "location": place}, **more}


WHOLE, APART = "transaction-response", "batch-response"


@pytest.mark.parametrize(
    ("response", "loose", "outcomes"),
    [
        pytest.param(answered(WHOLE, entry("Goal/1"), entry("Task/2")), False, ["delivered", "delivered"], id="one"),
        pytest.param(answered(APART, entry("Goal/1"), entry("Task/2")), True, ["delivered", "existing"], id="a batch"),
        pytest.param(answered(WHOLE, entry("Goal/1"), REFUSED), True, ["delivered", "rejected"], id="a failure in it"),
        pytest.param(
            answered(WHOLE, entry("Goal/1"), entry("Task/2", resource=VERBATIM)),
            False,
            ["delivered", "existing"],
            id="a urn that came back as it was sent",
        ),
    ],
)
def test_a_transaction_that_was_none_is_seen(response: Any, loose: bool, outcomes: list[str]) -> None:
    """What may refer in vain to what was made in the same Bundle is written again."""
    found: list[Result] = results(BOTH, transaction(BOTH, {}), response)
    assert (is_loose(response, found), [result.outcome for result in found]) == (loose, outcomes)
