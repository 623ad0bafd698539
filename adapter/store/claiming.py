"""What workers claim, each for itself: of the rows that are due, the one that has been so longest."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from adapter.store.tables import Instant


def longest_due(key: sa.Column[Any], due: sa.Column[Any], among: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    """The key of the row that has been due longest by the moment `now`, locked, and passed over by every other worker.

    Materialised: PostgreSQL was seen to run the inner SELECT more than once, and to claim more rows than its LIMIT.
    """
    found = (
        sa.select(key)
        .where(due <= sa.bindparam("now", type_=Instant), among)
        .order_by(due, key)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("next")
        .prefix_with("MATERIALIZED")
    )
    return sa.select(found.c[key.name]).scalar_subquery()
