"""Workers in several processes and threads share the work: each piece once, none lost, none stuck behind the dead."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

from adapter.store import cases, disclosures, shares
from adapter.store.database import Store
from adapter.store.seal import Keys
from tests.store.conftest import NOW, Place

LEASE = timedelta(seconds=60)

# A worker of its own process: claims until nothing is due, with two threads; prints what it claimed.
WORKER = r"""
import sys, threading
from datetime import datetime, timedelta, UTC
from adapter.store import shares
from adapter.store.database import Store
from adapter.store.seal import Keys

url, seconds, settles = sys.argv[1], float(sys.argv[2]), sys.argv[3] == "settles"
store = Store.open(url, Keys.parse(sys.stdin.read()))

def work():
    while True:
        with store.writing() as tx:
            now = datetime.now(UTC)
            share = shares.claim(tx, worker="w", now=now, lease=timedelta(seconds=seconds))
        if share is None:
            return
        sys.stdout.write(f"{share.id} {share.fence}\n")
        sys.stdout.flush()
        if not settles:
            threading.Event().wait()
        with store.writing() as tx:
            assert shares.settle(tx, share, due=None, outcome="delivered")

threads = [threading.Thread(target=work) for _ in range(2 if settles else 1)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


@contextmanager
def workers(
    place: Place, keys: Keys, *, count: int, lease: float, settles: bool
) -> Iterator[list[subprocess.Popen[str]]]:
    """So many workers, started at once, and gone at the end whatever happens."""
    arguments = [sys.executable, "-c", WORKER, place.url, str(lease), "settles" if settles else "hangs"]
    with ExitStack() as stack:
        started = []
        for _ in range(count):
            process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            started.append(stack.enter_context(process))
            stack.callback(process.kill)
            assert process.stdin is not None
            process.stdin.write(keys.text())
            process.stdin.close()
        yield started


def test_each_due_share_is_claimed_once_by_whoever(store: Store, place: Place, keys: Keys) -> None:
    with store.writing() as tx:
        for number in range(30):
            case, _ = cases.put(tx, f"C-{number}", {}, {}, now=NOW)
            shares.ensure(tx, case.id, ["a", "b", "c", "d"], now=NOW)
            shares.mark_due(tx, case_id=case.id, now=NOW)
    claims: list[str] = []
    with workers(place, keys, count=3, lease=60, settles=True) as started:
        for process in started:
            assert process.stdout is not None
            claims += process.stdout.read().splitlines()
            assert process.wait(60) == 0
    assert len(claims) == 120
    assert {int(claim.split()[0]) for claim in claims} == {share.id for share in listed(store)}
    assert {share.outcome for share in listed(store)} == {"delivered"}


def test_a_share_moves_on_after_its_worker_was_killed(store: Store, place: Place, keys: Keys, case_id: str) -> None:
    with store.writing() as tx:
        shares.ensure(tx, case_id, ["school"], now=NOW)
        shares.mark_due(tx, case_id=case_id, now=NOW)
    with workers(place, keys, count=1, lease=1, settles=False) as [process]:
        assert process.stdout is not None
        assert process.stdout.readline().split()[1] == "1"
        process.kill()
    died = time.monotonic()
    while True:
        with store.writing() as tx:
            share = shares.claim(tx, worker="next", now=datetime.now(UTC), lease=LEASE)
        if share is not None:
            break
        assert time.monotonic() - died < 6, "the share is stuck behind the dead worker"
        time.sleep(0.05)
    assert (share.fence, share.attempts) == (2, 1)


def test_saving_claiming_and_accounting_at_once_neither_block_nor_lose(store: Store) -> None:
    """Savers mark shares due while workers claim, read the case, account and settle: afterwards each share has seen the
    last version of its case, every account is intact, and nobody was told that the database is not available."""
    numbers = [f"C-{number}" for number in range(3)]
    failures: list[BaseException] = []
    seen: dict[int, int] = {}
    saving = threading.Event()
    saving.set()

    def save(number: str) -> None:
        for turn in range(15):
            with store.writing() as tx:
                found = cases.get(tx, number)
                body = {**(found.body if found else {}), "turn": turn}
                case, _ = cases.put(tx, number, body, {}, now=NOW)
                shares.ensure(tx, case.id, ["a", "b"], now=NOW)
                shares.mark_due(tx, case_id=case.id, now=NOW)

    def work() -> None:
        while True:
            over = not saving.is_set()
            with store.writing() as tx:
                share = shares.claim(tx, worker="w", now=NOW, lease=LEASE)
                case = share and cases.by_id(tx, share.case_id)
            if share is None or case is None:
                if over:
                    return
                time.sleep(0.005)
                continue
            with store.writing() as tx:
                disclosures.append(tx, share.case_id, [])
                if shares.settle(tx, share, due=None, outcome="delivered"):
                    seen[share.id] = case.version

    def guarded(target: object, *args: object) -> None:
        try:
            target(*args)  # type: ignore[operator]
        except BaseException as failure:  # noqa: BLE001  shown below
            failures.append(failure)

    savers = [threading.Thread(target=guarded, args=(save, number)) for number in numbers]
    working = [threading.Thread(target=guarded, args=(work,)) for _ in range(3)]
    for thread in (*savers, *working):
        thread.start()
    for thread in savers:
        thread.join()
    saving.clear()
    for thread in working:
        thread.join()
    assert failures == []
    assert sorted(seen.values()) == [15] * 6
    assert {share.state for share in listed(store)} == {"idle"}


def listed(store: Store) -> list[shares.Share]:
    with store.reading() as tx:
        return shares.listed(tx, limit=1000)
