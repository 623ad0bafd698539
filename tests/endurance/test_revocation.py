"""A consent is revoked while its share is queued, claimed, and between two retries: nothing leaves under it any more.

Not one request may reach the partner with what was revoked, of a claim that began after the revocation was committed.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter import keep, worker
from adapter.desk import Desk
from adapter.store import shares
from tests.outward.fault_server import Answer
from tests.store.conftest import Place
from tests.verbs.agency import Agency, body, case_of, revoked
from tests.verbs.conftest import Open
from tests.verbs.test_directory import another

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

TRIALS = 500
"""On each of the two databases: 1,000 in all."""
WORKERS = 3
SEED = 20261127
ONLY = {"each": {"paused": True}, "lakeside": {"paused": False, "chunk": 2}}


class Watch:
    """When each claim of a share began (its commit lies behind that), and what each request said about which case."""

    def __init__(self, agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
        self.claimed: dict[int, float] = {}
        self.sent: list[tuple[str, float]] = []
        self._thread = threading.local()
        right = shares.claim

        def claim(tx: Any, **options: Any) -> Any:
            self._thread.began = time.monotonic()
            return right(tx, **options)

        monkeypatch.setattr(shares, "claim", claim)
        server = agency.desk.server("lakeside")
        transact = server.transact

        def noting(payload: bytes, **options: Any) -> Any:
            # What says something of the case, and does not only take back: the goal's title is this trial's own.
            for word in payload.decode().split('"'):
                if word.startswith("Goal of trial "):
                    self.sent.append((word, self._thread.began))
            return transact(payload, **options)

        monkeypatch.setattr(server, "transact", noting)


@contextmanager
def at_work(desk: Desk) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=worker.run, args=(desk,), kwargs={"stop": stop}) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        desk.wake.set()
        for thread in threads:
            thread.join()


def test_nothing_is_sent_by_a_claim_that_began_after_the_revocation(
    open_agency: Open, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    agency = open_agency(**ONLY)
    agency.desk = replace(agency.desk, clock=lambda: datetime.now(UTC))
    dice = random.Random(SEED)  # noqa: S311  a schedule is no secret
    watch = Watch(agency, monkeypatch)
    monkeypatch.setattr("adapter.core.retry._FIRST", timedelta(milliseconds=200))
    monkeypatch.setattr("adapter.core.retry._SHORTEST", timedelta(milliseconds=5))
    monkeypatch.setattr("adapter.core.pace.SHARES", 10 * TRIALS)  # the circuit stays closed: a share at a time is tried
    committed: dict[str, float] = {}
    states: list[str] = []
    with at_work(agency.desk):
        for trial in range(TRIALS):
            case = another(case_of(), f"C-{trial}")
            title = f"Goal of trial {trial}."
            case["goals"][0]["title"] = title
            if trial % 3 == 0:  # it is to be revoked between two tries
                agency.servers["lakeside"].plan(*[Answer(503)] * dice.randint(1, 3))
            agency.put(case)
            wanted = "waiting" if trial % 3 == 0 else dice.choice(["due", "working"])
            states.append(_until(agency, f"C-{trial}", wanted))
            keep.put_case(agency.desk, case["case"], body(revoked(case)))
            committed[title] = time.monotonic()
        until = time.monotonic() + 120
        while _busy(agency):
            assert time.monotonic() < until, "the shares do not come to rest"
            time.sleep(0.05)
    late = [title for title, claimed in watch.sent if claimed > committed[title]]
    assert late == []
    assert watch.sent, "nothing was ever sent"
    seen = {state: states.count(state) for state in set(states)}
    print(f"{TRIALS} trials on {place.backend}; revoked while {seen}; {len(watch.sent)} sent before")
    assert {"due", "working", "waiting"} <= set(states)
    agency.clock.now = datetime.now(UTC)
    agency.assert_equal()
    assert agency.fhir().of_type("Goal") == []


def _until(agency: Agency, number: str, wanted: str) -> str:
    """Wait a little for the share to be in this state; the state that it then is in."""
    until = time.monotonic() + 0.5
    while (state := str(agency.share(number)["state"])) != wanted and time.monotonic() < until:
        time.sleep(0.002)
    return state


def _busy(agency: Agency) -> bool:
    with agency.desk.store.reading() as tx:
        found = [shares.listed(tx, partner="lakeside", state=state) for state in ("due", "working", "waiting")]
    return any(found)
