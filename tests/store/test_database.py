"""The database is opened as this adapter needs it, brought to this version, and refused in one sentence otherwise."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from adapter.errors import Misconfigured, Unavailable
from adapter.store import cases
from adapter.store.database import Store, Tx
from adapter.store.failures import answering
from adapter.store.seal import Keys
from adapter.store.tables import metadata
from tests.store.conftest import NOW, Cluster, Place


def setting(tx: Tx, statement: str) -> object:
    return tx.connection.exec_driver_sql(statement).scalar()


def _of_sqlite(name: str, words: str = "of /srv/my-agency/adapter.db") -> Exception:
    error = sqlite3.OperationalError(words)
    error.sqlite_errorname = name
    return error


def _of_postgresql(state: str | None, words: str = "of me and hers") -> Exception:
    error = Exception(words)
    error.sqlstate = state  # type: ignore[attr-defined]
    return error


def test_an_empty_database_is_refused_then_upgraded_then_right(
    empty: Place, keys: Keys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Upgrading needs no file but the package's own, whatever folder one stands in."""
    monkeypatch.chdir(tmp_path)
    store = Store.open(empty.url, keys)
    with pytest.raises(Misconfigured, match="empty: run `adapter db upgrade`"):
        store.check()
    store.upgrade()
    store.check()
    store.upgrade()
    store.check()
    store.close()


