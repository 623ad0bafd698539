"""Reads a program's file: title, rules and waitlist; everything that is wrong in it is found at once, with its place.

Source: docs/programs.md. Expressions are FHIRPath, compiled once; what they may name besides the record is VARIABLES.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, cast

from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.fhirpath import Expression, compile_expression
from adapter.core.mapping.positions import Document, Path, Place, Positions, read_yaml
from adapter.core.programs.calendar import Interval
from adapter.core.programs.program import (
    ACTIVE,
    AHEAD,
    OWN_CONSENT,
    Age,
    Area,
    Around,
    Cover,
    Kind,
    Must,
    Priority,
    Program,
    Repeat,
    Rule,
)
from adapter.errors import Finding, Misconfigured

VARIABLES = ("record", "parent", "case", "child", "program", "today")
LANGUAGES = ("en", "fr")
KEYS = {
    "must": ("each", "at", "when", "holds", "by", "from", "within", "says"),
    "repeat": ("each", "at", "when", "every", "agreed", "last", "from", "next", "around"),
    "cover": ("at", "when", "codes", "lists", "areas"),
    "age": ("when", "under", "or"),
}
"""The kinds of rule, and what each is told with."""
EXPRESSIONS = frozenset({"when", "holds", "by", "from", "last", "agreed", "next", "days", "codes"})
"""The keys whose text is FHIRPath."""
_RULE = ("while", "ahead", "en", "fr", "source")
_NAME = re.compile(r"[a-z][a-z_]{0,63}", re.ASCII)
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Known:
    """What a program's file may name: records and entries (`goals.steps`), enrolment statuses, priorities, and the
    codes of each list where they are known."""

    each: Collection[str]
    stages: Collection[str]
    priorities: Collection[str]
    lists: dict[str, Collection[str]]


def load_program(text: str, *, id_: str, file: str, known: Known) -> Program:
    """One program; Misconfigured with a finding, file, line and column, for every problem in the file."""
    loader = _Loader(_document(text, file), file, known)
    program = loader.program(id_)
    if loader.findings:
        raise Misconfigured(f"{file} is no program", sorted(set(loader.findings)))
    return program


def load_rules(text: str, *, file: str, known: Known) -> tuple[Rule, ...]:
    """Rules of no one program: a file with `rules` and nothing else."""
    loader = _Loader(_document(text, file), file, known)
    loader.only((), ("rules",))
    rules = loader.rules()
    if loader.findings:
        raise Misconfigured(f"{file} holds no rules", sorted(set(loader.findings)))
    return rules


@dataclass(frozen=True, slots=True)
class Written:
    """One expression of a file: its text, where it stands, what its rule goes through, the name that `let` gives it."""

    text: str
    place: Place
    each: str
    name: str = ""


def written(document: Document) -> Iterator[Written]:
    """Every expression of a program's file that could be one, those of `let` first."""
    given = document.value if isinstance(document.value, dict) else {}
    named, rules = given.get("let"), given.get("rules")
    for name, text in named.items() if isinstance(named, dict) else ():
        if isinstance(text, str):
            yield Written(text, document.positions.value(("let", name)), "case", name)
    for id_, rule in rules.items() if isinstance(rules, dict) else ():
        for kind in KEYS:
            body = rule.get(kind) if isinstance(rule, dict) else None
            if isinstance(body, dict):
                each = "child" if kind == "age" else str(body.get("each", "case"))
                for path, text in _expressions(body, ("rules", id_, kind)):
                    yield Written(text, document.positions.value(path), each)


