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


@contextmanager
def running(programs: Path) -> Iterator[tuple[str, Path]]:
    """(URL of its first database, its data folder) of a server that runs until the end."""
    # Not pytest's folder: a server that root starts runs as someone else, who may not enter that one.
    folder = Path(tempfile.mkdtemp(prefix="csp-pg-", dir="/tmp"))
    account = _account()
    if account:
        os.chown(folder, account["user"], account["group"])
    data = folder / "data"

    def run(program: str, *args: str) -> None:
        subprocess.run(
            [programs / program, *args], check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=60, **account
        )

    try:
        run("initdb", "-D", str(data), "-U", "csp", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
        options = " ".join((*SETTINGS, "-k", str(folder)))
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://csp@/postgres?host={folder}", data
        finally:
            run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _account() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: the account to run it as then."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