def test_the_migrations_make_what_the_tables_say(store: Store) -> None:
    with store.reading() as tx:
        context = MigrationContext.configure(tx.connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_several_processes_may_upgrade_at_once(empty: Place, keys: Keys) -> None:
    stores = [Store.open(empty.url, keys) for _ in range(4)]
    failures: list[BaseException] = []

    def upgrade(store: Store) -> None:
        try:
            store.upgrade()
        except BaseException as failure:  # noqa: BLE001  shown below
            failures.append(failure)

    threads = [threading.Thread(target=upgrade, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for store in stores:
        store.check()
        store.close()


def test_a_database_of_a_later_version_is_refused(empty: Place, keys: Keys) -> None:
    store = Store.open(empty.url, keys)
    store.upgrade()
    with store.writing() as tx:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for refused in (store.check, store.upgrade):
        with pytest.raises(Misconfigured, match="version that this adapter does not know"):
            refused()
    store.close()


def test_a_database_written_with_another_root_is_refused(place: Place) -> None:
    other = Store.open(place.url, Keys.generate())
    with pytest.raises(Misconfigured, match="root differs"):
        other.check()
    other.close()


def test_a_database_whose_sealing_key_is_missing_is_refused(place: Place, keys: Keys) -> None:
    other = Store.open(place.url, Keys(keys.root, Keys.generate().sealing))
    with pytest.raises(Misconfigured, match="key file does not hold"):
        other.check()
    other.close()


def test_a_database_is_right_after_its_keys_were_rotated(place: Place, keys: Keys) -> None:
    rotated = Store.open(place.url, keys.rotated())
    rotated.check()
    with rotated.writing() as tx:
        assert tx.connection.scalar(sa.select(sa.func.count()).select_from(metadata.tables["keystones"])) == 1
    rotated.close()


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all/adapter.db", "postgresql://csp@127.0.0.1:1/none"])
def test_a_database_that_is_not_there_is_unavailable(url: str, keys: Keys) -> None:
    store = Store.open(url, keys)
    with pytest.raises(Unavailable):
        store.check()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true", "mysql://x/y", "what?"]
)
def test_an_address_that_cannot_serve_is_refused_at_once(url: str, keys: Keys) -> None:
    with pytest.raises(Misconfigured):
        Store.open(url, keys)


def test_a_secret_in_an_address_does_not_show(keys: Keys) -> None:
    for url in ("oracle://me:hunter2@x/y", "postgresql://me:hunter2@x:port/y", "me:hunter2"):
        with pytest.raises(Misconfigured) as refused:
            Store.open(url, keys)
        assert "hunter2" not in str(refused.value)


def test_reading_cannot_write(store: Store) -> None:
    with pytest.raises((sa.exc.DBAPIError, Unavailable)), store.reading() as tx:
        cases.put(tx, "C-1", {}, {}, now=NOW)
    with store.writing() as tx:
        assert cases.put(tx, "C-1", {}, {}, now=NOW)[1]


def test_reading_sees_one_moment(store: Store) -> None:
    with store.reading() as tx:
        assert cases.count(tx) == 0
        with store.writing() as other:
            cases.put(other, "C-1", {}, {}, now=NOW)
        assert cases.count(tx) == 0
    with store.reading() as tx:
        assert cases.count(tx) == 1


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.writing() as tx:
        cases.put(tx, "C-1", {}, {}, now=NOW)
        raise ZeroDivisionError
    with store.reading() as tx:
        assert cases.count(tx) == 0


def test_writers_wait_for_one_another(store: Store) -> None:
    """Eight threads that each read and then write lose nothing and are never told that the database is locked."""

    def save(number: int) -> None:
        for turn in range(5):
            with store.writing() as tx:
                found = cases.get(tx, "shared")
                body = {**(found.body if found else {}), f"{number}-{turn}": 1}
                cases.put(tx, "shared", body, {}, now=NOW)

    with store.writing() as tx:
        cases.put(tx, "shared", {}, {}, now=NOW)
    threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as tx:
        found = cases.get(tx, "shared")
    assert found is not None
    assert (len(found.body), found.version) == (40, 41)


def test_sqlite_is_durable_private_and_checks_references(tmp_path: Path, keys: Keys) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'adapter.db'}", keys)
    store.upgrade()
    with store.writing() as tx:
        assert setting(tx, "PRAGMA journal_mode") == "wal"
        assert setting(tx, "PRAGMA synchronous") == 2
        assert setting(tx, "PRAGMA foreign_keys") == 1
        assert setting(tx, "PRAGMA busy_timeout") == 15000
    for path in tmp_path.glob("adapter.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store.close()


def test_a_full_disk_is_unavailable_and_loses_nothing(tmp_path: Path, keys: Keys) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'adapter.db'}", keys)
    store.upgrade()
    with store.writing() as tx:
        cases.put(tx, "C-1", {}, {}, now=NOW)
    with pytest.raises(Unavailable), store.writing() as tx:
        tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {setting(tx, 'PRAGMA page_count')}")
        cases.put(tx, "C-2", {"text": "x" * 100_000}, {}, now=NOW)
    store.close()
    with store.writing() as tx:
        assert cases.count(tx) == 1
        cases.put(tx, "C-2", {"text": "x" * 100_000}, {}, now=NOW)
    store.close()


def test_what_one_process_writes_another_finds_after_a_third_has_left(tmp_path: Path, keys: Keys) -> None:
    """A web with several connections, and a command that looks and ends: it is not the last one, and must not take the
    log away with it (POSIX: to close any descriptor of a file ends all locks that a process has on it)."""
    file = tmp_path / "adapter.db"
    store = Store.open(f"sqlite:///{file}", keys)
    store.upgrade()
    with store.writing() as tx:
        cases.put(tx, "C-1", {}, {}, now=NOW)
        with store.reading():
            pass  # a second connection, opened while the first one is in use
    look = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(*c.execute('SELECT count(*) FROM cases'))"
    words = [sys.executable, "-c", f"{look}; c.close()", str(file)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "(1,)\n"
    with store.writing() as tx:
        cases.put(tx, "C-2", {}, {}, now=NOW)
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "(2,)\n"
    store.close()


@pytest.mark.parametrize("how", ["moved", "replaced"])
def test_a_file_that_is_gone_takes_nothing_more_until_it_is_back(tmp_path: Path, keys: Keys, how: str) -> None:
    """SQLite would go on writing to where nobody finds it: nothing is acknowledged then, and no empty one is made."""
    file, elsewhere = tmp_path / "adapter.db", tmp_path / "elsewhere.db"
    store = Store.open(f"sqlite:///{file}", keys)
    store.upgrade()
    with store.writing() as tx:
        cases.put(tx, "C-1", {}, {}, now=NOW)
    file.rename(elsewhere)
    if how == "replaced":
        file.touch()
    with pytest.raises(Unavailable, match="moved, removed or replaced"), store.writing() as tx:
        cases.put(tx, "C-2", {}, {}, now=NOW)
    if how == "moved":
        with pytest.raises(Unavailable, match="moved, removed or replaced"):
            store.check()
        assert not file.exists()
    elsewhere.replace(file)
    store.close()
    store.check()
    with store.writing() as tx:
        cases.put(tx, "C-3", {}, {}, now=NOW)
        assert cases.count(tx) == 2
    store.close()


@pytest.mark.servers
def test_postgresql_that_may_lose_what_it_acknowledged_is_refused(cluster: Cluster, keys: Keys) -> None:
    url = sa.make_url(cluster.database())
    store = Store.open(url.render_as_string(), keys)
    store.upgrade()
    store.close()
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {url.database} SET synchronous_commit = off")
    admin.dispose()
    with pytest.raises(Misconfigured, match="synchronous_commit"):
        store.check()
    store.close()


def test_a_server_that_drops_its_connections_is_used_again(store: Store, place: Place) -> None:
    """A restart of the database needs no restart of the adapter."""
    store.check()
    if place.backend == "postgresql":
        admin = sa.create_engine(sa.make_url(place.url).set(database="postgres"))
        with admin.begin() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname = '{sa.make_url(place.url).database}'"
            )
        admin.dispose()
    store.check()
    with store.writing() as tx:
        assert tx.connection.scalar(sa.select(1)) == 1


def test_whether_it_can_be_written_is_tried_and_not_more_often_than_once_a_second(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is nearly full is told of before a case finds no room; on PostgreSQL the server knows."""
    writes = []
    right = Store.writing
    monkeypatch.setattr(Store, "writing", lambda self: writes.append(1) or right(self))
    for _ in range(5):
        store.check_writable()
    assert len(writes) == 1
    store._writable_until = 0.0
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=15_000_000))
    if store._engine.dialect.name == "sqlite":
        for _ in range(2):
            with pytest.raises(Unavailable, match="full"):
                store.check_writable()
    else:
        store.check_writable()


@pytest.mark.parametrize(
    ("said", "raised", "sentence"),
    [
        pytest.param(_of_sqlite("SQLITE_FULL"), sa.exc.OperationalError, "disk of the database is full", id="full"),
        pytest.param(_of_sqlite("SQLITE_BUSY_SNAPSHOT"), sa.exc.OperationalError, "locked by another", id="locked"),
        pytest.param(_of_sqlite("SQLITE_READONLY_DIRECTORY"), sa.exc.OperationalError, "not be written", id="its mode"),
        pytest.param(_of_sqlite("SQLITE_CANTOPEN"), sa.exc.OperationalError, "cannot be opened", id="no such folder"),
        pytest.param(_of_sqlite("SQLITE_IOERR_READ"), sa.exc.OperationalError, "cannot be reached", id="any other"),
        pytest.param(
            _of_postgresql("25006"), sa.exc.InternalError, "only be read: is it a standby", id="after a failover"
        ),
        pytest.param(_of_postgresql("42501"), sa.exc.ProgrammingError, "use its tables", id="another's tables"),
        pytest.param(_of_postgresql("42P01"), sa.exc.ProgrammingError, "not of this adapter's version", id="no table"),
        pytest.param(_of_postgresql("42703"), sa.exc.ProgrammingError, "not of this adapter's version", id="no column"),
        pytest.param(
            _of_sqlite("SQLITE_ERROR", "no such table: me"), sa.exc.OperationalError, "not of this", id="no table there"
        ),
        pytest.param(
            _of_sqlite("SQLITE_ERROR", "table hers has no column named me"), sa.exc.OperationalError, "not of this",
            id="no column there",
        ),
        pytest.param(_of_postgresql("53300"), sa.exc.OperationalError, "no more connections", id="too many"),
        pytest.param(_of_postgresql("40P01"), sa.exc.OperationalError, "cannot be reached", id="a deadlock"),
        pytest.param(
            _of_postgresql(None, 'FATAL:  password authentication failed for user "me"'),
            sa.exc.OperationalError,
            "does not let us in",
            id="a wrong password",
        ),
        pytest.param(
            _of_postgresql(None, "SSL error: certificate verify failed"), sa.exc.OperationalError, "reached safely",
            id="a certificate of another",
        ),
        pytest.param(
            _of_postgresql(None, 'FATAL:  database "hers" does not exist'), sa.exc.OperationalError, "of this name",
            id="no such database",
        ),
    ],
)  # fmt: skip
def test_what_a_database_says_is_told_in_one_sentence_without_its_words(
    said: Exception, raised: type[sa.exc.DBAPIError], sentence: str
) -> None:
    with pytest.raises(Unavailable, match=sentence) as unavailable, answering():
        raise raised("SELECT 1", {}, said)
    assert "me" not in unavailable.value.detail.split() and "hers" not in unavailable.value.detail


def test_a_fault_of_ours_is_not_taken_for_the_databases() -> None:
    with pytest.raises(sa.exc.ProgrammingError), answering():
        raise sa.exc.ProgrammingError("SELECT nothing", {}, _of_postgresql("42601"))


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("postgresql://me:hunter2@127.0.0.1:1/x?nosuch=1", id="no such setting"),
        pytest.param("postgresql://me:hunter2@127.0.0.1:1/x?sslmode=maybe", id="no such value"),
    ],
)
def test_a_setting_in_an_address_that_postgresql_does_not_know_is_told(url: str, keys: Keys) -> None:
    store = Store.open(url, keys)
    with pytest.raises(Misconfigured, match="setting that PostgreSQL does not know") as refused:
        store.check()
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("seconds", [-300.0, -1.0, 1.0, 300.0])
def test_a_machine_whose_clock_is_not_the_databases_does_not_work_with_it(store: Store, seconds: float) -> None:
    """Several machines tell by their own clocks whose lease has ended and which consent is in force."""

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=seconds)

    if store._engine.dialect.name == "sqlite" or abs(seconds) < 2:
        store.check_clock(clock)
        return
    with pytest.raises(Unavailable, match="clock"):
        store.check_clock(clock)


@pytest.mark.servers
def test_postgresql_lets_go_of_what_a_lost_machine_or_a_stopped_process_holds(cluster: Cluster, keys: Keys) -> None:
    """And is not waited for where it is lost itself: a lost machine closes no connection."""
    store = Store.open(cluster.database(), keys)
    with store.writing() as tx:
        assert setting(tx, "SHOW idle_in_transaction_session_timeout") == "5min"
        given = tx.connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
        assert {name: given[name] for name in ("keepalives_idle", "tcp_user_timeout")} == {
            "keepalives_idle": "10",
            "tcp_user_timeout": "30000",
        }
        assert "tcp_keepalives_idle=10" in given["options"]
    store.close()
