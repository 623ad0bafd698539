"""YAML as mapping files use it: values, places, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter.core.mapping.positions import read_yaml
from adapter.errors import Misconfigured

READ: list[tuple[str, str, Any]] = [
    ("a date stays text", "a: 2026-01-01", {"a": "2026-01-01"}),
    ("yes and on stay text", "on: yes", {"on": "yes"}),
    ("a decimal keeps its digits", "a: 1.10", {"a": Decimal("1.10")}),
    ("a number with leading zeros stays text", "a: 007", {"a": "007"}),
    ("a time stays text", "a: 12:30", {"a": "12:30"}),
    ("true, null and numbers", "[true, null, -3]", [True, None, -3]),
    ("an alias used once more", "a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
]


@pytest.mark.parametrize(("text", "value"), [r[1:] for r in READ], ids=[r[0] for r in READ])
def test_a_document_is_read(text: str, value: Any) -> None:
    """The part of YAML that JSON has, without the surprises of the rest."""
    assert read_yaml(text, "f.yaml")[0].value == value


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(8)
)
REFUSED = [
    ("a key twice", "a: 1\nb:\n  c: 1\n  c: 2", 4, "column 3: the key `c` is there twice"),
    ("a key that is no text", "a:\n  1: x", 2, "column 3: a key must be text"),
    ("a key that is a list", "? [a]\n: 1", 1, "a key must be text"),
    ("a tag", "a: !!python/object x", 1, "tags are not read here"),
    ("a merge key", "a: &a {b: 1}\nc:\n  <<: *a", 3, "merge keys and tags are not read here"),
    ("an alias to itself", "a: &x [*x]", 1, "too large or too deep"),
    ("aliases that multiply", BOMB, 1, "too large or too deep"),
    ("brackets that do not close", "a:\n  [b", 2, "column"),
    ("a tab", "a:\n\tb: 1", 2, "cannot start any token"),
]


@pytest.mark.parametrize(("text", "line", "reason"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_other_yaml_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    """Every finding names file and line; none takes long."""
    with pytest.raises(Misconfigured) as caught:
        read_yaml(text, "f.yaml")
    finding = caught.value.findings[0]
    assert finding.file == "f.yaml"
    assert finding.line >= line
    assert reason in finding.detail


def test_every_key_and_value_has_its_place() -> None:
    """Lines and columns from 1, also below a path and in the second document."""
    first, second = read_yaml("a:\n  - b: 'x'\n---\nc: 1\n", "f.yaml")
    place = first.positions.value(("a", 0, "b"))
    assert (place.line, place.column) == (2, 9)
    below = first.positions.below("a", 0).key(("b",))
    assert (below.line, below.column) == (2, 5)
    assert second.positions.value(("c",)).line == 4
