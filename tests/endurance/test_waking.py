"""Workers in processes of their own hear of what is due, ask for nothing meanwhile, and end well when they are told."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from adapter.demo import calendar
from tests.endurance.instance import await_, instance
from tests.endurance.test_away import PARTNERS, serving
from tests.outward.fault_server import Late
from tests.store import postgresql

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


def _programs() -> Path:
    programs = postgresql.binaries()
    assert programs is not None, "PostgreSQL is not installed here (Debian's package postgresql)"
    return programs


def test_a_save_wakes_a_worker_of_another_process_and_an_idle_one_costs_nothing(tmp_path: Path) -> None:
    """From 202 to the partner in less than a second, with an hour between two looks; also after the database was
    away and the worker listens anew. In between, ten idle seconds take next to nothing of the processor."""
    with (
        postgresql.server(_programs()) as database,
        serving(tmp_path / "agency", database.url, poll=3600.0) as found,
    ):
        seen = found.instance.agency.servers["lakeside"].seen
        found.put("C-0")
        await_(lambda: seen, 10)
        took = [_sent_after(found, f"C-{turn}") for turn in range(1, 6)]
        found.instance.rest(20)
        before = found.processor_seconds()
        time.sleep(10)
        spent = found.processor_seconds() - before
        database.stop()
        database.start()
        await_(lambda: found.ready().status_code == 200, 20)
        time.sleep(7)  # by then it listens again
        took.append(_sent_after(found, "C-7"))
        print(f"from 202 to the partner: at most {max(took):.3f} s; 10 s idle: {spent:.3f} s of the processor")
        assert max(took) < 1.0
        assert spent < 0.5


def _sent_after(found: Any, number: str) -> float:
    seen = found.instance.agency.servers["lakeside"].seen
    before = len(seen)
    assert found.put(number).status_code == 202
    return await_(lambda: len(seen) > before, 10, "nobody heard of the save")


@pytest.mark.parametrize("poll", [0.2, 3600.0])
def test_on_sqlite_a_worker_of_another_process_looks_by_itself(tmp_path: Path, poll: float) -> None:
    """There nobody can tell it: every `poll_seconds`, and never less often than a lease lasts (2 s here)."""
    with serving(tmp_path / "agency", f"sqlite:///{tmp_path / 'adapter.db'}", poll=poll) as found:
        assert _sent_after(found, "C-1") < min(poll, 2.0) + 4.0
        found.instance.rest(20)
        before = found.processor_seconds()
        time.sleep(5)
        assert found.processor_seconds() - before < 0.5


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_told_to_stop_finishes_its_share_and_ends_with_0(
    database: str, tmp_path: Path, how: signal.Signals
) -> None:
    """Also with a partner that takes its time, and longer than a lease; the next share is another's."""
    with (
        instance(tmp_path / "agency", database, lease=1.0, partners=PARTNERS) as found,
        found.process("work") as worker,
    ):
        assert worker.stderr is not None
        assert worker.stderr.readline() == "Working.\n"
        found.agency.servers["lakeside"].plan(Late(2.5))
        for number in ("C-1", "C-2"):
            found.agency.put({**calendar.case("minimal"), "case": number})
        await_(found.at_work, 10)
        asked = time.monotonic()
        worker.send_signal(how)
        assert worker.wait(timeout=60) == 0
        print(f"told to stop, it ended after {time.monotonic() - asked:.1f} s")
        states = sorted(found.agency.share(number)["state"] for number in ("C-1", "C-2"))
        assert states == ["due", "idle"]


def test_a_worker_that_is_told_to_stop_again_and_again_still_ends_well(tmp_path: Path) -> None:
    """By a supervisor that repeats itself: while it finishes its share, and while it ends."""
    with (
        instance(tmp_path / "agency", f"sqlite:///{tmp_path / 'adapter.db'}", lease=1.0, partners=PARTNERS) as found,
        found.process("work") as worker,
    ):
        assert worker.stderr is not None
        assert worker.stderr.readline() == "Working.\n"
        found.agency.servers["lakeside"].plan(Late(1.5))
        found.agency.put(calendar.case("minimal"))
        await_(found.at_work, 10)
        until = time.monotonic() + 30
        while worker.poll() is None and time.monotonic() < until:
            worker.send_signal(signal.SIGTERM)
            time.sleep(0.02)
        assert worker.returncode == 0
        assert found.states() == []


def test_a_worker_is_told_to_stop_while_the_database_is_away(tmp_path: Path) -> None:
    with (
        postgresql.server(_programs()) as database,
        instance(tmp_path / "agency", database.url, lease=1.0, partners=PARTNERS) as found,
        found.process("work") as worker,
    ):
        assert worker.stderr is not None
        assert worker.stderr.readline() == "Working.\n"
        database.stop()
        assert '"failed"' in worker.stderr.readline()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == 0
