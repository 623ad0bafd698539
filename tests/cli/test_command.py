"""The command as a whole: its helps, its exit codes, its errors in one sentence, and that it starts quickly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from adapter.cli import main
from tests.cli.conftest import Run


def commands(group: click.Group = main, name: str = "") -> Iterator[tuple[str, click.Command]]:
    for word, command in group.commands.items():
        full = f"{name} {word}".strip()
        if isinstance(command, click.Group):
            yield from commands(command, full)
        else:
            yield full, command


ALL = dict(commands())


def test_the_commands_are_those_that_the_guide_names() -> None:
    assert set(ALL) == {
        "init", "serve", "work", "map", "template", "fhirpath", "preview", "validate", "check", "schema",
        "new case", "new workbook", "import", "demo",
        "token new", "token list", "token revoke", "partner list", "partner pause", "partner resume",
        "partner add", "partner check", "match list", "match accept", "match create",
        "referral list", "referral show", "referral cancel", "referral link", "referral answer",
        "inbox list", "inbox show", "inbox match", "inbox open", "inbox adopt", "inbox dismiss",
        "inbox rebuild",
        "share list", "share retry", "share purged", "share resync", "db upgrade", "key new", "key list", "key retire",
        "alert-trial", "notice list", "notice trial", "notice replay",
        "disclosures verify", "disclosures export", "disclosures sign", "disclosures key", "disclosures verify-export",
        "disclosures enter", "disclosures statement", "consent form", "consent take", "consent limits",
        "consent cancel", "consent evaluate", "review list", "review release", "due", "waitlist", "alarms",
        "profiles list", "profiles export", "records", "fhir-check",
    }  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_every_command_and_option_says_what_it_is_for(run: Run, name: str) -> None:
    assert run(*name.split(), "--help").exit_code == 0
    command = ALL[name]
    assert command.help
    assert command.help.splitlines()[0].endswith(".")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts}"


@pytest.mark.parametrize("name", [name for name in ALL if name not in ("token list", "token revoke")])
def test_a_newcomer_finds_an_example(name: str) -> None:
    assert "adapter " in (ALL[name].help or "").partition("Example")[2]


def test_asking_for_help_loads_nothing_heavy() -> None:
    """`adapter --help` is quick because these are not loaded for it."""
    heavy = (
        "sqlalchemy",
        "flask",
        "fhir",
        "rich",
        "yaml",
        "orjson",
        "jsonschema_rs",
        "fhirpathpy",
        "requests",
        "alembic",
    )
    code = f"import sys; from adapter.cli import main; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_module_is_the_command_too() -> None:
    ran = subprocess.run([sys.executable, "-m", "adapter", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("adapter, version ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("nothing",), "No such command", id="no such command"),
        pytest.param(("serve",), "adapter init DIR", id="serving without an instance"),
        pytest.param(("work",), "adapter init DIR", id="working without an instance"),
        pytest.param(("token", "list"), "adapter init DIR", id="tokens without an instance"),
        pytest.param(("share", "list"), "adapter init DIR", id="shares without an instance"),
        pytest.param(("db", "upgrade"), "adapter init DIR", id="a database without an instance"),
        pytest.param(("map", "nowhere.json", "-p", "lakeside"), "No such file", id="a case file that is not there"),
        pytest.param(("validate",), "Missing argument", id="no case file"),
        pytest.param(("schema", "gaols"), "goals", id="no such collection: the right ones are named"),
        pytest.param(("serve", "--port", "70000"), "65535", id="a port that is none"),
    ],
)
def test_a_command_that_was_wrong_ends_with_2(run: Run, arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [("serve",), ("work", "--once"), ("partner", "list"), ("share", "list"), ("token", "list"), ("db", "upgrade")],
)
def test_an_instance_that_is_none_is_one_sentence_and_its_finding(
    run: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    result = run("--instance", tmp_path, *arguments)
    assert result.exit_code == 1
    assert "adapter.toml" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_the_instance_may_come_from_the_environment(run: Run, instance: Path) -> None:
    assert run("token", "list", env={"ADAPTER_INSTANCE": str(instance)}).exit_code == 0


def test_a_disk_that_is_full_is_one_sentence() -> None:
    """Standard output too is a file that can be refused: no trace of our code is shown for it."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "adapter", "schema"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.startswith("adapter: ") and "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_fault_of_our_own_is_told_by_its_place_and_never_by_its_words(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message may quote a record: a KeyError says the key. The command ends with 1."""

    def broken(*_: object, **__: object) -> None:
        raise KeyError("Ama Example")

    monkeypatch.setattr("adapter.keep.problems", broken)
    done = run("validate", Path(__file__).parents[2] / "fixtures" / "minimal" / "case.json")
    assert done.exit_code == 1
    assert "Ama" not in done.output + done.stderr
    assert "a fault of the adapter itself (KeyError)" in done.stderr
    assert "cli/look.py" in done.stderr
