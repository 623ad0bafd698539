"""What it costs to find the open attempts of a case, with a longer and longer account: all of it, or what is of them.

    python -m bench.account [--most 20000] [--url postgresql://…]      SQLite in a temporary folder if no URL is given

The account holds looks of people, and changes at ten partners; the last three changes at one of them are open. Both
ways must find the same.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from adapter.core.account.chain import Line
from adapter.store import cases, disclosures
from adapter.store.database import Store, Tx
from bench.stores import run

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
PARTNERS, OPEN, TIMES, AT_ONCE = 10, 3, 15, 1000


def line(number: int, kind: str, at: datetime) -> Line:
    look = number % 5 == 0 and kind != "attempted"
    return Line(
        at=at,
        partner="" if look else f"partner-{number % PARTNERS}",
        purpose="" if look else "care-coordination",
        kind="look" if look else kind,
        request_id=f"{number:032x}",
        operation="read" if look else "update",
        resource_type="" if look else "Goal",
        urn="" if look else f"urn:uuid:{number % 500}",
        about="goals/g1",
        parts=() if look else ("goals",),
        topics=(),
        consents=() if look else ("consents/c1@3",),
        outcome="" if look else "delivered",
    )


def whole(tx: Tx, case_id: str) -> dict[str, str]:
    """As it was: every line of the case is opened."""
    lines = [entry.line for entry in disclosures.of_case(tx, case_id)]
    last = {each.urn: each for each in lines if each.partner == "partner-1" and each.urn}
    return {urn: each.operation for urn, each in last.items() if each.kind in ("attempted", "failed")}


def of_them(tx: Tx, case_id: str) -> dict[str, str]:
    """As it is: from where on what is not clear has been kept as it is."""
    lines = disclosures.changes_since(tx, case_id, "partner-1", NOW)
    last = {each.urn: each for each in lines if each.urn}
    return {urn: each.operation for urn, each in last.items() if each.kind in ("attempted", "failed")}


def timed(store: Store, case_id: str, way: Callable[[Tx, str], dict[str, str]]) -> tuple[float, dict[str, str]]:
    """Milliseconds of a transaction that reads so, the median of some; and what it found."""
    took, found = [], {}
    for _ in range(TIMES):
        began = time.perf_counter()
        with store.reading() as tx:
            found = way(tx, case_id)
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took), found


def measure(store: Store, most: int) -> None:
    print(f"{'lines':>8} {'all of it ms':>14} {'of them ms':>12} {'ratio':>8}")
    for count in (n for n in (200, 2_000, 20_000) if n <= most):
        with store.writing() as tx:
            stored, _ = cases.put(tx, f"C-{count}", {"case": f"C-{count}"}, {}, now=NOW)
        for first in range(0, count - OPEN, AT_ONCE):
            past = [
                line(number, "delivered", NOW - timedelta(minutes=count - number))
                for number in range(first, min(first + AT_ONCE, count - OPEN))
            ]
            with store.writing() as tx:
                disclosures.append(tx, stored.id, past)
        with store.writing() as tx:
            disclosures.append(tx, stored.id, [line(1 + PARTNERS * number, "attempted", NOW) for number in range(OPEN)])
        all_of_it, before = timed(store, stored.id, whole)
        tail, after = timed(store, stored.id, of_them)
        assert before == after and len(after) == OPEN
        print(f"{count:>8} {all_of_it:>14.2f} {tail:>12.2f} {all_of_it / tail:>8.0f}")


if __name__ == "__main__":
    run(measure, __doc__, most=20_000)
