"""Reads the ConceptMaps and checks them line by line: what is untranslated, what nobody can send, whose words differ.

Which codes a map is about is what the `source` of its groups says: a code list of the record schemas, or one that the
adapter itself has (topics, purposes, parts, types of identifiers).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.catalogue.files import Found, Place, Source, read_json
from adapter.catalogue.records import CodeList
from adapter.core.mapping.codes import ConceptMap, load_concept_map
from adapter.errors import Misconfigured

OURS = "https://csp-adapter.example/CodeSystem/"


@dataclass(frozen=True, slots=True)
class _Line:
    """One element of a group: a code, where it stands, and what it becomes."""

    source: Source
    place: Place
    list: str
    """The code list that the group is about."""
    system: str
    code: str
    display: str
    targets: tuple[Mapping[str, Any], ...]

    def finding(self, found: Found, detail: str, *place: str | int) -> None:
        found.remarks.append(self.source.finding(detail, *self.place, *place))


def read_codes(folder: Path, name: str, found: Found) -> tuple[dict[str, ConceptMap], dict[str, Source]]:
    """Every ConceptMap by the name of its file, which is also its own; and the files, to find lines in."""
    codes: dict[str, ConceptMap] = {}
    sources: dict[str, Source] = {}
    for path in sorted(folder.glob("*.json")):
        source = read_json(path, f"{name}/{path.name}", found)
        if not source.text:
            continue
        try:
            loaded = load_concept_map(source.text, file=source.file)
        except Misconfigured as wrong:
            found.errors.extend(wrong.findings)
            continue
        codes[path.stem], sources[path.stem] = loaded, source
        if loaded.name != path.stem:
            found.errors.append(source.finding("the ConceptMap's name must be the name of its file", "name"))
    return codes, sources


def check_lines(
    codes: Mapping[str, ConceptMap],
    sources: Mapping[str, Source],
    lists: Mapping[str, CodeList],
    own: Mapping[str, Collection[str]],
    found: Found,
) -> None:
    """What goes out poorer than it could, or never: all remarks. `own`: the code lists that the adapter itself has."""
    displays: dict[tuple[str, str], _Line] = {}
    for name, source in sorted(sources.items()):
        lines = list(_lines(source))
        asked = {line.list for line in lines}
        for list_name in sorted(asked):
            _check_list(source, codes[name], list_name, lines, lists, own, found)
        for line in lines:
            _check_words(line, displays, found)
        if codes[name].fallback is None and name in lists and name not in asked:
            detail = f"no group's source is {OURS}{name}: this map translates no code of its list"
            found.remarks.append(source.finding(detail, "group"))


def _check_list(
    source: Source,
    concept_map: ConceptMap,
    name: str,
    lines: Collection[_Line],
    lists: Mapping[str, CodeList],
    own: Mapping[str, Collection[str]],
    found: Found,
) -> None:
    """The codes of a list against the lines of the map: none missing, and none that nothing can ever be."""
    of_list = [line for line in lines if line.list == name]
    code_list = lists.get(name, CodeList(frozenset(map(str, own.get(name, ()))), open=name not in own))
    if not code_list.open:
        if concept_map.fallback is None:
            for code in sorted(code_list.codes - {line.code for line in of_list}):
                detail = f"{code} has no line, and goes out as text only"
                found.remarks.append(source.finding(detail, *of_list[0].place[:2], "element"))
        for line in of_list:
            if line.code not in code_list.codes:
                line.finding(found, f"{line.code} is no code of the record schemas: an unused line")
    elif patterns := _patterns(code_list):
        for line in of_list:
            if not any(pattern.search(line.code) for pattern in patterns):
                line.finding(found, f"{line.code} has not the form that the record schemas ask for: an unused line")


def _check_words(line: _Line, displays: dict[tuple[str, str], _Line], found: Found) -> None:
    """Words: each code of ours has some, and a code is called the same wherever it stands."""
    if not line.display and any(target.get("code") for target in line.targets):
        line.finding(found, f"{line.code} has no display: it goes out without words")
    seen: set[str] = set()
    for index, target in enumerate(line.targets):
        code, display = str(target.get("code", "")), target.get("display", "")
        if not code:
            continue
        if code in seen:
            line.finding(found, f"{line.code} is translated to {code} twice", "target", index)
        seen.add(code)
        if line.system.startswith(OURS) and code == line.code and display != line.display:
            line.finding(found, f"{code}: the display of our own code differs from the line's own", "target", index)
        if not display:
            continue
        first = displays.setdefault((line.system, code), line)
        known = next((t.get("display") for t in first.targets if t.get("code") == code and t.get("display")), display)
        if display != known:
            where = f"{first.source.file}, {first.code}"
            line.finding(found, f"{code}: has another display here than in {where}", "target", index)


def _lines(source: Source) -> Iterator[_Line]:
    for at, group in enumerate(source.values.get("group", ())):
        about = str(group.get("source", "")).removeprefix(OURS)
        for index, element in enumerate(group.get("element", ())):
            yield _Line(
                source,
                ("group", at, "element", index),
                about,
                str(group.get("target", "")),
                str(element.get("code", "")),
                element.get("display", ""),
                tuple(element.get("target", ())),
            )


def _patterns(code_list: CodeList) -> list[re.Pattern[str]]:
    """The forms that an open list's leaves ask for; none where one of them takes anything."""
    found = []
    for source, place in code_list.leaves:
        leaf: Any = source.values
        for step in place[:-1]:
            leaf = leaf[step]
        if not isinstance(pattern := leaf.get("pattern"), str):
            return []
        found.append(re.compile(pattern))
    return found
