"""Deciding a whole case for one partner: what it costs to compile the rules, to decide, to map and to check.

Run `.venv/bin/python bench/consent.py`. The cases are fixtures, and one of exactly 40 records. Each figure is the best
of many rounds, in milliseconds, and as a ratio to mapping the same view, which depends less on the machine.

`compile`: the rules of the case, once for all partners. `decide`: what the consents say to the partner now, and the
answer for every leaf of every record. `view`: that, closed under references, with labels and the partner's own
Consent. `map`, `check`: the resources of it. `desire`: all of these. The goal: to decide 40 records in under 1 ms.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from adapter import wiring
from adapter.catalogue import files_root
from adapter.core import strict_json
from adapter.core.consent.rules import Rules, compile_rules, standing_of
from adapter.core.consent.sight import Sight
from adapter.core.consent.view import view
from adapter.core.desired import Bench, Subject, desire
from adapter.core.fhir.models import problems
from adapter.core.mapping.resources import resources
from adapter.core.schema import records

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
PAIRS = (
    ("capable-youth", "lakeside"), ("capable-youth", "northstar"), ("early-intervention", "petits-pas"),
    ("ontario-csp", "riverside"), ("minimal", "lakeside"),
)  # fmt: skip
COLUMNS = ("compile", "decide", "view", "map", "check", "desire")


def best(work: Callable[[], object], seconds: float = 0.4) -> float:
    """Milliseconds of the fastest of as many rounds as fit."""
    timer = timeit.Timer(work)
    once = timer.timeit(1)
    return min(timer.repeat(repeat=max(3, int(seconds / max(once, 1e-6))), number=1)) * 1e3


def size(case: dict[str, Any]) -> int:
    """Records of a case."""
    return sum(1 for _ in records(case))


def forty(case: dict[str, Any]) -> dict[str, Any]:
    """A case with so many of its goals, needs and strengths that it holds 40 records."""
    made: dict[str, Any] = dict(case)
    spare = ("strengths", "needs", "contacts", "goals")
    while size(made) != 40:
        name = spare[size(made) % len(spare)]
        there = made.get(name, [])
        if size(made) > 40:
            made[name] = there[:-1]
        else:
            made[name] = [*there, {**there[0], "id": f"more-{len(there)}"}]
    return made


def cases() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(name, partner, case)."""
    for name, partner in PAIRS:
        file = files_root() / "fixtures" / name / "case.json"
        case: Any = strict_json.parse(file.read_bytes())
        yield name, partner, case
        if name == "capable-youth" and partner == "lakeside":
            yield "exactly 40 records", partner, forty(case)


def decide(case: dict[str, Any], rules: Rules, partner: str) -> Sight:
    """The answer for every leaf of every record: the view before it is closed."""
    sight = Sight.of(case, rules, standing_of(rules, partner, NOW))
    for collection, path, record in records(case):
        if collection != "consents":
            sight.grow(collection, path, record, rules.rulebook.schemas.collections[collection])
    return sight


def measure(bench: Bench, case: dict[str, Any], partner: str) -> dict[str, float]:
    """Milliseconds of each step of `desire`, and of the whole."""
    rules = compile_rules(case, bench.rulebook)
    shown = view(case, rules, partner, NOW)

    def mapping() -> Any:
        return resources(
            shown,
            bench.mappings["R4"],
            case_number="C-1",
            partner=bench.rulebook.partners[partner],
            identity=bench.identity(partner),
            program=case["program"],
            now=NOW,
        )

    made = mapping().made
    return {
        "compile": best(lambda: compile_rules(case, bench.rulebook)),
        "decide": best(lambda: decide(case, rules, partner)),
        "view": best(lambda: view(case, rules, partner, NOW)),
        "map": best(mapping),
        "check": best(lambda: [problems(each.resource) for each in made]),
        "desire": best(lambda: desire(bench, Subject("C-1", case, {}), partner, NOW)),
    }


def main() -> None:
    bench = wiring.wire_without_instance().bench
    table = Table(title="Milliseconds (and as a ratio to mapping)")
    for column in ("case", "partner", "records", "shown", *COLUMNS):
        table.add_column(column, justify="left" if column in ("case", "partner") else "right")
    for name, partner, case in cases():
        shown = view(case, compile_rules(case, bench.rulebook), partner, NOW)
        took = measure(bench, case, partner)
        cells = [f"{took[each]:.2f} ({took[each] / took['map']:.2f})" for each in COLUMNS]
        table.add_row(name, partner, str(size(case)), str(len(shown.labels)), *cells)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
