"""How the benchmarks of the store are asked: how much is to be in it, and in which database it is."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from adapter.store.database import Store
from adapter.store.seal import Keys


def run(measure: Callable[[Store, int], None], about: str | None, *, most: int) -> None:
    """Measure with `--most` and in the database of `--url`; without one, in SQLite in a temporary folder."""
    asked = argparse.ArgumentParser(description=about)
    asked.add_argument("--most", type=int, default=most)
    asked.add_argument("--url")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(given.url or f"sqlite:///{Path(folder) / 'bench.db'}", Keys.generate())
        store.upgrade()
        measure(store, given.most)
        store.close()
