"""A partner answers our request to purge: by its Task, in a Task of its own, or by telephone; it comes home once."""

from __future__ import annotations

import copy
import json
import threading
from datetime import timedelta
from typing import Any

import pytest

from adapter import answers, purging, receive, show, steer, tell
from adapter.core.account.chain import Line
from adapter.core.fhir.transaction import ALONE, Step
from adapter.core.partner import Referrals
from adapter.errors import Conflict, NotFound, Refused
from adapter.receive.world import World
from adapter.store import polls, purges
from tests.outward.fault_server import Answer
from tests.verbs.agency import Agency, case_of, revoked
from tests.verbs.conftest import Open
from tests.verbs.test_ends import asked_to_purge, purge

NUMBER = "C-0001"
POLLED = {"referrals": Referrals("generic", "poll", 60.0)}


@pytest.fixture
def agency(open_agency: Open) -> Agency:
    """Its minimal case was shared with the school, and has been taken back."""
    agency = open_agency(lakeside=POLLED)
    agency.put(case_of())
    agency.work()
    agency.put(revoked(case_of()))
    agency.work()
    return agency


def say(agency: Agency, status: str, **more: Any) -> None:
    """The partner moves the Task on its own server."""
    there = purge(agency)
    agency.fhir()._keep(f"Task/{there['id']}", {**copy.deepcopy(there), "status": status, **more})


def state(agency: Agency) -> Any:
    found = agency.share(NUMBER)["purge"]
    return found and found["state"]


def lines(agency: Agency) -> list[Line]:
    return [line for line in agency.account(NUMBER) if line.kind == "purge"]


def alarms(agency: Agency, number: str | None = None) -> list[str]:
    return [row["alarm"] for row in show.alarms(agency.desk, number)["alarms"] if row["alarm"].startswith("purge")]


def after(agency: Agency, **time_: float) -> None:
    agency.clock.pass_(**time_)
    agency.work()


def statement(agency: Agency) -> str:
    return show.statement_of(agency.desk, NUMBER, form="csv", language="en").decode()


def write(agency: Agency, status: str, identifier: Any, id_: str = "a", partner: str = "lakeside", **more: Any) -> None:
    """The partner puts a Task to our /fhir."""
    task = {"resourceType": "Task", "id": id_, "status": status, "intent": "order", **more}
    if identifier is not None:
        task["identifier"] = [identifier]
    hears = answers.hearing(agency.desk.catalogue, partner)
    world = World(partner, "https://adapter.example.ca/fhir", agency.clock(), hears=hears)
    step = Step(ALONE, "PUT", "Task", id_)
    receive.interact(agency.desk.store, world, step, json.dumps(task).encode())


def test_an_answer_that_is_asked_for_is_in_the_account_and_in_the_statement(agency: Agency) -> None:
    assert state(agency) == "asked"
    assert "It has not answered so far." in statement(agency)
    say(agency, "completed")
    after(agency, minutes=61)
    assert state(agency) == "done"
    [line] = lines(agency)
    assert (line.operation, line.outcome, line.partner, line.parts) == ("answered", "done", "lakeside", ())
    assert [x["outcome"] for x in show.disclosures_of(agency.desk, NUMBER) if x["kind"] == "purge"] == ["done"]
    told = statement(agency)
    assert "It answered that it has removed its copies" in told
    assert "not answered" not in told
    assert "erased" not in told
    [notice] = tell.listed(agency.desk, after=0, limit=9)["notices"]
    assert (notice["type"], notice["case"], notice["partner"]) == ("purge.answered", NUMBER, "lakeside")
    asked = agency.asked()
    after(agency, hours=48)
    assert agency.asked() == asked, "who has answered is asked no more"


def test_each_answer_is_one_line_however_often_it_is_asked_for(agency: Agency) -> None:
    for status in ("received", "in-progress", "rejected"):
        say(agency, status, statusReason={"text": "We keep charts for ten years"})
        for _ in range(3):
            after(agency, hours=2)
    assert [line.outcome for line in lines(agency)] == ["taken-up", "refused"]
    assert alarms(agency) == alarms(agency, NUMBER) == ["purge-refused"]
    assert "We keep charts" not in json.dumps(show.disclosures_of(agency.desk, NUMBER))
    assert "We keep charts" not in json.dumps(show.shares_of(agency.desk, NUMBER))
    [told] = [s["purge"] for s in show.shares_of(agency.desk, NUMBER, words=True) if s["partner"] == "lakeside"]
    assert told["reason"] == "We keep charts for ten years"
    assert "Please ask us about it." in statement(agency)


