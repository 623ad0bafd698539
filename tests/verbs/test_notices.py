"""The case system is told what has happened: in order, at least once, of nobody by name; and nothing waits for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapter import tell, worker
from adapter.core.alert import Alert
from adapter.core.notice import SENTENCES
from adapter.errors import Conflict, Refused
from adapter.outward.webhook import Hook
from adapter.store import notices
from tests.outward import fault_server as faults
from tests.outward.fault_server import FaultServer
from tests.outward.test_webhook import NEW, verified
from tests.verbs.agency import Agency, case_of
from tests.verbs.conftest import Open
from tests.verbs.test_alerts import REFUSED
from tests.verbs.test_answers import NUMBER, opened, say
from tests.verbs.test_refer import cancel

TAKEN = faults.Answer(204)


class CaseSystem:
    """The agency's own system behind real sockets, which takes what it is told, or not."""

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        server.plan(*[TAKEN] * 100)

    def behaves(self, *answers: Any) -> None:
        """The next requests are answered so, and then all are taken."""
        self.server._plan.clear()
        self.server.plan(*answers, *[TAKEN] * 100)

    @property
    def told(self) -> list[Any]:
        return [json.loads(seen.body) for seen in self.server.seen]

    @property
    def ids(self) -> list[str]:
        return [seen.headers["webhook-id"] for seen in self.server.seen]


@pytest.fixture
def system() -> Iterator[CaseSystem]:
    with FaultServer() as server:
        yield CaseSystem(server)


def listening(agency: Agency, system: CaseSystem, secret: str | None = NEW) -> Agency:
    hook = Hook(system.server.base_url, [secret], private=True)
    agency.desk = replace(agency.desk, case_system=hook)
    return agency


def stops(agency: Agency, number: str) -> None:
    agency.servers["lakeside"].plan(REFUSED)
    agency.put(case_of() | {"case": number})
    agency.work()


@pytest.fixture
def agency(open_agency: Open, system: CaseSystem) -> Agency:
    return listening(open_agency(each={"paused": True}, lakeside={"paused": False}), system)


def listed(agency: Agency, after: int = 0, limit: int = 100) -> Any:
    return tell.listed(agency.desk, after=after, limit=limit)


def replay(agency: Agency, **said: Any) -> Any:
    return tell.replay(agency.desk, json.dumps(said).encode() if said else b"")


def test_a_share_that_stops_is_told_of_and_says_nothing_about_anybody(agency: Agency, system: CaseSystem) -> None:
    stops(agency, "C-0001")
    [told] = system.told
    case = agency.stored("C-0001").id
    assert told == {
        "type": "share.stopped",
        "timestamp": "2026-11-21T17:00:00+00:00",
        "data": {
            "number": 1, "case": case, "sentence": SENTENCES["share.stopped"], "link": "/api/notices?after=0&limit=1",
        },
    }  # fmt: skip
    [seen] = system.server.seen
    assert verified(seen, NEW)
    words = f"{dict(seen.headers)} {seen.body.decode()}"
    for withheld in ("C-0001", "Exemple", "Inex", "Théo", "lakeside", "goals/"):
        assert withheld not in words
    [row] = listed(agency)["notices"]
    assert (row["case"], row["partner"], row["link"]) == ("C-0001", "lakeside", "/api/cases/C-0001/shares")
    assert row["id"] == system.ids[0]


def test_an_answer_to_a_referral_is_told_of_and_our_own_word_is_not(open_agency: Open, system: CaseSystem) -> None:
    agency = listening(opened(open_agency), system)
    for status in ("accepted", "in-progress"):
        say(agency, status)
        agency.clock.pass_(hours=2)
        agency.work()
    say(agency, "requested")
    agency.clock.pass_(hours=2)
    agency.work()
    cancel(agency)
    agency.work()
    assert [each["type"] for each in system.told] == ["referral.answered"] * 3, (
        "one of them could not be, and is flagged"
    )
    rows = listed(agency)["notices"]
    assert {(r["case"], r["partner"], r["path"], r["link"]) for r in rows} == {
        (NUMBER, "lakeside", "referrals/r1", f"/api/referrals/{NUMBER}/r1")
    }
    assert "reading group" not in json.dumps([*rows, *system.told])


def test_each_is_told_in_order_until_it_was_taken_with_the_same_id(agency: Agency, system: CaseSystem) -> None:
    system.behaves(faults.Answer(500), faults.CutAfter(applied=False), faults.Answer(401))
    stops(agency, "C-0001")
    stops(agency, "C-0002")
    for _ in range(3):
        assert {each["data"]["number"] for each in system.told} == {1}, "the second waits"
        agency.clock.pass_(minutes=2)
        agency.work()
    assert [each["data"]["number"] for each in system.told if each] == [1, 1, 1, 1, 2]
    assert len(set(system.ids)) == 2
    assert agency.share("C-0002")["state"] == "stopped", "no share waited for it"
    assert listed(agency)["telling"] == {
        "configured": True, "told": 2, "waiting": 0, "stopped": False, "failing_since": None, "next_try": None,
    }  # fmt: skip


def test_it_waits_as_long_as_it_is_asked_to(agency: Agency, system: CaseSystem) -> None:
    system.behaves(faults.Answer(429, {"Retry-After": "3600"}))
    stops(agency, "C-0001")
    agency.clock.pass_(minutes=59)
    agency.work()
    assert len(system.told) == 1
    agency.clock.pass_(minutes=20)
    agency.work()
    assert len(system.told) == 2


