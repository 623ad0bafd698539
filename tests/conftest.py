"""The order of the tests: the longest first, so that no worker is left alone with them at the end."""

from __future__ import annotations

import pytest

FIRST = ("tests/journeys/", "tests/verbs/", "tests/core/consent/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((i for i, room in enumerate(FIRST) if item.nodeid.startswith(room)), len(FIRST)))
