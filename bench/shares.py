"""What a million idle shares cost a claim: its time, and the memory of the process, with more and more of them.

    python -m bench.shares [--most 1000000] [--url postgresql://…]      SQLite in a temporary folder if no URL is given

The shares are written straight into the table, in bulk; a thousand more are due. Then five hundred of these are claimed
and settled as a worker does it, one transaction each.
"""

from __future__ import annotations

import resource
import statistics
import time
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from adapter.store import shares
from adapter.store.database import Store
from bench.stores import run

DUE, CLAIMS, PARTNERS = 1000, 500, 10
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def fill(store: Store, first: int, last: int, *, due: bool) -> None:
    """Cases `first` up to `last` with a share for each of ten partners: idle, or due."""
    with store.writing() as tx:
        sqlite = tx.connection.dialect.name == "sqlite"
        blob = "CAST('n' || i AS blob)" if sqlite else "convert_to('n' || i, 'UTF8')"
        numbers = f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {last})"
        tx.connection.exec_driver_sql(
            f"{numbers} INSERT INTO cases (id, number_index, sealed_number, version, sealed_body, sealed_kept, "
            f"saved_at, deleted) SELECT 'c' || i, {blob}, '', 1, '', '', '2026-01-01', false FROM n"
        )
        state, turn = ("due", "'2026-11-01'") if due else ("idle", "NULL")
        names = " UNION ALL ".join(f"SELECT 'p{p}' AS name" for p in range(PARTNERS))
        instant = turn if sqlite or not due else f"timestamptz {turn}"
        tx.connection.exec_driver_sql(
            f"{numbers} INSERT INTO shares (case_id, partner, state, held, due, turn, marked, taken, fence, worker, "
            "attempts, outcome, detail, refused, alarms, updated_at) "
            f"SELECT 'c' || i, p.name, '{state}', false, {instant}, {instant}, 0, 0, 0, '', 0, '', '', '', '[]', "
            f"'2026-01-01' FROM n, ({names}) p"
        )


def claims(store: Store) -> list[float]:
    """Milliseconds of each claim with its commit; what is claimed is settled, and not due any more."""
    took = []
    for _ in range(CLAIMS):
        began = time.perf_counter()
        with store.writing() as tx:
            share = shares.claim(tx, worker="w", now=NOW, lease=timedelta(seconds=30))
        took.append(1000 * (time.perf_counter() - began))
        assert share is not None
        with store.writing() as tx:
            shares.settle(tx, share, due=None, outcome="unchanged")
    return sorted(took)


def measure(store: Store, most: int) -> None:
    there = 0
    print(f"{'idle shares':>12} {'p50 ms':>8} {'p99 ms':>8} {'memory MB':>10}")
    for step, wanted in enumerate(n for n in (1_000, 100_000, 1_000_000) if n <= most):
        fill(store, there // PARTNERS, wanted // PARTNERS, due=False)
        there = wanted
        fill(store, 10_000_000 + step * DUE, 10_000_000 + step * DUE + DUE // PARTNERS, due=True)
        with store.writing() as tx:
            tx.connection.execute(sa.text("ANALYZE"))
        took = claims(store)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        p99 = took[int(0.99 * len(took))]
        print(f"{wanted:>12} {statistics.median(took):>8.2f} {p99:>8.2f} {memory:>10.0f}")


if __name__ == "__main__":
    run(measure, __doc__, most=1_000_000)
