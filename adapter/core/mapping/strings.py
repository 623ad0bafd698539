"""The string functions of FHIRPath (N1, section 5.6; encode, escape, trim, split and join of its continuation)."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from typing import Any

from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.items import items, raw, single


def _text(x: Any, what: str) -> str | None:
    value = single(x, what)
    if value is None or isinstance(value, str):
        return value
    raise ExpressionError(f"{what}() works on text")


def _whole(x: Any, what: str) -> int | None:
    value = single(x, what)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ExpressionError(f"{what}() takes a whole number")


def upper(x: Any) -> str | None:
    text = _text(x, "upper")
    return None if text is None else text.upper()


def lower(x: Any) -> str | None:
    text = _text(x, "lower")
    return None if text is None else text.lower()


def trim(x: Any) -> str | None:
    text = _text(x, "trim")
    return None if text is None else text.strip()


def length(x: Any) -> int | None:
    text = _text(x, "length")
    return None if text is None else len(text)


def to_chars(x: Any) -> list[str] | None:
    text = _text(x, "toChars")
    return None if text is None else list(text)


def index_of(x: Any, part: Any) -> int | None:
    text, wanted = _text(x, "indexOf"), _text(part, "indexOf")
    return None if text is None or wanted is None else text.find(wanted)


def last_index_of(x: Any, part: Any) -> int | None:
    text, wanted = _text(x, "lastIndexOf"), _text(part, "lastIndexOf")
    return None if text is None or wanted is None else text.rfind(wanted)


def substring(x: Any, begin: Any, count: Any = None) -> str | None:
    """Nothing where the start lies outside of the text."""
    text, start, size = _text(x, "substring"), _whole(begin, "substring"), _whole(count, "substring")
    if text is None or start is None or not 0 <= start < len(text):
        return None
    return text[start:] if size is None else text[start : start + max(0, size)]


def starts_with(x: Any, part: Any) -> bool | None:
    text, wanted = _text(x, "startsWith"), _text(part, "startsWith")
    return None if text is None or wanted is None else text.startswith(wanted)


def ends_with(x: Any, part: Any) -> bool | None:
    text, wanted = _text(x, "endsWith"), _text(part, "endsWith")
    return None if text is None or wanted is None else text.endswith(wanted)


def holds_text(x: Any, part: Any) -> bool | None:
    """`contains('part')`"""
    text, wanted = _text(x, "contains"), _text(part, "contains")
    return None if text is None or wanted is None else wanted in text


def replace(x: Any, part: Any, by: Any) -> str | None:
    text, wanted, put = _text(x, "replace"), _text(part, "replace"), _text(by, "replace")
    return None if text is None or wanted is None or put is None else text.replace(wanted, put)


def matches(x: Any, pattern: Any) -> bool | None:
    """Whether the pattern is found anywhere; `.` also matches a line's end (N1, 5.6.9)."""
    text, wanted = _text(x, "matches"), _text(pattern, "matches")
    return None if text is None or wanted is None else _compiled(wanted).search(text) is not None


def matches_full(x: Any, pattern: Any) -> bool | None:
    text, wanted = _text(x, "matchesFull"), _text(pattern, "matchesFull")
    return None if text is None or wanted is None else _compiled(wanted).fullmatch(text) is not None


def replace_matches(x: Any, pattern: Any, by: Any) -> str | None:
    """Groups are put back as `$1` or `${name}`; an empty pattern replaces nothing."""
    text, wanted, put = (_text(v, "replaceMatches") for v in (x, pattern, by))
    if text is None or wanted is None or put is None:
        return None
    python = re.sub(r"\$(?:(\d+)|\{(\w+)\})", lambda m: f"\\g<{m[1] or m[2]}>", put.replace("\\", "\\\\"))
    try:
        return _compiled(wanted).sub(python, text) if wanted else text
    except (re.error, IndexError):
        raise ExpressionError("replaceMatches() names a group that its pattern does not have") from None


def split(x: Any, separator: Any) -> list[str] | None:
    text, wanted = _text(x, "split"), _text(separator, "split")
    if text is None or wanted is None:
        return None
    return text.split(wanted) if wanted else list(text)


def join(x: Any, separator: Any = None) -> str | None:
    """All texts as one; nothing for nothing."""
    between = _text(separator, "join") or ""
    parts = [raw(i) for i in items(x)]
    if not all(isinstance(p, str) for p in parts):
        raise ExpressionError("join() works on text")
    return between.join(parts) if parts else None


def encode(x: Any, kind: Any) -> str | None:
    text, form = _text(x, "encode"), _text(kind, "encode")
    if text is None or form is None:
        return None
    data = text.encode()
    match form:
        case "hex":
            return data.hex()
        case "base64":
            return base64.b64encode(data).decode()
        case "urlbase64":
            return base64.urlsafe_b64encode(data).decode()
    raise ExpressionError("encode() knows hex, base64 and urlbase64")


def decode(x: Any, kind: Any) -> str | None:
    """Nothing where the text is not in that form."""
    text, form = _text(x, "decode"), _text(kind, "decode")
    if text is None or form is None:
        return None
    try:
        match form:
            case "hex":
                return bytes.fromhex(text).decode()
            case "base64":
                return base64.b64decode(text, validate=True).decode()
            case "urlbase64":
                return base64.b64decode(text, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    raise ExpressionError("decode() knows hex, base64 and urlbase64")


def escape(x: Any, kind: Any) -> str | None:
    text, form = _text(x, "escape"), _text(kind, "escape")
    if text is None or form is None:
        return None
    match form:
        case "html":
            return html.escape(text)
        case "json":
            return json.dumps(text, ensure_ascii=False)[1:-1]
    raise ExpressionError("escape() knows html and json")


def unescape(x: Any, kind: Any) -> str | None:
    text, form = _text(x, "unescape"), _text(kind, "unescape")
    if text is None or form is None:
        return None
    match form:
        case "html":
            return html.unescape(text)
        case "json":
            # A quotation mark that is not escaped is taken as it stands.
            quoted = re.sub(r'\\.|"', lambda m: '\\"' if m[0] == '"' else m[0], text)
            try:
                return str(json.loads(f'"{quoted}"', strict=False))
            except ValueError:
                return None
    raise ExpressionError("unescape() knows html and json")


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        raise ExpressionError("the pattern is no regular expression") from None
