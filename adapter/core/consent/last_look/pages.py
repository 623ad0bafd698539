"""The words of a PDF, as far as a plain one goes: every stream opened, every string read, glyphs turned into letters.

It knows what a sheet of ours is made of (ISO 32000-1: objects in clear, FlateDecode, fonts that say in ToUnicode what
their glyphs mean) and refuses the rest: what it cannot account for may hold anything.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LARGEST = 50_000_000
"""Bytes that the streams of one PDF may come to when they are unpacked."""

_OBJECT = re.compile(rb"(?<![0-9])(\d{1,10})\s+\d{1,5}\s+obj\b")
_STREAM = re.compile(rb"stream\r?\n|endobj")
_LENGTH = re.compile(rb"/Length\s+(\d+)(?!\s+\d+\s+R)")
_FILTER = re.compile(rb"/Filter\s*(?:/(\w+)|\[\s*/(\w+)\s*\])")
_REFERENCE = rb"\s+(\d+)\s+\d+\s+R"
_FONTS = re.compile(rb"/Font\s*<<(.*?)>>", re.DOTALL)
_FONT = re.compile(rb"/(\w+)" + _REFERENCE)
_TOKEN = re.compile(rb"\(|<<|>>|<[0-9A-Fa-f\s]*>|\[|\]|/[^\s()<>\[\]{}/%]*|[^\s()<>\[\]{}/%]+")
_PAIR = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_REFUSED = (b"/Encrypt", b"/ObjStm", b"/JavaScript", b"/EmbeddedFile", b"/XFA")
_BESIDE = re.compile(
    rb"%PDF-\d\.\d\s+%[\x80-\xff]{4}|\bendstream\b|\bendobj\b|\bxref\s+\d+\s+\d+\s+(?:\d{10} \d{5} [fn]\s+)*"
    rb"|\btrailer\s*<<\s*(?:/(?:Size \d+|(?:Root|Info) \d+ \d+ R|ID\s*\[(?:<[0-9A-F]{32}>){2}\])\s*)*>>"
    rb"|\bstartxref\s+\d+\s+%%EOF"
)
"""What stands between objects: the header, the ends of objects, the table of where they are, the trailer."""
_OCTAL = re.compile(rb"[0-7]{1,3}")
_SHOWN = frozenset((b"Tj", b"TJ", b"'", b'"'))


@dataclass(frozen=True, slots=True)
class Pages:
    """`flow`: the texts of the pages in their order, a line of a paragraph each. `around`: what stands around them:
    headers and footers, titles, whatever else is a string."""

    flow: tuple[str, ...]
    around: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Object:
    said: bytes
    stream: bytes | None


def pages(content: bytes) -> Pages:
    """Raises ValueError where there is anything in it that this cannot read."""
    found, beside = _objects(content)
    objects = dict(found)
    every = b"\n".join(each.said for each in objects.values())
    rest = _BESIDE.sub(b"", beside)
    if len(objects) < len(found) or rest.strip() or any(word in every for word in _REFUSED):
        raise ValueError("a PDF with something in it that is not read here")
    fonts = {name: _letters(objects, number) for name, number in _fonts(every).items()}
    shown = _referred(objects, rb"/Contents", of=rb"/Type\s*/Page\b")
    known = {
        *shown,
        *_referred(objects, rb"/ToUnicode"),
        *_referred(objects, rb"/FontFile2"),
        *_referred(objects, rb"/CIDToGIDMap"),
    }
    if any(each.stream is not None and number not in known for number, each in objects.items()):
        raise ValueError("a PDF with a stream that nobody knows")
    flow: list[str] = []
    around = [_plain(token) for token, is_text in _tokens(every) if is_text or token[:1] == b"/"]
    for number in shown:
        for text, artifact in _told(objects[number].stream or b"", fonts):
            (around if artifact else flow).append(text)
    return Pages(tuple(flow), tuple(around))


def _objects(content: bytes) -> tuple[list[tuple[int, _Object]], bytes]:
    """Every object under its number, and the bytes that stand between them."""
    objects: list[tuple[int, _Object]] = []
    beside: list[bytes] = []
    at, left = 0, LARGEST
    while found := _OBJECT.search(content, at):
        beside.append(content[at : found.start()])
        end = _STREAM.search(content, found.end())
        if end is None:
            raise ValueError("a PDF that is cut")
        said, at, stream = content[found.end() : end.start()], end.end(), None
        if end[0] != b"endobj":
            length = _LENGTH.search(said)
            if length is None:
                raise ValueError("a PDF with a stream of unknown length")
            stream = _unpacked(content[at : at + int(length[1])], said, left)
            left -= len(stream)
            at += int(length[1])
        objects.append((int(found[1]), _Object(said, stream)))
    return objects, b"\n".join([*beside, content[at:]])


def _unpacked(packed: bytes, said: bytes, most: int) -> bytes:
    if (found := _FILTER.search(said)) is None:
        if b"/Filter" in said:
            raise ValueError("a PDF with a filter that is not known here")
        return packed
    if (found[1] or found[2]) != b"FlateDecode" or b"/DecodeParms" in said:
        raise ValueError("a PDF with a filter that is not known here")
    unpacking = zlib.decompressobj()
    try:
        plain = unpacking.decompress(packed, max(most, 1))
    except zlib.error:
        raise ValueError("a PDF with a stream that does not unpack") from None
    if not unpacking.eof:
        raise ValueError("a PDF with a stream that is cut or too large")
    return plain


def _fonts(every: bytes) -> dict[bytes, int]:
    fonts: dict[bytes, int] = {}
    for inside in _FONTS.findall(every):
        for name, number in _FONT.findall(inside):
            if fonts.setdefault(name, int(number)) != int(number):
                raise ValueError("a PDF with two fonts of one name")
    return fonts


def _letters(objects: Mapping[int, _Object], number: int) -> dict[int, str]:
    """Glyph → what it means (ISO 32000-1, 9.10.3): pairs only, as they are written here."""
    found = re.search(rb"/ToUnicode" + _REFERENCE, objects[number].said) if number in objects else None
    table = objects.get(int(found[1])) if found else None
    if table is None or table.stream is None or b"beginbfrange" in table.stream:
        raise ValueError("a PDF with a font that does not say what its glyphs mean")
    pairs = _PAIR.findall(table.stream.partition(b"beginbfchar")[2])
    return {int(glyph, 16): bytes.fromhex(text.decode()).decode("utf-16-be", "replace") for glyph, text in pairs}


def _referred(objects: Mapping[int, _Object], name: bytes, of: bytes = b"") -> list[int]:
    pattern = re.compile(name + _REFERENCE)
    said = [each.said for _, each in sorted(objects.items()) if re.search(of, each.said)]
    return [int(number) for each in said for number in pattern.findall(each)]


def _told(content: bytes, fonts: Mapping[bytes, Mapping[int, str]]) -> Iterator[tuple[str, bool]]:
    """Each text that the stream shows, and whether it stands around the page's own (an artifact)."""
    letters: Mapping[int, str] = {}
    waiting: list[bytes] = []
    texts: list[bytes] = []
    marked: list[bool] = []
    for token, is_text in _tokens(content):
        if is_text:
            texts.append(token)
            continue
        match token:
            case b"Tf":
                letters = fonts[waiting[-2][1:]]
            case b"BMC" | b"BDC":
                marked.append(b"/Artifact" in waiting)
            case b"EMC":
                marked.pop()
            case _ if token in _SHOWN:
                yield "".join(_spelt(text, letters) for text in texts), any(marked)
        if token[:1] == b"/" or token[:1].isdigit() or token[:1] in b"-.+[]":
            waiting.append(token)
        else:
            waiting, texts = [], []


