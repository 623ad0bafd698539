"""Reads JSON that others wrote, refusing every ambiguity, and writes JSON with exactly the numbers that were read."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal, DecimalException
from typing import Any, NoReturn

import orjson

from adapter.errors import Malformed, Problem, TooLarge

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+'
_BRACKETS = re.compile(rf"{_STRING}|([\[{{])|([\]}}])", re.DOTALL)
_NUMBERS = re.compile(rf"{_STRING}|(-?(?:Infinity|[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)|NaN)", re.DOTALL)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")

_WIDEST_INTEGER = 2**63
_LONGEST_NUMBER = 400
_LARGEST_EXPONENT = 308  # that of an IEEE 754 double: a receiver that reads doubles must not see infinity, or zero
_SMALLEST_PLAIN = -20
_MOST_PROBLEMS = 1000


class _OutOfRangeError(ValueError):
    """A number that does not survive a reader of doubles or of 64-bit integers."""


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, when its keys are looked at one by one."""


def parse(body: bytes, *, max_bytes: int = 5_000_000, max_depth: int = 64) -> Any:
    """The value that `body` holds (RFC 8259, UTF-8): numbers with a fraction or an exponent as Decimal, exactly.

    Raises TooLarge (bytes, nesting) and Malformed (byte order mark, not UTF-8, not JSON, NaN and Infinity, a number out
    of the range of doubles or of 64-bit integers, a lone surrogate, a key twice). Texts of errors name a line and a
    column or a JSON Pointer, never a value.
    """
    if len(body) > max_bytes:
        raise TooLarge(f"The body is larger than {max_bytes} bytes.")
    text = _decoded(body)
    _check_depth(text, max_depth)
    doubled: list[None] = []

    def read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        read = dict(pairs)
        if len(read) != len(pairs):
            doubled.append(None)
        return read

    value = _loads(text, read_object)
    if doubled:
        raise Malformed("A key occurs more than once in one object.", _doubled_keys(_loads(text, _Pairs)))
    if _SURROGATE_ESCAPE.search(text):
        _check_surrogates(value)
    return value


def dump(value: Any) -> bytes:
    """Compact JSON in UTF-8, keys in the order they have, each Decimal with the digits it was given.

    Raises ValueError for what JSON cannot say: NaN, infinities, lone surrogates, integers beyond 64 bits, other types.
    """
    return _dumped(value, _PASS)


def load(content: bytes) -> Any:
    """What `dump` or `canonical` wrote, read back: each number with its digits. Not for bytes that others wrote."""
    return json.loads(content, parse_float=Decimal)


def canonical(value: Any) -> bytes:
    """As `dump`, with the keys of every object sorted: equal values give equal bytes."""
    return _dumped(value, _PASS | orjson.OPT_SORT_KEYS)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _decoded(body: bytes) -> str:
    if body.startswith(_MARKS):
        raise Malformed("The body begins with a byte order mark; plain UTF-8 is expected.")
    if not body.strip():
        raise Malformed("The body is empty; a JSON value is expected.")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        column = error.start - body.rfind(b"\n", 0, error.start)
        raise Malformed(f"The body is not UTF-8: line {line}, byte {column}.") from None


def _check_depth(text: str, max_depth: int) -> None:
    """Before anything recursive reads the text: brackets outside of strings never open deeper than max_depth."""
    if text.count("[") + text.count("{") <= max_depth:
        return
    depth = 0
    for token in _BRACKETS.finditer(text):
        if token[1]:
            depth += 1
            if depth > max_depth:
                raise TooLarge(f"The JSON is nested deeper than {max_depth} levels, {_place(text, token.start())}.")
        elif token[2]:
            depth -= 1


def _loads(text: str, read_object: Callable[[list[tuple[str, Any]]], Any]) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=read_object,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        sentence = error.msg.removesuffix(" at").replace("\\", "backslash ")
        raise Malformed(f"This is not JSON: {sentence}, line {error.lineno}, column {error.colno}.") from None
    except _OutOfRangeError as error:
        raise Malformed(f"{error}, {_place(text, _first_bad_number(text))}.") from None


