"""The sheets of a workbook, made from the record schemas: one for each collection, one for each list of entries.

A nested object becomes columns with a dot in their names (`period.start`), a list of plain values one cell, a list of
objects a sheet of its own (`goals.steps`), whose rows name the case and the ids that they stand in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.core.schema import SINGULAR

CASE = "case"
"""The sheet with a row for each case, and the first column of every sheet."""
_DEEPEST_EXCEPTION = 1
"""Provisions nest; consent.md knows exceptions of one level."""


@dataclass(frozen=True, slots=True)
class Column:
    """One leaf. `path`: the steps to it from the record or entry; `many`: one cell holds several values."""

    name: str
    path: tuple[str, ...]
    kinds: frozenset[str]
    """Of: text, date, date-time, integer, number, boolean."""
    codes: tuple[str, ...] = ()
    """The codes that it can hold, if the schema closes them."""
    list: str = ""
    """Its code list (`x-codes`)."""
    refers: tuple[str, ...] = ()
    many: bool = False
    either: bool = False
    """One value may stand without a list around it."""
    required: bool = False
    part: str = ""
    about: str = ""
    """What the schema says of it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One collection, or one list of entries inside it. `keys`: the columns that say where a row belongs."""

    name: str
    path: tuple[str, ...]
    keys: tuple[str, ...]
    columns: tuple[Column, ...]
    identified: bool
    """Its rows have ids of their own."""
    title: str = ""

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


def sheets(files: Mapping[str, Mapping[str, Any]]) -> tuple[Sheet, ...]:
    """Every sheet, parents before what stands in them. `files`: collection → schema, with `case` the whole file."""
    case = files[CASE]
    found = [_case_sheet(case)]
    for collection in case["properties"]:
        if collection in files and collection != CASE:
            schema = files[collection]
            found += _sheets(schema, schema, (collection,), (CASE,), str(schema.get("title", "")))
    return tuple(found)


def _case_sheet(schema: Mapping[str, Any]) -> Sheet:
    own = {name: node for name, node in schema["properties"].items() if "x-part" in node}
    required = frozenset(schema.get("required", ()))
    columns = [_column((name,), node, node, name in required) for name, node in own.items()]
    return Sheet(CASE, (), (), tuple(columns), identified=False, title=str(schema.get("title", "")))


def _sheets(
    schema: Mapping[str, Any], root: Mapping[str, Any], path: tuple[str, ...], keys: tuple[str, ...], title: str
) -> list[Sheet]:
    columns: list[Column] = []
    nested: list[tuple[tuple[str, ...], Mapping[str, Any]]] = []
    for at, node, required in _fields(schema, root, ()):
        inner = _resolved(node.get("items", {}), root)
        if node.get("type") == "array" and "properties" in inner:
            nested.append((at, inner))
        else:
            columns.append(_column(at, node, _value(node), required))
    identified = "id" in schema["properties"]
    here = Sheet(".".join(path), path, keys, tuple(columns), identified, title)
    below = (*keys, f"{here.name}.id") if identified else keys
    found = [here]
    for at, inner in nested:
        if [*path, *at].count("except") <= _DEEPEST_EXCEPTION:
            found += _sheets(inner, root, (*path, *at), below, str(inner.get("description", inner.get("title", ""))))
    return found


def _fields(
    schema: Mapping[str, Any], root: Mapping[str, Any], path: tuple[str, ...], asked: bool = True
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any], bool]]:
    """Every leaf and list with its path; a field is required where it and what it stands in are."""
    required = schema.get("required", ())
    for name, given in schema["properties"].items():
        node, here = _resolved(given, root), asked and name in required
        if "properties" in node:
            yield from _fields(node, root, (*path, name), here)
        else:
            yield (*path, name), node, here


def _column(path: tuple[str, ...], node: Mapping[str, Any], value: Mapping[str, Any], required: bool) -> Column:
    return Column(
        name=".".join(path),
        path=path,
        kinds=frozenset(_kinds(value)),
        codes=tuple(map(str, value.get("enum", ()))),
        list=str(value.get("x-codes", node.get("x-codes", ""))),
        refers=tuple(value.get("x-ref", node.get("x-ref", ()))),
        many=node.get("type") == "array" or any(each.get("type") == "array" for each in node.get("anyOf", ())),
        either=node.get("type") != "array" and "anyOf" in node and value is not node,
        required=required,
        part=str(value.get("x-part", node.get("x-part", ""))),
        about=str(node.get("description", value.get("description", ""))),
    )


def _value(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of one value: of a list its items', of a value or a list of the same the value's."""
    if node.get("type") == "array":
        return dict(node["items"])
    return next((dict(each["items"]) for each in node.get("anyOf", ()) if each.get("type") == "array"), node)


def _kinds(value: Mapping[str, Any]) -> Iterator[str]:
    for each in value.get("anyOf", (value,)):
        kind, form = each.get("type", value.get("type")), each.get("format", "")
        yield form if form in ("date", "date-time") else "text" if kind == "string" else str(kind)


def _resolved(node: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    name = node.get("$ref", "")
    if not name.startswith("#/"):
        return node
    found: Any = root
    for step in name.removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def is_single(sheet: Sheet) -> bool:
    """Does a case have one row of it at most?"""
    return not sheet.path or sheet.path[0] in SINGULAR and len(sheet.path) == 1
