"""What a partner keeps of what it has changed in its copy, element by element."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.core.merging import merged
from adapter.core.partner import KEEPS

URN = "urn:uuid:g"
PLACES = {"Goal/9": URN}
OURS: dict[str, Any] = {
    "resourceType": "Task",
    "status": "requested",
    "description": "Tie shoes",
    "focus": {"reference": URN},
    "note": [{"text": "ours"}],
}
BASE = {
    **OURS,
    "id": "7",
    "meta": {"versionId": "1", "lastUpdated": "2026"},
    "text": {"div": "<div/>"},
    "focus": {"reference": "Goal/9"},
}
NOTE = {"text": "she came"}


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        pytest.param({}, {}, {}, id="nothing was changed"),
        pytest.param({}, {"meta": {"versionId": "5"}, "text": {"div": "x"}}, {}, id="nobody's elements"),
        pytest.param({"description": "Tie both"}, {"status": "accepted"}, {"status": "accepted"}, id="an answer"),
        pytest.param({}, {"owner": {"display": "Ann"}}, {"owner": {"display": "Ann"}}, id="owner"),
        pytest.param({}, {"output": [{"valueString": "x"}]}, {"output": [{"valueString": "x"}]}, id="an output"),
        pytest.param({}, {"status": None}, {"status": None}, id="what they took away stays away"),
        pytest.param({}, {"note": [{"text": "ours"}, NOTE]}, {"note": [{"text": "ours"}, NOTE]}, id="a note is kept"),
        pytest.param(
            {"note": [{"text": "new"}]}, {"note": [NOTE, {"text": "ours"}]}, {"note": [{"text": "new"}, NOTE]},
            id="beside our new one: the one that may no longer be there goes",
        ),
        pytest.param({"note": None}, {"note": [{"text": "ours"}, NOTE]}, {"note": [NOTE]}, id="also where ours all go"),
        pytest.param({}, {"note": [NOTE]}, None, id="ours taken out of the notes is contested"),
        pytest.param({}, {"note": [{"text": "ours, with a word more"}]}, None, id="ours changed in the notes too"),
        pytest.param({}, {"note": "x"}, None, id="a list that is none is contested"),
        pytest.param({}, {"description": "Tie laces"}, None, id="our words are contested"),
        pytest.param({}, {"focus": {"reference": "Goal/10"}}, None, id="our reference is contested"),
        pytest.param({}, {"focus": {"reference": "https://x.ca/fhir/Goal/9/_history/3"}}, {}, id="written otherwise"),
        pytest.param({}, {"priority": "urgent"}, None, id="an element of their own that is not theirs to add"),
        pytest.param({"status": "cancelled"}, {"status": "accepted"}, None, id="what both change is contested"),
        pytest.param({"status": "accepted"}, {"status": "accepted"}, {}, id="what both change alike is settled"),
        pytest.param({"description": "Tie laces"}, {"description": "Tie laces"}, {}, id="it is ours already"),
    ],
)  # fmt: skip
def test_what_is_theirs_is_kept_and_the_rest_is_contested(
    ours: dict[str, Any], theirs: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    wanted = _with(OURS, ours)
    found = merged(wanted, base=BASE, theirs=_with(BASE, theirs), keeps=KEEPS, places=PLACES)
    assert found == (None if expected is None else _with(wanted, expected))


@pytest.mark.parametrize(
    ("ours", "theirs", "kept"),
    [
        pytest.param({}, {"status": "accepted"}, True, id="an answer, where nothing of ours changes"),
        pytest.param({"description": "Tie both"}, {"status": "accepted"}, False, id="whose words cannot be told"),
        pytest.param({}, {"note": [{"text": "ours"}, NOTE]}, False, id="which notes were ours cannot be told"),
    ],
)
def test_without_history_less_can_be_told(ours: dict[str, Any], theirs: dict[str, Any], kept: bool) -> None:
    found = merged(_with(OURS, ours), base=None, theirs=_with(BASE, theirs), keeps=KEEPS, places=PLACES)
    assert (found is not None) is kept


def test_another_list_of_what_they_keep() -> None:
    """`*` is any type; what is not named is not theirs."""
    theirs = {**BASE, "priority": "urgent"}
    assert merged(OURS, base=BASE, theirs=theirs, keeps=("*.priority",), places=PLACES) is not None
    assert merged(OURS, base=BASE, theirs=theirs, keeps=("Goal.priority",), places=PLACES) is None


def _with(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**one, **other}.items() if value is not None}
