"""Everything that can be read in finished bytes: JSON undone, markup undone, base64 opened, spelling evened out."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from adapter.core.consent.last_look.pages import pages

ADDRESSES = frozenset({"id", "reference", "url", "uri", "fullUrl", "ifNoneExist", "ifMatch", "link", "versionId"})
"""Members that hold an id, a reference or a URL; besides, every string that begins as a URL or a URN."""
ENOUGH = 24
"""Strings shorter than this, but for `data`, are not taken for something encoded."""
ENCODED = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
TAG = re.compile(r"<[^<>]*>")
TOKEN = re.compile(r"[A-Za-z0-9._-]+")
BREAK = "\x00"
"""Stands between two strings of the payload, so that nothing is found across them."""
DEPTH = 4
"""How many times something encoded may hold something encoded; what is deeper is not looked into."""


@dataclass(frozen=True, slots=True)
class Read:
    """The payload, evened out: one long text; the words in it; the tokens of its ids, references and URLs."""

    text: str
    words: frozenset[str]
    tokens: frozenset[str]
    packed: str = ""
    """The pages of PDFs without white space: there a line ends anywhere, and so may a word."""
    closed: frozenset[str] = frozenset()
    """The base64 of PDFs that cannot be read."""


def even(text: str) -> str:
    """One spelling for each text: NFC, case folded, white space folded."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(_composed(_composed(text).casefold()).split())


def _composed(text: str) -> str:
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


@dataclass(slots=True)
class _Pile:
    """What has been gathered so far."""

    strings: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    packed: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    given: frozenset[str] = frozenset()
    """Ids that the partner gave."""
    taken: set[tuple[str, bool]] = field(default_factory=set)
    """Strings, and whether they stood as data, that have been read in every way already."""


def read(payload: bytes, given: Collection[str] = ()) -> Read:
    """Raises ValueError where the bytes are not JSON. `given`: the partner's own ids, not read where they are ids."""
    pile = _Pile(given=frozenset(given))
    _gather(json.loads(payload), "", pile, DEPTH)
    # BREAK is not white space, so each string is evened out apart from its neighbours.
    text = even(f" {BREAK} ".join(pile.strings))
    tokens = frozenset(token for address in pile.addresses for token in TOKEN.findall(even(unquote(address))))
    return Read(text, frozenset(text.split()), tokens, BREAK.join(pile.packed), frozenset(pile.closed))


def _gather(value: Any, name: str, pile: _Pile, depth: int) -> None:
    if isinstance(value, dict):
        pile.strings.update(_full_name(value))
        for key, member in value.items():
            pile.strings.add(key)
            _gather(member, key, pile, depth)
    elif isinstance(value, list):
        for item in value:
            _gather(item, name, pile, depth)
    elif isinstance(value, str):
        if name in ("id", "reference", "url") and _is_given(value, name, pile.given):
            return
        if name in ADDRESSES or value.startswith(("http://", "https://", "urn:")):
            pile.addresses.add(value)
        if (value, name == "data") not in pile.taken:
            pile.taken.add((value, name == "data"))
            _take(value, name, pile, depth)
    elif value is not None:
        pile.strings.add(json.dumps(value))


def _is_given(value: str, name: str, given: frozenset[str]) -> bool:
    """The partner's own id: alone, or as the `Type/id` that it is known by there."""
    type_, _, id_ = value.rpartition("/")
    return id_ in given and (type_.isalpha() if name != "id" else not type_)


def _take(text: str, name: str, pile: _Pile, depth: int) -> None:
    """One string, in each way in which it can be read, and with what is inside it."""
    pile.strings.add(text)
    pile.strings.update(_readings(text))
    if depth and (name == "data" or len(text) >= ENOUGH):
        for inner in _opened(text, "".join(text.split()) if name == "data" else text):
            if isinstance(inner, bytes):
                _turn(inner, text, pile)
            else:
                _gather(inner, name if isinstance(inner, str) else "", pile, depth - 1)


def _turn(pdf: bytes, text: str, pile: _Pile) -> None:
    """The pages of a PDF, read as one: a paragraph may run over a page."""
    try:
        found = pages(pdf)
    except (ValueError, LookupError):
        pile.closed.add(text)
        return
    pile.strings.update(found.around)
    pile.strings.add(" ".join(found.flow))
    pile.packed.add("".join(even("".join(found.flow)).split()))


def _full_name(value: dict[str, Any]) -> Iterator[str]:
    """A HumanName is split over its members; people read it in one go."""
    given, family = value.get("given"), value.get("family")
    if isinstance(given, list) and isinstance(family, str):
        yield from (f"{each} {family}" for each in given)


def _readings(text: str) -> Iterator[str]:
    """The text as a person would see it: without markup, entities and percent signs undone."""
    if "<" in text or "&" in text:
        yield html.unescape(TAG.sub(" ", text))
        yield html.unescape(TAG.sub("", text))
        yield html.unescape(text)
    if "%" in text:
        yield unquote(text)


def _opened(text: str, dense: str) -> Iterator[Any]:
    """What is inside: base64 (data of an attachment, and anything that looks like it), or JSON in a string. Bytes are
    those of a PDF."""
    if " " not in dense and ENCODED.fullmatch(dense):
        packed = dense.replace("-", "+").replace("_", "/").rstrip("=")
        try:
            inner = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
        except binascii.Error:
            return
        yield inner if b"%PDF-" in inner[:1024] else inner.decode("utf-8", "replace")
    elif text.lstrip()[:1] in ("{", "["):
        try:
            yield json.loads(text)
        except ValueError:
            return
