"""The commands of the account: what a daily job runs, what an auditor runs, and what a person enters."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapter.cli.disclosures import _HOWS
from adapter.core.account.words import HOW
from adapter.wiring import wire
from tests.cli.conftest import Run, printed

ENTER = ("--to", "Harbour Aid", "--at", "2026-01-20", "--how", "fax", "--part", "identity")
WHY = ("--basis", "Duty to report", "--by", "R. Osei")


@pytest.fixture
def own(instance: Path, example: Path, tmp_path: Path) -> Iterator[Path]:
    """An instance of its own with one case, about which something was told."""
    from adapter import keep, steer

    folder = tmp_path / "agency"
    shutil.copytree(instance, folder)
    desk = wire(folder, environ={})
    case = json.loads(example.read_text(encoding="utf-8"))
    keep.put_case(desk, case["case"], example.read_bytes())
    steer.enter_look(desk, case["case"], "", role="coordinator", label="")
    desk.store.close()
    yield folder


@pytest.fixture
def number(example: Path) -> str:
    return str(json.loads(example.read_text(encoding="utf-8"))["case"])


def tamper(folder: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{folder / 'adapter.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER disclosures_no_delete")
        connection.exec_driver_sql("DELETE FROM disclosures")
        connection.exec_driver_sql("DELETE FROM chains")
    engine.dispose()


def ask(run: Run, folder: Path, *words: object) -> Any:
    return run("--instance", folder, "disclosures", *words)


def test_a_whole_account_is_verified(run: Run, own: Path, number: str) -> None:
    (row,) = printed(ask(run, own, "verify"))
    assert (row["case"], row["lines"], row["wrong"]) == (number, 1, [])
    assert printed(ask(run, own, "verify", "--case", number)) == [row]


def test_the_daily_job_finds_an_account_that_was_made_to_look_whole(run: Run, own: Path, tmp_path: Path) -> None:
    """sign --append adds a line each day; verify --against ends with 1 once what was signed is gone."""
    heads = tmp_path / "heads.jsonl"
    for _ in range(2):
        assert ask(run, own, "sign", "--append", heads).exit_code == 0
    assert len(heads.read_bytes().splitlines()) == 2
    assert ask(run, own, "verify", "--against", heads).exit_code == 0
    tamper(own)
    assert ask(run, own, "verify").exit_code == 0
    found = ask(run, own, "verify", "--against", heads)
    assert found.exit_code == 1
    assert "the account was cut off" in found.stderr


def test_an_auditor_verifies_an_export_without_an_instance(run: Run, own: Path, tmp_path: Path) -> None:
    key, file = tmp_path / "agency.pem", tmp_path / "account.jsonl"
    key.write_bytes(ask(run, own, "key").stdout_bytes)
    assert ask(run, own, "export", "--out", file).exit_code == 0
    assert printed(run("disclosures", "verify-export", file, "--key", key)) == {"intact": True, "wrong": []}
    file.write_bytes(b"\n".join(file.read_bytes().splitlines()[:-1]))
    cut = run("disclosures", "verify-export", file, "--key", key)
    assert cut.exit_code == 1
    assert "was signed" in cut.stderr
    key.write_bytes(b"no key")
    assert "public key" in run("disclosures", "verify-export", file, "--key", key).stderr


def test_the_account_goes_out_as_lines_and_as_fhir(run: Run, own: Path, number: str) -> None:
    lines = ask(run, own, "export", "--case", number).stdout_bytes.splitlines()
    assert [json.loads(line).get("format") for line in lines] == ["csp-account/1", None]
    (event,) = ask(run, own, "export", "--as", "fhir").stdout_bytes.splitlines()
    assert json.loads(event)["resourceType"] == "AuditEvent"


def test_what_was_told_is_entered_and_stands_in_the_statement(run: Run, own: Path, number: str) -> None:
    assert printed(ask(run, own, "enter", "--case", number, *ENTER, *WHY)) == {"case": number, "seq": 2}
    assert "A été informé par télécopieur" in ask(run, own, "statement", "--case", number, "--language", "fr").stdout
    table = own / "statement.csv"
    assert ask(run, own, "statement", "--case", number, "--as", "csv", "--out", table).exit_code == 0
    assert b"Harbour Aid" in table.read_bytes()
    assert ask(run, own, "statement", "--case", number, "--as", "pdf").stdout_bytes.startswith(b"%PDF-")


def test_what_cannot_be_entered_is_told_in_sentences(run: Run, own: Path, number: str) -> None:
    refused = ask(run, own, "enter", "--case", number, *ENTER, *WHY, "--part", "weather")
    assert refused.exit_code == 1
    assert "/parts" in refused.stderr
    assert ask(run, own, "enter", "--case", "C-NONE", *ENTER, *WHY).exit_code == 1


def test_the_ways_of_telling_are_the_same_everywhere() -> None:
    """The command lists them without loading what knows them."""
    assert tuple(HOW) == _HOWS
