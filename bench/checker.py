"""The checker beside fhir.resources on the same resources: those of every fixture, everything permitted.

Run `.venv/bin/python bench/checker.py`. Both must accept every resource before they are measured; the checker works
without what it keeps by content hash. Figures are the best of several rounds, in microseconds a resource; the ratio is
what is asked for: at most 0.25, while bindings, reference targets, invariants, extensions and narrative count too.
"""

from __future__ import annotations

import sys
import timeit
from collections.abc import Callable
from typing import Any

from adapter.catalogue import files_root
from adapter.catalogue.definitions import checkers
from adapter.core.fhir import models
from tests.core.mapping_files.views import fixtures, mapped, mappings, whole

MOST = 0.25
ROUNDS = 15


def resources() -> list[tuple[str, dict[str, Any]]]:
    """(urn, resource) of what the mapping files make of every fixture."""
    using = mappings()
    return [(made.urn, made.resource) for _, case in fixtures() for made in mapped(whole(case), using).made]


def main() -> int:
    given = resources()
    among = dict(given)
    checker = checkers(files_root())["R4"]
    wrong = [each for _, one in given for each in (*checker.problems(one, among=among), *models.problems(one))]
    if wrong:
        print("Not measured, since something is wrong:", wrong[:5])
        return 1
    ours, theirs = [], []
    for _ in range(ROUNDS):  # in turn, so that what else this machine does meets both
        ours.append(once(lambda: [checker.problems(one, among=among) for _, one in given]))
        theirs.append(once(lambda: [models.problems(one) for _, one in given]))
    a, b = min(ours) / len(given) * 1e6, min(theirs) / len(given) * 1e6
    print(f"{len(given)} resources: checker {a:.1f} us, fhir.resources {b:.1f} us a resource, ratio {a / b:.3f}")
    by_type(given, among, checker)
    return int(a / b > MOST)


def by_type(given: list[tuple[str, dict[str, Any]]], among: dict[str, Any], checker: Any) -> None:
    for type_ in sorted({one["resourceType"] for _, one in given}):
        some = [one for _, one in given if one["resourceType"] == type_]
        a = min(once(lambda: [checker.problems(one, among=among) for one in some]) for _ in range(5)) / len(some) * 1e6  # noqa: B023
        b = min(once(lambda: [models.problems(one) for one in some]) for _ in range(5)) / len(some) * 1e6  # noqa: B023
        print(f"  {type_:18} {a:8.1f} us {b:8.1f} us  {a / b:.3f}")


def once(work: Callable[[], Any]) -> float:
    return timeit.timeit(work, number=1)


if __name__ == "__main__":
    sys.exit(main())
