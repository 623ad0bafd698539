"""`adapter records`: the way back of `adapter map`; what is refused on both streams, and exit 1 where anything is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, printed

AT = ("--at", "2026-10-01")
PATIENT = {"resourceType": "Patient", "id": "p", "name": [{"family": "Example"}]}
GOAL = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "Ask for a break"},
    "subject": {"reference": "Patient/p"},
}


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """Writes resources to files, a file each."""

    def write(**resources: Any) -> list[Path]:
        paths = []
        for name, resource in resources.items():
            paths.append(tmp_path / f"{name}.json")
            paths[-1].write_text(json.dumps(resource), encoding="utf-8")
        return paths

    return write


def test_what_was_mapped_comes_home_with_its_own_paths(run: Run, example: Path, tmp_path: Path) -> None:
    sent = tmp_path / "sent.json"
    assert run("map", example, "-p", "lakeside", *AT, "--out", sent).exit_code == 0
    home = printed(run("records", sent, "--home", example, "-p", "lakeside", *AT))
    case = json.loads(example.read_text(encoding="utf-8"))
    assert [goal["id"] for goal in home["records"]["goals"]] == ["g1"]
    assert home["records"]["child"]["birth_date"] == case["child"]["birth_date"]
    assert home["refused"] == []


def test_elsewhere_the_same_records_have_ids_of_their_own(run: Run, example: Path, tmp_path: Path) -> None:
    sent = tmp_path / "sent.json"
    run("map", example, "-p", "lakeside", *AT, "--out", sent)
    there = printed(run("records", sent))
    assert there["records"]["goals"][0]["title"] == "Ask for a break with my tablet at school"
    assert there["records"]["goals"][0]["id"] != "g1"


def test_files_are_one_set(run: Run, written: Any) -> None:
    result = printed(run("records", *written(goal=GOAL, patient=PATIENT)))
    assert set(result["records"]) == {"child", "goals"}


def test_a_refusal_is_named_by_file_element_and_rule_and_ends_with_one(run: Run, written: Any) -> None:
    paths = written(patient=PATIENT, goal={**GOAL, "lifecycleStatus": "entered-in-error"}, org={
        "resourceType": "Organization", "name": "Riverside"})  # fmt: skip
    result = run("records", *paths)
    assert result.exit_code == 1
    shown = json.loads(result.stdout)
    assert [(Path(each["file"]).name, each["expression"]) for each in shown["refused"]] == [
        ("goal.json", "Goal.lifecycleStatus"),
        ("org.json", "Organization.type"),
    ]
    assert shown["incomplete"] and "child" in shown["records"]
    assert "Goal.lifecycleStatus: " in result.stderr and "2 refusal(s)." in result.stderr
    assert "Riverside" not in result.stderr


def test_one_child_is_chosen_where_there_are_several(run: Run, written: Any) -> None:
    paths = written(one=PATIENT, two={**PATIENT, "id": "q"}, goal=GOAL)
    assert json.loads(run("records", *paths).stdout)["records"] == {}
    assert "goals" in json.loads(run("records", *paths, "--child", "Patient/p").stdout)["records"]


def test_r5_is_read_as_r5(run: Run, written: Any) -> None:
    (path,) = written(goal={**GOAL, "subject": {"display": "Ama"}, "source": {"display": "Ama"}})
    assert run("records", path).exit_code == 1
    assert printed(run("records", path, "--release", "R5"))["records"]["goals"]


def test_what_is_no_json_is_told_with_its_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text("{", encoding="utf-8")
    result = run("records", path)
    assert result.exit_code == 1 and "broken.json: This is not JSON" in result.stderr


def test_home_and_partner_belong_together(run: Run, example: Path) -> None:
    assert run("records", example, "--home", example).exit_code == 2
