"""The disk is full, the database is gone: what was acknowledged is kept, /readyz says so, work resumes by itself."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from adapter.demo import calendar
from adapter.store import tokens
from tests.endurance.instance import Instance, await_, instance
from tests.store import postgresql
from tests.verbs.test_directory import another

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

PARTNERS: dict[str, dict[str, Any]] = {"lakeside": {}}
SECONDS = 6.0
"""For which it is away: a few rounds of everyone's trying."""


@dataclass
class Serving:
    """An instance whose web and worker are processes of their own."""

    instance: Instance
    web: subprocess.Popen[str]
    worker: subprocess.Popen[str]
    url: str
    token: str

    def put(self, number: str) -> requests.Response:
        case = another(calendar.case("minimal"), number)
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.put(f"{self.url}/api/cases/{number}", json=case, headers=headers, timeout=40)

    def ready(self) -> requests.Response:
        return requests.get(f"{self.url}/readyz", timeout=40)

    def processor_seconds(self) -> float:
        """What the two have used of the processor."""
        ticks = 0
        for process in (self.web, self.worker):
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(folder: Path, database: str, **options: Any) -> Iterator[Serving]:
    with ExitStack() as stack:
        found = stack.enter_context(instance(folder, database, lease=2.0, partners=PARTNERS, **options))
        with found.agency.desk.store.writing() as tx:
            token = tokens.new(tx, role="source", now=found.agency.desk.clock())
        web = stack.enter_context(found.process("serve", "--no-worker"))
        worker = stack.enter_context(found.process("work"))
        assert web.stderr is not None
        assert worker.stderr is not None
        said = web.stderr.readline()
        assert said.startswith("Listening on "), said
        assert worker.stderr.readline() == "Working.\n"
        for process in (web, worker):
            _drain(process)
        yield Serving(found, web, worker, said.split()[2].rstrip(","), token)


def _drain(process: subprocess.Popen[str]) -> None:
    """What a process logs is read, and kept out of the way."""
    import threading

    threading.Thread(target=process.stderr.read if process.stderr else print, daemon=True).start()


def outlives(found: Serving, away: Callable[[], None], back: Callable[[], None]) -> None:
    """Cases are put before, while and after it is away; every 202 is kept, and delivered."""
    acknowledged = set()
    for turn in range(3):
        assert found.put(f"C-{turn}").status_code == 202
        acknowledged.add(f"C-{turn}")
    away()
    before = found.processor_seconds()
    began = time.monotonic()
    turn, said = 100, 0
    while time.monotonic() - began < SECONDS or not said:
        answer = found.put(f"C-{turn}")
        if answer.status_code == 202:
            acknowledged.add(f"C-{turn}")
        else:
            said += 1
            assert answer.status_code == 503, answer.text
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert int(answer.headers["Retry-After"]) > 0
            assert "database" in answer.json()["detail"]
            ready = found.ready()
            assert ready.status_code == 503
            assert ready.json()["detail"]
        assert requests.get(f"{found.url}/healthz", timeout=10).status_code == 200
        time.sleep(0.3)
        turn += 1
        assert turn < 300, "nobody noticed"
    spent = time.monotonic() - began
    assert found.processor_seconds() - before < 0.5 * spent, "somebody spins"
    back()
    await_(lambda: found.ready().status_code == 200, 20, "it does not become ready again")
    assert found.put("C-999").status_code == 202
    acknowledged.add("C-999")
    found.instance.agency.numbers = acknowledged
    for number in acknowledged:
        found.instance.agency.stored(number)
    found.instance.rest(60)
    found.instance.agency.assert_equal()
    assert found.web.poll() is None
    assert found.worker.poll() is None
    print(f"{len(acknowledged)} acknowledged, {said} told to come again")


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """A file system of 48 MB that is filled up; where none may be mounted, a limit on the size of files."""
    with small_disk(tmp_path / "disk") as disk, serving(disk / "agency", f"sqlite:///{disk / 'adapter.db'}") as found:
        if os.path.ismount(disk):
            outlives(found, lambda: _fill(disk), (disk / "filler").unlink)
        else:
            outlives(found, lambda: _limit(found, 0), lambda: _limit(found, resource.RLIM_INFINITY))


def test_a_database_that_stops_and_starts_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """PostgreSQL, stopped as by a power cut, under a web and a worker that go on running."""
    programs = postgresql.binaries()
    assert programs is not None, "PostgreSQL is not installed here (Debian's package postgresql)"
    with (
        postgresql.server(programs) as database,
        serving(tmp_path / "agency", database.url, poll=0.2) as found,
    ):
        outlives(found, database.stop, database.start)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)], capture_output=True)
    try:
        yield folder
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    filler.write(b"\0" * size)
            except OSError:
                continue


def _limit(found: Serving, size: int) -> None:
    for process in (found.web, found.worker):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
