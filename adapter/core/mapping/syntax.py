"""From the text of a FHIRPath expression to its tree, or to a reason with line and column why it is none.

The grammar is fhirpathpy's, entered at its whole-expression rule, so that nothing may follow an expression. Its
precedence of `is` and `as`, which it places below `|` and `<`, is put right here (FHIRPath N1, section 6.9).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from antlr4 import CommonTokenStream, InputStream
from antlr4.error.ErrorListener import ErrorListener
from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser

from adapter.core.mapping.dates import Temporal, read_date, read_date_time, read_time
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.quantities import Quantity

_ESCAPES = {"f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_LONGEST = 10_000
_MOST_DIGITS = 40


@dataclass(frozen=True, slots=True)
class Node:
    """Where in the expression a part of it begins, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A bool, str, int, Decimal, Temporal or Quantity; None is the empty collection `{}`."""

    value: Any


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """`%name`"""

    name: str


@dataclass(frozen=True, slots=True)
class Special(Node):
    """`$this`, `$index` or `$total`"""

    name: str


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`target.name`; without a target, a member of what the expression is applied to."""

    target: Node | None
    name: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`target.name(arguments)`"""

    target: Node | None
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`target[position]`"""

    target: Node
    position: Node


@dataclass(frozen=True, slots=True)
class Unary(Node):
    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    operator: str
    left: Node
    right: Node
    grouped: bool = False


@dataclass(frozen=True, slots=True)
class Typed(Node):
    """`operand is Type`, `operand as Type`"""

    operator: str
    operand: Node
    type: str


class _Listener(ErrorListener):  # type: ignore[misc]  # antlr4 carries no types
    def syntaxError(  # noqa: N802  # antlr4's name
        self, recognizer: Any, symbol: Any, line: int, column: int, msg: str, e: Any
    ) -> None:
        token = getattr(symbol, "text", None)
        if token == "<EOF>":  # noqa: S105  # antlr4's name of the end
            raise ExpressionError("the expression ends too early", line, column + 1)
        if token in _WORDS:
            raise ExpressionError(f"`{token}` is a word of FHIRPath: a field of that name is written with backticks "
                                  "around it", line, column + 1)  # fmt: skip
        raise ExpressionError(f"`{token}` is not expected here" if token else "this is no FHIRPath", line, column + 1)


_UNITS = ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
_WORDS = frozenset({*_UNITS, *(f"{u}s" for u in _UNITS), "and", "or", "xor", "implies", "div", "mod", "true", "false"})


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """The tree of one whole expression; ExpressionError with line and column where it is not one.

    A tree never changes, and reading it takes most of the time that loading the files does: the same text is read once.
    """
    if not text.strip():
        raise ExpressionError("the expression is empty", 1, 1)
    if len(text) > _LONGEST:
        raise ExpressionError(f"the expression is longer than {_LONGEST} characters", 1, 1)
    listener = _Listener()
    lexer = FHIRPathLexer(InputStream(text))
    lexer.removeErrorListeners()
    lexer.addErrorListener(listener)
    stream = CommonTokenStream(lexer)
    stream.fill()
    stream.tokens = _dates_joined(stream.tokens)
    parser: Any = FHIRPathParser(stream)
    parser.removeErrorListeners()
    parser.addErrorListener(listener)
    try:
        return _read(parser.entireExpression().expression())
    except RecursionError:
        raise ExpressionError("the expression is nested too deep", 1, 1) from None


def _dates_joined(tokens: list[Any]) -> list[Any]:
    """`@2015T` is a dateTime without hours, which the grammar reads as a date and a word."""
    kept: list[Any] = []
    for token in tokens:
        last = kept[-1] if kept else None
        if (last is not None and last.type == FHIRPathLexer.DATETIME and token.text == "T"
                and token.start == last.stop + 1):  # fmt: skip
            last.text = last.text + "T"
            last.stop = token.stop
            continue
        kept.append(token)
    for index, token in enumerate(kept):
        token.tokenIndex = index
    return kept