def test_silence_is_an_alarm_after_thirty_days_and_asking_ends_after_ninety(agency: Agency) -> None:
    after(agency, days=29)
    assert alarms(agency) == []
    after(agency, days=1)
    assert alarms(agency) == ["purge-unanswered"]
    after(agency, days=61)
    asked = agency.asked()
    after(agency, days=5)
    assert agency.asked() == asked
    write(agency, "completed", purge(agency)["identifier"][0])
    assert (state(agency), alarms(agency)) == ("done", [])


def test_the_answer_comes_home_also_of_a_deleted_case(open_agency: Open) -> None:
    agency = open_agency(lakeside=POLLED)
    agency.put(case_of())
    agency.work()
    agency.delete(NUMBER)
    agency.work()
    assert state(agency) == "asked"
    say(agency, "failed")
    after(agency, minutes=61)
    assert state(agency) == "failed"
    assert alarms(agency) == ["purge-refused"], "also on the list of all cases"
    assert "It answered that it could not remove its copies" in statement(agency)
    say(agency, "completed")
    after(agency, minutes=61)
    assert (state(agency), alarms(agency)) == ("done", [])


@pytest.mark.parametrize("about", ["identifier", "basedOn", "focus"])
def test_a_task_that_a_partner_writes_to_us_is_an_answer(open_agency: Open, about: str) -> None:
    agency = open_agency(each={"referrals": Referrals("generic", "push", 60.0)})
    agency.put(case_of())
    agency.work()
    agency.put(revoked(case_of()))
    agency.work()
    own = purge(agency)["identifier"][0]
    named = {"identifier": {"identifier": own}, "basedOn": [{"identifier": own}], "focus": {"identifier": own}}[about]
    more = {} if about == "identifier" else {about: named}
    for status in ("received", "completed", "completed"):
        write(agency, status, own if about == "identifier" else None, **more)
    assert [line.outcome for line in lines(agency)] == ["taken-up", "done"]
    asked = agency.asked()
    after(agency, days=2)
    assert agency.asked() == asked, "who writes to us is not asked"


def test_nobody_else_and_nothing_else_answers(agency: Agency) -> None:
    own = purge(agency)["identifier"][0]
    write(agency, "completed", own, partner="riverside")
    write(agency, "completed", {"system": own["system"], "value": own["value"] + "0"})
    write(agency, "completed", {"value": own["value"]})
    assert (state(agency), lines(agency)) == ("asked", [])
    there = purge(agency)
    other = {**copy.deepcopy(there), "id": "77", "status": "completed"}
    agency.fhir()._keep("Task/77", other)
    after(agency, minutes=61)
    assert state(agency) == "asked", "of two that say they are ours the one that we know by its id counts"
    del agency.fhir().resources["Task/77"]
    say(agency, "completed")
    after(agency, hours=3)
    assert state(agency) == "done"


def test_more_that_is_taken_back_is_another_request(open_agency: Open) -> None:
    """Read before it is written: what was answered by then has come home, and is no answer to the longer list."""
    agency = open_agency(lakeside=POLLED)
    agency.put(case_of())
    agency.work()
    case = case_of()
    case["consents"][0]["provisions"] = case["consents"][0]["provisions"][:1]
    agency.put(case)
    agency.work()
    before = asked_to_purge(agency)
    say(agency, "completed", note=[{"text": "Done by M. Chen"}])
    agency.put(revoked(case))
    agency.work()
    assert before < asked_to_purge(agency)
    assert purge(agency)["status"] == "requested"
    assert purge(agency)["note"] == [{"text": "Done by M. Chen"}]
    assert agency.share(NUMBER)["alarms"] == []
    assert [line.outcome for line in lines(agency)] == ["done"]
    assert state(agency) == "asked"
    assert statement(agency).count("It has not answered so far.") == 1
    say(agency, "completed")
    after(agency, minutes=61)
    assert [line.outcome for line in lines(agency)] == ["done", "done"]


def test_a_partner_that_takes_few_requests_gets_the_longer_list_all_the_same(open_agency: Open) -> None:
    """What was read before it is written goes with what is written: else both would wait for each other for ever."""
    agency = open_agency(each={"paused": True}, lakeside={**POLLED, "paused": False, "rate": 6.0})
    agency.put(case_of())
    agency.work_on(hours=1)
    case = case_of()
    case["consents"][0]["provisions"] = case["consents"][0]["provisions"][:1]
    agency.put(case)
    agency.work_on(hours=1)
    before = asked_to_purge(agency)
    agency.put(revoked(case))
    agency.work_on(hours=1)
    assert before < asked_to_purge(agency)


