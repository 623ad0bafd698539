"""Everything that can be read in finished bytes: JSON undone, markup undone, base64 opened, spelling evened out."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

ADDRESSES = frozenset({"id", "reference", "url", "uri", "fullUrl", "ifNoneExist", "ifMatch", "link", "versionId"})
"""Members that hold an id, a reference or a URL; besides, every string that begins as a URL or a URN."""
ENCODED = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
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


def even(text: str) -> str:
    """One spelling for each text: NFC, case folded, white space folded."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return " ".join(text.lower().split())


def read(payload: bytes) -> Read:
    """Raises ValueError where the bytes are not JSON."""
    strings: set[str] = set()
    addresses: set[str] = set()
    _collect(json.loads(payload), "", strings, addresses, DEPTH)
    # Each string is evened out apart from its neighbours: BREAK is not white space, so folding leaves it alone.
    text = even(f" {BREAK} ".join(strings))
    tokens = frozenset(token for address in addresses for token in TOKEN.findall(even(address)))
    return Read(text, frozenset(text.split()), tokens)


def _collect(value: Any, name: str, strings: set[str], addresses: set[str], depth: int) -> None:
    if isinstance(value, dict):
        strings.update(_full_name(value))
        for key, member in value.items():
            strings.add(key)
            _collect(member, key, strings, addresses, depth)
    elif isinstance(value, list):
        for item in value:
            _collect(item, name, strings, addresses, depth)
    elif isinstance(value, str):
        strings.update(_readings(value))
        if name in ADDRESSES or value.startswith(("http://", "https://", "urn:")):
            addresses.update((value, unquote(value)))
        if depth and (name == "data" or len(value) >= 24):
            for inner in _opened("".join(value.split()) if name == "data" else value):
                _collect(inner, name if isinstance(inner, str) else "", strings, addresses, depth - 1)
    elif value is not None:
        strings.add(json.dumps(value))


def _full_name(value: dict[str, Any]) -> Iterator[str]:
    """A HumanName is split over its members; people read it in one go."""
    given, family = value.get("given"), value.get("family")
    if isinstance(given, list) and isinstance(family, str):
        yield from (f"{each} {family}" for each in given)


def _readings(text: str) -> Iterator[str]:
    """The text as it is, and as a person would see it: without markup, entities and percent signs undone."""
    yield text
    if "<" in text or "&" in text:
        yield html.unescape(TAG.sub(" ", text))
        yield html.unescape(TAG.sub("", text))
        yield html.unescape(text)
    if "%" in text:
        yield unquote(text)


def _opened(text: str) -> Iterator[Any]:
    """What is inside: base64 (data of an attachment, and anything that looks like it), or JSON in a string."""
    if ENCODED.fullmatch(text):
        packed = text.replace("-", "+").replace("_", "/").rstrip("=")
        try:
            inner = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
        except binascii.Error:
            return
        yield inner.decode("utf-8", "replace")
    elif text.lstrip()[:1] in ("{", "["):
        try:
            yield json.loads(text)
        except ValueError:
            return
