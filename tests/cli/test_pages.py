"""The pages that teach are run: their files are written, their commands typed, and what they print is what is there."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import REPOSITORY, Run

_FENCE = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps(page: str) -> Iterator[tuple[str, str]]:
    """(`file`, content) and (`command`, what it prints), in the order of the page."""
    for _, file, content in _FENCE.findall(page):
        if file:
            yield file, content
    for kind, file, content in _FENCE.findall(page):
        if kind == "console" and not file:
            for command in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
                typed, _, printed = command.partition("\n")
                yield f"$ {typed}", printed


@pytest.mark.parametrize("name", ["mapping", "onramp"])
def test_a_page_does_what_it_says(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(REPOSITORY / "mappings", tmp_path / "mappings")
    assert run("init", "my-agency").exit_code == 0
    with Path("my-agency/adapter.toml").open("a", encoding="utf-8") as settings:
        settings.write('\n[[sources]]\nid = "intake-form"\nlabels_topics = false\n')
        settings.write('\n[[sources]]\nid = "clinic"\nlabels_topics = false\n')
    commands = 0
    for step, content in steps((REPOSITORY / "docs" / f"{name}.md").read_text(encoding="utf-8")):
        if step.startswith("$ adapter "):
            commands += 1
            said = run(*shlex.split(step.removeprefix("$ adapter "))).output
            begin, dots, end = content.partition("…\n")
            assert (said.startswith(begin) and said.endswith(end)) if dots else said == content, f"{step}\n{said}"
        else:
            path = Path(step)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    assert commands >= 3


def test_the_correction_of_the_mapping_page_is_right(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the missing letter, nothing is wrong; and the file is the repository's, but for its last lines."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(REPOSITORY / "mappings", tmp_path / "mappings")
    page = (REPOSITORY / "docs" / "mapping.md").read_text(encoding="utf-8")
    changed = dict(steps(page))["mappings/r4/risk.yaml"]
    before = Path("mappings/r4/risk.yaml").read_text(encoding="utf-8")
    assert changed.startswith(before)
    Path("mappings/r4/risk.yaml").write_text(changed.replace("what_help }}", "what_helps }}"), encoding="utf-8")
    result = run("check", "--files", ".")
    assert (result.exit_code, result.output) == (0, "Nothing is wrong.\n")
