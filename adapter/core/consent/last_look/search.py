"""Looks for withheld values in what was read from the bytes: what counts as standing there, for each kind of value."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.core.consent.last_look.leaves import Leaf
from adapter.core.consent.last_look.payload import BREAK, Read, even

TEXT, NAME, ID = 24, 8, 8
"""Texts, names and telecoms, and record ids shorter than this are too common to say where they came from."""
SHORT_IDENTIFIER = 4
"""An identifier shorter than this is looked for in ids, references, URLs and as a whole string only."""
OPAQUE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?<![\w-])\d{4}-\d\d(?:-\d\d)?(?:t[\d:.]+(?:z|[+-]\d\d:\d\d)?)?(?![\w-])"
)
"""Our own ids, and dates: an identifier is not found in the middle of one."""


@dataclass(frozen=True, slots=True)
class Sought:
    """A withheld value, evened out, and how it is looked for: `inside` any text, as whole `words`, in `addresses`."""

    value: str
    how: str
    pointers: tuple[str, ...]


def found(read: Read, wanted: Iterable[Sought], permitted: Iterable[Leaf]) -> tuple[str, ...]:
    """The pointers of what is `wanted` that stands in the payload and in no permitted leaf."""
    standing = [sought for sought in wanted if _stands(sought, read)]
    if not standing:
        return ()
    known = _known(permitted)
    return tuple(sorted({p for sought in standing if not _stands(sought, known) for p in sought.pointers}))


def sought_of(withheld: Iterable[Leaf]) -> Iterator[Sought]:
    """What is looked for of the values that are withheld."""
    leaves = [leaf for leaf in withheld if isinstance(leaf.value, str)]
    for leaf in leaves:
        schema, value = leaf.schema, even(leaf.value)
        if schema.get("x-identifier"):
            yield Sought(value, "words" if len(value) >= SHORT_IDENTIFIER else "addresses", (leaf.pointer,))
        elif schema.get("x-name") or schema.get("x-telecom"):
            if len(value) >= NAME:
                yield Sought(value, "words", (leaf.pointer,))
        elif schema.get("x-id") or leaf.field == "id":
            if len(value) >= ID:
                yield Sought(value, "addresses", (leaf.pointer,))
        elif _is_text(schema):
            yield from _of_text(leaf, value)
    for pointers, value in _full_names(leaves):
        if len(value) >= NAME:
            yield Sought(value, "words", pointers)


def _is_text(schema: Mapping[str, Any]) -> bool:
    """Words that people wrote: not a code, a date, a reference, a naming system, nor what a consent is made of."""
    named = {"x-ref", "x-codes", "x-steers", "x-part-by"} & set(schema)
    return bool(schema.get("x-text")) or not schema or ("maxLength" in schema and not named)


def _of_text(leaf: Leaf, value: str) -> Iterator[Sought]:
    if len(value) >= TEXT:
        yield Sought(value, "inside", (leaf.pointer,))
    if leaf.schema.get("contentEncoding") == "base64":
        try:
            inner = even(base64.b64decode(leaf.value, validate=True).decode("utf-8"))
        except (binascii.Error, UnicodeDecodeError):
            return
        if len(inner) >= TEXT:
            yield Sought(inner, "inside", (leaf.pointer,))


def _full_names(leaves: Iterable[Leaf]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Given and family name together, since each alone may be too short to be looked for."""
    people: dict[str, list[Leaf]] = {}
    for leaf in leaves:
        if leaf.schema.get("x-name") and "/name/" in leaf.pointer:
            people.setdefault(leaf.pointer.rsplit("/name/", 1)[0], []).append(leaf)
    for each in people.values():
        family = [leaf for leaf in each if leaf.field == "family"]
        for last in family:
            for first in each:
                if first is not last:
                    pointers = (first.pointer, last.pointer)
                    yield pointers, even(f"{first.value} {last.value}")
                    yield pointers, even(f"{last.value}, {first.value}")


def _stands(sought: Sought, read: Read) -> bool:
    if sought.how == "addresses":
        return sought.value in read.tokens or f"{BREAK} {sought.value} {BREAK}" in f"{BREAK} {read.text} {BREAK}"
    if read.packed and len(sought.value) >= NAME and "".join(sought.value.split()) in read.packed:
        return True
    if sought.how == "inside":
        return _may_stand(sought.value.split()[1:-1], read) and sought.value in read.text
    if sought.value not in read.text:
        return False
    whole = re.compile(rf"(?<![^\W_]){re.escape(sought.value)}(?![^\W_])")
    return any(not _inside_opaque(match, read.text) for match in whole.finditer(read.text))


def _inside_opaque(match: re.Match[str], text: str) -> bool:
    """Does it stand in the middle of one of our own ids, or of a date?"""
    start = text.rfind(" ", 0, match.start()) + 1
    around = text[start : (text.find(" ", match.end()) + 1 or len(text) + 1) - 1]
    here, end = match.start() - start, match.end() - start
    return any(
        opaque.start() <= here and end <= opaque.end() and opaque.end() - opaque.start() > end - here
        for opaque in OPAQUE.finditer(around)
    )


def _may_stand(words: list[str], read: Read) -> bool:
    """A text can only stand where each of its inner words does: this settles almost all of them at once."""
    return all(word in read.words for word in words)


def _known(permitted: Iterable[Leaf]) -> Read:
    """What permitted leaves hold, read the same way as the payload."""
    leaves = [leaf for leaf in permitted if isinstance(leaf.value, str)]
    values = [even(leaf.value) for leaf in leaves] + [value for _, value in _full_names(leaves)]
    text = f" {BREAK} ".join(dict.fromkeys(values))
    packed = BREAK.join("".join(value.split()) for value in values)
    return Read(text, frozenset(text.split()), frozenset(values), packed)
