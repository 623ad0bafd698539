"""Reads the inbound mapping files, and checks that they fit the record schemas, the ConceptMaps and what we send."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from adapter.catalogue.files import Found
from adapter.catalogue.translations import Use
from adapter.core.fhir.models import TYPES
from adapter.core.mapping.inbound import FUNCTIONS, InboundMapping, load_inbound
from adapter.core.partner import Release
from adapter.errors import Finding, Misconfigured

_USE = re.compile(r"\b(ours|own|words|path|csp)\(((?:\s*'[^']*'\s*,?)+)\s*\)")
_NAME = re.compile(r"'([^']*)'")
_MADE = re.compile(r"StructureDefinition/csp-([a-z-]+)")


def read_inbound(
    folder: Path, name: str, found: Found, *, files: Mapping[str, Any], release: Release = "R4"
) -> tuple[tuple[InboundMapping, ...], tuple[Use, ...]]:
    """Every inbound mapping of a release, compiled, and what they ask for. R5 has only the files that differ.

    `files`: collection → record schema, which the fields of each mapping are held against.
    """
    texts = {path.name: (path, f"{name}/{path.name}") for path in sorted(folder.glob("*.yaml"))}
    if release == "R5":
        texts |= {path.name: (path, f"{name}/r5/{path.name}") for path in sorted((folder / "r5").glob("*.yaml"))}
    mappings: list[InboundMapping] = []
    uses: list[Use] = []
    for path, file in texts.values():
        try:
            text = path.read_text(encoding="utf-8")
            mappings += load_inbound(text, file=file, functions=FUNCTIONS, types=TYPES, files=files)
        except Misconfigured as wrong:
            found.errors.extend(wrong.findings)
        except (OSError, UnicodeDecodeError):
            found.errors.append(Finding(file, 0, "cannot be read as UTF-8"))
        else:
            uses += _uses(file, text)
    return tuple(mappings), tuple(uses)


def check_inbound(
    uses: Collection[Use], *, codes: Collection[str], referable: Collection[str], sent: Collection[str], found: Found
) -> None:
    """Each map, collection and extension that an inbound file names is there. `sent`: extensions of ours, by name."""
    known = {"path": (referable, "no record schema has {}"), "csp": (sent, "no mapping outwards gives csp-{}")}
    for use in uses:
        names, rule = known.get(use.function, (codes, "there is no mappings/codes/{}.json"))
        if use.map not in names:
            found.errors.append(Finding(use.file, use.line, f"{use.function}('{use.map}'): {rule.format(use.map)}"))


def extensions_sent(folder: Path) -> frozenset[str]:
    """The extensions of ours that mapping files of mappings/r4 and mappings/r5 give: their names without `csp-`."""
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("r[45]/*.yaml")]
    return frozenset(name for text in texts for name in _MADE.findall(text))


def _uses(file: str, text: str) -> Iterator[Use]:
    for number, line in enumerate(text.splitlines(), start=1):
        for use in _USE.finditer(line):
            names = _NAME.findall(use[2])
            # The second word of ours('map', 'among') is no map.
            yield from (Use(file, number, use[1], each) for each in (names if use[1] == "path" else names[:1]))
