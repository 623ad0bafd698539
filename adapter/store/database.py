"""Opens the database, keeps its transactions honest, and brings it to this version.

SQLite by default: write-ahead log, synchronous=FULL, and BEGIN IMMEDIATE for what writes, so that a transaction never
finds out half way that it may not. PostgreSQL through psycopg 3 for several machines (design.md section 6).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError

from adapter.errors import Misconfigured, Unavailable
from adapter.store.failures import answering
from adapter.store.listening import listen
from adapter.store.seal import Keys, Seal
from adapter.store.tables import keystones

_WAIT = 15  # seconds that a transaction waits for another one's lock
_LEAST_FREE = 16_000_000  # bytes: a few cases of the size that is accepted, and what SQLite needs beside them
_HOLDS = 1.0  # seconds for which it is true that something could be written
_UPGRADE_LOCK = 0x637370  # any number that is only ours: PostgreSQL's advisory lock while migrating
_KEYSTONE = b"csp-fhir-adapter keystone"
_MOST_APART = 2.0  # seconds between two clocks: far more than NTP leaves, far less than a lease of any use
# Each end notices within half a minute that the other's machine is gone: a lost machine closes no connection, and would
# keep its locks, or let us wait, for hours. A process that was stopped half way keeps its locks for minutes.
_ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
_SESSION = (
    f"-c lock_timeout={_WAIT}s -c timezone=UTC -c idle_in_transaction_session_timeout=5min "
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)
_FILE = "adapter file"  # under which a connection keeps which SQLite file it has open
CHANNEL = "csp_due"
"""PostgreSQL's channel on which a transaction that made something due says so; it tells nothing else."""

# Statements
KEYSTONE = sa.select(keystones).where(keystones.c.id == 1)
TOUCH = sa.update(keystones).values(sealed=keystones.c.sealed)
SET_KEYSTONE = sa.insert(keystones)
UPGRADE_LOCK = sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK))
DURABLE = sa.text("SHOW synchronous_commit")
CLOCK = sa.select(sa.func.clock_timestamp())
NOTIFY = sa.select(sa.func.pg_notify(CHANNEL, ""))


