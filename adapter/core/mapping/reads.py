"""What the expressions of a mapping file read, held against the record schemas, and what it makes against FHIR's types.

FHIRPath takes a field that is not there as nothing: a misspelt one would silently send less. Here a name is followed as
far as its type is known, through `where`, `select`, context blocks, `for` and `assign`; beyond that nothing is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from adapter.core.mapping.elements import Model
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.pieces import Inserted, UnreadableError, array_of, block_of, pieces_of
from adapter.core.mapping.positions import Path, Place, Positions
from adapter.core.mapping.syntax import (
    Binary,
    Call,
    Index,
    Literal,
    Member,
    Node,
    Special,
    Typed,
    Unary,
    Variable,
    parse,
)
from adapter.core.schema import Group, Leaf, Listing
from adapter.core.schema import Node as Shape

_SAME = frozenset({"first", "last", "tail", "skip", "take", "distinct", "single", "ofType", "sort", "trim", "lower"})
_ADDED = frozenset({"path", "consents"})
"""What a view adds to records, and makes anew: the partner's own Consent has another shape (core/consent/view.py)."""


@dataclass(frozen=True, slots=True)
class Translated:
    """A field is asked for its translation by a map: the codes that it can hold, if its schema closes them."""

    line: int
    column: int
    map: str
    leaf: Leaf


