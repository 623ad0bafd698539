"""What holds for all tests: the repository's files are read once in a process, and the longest tests begin."""

from __future__ import annotations

import pytest

FIRST = ("tests/journeys/", "tests/verbs/", "tests/core/consent/")


def pytest_configure(config: pytest.Config) -> None:
    """Before the tests are collected: some tables are made of what the files say."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return  # it hands the tests out to others, and reads nothing itself
    from tests.read_once import read_once

    reading = read_once()
    reading.__enter__()
    config.add_cleanup(lambda: reading.__exit__(None, None, None))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no worker is left alone with them at the end."""
    items.sort(key=lambda item: next((i for i, room in enumerate(FIRST) if item.nodeid.startswith(room)), len(FIRST)))