@dataclass(frozen=True, slots=True)
class Tx:
    """One transaction: what the functions of this room take first. `writes` tells whether it may change anything."""

    connection: sa.Connection
    seal: Seal
    writes: bool

    def insert_absent(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that leaves a row alone that is already there, in the database's own words."""
        if self.connection.dialect.name == "sqlite":
            return sqlite.insert(table).on_conflict_do_nothing()
        return postgresql.insert(table).on_conflict_do_nothing()

    def insert_or_replace(self, table: sa.Table, key: Collection[str]) -> sqlite.Insert | postgresql.Insert:
        """An INSERT of whole rows, each in place of one of the same key; also of one that comes at this moment."""
        made = sqlite.insert(table) if self.connection.dialect.name == "sqlite" else postgresql.insert(table)
        values = {column.name: made.excluded[column.name] for column in table.c if column.name not in key}
        return made.on_conflict_do_update(index_elements=list(key), set_=values)

    def put(self, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Let the row of this key hold these values, whether or not it is there: of two at once the later one stays."""
        self.connection.execute(self.insert_absent(table), {**key, **values})
        self.connection.execute(sa.update(table).where(*(table.c[name] == key[name] for name in key)).values(values))

    def tell_workers(self) -> None:
        """Wake the workers of other processes, once this transaction is kept; those on SQLite look by themselves."""
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(NOTIFY)


class Store:
    """One instance's database. Safe to share among threads; each process opens its own."""

    def __init__(self, engine: sa.Engine, keys: Keys) -> None:
        self._engine = engine
        self._reader = engine.execution_options(adapter_reads=True)
        if engine.dialect.name == "postgresql":
            self._reader = self._reader.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._seal = Seal(keys)
        self._writable_until = 0.0

    @classmethod
    def open(cls, url: str, keys: Keys) -> Store:
        """Prepare to use the database at this SQLAlchemy URL; nothing is connected yet. Misconfigured: a wrong URL."""
        return cls(_engine(url), keys)

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Tx]:
        """A transaction that may write: all of it is kept, or none. Unavailable: not reached, full, locked too long."""
        with answering(), self._engine.connect() as connection, connection.begin():
            yield Tx(connection, self._seal, writes=True)

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        """A transaction that sees one moment of the database, cannot write, and holds nobody up."""
        with answering(), self._reader.connect() as connection, connection.begin():
            yield Tx(connection, self._seal, writes=False)

    def listen(self, wake: Callable[[], None], stop: Event) -> None:
        """Call `wake` each time that another process has made something due, until `stop` is set.

        Returns at once on SQLite, which cannot tell. Where the connection is lost it is made again, and `wake` called
        for what may have been missed; meanwhile workers look by themselves.
        """
        if self._engine.dialect.name == "postgresql":
            listen(self._engine, CHANNEL, wake, stop)

    def upgrade(self) -> tuple[str | None, str]:
        """Bring the database to this version, from any earlier one or from nothing; one process at a time does it.

        The version that it was of (None: it was empty), and this one. Misconfigured: of a later one, which is left as
        it is, for nothing leads back.
        """
        with self.writing() as tx:
            if tx.connection.dialect.name == "postgresql":
                tx.connection.execute(UPGRADE_LOCK)
            found, scripts = _version(tx), _scripts()
            if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
                raise Misconfigured(_NEWER.format(head=scripts.get_current_head()))
            config = _config()
            config.attributes["connection"] = tx.connection
            command.upgrade(config, "head")
            if tx.connection.execute(KEYSTONE).one_or_none() is None:
                sealed = self._seal.close(_KEYSTONE, table="keystones", column="sealed", row="1")
                root_index = self._seal.index("keystones", "root")
                tx.connection.execute(SET_KEYSTONE, {"id": 1, "root_index": root_index, "sealed": sealed})
        return found, str(scripts.get_current_head())

    def check(self) -> None:
        """Return if the database can be used as it is.

        Unavailable: it cannot be reached, or has another time. Misconfigured: it is empty, of another version, was
        written with other keys, or acknowledges what it has not yet written.
        """
        with self.reading() as tx:
            scripts = _scripts()
            head = scripts.get_current_head()
            match _version(tx):
                case None:
                    raise Misconfigured("The database is empty: run `adapter db upgrade`.")
                case version if version == head:
                    pass
                case version if version in {script.revision for script in scripts.walk_revisions()}:
                    raise Misconfigured(_EARLIER.format(version=version, head=head))
                case _:
                    raise Misconfigured(_NEWER.format(head=head))
            if tx.connection.dialect.name == "postgresql" and tx.connection.scalar(DURABLE) == "off":
                raise Misconfigured("The database has synchronous_commit off, and could lose what it acknowledged.")
            self._check_keys(tx)
        self.check_clock()

    def check_clock(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Return if this machine's clock is the database's, within two seconds: what is due, whose lease has ended and
        which consent is in force is told by it, on each machine. Unavailable: it is not. One machine has one clock.
        """
        if self._engine.dialect.name == "sqlite":
            return
        with self.reading() as tx:
            before, there, after = clock(), tx.connection.execute(CLOCK).scalar_one(), clock()
        if max((before - there).total_seconds(), (there - after).total_seconds()) > _MOST_APART:
            raise Unavailable(_APART)

    def check_writable(self) -> None:
        """Return if something can be written and kept: a disk that is full still answers. Unavailable: it cannot.

        Who asks again and again is told what was found a moment ago: anybody may ask, and writing costs.
        """
        if time.monotonic() < self._writable_until:
            return
        with self.writing() as tx:
            tx.connection.execute(TOUCH)
        file = self._engine.url.database
        if self._engine.dialect.name == "sqlite" and file and shutil.disk_usage(Path(file).parent).free < _LEAST_FREE:
            # What is there may take a line, and not a case.
            raise Unavailable("The disk of the database is full, or nearly: free some of it.")
        self._writable_until = time.monotonic() + _HOLDS

    def _check_keys(self, tx: Tx) -> None:
        row = tx.connection.execute(KEYSTONE).one()
        if row.root_index != self._seal.index("keystones", "root"):
            raise Misconfigured("The key file is not the one that this database was written with: its root differs.")
        if self._seal.open(row.sealed, table="keystones", column="sealed", row="1") != _KEYSTONE:
            raise Misconfigured("The database's keystone is not ours.")


_GONE = "The database file has been moved, removed or replaced while it was in use: put it back, or restart."
_APART = (
    "This machine's clock and the database's differ by more than two seconds: set both (NTP), or consents would end, "
    "and shares be taken over, at the wrong time."
)
_EARLIER = (
    "The database is of an earlier version ({version}, and this adapter is of {head}): stop all of its processes, back "
    "it up, and run `adapter db upgrade`."
)
_NEWER = (
    "The database is of a version that this adapter does not know (it knows those up to {head}): install the one that "
    "wrote it, or a later one. Nothing leads back to an earlier version but a backup."
)


def _engine(url: str) -> sa.Engine:
    try:
        address = sa.make_url(url)
    except (ArgumentError, ValueError):
        raise Misconfigured("The database URL cannot be read.") from None
    match address.get_backend_name():
        case "sqlite":
            return _sqlite(address)
        case "postgresql" | "postgres":
            return _postgresql(address)
        case _:
            raise Misconfigured("The database must be SQLite (sqlite:///…) or PostgreSQL (postgresql://…).")


def _postgresql(address: sa.URL) -> sa.Engine:
    try:
        return sa.create_engine(
            address.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={"connect_timeout": _WAIT, "options": _SESSION, **_ALIVE},
        )
    except ModuleNotFoundError:
        raise Misconfigured("PostgreSQL needs psycopg: pip install 'csp-fhir-adapter[postgresql]'.") from None


def _sqlite(address: sa.URL) -> sa.Engine:
    if not address.database or ":memory:" in address.database or address.database.startswith("file:"):
        raise Misconfigured("A database in memory keeps nothing: give the path of a file (sqlite:///path).")
    path = Path(address.database)
    # Each thread and process has connections of its own, and waits for the file's lock rather than for a connection.
    address = sa.URL.create("sqlite", database=address.database)
    engine = sa.create_engine(address, hide_parameters=True, pool_size=20, max_overflow=40)
    been = Event()  # has the file been there?

    # pysqlite would begin by itself, late and never IMMEDIATE: it is told to leave transactions to us.
    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: sa.pool.ConnectionPoolEntry) -> None:
        record.info[_FILE] = _identity(path)
        been.set()
        connection.isolation_level = None
        for statement in (
            f"PRAGMA busy_timeout = {_WAIT * 1000}",
            "PRAGMA synchronous = FULL",
            "PRAGMA foreign_keys = ON",
            "PRAGMA recursive_triggers = ON",  # else INSERT OR REPLACE would delete past the append-only triggers
        ):
            connection.execute(statement)
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            connection.execute("PRAGMA journal_mode = WAL")

    @event.listens_for(engine, "do_connect")
    def create_private(_dialect: sa.Dialect, _record: object, _args: object, _kwargs: object) -> None:
        if been.is_set() and not path.exists():
            raise Unavailable(_GONE)  # an empty one in its place would only hide that
        # The file is for the instance's own account only; SQLite gives its log and index files the same mode.
        # One that is there is never opened here: to close it would end the locks that this process has on it (POSIX),
        # and another process that ends would take the log away from under us (sqlite.org/howtocorrupt.html, 2.2).
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except OSError:
            return  # it is there; or SQLite says itself why not, as an OperationalError

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        if connection.info.get(_FILE) != _identity(path):
            # SQLite would go on with a file that nobody finds again, and what is acknowledged now would be lost.
            connection.invalidate()
            raise Unavailable(_GONE)
        reads = connection.get_execution_options().get("adapter_reads", False)
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file is at this path: None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _version(tx: Tx) -> str | None:
    return MigrationContext.configure(tx.connection).get_current_revision()
