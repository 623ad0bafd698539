"""`adapter template`, `adapter fhirpath` and `adapter map --source`: any template and expression, alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import REPOSITORY, Run, printed

RECORD = {"title": "A title", "notes": [{"text": "a"}, {"text": "b"}], "status": "active", "value": 1.5}
ANSWER = {"resourceType": "QuestionnaireResponse", "status": "completed",
          "item": [{"linkId": "1", "answer": [{"valueDate": "2023-05-03"}]}]}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "t.yaml").write_text(
        "resourceType: Goal\ndescription: {text: '{{ title }}'}\nnote: '{[ notes.text ]}'\nkept: '{{+ nope +}}'\n"
        "lifecycleStatus: \"{{ status.code('goal-status') }}\"\nwho: '{{ %who }}'\n",
        encoding="utf-8",
    )
    (tmp_path / "r.json").write_text(json.dumps(RECORD), encoding="utf-8")
    (tmp_path / "c.json").write_text('{"who": {"a": 1.10}}', encoding="utf-8")
    return tmp_path


def test_a_template_is_run_with_its_context_and_our_functions(run: Run, files: Path) -> None:
    result = run("template", files / "t.yaml", files / "r.json", "--context", files / "c.json")
    assert printed(result) == {
        "resourceType": "Goal", "description": {"text": "A title"}, "note": ["a", "b"], "kept": None,
        "lifecycleStatus": "active", "who": {"a": 1.1},
    }  # fmt: skip
    assert "1.10" in result.stdout, "a decimal keeps its digits"


def test_of_a_mapping_file_its_resource_is_made(run: Run, files: Path) -> None:
    """With the record as %record; what else it may know comes from the context."""
    (files / "risk.json").write_text('{"path": "risks/r1", "text": "Runs off", "likelihood": "high"}', encoding="utf-8")
    result = run("template", REPOSITORY / "mappings" / "r4" / "risk.yaml", files / "risk.json")
    made = printed(result)
    assert (made["resourceType"], made["prediction"][0]["outcome"]) == ("RiskAssessment", {"text": "Runs off"})
    assert "is a mapping file" in result.stderr


def test_the_template_or_the_input_may_be_on_standard_input(run: Run, files: Path) -> None:
    record = json.dumps(RECORD).encode()
    assert printed(run("template", files / "t.yaml", "-", "-c", files / "c.json", given=record))["note"] == ["a", "b"]
    assert printed(run("template", "-", files / "r.json", given=b"a: '{{ nope }}'\n")) is None
    assert printed(run("template", "-", files / "r.json", given=b'{"a": "{{ title }}"}')) == {"a": "A title"}


def test_strict_mode_names_each_expression_that_reads_the_input(run: Run, files: Path) -> None:
    result = run("template", files / "t.yaml", files / "r.json", "-c", files / "c.json", "--strict")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{files}/t.yaml:2: column 25: strict mode: `title` reads the input" in result.stderr
    assert [line.split(":")[1] for line in result.stderr.splitlines()[1:]] == ["2", "3", "4", "5"]
    one = run("template", "-", files / "r.json", "-c", files / "c.json", "--strict", given=b"a: '{{ %context.title }}'")
    assert printed(one) == {"a": "A title"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("a: 1\nb: '{{ c. }}'", ":2: column 10: the expression ends too early", id="an expression"),
        pytest.param("a: 1\nb: '{{ %nobody }}'", ":2: column 8: there is no variable %nobody", id="a variable"),
        pytest.param("a: 1\n\nb: '{{ title + 1 }}'", ":3: column 8: `+` does not work", id="what the input forbids"),
        pytest.param("a: [", ":1: column 5:", id="no YAML"),
        pytest.param("'{% fi x %}': 1", ":1: column 2: the blocks are", id="a block that is none"),
        pytest.param("a: 1\n---\nb: 1", ":1: one YAML document is expected", id="two documents"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_column(run: Run, files: Path, text: str, told: str) -> None:
    (files / "w.yaml").write_text(text, encoding="utf-8")
    result = run("template", files / "w.yaml", files / "r.json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{files}/w.yaml{told}" in result.stderr
    assert "A title" not in result.stderr


def test_a_model_gives_types_and_choices(run: Run, tmp_path: Path) -> None:
    expression, given = "QuestionnaireResponse.item.answer.value", json.dumps(ANSWER).encode()
    assert printed(run("fhirpath", expression, "-", given=given)) == []
    for release in ("r4", "r5"):
        assert printed(run("fhirpath", expression, "-", "--model", release, given=given)) == ["2023-05-03"]
    body = b"birthDate: \"{{ QuestionnaireResponse.repeat(item).where(linkId='1').answer.value }}\""
    (tmp_path / "response.json").write_bytes(given)
    for value in (b"value", b"valueDate"):
        named = body.replace(b"answer.value", b"answer." + value)
        result = run("template", "-", tmp_path / "response.json", "--model", "r4", given=named)
        assert printed(result) == {"birthDate": "2023-05-03"}
    refused = run("fhirpath", "QuestionnaireResponse.item.answer.valueDate", "-", "--model", "r4", given=given)
    assert refused.exit_code == 1 and "a choice is named without its type" in refused.stderr


@pytest.mark.parametrize(
    ("expression", "gives"),
    [
        ("notes.text", ["a", "b"]),
        ("value + 1", [2.5]),
        ("nope", []),
        ("%who.a", [1.1]),
        ("notes.count() = 2 and status in ('active' | 'draft')", [True]),
        ("notes.text.trace('seen').first()", ["a"]),
        ("'goal-status'.length()", [11]),
        ("(1 | 2 | 3).sum()", [6]),
        ("now() > @2020-01-01", [True]),
    ],
)
def test_an_expression_gives_a_list(run: Run, files: Path, expression: str, gives: list[object]) -> None:
    assert printed(run("fhirpath", expression, files / "r.json", "-c", files / "c.json")) == gives


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        pytest.param("notes.", "EXPRESSION:1: column 7: the expression ends too early", id="too short"),
        pytest.param("notes foo", "EXPRESSION:1: column 7: `foo` is not expected here", id="too long"),
        pytest.param("notes.nofunction()", "EXPRESSION:1: column 7: there is no function `nofunction`", id="unknown"),
        pytest.param("title + 1", "EXPRESSION: `+` does not work on values of these types", id="on this input"),
    ],
)
def test_a_wrong_expression_is_told_with_its_column(run: Run, files: Path, expression: str, told: str) -> None:
    result = run("fhirpath", expression, files / "r.json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": 1, "a": 2}', b"\xff", b"[" * 90 + b"]" * 90, b"NaN"], ids=repr)
def test_an_input_that_is_no_json_is_told_with_its_file(run: Run, tmp_path: Path, body: bytes) -> None:
    (tmp_path / "i.json").write_bytes(body)
    for arguments in (("fhirpath", "a", tmp_path / "i.json"), ("template", "-", tmp_path / "i.json")):
        result = run(*arguments, given=b"a: 1")
        assert result.exit_code == 1
        assert f"adapter: {tmp_path}/i.json: " in result.stderr
    context = run("fhirpath", "a", "-", "-c", tmp_path / "i.json", given=b"{}")
    assert f"{tmp_path}/i.json: " in context.stderr


def test_a_context_is_an_object(run: Run, files: Path) -> None:
    (files / "c.json").write_text("[1]", encoding="utf-8")
    assert run("fhirpath", "a", files / "r.json", "-c", files / "c.json").exit_code == 2


def test_the_python_is_printed(run: Run, files: Path) -> None:
    """Of a template, an expression, one mapping file, all of them."""
    assert "def render(this, env):" in run("template", files / "t.yaml", files / "r.json", "-c", files / "c.json",
                                           "--source").stdout  # fmt: skip
    assert run("fhirpath", "notes.text", files / "r.json", "--source").stdout.startswith("# notes.text\n")
    goal = run("map", "--source", "goal")
    assert goal.exit_code == 0
    assert "# mappings/r4/goal.yaml: Goal for each of goals" in goal.stdout
    compile(goal.stdout, "goal", "exec")
    everything = run("map", "--source").stdout
    assert "# mappings/r4/patient.yaml" in everything and goal.stdout in everything
    nobody = run("map", "--source", "gaol")
    assert nobody.exit_code == 2 and "goal-step" in nobody.stderr
