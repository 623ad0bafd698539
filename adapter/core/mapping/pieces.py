"""The strings of FHIRPath Mapping Language: which are templates, and where their expressions begin and end.

Source: https://github.com/beda-software/FHIRPathMappingLanguage, *Specification*. Braces and brackets inside of a
FHIRPath string (`'}}'`) or an empty collection (`{}`) do not end an expression.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CLOSED = r"(?:'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|\{\s*\}|(?!%s).)+?"
_SINGLE = re.compile(r"\{\{(\+?)(" + _CLOSED % r"\+?\}\}" + r")(\+?)\}\}", re.DOTALL)
_ARRAY = re.compile(r"\{\[(" + _CLOSED % r"\]\}" + r")\]\}", re.DOTALL)
_BLOCK = re.compile(r"\{%\s*(.*?)\s*%\}", re.DOTALL)
_FOR = re.compile(r"for\s+(?:(\w+)\s*,\s*)?(\w+)\s+in\s+(.+)", re.DOTALL)
_IF = re.compile(r"if\s+(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Inserted:
    """One `{{ expression }}` of a text; `keep` for `{{+ expression +}}`, which leaves null where it is empty."""

    expression: str
    offset: int
    keep: bool


@dataclass(frozen=True, slots=True)
class Block:
    """What the key of an object stands for: `field`, or a block with its expression and names."""

    kind: str
    expression: str = ""
    offset: int = 0
    item: str = ""
    index: str = ""


class UnreadableError(Exception):
    """A string or key that looks like a template and is none; the text is the reason."""


def array_of(text: str) -> Inserted | None:
    """`{[ expression ]}`: the whole string, or not at all."""
    if not text.startswith("{["):
        return None
    match = _ARRAY.fullmatch(text)
    if match is None:
        raise UnreadableError("`{[` begins the whole text, and `]}` ends it")
    return Inserted(*_stripped(match[1], 2), keep=False)


def pieces_of(text: str) -> list[str | Inserted]:
    """The constant and the inserted parts of a text, in order."""
    found: list[str | Inserted] = []
    end = 0
    for match in _SINGLE.finditer(text):
        if match.start() > end:
            found.append(text[end : match.start()])
        found.append(Inserted(*_stripped(match[2], match.start(2)), keep=bool(match[1])))
        end = match.end()
    if end < len(text):
        found.append(text[end:])
    if any(isinstance(part, str) and "{{" in part for part in found):
        raise UnreadableError("`{{` without `}}`")
    return found


def block_of(key: str) -> Block:
    """What a key stands for."""
    if key.startswith("{%"):
        match = _BLOCK.fullmatch(key)
        if match is None:
            raise UnreadableError("`{%` without `%}`")
        return _named(match[1], match.start(1))
    if "{{" in key:
        found = pieces_of(key)
        if len(found) == 1 and isinstance(found[0], Inserted):
            return Block("context", found[0].expression, found[0].offset)
        raise UnreadableError("a key is a name or one whole `{{ expression }}`")
    if key.startswith("{["):
        raise UnreadableError("a key is a name, `{{ expression }}` or `{% block %}`")
    return Block("field")


def _named(text: str, start: int) -> Block:
    if text in ("assign", "merge", "else"):
        return Block(text)
    if match := _FOR.fullmatch(text):
        return Block("for", match[3], start + match.start(3), match[2], match[1] or "")
    if match := _IF.fullmatch(text):
        return Block("if", match[1], start + match.start(1))
    raise UnreadableError("the blocks are assign, for, if, else and merge")


def _stripped(text: str, start: int) -> tuple[str, int]:
    return text.strip(), start + len(text) - len(text.lstrip())
