"""Do mapping files and profiles fit together? Both ways, with file and line, for `adapter check`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.catalogue.files import Found, read_yaml
from adapter.catalogue.profiles import read_profiles
from adapter.core.fhir.package import CANONICAL
from adapter.core.mapping.positions import Document, Place
from adapter.core.mapping.positions import read_yaml as read_documents
from adapter.core.mapping.resources import PROFILES
from adapter.core.partner import Release
from adapter.errors import Finding, Misconfigured

_VALUE = re.compile(r"value([A-Z][A-Za-z0-9]*)")
_CODE_SYSTEM = f"{CANONICAL}/CodeSystem/"
Where = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Extension:
    """What is known of an extension where it is used: its definition (None: it is someone else's), and the part."""

    definition: Mapping[str, Any] | None
    part: str = ""

    def types(self) -> list[str]:
        """The types that its value may have, as the definition has it."""
        id_ = f"Extension.extension:{self.part}.value[x]" if self.part else "Extension.value[x]"
        values = (each for each in self._elements() if each["id"] == id_ and each["max"] != "0")
        return [type_["code"] for each in values for type_ in each["type"]]

    def has(self, part: str) -> bool:
        return any(each["id"] == f"Extension.extension:{part}" for each in self._elements())

    def _elements(self) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.definition["snapshot"]["element"] if self.definition else ()
        return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What the profiles of one release define."""

    definitions: Mapping[str, Mapping[str, Any]]
    """StructureDefinition by URL."""
    codes: Mapping[str, frozenset[str]]
    """CodeSystem by URL → its codes."""
    elsewhere: frozenset[str]


def check_profiles(root: Path, defined: Path, found: Found) -> None:
    """Remarks: what a mapping file emits and no profile defines, and what a profile defines and nothing emits.

    A definition that says that it is experimental may be ahead of its mapping file. `root` holds mappings/ to check,
    `defined` the profiles/ to hold them against.
    """
    elsewhere = read_yaml(defined / "profiles" / "elsewhere.yaml", "profiles/elsewhere.yaml", found)
    asked: set[str] = set()
    for release in ("R4", "R5"):
        if (root / "mappings" / release.lower()).is_dir():
            asked |= _check(root, defined, release, frozenset(elsewhere.values), asked, found)


def _check(
    root: Path, defined: Path, release: Release, elsewhere: frozenset[str], asked: Collection[str], found: Found
) -> set[str]:
    """The definitions of this release, of which those that are not `asked` after already were looked at."""
    try:
        known = _known(read_profiles(defined, release), elsewhere)
    except Misconfigured as wrong:
        found.remarks.extend(wrong.findings or [Finding(f"profiles/generated/{release.lower()}", 0, wrong.detail)])
        return set()
    used: set[str] = set()
    for file, path in sorted(_files(root, release).items()):
        try:
            documents = read_documents(path.read_text("utf-8"), file)
        except (Misconfigured, OSError, UnicodeDecodeError):
            continue  # The reading of the mapping files tells it.
        # What is written in a file of R4 was told when it was held against R4.
        told = found if file.startswith(f"mappings/{release.lower()}/") else Found()
        for document in documents:
            reader = _Reader(file, document, known, used, told)
            reader.profile(path.stem, release, single=len(documents) == 1, found=found)
            reader.read(document.value, (), None)
    for url, definition in sorted(known.definitions.items()):
        if url not in {*used, *asked} and not definition.get("experimental"):
            what = "extension" if definition["type"] == "Extension" else "profile"
            found.remarks.append(_unused(defined, release, url, f"no mapping file of {release} uses this {what}"))
    return set(known.definitions)


def _files(root: Path, release: Release) -> dict[str, Path]:
    """What to call each mapping file of a release → where it is; a file that R5 does not have is R4's."""
    folders = ("r4",) if release == "R4" else ("r4", "r5")
    by_name = {path.name: path for each in folders for path in (root / "mappings" / each).glob("*.yaml")}
    return {f"mappings/{path.parent.name}/{name}": path for name, path in by_name.items()}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Goes through one mapping; `used` gathers the definitions that it needs."""

    file: str
    document: Document
    known: _Known
    used: set[str]
    found: Found

    def profile(self, stem: str, release: Release, *, single: bool, found: Found) -> None:
        """The profile of what this mapping makes: its name is the file's (core/mapping/mapping.py)."""
        make = self.document.value.get("make") if isinstance(self.document.value, dict) else None
        type_ = make.get("resourceType") if isinstance(make, dict) else None
        slot = self.document.value.get("slot", "") if isinstance(self.document.value, dict) else ""
        if not isinstance(type_, str):
            return
        name = stem if single else " ".join(part for part in (stem, type_, slot) if part)
        url = f"{PROFILES}csp-{name}"
        self.used.add(url)
        line = self.document.positions.value(("make", "resourceType")).line
        definition = self.known.definitions.get(url)
        if definition is None:
            detail = f"there is no profile csp-{name} of {release} for what this mapping makes"
            found.remarks.append(Finding(self.file, line, detail))
        elif definition["type"] != type_:
            detail = f"the profile csp-{name} is one of {definition['type']}, not of {type_}"
            found.remarks.append(Finding(self.file, line, detail))

    def read(self, node: Any, where: Where, within: _Extension | None) -> None:
        """Every extension and every code of ours below this node; `within`: the extension that it is part of."""
        match node:
            case list():
                for place, each in enumerate(node):
                    self.read(each, (*where, place), within)
            case dict():
                if isinstance(url := node.get("url"), str) and not url.startswith("{"):
                    within = self._extension(url, (*where, "url"), within)
                self._code(node, where)
                for key, each in node.items():
                    if (value := _VALUE.fullmatch(str(key))) and within:
                        self._value(value[1], (*where, key), within)
                        self.read(each, (*where, key), None)
                    else:
                        self.read(each, (*where, key), within if _same(str(key)) else None)

    def _extension(self, url: str, where: Where, around: _Extension | None) -> _Extension | None:
        if ":" in url:
            self.used.add(url)
            definition = self.known.definitions.get(url)
            if definition is None and url not in self.known.elsewhere:
                self._find(where, f"no profile defines the extension {url}")
                return None
            return _Extension(definition)
        if around is None or around.definition is None:
            return None
        if not around.has(url):
            self._find(where, f"the extension {around.definition['id']} has no part {url}")
            return None
        return _Extension(around.definition, url)

    def _value(self, type_: str, where: Where, within: _Extension) -> None:
        if not within.definition:
            return
        allowed = within.types()
        if type_.lower() not in {each.lower() for each in allowed}:
            part = f", part {within.part}" if within.part else ""
            words = " or ".join(allowed) if allowed else "none"
            self._find(where, f"the value of the extension {within.definition['id']}{part} is {words}, not {type_}")

    def _code(self, node: Mapping[str, Any], where: Where) -> None:
        system, code = node.get("system"), node.get("code")
        if not (isinstance(system, str) and system.startswith(_CODE_SYSTEM) and isinstance(code, str)):
            return
        if system not in self.known.codes:
            self._find((*where, "system"), f"no profile defines the code system {system}")
        elif "{" not in code and code not in self.known.codes[system]:
            self._find((*where, "code"), f"the code system {system} has no code {code}")

    def _find(self, where: Where, detail: str) -> None:
        place: Place = self.document.positions.value(where)
        self.found.remarks.append(Finding(self.file, place.line, detail))


def _known(profiles: Mapping[str, Mapping[str, Any]], elsewhere: frozenset[str]) -> _Known:
    definitions = {each["url"]: each for each in profiles.values() if each["resourceType"] == "StructureDefinition"}
    codes = {
        each["url"]: frozenset(concept["code"] for concept in each.get("concept", ()))
        for each in profiles.values()
        if each["resourceType"] == "CodeSystem"
    }
    return _Known(definitions, codes, elsewhere)


def _same(key: str) -> bool:
    """Does what stands under this key still belong to the extension around it? Directives and expressions do."""
    return key.startswith("{") or key == "extension"


def _unused(defined: Path, release: Release, url: str, detail: str) -> Finding:
    """At the line of its source, where sources are there (an installed adapter has none), else at its definition."""
    id_ = url.rpartition("/")[2]
    return next(
        _lines(defined / "profiles", f"Id: {id_}", detail),
        Finding(f"profiles/generated/{release.lower()}/StructureDefinition-{id_}.json", 0, detail),
    )


def _lines(folder: Path, wanted: str, detail: str) -> Iterator[Finding]:
    for path in sorted(folder.glob("fsh*/*.fsh")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            if line.strip() == wanted:
                yield Finding(f"profiles/{path.parent.name}/{path.name}", number, detail)
