"""Each alarm says what has happened and what to do next, by commands, settings and fields that there are."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from adapter.cli import main
from adapter.core.consent.explain import ALARMS
from adapter.core.consent.notices import LOOK, SHARE_ALARMS
from adapter.show.waiting import REFERRAL_ALARMS
from tests.cli.conftest import Run, printed

SENTENCES = {**ALARMS, **SHARE_ALARMS, **REFERRAL_ALARMS, "another of a share": LOOK}
DOES = re.compile(r"`adapter [a-z]|adapter\.toml|: ask |its page says|\. (Ask|Look at) ")
"""A command, a setting, or a plain word of what a person does."""


def command(words: list[str]) -> click.Command:
    found: click.Command = main
    for word in words:
        assert isinstance(found, click.Group), words
        found = found.commands.get(word) or pytest.fail(f"there is no command `adapter {' '.join(words)}`")
    return found


@pytest.mark.parametrize("code", SENTENCES)
def test_an_alarm_says_what_to_do_next(code: str) -> None:
    assert DOES.search(SENTENCES[code])


@pytest.mark.parametrize("code", SENTENCES)
def test_the_commands_and_options_that_an_alarm_names_are_there(code: str) -> None:
    for named in re.findall(r"`adapter ([^`]+)`", SENTENCES[code]):
        found = command(named.split(" --")[0].split())
        options = {name for each in found.params for name in each.opts}
        assert set(re.findall(r"--[a-z-]+", SENTENCES[code])) <= options, code


def test_the_first_case_of_a_new_instance_raises_no_alarm_and_another_says_where_to_put_what(
    run: Run, instance: Path, example: Path, tmp_path: Path
) -> None:
    """What `adapter init` and `adapter new case` write goes together."""
    said = ("--instance", instance, "preview", "--partner", "lakeside", "--as", "explain")
    assert printed(run(*said, example))["alarms"] == []
    other = tmp_path / "case.json"
    other.write_text(example.read_text(encoding="utf-8").replace("INVENTED-ORG-0001", "INVENTED-ORG-0002"))
    (alarm,) = printed(run(*said, other))["alarms"]
    assert alarm["alarm"] == "agency-not-found"
    assert all(word in alarm["sentence"] for word in ("[[agency.identifiers]]", "adapter.toml", "`organizations`"))
