"""The checker beside fhir.resources on the same resources: those of every fixture, everything permitted.

Run `.venv/bin/python bench/checker.py`. Both must accept every resource before they are measured; the checker works
without what it keeps by content hash, and with the profiles that the resources claim. Figures are the best of several
rounds, in microseconds a resource; the ratio is what is asked for: at most 0.25, while bindings, reference targets,
invariants, extensions and narrative count too.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from typing import Any

from adapter.catalogue import files_root
from adapter.catalogue.definitions import checkers
from adapter.core.fhir import models
from tests.core.mapping_files.views import fixtures, mapped, mappings, whole

MOST = 0.25
ROUNDS = 15
Resource = dict[str, Any]


def resources() -> list[tuple[str, Resource]]:
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
    by_type: dict[str, list[Resource]] = defaultdict(list)
    for _, one in given:
        by_type[one["resourceType"]].append(one)
    ours = theirs = 0.0
    for type_, some in sorted(by_type.items()):
        validate = getattr(import_module(f"fhir.resources.R4B.{type_.lower()}"), type_).model_validate
        a, b = measured(lambda one: checker.problems(one, among=among), validate, some)
        print(f"  {type_:18} checker {a * 1e6:7.1f} us   fhir.resources {b * 1e6:7.1f} us   ratio {a / b:.3f}")
        ours, theirs = ours + a * len(some), theirs + b * len(some)
    print(f"{len(given)} resources: checker {ours / len(given) * 1e6:.1f} us, fhir.resources "
          f"{theirs / len(given) * 1e6:.1f} us a resource, ratio {ours / theirs:.3f} (at most {MOST})")  # fmt: skip
    return int(ours / theirs > MOST)


def measured(
    ours: Callable[[Resource], Any], theirs: Callable[[Resource], Any], some: list[Resource]
) -> tuple[float, float]:
    """Seconds of processor time a resource, the best of the rounds; in turn, so that the machine's day meets both."""
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for which, work in enumerate((ours, theirs)):
            began = time.process_time()
            for one in some:
                work(one)
            best[which] = min(best[which], (time.process_time() - began) / len(some))
    return best[0], best[1]


if __name__ == "__main__":
    sys.exit(main())
