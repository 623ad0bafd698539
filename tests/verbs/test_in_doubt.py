"""What was sent and whose end is not known is looked up before anything else is sent, whatever became of consent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapter import steer
from adapter.desk import Desk
from adapter.outward.answer import Answer
from adapter.outward.server import Server
from adapter.reconcile import reconcile_next
from adapter.store import disclosures
from tests.outward import fault_server as faults
from tests.verbs.agency import Agency, case_of, kinds, record, revoked
from tests.verbs.conftest import Open


class Killed(BaseException):
    """The process ends here: nothing catches it."""


class Dying:
    """A way to a partner on which the process is killed, before or after the request has been done there."""

    def __init__(self, server: Server, after: bool) -> None:
        self.server, self.after = server, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self.server, name)

    def transact(self, body: bytes, **options: Any) -> Answer:
        if self.after:
            self.server.transact(body, **options)
        raise Killed


def kill_once(agency: Agency, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> None:
    """One worker is killed while it sends to the school; its lease runs out."""
    ways = agency.desk.server
    dying = Dying(ways("lakeside"), after)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Desk, "server", property(lambda _: lambda p: dying if p == "lakeside" else ways(p)))
        agency.work()
    agency.clock.pass_(seconds=120)


CHANGES: dict[str, Callable[[Any], Any]] = {
    "and nothing changes": lambda case: case,
    "and permission is revoked": revoked,
    "and the goal is deleted": lambda case: {**case, "goals": case["goals"][1:]},
    "and the goal has another title": lambda case: record(case, "goals/g1").update(title="Tie both shoes") or case,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("after", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("how", ["cut", "killed"])
def test_a_creation_whose_end_is_not_known(
    agency: Agency, monkeypatch: pytest.MonkeyPatch, how: str, after: bool, change: str
) -> None:
    """Whatever was created is found by its identifier: kept and updated if it may stay, else taken back."""
    case = case_of()
    agency.put(case)
    if how == "cut":
        agency.servers["lakeside"].plan(faults.CutAfter(applied=after))
        agency.work()
    else:
        kill_once(agency, monkeypatch, after=after)
    changed = CHANGES[change](case_of())
    changed["consents"][0]["provisions"] = changed["consents"][0]["provisions"][: 1 if "deleted" in change else 2]
    agency.put(changed)
    agency.work_on()
    agency.assert_equal()
    assert agency.share(case["case"])["state"] == "idle"
    if "revoked" in change:
        assert set(agency.fhir().counted()) <= {"Consent", "Task"}
    asked = agency.asked()
    agency.put({**changed, "people": [{**changed["people"][0], "relationship": "father"}]})
    agency.work_on()
    assert agency.asked() == asked


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("after", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("how", ["cut", "killed"])
def test_an_update_whose_end_is_not_known(
    agency: Agency, monkeypatch: pytest.MonkeyPatch, how: str, after: bool, change: str
) -> None:
    """The version there is read first: our own update, done but not heard of, is no conflict with a person there."""
    case = case_of()
    agency.put(case)
    agency.work()
    record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
    agency.put(case)
    if how == "cut":
        agency.servers["lakeside"].plan(faults.CutAfter(applied=after))
        agency.work()
    else:
        kill_once(agency, monkeypatch, after=after)
    changed = CHANGES[change](case)
    changed["consents"][0]["provisions"] = changed["consents"][0]["provisions"][: 1 if "deleted" in change else 2]
    agency.put(changed)
    agency.work_on()
    agency.assert_equal()
    assert agency.share(case["case"])["state"] == "idle"


@pytest.mark.parametrize("given_again", [False, True])
@pytest.mark.parametrize("after", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("how", ["cut", "killed"])
def test_a_withdrawal_whose_end_is_not_known(
    agency: Agency, monkeypatch: pytest.MonkeyPatch, how: str, after: bool, given_again: bool
) -> None:
    case = case_of()
    agency.put(case)
    agency.work()
    agency.put(revoked(case_of()))
    if how == "cut":
        agency.servers["lakeside"].plan(faults.CutAfter(applied=after))
        agency.work()
    else:
        kill_once(agency, monkeypatch, after=after)
    if given_again:
        agency.put(case)
    agency.work_on()
    agency.assert_equal()
    assert (agency.fhir().of_type("Goal") != []) is given_again
    assert agency.share(case["case"])["state"] == "idle"


@pytest.mark.parametrize(
    "faults_of_looking",
    [
        [faults.Answer(503)],
        [faults.Answer(429, {"Retry-After": "60"})],
        [faults.CutBefore(), faults.CutAfter()],
        [faults.page(200)],
        [faults.Answer(200, faults.JSON, b'{"resourceType":"Patient","id":"other"}')],
        [faults.Truncated()],
    ],
    ids=["503", "429", "cut", "page", "foreign", "truncated"],
)
@pytest.mark.parametrize("first", ["create", "update", "withdraw"])
def test_while_looking_fails_nothing_is_sent(agency: Agency, first: str, faults_of_looking: list[Any]) -> None:
    """Nothing is sent in the dark, and once the fault is over all is as it should be, without a person."""
    case = case_of()
    if first != "create":
        agency.put(case)
        agency.work()
    agency.put(
        {
            "create": lambda: case,
            "update": lambda: CHANGES["and the goal has another title"](case),
            "withdraw": lambda: revoked(case),
        }[first]()
    )
    server = agency.servers["lakeside"]
    server.plan(faults.CutAfter(), *faults_of_looking)
    agency.work()
    before = len(agency.seen())
    for _ in faults_of_looking:
        agency.clock.now = max(agency.clock.now, _due(agency))
        agency.work()
    assert [s.method for s in agency.seen()[before:] if s.method != "GET"] == []
    agency.work_on()
    agency.assert_equal()
    assert agency.share(case["case"])["state"] == "idle"


def _due(agency: Agency) -> datetime:
    due = agency.share("C-0001")["due"]
    assert due is not None
    return datetime.fromisoformat(due)


def test_what_was_delivered_without_our_knowing_is_accounted_for(agency: Agency) -> None:
    """The account says that the school got the goal, though it was only found there when it had to be taken back."""
    case = case_of()
    agency.put(case)
    agency.servers["lakeside"].plan(faults.CutAfter())
    agency.work()
    assert kinds(agency.account(case["case"])) == {"attempted": 3, "failed": 3}
    agency.put(revoked(case))
    agency.work_on()
    of_goal = [(line.kind, line.outcome) for line in agency.account(case["case"]) if line.about == "goals/g1"]
    assert of_goal == [
        ("attempted", ""),
        ("failed", "unknown"),
        ("delivered", "existing"),
        ("attempted", ""),
        ("withdrawn", "delivered"),
    ]


def test_a_worker_that_was_asleep_changes_nothing_that_another_has_settled(agency: Agency) -> None:
    """Its answer comes after its lease; meanwhile another found what it made, and took it back."""
    case = case_of()
    agency.put(case)
    asleep, awake = threading.Event(), threading.Event()

    ways = agency.desk.server

    class Sleeping:
        def __getattr__(self, name: str) -> Any:
            return getattr(ways("lakeside"), name)

        def transact(self, body: bytes, **options: Any) -> Answer:
            answer = ways("lakeside").transact(body, **options)
            asleep.set()
            assert awake.wait(60)
            return answer

    def slow_way(partner: str) -> Any:
        return Sleeping() if partner == "lakeside" else ways(partner)

    slow = replace(agency.desk, server=slow_way)

    def run() -> None:
        while reconcile_next(slow, "slow"):
            pass

    worker = threading.Thread(target=run)
    worker.start()
    assert asleep.wait(60)
    agency.clock.now += timedelta(minutes=5)
    agency.put(revoked(case_of()))
    agency.work_on()
    assert agency.fhir().of_type("Goal") == []
    awake.set()
    worker.join(60)
    agency.work_on()
    agency.assert_equal()
    assert agency.fhir().of_type("Goal") == []
    assert agency.share(case["case"])["state"] == "idle"


def test_a_partner_that_is_asked_seldom_is_asked_each_question_once(open_agency: Open) -> None:
    """One request a second: what has been looked up stays so until the next may leave, else nothing is ever sent."""
    agency = open_agency(each={"paused": True}, lakeside={"paused": False, "rate": 60.0})
    agency.put(case_of())
    agency.work_on(hours=1)
    case = case_of()
    record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
    case["child"]["name"]["given"] = ["Théodore"]
    agency.servers["lakeside"].plan(faults.CutAfter())
    agency.put(case)
    before = len(agency.seen())
    agency.work_on(hours=1)
    assert agency.share("C-0001")["state"] == "idle"
    agency.assert_equal()
    looks = [seen.path for seen in agency.seen()[before:] if seen.method == "GET"]
    assert len(looks) == len(set(looks)) > 1


def test_an_attempt_that_is_open_has_its_second_line_also_after_all_has_been_doubted(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked for from where on what it is about is kept as it is: that must not be written anew meanwhile."""
    agency.put(case_of())
    kill_once(agency, monkeypatch, after=False)
    while steer.resync_next(agency.desk, "lakeside") is not None:
        agency.clock.pass_(minutes=1)
    agency.work_on()
    lines = agency.account("C-0001", "lakeside")
    firsts = [line.urn for line in lines if line.kind == "attempted"]
    assert sorted(firsts) == sorted(line.urn for line in lines if line.kind != "attempted")
    agency.assert_equal()


def test_who_looks_opens_no_line_of_the_account_but_those_of_what_is_open(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = case_of()
    agency.put(case)
    agency.work()
    agency.clock.pass_(hours=1)
    record(case, "goals/g1")["title"] = "Tie both shoes"
    agency.put(case)
    kill_once(agency, monkeypatch, after=True)
    opened: list[int] = []
    read = disclosures._content
    with monkeypatch.context() as patch:
        patch.setattr(disclosures, "_content", lambda tx, row: opened.append(row.seq) or read(tx, row))
        agency.work_on()
    assert len(opened) == 1
    lines = agency.account("C-0001", "lakeside")
    assert len([x for x in lines if x.kind == "attempted"]) * 2 == len(lines)
