"""Reads the rules of a file: of which records each is asked, in which words, from which source; asks.py reads what."""

from __future__ import annotations

import re
from typing import Any

from adapter.core.mapping.positions import Path
from adapter.core.programs.asks import KEYS, asks_of
from adapter.core.programs.program import ACTIVE, AHEAD, Rule
from adapter.core.programs.reading import Reading

_RULE = ("while", "ahead", "en", "fr", "source")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)


def rules_of(file: Reading) -> tuple[Rule, ...]:
    """The rules in which nothing is wrong, in their order."""
    given = file.mapping(("rules",), file.value.get("rules", {}))
    return tuple(rule for id_ in given if (rule := _rule(file, id_, ("rules", id_))) is not None)


def _rule(file: Reading, id_: str, path: Path) -> Rule | None:
    body = file.mapping(path, file.at(path))
    before = len(file.findings)
    if not _ID.fullmatch(id_):
        file.find(path, f"{id_}: a rule's name is small letters, digits and dashes", key=True)
    kinds = [kind for kind in KEYS if kind in body]
    if len(kinds) != 1:
        file.find(path, f"{id_}: is of one kind: {', '.join(KEYS)}", key=True)
        return None
    file.only(path, (*kinds, *_RULE))
    kind, at = kinds[0], (*path, kinds[0])
    asked = file.mapping(at, body[kind])
    file.only(at, KEYS[kind])
    each = "child" if kind == "age" else file.text((*at, "each"), asked.get("each", "case"))
    if each not in file.known.each:
        file.find((*at, "each"), f"each: no record schema has {each}")
    place = file.text((*at, "at"), asked.get("at", ""))
    if (each == "case" and not place) or (place and place not in file.known.each):
        file.find((*at, "at"), "at: names the collection to tell of, where the case as a whole is asked")
    sentence = file.words(path, body)
    source = file.text((*path, "source"), body.get("source", ""))
    if not source:
        file.find(path, f"{id_}: needs `source`: where the program's document asks for it", key=True)
    asks = asks_of(file, kind, at, asked)
    when = file.expression((*at, "when"), asked)
    stages = _stages(file, (*path, "while"), body.get("while"))
    ahead = file.interval((*path, "ahead"), body) or AHEAD
    if len(file.findings) > before or asks is None:
        return None
    return Rule(id_, asks, sentence, source, each, place, when, stages, ahead)


def _stages(file: Reading, at: Path, given: Any) -> frozenset[str]:
    if given is None:
        return ACTIVE
    stages = given if isinstance(given, list) else [given]
    for index, stage in enumerate(stages):
        if stage not in file.known.stages:
            place = (*at, index) if isinstance(given, list) else at
            file.find(place, f"while: is of {', '.join(sorted(file.known.stages))}")
    return frozenset(map(str, stages))