def _tokens(content: bytes) -> Iterator[tuple[bytes, bool]]:
    at = 0
    while found := _TOKEN.search(content, at):
        at = found.end()
        if found[0] == b"(":
            text, at = _literal(content, at)
            yield text, True
        elif found[0][:1] == b"<" and found[0] != b"<<":
            digits = b"".join(found[0][1:-1].split())
            yield bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()), True
        else:
            yield found[0], False


def _literal(content: bytes, at: int) -> tuple[bytes, int]:
    """A string in brackets (7.3.4.2): its bytes, and where it ends."""
    text, depth = bytearray(), 1
    while at < len(content):
        byte = content[at : at + 1]
        at += 1
        if byte == b"\\":
            byte = content[at : at + 1]
            at += 1
            if digits := _OCTAL.match(content, at - 1):
                text.append(int(digits[0], 8) & 0xFF)
                at = digits.end()
            elif byte == b"\r":
                at += content[at : at + 1] == b"\n"
            elif byte != b"\n":
                text += _ESCAPES.get(byte, byte)
            continue
        depth += (byte == b"(") - (byte == b")")
        if not depth:
            return bytes(text), at
        text += byte
    raise ValueError("a PDF with a string that does not end")


def _spelt(text: bytes, letters: Mapping[int, str]) -> str:
    pairs = (int.from_bytes(text[at : at + 2]) for at in range(0, len(text), 2))
    return "".join(letters.get(glyph, "�") for glyph in pairs)


def _plain(text: bytes) -> str:
    """A text string (7.9.2.2): UTF-16 with its mark, else one byte a letter."""
    return text[2:].decode("utf-16-be", "replace") if text[:2] == b"\xfe\xff" else text.decode("latin-1")
