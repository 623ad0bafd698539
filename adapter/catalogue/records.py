"""Checks the record schemas: valid JSON Schema 2020-12, every leaf labelled, every label naming something real."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs

from adapter.catalogue.files import Found, Place, Source, read_json
from adapter.core.consent.rulebook import TOPICS

_SUFFIX = ".schema.json"
_ANNOTATIONS = frozenset(
    {
        "x-part", "x-part-by", "x-part-referred", "x-ref", "x-codes", "x-open", "x-required-in-view", "x-text",
        "x-name", "x-telecom", "x-identifier", "x-steers", "x-topics", "x-id",
    }
)  # fmt: skip
_KEYWORDS = frozenset(
    {
        "$schema", "$id", "$ref", "$defs", "$comment", "title", "description", "type", "enum", "const", "properties",
        "required", "additionalProperties", "minProperties", "maxProperties", "items", "minItems", "maxItems",
        "uniqueItems", "minLength", "maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum",
        "exclusiveMaximum", "multipleOf", "anyOf", "allOf", "oneOf", "not", "if", "then", "else", "dependentRequired",
        "contentEncoding", "contentMediaType", "default", "examples",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CodeList:
    """One `x-codes` name: its codes where the schemas close it, and the leaves that use it."""

    codes: frozenset[str] = frozenset()
    open: bool = False
    leaves: tuple[tuple[Source, Place], ...] = field(default=(), repr=False)


def read_schemas(folder: Path, name: str, found: Found) -> dict[str, Source]:
    """Every schema of the folder by collection; errors noted where one is not JSON Schema."""
    sources: dict[str, Source] = {}
    meta = jsonschema_rs.Draft202012Validator({"$ref": "https://json-schema.org/draft/2020-12/schema"})
    for path in sorted(folder.glob("*.json")):
        source = read_json(path, f"{name}/{path.name}", found)
        if not path.name.endswith(_SUFFIX):
            found.errors.append(source.finding(f"a schema's name ends in {_SUFFIX}"))
            continue
        if not source.values:
            continue
        problems = list(meta.iter_errors(source.values))
        for problem in problems:
            place = tuple(problem.instance_path)
            found.errors.append(source.finding(f"is not JSON Schema 2020-12 at /{'/'.join(map(str, place))}", *place))
        if not str(source.values.get("$id", "")).endswith(f"/{path.name.removesuffix(_SUFFIX)}"):
            found.errors.append(source.finding("$id must end in the name of the collection", "$id"))
        elif not problems:
            sources[path.name.removesuffix(_SUFFIX)] = source
    if "case" not in sources:
        found.errors.append(Source(f"{name}/case{_SUFFIX}", {}).finding("the schema of a whole case is missing"))
    return sources


def check_labels(
    sources: Mapping[str, Source], parts: Mapping[str, Any], tables: Mapping[str, Any], found: Found
) -> None:
    """Each leaf has a part, and each annotation names a part, table, topic, collection or field that exists."""
    referable = {*sources, "child", "family", *entry_lists(sources)}
    for source in sources.values():
        for place, node in _nodes(source.values, ()):
            for key, detail in _wrong(node, referable, parts, tables):
                found.errors.append(source.finding(f"/{'/'.join(map(str, place))}: {detail}", *place, key))
        for place, siblings, leaf in _leaves(source.values, (), {}):
            by = leaf.get("x-part-by", {})
            if "x-part" not in leaf and not by:
                found.errors.append(source.finding(f"/{'/'.join(map(str, place))}: this leaf has no x-part", *place))
            elif by and isinstance(by, Mapping) and by.get("field") not in siblings:
                detail = f"/{'/'.join(map(str, place))}: x-part-by names a field that is not beside it"
                found.errors.append(source.finding(detail, *place, "x-part-by"))


def code_lists(sources: Mapping[str, Source]) -> dict[str, CodeList]:
    """Every `x-codes` name with what the schemas say about its codes."""
    lists: dict[str, CodeList] = {}
    for source in sources.values():
        for place, node in _nodes(source.values, ()):
            if isinstance(name := node.get("x-codes"), str):
                known = lists.get(name, CodeList())
                codes = known.codes | {str(code) for code in node.get("enum", ())}
                closed = "enum" in node and not node.get("x-open") and not (known.leaves and known.open)
                lists[name] = CodeList(codes, not closed, (*known.leaves, (source, (*place, "x-codes"))))
    return lists


def entry_lists(sources: Mapping[str, Source], *, objects: bool = False) -> set[str]:
    """`care_plans/services`: lists of entries inside a record, which a reference may name too. `objects`: only lists
    of such as have fields of their own."""
    names: set[str] = set()
    for collection, source in sources.items():
        for place, node in _nodes(source.values, ()):
            items = node.get("items", {})
            if node.get("type") == "array" and (not objects or "properties" in items or "$ref" in items):
                names.add("/".join([collection, *(str(s) for s in place if s not in ("properties", "items"))]))
    return names


def _wrong(
    node: Mapping[str, Any], referable: set[str], parts: Mapping[str, Any], tables: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """What is wrong with one subschema: the keyword, and why."""
    for key in node:
        if key not in _ANNOTATIONS and key not in _KEYWORDS:
            near = difflib.get_close_matches(key, [*_ANNOTATIONS, *_KEYWORDS], n=1)
            yield key, f"{key} is not a keyword or annotation" + (f"; did you mean {near[0]}?" if near else "")
    if "properties" in node and node.get("additionalProperties") is not False:
        yield "additionalProperties", "additionalProperties must be false: unknown fields are refused"
    if "x-part" in node and node["x-part"] not in parts:
        yield "x-part", "x-part names no part of mappings/parts.yaml"
    if "x-part" in node and "x-part-by" in node:
        yield "x-part-by", "x-part and x-part-by cannot both stand"
    by = node.get("x-part-by", {})
    if by and not (isinstance(by, Mapping) and set(by) == {"field", "table"} and by["table"] in tables):
        yield "x-part-by", "x-part-by must name a field and a table of mappings/parts.yaml"
    if unknown := sorted(set(node.get("x-topics", ())) - set(TOPICS)):
        yield "x-topics", f"x-topics names no topic: {', '.join(unknown)}"
    if unknown := sorted(set(node.get("x-ref", ())) - referable):
        yield "x-ref", f"x-ref names no collection: {', '.join(unknown)}"
    for required in node.get("x-required-in-view", ()):
        names = [required] if isinstance(required, str) else required
        if unknown := sorted(set(names) - set(node.get("properties", ()))):
            yield "x-required-in-view", f"x-required-in-view names no field here: {', '.join(unknown)}"


def _nodes(schema: Any, place: Place) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Every subschema with its place."""
    if not isinstance(schema, Mapping):
        return
    yield place, schema
    for key in ("properties", "$defs"):
        for name, inner in schema.get(key, {}).items():
            yield from _nodes(inner, (*place, key, name))
    yield from _nodes(schema.get("items"), (*place, "items"))
    for key in ("anyOf", "oneOf", "allOf"):
        for position, inner in enumerate(schema.get(key, ())):
            yield from _nodes(inner, (*place, key, position))


