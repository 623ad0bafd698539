"""Runs the command as a person would: arguments in, exit code, standard output and standard error out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main

REPOSITORY = Path(__file__).resolve().parents[2]
Run = Callable[..., Result]


@pytest.fixture(scope="session")
def run() -> Run:
    """`run("check", "--json")`; no environment variable of ours is set, and a traceback fails the test."""

    def command(*arguments: object, given: bytes | None = None, env: dict[str, str] | None = None) -> Result:
        clean = {"ADAPTER_INSTANCE": None} | (env or {})
        return CliRunner().invoke(
            main, [str(each) for each in arguments], input=given, env=clean, catch_exceptions=False
        )

    return command


@pytest.fixture(scope="session")
def instance(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance as `adapter init` makes it, and the fixtures' school board in it. Tests leave its files alone."""
    folder = tmp_path_factory.mktemp("instances") / "agency"
    assert run("init", folder).exit_code == 0
    lakeside = (REPOSITORY / "fixtures" / "partners" / "lakeside.toml").read_text(encoding="utf-8")
    (folder / "partners" / "lakeside.toml").write_text(lakeside, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def example(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The case file that `adapter new case` prints."""
    path = tmp_path_factory.mktemp("cases") / "case.json"
    path.write_text(run("new", "case").stdout, encoding="utf-8")
    return path


def printed(result: Result) -> Any:
    """The JSON on standard output, of a command that went well."""
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)
