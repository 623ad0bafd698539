"""An agency on each database, whose partners have the server that a class of journeys is about."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapter.catalogue import Catalogue
from adapter.store.database import Store
from tests.servers.instance import Instance, Open, opened
from tests.servers.journeys import Journeys
from tests.servers.partners import Running
from tests.store.conftest import cluster, keys, place, store, upgraded_file  # noqa: F401
from tests.verbs.conftest import catalogue  # noqa: F401


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """CSP_FEW=1: PostgreSQL for the journeys with one server alone."""
    if os.environ.get("CSP_FEW") != "1":
        return
    left = [item for item in items if _is_second_database(item)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


def _is_second_database(item: pytest.Item) -> bool:
    other = isinstance(item, pytest.Function) and item.cls is not None and issubclass(item.cls, Journeys)
    return other and "postgresql" in item.name and item.cls.__name__ != "TestHapiR4"


@pytest.fixture(scope="class")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The server of this class of journeys, started once. Where CSP_SERVERS=1 asks for it, one that cannot be
    started is a failure: nothing is passed over."""
    if os.environ.get("CSP_SERVERS") != "1" and (lacking := request.cls.lacking()):
        pytest.skip(f"{lacking} not installed here")
    with request.cls.started(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def open_instance(
    running: Running,
    store: Store,  # noqa: F811
    catalogue: Catalogue,  # noqa: F811
    tmp_path: Path,
) -> Iterator[Open]:
    """Opens an agency; keywords change its partner files, `lakeside={…}` one of them alone."""
    with ExitStack() as stack:
        yield lambda **file: stack.enter_context(opened(running, store, catalogue, tmp_path, **file))


@pytest.fixture
def instance(open_instance: Open) -> Instance:
    return open_instance()
