"""A set of resources as it arrived: each found in its Bundle or its container, and what each reference leads to.

References are followed as FHIR says: by urn or absolute address, relative to the address of whoever refers, contained,
conditional or logical (http://hl7.org/fhir/R4/references.html, http://hl7.org/fhir/R4/bundle.html#references). Nothing
is fetched. Whatever is too deep, too long, doubled or no resource is refused here, so that the rest can trust shapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite
from typing import Any
from urllib.parse import parse_qs

from adapter.core.fhir.models import TYPES
from adapter.core.mapping.inbound.notes import Told, expression

_DEEPEST = 60
_LONGEST_LIST = 2000
_MOST_RESOURCES = 5000
_SURROGATE = re.compile("[\ud800-\udfff]")
_VERSION = re.compile(r"/_history/[^/]*\Z")
_RELATIVE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}\Z")
_ADDRESS = re.compile(r"(?P<base>https?://.+)/[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}\Z")


_LEADING = frozenset(("reference", "identifier", "url"))
"""What makes an element lead somewhere; `url` is an Attachment's."""


@dataclass(eq=False, slots=True)
class Node:
    """One resource of the set. `at`: where it stands, as FHIRPath; `holder`: the resource that contains it."""

    index: int
    at: str
    type: str
    body: dict[str, Any]
    full_url: str = ""
    holder: Node | None = None
    _places: dict[int, str] = field(default_factory=dict)
    _words: dict[str, str] = field(default_factory=dict)

    @property
    def logical(self) -> str:
        """`Type/id`, or nothing."""
        id_ = self.body.get("id")
        return f"{self.type}/{id_}" if isinstance(id_, str) and id_ else ""

    def identifiers(self) -> Iterator[tuple[str, str]]:
        """Its business identifiers that have a system and a value."""
        given = self.body.get("identifier")
        for each in given if isinstance(given, list) else [given]:
            if (found := identifier(each)) is not None:
                yield found

    def tags(self) -> Iterator[tuple[str, str]]:
        """Its tags: Binary and Provenance have no identifier, and bear the one that we gave them here."""
        meta = self.body.get("meta")
        given = meta.get("tag") if isinstance(meta, dict) else None
        for each in given if isinstance(given, list) else []:
            if isinstance(each, dict) and (found := identifier({**each, "value": each.get("code")})) is not None:
                yield found

    def place(self, item: Any) -> str:
        """Where in this resource an element or a text stands, as FHIRPath; the resource itself where it does not."""
        if not self._places:
            for at, value in _walk(self.body, self.at):
                if isinstance(value, str):
                    self._words.setdefault(value, at)
                else:
                    self._places.setdefault(id(value), at)
        return (self._words.get(item) if isinstance(item, str) else self._places.get(id(item))) or self.at


def identifier(value: Any) -> tuple[str, str] | None:
    """(system, value) of an Identifier that has both."""
    if not isinstance(value, dict):
        return None
    system, text = value.get("system"), value.get("value")
    return (system, text) if isinstance(system, str) and isinstance(text, str) and system and text else None


