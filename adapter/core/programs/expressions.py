"""The expressions of a program's file as they are written there, for who shows or tries them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adapter.core.mapping.positions import Document, Path, Place
from adapter.core.programs.asks import KEYS

EXPRESSIONS = frozenset({"when", "holds", "by", "from", "last", "agreed", "next", "days", "codes"})
"""The keys whose text is FHIRPath."""


@dataclass(frozen=True, slots=True)
class Written:
    """One expression of a file: its text, where it stands, what its rule goes through, the name that `let` gives it."""

    text: str
    place: Place
    each: str
    name: str = ""


def written(document: Document) -> Iterator[Written]:
    """Every expression of a program's file that could be one, those of `let` first."""
    given = document.value if isinstance(document.value, dict) else {}
    named, rules = given.get("let"), given.get("rules")
    for name, text in named.items() if isinstance(named, dict) else ():
        if isinstance(text, str):
            yield Written(text, document.positions.value(("let", name)), "case", name)
    for id_, rule in rules.items() if isinstance(rules, dict) else ():
        for kind in KEYS:
            body = rule.get(kind) if isinstance(rule, dict) else None
            if isinstance(body, dict):
                each = "child" if kind == "age" else str(body.get("each", "case"))
                for path, text in _expressions(body, ("rules", id_, kind)):
                    yield Written(text, document.positions.value(path), each)


def _expressions(node: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(node, dict):
        for key, child in node.items():
            if key in EXPRESSIONS and isinstance(child, str):
                yield (*path, key), child
            else:
                yield from _expressions(child, (*path, key))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _expressions(child, (*path, index))
