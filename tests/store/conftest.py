"""Both databases: every test that takes `store` runs on a fresh SQLite file and on a fresh PostgreSQL database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapter.store import cases
from adapter.store.database import Store
from adapter.store.seal import Keys
from adapter.store.tables import metadata
from tests.store import postgresql as server

NOW = datetime(2026, 11, 2, 9, 30, 0, 123456, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """Where one test's database is, and which files hold what it wrote."""

    url: str
    files: Callable[[], list[Path]]

    @property
    def backend(self) -> str:
        return sa.make_url(self.url).get_backend_name()


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys.generate()


@pytest.fixture(scope="session")
def upgraded_file(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Path:
    """An SQLite file of this version, to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "upgraded.db"
    store = Store.open(f"sqlite:///{path}", keys)
    store.upgrade()
    store.close()
    return path


class Cluster:
    """One server for all tests, with one database of this version that each test gets emptied."""

    def __init__(self, url: str, data: Path, keys: Keys) -> None:
        self.data = data
        self._url = sa.make_url(url).set(drivername="postgresql+psycopg")
        self._engine = sa.create_engine(self._url, isolation_level="AUTOCOMMIT")
        self._count = 0
        self._shared = self.database()
        store = Store.open(self._shared, keys)
        store.upgrade()
        store.close()
        # No pool: a test cuts the connections of this database.
        self._inside = sa.create_engine(self._shared, poolclass=sa.NullPool)

    def database(self) -> str:
        """The URL of a new database with nothing in it."""
        self._count += 1
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE t{self._count} TEMPLATE template0")
        return self._url.set(database=f"t{self._count}").render_as_string(hide_password=False)

    def emptied(self) -> str:
        """The URL of the database of this version, its triggers back, nothing in its tables but the keystone."""
        names = ", ".join(table.name for table in metadata.sorted_tables if table.name != "keystones")
        with self._inside.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # past the append-only trigger
            connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY")
            connection.exec_driver_sql("ALTER TABLE disclosures ENABLE TRIGGER USER")
        return self._shared

    def files(self) -> list[Path]:
        """Everything on the server's disk, its write-ahead log too."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql("CHECKPOINT")
        return [path for path in self.data.rglob("*") if path.is_file()]

    def close(self) -> None:
        self._inside.dispose()
        self._engine.dispose()


@pytest.fixture(scope="session")
def cluster(keys: Keys) -> Iterator[Cluster]:
    programs = server.binaries()
    if programs is None:
        if os.environ.get("CSP_SERVERS") == "1":
            pytest.fail("PostgreSQL is not installed here (Debian's package postgresql)")
        pytest.skip("PostgreSQL is not installed here (Debian's package postgresql)")
    with server.running(programs) as (url, data):
        cluster = Cluster(url, data, keys)
        yield cluster
        cluster.close()


BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)]


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A database with nothing in it."""
    if request.param == "sqlite":
        return _file(tmp_path)
    cluster = request.getfixturevalue("cluster")
    return Place(cluster.database(), cluster.files)


@pytest.fixture(params=BOTH)
def place(request: pytest.FixtureRequest, tmp_path: Path, upgraded_file: Path) -> Place:
    """A database of this version."""
    if request.param == "sqlite":
        found = _file(tmp_path)
        shutil.copy(upgraded_file, tmp_path / "adapter.db")
        return found
    cluster = request.getfixturevalue("cluster")
    return Place(cluster.emptied(), cluster.files)


@pytest.fixture
def store(place: Place, keys: Keys) -> Iterator[Store]:
    store = Store.open(place.url, keys)
    yield store
    store.close()


@pytest.fixture
def case_id(store: Store) -> str:
    """The internal id of one small case that is there."""
    with store.writing() as tx:
        return cases.put(tx, "C-1", {"case": "C-1"}, {}, now=NOW)[0].id


def _file(folder: Path) -> Place:
    return Place(f"sqlite:///{folder / 'adapter.db'}", lambda: sorted(folder.glob("adapter.db*")))