@dataclass(slots=True)
class Reads:
    """What was found in one template: (line, column, reason) of each mistake, each use of a map by a known field, and
    which fields are read: (id() of their Group, name)."""

    problems: list[tuple[int, int, str]] = field(default_factory=list)
    translated: list[Translated] = field(default_factory=list)
    read: set[tuple[int, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Scope:
    this: Shape | None
    variables: Mapping[str, Shape | None]


def reads(
    body: object,
    positions: Positions,
    *,
    record: Shape | None,
    variables: Mapping[str, Shape | None],
    types: Collection[str],
    when: tuple[str, Place] | None = None,
    fields_of: str = "record schema",
) -> Reads:
    """Follow a template that is applied to `record`; None as a shape is one that is not known. `types`: FHIR's own.

    `when`: the condition beside the template, and its place. `fields_of`: what has the fields, in words.
    """
    walker = _Walker(positions, frozenset(types), fields_of)
    scope = _Scope(record, {**variables, "context": record})
    if when is not None:
        walker.infer(Inserted(when[0], 0, keep=False), when[0], when[1], scope)
    walker.walk(body, (), scope)
    return walker.found


def shape_of(text: str, *, record: Shape | None, variables: Mapping[str, Shape | None]) -> Shape | None:
    """What one expression gives, as far as that can be told."""
    walker = _Walker(Positions(), frozenset(), "")
    return walker.infer(Inserted(text, 0, keep=False), text, Place(), _Scope(record, {**variables, "context": record}))


def elements(body: object, positions: Positions, model: Model, type_: str) -> Iterator[tuple[int, int, str]]:
    """Each key of a template that FHIR's type does not have, with its place."""
    if type_ not in model.names:
        place = positions.value(("resourceType",))
        yield place.line, place.column, f"there is no type {type_} in FHIR"
        return
    yield from _elements(body, (), positions, model, type_)


def _elements(node: object, path: Path, positions: Positions, model: Model, at: str) -> Iterator[tuple[int, int, str]]:
    if isinstance(node, list):
        for index, child in enumerate(node):
            yield from _elements(child, (*path, index), positions, model, at)
    elif isinstance(node, dict):
        own = node.get("resourceType")
        at = own if isinstance(own, str) and own in model.names else at  # a resource inside of one
        for key, child in node.items():
            kind = _kind(key)
            if kind == "field" and key != "resourceType":
                found = model.below(at, key.removeprefix("_"))
                if found is None:
                    place = positions.key((*path, key))
                    yield place.line, place.column, f"{at} has no element `{key}`"
                elif not key.startswith("_"):
                    yield from _elements(child, (*path, key), positions, model, found)
            elif kind in ("context", "for", "if", "else", "merge"):
                yield from _elements(child, (*path, key), positions, model, at)


def _kind(key: str) -> str:
    try:
        return block_of(key).kind
    except UnreadableError:
        return ""  # the compiler tells of it


class _Walker:
    def __init__(self, positions: Positions, types: frozenset[str], fields_of: str) -> None:
        self._positions = positions
        self.types = types
        self.fields_of = fields_of
        self.found = Reads()

    def walk(self, node: object, path: Path, scope: _Scope) -> None:
        if isinstance(node, str):
            self._text(node, path, scope)
        elif isinstance(node, list):
            for index, child in enumerate(node):
                self.walk(child, (*path, index), scope)
        elif isinstance(node, dict):
            self._object(node, path, scope)

    def _object(self, node: dict[str, object], path: Path, scope: _Scope) -> None:
        for key in sorted(node, key=lambda name: _kind(name) != "assign"):
            here, child = (*path, key), node[key]
            try:
                block = block_of(key)
            except UnreadableError:
                continue
            place = self._positions.key(here)
            given = Inserted(block.expression, block.offset, keep=False) if block.expression else None
            found = self.infer(given, key, place, scope) if given else None
            if block.kind == "assign":
                for index, step in enumerate(child if isinstance(child, list) else [child]):
                    at = (*here, index) if isinstance(child, list) else here
                    scope = self._assigned(step, at, scope)
            elif block.kind == "context":
                self.walk(child, here, _Scope(found, scope.variables))
            elif block.kind == "for":
                names: dict[str, Shape | None] = {block.item: found, **({block.index: None} if block.index else {})}
                self.walk(child, here, _Scope(scope.this, {**scope.variables, **names}))
            else:
                self.walk(child, here, scope)

    def _assigned(self, step: object, path: Path, scope: _Scope) -> _Scope:
        if not isinstance(step, dict) or len(step) != 1:
            return scope
        name, value = next(iter(step.items()))
        shape = None
        if isinstance(value, str) and (pieces := _inserted(value)) and len(pieces) == 1:
            shape = self.infer(pieces[0], value, self._positions.value((*path, name)), scope)
        else:
            self.walk(value, (*path, name), scope)
        return _Scope(scope.this, {**scope.variables, name: shape})

    def _text(self, text: str, path: Path, scope: _Scope) -> None:
        for piece in _inserted(text):
            self.infer(piece, text, self._positions.value(path), scope)

    def infer(self, piece: Inserted, text: str, place: Place, scope: _Scope) -> Shape | None:
        try:
            tree = parse(piece.expression)
        except ExpressionError:
            return None  # the compiler tells of it
        return _Reader(self, piece, text, place).infer(tree, scope)

    def tell(self, line: int, column: int, reason: str) -> None:
        if (line, column, reason) not in self.found.problems:
            self.found.problems.append((line, column, reason))


def _inserted(text: str) -> list[Inserted]:
    try:
        array = array_of(text)
        return [array] if array else [piece for piece in pieces_of(text) if isinstance(piece, Inserted)]
    except UnreadableError:
        return []


class _Reader:
    """One expression: what shape it gives, as far as that can be told."""

    def __init__(self, walker: _Walker, piece: Inserted, text: str, place: Place) -> None:
        self._walker = walker
        self._piece = piece
        self._text = text
        self._place = place

    def infer(self, node: Node, scope: _Scope) -> Shape | None:
        match node:
            case Variable(name=name):
                return scope.variables.get(name)
            case Special(name="this"):
                return scope.this
            case Member(target=target, name=name):
                return self._member(node, scope.this if target is None else self.infer(target, scope), name, target)
            case Index(target=target, position=position):
                self.infer(position, scope)
                return self.infer(target, scope)
            case Unary(operand=operand) | Typed(operand=operand):
                self.infer(operand, scope)
            case Binary(operator=operator, left=left, right=right):
                first, second = self.infer(left, scope), self.infer(right, scope)
                return (first or second) if operator == "|" and (first is second or not (first and second)) else None
            case Call():
                return self._call(node, scope)
        return None

    def _member(self, node: Node, shape: Shape | None, name: str, target: Node | None) -> Shape | None:
        known = isinstance(shape, Group) and name in shape.fields
        if target is None and name[:1].isupper() and not known and name in self._walker.types:
            return shape  # a type's name, at the beginning
        if isinstance(shape, Leaf):
            self._tell(node, f"`{name}` is read of a single value")
        elif isinstance(shape, Group):
            if name in shape.fields:
                self._walker.found.read.add((id(shape), name))
                return _item(shape.fields[name])
            if name not in _ADDED:
                self._tell(node, f"no {self._walker.fields_of} has `{name}` here")
        return None

    def _call(self, node: Call, scope: _Scope) -> Shape | None:
        shape = scope.this if node.target is None else self.infer(node.target, scope)
        inner = _Scope(shape, scope.variables)
        match node.name:
            case "where" | "exists" | "all" | "select" | "repeat" | "sort" | "coalesce":
                given = [self.infer(argument, inner) for argument in node.arguments]
                return (
                    shape if node.name in ("where", "sort") else given[0] if node.name == "select" and given else None
                )
            case "iif":
                given = [self.infer(a, inner if node.target is not None else scope) for a in node.arguments][1:]
                return next((each for each in given if each is not None), None)
            case "code" | "concept" if len(node.arguments) == 1 and isinstance(node.arguments[0], Literal):
                if isinstance(shape, Leaf):
                    line, column = self._at(node.arguments[0])
                    map_ = str(node.arguments[0].value)
                    self._walker.found.translated.append(Translated(line, column, map_, shape))
                return None
            case "reference":
                self._reference(node)
                return None
        for argument in node.arguments:
            self.infer(argument, scope)
        return shape if node.name in _SAME else None

    def _reference(self, node: Call) -> None:
        for argument in node.arguments:
            if isinstance(argument, Literal) and str(argument.value).partition("#")[0] not in self._walker.types:
                self._tell(argument, f"reference('{argument.value}'): there is no such type in FHIR")

    def _tell(self, node: Node, reason: str) -> None:
        self._walker.tell(*self._at(node), reason)

    def _at(self, node: Node) -> tuple[int, int]:
        return self._place.within(self._text, self._piece.offset, node.line, node.column)


def _item(shape: Shape) -> Shape:
    """Collections are flat in FHIRPath: of a list what one entry of it is."""
    return _item(shape.item) if isinstance(shape, Listing) else shape
