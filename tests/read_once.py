"""The repository's own files, read once in a process, as a server reads them: they take most of a command's time.

Whoever asks for `mappings/` or `profiles/` of the repository is given what was read the first time, and told what was
found then. Files in any other folder (an instance's, a test's, a copy) are read each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from inspect import unwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from adapter import catalogue, wiring
from adapter.catalogue import definitions, files_root, profile_checks
from adapter.catalogue.files import Found

READERS: dict[ModuleType, tuple[str, ...]] = {
    catalogue: (
        "read_schemas", "read_parts", "read_codes", "read_topics", "read_programs", "read_forms", "read_dialects",
        "read_mappings", "read_inbound", "read_sources", "read_definitions", "read_guides", "check_profiles",
        "check_shorthand", "check_reads", "check_constants", "check_programs",
    ),
    profile_checks: ("read_profiles",),
    definitions: ("checkers",),
    wiring: ("checkers",),
}  # fmt: skip
"""Where a reader is called → those of which all that they are given follows from the folder that they read."""


@contextmanager
def read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for room, names in READERS.items():
            for name in names:
                patch.setattr(room, name, once(unwrap(getattr(room, name))))
        yield


@cache
def once(read: Callable[..., Any]) -> Callable[..., Any]:
    """This reader, which remembers the repository's files."""
    root, kept = files_root(), {}  # type: ignore[var-annotated]

    @wraps(read)
    def reads(*given: Any, **options: Any) -> Any:
        folders = tuple(each for each in given if isinstance(each, Path))
        if not all(folder == root or root in folder.parents for folder in folders):
            return read(*given, **options)
        key = (
            *folders,
            *(each for each in given if isinstance(each, str)),
            options.get("release"),
            options.get("only"),
        )
        if key not in kept:
            own = Found()
            kept[key] = read(*(own if isinstance(each, Found) else each for each in given), **options), own
        value, told = kept[key]
        for found in (each for each in given if isinstance(each, Found)):
            found.errors.extend(told.errors)
            found.remarks.extend(told.remarks)
        return value

    return reads
