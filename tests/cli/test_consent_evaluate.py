"""`adapter consent evaluate`: the decision first, JSON for programs, words for people, and an exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.cli.conftest import Run
from tests.core.consent.fhir.shapes import (
    AGREED,
    CLINIC,
    REGISTRY,
    SCHOOL,
    actor,
    bare,
    deny,
    level,
    permit,
    purpose,
    r4,
)

AT = ("--at", "2026-06-01")
ASK = ("--actor", SCHOOL, "--purpose", "TREAT", *AT)


@pytest.fixture
def ask(run: Run, tmp_path: Path) -> Any:
    """`ask(consent, "--actor", …)`: each value in a file of its own."""

    def command(values: Any, *arguments: str) -> Result:
        files = []
        for index, value in enumerate(values if isinstance(values, tuple) else (values,)):
            files.append(tmp_path / f"{index}.json")
            files[-1].write_text(json.dumps(value), encoding="utf-8")
        return run("consent", "evaluate", *files, *arguments)

    return command


@pytest.mark.parametrize(
    ("consent", "decision", "code"),
    [
        pytest.param(r4(permit(actor(SCHOOL))), "permit", 0, id="permit ends with 0"),
        pytest.param(r4(permit(actor(CLINIC))), "deny", 0, id="so does deny"),
        pytest.param(r4(bare(actor(SCHOOL)), rule="OPTIN"), "not computable", 1, id="not computable ends with 1"),
    ],
)
def test_the_decision_and_the_exit_code(consent: Any, decision: str, code: int, ask: Any) -> None:
    result = ask(consent, *ASK)
    assert result.exit_code == code
    told = json.loads(result.stdout)
    assert list(told) == ["decision", "consent", "provision", "reading", "reason", "notes"]
    assert told["decision"] == decision
    assert result.stderr.startswith(f"{decision}: {told['reason']}")


def test_it_says_which_provision_of_which_consent_decided_and_how_it_was_read(ask: Any) -> None:
    told = json.loads(ask(r4(permit(below=[deny(level("R"))])), *ASK, "--label", "V").stdout)
    assert told["consent"] == "Consent/c1"
    assert told["provision"] == "Consent.provision.provision[0]"
    assert told["reading"].startswith("R4 PCF: ")


def test_silence_has_no_consent_and_no_provision(ask: Any) -> None:
    told = json.loads(ask(r4(permit(actor(CLINIC))), *ASK).stdout)
    assert (told["consent"], told["provision"], told["reason"]) == (None, None, "No consent permits it.")


def test_files_bundles_and_lists_count_together(ask: Any) -> None:
    """A denial in a Bundle wins over a permit in a file; an Organization beside it tells who is denied."""
    school = {"resourceType": "Organization", "id": "school", "identifier": [{"system": REGISTRY, "value": "1"}]}
    entries = [{"resource": r4(deny(actor(SCHOOL)), id="c2")}, {"resource": school}]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    for actor_, decision in ((f"{REGISTRY}|1", "deny"), (f"{REGISTRY}|2", "permit")):
        result = ask((r4(permit()), [bundle]), "--actor", actor_, "--purpose", "TREAT", *AT)
        assert json.loads(result.stdout)["decision"] == decision


def test_every_question_reaches_the_decision(ask: Any) -> None:
    """Each option, when it is left out, is what the permit lacks."""
    consent = r4(
        permit(
            purpose("TREAT"),
            level("N"),
            {"class": [{"code": "Goal"}], "code": [{"coding": [{"code": "a"}]}], "dataPeriod": AGREED["period"]},
            {"data": [{"meaning": "authoredby", "reference": {"reference": "Practitioner/nurse"}}]},
            {"action": [{"coding": [{"code": "disclose"}]}]},
        )
    )
    options = {
        "--purpose": "TREAT", "--label": "N", "--class": "Goal", "--code": "a", "--dated": "2026-03",
        "--author": "Practitioner/nurse", "--action": "disclose",
    }  # fmt: skip
    for left_out in (None, *options):
        given = [word for name, value in options.items() if name != left_out for word in (name, value)]
        told = json.loads(ask(consent, "--actor", SCHOOL, *AT, *given).stdout)
        assert told["decision"] == ("permit" if left_out is None else "deny"), left_out


@pytest.mark.parametrize(
    ("meaning", "option"), [("instance", "--data"), ("dependents", "--refers-to"), ("related", "--referred-by")]
)
def test_the_resource_that_is_asked_for(meaning: str, option: str, ask: Any) -> None:
    consent = r4(permit({"data": [{"meaning": meaning, "reference": {"reference": "Encounter/1"}}]}))
    for reference, decision in (("Encounter/1", "permit"), ("Encounter/2", "deny")):
        assert json.loads(ask(consent, *ASK, option, reference).stdout)["decision"] == decision


def test_about_whom(ask: Any) -> None:
    both = (r4(permit()), r4(deny(), patient={"reference": "Patient/kofi"}))
    assert json.loads(ask(both, *ASK).stdout)["decision"] == "not computable"
    assert json.loads(ask(both, *ASK, "--patient", "Patient/ama").stdout)["decision"] == "permit"


def test_standard_input(run: Run) -> None:
    result = run("consent", "evaluate", "-", *ASK, given=json.dumps(r4(permit())).encode())
    assert json.loads(result.stdout)["decision"] == "permit"


def test_a_day_ends_in_the_instances_time_zone(run: Run, instance: Path, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(json.dumps(r4(permit(AGREED))), encoding="utf-8")
    asked = ("consent", "evaluate", tmp_path / "c.json", "--actor", SCHOOL, "--at", "2027-01-01T03:00Z")
    assert json.loads(run("--instance", instance, *asked).stdout)["decision"] == "permit"
    assert json.loads(run(*asked).stdout)["decision"] == "deny"


@pytest.mark.parametrize(
    ("values", "arguments", "words"),
    [
        pytest.param(r4(permit()), AT, "--actor", id="nobody asks"),
        pytest.param(
            r4(permit()), ("--actor", "school", *AT), "must be a reference", id="neither reference nor identifier"
        ),
        pytest.param(r4(permit()), ("--actor", SCHOOL, "--at", "soon"), "--at", id="no time"),
        pytest.param(r4(permit()), (*ASK, "--dated", "soon"), "--dated", id="no date"),
        pytest.param({"resourceType": "Bundle"}, ASK, "there is no Consent", id="no Consent"),
    ],
)
def test_a_wrong_command_ends_with_2(values: Any, arguments: tuple[str, ...], words: str, ask: Any) -> None:
    result = ask(values, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""


def test_a_file_that_is_not_json_is_told_in_a_sentence(run: Run) -> None:
    result = run("consent", "evaluate", "-", *ASK, given=b"{")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "not JSON" in result.stderr


def test_what_is_no_consent_is_not_computable_and_named(ask: Any) -> None:
    told = json.loads(ask({"provision": 7}, *ASK).stdout)
    assert told["decision"] == "not computable"
    assert "Consent.resourceType" in told["reason"]


def test_the_help_says_what_the_exit_codes_mean(run: Run) -> None:
    told = " ".join(run("consent", "evaluate", "--help").stdout.split())
    assert "0 for permit and deny, 1 for not computable, 2 when the command itself was wrong" in told