def _leaves(
    schema: Mapping[str, Any], place: Place, siblings: Mapping[str, Any]
) -> Iterator[tuple[Place, Mapping[str, Any], Mapping[str, Any]]]:
    """Every subschema that holds a value, with its place and the properties it stands among."""
    for name, inner in schema.get("$defs", {}).items():
        yield from _leaves(inner, (*place, "$defs", name), {})
    if "$ref" in schema:
        return
    if "properties" in schema:
        for name, inner in schema["properties"].items():
            yield from _leaves(inner, (*place, "properties", name), schema["properties"])
    elif "items" in schema:
        yield from _leaves(schema["items"], (*place, "items"), siblings)
    elif "anyOf" in schema and "x-part" not in schema and "x-part-by" not in schema:
        for position, inner in enumerate(schema["anyOf"]):
            yield from _leaves(inner, (*place, "anyOf", position), siblings)
    else:
        yield place, siblings, schema


def part_tables(sources: Mapping[str, Source]) -> dict[str, frozenset[str] | None]:
    """Every table that an `x-part-by` names, with the codes of the field that chooses; None where that is open."""
    tables: dict[str, frozenset[str] | None] = {}
    for source in sources.values():
        for _, siblings, leaf in _leaves(source.values, (), {}):
            by = leaf.get("x-part-by")
            if isinstance(by, Mapping) and by.get("field") in siblings:
                codes = siblings[by["field"]].get("enum")
                tables[str(by.get("table"))] = frozenset(map(str, codes)) if codes else None
    return tables


def open_part_tables(sources: Mapping[str, Source], lines: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    """Of the tables whose codes the schemas leave open: the codes that the list's ConceptMap knows."""
    tables: dict[str, frozenset[str]] = {}
    for source in sources.values():
        for _, siblings, leaf in _leaves(source.values, (), {}):
            by = leaf.get("x-part-by")
            if isinstance(by, Mapping) and (chooses := siblings.get(str(by.get("field")))) and "enum" not in chooses:
                tables[str(by.get("table"))] = frozenset(lines.get(str(chooses.get("x-codes")), ()))
    return tables
