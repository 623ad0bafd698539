"""What a program asks for in one case today: due, overdue, missing, or to be looked at (records.md, *Programs*)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from adapter.core.mapping.environment import Env
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.programs.kinds import Asked, Said, said
from adapter.core.programs.program import KINDS, Finding, Program, Rule

CANNOT = {
    "en": "This rule cannot be worked out for this record: whoever looks after the program's file should look at it.",
    "fr": "Cette règle ne peut pas être appliquée à cette fiche : la personne qui tient le fichier du programme"
    " devrait la vérifier.",
}


def due(
    case: Mapping[str, Any], program: Program, now: datetime, zone: tzinfo, *, days: int | None = None
) -> tuple[Finding, ...]:
    """What each rule of the program finds in the case, the overdue first. Total over every valid case.

    `zone` is the agency's: dates are whole days there. `days`: tell what is due so far ahead, instead of each rule's
    own `ahead`. A rule is asked in the stages that it names, and where the case does not say its stage.
    """
    moment = now.astimezone(zone)
    whole = with_paths(case)
    variables: dict[str, Any] = {
        "case": whole,
        "child": whole.get("child"),
        "program": program.id,
        "today": moment.date().isoformat(),
    }
    for name, expression in program.named:
        # One that cannot be worked out is not there: each rule that names it then says that it cannot be.
        with suppress(ExpressionError):
            variables[name] = expression.select(whole, Env({**variables, "record": whole, "parent": None}, moment))
    stage = whole.get("enrolment", {}).get("status")
    entries: dict[str, list[tuple[dict[str, Any], Env]]] = {}
    found: dict[tuple[Any, ...], Finding] = {}
    for rule in program.rules:
        if stage is not None and stage not in rule.stages:
            continue
        until = _until(rule, moment.date(), days)
        if rule.each not in entries:
            entries[rule.each] = [
                (record, Env({**variables, "record": record, "parent": parent}, moment))
                for record, parent in _each(whole, rule.each)
            ]
        for record, env in entries[rule.each]:
            for finding in _found(rule, Asked(record, env, moment.date(), zone, until), program.id):
                found.setdefault((finding.rule, finding.path, finding.sentence["en"]), finding)
    return tuple(sorted(found.values(), key=_order))


def _found(rule: Rule, asked: Asked, program: str) -> Iterator[Finding]:
    path = rule.at or asked.record["path"]
    try:
        if rule.when is not None and not asked.holds(rule.when):
            return
        for each in said(rule, asked):
            yield Finding(each.kind, rule.id, path, each.due, each.since, _words(rule, each), program, rule.source)
    except ExpressionError:
        yield Finding("warning", rule.id, path, None, None, CANNOT, program, rule.source)


def _words(rule: Rule, each: Said) -> Mapping[str, str]:
    if each.area is None:
        return rule.sentence
    return {language: text.replace("{area}", each.area.title[language]) for language, text in rule.sentence.items()}


def _until(rule: Rule, today: date, days: int | None) -> date:
    if days is None:
        return rule.ahead.after(today) or date.max
    return today + timedelta(days=min(days, (date.max - today).days))


def _order(finding: Finding) -> tuple[Any, ...]:
    return (KINDS.index(finding.kind), finding.due or date.max, finding.path, finding.rule, finding.sentence["en"])


def _each(case: dict[str, Any], each: str) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """(record, what holds it) of what a rule goes through."""
    if each == "case":
        yield case, None
        return
    collection, *fields = each.split(".")
    holder = case.get(collection, ())
    found: list[tuple[dict[str, Any], dict[str, Any] | None]]
    found = [(record, None) for record in ([holder] if isinstance(holder, dict) else holder)]
    for name in fields:
        found = [(entry, record) for record, _ in found for entry in record.get(name, ())]
    yield from found


def with_paths(case: Mapping[str, Any]) -> dict[str, Any]:
    """The case with the `path` of each record and entry in it, as mapping files know it; an entry without an id has
    the path of its list."""
    made: dict[str, Any] = {}
    for name, value in case.items():
        if isinstance(value, dict):
            made[name] = _named(value, name)
        elif isinstance(value, list):
            made[name] = [_named(record, f"{name}/{record['id']}") for record in value]
        else:
            made[name] = value
    return made


def _named(record: dict[str, Any], path: str) -> dict[str, Any]:
    named = dict(record)
    for name, value in record.items():
        if value.__class__ is list and value and value[0].__class__ is dict:
            below = f"{path}/{name}"
            named[name] = [_named(entry, f"{below}/{entry['id']}" if "id" in entry else below) for entry in value]
    named["path"] = path
    return named
