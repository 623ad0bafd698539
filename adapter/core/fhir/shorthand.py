"""Reads FHIR Shorthand as far as profiles/fsh uses it: entities with their keywords and rules, each with its line.

Source: http://hl7.org/fhir/uv/shorthand/reference.html. It reads and judges nothing: SUSHI compiles these files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_ENTITY = re.compile(r"(Profile|Extension|Invariant|RuleSet|ValueSet|CodeSystem|Instance):\s*(\S+?)(?:\((.*)\))?\s*$")
_KEYWORD = re.compile(r"([A-Z][A-Za-z]+):\s*(.*)$")
_ALIAS = re.compile(r"Alias:\s*(\$?[^\s=]+)\s*=\s*(\S+)")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r'\\(["\\])')


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with what continues it: [(line, text)], without the star."""

    lines: tuple[tuple[int, str], ...]

    @property
    def line(self) -> int:
        return self.lines[0][0]

    @property
    def text(self) -> str:
        return " ".join(text for _, text in self.lines)


@dataclass(slots=True)
class Entity:
    """A Profile, Extension, Invariant, RuleSet, ValueSet or CodeSystem. `keywords`: name → (line, value)."""

    file: str
    line: int
    kind: str
    name: str
    parameters: tuple[str, ...] = ()
    keywords: dict[str, tuple[int, str]] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)

    def keyword(self, name: str) -> str:
        """The value of a keyword, without quotes; empty where it is not there."""
        _, value = self.keywords.get(name, (0, ""))
        found = _TEXT.fullmatch(value)
        return _ESCAPED.sub(r"\1", found[1]) if found else value

    def at(self, keyword: str) -> int:
        """The line of a keyword, else of the entity."""
        return self.keywords.get(keyword, (self.line, ""))[0]


@dataclass(slots=True)
class Shorthand:
    """The files of one release together: entities by (kind, name), and aliases."""

    entities: list[Entity] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)

    def named(self, kind: str, name: str) -> Entity | None:
        return next((each for each in self.entities if (each.kind, each.name) == (kind, name)), None)

    def names(self, *kinds: str) -> frozenset[str]:
        return frozenset(each.name for each in self.entities if each.kind in kinds)

    def rules(self, entity: Entity, within: tuple[str, ...] = ()) -> Iterator[tuple[str, Rule]]:
        """(file, rule) of an entity in their order, those of the rule sets that it inserts in their place."""
        for rule in entity.rules:
            name, arguments = inserted(rule.text)
            found = self.named("RuleSet", name) if name else None
            if found is None or name in within:
                yield entity.file, rule
                continue
            for file, inner in self.rules(found, (*within, name)):
                yield file, _filled(inner, dict(zip(found.parameters, arguments, strict=False)))


def read(text: str, file: str, into: Shorthand) -> None:
    """Add what a file holds."""
    entity: Entity | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        code = line if line.lstrip().startswith("*") else line.partition("//")[0] if line[:2] == "//" else line
        if not code.strip():
            continue
        if alias := _ALIAS.match(code):
            into.aliases[alias[1]] = alias[2]
        elif found := _ENTITY.match(code):
            parameters = tuple(part.strip() for part in (found[3] or "").split(",") if part.strip())
            entity = Entity(file, number, found[1], found[2], parameters)
            into.entities.append(entity)
        elif entity is not None and code.startswith("*"):
            entity.rules.append(Rule(((number, code[1:].strip()),)))
        elif entity is not None and code[:1].isspace() and entity.rules:
            entity.rules[-1] = Rule((*entity.rules[-1].lines, (number, code.strip())))
        elif entity is not None and (keyword := _KEYWORD.match(code)):
            entity.keywords[keyword[1]] = (number, keyword[2].strip())


def inserted(text: str) -> tuple[str, tuple[str, ...]]:
    """(the rule set that a rule inserts, what it is given); empty where it inserts none."""
    found = re.fullmatch(r"insert\s+([A-Za-z0-9_-]+)\s*(?:\((.*)\))?", text)
    return (found[1], tuple(part.strip() for part in (found[2] or "").split(","))) if found else ("", ())


def _filled(rule: Rule, given: dict[str, str]) -> Rule:
    def fill(text: str) -> str:
        for name, value in given.items():
            text = text.replace("{" + name + "}", value)
        return text

    return Rule(tuple((line, fill(text)) for line, text in rule.lines))
