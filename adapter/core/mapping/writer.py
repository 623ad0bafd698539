"""Writes the Python statements that make one template's value: plain dicts and lists, absent parts left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from adapter.core.mapping import items
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.pieces import Block, Inserted, UnreadableError, array_of, block_of, pieces_of
from adapter.core.mapping.positions import Path
from adapter.core.mapping.scope import Scope
from adapter.core.mapping.statements import Statements


@dataclass(frozen=True, slots=True)
class Made:
    """A value that the statements written so far have made: its Python text, and the test that it is there.

    An empty test is a value that always is. `several` is a list whose items belong into the list around it. `null`
    marks a value that may be items.NULL, a null that is kept.
    """

    text: str
    test: str = ""
    several: bool = False
    null: bool = False


_ABSENT = Made("None", "False")


class Writer:
    """What each part of one template comes to, as statements."""

    def __init__(self, to: Statements, *, guarded: bool) -> None:
        self._to = to
        self._compiler = to.compiler
        self._names = to.compiler.names
        self._scope = Scope("this", "record", guarded=guarded)
        self._lent = False

    def write(self, body: Any) -> None:
        wish = body.get("resourceType") if isinstance(body, dict) else None
        wish = wish.lower() if isinstance(wish, str) and wish.isalpha() else "made"
        made = self._value(body, (), self._scope, wish)
        if made.null:
            made = replace(made, text=f"(None if {made.text} is NULL else {made.text})")
        self._to.line(f"return {made.text} if {made.test} else None" if made.test else f"return {made.text}")

    def _value(self, node: Any, path: Path, scope: Scope, wish: str) -> Made:
        """Write what makes a node's value."""
        if _constant(node):
            cleaned = items.plain_template(node)
            return _ABSENT if cleaned is items.ABSENT else Made(repr(cleaned), several=isinstance(cleaned, list))
        if isinstance(node, str):
            return self._string(node, path, scope, wish)
        if isinstance(node, list):
            if len(node) == 1:
                made = self._value(node[0], (*path, 0), scope, wish)
                if made is _ABSENT or (made.several and not made.null):
                    return made
                if not made.null:
                    return Made(f"[{made.text}]", made.test, several=True)
                name = self._names.new(wish)
                self._to.line(f"{name} = []")
                self._to.line(f"{self._names.runtime(items.extend)}({name}, {made.text})")
                return Made(name, name, several=True)
            name = self._names.new(wish)
            self._to.line(f"{name} = []")
            for index, child in enumerate(node):
                self._append(child, (*path, index), scope, name)
            return Made(name, name, several=True)
        return self._object(node, path, scope, wish)

    def _append(self, node: Any, path: Path, scope: Scope, into: str) -> None:
        """Write what adds a node's value to a list, a list's items one by one."""
        if isinstance(node, dict) and not _constant(node):
            blocks, scope = self._blocks(node, path, scope)
            loop = next((key for key, b in blocks.items() if b.kind in ("context", "for")), None)
            if loop is not None:
                self._loop(node, blocks, loop, path, scope, into)
                return
            made = self._parts(node, blocks, path, scope, f"{into}_item")
        elif isinstance(node, list) and not _constant(node):
            for index, child in enumerate(node):
                self._append(child, (*path, index), scope, into)
            return
        else:
            made = self._value(node, path, scope, f"{into}_item")
        if made is _ABSENT:
            return
        if made.null:
            self._names.runtime(items.extend)
            self._to.line(f"extend({into}, {made.text})")
        else:
            self._to.put_if(made.test, f"{into} += {made.text}" if made.several else f"{into}.append({made.text})")

    def _string(self, text: str, path: Path, scope: Scope, wish: str) -> Made:
        self._to.place = self._to.positions.value(path)
        try:
            array = array_of(text)
            if array is not None:
                name = self._names.new(wish)
                code = self._to.code(array, text, scope)
                self._to.line(f"{name} = {self._names.runtime(items.several)}({code})", array, text)
                return Made(name, name, several=True)
            pieces = pieces_of(text)
        except UnreadableError as error:
            self._to.problem(self._to.place.line, self._to.place.column, str(error))
            return _ABSENT
        if len(pieces) == 1 and isinstance(pieces[0], Inserted):
            return self._bare(pieces[0], text, scope, wish)
        return self._text(pieces, text, scope, wish)

    def _bare(self, piece: Inserted, text: str, scope: Scope, wish: str) -> Made:
        name = self._names.new(wish)
        node = self._to.parsed(piece.expression, text, piece.offset)
        if node is None:
            return _ABSENT
        try:
            code = self._compiler.code(node, scope)
        except ExpressionError as error:
            self._to.misplaced(error, text, piece.offset)
            return _ABSENT
        self._to.line(f"{name} = {code.text}", piece, text)
        if not code.boolean:
            one = self._names.runtime(items.lent if self._lent else items.one)
            self._to.line(f"if {name}.__class__ is not str: {name} = {one}({name})", piece, text)
        return Made(name) if piece.keep else Made(name, f"{name} is not None")

    def _text(self, pieces: list[str | Inserted], text: str, scope: Scope, wish: str) -> Made:
        name = self._names.new(wish)
        as_text = self._names.runtime(items.text)
        inserted = [p for p in pieces if isinstance(p, Inserted)]
        if len(inserted) == 1:
            self._to.line(f"{name} = {self._to.code(inserted[0], text, scope)}", inserted[0], text)
            self._to.line(f"if {name}.__class__ is not str: {name} = {as_text}({name})", inserted[0], text)
            whole = "".join(_format(p) if isinstance(p, str) else "{" + name + "}" for p in pieces)
            quoted = repr(whole)
            value = f"f{quoted}"
            if inserted[0].keep:
                self._to.line(f"{name} = None if {name} is None else {value}")
                return Made(name)
            return Made(value, f"{name} is not None")
        codes = {id(p): f"{as_text}({self._to.code(p, text, scope)})" for p in inserted}
        parts = ", ".join(repr(p) if isinstance(p, str) else
                          f"{self._names.runtime(items.kept)}({codes[id(p)]})" if p.keep else codes[id(p)]
                          for p in pieces)  # fmt: skip
        self._to.line(f"{name} = {self._names.runtime(items.concat)}({parts})", inserted[0], text)
        return Made(name, f"{name} is not None", null=self._to.null(any(p.keep for p in inserted)))

    def _object(self, node: dict[str, Any], path: Path, scope: Scope, wish: str) -> Made:
        blocks, scope = self._blocks(node, path, scope)
        return self._parts(node, blocks, path, scope, wish)

    def _parts(self, node: dict[str, Any], blocks: dict[str, Block], path: Path, scope: Scope, wish: str) -> Made:
        kinds = {b.kind for b in blocks.values()}
        loop = next((key for key, b in blocks.items() if b.kind in ("context", "for")), None)
        if loop is not None:
            name = self._names.new(wish)
            self._to.line(f"{name} = []")
            self._loop(node, blocks, loop, path, scope, name)
            return Made(name, name, several=True)
        if kinds <= {"if", "else"} and "if" in kinds:
            return self._choice(node, blocks, path, scope, wish)
        if len(blocks) == 1 and kinds == {"field"}:
            key = next(iter(blocks))
            made = self._value(node[key], (*path, key), scope, key)
            if made is _ABSENT or not made.null:
                return _ABSENT if made is _ABSENT else Made(f"{{{key!r}: {made.text}}}", made.test)
            name = self._names.new(wish)
            self._to.line(f"{name} = {{}}")
            self._put(made, name, key)
            return Made(name, name)
        name = self._names.new(wish)
        fixed = self._leading(node, blocks)
        self._to.line(f"{name} = {{{', '.join(f'{k!r}: {v!r}' for k, v in fixed.items())}}}")
        self._fill(node, blocks, path, scope, name, skip=frozenset(fixed))
        return Made(name, "" if any(v is not None for v in fixed.values()) else name)

    def _leading(self, node: dict[str, Any], blocks: dict[str, Block]) -> dict[str, Any]:
        """The constants that an object begins with."""
        fixed: dict[str, Any] = {}
        for key, block in blocks.items():
            if block.kind != "field" or not _constant(node[key]):
                break
            cleaned = items.plain_template(node[key])
            if cleaned is items.ABSENT:
                break
            fixed[key] = cleaned
        return fixed

    def _fill(
        self, node: dict[str, Any], blocks: dict[str, Block], path: Path, scope: Scope, into: str,
        skip: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        """Write what puts the fields of an object into a dict: its own, then those of merge, then those of if."""
        for key, block in blocks.items():
            if block.kind == "field" and key not in skip:
                self._put(self._value(node[key], (*path, key), scope, key), into, key)
        for key, block in blocks.items():
            if block.kind == "merge":
                parts = node[key] if isinstance(node[key], list) else [node[key]]
                for index, part in enumerate(parts):
                    at = (*path, key, index) if isinstance(node[key], list) else (*path, key)
                    self._merge(part, at, scope, into, "merge")
        chosen = next((key for key, b in blocks.items() if b.kind == "if"), None)
        if chosen is not None:
            other = next((key for key, b in blocks.items() if b.kind == "else"), None)
            with self._to.branch(f"if {self._to.condition(blocks[chosen], chosen, path, scope)}:"):
                self._merge(node[chosen], (*path, chosen), scope, into, "if and else")
            if other is not None:
                with self._to.branch("else:"):
                    self._merge(node[other], (*path, other), scope, into, "if and else")

    def _merge(self, node: Any, path: Path, scope: Scope, into: str, what: str) -> None:
        if node is None:
            return
        if isinstance(node, dict):
            blocks, scope = self._blocks(node, path, scope)
            if not {"context", "for"} & {b.kind for b in blocks.values()}:
                self._fill(node, blocks, path, scope, into)
                return
        elif isinstance(node, str) and "{{" in node:
            made = self._value(node, path, scope, "merged")
            if made is not _ABSENT:
                self._to.put_if(made.test, f"{self._names.runtime(items.merge)}({into}, {made.text})")
            return
        place = self._to.positions.value(path)
        self._to.problem(place.line, place.column, f"{what} put the fields of objects into an object: this is none")

    def _choice(self, node: dict[str, Any], blocks: dict[str, Block], path: Path, scope: Scope, wish: str) -> Made:
        name = self._names.new(wish)
        chosen = next(key for key, b in blocks.items() if b.kind == "if")
        other = next((key for key, b in blocks.items() if b.kind == "else"), None)
        with self._to.branch(f"if {self._to.condition(blocks[chosen], chosen, path, scope)}:"):
            first = self._settle(node[chosen], (*path, chosen), scope, name)
        with self._to.branch("else:"):
            if other is None:
                self._to.line(f"{name} = None")
                second = _ABSENT
            else:
                second = self._settle(node[other], (*path, other), scope, name)
        null = first.null or second.null
        if (first.several and second.several) or (second is _ABSENT and first.several) or (
                first is _ABSENT and second.several):  # fmt: skip
            return Made(name, name, several=True, null=null)
        if first.several or second.several:
            # One branch gives a list and the other does not: only running it shows which.
            return Made(name, f"{name} is not None", null=self._to.null(True))
        return Made(name, f"{name} is not None", null=null)

    def _settle(self, node: Any, path: Path, scope: Scope, name: str) -> Made:
        made = self._value(node, path, scope, name)
        if not made.test and made.text.isidentifier() and made is not _ABSENT:
            # A null that is kept must not look like nothing.
            self._to.line(f"{name} = {self._names.runtime(items.kept)}({made.text})")
            return replace(made, null=self._to.null(True))
        if made.text == "None" and not made.test:
            self._to.line(f"{name} = NULL")
            return replace(made, null=self._to.null(True))
        self._to.line(f"{name} = {made.text} if {made.test} else None" if made.test else f"{name} = {made.text}")
        return made

    def _loop(
        self, node: dict[str, Any], blocks: dict[str, Block], key: str, path: Path, scope: Scope, into: str
    ) -> None:
        block = blocks[key]
        place = self._to.positions.key((*path, key))
        if len(blocks) > 1:
            self._to.problem(place.line, place.column, f"`{key}` must be the only key of its object")
            return
        self._to.place = place
        piece = Inserted(block.expression, block.offset, keep=False)
        each = f"{self._names.runtime(items.items)}({self._to.code(piece, key, scope)})"
        if block.kind == "for":
            item = self._names.new(block.item)
            inner = replace(scope, variables={**scope.variables, block.item: item})
            head = f"for {item} in {each}:"
            if block.index:
                index = self._names.new(block.index)
                inner = replace(inner, variables={**inner.variables, block.index: index})
                head = f"for {index}, {item} in enumerate({each}):"
            with self._to.branch(head, piece, key):
                self._append(node[key], (*path, key), inner, into)
            return
        item = self._names.new("item")
        record = self._names.new("fields_of")
        with self._to.branch(f"for {item} in {each}:", piece, key):
            mark = len(self._to.lines)
            fields = self._names.runtime(items.fields)
            self._to.line(f"{record} = {item} if {item}.__class__ is dict else {fields}({item})")
            self._append(node[key], (*path, key), replace(scope, this=item, record=record, guarded=False), into)
            if not any(f"{record}.get(" in line for line in self._to.lines[mark + 1 :]):
                del self._to.lines[mark], self._to.places[mark]

    def _blocks(self, node: dict[str, Any], path: Path, scope: Scope) -> tuple[dict[str, Block], Scope]:
        """What each key stands for, and the scope with what `assign` names; assign itself is written."""
        blocks: dict[str, Block] = {}
        for key in node:
            place = self._to.positions.key((*path, key))
            try:
                block = block_of(key)
            except UnreadableError as error:
                self._to.problem(place.line, place.column, str(error))
                continue
            if block.kind != "field" and block.kind in {b.kind for b in blocks.values()}:
                self._to.problem(place.line, place.column, f"a second `{block.kind}` in one object")
                continue
            blocks[key] = block
        kinds = {b.kind for b in blocks.values()}
        if "else" in kinds and "if" not in kinds:
            place = self._to.positions.key((*path, next(k for k, b in blocks.items() if b.kind == "else")))
            self._to.problem(place.line, place.column, "`else` without `if`")
            blocks = {k: b for k, b in blocks.items() if b.kind != "else"}
        assigned = next((k for k, b in blocks.items() if b.kind == "assign"), None)
        if assigned is not None:
            scope = self._assign(node[assigned], (*path, assigned), scope)
            del blocks[assigned]
        return blocks, scope

    def _assign(self, node: Any, path: Path, scope: Scope) -> Scope:
        steps = node if isinstance(node, list) else [node]
        for index, step in enumerate(steps):
            at = (*path, index) if isinstance(node, list) else path
            if not isinstance(step, dict) or len(step) != 1:
                place = self._to.positions.value(at)
                self._to.problem(
                    place.line, place.column, "assign takes objects with one key each: the variable's name"
                )
                continue
            variable, value = next(iter(step.items()))
            self._lent = isinstance(value, str)
            made = self._value(value, (*at, variable), scope, variable)
            self._lent = False
            name = made.text
            if not made.text.isidentifier() or made.null:
                name = self._names.new(variable)
                text = f"(None if {made.text} is NULL else {made.text})" if made.null else made.text
                self._to.line(f"{name} = {text} if {made.test} else None" if made.test else f"{name} = {text}")
            scope = replace(scope, variables={**scope.variables, variable: name})
        return scope

    def _put(self, made: Made, into: str, key: str) -> None:
        if made is _ABSENT:
            return
        text = f"None if {made.text} is NULL else {made.text}" if made.null else made.text
        self._to.put_if(made.test, f"{into}[{key!r}] = {text}")


def _constant(node: Any) -> bool:
    if isinstance(node, str):
        return "{{" not in node and not node.startswith("{[")
    if isinstance(node, list):
        return all(_constant(child) for child in node)
    if isinstance(node, dict):
        return all(not key.startswith(("{%", "{[")) and "{{" not in key and _constant(v) for key, v in node.items())
    return True


def _format(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
