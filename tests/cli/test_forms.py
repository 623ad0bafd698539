"""The commands of consent forms: a form to sign, a consent from its ticks, and limits put into effect."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import REPOSITORY, Run, printed

CASE = REPOSITORY / "fixtures" / "ontario-csp" / "case.json"
TICKS: dict[str, Any] = {
    "version": "2026-1",
    "to": ["lakeside"],
    "boxes": {"my-plan": True, "mental-health": "CG"},
    "period": {"choice": "year"},
    "signed": [{"by": "people/mother", "at": "2026-09-01", "method": "signature"}],
}


@pytest.fixture
def given(tmp_path: Path) -> Path:
    path = tmp_path / "ticks.json"
    path.write_text(json.dumps(TICKS), encoding="utf-8")
    return path


def test_a_form_is_html_or_pdf_by_the_name_of_its_file(run: Run, tmp_path: Path, given: Path) -> None:
    for name, begins in (("form.pdf", b"%PDF-"), ("form.html", b"<!DOCTYPE html>")):
        result = run("consent", "form", "default", "--case", CASE, "--out", tmp_path / name, "--ticks", given)
        assert result.exit_code == 0, result.stderr
        assert (tmp_path / name).read_bytes().startswith(begins)
    page = run("consent", "form", "reports", "--case", CASE, "--language", "fr", "--partner", "lakeside").stdout
    assert 'lang="fr"' in page
    assert "Aurélie Grace Nakogee-Gagnon" in page
    assert "Riverside" not in page


def test_ticks_become_a_consent_that_the_case_takes(run: Run, tmp_path: Path, given: Path) -> None:
    """The record that is printed can stand in a case file, and does there what was ticked."""
    consent = printed(run("consent", "take", "default", given, "--case", CASE))
    assert (consent["granted_by"], consent["period"]["end"]) == ("people/mother", "2027-08-31")
    case = json.loads(CASE.read_text("utf-8"))
    case["consents"] = [consent, *({**each, "status": "draft"} for each in case["consents"])]
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case), encoding="utf-8")
    assert printed(run("validate", path))["valid"]
    shown = printed(run("preview", path, "--partner", "lakeside", "--at", "2026-11-21"))
    assert shown["goals"]
    assert "documents" not in shown
    assert printed(run("preview", path, "--partner", "riverside", "--at", "2026-11-21")) == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"boxes": {"pets": True}}, "/boxes/pets: this form has no such box", id="a box that is not there"),
        pytest.param({"signed": []}, "/signed: nobody has signed", id="nobody signed"),
        pytest.param({"form": "reports"}, "/form: must be the form that was named", id="another form"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(run: Run, given: Path, change: dict[str, Any], said: str) -> None:
    given.write_text(json.dumps(TICKS | change), encoding="utf-8")
    result = run("consent", "take", "default", given, "--case", CASE)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("form", "default"), id="no case"),
        pytest.param(("form", "default", "--case-number", "C-1"), id="a number without an instance"),
        pytest.param(("form", "default", "--case", CASE, "--case-number", "C-1"), id="two cases"),
    ],
)
def test_a_case_is_needed(run: Run, arguments: tuple[object, ...]) -> None:
    assert run("consent", *arguments).exit_code == 2


def test_there_must_be_such_a_form_and_such_a_partner(run: Run) -> None:
    assert run("consent", "form", "nothing", "--case", CASE).exit_code == 1
    assert run("consent", "form", "default", "--case", CASE, "--partner", "nobody").exit_code == 1


def test_in_an_instance_it_is_kept_and_limits_are_put_into_effect(
    run: Run, instance: Path, given: Path, tmp_path: Path
) -> None:
    """`take --save` keeps it beside the case; handwritten limits hold it until `limits`."""
    from adapter import keep
    from adapter.wiring import wire

    copy = tmp_path / "instance"
    shutil.copytree(instance, copy)
    case = json.loads(CASE.read_text("utf-8"))
    wired = wire(copy)
    keep.put_case(wired, case["case"], json.dumps(case).encode())
    wired.store.close()
    given.write_text(json.dumps(TICKS | {"limits": "Not the drums"}), encoding="utf-8")
    command = ("--instance", copy, "consent", "take", "default", given, "--case-number", case["case"], "--save")
    first = run(*command)
    assert printed(first)["status"] == "active"
    assert "permits nothing" in first.stderr
    assert "It was there already." in run(*command).stderr
    limits = tmp_path / "limits.json"
    limits.write_text(json.dumps([{"id": "no-drums", "effect": "deny", "parts": ["culture"]}]), encoding="utf-8")
    put = ("--instance", copy, "consent", "limits", case["case"], "default-2026-09-01-mother", limits)
    assert printed(run(*put, "--by", "A. Coordinator"))["held"] == []
    assert run(*put, "--by", "A. Coordinator").exit_code == 1
    assert run("--instance", copy, "consent", "form", "default", "--case-number", case["case"]).exit_code == 0
    assert run("--instance", copy, "consent", "take", "default", given, "--case", CASE, "--save").exit_code == 2
