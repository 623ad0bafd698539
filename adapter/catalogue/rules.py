"""Reads what the consent rules stand on: parts.yaml, topics.yaml and the programs, each name checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from adapter.catalogue.files import Found, Source, read_text, read_yaml
from adapter.catalogue.records import CodeList
from adapter.core.consent.rulebook import TOPICS
from adapter.core.programs import Known, Program, Rule, load_program, load_rules
from adapter.errors import Finding, Misconfigured

EVERY_PROGRAM = "every-program.yaml"
"""Beside the programs: the rules that each of them has."""
_LISTS = ("program", "enrolment-status", "waitlist-priority")


@dataclass(frozen=True, slots=True)
class Parts:
    """parts.yaml: what a family can choose to share, where a code decides, and who may be told an identifier."""

    since: Mapping[str, date]
    titles: Mapping[str, Mapping[str, str]]
    tables: Mapping[str, Mapping[str, str]]
    audience: Mapping[str, tuple[str, ...] | None]
    source: Source = field(repr=False)


def read_parts(path: Path, name: str, found: Found, *, sectors: Collection[str]) -> Parts:
    """The parts; errors noted where a table or an audience names what is not there."""
    source = read_yaml(path, name, found)
    if not source.text:
        return Parts({}, {}, {}, {}, source)
    values = {key: source.values.get(key) for key in ("parts", "tables", "audience")}
    for key, value in values.items():
        if not isinstance(value, Mapping):
            found.errors.append(source.finding(f"{key}: must hold keys and values", key))
            values[key] = {}
    _unknown_keys(source, source.values, tuple(values), found)
    since, titles = {}, {}
    for part, entry in values["parts"].items():
        if not isinstance(entry, Mapping) or not _is_day(entry.get("since")) or not _titled(entry):
            found.errors.append(source.finding(f"{part}: needs since (a date), en and fr", "parts", part))
            continue
        _unknown_keys(source, entry, ("since", "en", "fr"), found, "parts", part)
        since[part] = entry["since"]
        titles[part] = {language: entry[language] for language in ("en", "fr")}
    for table, codes in values["tables"].items():
        for code, part in codes.items() if isinstance(codes, Mapping) else [("", None)]:
            if part not in values["parts"]:
                found.errors.append(source.finding(f"{table} {code}: names no part", "tables", table, code))
    tables = {name: codes for name, codes in values["tables"].items() if isinstance(codes, Mapping)}
    audience = {}
    for kind, who in values["audience"].items():
        if kind not in tables.get("identifiers", {}):
            found.errors.append(source.finding(f"{kind}: is no type of identifier", "audience", kind))
        elif who != "all" and (not isinstance(who, list) or not who or set(map(str, who)) - set(sectors)):
            found.errors.append(source.finding(f"{kind}: must be all, or a list of sectors", "audience", kind))
        else:
            audience[kind] = None if who == "all" else tuple(who)
    return Parts(since, titles, tables, audience, source)


def check_tables(
    parts: Parts, uses: Mapping[str, Collection[str] | None], open_: Mapping[str, Collection[str]], found: Found
) -> None:
    """`uses`: each `x-part-by` table that a schema names, with its codes where they are closed; `open_`: of the others
    the codes that have words, which are all that anyone will use."""
    for table, codes in parts.tables.items():
        if table not in uses:
            found.errors.append(parts.source.finding(f"{table}: no schema uses this table", "tables", table))
        elif (known := uses[table]) is not None:
            for code in set(codes) - set(known):
                found.errors.append(parts.source.finding(f"{table}: {code} is no code of it", "tables", table, code))
            for code in sorted(set(known) - set(codes)):
                detail = f"{table}: {code} has no part, and is never shared"
                found.remarks.append(parts.source.finding(detail, "tables", table))
        elif known := open_.get(table):
            for code in sorted(set(codes) - set(known)):
                detail = f"{table}: {code} is no code of the ConceptMaps"
                found.remarks.append(parts.source.finding(detail, "tables", table, code))
            for code in sorted(set(known) - set(codes)):
                detail = f"{table}: {code} has no part, and is never shared"
                found.remarks.append(parts.source.finding(detail, "tables", table))


def read_topics(
    path: Path, name: str, found: Found, *, lists: Mapping[str, CodeList], lines: Mapping[str, Collection[str]]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Code list → code → topics. `lines`: the codes of each ConceptMap, for lists that the schemas leave open."""
    source = read_yaml(path, name, found)
    topics: dict[str, dict[str, tuple[str, ...]]] = {}
    for table, codes in source.values.items():
        if table not in lists:
            found.errors.append(source.finding(f"{table}: no schema has a code list of this name (x-codes)", table))
            continue
        if not isinstance(codes, Mapping):
            found.errors.append(source.finding(f"{table}: must hold codes", table))
            continue
        topics[table] = {}
        for code, implied in codes.items():
            if not isinstance(implied, list) or not implied or set(map(str, implied)) - set(TOPICS):
                found.errors.append(source.finding(f"{table} {code}: must be a list of topics", table, code))
                continue
            topics[table][code] = tuple(implied)
            known = lists[table].codes
            if not lists[table].open and code not in known:
                found.errors.append(source.finding(f"{table} {code}: is no code of the schemas", table, code))
            elif lists[table].open and code not in known and code not in lines.get(table, ()):
                detail = f"{table} {code}: has no line in mappings/codes/{table}.json"
                found.remarks.append(source.finding(detail, table, code))
    return topics


