"""The record schemas compiled once to a tree: what each leaf is, which part it belongs to, what it refers to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, Union

import jsonschema_rs

SINGULAR = ("child", "enrolment")
"""The records that a case holds one of; they have no id, their path is their name."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")


def _is_day(text: str) -> bool:
    try:
        return _DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    try:
        return _MOMENT.fullmatch(text) is not None and bool(datetime.fromisoformat(text).astimezone(UTC))
    except (ValueError, OverflowError):
        return False


_FORMATS: Mapping[str, Callable[[str], bool]] = MappingProxyType({"date": _is_day, "date-time": _is_moment})
"""What the rules can reckon with, and FHIR can say. RFC 3339 also has the year 0, leap seconds and small letters."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar, or a list of scalars where the schema allows either. The annotations are those of mappings/records."""

    part: str
    part_by: tuple[str, str] | None = None
    """(field of the same entry, table): the part is chosen by a code."""
    text: bool = False
    refs: tuple[str, ...] = ()
    codes: str = ""
    topics: frozenset[str] = frozenset()
    referred: bool = False
    identifier: bool = False
    is_id: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """An object. `required_in_view`: each tuple names fields of which at least one must be there."""

    fields: dict[str, Node]
    required_in_view: tuple[tuple[str, ...], ...] = ()
    telling: tuple[tuple[str, str, bool], ...] = ()
    """(field, `x-codes` of it, has it references): only these fields can imply a topic; ("", False) for an object that
    holds such fields."""


@dataclass(frozen=True, slots=True)
class Listing:
    item: Node


Node = Union[Leaf, Group, Listing]  # noqa: UP007  a recursive alias needs the older form at run time


@dataclass(frozen=True, slots=True)
class Schemas:
    """Every collection's schema: as its file (for whoever serves or checks it) and as a tree (for whoever walks it)."""

    files: Mapping[str, dict[str, Any]]
    collections: Mapping[str, Group]
    """Collection → the tree of one of its records."""
    validator: Any = field(repr=False, compare=False)

    @staticmethod
    def of(files: Mapping[str, dict[str, Any]]) -> Schemas:
        """`files`: collection → schema; `case` is the whole case file, whose `$ref`s name the others by `$id`."""
        registry = jsonschema_rs.Registry([(schema["$id"], schema) for schema in files.values()])
        validator = _validator(files["case"], registry)
        trees = {name: _tree(schema, schema, {}) for name, schema in files.items() if name != "case"}
        return Schemas(files, {name: tree for name, tree in trees.items() if isinstance(tree, Group)}, validator)

    def validator_of(self, collection: str) -> Any:
        """A validator for one record of `collection`."""
        registry = jsonschema_rs.Registry([(schema["$id"], schema) for schema in self.files.values()])
        return _validator(self.files[collection], registry)


def _validator(schema: dict[str, Any], registry: Any) -> Any:
    return jsonschema_rs.Draft202012Validator(schema, registry=registry, validate_formats=True, formats=dict(_FORMATS))


def _tree(schema: Mapping[str, Any], root: Mapping[str, Any], seen: dict[str, Group]) -> Node:
    if "$ref" in schema:
        name = schema["$ref"]
        if name not in seen:
            seen[name] = Group({})
            target = root
            for step in name.removeprefix("#/").split("/"):
                target = target[step]
            group = _tree(target, root, seen)
            if isinstance(group, Group):
                seen[name].fields.update(group.fields)
        return seen[name]
    if "properties" in schema:
        required = tuple((r,) if isinstance(r, str) else tuple(r) for r in schema.get("x-required-in-view", ()))
        fields = {k: _tree(v, root, seen) for k, v in schema["properties"].items()}
        return Group(fields, required, tuple(_telling(fields)))
    if schema.get("type") == "array":
        return Listing(_tree(schema["items"], root, seen))
    if "x-part" not in schema and "x-part-by" not in schema and "anyOf" in schema:
        # One scalar or a list of the same scalars: the scalar's annotations speak for both.
        return _tree(schema["anyOf"][0], root, seen)
    by = schema.get("x-part-by")
    return Leaf(
        part=schema.get("x-part", ""),
        part_by=(by["field"], by["table"]) if by else None,
        text=schema.get("x-text", False),
        refs=tuple(schema.get("x-ref", ())),
        codes=schema.get("x-codes", ""),
        topics=frozenset(schema.get("x-topics", ())),
        referred=schema.get("x-part-referred", False),
        identifier=schema.get("x-identifier", False),
        is_id=schema.get("x-id", False),
    )


def _telling(fields: Mapping[str, Node]) -> Iterator[tuple[str, str, bool]]:
    """An object in a list is an entry of its own, and tells for itself."""
    for name, node in fields.items():
        leaf = node.item if isinstance(node, Listing) else node
        if isinstance(leaf, Leaf) and (leaf.codes or leaf.refs):
            yield name, leaf.codes, bool(leaf.refs)
        elif isinstance(node, Group) and node.telling:
            yield name, "", False


def records(case: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every record of a case as (collection, path, record): `("goals", "goals/g1", {…})`, `("child", "child", {…})`."""
    for collection, value in case.items():
        if isinstance(value, dict):
            yield collection, collection, value
        elif isinstance(value, list):
            for record in value:
                if isinstance(record, dict) and isinstance(record.get("id"), str):
                    yield collection, f"{collection}/{record['id']}", record


def entries(case: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every record, and every entry that has an id, with its path (`care_plans/p1/services/s1`)."""
    for _, path, record in records(case):
        yield path, record
        yield from _entries(path, record)


def paths(case: Mapping[str, Any]) -> Iterator[str]:
    """Every path that a reference may name."""
    return (path for path, _ in entries(case))


def _entries(path: str, value: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, child in value.items():
        if isinstance(child, list):
            for entry in child:
                if isinstance(entry, dict) and isinstance(entry.get("id"), str):
                    below = f"{path}/{name}/{entry['id']}"
                    yield below, entry
                    yield from _entries(below, entry)
