"""Do the checker and HAPI's validator agree, on resources that are broken one rule at a time?

They agree where both find an error or both find none. Where they do not, a reason of `REASONS` has to explain it; what
none explains is a fault of the one or the other.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapter.core.fhir.checker import Checker
from adapter.errors import Problem
from tests.core.fhir.breaking import broken
from tests.core.mapping_files.regenerate import GOLDEN
from tests.validator.hapi import Hapi, Issue
from tests.validator.sent import sent

Json = dict[str, Any]

REASONS = {
    "terminology": "only HAPI: a code of a code system, or a display, that is not known here (v2, v3, LOINC, UCUM)",
    "crash": "only HAPI: its reader stops at a null, which FHIR allows in a list beside an extension",
    "modifier": "only we: a modifier extension that nobody defines; HAPI is told to allow any extension",
    "type": "only we: Reference.type may not stand there; HAPI looks at it only beside a literal reference",
    "xhtml": "only we: XHTML that is not well-formed or loads from outside; HAPI's reader repairs it, and lets it load",
    "empty": "only we: an empty list, text or element (ele-1); HAPI's reader drops some of them before it looks",
}


@dataclass
class Table:
    """How often they agreed, by kind of breakage; and each disagreement."""

    found: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    explained: Counter[tuple[str, str]] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum((self.found + self.passed).values()) + sum(self.explained.values()) + len(self.unexplained)

    def kinds(self) -> list[str]:
        return sorted({*self.found, *self.passed, *(kind for kind, _ in self.explained)})


def sound(hapi: Hapi, checker: Checker, given: Sequence[Json]) -> list[Json]:
    """Those that both accept: only what was whole can be broken by one rule."""
    accepted = [each for each in given if not checker.problems(each)]
    answers = hapi.issues(accepted)
    return [each for each, issues in zip(accepted, answers, strict=True) if not any(issue.wrong for issue in issues)]


def of_fixtures(release: str) -> list[Json]:
    """The resources that fixtures send in this release, and the golden ones of the mapping files, each once."""
    found = [made.resource for each in sent() if each.release == release for made in each.made]
    folder = GOLDEN / "r5" if release == "R5" else GOLDEN
    found += [each for file in sorted(folder.glob("*.json")) for each in json.loads(file.read_text("utf-8"))]
    return list({str(resource): resource for resource in found}.values())


def breakages(given: Sequence[Json], checker: Checker, number: int, seed: int) -> Iterator[tuple[str, Json, Json]]:
    """(kind, before, after) of this many resources, each broken once, the same for the same seed."""
    made = 0
    while made < number:
        seed += 1
        before = given[(seed * 7919) % len(given)]
        if change := broken(before, checker.definitions, seed):
            made += 1
            yield change[0], before, change[1]


def compared(hapi: Hapi, checker: Checker, given: Sequence[Json], *, number: int, seed: int) -> Table:
    """The table of this many breakages."""
    table = Table()
    for kind, before, after in breakages(given, checker, number, seed):
        errors = [issue for issue in hapi.issues([after])[0] if issue.wrong]
        problems = checker.problems(after)
        if bool(errors) == bool(problems):
            (table.found if problems else table.passed)[kind] += 1
        elif reason := explanation(errors, problems):
            table.explained[(kind, reason)] += 1
        else:
            table.unexplained.append(_told(kind, before, after, errors, problems))
    return table


def explanation(errors: Sequence[Issue], problems: Sequence[Problem]) -> str | None:
    """Which of the reasons explains all that only one of them found."""
    if errors:
        if all(each.id == "UnsupportedOperationException" for each in errors):
            return "crash"
        return "terminology" if all(each.id.startswith("Terminology_") for each in errors) else None
    reasons = {_reason(each) for each in problems}
    return reasons.pop() if len(reasons) == 1 else None


def _reason(problem: Problem) -> str | None:
    if problem.detail.startswith("a modifier that is not known"):
        return "modifier"
    if problem.pointer.endswith("/type") and "may not stand here" in problem.detail:
        return "type"
    if problem.pointer.endswith("/text/div"):
        return "xhtml"
    return "empty" if "(ele-1)" in problem.detail else None


def _told(kind: str, before: Json, after: Json, errors: Sequence[Issue], problems: Sequence[Problem]) -> str:
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    gone = sorted(before.keys() - after.keys())
    said = [f"{each.at}: {each.text} [{each.id}]" for each in errors] or [f"{p.pointer}: {p.detail}" for p in problems]
    return f"{kind}: only {'HAPI' if errors else 'we'}: {said[:3]}; {after['resourceType']} {str(changed)[:600]} {gone}"


def printed(table: Table) -> Iterator[str]:
    """The table, as lines."""
    yield f"{'kind':28} {'both found':>10} {'both passed':>11} {'explained':>9}"
    for kind in table.kinds():
        explained = sum(count for (of, _), count in table.explained.items() if of == kind)
        yield f"{kind:28} {table.found[kind]:10} {table.passed[kind]:11} {explained:9}"
    agreed = sum((table.found + table.passed).values())
    yield f"{table.total} resources, agreement on {agreed}; not on {sum(table.explained.values())} for a known reason:"
    for reason, text in REASONS.items():
        yield f"  {sum(count for (_, of), count in table.explained.items() if of == reason):5}  {text}"
    yield f"and on {len(table.unexplained)} without one{':' if table.unexplained else '.'}"
    yield from table.unexplained
