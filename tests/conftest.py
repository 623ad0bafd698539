"""What holds for all tests: the repository's files are read once in a process, the longest files begin, and no example
of a property fails for being slow on a machine that is busy."""

from __future__ import annotations

import pytest
from hypothesis import settings

# Before any test module is read: what a module says in a decorator of its own is said on top of this.
settings.register_profile("csp", deadline=None)
settings.load_profile("csp")

FIRST = (
    "tests/journeys/leaks/",
    "tests/journeys/",
    "tests/verbs/",
    "tests/test_catalogue.py",
    "tests/cli/test_run.py",
    "tests/core/mapping_files/",
    "tests/cli/",
    "tests/core/test_guides.py",
    "tests/core/consent/",
    "tests/core/inbound/",
    "tests/core/document/",
)
"""The rooms whose files take longest, the longest before the others."""


def pytest_configure(config: pytest.Config) -> None:
    """Before the tests are collected: some tables are made of what the files say."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return  # it hands the tests out to others, and reads nothing itself
    from tests.read_once import read_once

    reading = read_once()
    reading.__enter__()
    config.add_cleanup(lambda: reading.__exit__(None, None, None))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no worker is left alone with them at the end; the Makefile asks for this order."""
    items.sort(key=lambda item: next((i for i, room in enumerate(FIRST) if item.nodeid.startswith(room)), len(FIRST)))
