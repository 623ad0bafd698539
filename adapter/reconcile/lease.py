"""Holds a claimed share for as long as its worker lives, and no longer: however slow the partner answers.

A lease is short, so that the share of a worker that died moves again soon; and it is renewed while the worker is at it,
so that nobody else takes the share meanwhile. Whoever was stopped for longer than a lease finds the fence moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Event, Thread

from adapter.desk import Desk
from adapter.errors import Unavailable
from adapter.store import shares
from adapter.store.shares import Share


@contextmanager
def held(desk: Desk, share: Share) -> Iterator[None]:
    """Within it the lease does not end, unless the database is away for longer than that, or the share is settled."""
    over = Event()
    thread = Thread(target=_renew, args=(desk, share, over), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def lease(desk: Desk) -> timedelta:
    """How long a worker may be silent before another takes over its share."""
    return timedelta(seconds=desk.settings.lease_seconds)


def _renew(desk: Desk, share: Share, over: Event) -> None:
    mine = True
    while mine and not over.wait(desk.settings.lease_seconds / 3):
        with suppress(Unavailable), desk.store.writing() as tx:  # away for now: again at the next turn
            mine = shares.renew(tx, share, now=desk.clock(), lease=lease(desk))
