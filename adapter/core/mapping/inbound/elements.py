"""Which element of FHIR a field of a record is read from: the first path in its expression, to name it in a refusal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from adapter.core.mapping.pieces import Inserted, UnreadableError, array_of, block_of, pieces_of

_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'")
_EXTENSION = re.compile(r"\b(?:csp|extension)\s*\(\s*\)")
_CHAIN = re.compile(r"(%[a-z]\w*|\$this|`[a-z]\w*`|[a-z]\w*)((?:\.(?:`[a-z]\w*`|[a-z]\w*)(?![\w(]))*)(?!\w*\()")
_WORDS = frozenset(("and", "or", "xor", "implies", "in", "contains", "is", "as", "div", "mod", "true", "false"))


def first_path(expression: str, variables: dict[str, str] | None = None) -> str:
    """`iif(onset.exists(), onset.date())` → `onset`; nothing where an expression reads no element by name.

    An extension is named only where nothing else is: ours say the same as the element beside them, more exactly.
    """
    text = _EXTENSION.sub("extension", _QUOTED.sub("", expression)) if isinstance(expression, str) else ""
    paths = list(_paths(text, variables or {}))
    return next((each for each in paths if not each.startswith("extension")), "extension" if paths else "")


def _paths(text: str, variables: dict[str, str]) -> Iterator[str]:
    for found in _CHAIN.finditer(text):
        head, rest = found[1].strip("`"), found[2].replace("`", "")
        if head in _WORDS or text[found.end() : found.end() + 1] == "(":
            continue
        if head == "$this":
            yield rest.removeprefix(".")
        elif head == "%resource":
            if rest:
                yield f"%{rest}"
        elif not head.startswith("%"):
            yield f"{head}{rest}"
        elif (known := variables.get(head[1:])) is not None:
            yield f"%.{known}{rest}" if known else f"%{rest}"


def elements_of(record: Any) -> dict[tuple[str, ...], str]:
    """Field path of the record (without positions in lists) → path of the element below the resource."""
    found: dict[tuple[str, ...], str] = {}
    for field, element in _fields(record, (), "", {}):
        found.setdefault(field, element)
    return found


def _fields(
    node: Any, field: tuple[str, ...], base: str, known: dict[str, str]
) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(node, str):
        try:
            array = array_of(node)
            pieces = [array] if array else [p for p in pieces_of(node) if isinstance(p, Inserted)]
        except UnreadableError:
            return
        for piece in pieces[:1]:
            yield field, _joined(base, first_path(piece.expression, known))
    elif isinstance(node, list):
        for each in node:
            yield from _fields(each, field, base, known)
    elif isinstance(node, dict):
        yield from _of_object(node, field, base, dict(known))


def _of_object(
    node: dict[str, Any], field: tuple[str, ...], base: str, known: dict[str, str]
) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, child in node.items():
        try:
            block = block_of(key)
        except UnreadableError:
            continue
        if block.kind == "assign":
            for step in child if isinstance(child, list) else [child]:
                for name, value in step.items() if isinstance(step, dict) else ():
                    inner = dict(_fields(value, (), base, known))
                    known[name] = inner.get((), base)
        elif block.kind == "context":
            below = _joined(base, first_path(block.expression, known))
            yield field, below
            yield from _fields(child, field, below, known)
        elif block.kind == "for":
            below = _joined(base, first_path(block.expression, known))
            yield field, below
            yield from _fields(child, field, base, {**known, block.item: below})
        elif block.kind == "field":
            yield from _fields(child, (*field, key), base, known)
        else:
            yield from _fields(child, field, base, known)


def _joined(base: str, path: str) -> str:
    if path.startswith("%"):
        return path[1:].removeprefix(".")
    return f"{base}.{path}" if base and path else base or path
