"""Reads a program's file: title, rules and waitlist; everything that is wrong in it is found at once, with its place.

Source: docs/programs.md. Expressions are FHIRPath, compiled once; what they may name besides the record is VARIABLES.
"""

from __future__ import annotations

import re

from adapter.core.mapping.fhirpath import Expression
from adapter.core.mapping.positions import Document, Path, read_yaml
from adapter.core.programs.asks import is_years
from adapter.core.programs.program import OWN_CONSENT, Priority, Program, Rule
from adapter.core.programs.reading import VARIABLES, Known, Reading
from adapter.core.programs.rules import rules_of
from adapter.errors import Finding, Misconfigured

_NAME = re.compile(r"[a-z][a-z_]{0,63}", re.ASCII)


def load_program(text: str, *, id_: str, file: str, known: Known) -> Program:
    """One program; Misconfigured with a finding, file, line and column, for every problem in the file."""
    reading = Reading(_document(text, file), file, known)
    program = _program(reading, id_)
    if reading.findings:
        raise Misconfigured(f"{file} is no program", sorted(set(reading.findings)))
    return program


def load_rules(text: str, *, file: str, known: Known) -> tuple[Rule, ...]:
    """Rules of no one program: a file with `rules` and nothing else."""
    reading = Reading(_document(text, file), file, known)
    reading.only((), ("rules",))
    rules = rules_of(reading)
    if reading.findings:
        raise Misconfigured(f"{file} holds no rules", sorted(set(reading.findings)))
    return rules


def _program(file: Reading, id_: str) -> Program:
    file.only((), ("title", "age_of_own_consent", "let", "rules", "waitlist"))
    named = _named(file)
    title = file.words(("title",), file.value.get("title"))
    age = file.value.get("age_of_own_consent", OWN_CONSENT)
    if not is_years(age):
        file.find(("age_of_own_consent",), "age_of_own_consent: must be years, 0 to 25")
    return Program(id_, title, age, rules_of(file), _priorities(file), named)


def _named(file: Reading) -> tuple[tuple[str, Expression], ...]:
    """`let`: each may use those before it."""
    made: list[tuple[str, Expression]] = []
    given = file.mapping(("let",), file.value.get("let", {}))
    for name in given:
        if name in VARIABLES or not _NAME.fullmatch(name):
            file.find(("let", name), f"{name}: a name of its own, of small letters and underscores", key=True)
        elif (expression := file.expression(("let", name), given)) is not None:
            made.append((name, expression))
            file.variables = (*file.variables, name)
    return tuple(made)


def _priorities(file: Reading) -> tuple[Priority, ...]:
    if "waitlist" not in file.value:
        return ()
    body = file.mapping(("waitlist",), file.value["waitlist"])
    file.only(("waitlist",), ("source", "priorities"))
    if not file.text(("waitlist", "source"), body.get("source", "")):
        file.find(("waitlist",), "waitlist: needs `source`", key=True)
    at: Path = ("waitlist", "priorities")
    given = file.mapping(at, body.get("priorities", {}))
    for code in given:
        if code not in file.known.priorities:
            file.find((*at, code), f"{code}: is no priority of the record schemas", key=True)
    if absent := sorted(set(file.known.priorities) - set(given)):
        file.find(("waitlist",), f"priorities: {', '.join(absent)} is in no order", key=True)
    return tuple(Priority(code, file.words((*at, code), words)) for code, words in given.items())


def _document(text: str, file: str) -> Document:
    documents = read_yaml(text, file)
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise Misconfigured(f"{file} is no program", [Finding(file, 1, "must hold keys and values")])
    return documents[0]
