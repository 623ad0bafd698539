"""A whole instance in a folder, its partners' servers on sockets of this process, and workers that can be killed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from adapter.demo import calendar
from adapter.store import shares
from adapter.store.seal import Keys
from adapter.wiring import wire
from tests.outward.fault_server import FaultServer
from tests.verbs.agency import FIXTURES, Agency, Clock, PartnerFhir

REPOSITORY = Path(__file__).parents[2]
AT_WORK = sa.text("SELECT id, fence, worker FROM shares WHERE state = 'working'")


def _interruptible() -> None:
    """Ctrl-C is heard also where these tests run in the background, for which a shell has it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Instance:
    """The folder, and the agency in it as this process sees it: it saves as the web does, and looks on."""

    folder: Path
    agency: Agency
    environ: dict[str, str] = field(default_factory=dict)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-W", "error", "-m", "adapter", "--instance", str(self.folder), *words]

    @contextmanager
    def process(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """`adapter --instance … WORDS`, killed at the end if it still runs. What it says first is on its `stderr`."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")}
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        pipes["preexec_fn"] = _interruptible
        with subprocess.Popen(self.command(*words), **pipes, env={**clean, **self.environ}, cwd=REPOSITORY) as running:
            try:
                yield running
            finally:
                running.kill()

    def at_work(self) -> dict[int, tuple[int, int]]:
        """Share → (fence, process) of those that are being worked on."""
        with self.agency.desk.store.reading() as tx:
            rows = tx.connection.execute(AT_WORK).all()
        return {id_: (fence, int(worker.split("-")[1])) for id_, fence, worker in rows}

    def resting(self) -> bool:
        """Nothing is being worked on, and nothing will be within a minute."""
        with self.agency.desk.store.reading() as tx:
            found = shares.listed(tx, limit=10_000)
        soon = datetime.now(UTC) + timedelta(minutes=1)
        return all(s.state == "idle" and (s.due is None or s.due > soon) for s in found)

    def rest(self, seconds: float) -> None:
        """Until nothing is left to do."""
        await_(self.resting, seconds, lambda: f"the shares do not come to rest: {self.states()}")
        self.agency.clock.now = datetime.now(UTC)

    def states(self) -> list[tuple[Any, ...]]:
        with self.agency.desk.store.reading() as tx:
            found = shares.listed(tx, limit=10_000)
        return [(s.id, s.partner, s.state, s.outcome, s.detail, s.attempts, s.due) for s in found if s.state != "idle"]


@contextmanager
def instance(
    folder: Path, database: str, *, lease: float, poll: float = 0.2, partners: dict[str, dict[str, Any]]
) -> Iterator[Instance]:
    """An instance with these partners; `partners` replaces keys of their files. The database is made, and is empty."""
    folder.mkdir()
    (folder / "partners").mkdir()
    said = (FIXTURES / "adapter.toml").read_text("utf-8")
    settings = (
        f"labels_topics = true\nlease_seconds = {lease}\npoll_seconds = {poll}\nport = 0\ndatabase = '{database}'\n"
    )
    (folder / "adapter.toml").write_text(settings + said, "utf-8")
    (folder / "keys").touch(0o600)
    (folder / "keys").write_text(Keys.generate().text(), "utf-8")
    with ExitStack() as stack:
        servers = {}
        for name, changed in partners.items():
            servers[name] = stack.enter_context(FaultServer())
            servers[name].fhir, servers[name].apart = PartnerFhir(), True
            text = calendar.partner(name)
            replaced = {"base_url": servers[name].base_url, "private_addresses": True, "timeout": 5.0, **changed}
            for key in (*replaced, "quiet_seconds"):
                text = re.sub(rf"(?m)^{key} = .*\n", "", text)
            lines = "".join(f"{key} = {_toml(value)}\n" for key, value in replaced.items())
            text = re.sub(r'(?m)^kind = "bearer"\nsecret = .*$', 'kind = "none"', text)
            (folder / "partners" / f"{name}.toml").write_text(lines + text, "utf-8")
            servers[name].fhir.deletes = 'withdrawal = "stub"' not in text  # type: ignore[attr-defined]
        desk = wire(folder, environ={})
        stack.callback(desk.store.close)
        desk.store.upgrade()
        yield Instance(folder, Agency(desk, Clock(datetime.now(UTC)), servers))


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


class Nursery:
    """Workers of an instance: `start` one in a moment, and do to it what one likes by its process id."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self._running = running

    def start(self) -> int:
        assert self._running.stdin is not None
        self._running.stdin.write("\n")
        self._running.stdin.flush()
        return int(self._line())

    def _line(self) -> str:
        assert self._running.stdout is not None
        line = self._running.stdout.readline()
        assert line, "the nursery ended"
        return line


@contextmanager
def nursery(of: Instance) -> Iterator[Nursery]:
    words = [sys.executable, "-m", "tests.endurance.nursery", str(of.folder)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, **pipes, cwd=REPOSITORY) as running:
        try:
            found = Nursery(running)
            assert found._line() == "ready\n"
            yield found
        finally:
            assert running.stdin is not None
            running.stdin.close()  # it then kills whatever it started
            running.wait(20)


def dead(process: int) -> bool:
    """Has it ended?"""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, 0)
        return False
    return True


def end(process: int, how: signal.Signals = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, how)


def await_(true: Any, seconds: float, otherwise: Any = "") -> float:
    """Wait until `true()`; how long that took. AssertionError after so many seconds."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, otherwise() if callable(otherwise) else otherwise
        time.sleep(0.02)
    return time.monotonic() - began