def _decimal(digits: str) -> Decimal:
    if len(digits) > _LONGEST_NUMBER:
        raise _OutOfRangeError("A number is too long")
    try:
        number = Decimal(digits)
    except DecimalException:
        raise _OutOfRangeError("A number is out of range") from None
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise _OutOfRangeError("A number is out of range")
    return number


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -_WIDEST_INTEGER <= (number := int(digits)) < _WIDEST_INTEGER:
        raise _OutOfRangeError("An integer is out of range")
    return number


def _constant(word: str) -> NoReturn:
    raise _OutOfRangeError("NaN and Infinity are not JSON")


def _first_bad_number(text: str) -> int:
    """Where the reader stopped: it gives its number readers no position, so that it is looked for again."""
    for token in _NUMBERS.finditer(text):
        if not (word := token[1]):
            continue
        try:
            (_constant if word[-1] in "Ny" else _integer if word.lstrip("-").isdigit() else _decimal)(word)
        except _OutOfRangeError:
            return token.start()
    return 0


def _place(text: str, position: int) -> str:
    return f"line {text.count(chr(10), 0, position) + 1}, column {position - text.rfind(chr(10), 0, position)}"


def _doubled_keys(value: Any) -> list[Problem]:
    problems: list[Problem] = []
    for pointer, node in _walk(value):
        if isinstance(node, _Pairs) and len(problems) < _MOST_PROBLEMS:
            twice = (key for key, times in Counter(key for key, _ in node).items() if times > 1)
            problems += [Problem(f"{pointer}/{_escaped(key)}", "occurs more than once") for key in twice]
    return sorted(problems[:_MOST_PROBLEMS])


def _check_surrogates(value: Any) -> None:
    problems = []
    for pointer, node in _walk(value):
        texts = [node] if isinstance(node, str) else list(node) if isinstance(node, dict) else []
        if any(_SURROGATE.search(text) for text in texts):
            problems.append(Problem(_SURROGATE.sub("?", pointer), "holds half of a surrogate pair: no character"))
    if problems:
        raise Malformed("A text holds half of a surrogate pair.", problems[:_MOST_PROBLEMS])


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Every node with its JSON Pointer (RFC 6901), without recursion."""
    waiting = [("", value)]
    while waiting:
        pointer, node = waiting.pop()
        yield pointer, node
        if isinstance(node, dict):
            waiting += [(f"{pointer}/{_escaped(key)}", inner) for key, inner in node.items()]
        elif isinstance(node, _Pairs):
            waiting += [(f"{pointer}/{_escaped(key)}", inner) for key, inner in node]
        elif isinstance(node, list):
            waiting += [(f"{pointer}/{index}", inner) for index, inner in enumerate(node)]


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


_PASS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def _dumped(value: Any, options: int) -> bytes:
    try:
        made = orjson.dumps(value, default=_number, option=options)
    except TypeError as error:  # orjson's own error is one; its text can name a type, never a value
        raise ValueError(f"This value cannot be written as JSON: {error}.") from None
    if b"null" in made:  # orjson writes NaN and the infinities as null
        _check_finite(value)
    return made


def _number(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        # Plain where that adds no digits: 0.0000001 as it was written, and not Python's 1E-7.
        plain = "E-" in (text := str(value)) and value.adjusted() >= _SMALLEST_PLAIN
        return orjson.Fragment(format(value, "f") if plain else text)
    raise TypeError("a number that is not finite, or a type that JSON does not have")


def _check_finite(value: Any) -> None:
    for _, node in _walk(value):
        if isinstance(node, float) and (node != node or node in (float("inf"), float("-inf"))):
            raise ValueError("This value cannot be written as JSON: a number that is not finite.")
