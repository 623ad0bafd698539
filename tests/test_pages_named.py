"""Whatever people read names no page that they cannot open; what comments of the code name is told in one place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOLD = ROOT / "adapter" / "core" / "README.md"
"""Where the specification's pages are named, and where in the project what they say stands."""
_PAGE = re.compile(r"(?<![\w/.*-])(?:[\w.-]+/)*[\w-]+\.md\b")
_WRITTEN = (".yaml", ".yml", ".json", ".md", ".html", ".j2", ".txt", ".toml", ".css", ".js")
_SHOWN = ("cli", "web", "demo")
"""Rooms whose docstrings are shown too: the help of a command, the summary of a route."""


def written() -> list[Path]:
    """The files that people read as they are: guides, mappings, templates, examples."""
    roots = [ROOT / each for each in ("mappings", "docs", "fixtures", "adapter")]
    found = [path for root in roots for path in sorted(root.rglob("*")) if path.suffix in _WRITTEN and path != TOLD]
    return [*found, *(ROOT / each for each in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md"))]


def said(path: Path) -> Iterator[str]:
    """What a module says when it runs: its texts, without the docstrings that nobody is shown."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    shown = path.relative_to(ROOT).parts[1] in _SHOWN
    silent = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and not (shown and node.value in _of_functions(tree))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value


def _of_functions(tree: ast.Module) -> list[ast.expr]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [each.body[0].value for each in functions if isinstance(each.body[0], ast.Expr)]


def missing(text: str, beside: Path) -> list[str]:
    """The pages that a text names and that are neither in the project at that path nor beside the text."""
    return sorted(
        {page for page in _PAGE.findall(text) if not (ROOT / page).is_file() and not (beside / page).is_file()}
    )


@pytest.mark.parametrize("room", ["adapter", "docs", "fixtures", "mappings", "the front"])
def test_what_people_read_names_no_page_that_is_not_in_the_project(room: str) -> None:
    files = [
        path
        for path in written()
        if path.relative_to(ROOT).parts[0] == room or (room, path.parent) == ("the front", ROOT)
    ]
    assert files
    found = {str(path.relative_to(ROOT)): missing(path.read_text(encoding="utf-8"), path.parent) for path in files}
    assert {name: pages for name, pages in found.items() if pages} == {}


def test_what_the_adapter_says_names_no_page_that_is_not_in_the_project() -> None:
    modules = sorted((ROOT / "adapter").rglob("*.py"))
    found = {str(path.relative_to(ROOT)): missing("\n".join(said(path)), ROOT) for path in modules}
    assert {name: pages for name, pages in found.items() if pages} == {}


def test_each_page_that_a_comment_names_and_that_is_not_here_is_told_in_one_place() -> None:
    code = [path for room in ("adapter", "tests", "bench") for path in sorted((ROOT / room).rglob("*.py"))]
    named = {page for path in code for page in missing(path.read_text(encoding="utf-8"), path.parent)}
    named = {page for page in named if not (ROOT / "docs" / page).is_file()}
    told = {
        page
        for line in TOLD.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
        for page in _PAGE.findall(line.split(" | ")[0])
    }
    assert named == told, "adapter/core/README.md, Pages that comments name"


def test_the_section_that_a_rule_names_stands_on_that_page() -> None:
    rules = (ROOT / "mappings" / "every-program.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r'source: "(docs/[a-z-]+\.md), ([^:"]+)', rules))
    assert named
    for page, section in named:
        assert f"\n## {section}\n" in (ROOT / page).read_text(encoding="utf-8"), (page, section)
