"""`adapter fhir-check`: what is wrong and where, for people, for programs and as FHIR says it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

GOAL: dict[str, Any] = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "Sleep"},
    "subject": {"reference": "Patient/1"},
}
WRONG = GOAL | {"lifecycleStatus": "the-hidden-word", "target": [{"dueDate": "2026-02-30"}]}


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_sound_resource_ends_with_0(run: Run, file: Any) -> None:
    found = run("fhir-check", file("goal.json", json.dumps(GOAL)))
    assert (found.exit_code, json.loads(found.stdout)) == (0, [])
    assert "1 resource checked, 0 problems found." in found.stderr


def test_every_problem_is_told_with_its_place_and_no_value(run: Run, file: Any) -> None:
    """JSON where a program reads; 1 as the exit code."""
    found = run("fhir-check", file("goals.ndjson", f"{json.dumps(GOAL)}\n\n{json.dumps(WRONG)}\n"))
    rows = json.loads(found.stdout)
    assert found.exit_code == 1
    assert [(row["at"], row["pointer"]) for row in rows] == [
        ("Goal.lifecycleStatus", "/lifecycleStatus"),
        ("Goal.target[0].dueDate", "/target/0/dueDate"),
    ]
    assert {row["file"].rpartition("/")[2] for row in rows} == {"goals.ndjson:3"}
    assert "the-hidden-word" not in found.output


def test_a_table_has_a_line_for_each_problem(run: Run, file: Any) -> None:
    found = run("fhir-check", file("goal.json", json.dumps([GOAL, WRONG])), "--as", "table")
    assert len(found.stdout.splitlines()) == 2
    assert "goal.json:2: error: Goal.lifecycleStatus: " in found.stdout


def test_outcomes_are_fhirs_one_a_resource(run: Run, file: Any) -> None:
    """With the advice of best practice where it is asked for."""
    found = run("fhir-check", file("goal.json", json.dumps([GOAL, WRONG])), "--as", "fhir", "--warnings")
    sound, wrong = (json.loads(line) for line in found.stdout.splitlines())
    assert [(i["severity"], i["code"]) for i in sound["issue"]] == [("warning", "invariant")]
    assert wrong["issue"][0]["expression"] == ["Goal.lifecycleStatus"]
    assert found.exit_code == 1


def test_the_release_and_a_profile_are_chosen(run: Run, file: Any) -> None:
    goal = file("goal.json", json.dumps(GOAL | {"outcome": [{"reference": {"reference": "Observation/1"}}]}))
    assert run("fhir-check", goal).exit_code == 1
    assert run("fhir-check", goal, "--release", "R5").exit_code == 0
    unknown = run("fhir-check", goal, "--profile", "https://a.example/p")
    assert (unknown.exit_code, "is not known here" in unknown.stderr) == (2, True)
    another = run("fhir-check", goal, "--release", "R5", "--profile", "http://hl7.org/fhir/StructureDefinition/Task")
    assert another.exit_code == 1


@pytest.mark.parametrize("text", ["7", '["x"]', '{"resourceType": 7}', "{}"])
def test_what_is_no_resource_is_told_so(run: Run, file: Any, text: str) -> None:
    assert run("fhir-check", file("x.json", text)).exit_code == 1


def test_what_is_no_json_is_told_so(run: Run, file: Any) -> None:
    found = run("fhir-check", file("x.json", "{"))
    assert (found.exit_code, "not JSON" in found.stderr) == (1, True)
