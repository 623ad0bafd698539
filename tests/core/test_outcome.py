"""OperationOutcomes: ours say what broke and where; of a partner's only codes are kept."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.fhir.outcome import failed, of_status, outcome, read, unechoed
from adapter.errors import AdapterError, Malformed, NotFound, Problem, Refused, Unavailable
from tests.core.test_results import JSON


def of(*issues: Any) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


@pytest.mark.parametrize(
    ("error", "root", "expected"),
    [
        pytest.param(
            NotFound("Not there."), "", [("error", "not-found", "Not there.", None)], id="one without problems"
        ),
        pytest.param(Unavailable("Later."), "", [("fatal", "transient", "Later.", None)], id="one of ours is fatal"),
        pytest.param(
            Refused("It breaks rules.", [Problem("/target/0/due", "is no date"), Problem("", "has no status")]),
            "Goal",
            [("error", "invalid", "is no date", "Goal.target[0].due"), ("error", "invalid", "has no status", "Goal")],
            id="each problem with its place",
        ),
        pytest.param(
            Malformed("A key.", [Problem("/entry/1/resource/name", "twice")]),
            "",
            [("error", "structure", "twice", "entry[1].resource.name")],
            id="a place without a type",
        ),
        pytest.param(
            Malformed("A key.", [Problem("/Ama Example/x", "twice")]),
            "Goal",
            [("error", "structure", "twice", None)],
            id="a place that is a name is left out",
        ),
    ],
)
def test_ours(error: AdapterError, root: str, expected: list[tuple[Any, ...]]) -> None:
    """One issue for each problem, valid by FHIR's own model."""
    made = outcome(error, root=root)
    OperationOutcome.model_validate(made)
    said = [
        (issue["severity"], issue["code"], issue["details"]["text"], (issue.get("expression") or [None])[0])
        for issue in made["issue"]
    ]
    assert said == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            of({"severity": "error", "code": "invalid", "details": {"text": "Ama Example is no date"}}),
            ("error invalid",),
            id="words in details.text (Medplum)",
        ),
        pytest.param(
            of({"severity": "error", "code": "processing", "diagnostics": "HAPI-0507: Ama Example"}),
            ("error processing HAPI-0507",),
            id="a number in diagnostics (HAPI)",
        ),
        pytest.param(
            of(
                {
                    "severity": "error",
                    "code": "invalid",
                    "details": {
                        "coding": [{"code": "MSG_PARAM_INVALID"}, {"code": "MSG_AMA_EXAMPLE"}, {"code": ["MSG_"]}]
                    },
                }
            ),
            ("error invalid MSG_PARAM_INVALID",),
            id="a message of FHIR's own, and one that nobody knows",
        ),
        pytest.param(
            of(
                {
                    "severity": "fatal",
                    "code": "business-rule",
                    "details": {"coding": [{"code": "59159", "display": "Ama"}]},
                }
            ),
            ("fatal business-rule 59159",),
            id="a number in details.coding (Epic)",
        ),
        pytest.param(
            {"error": {"code": 429, "message": "Ama", "status": "RESOURCE_EXHAUSTED"}},
            ("error throttled",),
            id="no OperationOutcome (a gateway)",
        ),
        pytest.param(
            of(
                {
                    "severity": "error",
                    "code": "value",
                    "expression": ["Bundle.entry[3].resource.ofType(Goal).where(x='Ama')"],
                }
            ),
            ("error value at Bundle.entry[3].resource.ofType",),
            id="an expression up to its first argument",
        ),
        pytest.param(
            of(
                {"severity": "Ama", "code": "Example", "details": {"coding": [{"code": "Ama"}, {"code": "1234567890"}]}}
            ),
            ("error unknown",),
            id="codes that are none",
        ),
        pytest.param(
            of({"severity": ["error"], "code": {}, "expression": "Goal", "details": [1], "diagnostics": 5}, 7, None),
            ("error unknown",),
            id="wrong types",
        ),
        pytest.param(of(*[{"severity": "error", "code": "value"}] * 500), ("error value",) * 20, id="too many"),
        pytest.param(
            of({"severity": "error", "code": "value", "expression": ["Goal" + ".aaaaaaaaa" * 100]}),
            ("error value at " + ("Goal" + ".aaaaaaaaa" * 100)[:120],),
            id="too long",
        ),
        pytest.param({"resourceType": "Bundle"}, (), id="something else"),
        pytest.param("<html>", (), id="no object"),
    ],
)
def test_theirs(body: Any, expected: tuple[str, ...]) -> None:
    """Four shapes are read; what could echo a record is not kept."""
    assert read(body) == expected


@given(JSON)
def test_any_json_is_read(body: Any) -> None:
    """No answer of a partner raises, whatever it holds."""
    assert all(len(line) < 300 for line in read(body) + read(of(body)))
    assert failed(body) in (True, False)


@given(st.integers(-5, 1000), st.lists(st.text(max_size=20), max_size=3))
def test_every_status_has_an_outcome(status: int, said: list[str]) -> None:
    """Only 2xx is a success."""
    assert (of_status(status, said) == "delivered") is (200 <= status < 300)


SENT = {
    "resourceType": "Bundle",
    "entry": [
        {"resource": {"resourceType": "Patient", "name": [{"given": ["Ama"]}], "telecom": [{"value": "416555"}]}}
    ],
}


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (
            "error invalid at Bundle.entry[0].resource.name[0].given",
            "error invalid at Bundle.entry[0].resource.name[0].given",
        ),
        ("error invalid at Patient.amaExample", "error invalid at Patient"),
        ("error invalid at Patient.name.ama.given", "error invalid at Patient.name"),
        ("error invalid at Ama.name", "error invalid"),
        ("error invalid at Ama", "error invalid"),
        ("error processing 416555 59159", "error processing 59159"),
        ("error processing 6555", "error processing"),
        ("error processing HAPI-0507", "error processing HAPI-0507"),
    ],
    ids=lambda text: text,
)
def test_a_path_or_a_number_of_a_partner_cannot_repeat_what_was_sent(said: str, left: str) -> None:
    """A server may put a child's name where an element's name belongs: a step that was not sent ends the path."""
    assert unechoed([said], SENT) == (left,)
