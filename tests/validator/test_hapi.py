"""The oracle answers, in order, and finds what is wrong: an oracle that accepts everything would prove nothing."""

from __future__ import annotations

import pytest

from tests.validator.hapi import Hapi

pytestmark = pytest.mark.servers

GOAL = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "Sleep"},
    "subject": {"reference": "Patient/1"},
}


@pytest.mark.timeout(600)  # the first time, Maven brings the libraries
@pytest.mark.parametrize("fixture", ["hapi_r4", "hapi_r5"])
def test_it_answers_in_order_and_finds_what_is_wrong(fixture: str, request: pytest.FixtureRequest) -> None:
    hapi: Hapi = request.getfixturevalue(fixture)
    answers = hapi.issues(
        [
            GOAL,
            GOAL | {"lifecycleStatus": "bogus"},
            GOAL | {"subject": {"reference": "Practitioner/1"}},
            "no JSON",
            GOAL,
        ]
    )
    assert [any(issue.wrong for issue in issues) for issues in answers] == [False, True, True, True, False]
    assert {issue.at for issue in answers[1] if issue.wrong} == {"Goal.lifecycleStatus"}
