"""What a partner's server can do is kept by whoever asked last, however many workers ask at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

from adapter.core.partner import Partner
from adapter.store import abilities
from adapter.store.abilities import Known
from adapter.store.database import Store

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
LAKESIDE = Partner(
    id="lakeside", name="Lakeside", sectors=("education",), since=date(2026, 1, 1), base_url="https://fhir.example/r4"
)


def test_workers_that_ask_at_once_for_the_first_time_all_keep_what_they_were_told(store: Store) -> None:
    """On PostgreSQL two that find nothing there both write; neither may fail, for its share would be stopped."""
    together = threading.Barrier(4)

    def ask(_: int) -> None:
        for _ in range(10):
            together.wait(30)
            with store.writing() as tx:
                abilities.keep(tx, LAKESIDE, Known(None, None, NOW))
            together.wait(30)
            with store.writing() as tx:
                abilities.forget(tx, LAKESIDE.id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(4)))
    with store.writing() as tx:
        abilities.keep(tx, LAKESIDE, Known(None, None, NOW))
        abilities.keep(tx, LAKESIDE, Known(None, NOW, NOW))
    with store.reading() as tx:
        assert abilities.known(tx, LAKESIDE) == Known(None, NOW, NOW)
