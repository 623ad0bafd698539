"""Workers die at any moment, by `kill -9`: afterwards each partner holds what it should, and the account is whole."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapter import steer
from adapter.core.desired import Subject, desire
from adapter.core.strict_json import dump
from adapter.demo import calendar
from adapter.store.disclosures import Line
from tests.endurance.instance import Instance, await_, end, instance, nursery
from tests.outward.fault_server import Late
from tests.verbs.agency import FIXTURES, record, revoked
from tests.verbs.schedules import without_goals
from tests.verbs.test_directory import another

pytestmark = [pytest.mark.servers, pytest.mark.timeout(1800)]

KILLS = (1000 if os.environ.get("CSP_PROOFS") else 60) // 2
"""On each database."""
WORKERS = 4
SEED = 20261127
NAMES = {"C-1": "minimal", "C-2": "minimal", "C-3": "shared-decision", "C-4": "capable-youth"}
PARTNERS: dict[str, dict[str, Any]] = {"lakeside": {"chunk": 7}, "riverside": {}}
CHANGES: dict[str, Callable[[Any], Any]] = {
    "as it was": lambda case: case,
    "edited": lambda case: _edited(case),
    "narrowed": without_goals,
    "revoked": revoked,
}


def _edited(case: Any) -> Any:
    record(case, "goals")[0]["title"] = f"Something that we want more, {time.monotonic_ns()}"
    return case


class Deaths:
    """How long a share that a dead worker had stands still: from its death until another has claimed it."""

    def __init__(self, of: Instance) -> None:
        self._of = of
        self._waiting: list[tuple[int, int, float]] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._asleep: list[threading.Timer] = []
        self.took: list[float] = []

    def kill(self, process: int) -> None:
        end(process)
        died = time.monotonic()
        mine = [(share, fence, died) for share, (fence, who) in self._of.at_work().items() if who == process]
        with self._lock:
            self._waiting += mine

    def sleep(self, process: int, seconds: float) -> None:
        """It does nothing for so long, then goes on for a moment as if nothing had been, and dies."""
        end(process, signal.SIGSTOP)

        def wake() -> None:
            end(process, signal.SIGCONT)
            time.sleep(0.05)
            self.kill(process)

        self._asleep.append(threading.Timer(seconds, wake))
        self._asleep[-1].start()

    def over(self) -> bool:
        """Has each share moved again that a dead one had?"""
        return not self._waiting and not any(sleeper.is_alive() for sleeper in self._asleep)

    def __enter__(self) -> Deaths:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        assert self._waiting == []

    def _watch(self) -> None:
        while not self._over.wait(0.05) or self._waiting:
            with self._lock:
                waiting = list(self._waiting)
            if not waiting:
                continue
            at_work = self._of.at_work()
            for entry in waiting:
                share, fence, died = entry
                if at_work.get(share, (0, 0))[0] != fence:
                    self.took.append(time.monotonic() - died)
                    with self._lock:
                        self._waiting.remove(entry)


def test_after_any_kills_each_partner_holds_what_it_should(database: str, tmp_path: Path) -> None:
    """Cases are saved, edited, narrowed, revoked and deleted meanwhile; some workers are only stopped for longer than
    their lease, and go on as if they still had it."""
    dice = random.Random(SEED)  # noqa: S311  a schedule is no secret
    with (
        instance(tmp_path / "agency", database, lease=1.0, partners=PARTNERS) as found,
        nursery(found) as workers,
        Deaths(found) as deaths,
    ):
        for server in found.agency.servers.values():
            server.fhir.watch = lambda *_: time.sleep(0.01)  # type: ignore[attr-defined]  as long as a near server takes
        running = [workers.start() for _ in range(WORKERS)]
        kills = 0
        while kills < KILLS:
            for _ in range(dice.randint(1, 2)):
                _change(found, dice)
                victim = _victim(found, running, dice)
                running.remove(victim)
                if dice.random() < 0.15:
                    deaths.sleep(victim, 1.5)
                else:
                    deaths.kill(victim)
                kills += 1
            while len(running) < WORKERS:
                running.append(workers.start())
            await_(deaths.over, 30, "a share is stuck behind a dead worker")
        for number in NAMES:
            _put(found, number, dice.choice(list(CHANGES)))
        _rest(found)
        _whole(found)
        for process in running:
            end(process, signal.SIGTERM)
    assert deaths.took, "no worker died at work"
    print(f"{kills} kills, {len(deaths.took)} at work; longest until it moved again: {max(deaths.took):.2f} s")
    assert max(deaths.took) < 1.0 + 5.0


def test_a_share_moves_again_with_the_lease_that_instances_have(database: str, tmp_path: Path) -> None:
    """30 seconds, and the partner slower than that to answer: the worker is killed in the middle of it."""
    partners = {"lakeside": {"timeout": 120.0}}
    with (
        instance(tmp_path / "agency", database, lease=30.0, poll=3600.0, partners=partners) as found,
        nursery(found) as workers,
    ):
        found.agency.servers["lakeside"].plan(Late(100.0, applied=True))
        first = workers.start()
        _put(found, "C-1", "as it was")
        await_(lambda: found.agency.fhir().of_type("Goal"), 10)
        time.sleep(12)  # its lease has been renewed by now
        [(share, (fence, process))] = found.at_work().items()
        assert process == first
        workers.start()
        end(first)
        died = time.monotonic()
        await_(lambda: found.at_work().get(share) != (fence, process), 40, "the share is stuck behind the dead worker")
        assert time.monotonic() - died < 30.0 + 5.0
        found.rest(10)
        _whole(found)


def _victim(found: Instance, running: list[int], dice: random.Random) -> int:
    """Mostly whoever is at work, a moment after it was seen to be; sometimes any."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        at_work = {process for _, process in found.at_work().values()} & set(running)
        if at_work:
            time.sleep(dice.choice([0, dice.uniform(0, 0.02), dice.uniform(0, 0.2)]))
            return dice.choice(running if dice.random() < 0.2 else sorted(at_work))
        time.sleep(0.005)
        if found.resting():
            break
    return dice.choice(running)


