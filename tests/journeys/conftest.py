"""An agency and its five partners, each an adapter of its own in a process of its own, for journeys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapter.cli import main
from adapter.demo.neighbours import WITH_SERVERS, Neighbours


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """Started once for a file; a journey puts cases of its own, so that none waits for another. They end with the
    file: six adapters that ask and look what is due take a processor from every test that follows."""
    started = Neighbours(tmp_path_factory.mktemp("neighbours"), main, WITH_SERVERS, linked=())
    try:
        started.start()
        yield started
    finally:
        started.stop()
