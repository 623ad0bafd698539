"""Reading JSON that others wrote: every ambiguity is refused, and numbers come out as they went in."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.strict_json import canonical, digest, dump, parse
from adapter.errors import AdapterError, Malformed, TooLarge

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        pytest.param(b"\xef\xbb\xbf{}", Malformed, "byte order mark", id="a byte order mark"),
        pytest.param(b"\xff\xfe{\x00}\x00", Malformed, "byte order mark", id="UTF-16"),
        pytest.param(b"", Malformed, "empty", id="no body"),
        pytest.param(b" \n", Malformed, "empty", id="blanks"),
        pytest.param(b'{"a":\n "\xff"}', Malformed, "not UTF-8: line 2, byte 3", id="a byte that is no UTF-8"),
        pytest.param(b'"\xed\xa0\x80"', Malformed, "not UTF-8", id="a surrogate written in UTF-8"),
        pytest.param(b'{"a": 1,\n "b": }', Malformed, "line 2, column 7", id="a value that is missing"),
        pytest.param(b"[1] [2]", Malformed, "Extra data, line 1, column 5", id="two values"),
        pytest.param(b'"abc', Malformed, "Unterminated string", id="a text without an end"),
        pytest.param(b'"a\nb"', Malformed, "control character", id="a line break in a text"),
        pytest.param(b"[01]", Malformed, "column 3", id="a number with a leading zero"),
        pytest.param(b"{'a': 1}", Malformed, "double quotes", id="single quotes"),
        pytest.param(b'{"x": "NaN",\n "y": NaN}', Malformed, "Infinity are not JSON, line 2, column 7", id="NaN"),
        pytest.param(b"[-Infinity]", Malformed, "line 1, column 2", id="an infinity"),
        pytest.param(b'["1e400", 1e400]', Malformed, "out of range, line 1, column 11", id="beyond a double"),
        pytest.param(b"[1e-400]", Malformed, "out of range", id="so small that a double is zero"),
        pytest.param(b"[1e99999999999999999999]", Malformed, "out of range", id="an exponent beyond reason"),
        pytest.param(b"[0." + b"1" * 500 + b"]", Malformed, "too long", id="digits beyond reason"),
        pytest.param(b"[" + b"9" * 5000 + b"]", Malformed, "integer is out of range", id="ten to the 5000"),
        pytest.param(b"[9223372036854775808]", Malformed, "integer is out of range", id="beyond 64 bits"),
        pytest.param(b"[" * 65 + b"]" * 65, TooLarge, "deeper than 64 levels, line 1, column 65", id="65 levels"),
        pytest.param(b"[" * 100_000, TooLarge, "deeper than 64", id="100,000 levels that never close"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, TooLarge, "deeper than 64", id="100,000 objects"),
        pytest.param(b'"' + b"a" * 5_000_000 + b'"', TooLarge, "larger than 5000000 bytes", id="more than 5 MB"),
    ],
)
def test_what_is_refused(body: bytes, error: type[AdapterError], says: str) -> None:
    """Each refusal has its class and says where."""
    with pytest.raises(error) as raised:
        parse(body)
    assert type(raised.value) is error
    assert says in raised.value.detail


def test_every_key_that_occurs_twice_is_named() -> None:
    """All at once, each with its JSON Pointer, also inside of each other."""
    with pytest.raises(Malformed) as raised:
        parse(b'{"a/b": 1, "c": [{"d": 1, "d": {"e": 1, "e": 2}}], "a/b": 2, "f": {"d": 1}}')
    assert [problem.pointer for problem in raised.value.problems] == ["/a~1b", "/c/0/d", "/c/0/d/e"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [(rb'{"a": ["x", "\ud800"]}', "/a/1"), (rb'{"a": {"\uDC00": 1}}', "/a"), (rb'["\ud83d\u0041"]', "/0")],
    ids=["a high half", "a low half as a key", "a high half before a letter"],
)
def test_half_a_character_is_refused(body: bytes, pointer: str) -> None:
    """A lone surrogate cannot be written as UTF-8, so that it never comes in."""
    with pytest.raises(Malformed) as raised:
        parse(body)
    assert [problem.pointer for problem in raised.value.problems] == [pointer]


def test_brackets_in_texts_are_not_levels() -> None:
    """Depth is counted outside of strings only, whatever quotes and backslashes they hold."""
    text = '\\"[{[' * 100
    assert parse(json.dumps([text]).encode()) == [text]
    assert parse(b"[" * 64 + b"]" * 64) is not None
    assert parse(rb'["\ud83d\ude00"]') == ["\U0001f600"]


@pytest.mark.parametrize(
    ("written", "again"),
    [
        ("1.50", "1.50"),
        ("0.0000001", "0.0000001"),
        ("-0.0", "-0.0"),
        ("1e2", "1E+2"),
        ("3.14159265358979323846264338327950288", "3.14159265358979323846264338327950288"),
        ("1e-300", "1E-300"),
        ("7", "7"),
        ("-9223372036854775808", "-9223372036854775808"),
    ],
)
def test_numbers_keep_their_digits(written: str, again: str) -> None:
    """FHIR decimals have a precision: what was 1.50 is never 1.5, and no digit is added or lost."""
    assert dump(parse(written.encode())) == again.encode()
    assert Decimal(again) == Decimal(written)


@pytest.mark.parametrize(
    "value",
    [math.nan, [None, math.inf], Decimal("NaN"), Decimal("Infinity"), "\ud800", 2**64, {1: 2}, object(), b"x", {1, 2}],
    ids=["NaN", "infinity", "decimal NaN", "decimal infinity", "surrogate", "65 bits", "key", "object", "bytes", "set"],
)
def test_what_json_cannot_say_is_not_written(value: Any) -> None:
    """Never null in place of a number, never a guess."""
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        dump(value)


@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    """parse(dump(x)) is x, digit for digit."""
    again = parse(dump(value))
    assert again == value
    assert dump(again) == dump(value)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_equal_values_have_one_digest(value: dict[str, Any]) -> None:
    """The canonical form does not depend on the order of keys."""
    turned = dict(reversed(value.items()))
    assert canonical(turned) == canonical(value)
    assert digest(turned) == digest(value)
    assert parse(canonical(value)) == value


@given(st.binary(max_size=40) | st.text('[]{}",:\\u0d8aefINtrl 019.-', max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Nothing else than a value or one of two errors comes out; what is read, other readers read too."""
    try:
        value = parse(body)
    except (Malformed, TooLarge):
        return
    assert json.loads(body, parse_float=Decimal) == value


@given(st.text(min_size=3, max_size=12))
def test_no_refusal_repeats_what_was_sent(secret: str) -> None:
    """The sentence of a refusal is ours alone."""
    marked = f"Ama{secret}Example"
    with pytest.raises(Malformed) as raised:
        parse(json.dumps({"name": marked}).encode() + b"]")
    assert "Ama" not in raised.value.detail