@dataclass(eq=False, slots=True)
class Arrived:
    """The resources, and by which names they are called."""

    nodes: list[Node]
    _names: dict[str, list[Node]]
    _identifiers: dict[tuple[str, str], list[Node]]
    _bodies: dict[int, Node]
    _holders: dict[int, Node] = field(default_factory=dict)
    _referrers: dict[int, list[tuple[Node, str, Any]]] | None = None

    def of(self, body: Any) -> Node | None:
        """The node of a resource of the set, by identity."""
        return self._bodies.get(id(body))

    def target(self, reference: Any, of: Node) -> Node | None:
        """What a Reference (or an address) in the resource `of` leads to; None: nothing in the set, or no one thing."""
        literal, logical = names(reference)
        if literal.startswith("#"):
            inside = of.holder or of
            return inside if literal == "#" else self._one(f"{id(inside.body)}{literal}")
        found = None
        if literal:
            base = _ADDRESS.match(of.full_url or (of.holder.full_url if of.holder else ""))
            if base and _RELATIVE.match(literal):
                found = self._one(f"{base['base']}/{literal}")
            found = found or self._one(literal)
        if found is None and logical is not None:
            called = self._identifiers.get(logical, [])
            found = called[0] if len(called) == 1 else None
        return found

    def referrers(self, of: Node) -> list[tuple[Node, str, Any]]:
        """(resource, name of its element, the element) for each element of another resource that refers to this one.

        In the order of the set; built once, so that whoever refers to many is read once and not once for each.
        """
        if self._referrers is None:
            self._referrers = {}
            for node in self.nodes:
                for name, element in _elements(node.body):
                    self._holders[id(element)] = node
                    for target in {id(t): t for t in self._targets(element, node)}.values():
                        self._referrers.setdefault(id(target), []).append((node, name, element))
        return self._referrers.get(id(of), [])

    def holder(self, element: Any) -> Node | None:
        """The resource that an element stands in, of those that `referrers` gives."""
        return self._holders.get(id(element))

    def _targets(self, element: Any, node: Node) -> Iterator[Node]:
        for _, value in _walk(element, ""):
            if isinstance(value, dict) and not value.keys().isdisjoint(_LEADING):
                target = self.target(value, node) or self.target(value.get("url"), node)
                if target is not None and target is not node:
                    yield target

    def order(self) -> dict[int, int]:
        """For each resource that another one refers to, by identity: a number that grows as these references stand."""
        found: dict[int, int] = {}
        for node in self.nodes:
            for _, value in _walk(node.body, ""):
                if isinstance(value, dict) and "reference" in value:
                    target = self.target(value, node)
                    if target is not None and target is not node:
                        found.setdefault(id(target), len(found))
        return found

    def _one(self, name: str) -> Node | None:
        found = self._names.get(name, [])
        return found[0] if len(found) == 1 else None


def names(reference: Any) -> tuple[str, tuple[str, str] | None]:
    """(literal without its version, (system, value) of a logical or conditional reference) of a Reference."""
    if isinstance(reference, str):
        return _literal(reference)
    if not isinstance(reference, dict):
        return "", None
    if isinstance(reference.get("reference"), dict):
        return names(reference["reference"])  # R5's CodeableReference
    text = reference.get("reference")
    literal, logical = _literal(text) if isinstance(text, str) else ("", None)
    return literal, logical or identifier(reference.get("identifier"))


def _literal(text: str) -> tuple[str, tuple[str, str] | None]:
    if "?" in text:
        asked = parse_qs(text.partition("?")[2][:2000]).get("identifier", [""])[0]
        system, bar, value = asked.partition("|")
        return "", (system, value) if bar and system and value else None
    return _VERSION.sub("", text), None


def arrive(given: Sequence[Any], told: Told) -> Arrived:
    """Every resource of the given resources and Bundles, contained ones too. What cannot be looked at is refused."""
    nodes: list[Node] = []
    for index, value in enumerate(given):
        for node in _found(index, value, told):
            if len(nodes) >= _MOST_RESOURCES:
                told.refuse(index, node.at, f"a set holds at most {_MOST_RESOURCES} resources: send the rest apart")
                break
            nodes.append(node)
    named: dict[str, list[Node]] = {}
    called: dict[tuple[str, str], list[Node]] = {}
    kept: list[Node] = []
    left_out: set[int] = set()
    for node in nodes:
        own = _own_name(node)
        if node.holder is not None and id(node.holder) in left_out:
            continue
        if own and own in named and any(_own_name(other) == own for other in named[own]):
            told.refuse(
                node.index, node.at, "another resource of the set has this address or id: only the first counts"
            )
            left_out.add(id(node))
            continue
        kept.append(node)
        for name in {own, *(() if node.holder else (node.logical, node.full_url))} - {""}:
            named.setdefault(name, []).append(node)
        for each in set(node.identifiers()):
            called.setdefault(each, []).append(node)
    return Arrived(kept, named, called, {id(node.body): node for node in kept})


