"""Both databases: for whole instances each test's own, with nothing in it; for an agency in this process, a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.conftest import cluster, keys, place, store, upgraded_file  # noqa: F401
from tests.verbs.conftest import catalogue, open_agency  # noqa: F401


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'adapter.db'}"
    url: str = request.getfixturevalue("cluster").database()
    return url