def _read(ctx: Any) -> Node:
    at = (ctx.start.line, ctx.start.column + 1)
    match type(ctx).__name__.removesuffix("Context"):
        case "TermExpression" | "InvocationTerm" | "LiteralTerm" | "ExternalConstantTerm":
            return _read(ctx.getChild(0))
        case "ParenthesizedTerm":
            inner = _read(ctx.expression())
            return replace(inner, grouped=True) if isinstance(inner, Binary) else inner
        case "InvocationExpression":
            return _invoke(_read(ctx.expression()), ctx.invocation())
        case "MemberInvocation" | "FunctionInvocation":
            return _invoke(None, ctx)
        case "ThisInvocation" | "IndexInvocation" | "TotalInvocation":
            return Special(*at, ctx.getText()[1:])
        case "IndexerExpression":
            return Index(*at, _read(ctx.expression(0)), _read(ctx.expression(1)))
        case "PolarityExpression":
            return Unary(*at, ctx.getChild(0).getText(), _read(ctx.expression()))
        case "TypeExpression":
            return _typed(at, ctx.getChild(1).getText(), _read(ctx.expression()), _type_name(ctx.typeSpecifier()))
        case "ExternalConstant":
            name = ctx.getChild(1)
            return Variable(*at, _unquoted(name.getText()))
        case "NullLiteral":
            return Literal(*at, None)
        case "BooleanLiteral":
            return Literal(*at, ctx.getText() == "true")
        case "StringLiteral":
            return Literal(*at, _unquoted(ctx.getText()))
        case "NumberLiteral":
            text = ctx.getText()
            if len(text) > _MOST_DIGITS:
                raise ExpressionError(f"a number has at most {_MOST_DIGITS} digits", *at)
            return Literal(*at, Decimal(text) if "." in text else int(text))
        case "DateTimeLiteral" | "TimeLiteral":
            return Literal(*at, _moment(ctx.getText(), at))
        case "QuantityLiteral":
            return Literal(*at, _quantity(ctx.quantity()))
        case _:
            return Binary(*at, ctx.getChild(1).getText(), _read(ctx.expression(0)), _read(ctx.expression(1)))


def _invoke(target: Node | None, ctx: Any) -> Node:
    at = (ctx.start.line, ctx.start.column + 1)
    match type(ctx).__name__:
        case "MemberInvocationContext":
            return Member(*at, target, _unquoted(ctx.getText()))
        case "FunctionInvocationContext":
            function = ctx.functn()
            given = function.paramList()
            arguments = tuple(_read(e) for e in given.expression()) if given else ()
            return Call(*at, target, _unquoted(function.identifier().getText()), arguments)
    raise ExpressionError(f"`{ctx.getText()}` cannot follow a dot", *at)


def _typed(at: tuple[int, int], operator: str, operand: Node, name: str) -> Node:
    if isinstance(operand, Binary) and not operand.grouped and operand.operator in {"|", "<", ">", "<=", ">="}:
        return replace(operand, right=_typed(at, operator, operand.right, name))
    return Typed(*at, operator, operand, name)


def _type_name(ctx: Any) -> str:
    return ".".join(_unquoted(i.getText()) for i in ctx.qualifiedIdentifier().identifier())


def _moment(text: str, at: tuple[int, int]) -> Temporal:
    if text.startswith("@T"):
        found = read_time(text[1:])
    else:
        found = read_date_time(text[1:]) if "T" in text else read_date(text[1:])
    if found is None:
        raise ExpressionError(f"`{text}` is no date or time", *at)
    return found


def _quantity(ctx: Any) -> Quantity:
    unit = ctx.unit().getText()
    quoted = unit.startswith("'")
    return Quantity(Decimal(ctx.NUMBER().getText()), _unquoted(unit) if quoted else unit, not quoted)


def _unquoted(text: str) -> str:
    if text[0] not in "'`":
        return text

    def escape(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPES.get(code, code)

    return _ESCAPE.sub(escape, text[1:-1])
