"""Finds markers in bytes, however they are wrapped: as text, escaped, in base64, packed, or drawn on a page."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from adapter.core.sheet import Sheet, Words
from adapter.paper.pdf import pdf

WORD = re.compile(r"qz[bcdfghjklmnpqrstvw]{7}x")
# What may not stand before is asked behind the first digit: a search for a digit is many times as fast.
NUMBER = re.compile(r"7(?<![\w.-]7)\d{6}(?![\w-])")
DATE = re.compile(r"1(?<!\d1)[78]\d\d-[01]\d-[0-3]\d(?!\d)")
HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_ESCAPE = re.compile(rb"\\u[0-9a-fA-F]{4}")
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_GLYPHS = re.compile(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4})>")
_SHOWN = re.compile(rb"\((?:[^()\\]|\\.)*\)|<[0-9A-Fa-f]+>", re.DOTALL)


def found(data: bytes) -> set[str]:
    """Every marker in `data`: words, numbers, dates, and SHA-256 sums in hexadecimal."""
    return {token for text in _readings(data) for token in _tokens(text)}


def _tokens(text: str) -> Iterator[str]:
    for pattern in (WORD, NUMBER, DATE, HASH):
        yield from pattern.findall(text)


def _readings(data: bytes) -> Iterator[str]:
    """The same bytes read in each way in which they may hold a text."""
    yield _plain(data)
    if _ESCAPE.search(data):
        yield _plain(_ESCAPE.sub(lambda m: chr(int(m[0][2:], 16)).encode("utf-8", "replace"), data))
    if b"%" in data:
        yield _plain(unquote_to_bytes(data))
    if b"\0" in data:
        yield data.decode("utf-16-le", "ignore").casefold()
        yield data[1:].decode("utf-16-le", "ignore").casefold()
    for run in set(_BASE64.findall(data)):  # a log holds the same path in each line
        yield from _decoded(run)
    if data.startswith(b"%PDF"):
        yield pages(data).casefold()


def _plain(data: bytes) -> str:
    return data.decode("utf-8", "ignore").casefold()


def _decoded(run: bytes) -> Iterator[str]:
    """What a run of base64 letters says, begun at each of the four places where it may begin."""
    plain = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    for skipped in range(4):
        piece = plain[skipped:]
        piece = piece[: len(piece) - (len(piece) % 4 == 1)]
        try:
            decoded = base64.b64decode(piece + b"=" * (-len(piece) % 4))
        except (binascii.Error, ValueError):
            continue
        yield _plain(decoded)
        if decoded.startswith(b"%PDF"):
            yield pages(decoded).casefold()
        elif decoded[:1] in b"{[" and decoded:
            for inner in set(_BASE64.findall(decoded)):
                yield from _decoded(inner)
        if len(decoded) in (32, 48, 64):
            yield decoded.hex()


def pages(pdf: bytes) -> str:
    """The words that the pages of a PDF of ours show: its glyphs are read by the tables that it brings for copying."""
    streams = [_unpacked(each) for each in _STREAM.findall(pdf)]
    fonts = [
        {int(code, 16): bytes.fromhex(to.decode()).decode("utf-16-be") for code, to in _GLYPHS.findall(stream)}
        for stream in streams
        if b"begincmap" in stream
    ]
    shown = [_bytes(text) for stream in streams if b" Tf" in stream for text in _SHOWN.findall(stream)]
    # Which font a text is drawn with is not looked up: it is read with each.
    words = ["".join(font.get(one[i] << 8 | one[i + 1], " ") for i in range(0, len(one) - 1, 2))
             for font in fonts for one in shown]  # fmt: skip
    return "\n".join([*words, *map(_plain, shown), *map(_plain, streams)])


def _unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def _bytes(text: bytes) -> bytes:
    if text.startswith(b"<"):
        return bytes.fromhex(text[1:-1].decode() + "0" * (len(text) % 2))
    escapes = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
    return re.sub(rb"\\(.)", lambda m: escapes.get(m[1], m[1]), text[1:-1], flags=re.DOTALL)


def wrapped(word: str) -> dict[str, bytes]:
    """A word in each of the wrappings that `found` must see through."""
    return {
        "as it is": word.upper().encode(),
        "escaped in JSON": "".join(f"\\u{ord(c):04x}" for c in word).encode(),
        "in an address": "".join(f"%{ord(c):02x}" for c in word).encode(),
        "in base64": base64.b64encode(f"A letter of {word}, and more".encode()),
        "in base64 behind one letter": b"z" + base64.b64encode(f"A letter of {word}, and more".encode()),
        "in JSON in base64": base64.urlsafe_b64encode(json.dumps({"text": word}).encode()),
        "in UTF-16": word.encode("utf-16-le"),
        "on a page in base64": base64.b64encode(pdf(Sheet("en", "A plan", "", (Words(f"A letter of {word}"),)))),
    }