def _expressions(node: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(node, dict):
        for key, child in node.items():
            if key in EXPRESSIONS and isinstance(child, str):
                yield (*path, key), child
            else:
                yield from _expressions(child, (*path, key))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _expressions(child, (*path, index))


def _document(text: str, file: str) -> Document:
    documents = read_yaml(text, file)
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise Misconfigured(f"{file} is no program", [Finding(file, 1, "must hold keys and values")])
    return documents[0]


class _Loader:
    def __init__(self, document: Document, file: str, known: Known) -> None:
        self._value: dict[str, Any] = document.value
        self._positions: Positions = document.positions
        self._file = file
        self._known = known
        self._variables: tuple[str, ...] = VARIABLES
        self.findings: list[Finding] = []

    def program(self, id_: str) -> Program:
        self.only((), ("title", "age_of_own_consent", "let", "rules", "waitlist"))
        named = self._named()
        title = self._words(("title",), self._value.get("title"))
        age = self._value.get("age_of_own_consent", OWN_CONSENT)
        if not _is_years(age):
            self._find(("age_of_own_consent",), "age_of_own_consent: must be years, 0 to 25")
        return Program(id_, title, age, self.rules(), self._priorities(), named)

    def _named(self) -> tuple[tuple[str, Expression], ...]:
        """`let`: each may use those before it."""
        made: list[tuple[str, Expression]] = []
        given = self._object(("let",), self._value.get("let", {}))
        for name in given:
            if name in VARIABLES or not _NAME.fullmatch(name):
                self._find(("let", name), f"{name}: a name of its own, of small letters and underscores", key=True)
            elif (expression := self._expression(("let", name), given)) is not None:
                made.append((name, expression))
                self._variables = (*self._variables, name)
        return tuple(made)

    def rules(self) -> tuple[Rule, ...]:
        given = self._object(("rules",), self._value.get("rules", {}))
        return tuple(rule for id_ in given if (rule := self._rule(id_, ("rules", id_))) is not None)

    def _rule(self, id_: str, path: Path) -> Rule | None:
        body = self._object(path, self._at(path))
        before = len(self.findings)
        if not _ID.fullmatch(id_):
            self._find(path, f"{id_}: a rule's name is small letters, digits and dashes", key=True)
        kinds = [kind for kind in KEYS if kind in body]
        if len(kinds) != 1:
            self._find(path, f"{id_}: is of one kind: {', '.join(KEYS)}", key=True)
            return None
        self.only(path, (*kinds, *_RULE))
        kind, at = kinds[0], (*path, kinds[0])
        asked = self._object(at, body[kind])
        self.only(at, KEYS[kind])
        each = "child" if kind == "age" else self._text((*at, "each"), asked.get("each", "case"))
        if each not in self._known.each:
            self._find((*at, "each"), f"each: no record schema has {each}")
        place = self._text((*at, "at"), asked.get("at", ""))
        if (each == "case" and not place) or (place and place not in self._known.each):
            self._find((*at, "at"), "at: names the collection to tell of, where the case as a whole is asked")
        sentence = self._words(path, body)
        source = self._text((*path, "source"), body.get("source", ""))
        if not source:
            self._find(path, f"{id_}: needs `source`: where the program's document asks for it", key=True)
        asks = self._asks(kind, at, asked)
        when = self._expression((*at, "when"), asked)
        stages = self._stages((*path, "while"), body.get("while"))
        ahead = self._interval((*path, "ahead"), body) or AHEAD
        if len(self.findings) > before or asks is None:
            return None
        return Rule(id_, asks, sentence, source, each, place, when, stages, ahead)

    def _asks(self, kind: str, at: Path, asked: dict[str, Any]) -> Must | Repeat | Cover | Age | None:
        match kind:
            case "must":
                return self._must(at, asked)
            case "repeat":
                return self._repeat(at, asked)
            case "cover":
                return self._cover(at, asked)
            case _:
                return self._age(at, asked)

    def _must(self, at: Path, asked: dict[str, Any]) -> Must:
        holds, by = (self._expression((*at, key), asked) for key in ("holds", "by"))
        start, within = self._expression((*at, "from"), asked), self._interval((*at, "within"), asked)
        says = asked.get("says", "missing")
        if says not in ("missing", "warning"):
            self._find((*at, "says"), "says: is missing or warning")
        if ("by" in asked and ("from" in asked or "within" in asked)) or ("within" in asked and "from" not in asked):
            self._find(at, "must: a day is set `by` a date, or `from` a date `within` a time", key=True)
        if "holds" not in asked and "by" not in asked:
            self._find(at, "must: needs `holds`, what is to be true, or `by`", key=True)
        if "says" in asked and ("by" in asked or "within" in asked):
            self._find((*at, "says"), "says: what has its day is due or overdue")
        return Must(holds, by, start, within, cast(Kind, says))

    def _repeat(self, at: Path, asked: dict[str, Any]) -> Repeat | None:
        every = tuple(self._every((*at, "every"), asked.get("every", [])))
        last, agreed, start, planned = (
            self._expression((*at, key), asked) for key in ("last", "agreed", "from", "next")
        )
        if last is None and "last" not in asked:
            self._find(at, "repeat: needs `last`, when it was last done", key=True)
        if not every and "agreed" not in asked:
            self._find(at, "repeat: needs `every`, or `agreed` of the record", key=True)
        around = self._around((*at, "around"), asked["around"]) if "around" in asked else None
        return None if last is None else Repeat(every, last, agreed, start, planned, around)

    def _every(self, at: Path, given: Any) -> Iterator[tuple[Expression | None, Interval]]:
        if isinstance(given, str):
            given = [{"every": given}]
            at = at[:-1]
            if interval := self._interval((*at, "every"), given[0]):
                yield None, interval
            return
        for index, one in enumerate(given if isinstance(given, list) else [given]):
            here = (*at, index) if isinstance(given, list) else at
            body = self._object(here, one)
            self.only(here, ("when", "every"))
            when, interval = self._expression((*here, "when"), body), self._interval((*here, "every"), body)
            if interval is None and "every" not in body:
                self._find(here, "every: needs a length of time, such as P6M")
            elif interval is not None:
                yield when, interval

    def _around(self, at: Path, given: Any) -> Around | None:
        body = self._object(at, given)
        self.only(at, ("days", "before", "after", "every"))
        days = self._expression((*at, "days"), body)
        before, after, every = (self._interval((*at, key), body) for key in ("before", "after", "every"))
        if missing := [key for key in ("days", "before", "after", "every") if key not in body]:
            self._find(at, f"around: needs {', '.join(missing)}", key=True)
        if days is None or before is None or after is None or every is None:
            return None
        return Around(days, before, after, every)

    def _cover(self, at: Path, asked: dict[str, Any]) -> Cover | None:
        codes = self._expression((*at, "codes"), asked)
        if codes is None and "codes" not in asked:
            self._find(at, "cover: needs `codes`, an expression that gives them", key=True)
        lists = asked.get("lists", [])
        known: set[str] = set()
        for index, name in enumerate(lists if isinstance(lists, list) else [lists]):
            if name not in self._known.lists:
                self._find((*at, "lists", index), f"lists: there is no mappings/codes/{name}.json")
            else:
                known |= set(self._known.lists[name])
        areas = self._object((*at, "areas"), asked.get("areas", {}))
        if not areas:
            self._find(at, "cover: needs `areas`", key=True)
        made = tuple(self._area((*at, "areas", name), name, known) for name in areas)
        return None if codes is None else Cover(codes, made)

    def _area(self, at: Path, name: str, known: set[str]) -> Area:
        body = self._object(at, self._at(at))
        self.only(at, ("codes", "en", "fr"))
        codes = body.get("codes")
        if not isinstance(codes, list) or not codes or not all(isinstance(code, str) for code in codes):
            self._find(at, f"{name}: needs `codes`, a list", key=True)
            codes = []
        for index, code in enumerate(codes):
            if known and code not in known:
                self._find((*at, "codes", index), f"{name}: {code} is no code of its lists")
        return Area(name, frozenset(codes), self._words(at, body))

    def _age(self, at: Path, asked: dict[str, Any]) -> Age:
        under: Any = asked.get("under")
        otherwise = None
        if not _is_years(under):
            self._find((*at, "under") if "under" in asked else at, "under: must be years, 0 to 25")
        if "or" in asked:
            here = (*at, "or")
            body = self._object(here, asked["or"])
            self.only(here, ("under", "when"))
            when = self._expression((*here, "when"), body)
            if not _is_years(body.get("under")) or "when" not in body:
                self._find(here, "or: needs `under`, years, and `when`", key=True)
            elif when is not None:
                otherwise = (when, body["under"])
        return Age(under, otherwise)

    def _stages(self, at: Path, given: Any) -> frozenset[str]:
        if given is None:
            return ACTIVE
        stages = given if isinstance(given, list) else [given]
        for index, stage in enumerate(stages):
            if stage not in self._known.stages:
                place = (*at, index) if isinstance(given, list) else at
                self._find(place, f"while: is of {', '.join(sorted(self._known.stages))}")
        return frozenset(map(str, stages))

    def _priorities(self) -> tuple[Priority, ...]:
        if "waitlist" not in self._value:
            return ()
        body = self._object(("waitlist",), self._value["waitlist"])
        self.only(("waitlist",), ("source", "priorities"))
        if not self._text(("waitlist", "source"), body.get("source", "")):
            self._find(("waitlist",), "waitlist: needs `source`", key=True)
        at: Path = ("waitlist", "priorities")
        given = self._object(at, body.get("priorities", {}))
        for code in given:
            if code not in self._known.priorities:
                self._find((*at, code), f"{code}: is no priority of the record schemas", key=True)
        if absent := sorted(set(self._known.priorities) - set(given)):
            self._find(("waitlist",), f"priorities: {', '.join(absent)} is in no order", key=True)
        return tuple(Priority(code, self._words((*at, code), words)) for code, words in given.items())

    def _expression(self, path: Path, body: dict[str, Any]) -> Expression | None:
        key = path[-1]
        if key not in body:
            return None
        text = body[key]
        if not isinstance(text, str) or "{{" in text:
            self._find(path, f"{key}: is one FHIRPath expression, without braces")
            return None
        try:
            return compile_expression(text, variables=self._variables)
        except ExpressionError as error:
            line, column = self._positions.value(path).within(text, 0, error.line, error.column)
            self._tell(line, column, error.reason)
            return None

    def _interval(self, path: Path, body: dict[str, Any]) -> Interval | None:
        key = path[-1]
        if key not in body:
            return None
        if (found := Interval.of(body[key])) is None:
            self._find(path, f"{key}: must be a length of time, such as P14D or P6M")
        return found

    def _words(self, path: Path, body: Any) -> dict[str, str]:
        """What it is called, or says, in each language."""
        words = body if isinstance(body, dict) else {}
        if any(not isinstance(words.get(language), str) or not words[language] for language in LANGUAGES):
            self._find(path, f"{path[-1]}: needs en and fr", key=True)
            return dict.fromkeys(LANGUAGES, "")
        return {language: words[language] for language in LANGUAGES}

    def _text(self, path: Path, value: Any) -> str:
        if not isinstance(value, str):
            self._find(path, f"{path[-1]}: must be text")
            return ""
        return value

    def _object(self, path: Path, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._find(path, f"{path[-1]}: must hold keys and values")
            return {}
        return value

    def _at(self, path: Path) -> Any:
        found: Any = self._value
        for step in path:
            found = found[step]
        return found

    def only(self, path: Path, keys: Collection[str]) -> None:
        """A finding for each key that is not one of these."""
        body = self._at(path)
        for key in body if isinstance(body, dict) else ():
            if key not in keys:
                self._find((*path, key), f"{key}: is not known here: {', '.join(keys)}", key=True)

    def _find(self, path: Path, reason: str, *, key: bool = False) -> None:
        while path and not (place := self._positions.key(path) if key else self._positions.value(path)).line:
            path, key = path[:-1], False
        place = self._positions.key(path) if key else self._positions.value(path)
        self._tell(place.line, place.column, reason)

    def _tell(self, line: int, column: int, reason: str) -> None:
        self.findings.append(Finding(self._file, line or 1, f"column {column}: {reason}" if column else reason))


def _is_years(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 25
