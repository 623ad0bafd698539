"""What holds for all tests: the repository's files are read once, and the longest tests begin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.read_once import read_once

FIRST = ("tests/journeys/", "tests/verbs/", "tests/core/consent/")


@pytest.fixture(scope="session", autouse=True)
def _files_read_once() -> Iterator[None]:
    with read_once():
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no worker is left alone with them at the end."""
    items.sort(key=lambda item: next((i for i, room in enumerate(FIRST) if item.nodeid.startswith(room)), len(FIRST)))
