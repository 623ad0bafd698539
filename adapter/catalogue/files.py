"""Reads the catalogue's YAML and JSON files so that every finding can say on which line it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from adapter.errors import Finding

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, ten times as fast where it is built in
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What is wrong so far: `errors` keep the adapter from starting, `remarks` are only told by `adapter check`."""

    errors: list[Finding] = field(default_factory=list)
    remarks: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """One file that was read: what to call it, its values, and its text to find lines in. Empty where it is broken."""

    file: str
    values: Any
    text: str = field(repr=False, default="")

    def finding(self, detail: str, *place: str | int) -> Finding:
        """A finding at a place of keys and list positions, or at the nearest one around it."""
        return Finding(self.file, _line(self._node, place) if self._node else 0, detail)

    @cached_property
    def _node(self) -> Any:
        # Every JSON file of the catalogue is YAML too, and YAML's reader keeps the lines; only findings pay for it.
        return yaml.compose(self.text, Loader=_LOADER) if self.text else None


def read_yaml(path: Path, name: str, found: Found) -> Source:
    """A YAML file that holds a mapping; an empty one, with an error noted, where it does not."""
    if (text := read_text(path, name, found)) is None:
        return Source(name, {})
    try:
        root = yaml.compose(text, Loader=_LOADER)
        if no_dates := [node.start_mark.line + 1 for node in _scalars(root) if not _constructs(node)]:
            found.errors.extend(Finding(name, line, "is no date that exists") for line in no_dates)
            return Source(name, {})
        values = yaml.load(text, Loader=_LOADER)  # noqa: S506  # one of the two safe loaders
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        found.errors.append(Finding(name, line, f"is not YAML: {error.problem}"))
        return Source(name, {})
    except yaml.YAMLError:
        found.errors.append(Finding(name, 0, "is not YAML"))
        return Source(name, {})
    found.errors.extend(Finding(name, line, "this key stands twice") for line in _twice(root))
    if not isinstance(values, Mapping):
        found.errors.append(Finding(name, 1, "must hold keys and values"))
        return Source(name, {})
    return Source(name, values, text)


def read_json(path: Path, name: str, found: Found) -> Source:
    """A JSON file that holds an object; an empty one, with an error noted, where it does not."""
    if (text := read_text(path, name, found)) is None:
        return Source(name, {})
    twice: list[str] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        twice.extend(key for position, (key, _) in enumerate(pairs) if key in dict(pairs[:position]))
        return made

    try:
        values = json.loads(text, object_pairs_hook=keep)
    except ValueError as error:
        found.errors.append(Finding(name, getattr(error, "lineno", 0), "is not JSON"))
        return Source(name, {})
    found.errors.extend(Finding(name, 0, f"the key {key} stands twice in one object") for key in twice)
    if not isinstance(values, dict):
        found.errors.append(Finding(name, 1, "must hold an object"))
        return Source(name, {})
    return Source(name, values, text)


def read_text(path: Path, name: str, found: Found) -> str | None:
    """The text of a file without a byte order mark; None, with an error noted, where it is not there or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        found.errors.append(Finding(name, 0, "is missing"))
    except (OSError, UnicodeDecodeError):
        found.errors.append(Finding(name, 0, "cannot be read as UTF-8"))
    return None


def _line(node: Any, place: Place) -> int:
    line: int = node.start_mark.line
    for step in place:
        if isinstance(node, yaml.MappingNode):
            inner = next(((k, v) for k, v in node.value if _key(k) == step), None)
            if inner is None:
                break
            line, node = inner[0].start_mark.line, inner[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line
        else:
            break
    return line + 1


def _scalars(node: Any) -> Iterator[Any]:
    match node:
        case yaml.ScalarNode():
            yield node
        case yaml.MappingNode():
            for pair in node.value:
                for inner in pair:
                    yield from _scalars(inner)
        case yaml.SequenceNode():
            for inner in node.value:
                yield from _scalars(inner)


def _constructs(node: Any) -> bool:
    """2026-13-01 looks like a date to YAML, and is none."""
    try:
        yaml.constructor.SafeConstructor().construct_object(node)
    except ValueError:
        return False
    return True


def _twice(node: Any) -> list[int]:
    lines: list[int] = []
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if _key(key) in seen:
                lines.append(key.start_mark.line + 1)
            seen.add(_key(key))
            lines += _twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            lines += _twice(item)
    return lines


def _key(node: Any) -> Any:
    return node.value if isinstance(node, yaml.ScalarNode) else id(node)
