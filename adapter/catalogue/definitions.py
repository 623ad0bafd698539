"""Reads what FHIR (profiles/base) and our profiles (profiles/generated) say of resources, into checkers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import orjson

from adapter.core.fhir.checker import Checker, Definitions, read
from adapter.core.mapping.resources import PROFILES
from adapter.core.partner import Release
from adapter.errors import Finding, Misconfigured

_KINDS = frozenset({"StructureDefinition", "ValueSet", "CodeSystem"})


def checkers(root: Path) -> Mapping[Release, Checker]:
    """A checker for each release. `root` holds profiles/ (`files_root()`). Misconfigured: every file that is wrong."""
    return {release: Checker(read_definitions(root, release), release) for release in get_args(Release)}


def read_definitions(root: Path, release: Release) -> Definitions:
    """The definitions of a release: FHIR's own, and ours where they have been generated."""
    wrong: list[Finding] = []
    given = [*_base(root, release, wrong), *_ours(root, release, wrong)]
    if wrong:
        raise Misconfigured("Definitions of FHIR or of our profiles cannot be read.", wrong)
    return read(given, own=PROFILES)


def _base(root: Path, release: Release, wrong: list[Finding]) -> Iterator[dict[str, Any]]:
    name = f"profiles/base/{release.lower()}/definitions.ndjson"
    try:
        lines = (root / name).read_bytes().splitlines()
    except OSError:
        wrong.append(Finding(name, 0, "is missing: `python -m tests.validator.base_definitions` writes it"))
        return
    for number, line in enumerate(lines, 1):
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError:
            wrong.append(Finding(name, number, "is not JSON"))


def _ours(root: Path, release: Release, wrong: list[Finding]) -> Iterator[dict[str, Any]]:
    folder = f"profiles/generated/{release.lower()}"
    for path in sorted((root / folder).glob("*.json")):
        if path.name.partition("-")[0] not in _KINDS:
            continue  # examples, and what describes a server
        try:
            yield orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            wrong.append(Finding(f"{folder}/{path.name}", 0, "cannot be read as JSON: run `make profiles`"))
