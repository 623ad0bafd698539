"""The worked example of docs/operating.md, *Several machines*: its own words are run, on a PostgreSQL with TLS."""

from __future__ import annotations

import ipaddress
import re
import shlex
import socket
import subprocess
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from adapter.demo import calendar
from adapter.store import tokens
from adapter.wiring import wire
from tests.endurance.instance import REPOSITORY, await_, instance
from tests.endurance.test_away import PARTNERS, _drain
from tests.store import postgresql
from tests.verbs.test_directory import another

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

GUIDE = (REPOSITORY / "docs" / "operating.md").read_text("utf-8").partition("## Several machines")[2]
HOST = "db.agency.example.ca:5432"


def blocks(language: str) -> list[str]:
    """What stands in the section's blocks of this language."""
    found = re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", GUIDE.partition("\n## ")[0])
    return [content for said, content in found if said == language]


def test_the_worked_example_works(tmp_path: Path) -> None:
    """The role and the database as written, the URL as written but for host and certificate, one web, two workers:
    cases put over HTTP arrive at the partner, worked on by both."""
    programs = postgresql.binaries()
    assert programs is not None, "PostgreSQL is not installed here (Debian's package postgresql)"
    certificate, key = _certificate()
    (authority := tmp_path / "db-ca.pem").write_bytes(certificate)
    with ExitStack() as stack:
        database = stack.enter_context(postgresql.server(programs))
        database.stop()
        [rule] = re.findall(r"`(hostssl adapter adapter [^`]+)`", GUIDE)
        port = _free_port()
        rules = "local all all trust\n" + rule.replace("10.0.0.0/24", "127.0.0.1/32") + "\n"
        database.listen(port, certificate, key, rules)
        database.start()
        _as_administrator(database.url, blocks("sql")[0])
        said = dict(line.split("=", 1) for line in blocks("")[0].splitlines())
        url = said["ADAPTER_DATABASE"].replace(HOST, f"localhost:{port}")
        url = url.replace("/etc/adapter/db-ca.pem", str(authority))
        found = stack.enter_context(instance(tmp_path / "agency", "sqlite:///unused.db", lease=5.0, partners=PARTNERS))
        found.environ = {"ADAPTER_DATABASE": url}
        for words in blocks("sh")[0].splitlines():
            subprocess.run(found.command(*shlex.split(words)[1:]), env=_environ(found.environ), check=True, timeout=60)
        desk = wire(found.folder, environ=found.environ)
        stack.callback(desk.store.close)
        found.agency.desk = desk
        with desk.store.writing() as tx:
            token = tokens.new(tx, role="source", now=desk.clock())
        running = [stack.enter_context(found.process(*shlex.split(w)[1:])) for w in blocks("sh")[1].splitlines()]
        lines = [process.stderr.readline() for process in running if process.stderr]
        assert lines[0].startswith("Listening on ")
        assert lines[1:] == ["Working.\n"] * 2
        for process in running:
            _drain(process)
        seen: set[int] = set()
        for turn in range(12):
            number = f"C-{turn}"
            answer = requests.put(
                f"{lines[0].split()[2].rstrip(',')}/api/cases/{number}",
                json=another(calendar.case("minimal"), number),
                headers={"Authorization": f"Bearer {token}"},
                timeout=20,
            )
            assert answer.status_code == 202
            found.agency.numbers.add(number)
        until = time.monotonic() + 60
        while not found.resting() and time.monotonic() < until:
            seen |= {process for _, process in found.at_work().values()}
        found.rest(5)
        found.agency.assert_equal()
        assert seen <= {process.pid for process in running[1:]}
        with desk.store.reading() as tx:
            assert tx.connection.scalar(sa.text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")) is True
        for process in running:
            process.terminate()
        await_(lambda: all(process.poll() is not None for process in running), 20)
        assert [process.returncode for process in running] == [0, 0, 0]


def test_a_database_that_cannot_show_its_certificate_is_not_spoken_to(tmp_path: Path) -> None:
    """`verify-full`, as written: another's certificate ends the command with a sentence."""
    programs = postgresql.binaries()
    assert programs is not None
    certificate, key = _certificate()
    (other := tmp_path / "db-ca.pem").write_bytes(_certificate()[0])
    with postgresql.server(programs) as database, ExitStack() as stack:
        database.stop()
        port = _free_port()
        database.listen(port, certificate, key, "local all all trust\nhostssl all all 127.0.0.1/32 trust\n")
        database.start()
        url = f"postgresql://csp@localhost:{port}/postgres?sslmode=verify-full&sslrootcert={other}"
        found = stack.enter_context(instance(tmp_path / "agency", "sqlite:///unused.db", lease=5.0, partners=PARTNERS))
        refused = subprocess.run(
            found.command("db", "upgrade"),
            env=_environ({"ADAPTER_DATABASE": url}),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert refused.returncode == 1
        assert refused.stderr.startswith("adapter: The database cannot be reached")


def _environ(more: dict[str, str]) -> dict[str, str]:
    import os

    return {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")} | more


def _as_administrator(url: str, statements: str) -> None:
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    engine.dispose()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _certificate() -> tuple[bytes, bytes]:
    """A certificate for localhost that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return made.public_bytes(serialization.Encoding.PEM), private
