"""A PostgreSQL server of the tests' own: a new cluster in a temporary folder, on a socket there, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# What a test database needs not survive is a power cut: without fsync a test takes a tenth of the time.
SETTINGS = ("-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=60")


def binaries() -> Path | None:
    """The folder of the newest PostgreSQL server that is installed here; None if there is none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    found.sort(key=lambda path: int(path.parent.name))
    if found:
        return found[-1]
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


class Server:
    """One server, which a test may stop and start again; `stop` as a machine stops that loses its power."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.data = folder / "data"
        self.url = f"postgresql://csp@/postgres?host={folder}"
        self._programs = programs
        self._folder = folder
        self._settings = SETTINGS

    def make(self) -> None:
        options = ("-U", "csp", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
        self._run("initdb", "-D", str(self.data), *options)

    def listen(self, port: int, certificate: bytes, key: bytes, rules: str) -> None:
        """From its next start on it listens on this machine, by TLS, to whom `rules` (pg_hba.conf) let in."""
        for name, content in (("server.crt", certificate), ("server.key", key), ("pg_hba.conf", rules.encode())):
            path = self.data / name
            path.write_bytes(content)
            path.chmod(0o600)
            if account := _account():
                os.chown(path, account["user"], account["group"])
        self._settings = tuple(
            f"listen_addresses=127.0.0.1 -c ssl=on -p {port}" if each == "listen_addresses=" else each
            for each in SETTINGS
        )
        self.url += f"&port={port}"

    def start(self) -> None:
        options = " ".join((*self._settings, "-k", str(self._folder)))
        self._run("pg_ctl", "-D", str(self.data), "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *args: str) -> None:
        subprocess.run(
            [self._programs / program, *args],
            check=True,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            timeout=60,
            **_account(),
        )


@contextmanager
def server(programs: Path) -> Iterator[Server]:
    """A server of a new cluster that runs, or is stopped, until the end."""
    # Not pytest's folder: a server that root starts runs as someone else, who may not enter that one.
    folder = Path(tempfile.mkdtemp(prefix="csp-pg-", dir="/tmp"))
    if account := _account():
        os.chown(folder, account["user"], account["group"])
    try:
        found = Server(programs, folder)
        found.make()
        found.start()
        try:
            yield found
        finally:
            if (found.data / "postmaster.pid").exists():
                found.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(programs: Path) -> Iterator[tuple[str, Path]]:
    """(URL of its first database, its data folder) of a server that runs until the end."""
    with server(programs) as found:
        yield found.url, found.data


def _account() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: the account to run it as then."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