def read_programs(
    folder: Path, name: str, found: Found, *, lists: Mapping[str, CodeList], lines: Mapping[str, Collection[str]],
    each: Collection[str],
) -> dict[str, Program]:  # fmt: skip
    """Every program that the schema of a case knows; errors noted for those without a file, and for other files.

    The rules of EVERY_PROGRAM are rules of each, but for those that its own file has under the same name. `each`: what
    a rule can go through (`goals`, `goals.steps`); `lines`: the codes of each ConceptMap.
    """
    codes = {code_list: lists.get(code_list, CodeList()).codes for code_list in _LISTS}
    known = Known(
        each=frozenset({"case", *each}),
        stages=codes["enrolment-status"],
        priorities=codes["waitlist-priority"],
        lists={code_list: (*its.codes, *lines.get(code_list, ())) for code_list, its in lists.items()},
    )
    shared: tuple[Rule, ...] = ()
    if (text := read_text(folder.parent / EVERY_PROGRAM, f"mappings/{EVERY_PROGRAM}", found)) is not None:
        try:
            shared = load_rules(text, file=f"mappings/{EVERY_PROGRAM}", known=known)
        except Misconfigured as wrong:
            found.errors.extend(wrong.findings)
    programs = {}
    for path in sorted(folder.glob("*.yaml")):
        file = f"{name}/{path.name}"
        if path.stem not in codes["program"]:
            found.errors.append(Finding(file, 1, "the schema of a case does not know this program"))
        if (text := read_text(path, file, found)) is None:
            continue
        try:
            program = load_program(text, id_=path.stem, file=file, known=known)
        except Misconfigured as wrong:
            found.errors.extend(wrong.findings)
            continue
        own = {rule.id for rule in program.rules}
        programs[path.stem] = replace(program, rules=(*program.rules, *(rule for rule in shared if rule.id not in own)))
    for program_id in sorted(set(codes["program"]) - {path.stem for path in folder.glob("*.yaml")}):
        detail = "is missing: the schema of a case names this program"
        found.errors.append(Finding(f"{name}/{program_id}.yaml", 0, detail))
    return programs


def _unknown_keys(source: Source, entry: Mapping[str, Any], known: Collection[str], found: Found, *place: str) -> None:
    found.errors.extend(source.finding(f"{key}: is not known here", *place, key) for key in entry if key not in known)


def _is_day(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _titled(entry: Mapping[str, Any]) -> bool:
    return all(isinstance(entry.get(language), str) and entry[language] for language in ("en", "fr"))
