"""An agency and its five partners, each an adapter of its own in a process of its own, for all journeys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapter.cli import main
from adapter.demo.neighbours import WITH_SERVERS, Neighbours


@pytest.fixture(scope="session")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """Started once; a journey puts cases of its own, so that none waits for another."""
    started = Neighbours(tmp_path_factory.mktemp("neighbours"), main, WITH_SERVERS, linked=())
    try:
        started.start()
        yield started
    finally:
        started.stop()
