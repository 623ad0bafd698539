"""Tries a partner's folder: all that a delivery does with a file, with one that tells nothing and is gone again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from adapter.outward.files import Files, Wrong

_CONTENT = b"adapter partner check\n"
_TRIED = re.compile(r"\.adapter-check\.[0-9a-f]{32}(\.whole)?\.part\Z")


def tried(files: Files, mark: str) -> dict[str, Any]:
    """`{"listed", "done", "failed", "status"}`: may its names be listed, the steps that went well, and the first that
    did not ("find" is the folder itself), with the HTTP status of an entry that fails so. `mark`: 32 hex digits."""
    half, whole = f".adapter-check.{mark}.part", f".adapter-check.{mark}.whole.part"
    steps: dict[str, Callable[[], None]] = {
        "find": lambda: _sweep(files),
        "write": lambda: files.put_whole(half, _CONTENT),
        "replace": lambda: _replace(files, half, whole),
        "read": lambda: _read_again(files, whole),
        "remove": lambda: files.open.files.remove(f"{files.path}/{whole}"),
    }
    found: dict[str, Any] = {"listed": True, "done": [], "failed": "", "status": 0}
    for step, act in steps.items():
        try:
            files.act(act, missing=Wrong(404, "not-found"))
            found["done"].append(step)
        except Wrong as wrong:
            if step == "find" and wrong.status != 404:
                found["listed"] = False  # it serves as well: whether it is there is seen by writing
                continue
            found |= {"failed": step, "status": wrong.status}
            break
    if found["failed"] not in ("", "find"):
        _remove_if_allowed(files, half, whole)
    return found


def _sweep(files: Files) -> None:
    """Those that a cut line left."""
    _remove_if_allowed(files, *(name for name in files.names() if _TRIED.match(name)))


def _replace(files: Files, half: str, whole: str) -> None:
    """Twice: the second time there is one whose place it takes."""
    files.rename(half, whole)
    files.put_whole(half, _CONTENT * 2)
    files.rename(half, whole)


def _read_again(files: Files, whole: str) -> None:
    if files.read_whole(whole) != _CONTENT * 2:
        raise OSError("something else was read")


def _remove_if_allowed(files: Files, *names: str) -> None:
    for name in names:
        try:
            files.remove(name)
        except Wrong:
            continue