def test_an_answer_that_comes_while_the_list_grows_is_not_lost(open_agency: Open) -> None:
    """Between our reading and our writing: refused by its version, read again, and written once more."""
    agency = open_agency(lakeside=POLLED)
    agency.put(case_of())
    agency.work()
    case = case_of()
    case["consents"][0]["provisions"] = case["consents"][0]["provisions"][:1]
    agency.put(case)
    agency.work()
    moved = []

    def watch(method: str, path: str, body: bytes) -> None:
        if method == "POST" and not moved:
            moved.append(True)
            say(agency, "rejected", statusReason={"text": "Not ours to remove"})

    agency.fhir().watch = watch
    agency.put(revoked(case))
    agency.work_on(hours=1)
    assert moved
    assert [line.outcome for line in lines(agency)] == ["refused"]
    assert (purge(agency)["status"], state(agency)) == ("requested", "asked")
    assert agency.share(NUMBER)["state"] == "idle"


def test_what_is_answered_stays_when_all_that_is_held_is_looked_at_again(agency: Agency) -> None:
    say(agency, "completed")
    after(agency, minutes=61)
    steer.resync_next(agency.desk, "lakeside", anew=True)
    agency.work_on(hours=1)
    assert purge(agency)["status"] == "completed"
    assert (state(agency), len(lines(agency))) == ("done", 1)


def test_what_is_given_again_is_called_off(agency: Agency) -> None:
    agency.put(case_of())
    agency.work()
    assert purge(agency)["status"] == "cancelled"
    assert state(agency) == "called-off"
    assert [line.outcome for line in lines(agency)] == ["called-off"]
    told = statement(agency)
    assert "we no longer ask it to remove its copies" in told
    assert "not answered" not in told
    say(agency, "completed")
    after(agency, days=40)
    assert (state(agency), alarms(agency)) == ("called-off", [])
    with pytest.raises(Conflict):
        enter(agency, {"answer": "done"})


def enter(agency: Agency, said: Any, number: str = NUMBER, partner: str = "lakeside") -> Any:
    return steer.purged(agency.desk, number, partner, json.dumps(said).encode(), role="privacy", label="D. Roy")


def test_a_person_enters_what_was_said_by_telephone(agency: Agency) -> None:
    say(agency, "rejected")
    after(agency, minutes=61)
    enter(agency, {"answer": "kept"})
    assert (state(agency), alarms(agency)) == ("kept", [])
    assert "It keeps its copies" in statement(agency)
    after(agency, hours=3)
    assert state(agency) == "kept"
    assert [(x.operation, x.outcome, x.role, x.label) for x in lines(agency)] == [
        ("answered", "refused", "", ""), ("entered", "kept", "privacy", "D. Roy"),
    ]  # fmt: skip
    for wrong in ({}, {"answer": "erased"}, {"answer": "done", "more": 1}, {"answer": ["done"]}):
        with pytest.raises(Refused):
            enter(agency, wrong)
    for number, partner in ((NUMBER, "riverside"), ("C-9", "lakeside"), (NUMBER, "nobody")):
        with pytest.raises(NotFound):
            enter(agency, {"answer": "done"}, number, partner)


def test_a_save_that_the_partner_may_not_see_changes_nothing_of_when_it_is_asked(agency: Agency) -> None:
    """Also while asking fails, and waits the longer each time."""

    def due() -> Any:
        with agency.desk.store.reading() as tx:
            return [(p.partner, p.due) for p in polls.listed(tx)]

    for _ in range(2):
        agency.servers["lakeside"].plan(Answer(500))
        after(agency, hours=5)
    waits, asked = due(), agency.asked()
    assert waits[0][1] > agency.clock.now + timedelta(hours=1)
    hidden = revoked(case_of())
    hidden["goals"][0]["title"] = "Words that nobody may see any more"
    agency.put(hidden)
    agency.work()
    assert (due(), agency.asked()) == (waits, asked)


def test_what_is_kept_of_it_is_sealed(agency: Agency) -> None:
    with agency.desk.store.reading() as tx:
        [row] = tx.connection.execute(purges.ROWS).all()
        assert b"asked" not in row.sealed
        assert row.value == purge(agency)["identifier"][0]["value"]


def test_of_two_that_bring_the_same_answer_home_at_once_one_enters_it(agency: Agency) -> None:
    say(agency, "completed")
    there = purge(agency)
    hears = answers.hearing(agency.desk.catalogue, "lakeside")
    with agency.desk.store.reading() as tx:
        [share] = [row.share_id for row in tx.connection.execute(purges.ROWS)]
    ready, news = threading.Barrier(4), list[bool]()

    def take() -> None:
        ready.wait(60)
        with agency.desk.store.writing() as tx:
            news.append(purging.take(tx, share, there, hears, source="there", now=agency.clock.now))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(news) == [False, False, False, True]
    assert [line.outcome for line in lines(agency)] == ["done"]
