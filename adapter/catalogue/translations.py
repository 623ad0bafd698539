"""Reads the mapping files, and checks that each code list, ConceptMap and use of a map fit together."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapter.catalogue.files import Found
from adapter.catalogue.records import CodeList
from adapter.core.mapping.bindings import FUNCTIONS
from adapter.core.mapping.codes import ConceptMap
from adapter.core.mapping.mapping import Mapping as MappingFile
from adapter.core.mapping.mapping import load_mapping
from adapter.errors import Finding, Misconfigured

_EACH = re.compile(r"^each:\s*([A-Za-z0-9_.]+)")
_USE = re.compile(r"\b(code|concept)\(\s*(['\"])([^'\"]+)\2\s*\)")


@dataclass(frozen=True, slots=True)
class Use:
    """A mapping file asks for a map: `code` needs a code for whatever comes, `concept` can do with a text.

    Or, where the function is `each`, for a collection or the entries of one.
    """

    file: str
    line: int
    function: str
    map: str


def read_mappings(folder: Path, name: str, found: Found) -> tuple[tuple[MappingFile, ...], tuple[Use, ...]]:
    """Every mapping file of one release, compiled, and where they ask for which map."""
    mappings: list[MappingFile] = []
    uses: list[Use] = []
    for path in sorted(folder.glob("*.yaml")):
        file = f"{name}/{path.name}"
        try:
            text = path.read_text(encoding="utf-8")
            mappings += load_mapping(text, file=file, functions=FUNCTIONS)
        except Misconfigured as wrong:
            found.errors.extend(wrong.findings)
        except (OSError, UnicodeDecodeError):
            found.errors.append(Finding(file, 0, "cannot be read as UTF-8"))
        else:
            uses += _uses(file, text)
    names = [mapping.name for mapping in mappings]
    for twice in sorted({each for each in names if names.count(each) > 1}):
        found.errors.append(Finding(name, 0, f"two mappings are named {twice}"))
    return tuple(mappings), tuple(uses)


def over(base: Collection[MappingFile], differing: Collection[MappingFile]) -> tuple[MappingFile, ...]:
    """The mappings of a release that has only the files which differ from `base`, each in place of its namesake."""
    replaced = {_file_of(mapping) for mapping in differing}
    return (*(mapping for mapping in base if _file_of(mapping) not in replaced), *differing)


def _file_of(mapping: MappingFile) -> str:
    """A mapping is named after its file, and where that holds several, after its type and slot too."""
    return mapping.name.partition(" ")[0]


def check_codes(
    lists: Mapping[str, CodeList], codes: Mapping[str, ConceptMap], uses: Collection[Use], name: str, found: Found
) -> None:
    """A list without a map goes out as text only: told. A `code()` that a line without a code breaks: an error."""
    for list_name, code_list in sorted(lists.items()):
        if list_name not in codes:
            source, place = code_list.leaves[0]
            found.remarks.append(source.finding(f"x-codes {list_name}: there is no {name}/{list_name}.json", *place))
            continue
    for use in uses:
        if use.function == "each":
            continue
        if use.map not in codes:
            detail = f"{use.function}('{use.map}'): there is no {name}/{use.map}.json"
            found.errors.append(Finding(use.file, use.line, detail))
        elif use.function == "code" and (missing := _missing(codes[use.map], lists.get(use.map))):
            detail = f"code('{use.map}') needs a code for every line: none for {', '.join(missing)}"
            found.errors.append(Finding(use.file, use.line, detail))


def check_each(uses: Collection[Use], known: Collection[str], found: Found) -> None:
    """A mapping goes through what a schema has: a collection, or a list of entries inside it."""
    for use in uses:
        if use.function == "each" and use.map not in known:
            found.errors.append(Finding(use.file, use.line, f"each: no record schema has {use.map}"))


def check_used(
    codes: Mapping[str, ConceptMap], names: Collection[str], uses: Collection[Use], name: str, found: Found
) -> None:
    """A map that nothing asks for is told. `names`: maps that the adapter itself uses, and those of the schemas."""
    for unused in sorted(set(codes) - set(names) - {use.map for use in uses}):
        found.remarks.append(Finding(f"{name}/{unused}.json", 0, "no schema and no mapping uses this map"))


def _missing(concept_map: ConceptMap, code_list: CodeList | None) -> tuple[str, ...]:
    closed = code_list.codes if code_list is not None and not code_list.open else frozenset()
    return concept_map.missing(sorted(closed | set(concept_map.translations)))


def _uses(file: str, text: str) -> Iterator[Use]:
    for number, line in enumerate(text.splitlines(), start=1):
        if each := _EACH.match(line):
            yield Use(file, number, "each", each[1])
        yield from (Use(file, number, use[1], use[3]) for use in _USE.finditer(line))
