"""Looks at an .xlsx file before anything unpacks it: it is a zip of XML, and either can be a bomb."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from adapter.errors import Malformed, TooLarge

MOST_PACKED = 100_000_000
MOST_UNPACKED = 400_000_000
MOST_MEMBERS = 1_000
STEEPEST = 200
"""How many times larger a part may unpack, once it is larger than `_SMALL`: a full sheet is 5 to 20 times."""
_SMALL = 10_000_000
_CHUNK = 1 << 20
_MERGED = re.compile(rb'<mergeCell\s[^>]*\bref="([A-Z]{1,3}[0-9]{1,7}):([A-Z]{1,3}[0-9]{1,7})"')


def check(path: Path) -> None:
    """Return if the file can be read as a workbook. TooLarge, Malformed: it cannot, and nothing of it was unpacked."""
    if path.stat().st_size > MOST_PACKED:
        raise TooLarge(f"{path.name} is larger than {MOST_PACKED // 1_000_000} MB.")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS or sum(m.file_size for m in members) > MOST_UNPACKED:
                raise TooLarge(f"{path.name} would unpack to more than {MOST_UNPACKED // 1_000_000} MB.")
            if any(m.file_size > _SMALL and m.file_size > STEEPEST * max(m.compress_size, 1) for m in members):
                raise TooLarge(f"{path.name} is packed more tightly than any workbook: it is not opened.")
            if any(m.flag_bits & 1 for m in members):
                raise Malformed(f"{path.name} is protected by a password: save it without one.")
            names = {m.filename for m in members}
            if "xl/workbook.xml" not in names:
                raise Malformed(f"{path.name} is no .xlsx workbook: save it as Excel Workbook (.xlsx).")
            for member in members:
                if member.filename.endswith((".xml", ".rels")):
                    with archive.open(member) as part:
                        _no_entities(part, path.name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError, ValueError):
        raise Malformed(f"{path.name} is no .xlsx workbook, or is damaged.") from None


def merged(path: Path, part: str) -> list[tuple[str, str]]:
    """The merged areas of a sheet's part, as (first cell, last cell)."""
    found: list[tuple[str, str]] = []
    with zipfile.ZipFile(path) as archive, archive.open(part) as file:
        before = b""
        while chunk := file.read(_CHUNK):
            text = before + chunk
            # What may be cut through at the end is looked at again, with what follows it.
            cut = max(text.rfind(b"<"), 0)
            found += [(a.decode(), b.decode()) for a, b in _MERGED.findall(text[:cut])]
            before = text[cut:]
        found += [(a.decode(), b.decode()) for a, b in _MERGED.findall(before)]
    return found


def _no_entities(part: object, name: str) -> None:
    """No part of a workbook declares a document type: only an attack does."""
    file: BinaryIO = part  # type: ignore[assignment]
    head = file.read(4096)
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Malformed(f"{name} holds XML that no workbook has: it is not opened.")
