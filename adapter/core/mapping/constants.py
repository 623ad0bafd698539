"""Codes that a mapping file writes out, held against the value sets that their elements require.

What comes out of an expression is known only with a record; a code that is written by hand is right or wrong for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adapter.core.fhir.checker import Definitions, bindings, fields
from adapter.core.fhir.checker.definitions import Node, tree
from adapter.core.mapping.pieces import UnreadableError, block_of
from adapter.core.mapping.positions import Path

_MADE = ("{{", "{[", "{%")
_NOT_IN = "is no code of the value set that this element requires"


def wrong_codes(make: Mapping[str, object], profile: str, definitions: Definitions) -> Iterator[tuple[Path, str]]:
    """(place in the template, what is wrong) for each code that no resource may have there.

    `profile`: the canonical URL of what the template makes; where it is not known, its type is asked.
    """
    definition = definitions.structure(profile) or definitions.structure(str(make.get("resourceType")))
    if definition is not None:
        yield from _Walker(definitions).walk(make, (), tree(definition), definition["type"])


class _Walker:
    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def walk(self, value: object, path: Path, node: Node, type_: str) -> Iterator[tuple[Path, str]]:
        """`node`: the element that the value is of, with the one type that it has here."""
        if isinstance(value, list):
            for place, each in enumerate(value):
                yield from self.walk(each, (*path, place), node, type_)
        elif isinstance(value, dict):
            yield from self._coded(value, path, node)
            node = self._extension(value, node)
            for key, child in value.items():
                if _is_directive(key):
                    yield from self.walk(child, (*path, key), node, type_)
                elif found := self._below(node, type_, key):
                    yield from self.walk(child, (*path, key), *found)
        elif isinstance(value, str) and type_ in ("code", "string", "uri") and not value.startswith(_MADE):
            words = bindings.words(node, self._definitions)
            if words is not None and value not in words:
                yield path, f"{value} {_NOT_IN}"

    def _coded(self, value: dict[str, object], path: Path, node: Node) -> Iterator[tuple[Path, str]]:
        """A Coding, or a CodeableConcept whose codings are all written by hand, without a code of the set."""
        allowed = bindings.codes(node, self._definitions) if bindings.required(node) else None
        codings = value.get("coding", [value] if {"system", "code"} <= value.keys() else None)
        if allowed is None or not isinstance(codings, list) or not all(map(_is_written, codings)):
            return
        if codings and not any(bindings.holds(each, allowed) for each in codings):
            at: Path = (*path, "coding", 0, "code") if "coding" in value else (*path, "code")
            yield at, f"{codings[0]['code']} {_NOT_IN}"

    def _extension(self, value: dict[str, object], node: Node) -> Node:
        """An extension by its own definition, where its URL is written and known."""
        url = value.get("url")
        definition = self._definitions.structures.get(url) if isinstance(url, str) else None
        return tree(definition) if definition is not None and definition["type"] == "Extension" else node

    def _below(self, node: Node, type_: str, key: str) -> tuple[Node, str] | None:
        """The element of that name in JSON, and the type that it has here."""
        children = node.children
        if not children and (definition := self._definitions.structure(type_)) is not None:
            children = tree(definition).children
        for name, child in children.items():
            for each in child.element.get("type", ()):
                if key == fields.field_name(name, each["code"]):
                    return child, each["code"]
        return None


def _is_directive(key: str) -> bool:
    try:
        return block_of(key).kind != "field"
    except UnreadableError:
        return False


def _is_written(coding: object) -> bool:
    return isinstance(coding, dict) and all(
        isinstance(coding.get(name), str) and not coding[name].startswith(_MADE) for name in ("system", "code")
    )
