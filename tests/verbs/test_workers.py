"""Any number of workers on one store: each resource once at the partner, one worker at a share, and no busy loop."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter import worker
from adapter.core.fhir.named import names_of
from adapter.desk import Desk
from adapter.errors import Misconfigured, Unavailable
from adapter.outward.answer import Answer
from adapter.outward.server import Server
from adapter.store import shares
from adapter.store.database import Store
from adapter.store.seal import Keys
from adapter.wiring import wire, wire_without_instance
from tests.store.conftest import Place
from tests.verbs.agency import FIXTURES, Agency, case_of, record, revoked
from tests.verbs.conftest import Open
from tests.verbs.test_directory import another

LAKESIDE = {"each": {"paused": True}, "lakeside": {"paused": False}}


def work_together(agency: Agency, count: int, *, until: float = 30.0) -> None:
    """`count` workers in threads of their own, by the real clock, until every share is idle."""
    desk = replace(agency.desk, clock=lambda: datetime.now(UTC))
    stop = threading.Event()
    end = time.monotonic() + until
    with ThreadPoolExecutor(count) as pool:
        at_work = [pool.submit(worker.run, desk, stop=stop) for _ in range(count)]
        try:
            while time.monotonic() < end and not _all_idle(agency):
                time.sleep(0.02)
        finally:
            stop.set()
            desk.wake.set()
        for each in at_work:
            each.result()
    worker.run(desk, once=True)
    assert _all_idle(agency)


def _all_idle(agency: Agency) -> bool:
    """Nothing is being worked on, and nothing will be within a minute."""
    with agency.desk.store.reading() as tx:
        found = [s for s in shares.listed(tx) if not agency.desk.catalogue.partners[s.partner].paused]
    soon = datetime.now(UTC) + timedelta(minutes=1)
    return all(s.state == "idle" and (s.due is None or s.due > soon) for s in found)


def test_four_workers_bring_each_resource_exactly_once(open_agency: Open, place: Place) -> None:
    """Six cases with the same people around: what they share is made once, and gone once the last one goes.

    On PostgreSQL two may ask for it at the same instant, with a condition that lets the server make one.
    """
    agency = open_agency(**LAKESIDE)
    agency.clock.now = datetime.now(UTC)
    cases = [another(case_of("shared-decision"), f"C-{n}") for n in range(6)]
    for case in cases:
        agency.put(case)
    work_together(agency, 4)
    agency.clock.now = datetime.now(UTC)
    agency.assert_equal()
    created = Counter(
        next(names_of(entry["resource"]))[1] for entry in agency.sent_after(0) if entry["request"]["method"] == "POST"
    )
    assert set(created.values()) == {1} or place.backend == "postgresql"
    for case in cases:
        agency.put(revoked(case))
    work_together(agency, 4)
    agency.clock.now = datetime.now(UTC)
    agency.assert_equal()
    assert set(agency.fhir().counted()) == {"Consent", "Task"}


class Counted:
    """A way to the partner that knows how many are on it at once."""

    def __init__(self, server: Server) -> None:
        self.server, self.now, self.most, self.lock = server, 0, 0, threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.server, name)

    def transact(self, payload: bytes, **options: Any) -> Answer:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.02)
        answer = self.server.transact(payload, **options)
        with self.lock:
            self.now -= 1
        return answer


@pytest.mark.parametrize("cases", [1, 3])
def test_while_one_is_at_a_share_no_other_is(open_agency: Open, cases: int) -> None:
    """Saves go on while three work: for one case there is never a second request on its way."""
    agency = open_agency(**LAKESIDE)
    way: Any = Counted(agency.desk.server("lakeside"))
    agency.desk = replace(agency.desk, server=lambda _: way)
    agency.clock.now = datetime.now(UTC)
    for turn in range(5):
        for number in range(cases):
            case = another(case_of(), f"C-{number}")
            record(case, "goals/g1")["title"] = f"Tie my own shoes, turn {turn}"
            agency.put(case)
        work_together(agency, 3)
    agency.clock.now = datetime.now(UTC)
    agency.assert_equal()
    assert way.most == 1 if cases == 1 else way.most > 1


def test_a_share_moves_again_when_the_lease_of_a_dead_worker_is_over(open_agency: Open) -> None:
    agency = open_agency(lease=30.0, **LAKESIDE)
    agency.put(case_of())
    with agency.desk.store.writing() as tx:
        claimed = shares.claim(
            tx, worker="dead", now=agency.clock.now, lease=timedelta(seconds=30), skip=["riverside", "northstar"]
        )
    assert claimed is not None
    while claimed.partner != "lakeside":
        with agency.desk.store.writing() as tx:
            shares.settle(tx, claimed, due=None, outcome="unchanged", now=agency.clock.now)
            claimed = shares.claim(tx, worker="dead", now=agency.clock.now, lease=timedelta(seconds=30))
        assert claimed is not None
    assert agency.work() == 0
    agency.clock.pass_(seconds=31)
    assert agency.work() == 1
    agency.assert_equal()


def test_a_worker_waits_without_asking_the_database_again_and_again(
    open_agency: Open, monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    """And a save wakes it at once. On PostgreSQL it looks once more as it begins to listen: for what came before."""
    agency = open_agency(**LAKESIDE)
    agency.desk = replace(agency.desk, settings=replace(agency.desk.settings, poll_seconds=30.0))
    agency.clock.now = datetime.now(UTC)
    claims: list[float] = []
    right = shares.claim

    def counting(*args: Any, **options: Any) -> Any:
        claims.append(time.monotonic())
        return right(*args, **options)

    monkeypatch.setattr(shares, "claim", counting)
    stop = threading.Event()
    desk = replace(agency.desk, clock=lambda: datetime.now(UTC))
    thread = threading.Thread(target=worker.run, args=(desk,), kwargs={"stop": stop})
    thread.start()
    try:
        looked = 2 if place.backend == "postgresql" else 1
        began = time.monotonic()
        while len(claims) < looked:
            assert time.monotonic() < began + 60
            time.sleep(0.01)
        time.sleep(0.3)
        assert len(claims) == looked
        began = time.monotonic()
        agency.put(case_of())
        while not agency.fhir().of_type("Goal"):
            assert time.monotonic() < began + 60
            time.sleep(0.01)
        while not _all_idle(agency):
            time.sleep(0.01)
        time.sleep(0.3)
        assert len(claims) <= looked + 3
    finally:
        stop.set()
        desk.wake.set()
        thread.join(60)
    assert not thread.is_alive()


def test_a_worker_that_is_told_to_stop_finishes_what_it_is_doing(open_agency: Open) -> None:
    agency = open_agency(**LAKESIDE)
    agency.put(case_of())
    agency.put(another(case_of()))
    stop = threading.Event()
    agency.fhir().watch = lambda method, path, body: stop.set()
    assert worker.run(agency.desk, stop=stop) == 1
    agency.fhir().watch = None
    states = sorted(agency.share(number)["state"] for number in ("C-0001", "C-2"))
    assert states == ["due", "idle"]


def test_while_the_database_is_gone_a_worker_waits_and_goes_on(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    agency.put(case_of())
    right, gone = Store.writing, [3]

    def away(store: Store) -> Any:
        if gone[0]:
            gone[0] -= 1
            raise Unavailable("The database cannot be reached.")
        return right(store)

    monkeypatch.setattr(Store, "writing", away)
    with pytest.raises(Unavailable):
        worker.run(agency.desk, once=True)
    stop = threading.Event()
    agency.fhir().watch = lambda method, path, body: stop.set()
    assert worker.run(agency.desk, stop=stop) >= 1
    assert gone == [0]
    agency.fhir().watch = None
    agency.work()
    agency.assert_equal()


def test_an_instance_is_wired_from_its_files(tmp_path: Path) -> None:
    """The secret of a partner comes from the environment, or from the file that is named there; never from its file."""
    partners = tmp_path / "partners"
    partners.mkdir()
    for name in ("lakeside", "riverside"):
        (partners / f"{name}.toml").write_text((FIXTURES / "partners" / f"{name}.toml").read_text("utf-8"), "utf-8")
    said = (FIXTURES / "adapter.toml").read_text("utf-8")
    (tmp_path / "adapter.toml").write_text(f"labels_topics = true\n{said}", "utf-8")
    (tmp_path / "keys").touch(0o600)
    (tmp_path / "keys").write_text(Keys.generate().text(), "utf-8")
    (tmp_path / "secret").write_text("of-the-hospital\n", "utf-8")
    environ = {"LAKESIDE_TOKEN": " of-the-school ", "RIVERSIDE_TOKEN_FILE": str(tmp_path / "secret")}
    desk = wire(tmp_path, environ=environ)
    assert desk.server("lakeside") is desk.server("lakeside")
    headers = [desk.server(name)._access.headers()["Authorization"] for name in ("lakeside", "riverside")]
    assert headers == ["Bearer of-the-school", "Bearer of-the-hospital"]
    shown = wire_without_instance(partners)
    assert set(shown.catalogue.partners) == {"lakeside", "riverside"}
    assert shown.bench.identity("lakeside") != desk.bench.identity("lakeside")


def test_a_worker_whose_clock_is_wrong_takes_nothing_up(open_agency: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Consents would end at another time than they do, and a share be taken from a worker that lives."""
    agency = open_agency(**LAKESIDE)
    agency.put(case_of())

    def differs(_store: Store) -> None:
        raise Unavailable("This machine's clock and the database's differ.")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "check_clock", differs)
        with pytest.raises(Unavailable, match="clock"):
            agency.work()
    assert (agency.share("C-0001")["state"], agency.fhir().resources) == ("due", {})
    agency.work()
    agency.assert_equal()