def _own_name(node: Node) -> str:
    if node.holder is not None:
        return f"{id(node.holder.body)}#{node.body.get('id')}" if isinstance(node.body.get("id"), str) else ""
    return _VERSION.sub("", node.full_url) or node.logical


def _found(index: int, value: Any, told: Told) -> Iterator[Node]:
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        told.refuse(index, "Resource" if not isinstance(value, dict) else "Resource.resourceType", "it is no resource")
        return
    if value["resourceType"] != "Bundle":
        yield from _with_contained(index, "", value, "", told)
        return
    entries = value.get("entry", [])
    if not isinstance(entries, list):
        told.refuse(index, "Bundle.entry", "must be a list")
        return
    if not entries:
        told.find(index, "Bundle", "the Bundle holds no resource")
    for number, entry in enumerate(entries[: _MOST_RESOURCES + 1]):
        at = f"Bundle.entry[{number}]"
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            told.refuse(index, f"{at}.resource", "the entry holds no resource: there is nothing to map")
        elif resource["resourceType"] == "Bundle":
            told.refuse(index, f"{at}.resource", "a Bundle in a Bundle is not looked into: send it apart")
        else:
            url = entry.get("fullUrl")
            yield from _with_contained(index, f"{at}.resource", resource, url if isinstance(url, str) else "", told)


def _with_contained(index: int, at: str, body: dict[str, Any], url: str, told: Told) -> Iterator[Node]:
    type_ = body["resourceType"]
    at = at or (type_ if type_ in TYPES else "Resource")
    if reason := _unreadable(body):
        told.refuse(index, at, reason)
        return
    node = Node(index, at, type_, body, _VERSION.sub("", url))
    yield node
    contained = body.get("contained")
    for number, inner in enumerate(contained if isinstance(contained, list) else []):
        if isinstance(inner, dict) and isinstance(inner.get("resourceType"), str):
            yield Node(index, f"{at}.contained[{number}]", inner["resourceType"], inner, holder=node)


def _elements(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The elements of a resource one by one, each entry of a list with the list's name."""
    for name, value in body.items():
        if name != "contained":
            yield from ((name, each) for each in (value if isinstance(value, list) else [value]))


def _unreadable(body: dict[str, Any]) -> str:
    """Why a resource is not looked at: its shape, before anything recursive reads it."""
    waiting: list[tuple[Any, int]] = [(body, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _DEEPEST:
            return f"it is nested deeper than {_DEEPEST} levels"
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                return "it has a key that is no text"
            if any(_SURROGATE.search(key) for key in value):
                return "it has half a character in a key"
            waiting += [(inner, depth + 1) for inner in value.values()]
        elif isinstance(value, list):
            if len(value) > _LONGEST_LIST:
                return f"it has a list of more than {_LONGEST_LIST} entries"
            waiting += [(inner, depth + 1) for inner in value]
        elif not _is_json(value):
            return "it has a value that is no JSON: half a character, or a number that no other system can read"
    return ""


def _is_json(value: Any) -> bool:
    if isinstance(value, str):
        return not _SURROGATE.search(value)
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int):
        return abs(value) < 2**63
    return isinstance(value, float | Decimal) and isfinite(value) and abs(Decimal(value).adjusted()) < 400


def _walk(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Every element with its FHIRPath, from the top down, in order; contained resources are others' own."""
    level: list[tuple[str, Any]] = [(at, value)]
    while level:
        below: list[tuple[str, Any]] = []
        for path, node in level:
            yield path, node
            if isinstance(node, dict):
                below += [(expression(path, f"/{name}"), v) for name, v in node.items() if name != "contained"]
            elif isinstance(node, list):
                below += [(f"{path}[{number}]", v) for number, v in enumerate(node)]
        level = below
