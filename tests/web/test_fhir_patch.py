"""PATCH on /fhir: a JSON Patch changes what the partner wrote, within bounds, checked as every update is."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.fhir.patch import LONGEST_PATH, MOST_OPERATIONS, operations, patched
from adapter.core.fhir.search import PARAMETERS
from adapter.errors import AdapterError
from tests.web.conftest import Web
from tests.web.shapes import assert_error

PATCH = "application/json-patch+json"
GOAL: dict[str, Any] = {
    "resourceType": "Goal", "id": "g1", "lifecycleStatus": "active", "description": {"text": "Swim"},
    "subject": {"reference": "Patient/p1"}, "note": [{"text": "One"}, {"text": "Two"}],
}  # fmt: skip


@pytest.fixture
def goal(web: Web) -> Web:
    for body in ({"resourceType": "Patient", "id": "p1"}, GOAL):
        assert web.ask("lakeside", "PUT", f"/fhir/{body['resourceType']}/{body['id']}", body).status_code == 201
    return web


def change(web: Web, *patch: Any, who: str = "lakeside", path: str = "/fhir/Goal/g1", **headers: str) -> Any:
    return web.ask(who, "PATCH", path, json.dumps(list(patch)).encode(), **{"Content_Type": PATCH, **headers})


def test_a_patch_makes_a_new_version_and_is_found_by_it(goal: Web) -> None:
    done = change(
        goal, {"op": "test", "path": "/lifecycleStatus", "value": "active"},
        {"op": "replace", "path": "/lifecycleStatus", "value": "completed"}, {"op": "remove", "path": "/note/0"},
        {"op": "add", "path": "/meta/tag", "value": [{"system": "https://x.example", "code": "y"}]},
        If_Match='W/"1"',
    )  # fmt: skip
    assert (done.status_code, done.headers["ETag"], done.json["lifecycleStatus"]) == (200, 'W/"2"', "completed")
    assert done.json["note"] == [{"text": "Two"}]
    read = goal.ask("lakeside", "GET", "/fhir/Goal/g1").json
    assert read == done.json
    assert read["meta"]["versionId"] == "2"
    assert goal.ask("lakeside", "GET", "/fhir/Goal?lifecycle-status=completed").json["total"] == 1
    assert goal.ask("lakeside", "GET", "/fhir/Goal?lifecycle-status=active").json["total"] == 0
    assert goal.ask("lakeside", "GET", "/fhir/Goal/g1/_history/1").json["lifecycleStatus"] == "active"


REPLACE = {"op": "replace", "path": "/lifecycleStatus", "value": "completed"}


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ([{"op": "test", "path": "/lifecycleStatus", "value": "proposed"}, REPLACE], 422),
        ([REPLACE, {"op": "remove", "path": "/target"}], 422),
        ([{"op": "add", "path": "/note/9", "value": {"text": "x"}}], 422),
        ([{"op": "replace", "path": "/id", "value": "g2"}], 422),
        ([{"op": "replace", "path": "", "value": {"resourceType": "Patient", "id": "g1"}}], 422),
        ([{"op": "remove", "path": "/subject"}], 422),
        ([{"op": "replace", "path": "/lifecycleStatus", "value": 7}], 422),
        ([{"op": "replace", "path": "/subject/reference", "value": "Patient/none"}], 422),
        ([{"op": "merge", "path": "/note"}], 400),
        ([{"op": "add", "path": "/note"}], 400),
        ([{"op": "move", "path": "/note", "from": 3}], 400),
        ([{"op": "test", "path": "note", "value": 1}], 400),
        ([{"op": "remove", "path": "/" + "x" * LONGEST_PATH}], 400),
        (["remove"], 400),
        ([REPLACE] * (MOST_OPERATIONS + 1), 413),
        ([{"op": "copy", "path": "/note/0", "from": "/note"}] * 40, 413),
    ],
)  # fmt: skip
def test_what_cannot_be_changes_nothing(goal: Web, patch: Any, status: int) -> None:
    answer = change(goal, *patch)
    assert_error(answer, status)
    assert goal.ask("lakeside", "GET", "/fhir/Goal/g1").headers["ETag"] == 'W/"1"'


@pytest.mark.parametrize("content", ["application/fhir+json", "application/xml-patch+xml", "application/json", ""])
def test_another_kind_of_patch_is_refused_with_what_is_spoken(goal: Web, content: str) -> None:
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "operation"}]}
    body = json.dumps(parameters).encode()
    answer = goal.ask("lakeside", "PATCH", "/fhir/Goal/g1", body, Content_Type=content)
    assert_error(answer, 415)
    assert answer.headers["Accept-Patch"] == PATCH
    assert "JSON Patch" in answer.get_data(as_text=True)


def test_a_version_that_is_not_the_current_one_is_refused(goal: Web) -> None:
    assert change(goal, REPLACE, If_Match='W/"1"').status_code == 200
    assert_error(change(goal, REPLACE, If_Match='W/"1"'), 412)


def test_what_is_not_there_is_not_patched(goal: Web) -> None:
    assert_error(change(goal, REPLACE, path="/fhir/Goal/g9"), 404)
    assert_error(change(goal, REPLACE, who="riverside"), 404)
    assert goal.ask("lakeside", "DELETE", "/fhir/Goal/g1").status_code == 204
    assert_error(change(goal, REPLACE), 410)


def test_the_statement_says_so(web: Web) -> None:
    told = web.ask(None, "GET", "/fhir/metadata").json
    assert told["patchFormat"] == [PATCH]
    assert all(
        {"code": "patch"} in each["interaction"] for each in told["rest"][0]["resource"] if each["type"] in PARAMETERS
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
PATHS = st.one_of(
    st.sampled_from(["", "/", "/note", "/note/0", "/note/-", "/note/0/text", "/id", "/description/text/x", "/note/-1",
                     "/note/01", "/note/1e3", "/~", "/~1", "/~2", "/note/99999999999999999999"]),
    st.text(max_size=6).map(lambda text: f"/{text}"),
)  # fmt: skip
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": PATHS},
    optional={"from": PATHS, "value": VALUES},
)


@given(st.one_of(VALUES, st.lists(OPERATIONS | VALUES, max_size=5)))
def test_any_patch_is_done_whole_or_refused_and_never_touches_what_is_there(patch: Any) -> None:
    before = copy.deepcopy(GOAL)
    try:
        made = patched(GOAL, operations(patch), most_values=1000)
    except AdapterError as error:
        assert error.status in (400, 413, 422)
    else:
        assert (made["resourceType"], made["id"]) == ("Goal", "g1")
    assert before == GOAL