def test_who_tells_rests_while_the_database_is_away(open_agency: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer each time: an outage of a night is no flood of lines."""
    agency, stop, asked = open_agency(**LAKESIDE), threading.Event(), Counter[str]()
    settings = replace(agency.desk.settings, poll_seconds=0.001)
    monkeypatch.setattr(worker, "_FIRST_REST", 0.05)

    def away(_desk: Desk) -> bool | None:
        asked["asked"] += 1
        raise Unavailable("The database cannot be reached.")

    telling = threading.Thread(
        target=worker._tells, args=(replace(agency.desk, settings=settings), "w", stop, (away, away))
    )
    telling.start()
    time.sleep(0.8)
    stop.set()
    telling.join()
    assert 2 <= asked["asked"] <= 6  # after 0, 0.05, 0.15, 0.35 and 0.75 seconds


def test_a_worker_whose_database_becomes_another_version_takes_nothing_up(
    open_agency: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Upgraded under it, or away and back as another: it says so and goes on by itself once it is right again."""
    agency = open_agency(**LAKESIDE)
    agency.desk = replace(agency.desk, clock=lambda: datetime.now(UTC))
    monkeypatch.setattr(worker, "_CHECKED", 0.0)
    right, stop, refused = Store.check, threading.Event(), threading.Event()

    def of_another(_store: Store) -> None:
        refused.set()
        raise Misconfigured("The database is of a version that this adapter does not know.")

    running = threading.Thread(target=worker.run, args=(agency.desk,), kwargs={"stop": stop})
    with monkeypatch.context() as patched:
        patched.setattr(Store, "check", of_another)
        with pytest.raises(Misconfigured, match="version"):
            agency.work()
        refused.clear()
        running.start()
        assert refused.wait(10)
        agency.put(case_of())
        refused.clear()
        assert refused.wait(10)
        assert (agency.share("C-0001")["state"], agency.fhir().resources) == ("due", {})
        patched.setattr(Store, "check", right)
        try:
            until = time.monotonic() + 15
            while not _all_idle(agency) and time.monotonic() < until:
                time.sleep(0.02)
        finally:
            stop.set()
            agency.desk.wake.set()
            running.join()
    agency.clock.now = datetime.now(UTC)
    agency.assert_equal()
