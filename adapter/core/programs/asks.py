"""Reads what a rule asks for, by its kind: must, repeat, cover or age."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from adapter.core.mapping.fhirpath import Expression
from adapter.core.mapping.positions import Path
from adapter.core.programs.calendar import Interval
from adapter.core.programs.program import Age, Area, Around, Cover, Kind, Must, Repeat
from adapter.core.programs.reading import Reading

KEYS = {
    "must": ("each", "at", "when", "holds", "by", "from", "within", "says"),
    "repeat": ("each", "at", "when", "every", "agreed", "last", "from", "next", "around"),
    "cover": ("at", "when", "codes", "lists", "areas"),
    "age": ("when", "under", "or"),
}
"""The kinds of rule, and what each is told with."""


def asks_of(file: Reading, kind: str, at: Path, asked: dict[str, Any]) -> Must | Repeat | Cover | Age | None:
    """None where what is found wrong leaves nothing to ask."""
    match kind:
        case "must":
            return _must(file, at, asked)
        case "repeat":
            return _repeat(file, at, asked)
        case "cover":
            return _cover(file, at, asked)
        case _:
            return _age(file, at, asked)


def _must(file: Reading, at: Path, asked: dict[str, Any]) -> Must:
    holds, by = (file.expression((*at, key), asked) for key in ("holds", "by"))
    start, within = file.expression((*at, "from"), asked), file.interval((*at, "within"), asked)
    says = asked.get("says", "missing")
    if says not in ("missing", "warning"):
        file.find((*at, "says"), "says: is missing or warning")
    if ("by" in asked and ("from" in asked or "within" in asked)) or ("within" in asked and "from" not in asked):
        file.find(at, "must: a day is set `by` a date, or `from` a date `within` a time", key=True)
    if "holds" not in asked and "by" not in asked:
        file.find(at, "must: needs `holds`, what is to be true, or `by`", key=True)
    if "says" in asked and ("by" in asked or "within" in asked):
        file.find((*at, "says"), "says: what has its day is due or overdue")
    return Must(holds, by, start, within, cast(Kind, says))


def _repeat(file: Reading, at: Path, asked: dict[str, Any]) -> Repeat | None:
    every = tuple(_every(file, (*at, "every"), asked.get("every", [])))
    last, agreed, start, planned = (file.expression((*at, key), asked) for key in ("last", "agreed", "from", "next"))
    if last is None and "last" not in asked:
        file.find(at, "repeat: needs `last`, when it was last done", key=True)
    if not every and "agreed" not in asked:
        file.find(at, "repeat: needs `every`, or `agreed` of the record", key=True)
    around = _around(file, (*at, "around"), asked["around"]) if "around" in asked else None
    return None if last is None else Repeat(every, last, agreed, start, planned, around)


def _every(file: Reading, at: Path, given: Any) -> Iterator[tuple[Expression | None, Interval]]:
    if isinstance(given, str):
        given = [{"every": given}]
        at = at[:-1]
        if interval := file.interval((*at, "every"), given[0]):
            yield None, interval
        return
    for index, one in enumerate(given if isinstance(given, list) else [given]):
        here = (*at, index) if isinstance(given, list) else at
        body = file.mapping(here, one)
        file.only(here, ("when", "every"))
        when, interval = file.expression((*here, "when"), body), file.interval((*here, "every"), body)
        if interval is None and "every" not in body:
            file.find(here, "every: needs a length of time, such as P6M")
        elif interval is not None:
            yield when, interval


def _around(file: Reading, at: Path, given: Any) -> Around | None:
    body = file.mapping(at, given)
    file.only(at, ("days", "before", "after", "every"))
    days = file.expression((*at, "days"), body)
    before, after, every = (file.interval((*at, key), body) for key in ("before", "after", "every"))
    if missing := [key for key in ("days", "before", "after", "every") if key not in body]:
        file.find(at, f"around: needs {', '.join(missing)}", key=True)
    if days is None or before is None or after is None or every is None:
        return None
    return Around(days, before, after, every)


def _cover(file: Reading, at: Path, asked: dict[str, Any]) -> Cover | None:
    codes = file.expression((*at, "codes"), asked)
    if codes is None and "codes" not in asked:
        file.find(at, "cover: needs `codes`, an expression that gives them", key=True)
    lists = asked.get("lists", [])
    known: set[str] = set()
    for index, name in enumerate(lists if isinstance(lists, list) else [lists]):
        if name not in file.known.lists:
            file.find((*at, "lists", index), f"lists: there is no mappings/codes/{name}.json")
        else:
            known |= set(file.known.lists[name])
    areas = file.mapping((*at, "areas"), asked.get("areas", {}))
    if not areas:
        file.find(at, "cover: needs `areas`", key=True)
    made = tuple(_area(file, (*at, "areas", name), name, known) for name in areas)
    return None if codes is None else Cover(codes, made)


def _area(file: Reading, at: Path, name: str, known: set[str]) -> Area:
    body = file.mapping(at, file.at(at))
    file.only(at, ("codes", "en", "fr"))
    codes = body.get("codes")
    if not isinstance(codes, list) or not codes or not all(isinstance(code, str) for code in codes):
        file.find(at, f"{name}: needs `codes`, a list", key=True)
        codes = []
    for index, code in enumerate(codes):
        if known and code not in known:
            file.find((*at, "codes", index), f"{name}: {code} is no code of its lists")
    return Area(name, frozenset(codes), file.words(at, body))


def _age(file: Reading, at: Path, asked: dict[str, Any]) -> Age:
    under: Any = asked.get("under")
    otherwise = None
    if not is_years(under):
        file.find((*at, "under") if "under" in asked else at, "under: must be years, 0 to 25")
    if "or" in asked:
        here = (*at, "or")
        body = file.mapping(here, asked["or"])
        file.only(here, ("under", "when"))
        when = file.expression((*here, "when"), body)
        if not is_years(body.get("under")) or "when" not in body:
            file.find(here, "or: needs `under`, years, and `when`", key=True)
        elif when is not None:
            otherwise = (when, body["under"])
    return Age(under, otherwise)


def is_years(value: Any) -> bool:
    """An age, as rules name them: 0 to 25."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 25