def test_after_96_hours_it_waits_for_a_person_who_is_told(agency: Agency, system: CaseSystem) -> None:
    alerts: list[Alert] = []
    agency.desk = replace(agency.desk, ways={"mail": lambda alert: not alerts.append(alert)})
    system.behaves(*[faults.Answer(503)] * 1000)
    stops(agency, "C-0001")
    began = agency.clock.now
    while not listed(agency)["telling"]["stopped"]:
        assert agency.clock.now < began + timedelta(hours=120)
        agency.clock.pass_(hours=1)
        agency.work()
    assert agency.clock.now >= began + timedelta(hours=96)
    agency.work()
    assert [each.kind for each in alerts] == ["stopped", "untold"]
    tried = len(system.told)
    agency.clock.pass_(days=10)
    agency.work()
    assert len(system.told) == tried
    system.behaves()
    replay(agency)
    agency.work()
    assert len(system.told) == tried + 1
    assert listed(agency)["telling"]["told"] == 1


def test_who_wants_none_any_more_is_told_nothing_more(agency: Agency, system: CaseSystem) -> None:
    system.behaves(faults.Answer(410))
    stops(agency, "C-0001")
    agency.clock.pass_(days=1)
    agency.work()
    assert len(system.told) == 1
    assert listed(agency)["telling"]["stopped"]


def test_what_was_told_is_told_again_from_a_number_on(agency: Agency, system: CaseSystem) -> None:
    for number in range(3):
        stops(agency, f"C-000{number}")
    assert replay(agency, after=1)["telling"]["waiting"] == 2
    agency.work()
    assert [each["data"]["number"] for each in system.told] == [1, 2, 3, 2, 3]
    assert system.ids[1:3] == system.ids[3:]
    replay(agency, after=99)
    agency.work()
    assert len(system.told) == 5
    for wrong in ({"after": -1}, {"after": "1"}, {"after": True}, {"before": 1}):
        with pytest.raises(Refused):
            replay(agency, **wrong)


def test_whoever_asks_misses_nothing_and_needs_no_webhook(open_agency: Open) -> None:
    agency = open_agency(each={"paused": True}, lakeside={"paused": False})
    assert listed(agency) == {"notices": [], "next": 0, "telling": listed(agency)["telling"]}
    for number in range(3):
        stops(agency, f"C-000{number}")
    first = listed(agency, limit=2)
    assert ([r["number"] for r in first["notices"]], first["next"]) == ([1, 2], 2)
    rest = listed(agency, after=2)
    assert ([r["case"] for r in rest["notices"]], rest["next"]) == (["C-0002"], 3)
    assert listed(agency, after=3)["next"] == 3
    with pytest.raises(Conflict):
        replay(agency)
    assert tell.trial(agency.desk) is None
    agency.clock.pass_(days=31)
    agency.work()
    assert listed(agency)["notices"] == []
    stops(agency, "C-0009")
    assert [r["number"] for r in listed(agency, after=3)["notices"]] == [4]


def test_a_worker_that_dies_after_telling_is_followed_by_one_that_tells_again(
    agency: Agency, system: CaseSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once, and with the same id: the receiver knows it."""
    with monkeypatch.context() as patch:
        patch.setattr(notices, "told", lambda *_: 1 / 0)
        stops(agency, "C-0001")
    agency.clock.pass_(minutes=2)
    agency.work()
    assert len(system.told) == 2 and len(set(system.ids)) == 1
    agency.clock.pass_(minutes=20)
    agency.work()
    assert len(system.told) == 2


def test_several_workers_tell_each_once_and_in_order(agency: Agency, system: CaseSystem) -> None:
    with agency.desk.store.writing() as tx:
        for _ in range(12):
            notices.note(tx, "inbox.changed", {"item": "7"}, now=agency.clock.now)
    stop = threading.Event()
    desks = [replace(agency.desk, wake=threading.Event()) for _ in range(3)]
    threads = [threading.Thread(target=worker.run, args=(desk,), kwargs={"stop": stop}) for desk in desks]
    for thread in threads:
        thread.start()
    try:
        over = threading.Event()
        for _ in range(400):
            if len(system.told) >= 12 or over.wait(0.05):
                break
    finally:
        stop.set()
        for desk in desks:
            desk.wake.set()
        for thread in threads:
            thread.join()
    assert [each["data"]["number"] for each in system.told] == list(range(1, 13))


def test_nothing_leaves_unsigned_and_a_redirect_leads_nowhere(agency: Agency, system: CaseSystem) -> None:
    listening(agency, system, secret=None)
    stops(agency, "C-0001")
    assert system.server.connections == 0
    listening(agency, system)
    with FaultServer() as elsewhere:
        system.behaves(faults.redirect(elsewhere.base_url))
        agency.clock.pass_(minutes=2)
        agency.work()
        assert elsewhere.seen == []
    assert listed(agency)["telling"]["told"] == 0
    agency.clock.pass_(minutes=2)
    agency.work()
    assert listed(agency)["telling"]["told"] == 1


def test_a_trial_is_signed_and_counts_for_nothing(agency: Agency, system: CaseSystem) -> None:
    assert tell.trial(agency.desk) is True
    [seen] = system.server.seen
    assert verified(seen, NEW)
    assert system.told[0]["type"] == "trial"
    assert listed(agency)["notices"] == []
    system.behaves(faults.Answer(401))
    assert tell.trial(agency.desk) is False
