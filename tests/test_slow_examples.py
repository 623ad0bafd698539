"""A property is judged by what holds, never by how busy the machine was when one of its examples ran."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from hypothesis import settings

TESTS = Path(__file__).parent


def test_no_property_has_a_deadline_and_no_module_gives_itself_one() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None
    assert settings(max_examples=7).deadline is None, "what a decorator says is said on top of the suite's profile"
    assert settings(deadline=5).deadline == timedelta(milliseconds=5), "else this would hold of anything"
    given = [
        f"{path.relative_to(TESTS)}:{number}"
        for path in sorted(TESTS.rglob("test_*.py"))
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if "@settings(" in line and "deadline=" in line and "deadline=None" not in line
    ]
    assert given == []
