"""The Python statements of one template as they are written: where in the file each comes from, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from adapter.core.mapping import items
from adapter.core.mapping.compiler import Compiler
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.pieces import Block, Inserted
from adapter.core.mapping.positions import Path, Place, Positions
from adapter.core.mapping.scope import Scope
from adapter.core.mapping.syntax import Node, parse


class Statements:
    """Statements, the place in the file that each comes from, and every problem found."""

    def __init__(self, compiler: Compiler, positions: Positions) -> None:
        self.compiler = compiler
        self.positions = positions
        self.place = Place()
        """Of what is being written."""
        self.lines: list[str] = []
        self.places: list[tuple[int, int]] = []
        self.problems: list[tuple[int, int, str]] = []
        self._depth = 1

    def put_if(self, test: str, statement: str) -> None:
        """A statement; only where the test holds, if there is one."""
        self.line(f"if {test}: {statement}" if test else statement)

    def condition(self, block: Block, key: str, path: Path, scope: Scope) -> str:
        """The Python text of a block's test."""
        self.place = self.positions.key((*path, key))
        node = self.parsed(block.expression, key, block.offset)
        if node is None:
            return "False"
        try:
            return self.compiler.condition(node, scope)
        except ExpressionError as error:
            self.misplaced(error, key, block.offset)
            return "False"

    def code(self, piece: Inserted, text: str, scope: Scope) -> str:
        """The Python text of an expression: nothing, and a problem, where it is none."""
        node = self.parsed(piece.expression, text, piece.offset)
        if node is None:
            return "None"
        try:
            return self.compiler.code(node, scope).text
        except ExpressionError as error:
            self.misplaced(error, text, piece.offset)
            return "None"

    def parsed(self, expression: str, text: str, offset: int) -> Node | None:
        try:
            return parse(expression)
        except ExpressionError as error:
            self.misplaced(error, text, offset)
            return None

    def misplaced(self, error: ExpressionError, text: str, offset: int) -> None:
        line, column = self.place.within(text, offset, error.line, error.column)
        self.problem(line, column, error.reason)

    def problem(self, line: int, column: int, reason: str) -> None:
        if (line, column, reason) not in self.problems:
            self.problems.append((line, column, reason))

    def null(self, used: bool) -> bool:
        """A null that is kept may come of it: then the statements know it by its name."""
        if used:
            self.compiler.names.namespace["NULL"] = items.NULL
        return used

    @contextmanager
    def branch(self, head: str, piece: Inserted | None = None, text: str = "") -> Iterator[None]:
        """What is written meanwhile stands below this head."""
        self.line(head, piece, text)
        self._depth += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.line("pass")
        self._depth -= 1

    def line(self, text: str, piece: Inserted | None = None, whole: str = "") -> None:
        place = self.place.within(whole, piece.offset) if piece else (self.place.line, 0)
        self.lines.append("    " * self._depth + text)
        self.places.append(place)