def _change(found: Instance, dice: random.Random) -> None:
    number = dice.choice(list(NAMES))
    if dice.random() < 0.1 and number in found.agency.numbers and not found.agency.stored(number).deleted:
        found.agency.delete(number)
    else:
        _put(found, number, dice.choice(list(CHANGES)))


def _put(found: Instance, number: str, change: str) -> None:
    found.agency.put(CHANGES[change](another(calendar.case(NAMES[number]), number)))


def _rest(found: Instance) -> None:
    """Until nothing is left; what stopped because a late worker wrote at the same moment needs one word of a person."""
    words = 0

    def resting() -> bool:
        nonlocal words
        for case in found.agency.numbers:
            for partner in found.agency.servers:
                if found.agency.share(case, partner)["state"] == "stopped" and words < 20:
                    words += 1
                    steer.retry(found.agency.desk, case, partner)
        return found.resting()

    await_(resting, 120, lambda: f"the shares do not come to rest: {found.states()}")
    found.rest(1)


def _whole(found: Instance) -> None:
    """What partners hold, what they were ever sent, and the account of each case."""
    for partner in found.agency.servers:
        found.agency.assert_equal(partner)
        for marker in _withheld(found, partner):
            found.agency.assert_never(marker, partner)
    for number in found.agency.numbers:
        assert _open(found.agency.account(number)) == []  # whose chain is verified, too


def _withheld(found: Instance, partner: str) -> set[str]:
    """The markers of what no case permits to this partner: what one withholds may be a word of another."""
    markers: set[str] = set()
    permitted = ""
    for number, name in NAMES.items():
        subject = Subject(number, another(calendar.case(name), number), {})
        made = desire(found.agency.desk.bench, subject, partner, found.agency.clock.now).made
        permitted += "".join(dump(each.resource).decode() for each in made)
        markers |= set(json.loads((FIXTURES / name / "expected.json").read_text("utf-8"))[partner]["markers"])
    withheld = {marker for marker in markers if marker not in permitted}
    assert len(withheld) > 5
    return withheld


def _open(account: list[Line]) -> list[tuple[str, str, str]]:
    """The attempts of which no later line says what became of them."""
    waiting: dict[tuple[str, str], Line] = {}
    for line in account:
        if line.kind == "attempted":
            waiting[line.partner, line.urn] = line
        else:
            waiting.pop((line.partner, line.urn), None)
    return [(line.partner, line.resource_type, line.operation) for line in waiting.values()]
