"""What writes something to begin with: an instance that works and is private, and an example that is valid."""

from __future__ import annotations

import json
import stat
import tomllib
from pathlib import Path

import pytest

from adapter.settings import read
from adapter.store.seal import Keys
from tests.cli.conftest import Run


def test_init_makes_an_instance_that_works_as_it_is(run: Run, tmp_path: Path) -> None:
    result = run("init", tmp_path / "agency", "--name", "L'agence de l'Érable", "--time-zone", "America/Halifax")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "back it up" in result.stderr
    settings = read(tmp_path / "agency", {})
    assert (settings.agency_name, settings.time_zone.key) == ("L'agence de l'Érable", "America/Halifax")
    Keys.parse(settings.keys.read_text(encoding="utf-8"))
    assert run("--instance", tmp_path / "agency", "check").stdout == ""


def test_what_init_makes_is_for_its_owner_only(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "agency"
    run("init", folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_two_instances_have_different_keys(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run("init", tmp_path / name)
    assert (tmp_path / "one" / "keys").read_text() != (tmp_path / "two" / "keys").read_text()


def test_the_example_partner_is_paused(run: Run, tmp_path: Path) -> None:
    run("init", tmp_path / "agency")
    partner = tomllib.loads((tmp_path / "agency" / "partners" / "example.toml").read_text(encoding="utf-8"))
    assert partner["paused"] is True


def test_init_takes_a_name_as_its_language_writes_it(run: Run, tmp_path: Path) -> None:
    assert run("init", tmp_path / "agency", "--name", "می\u200cخواهم «\u00a0Été\u00a0»").exit_code == 0
    assert read(tmp_path / "agency", {}).agency_name == "می\u200cخواهم «\u00a0Été\u00a0»"


@pytest.mark.parametrize("there", ["file", "folder"])
def test_init_touches_nothing_that_is_there(run: Run, tmp_path: Path, there: str) -> None:
    """A second init would make new keys: what the first sealed could never be opened again."""
    place = tmp_path / "agency"
    if there == "file":
        place.write_text("mine")
    else:
        run("init", place)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    result = run("init", place)
    assert result.exit_code == 2
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("option", "value"),
    [
        pytest.param("--name", 'a"b', id="a quotation mark"),
        pytest.param("--name", "a\\b", id="a backslash"),
        pytest.param("--name", "a\nport = 1", id="a line of its own"),
        pytest.param("--name", " ", id="no name"),
        pytest.param("--name", "a\u202eb", id="a name that turns the line around"),
        pytest.param("--time-zone", "Toronto", id="a time zone that is none"),
        pytest.param("--identifier-system", "agency", id="a system that is no URI"),
    ],
)
def test_init_refuses_what_would_not_work_and_leaves_nothing(run: Run, tmp_path: Path, option: str, value: str) -> None:
    result = run("init", tmp_path / "agency", option, value)
    assert result.exit_code == 2
    assert not (tmp_path / "agency").exists()


def test_init_where_nothing_can_be_written_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("init", tmp_path / "file" / "agency")
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.stderr


def test_new_case_prints_the_case_alone_and_explains_it_beside(run: Run) -> None:
    result = run("new", "case")
    case = json.loads(result.stdout)
    assert {"case", "program", "child", "goals", "care_teams", "care_plans", "consents"} < set(case)
    assert "adapter preview" in result.stderr
