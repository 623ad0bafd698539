"""Whatever a partner's server can and cannot: once all is over it holds what it should, once, and no more is sent."""

from __future__ import annotations

import json
import os
import random
from dataclasses import replace
from typing import Any

import pytest

from adapter import show, steer
from adapter.core.consent import last_look
from adapter.store import abilities
from tests.outward import fault_server as faults
from tests.outward.fault_server import JSON
from tests.outward.memory_fhir import Can
from tests.verbs.agency import Agency, case_of, kinds, record, revoked
from tests.verbs.conftest import Open
from tests.verbs.schedules import HOSTILE, OUTCOME, PASSING, without_goals
from tests.verbs.test_stops import narrow, wide

pytestmark = pytest.mark.parametrize("place", ["sqlite"], indirect=True)
"""How things are sent does not depend on the database."""

SERVERS = {
    "transactions with conditions": (Can(), {}, "transaction"),
    "transactions, no conditions": (Can(conditions=False), {}, "transaction"),
    "transactions, conditions never": (Can(), {"conditional": "never"}, "transaction"),
    "batches": (Can(transaction=False), {}, "batch"),
    "batches, no conditions": (Can(transaction=False, conditions=False), {}, "batch"),
    "single calls": (Can(transaction=False, batch=False), {}, "single"),
    "single calls, no conditions": (Can(transaction=False, batch=False, conditions=False), {}, "single"),
    "no If-Match": (Can(transaction=False, batch=False, if_match=False), {}, "single"),
    "forced to single calls": (Can(), {"mode": "single"}, "single"),
    "forced to batches": (Can(), {"mode": "batch", "chunk": 5}, "batch"),
    "mute, transactions": (Can(mute=True), {}, "transaction"),
    "mute, batches": (Can(mute=True, transaction=False), {}, "batch"),
    "mute, single calls": (Can(mute=True, transaction=False, batch=False), {}, "single"),
    "mute, and 404 for what it has not": (Can(mute=True, transaction=False, batch=False, no=404), {}, "single"),
    "boasts": (Can(transaction=False, batch=False, boasts=True), {}, "single"),
    "calls a batch a transaction": (Can(transaction=False, boasts=True, pretends="verbatim"), {}, "batch"),
    "does a transaction like a batch": (Can(transaction=False, boasts=True, pretends="rewriting"), {}, "batch"),
}


def opened(open_agency: Open, server: str, **more: Any) -> Agency:
    can, file, _ = SERVERS[server]
    agency = open_agency(each={"paused": True}, lakeside={"paused": False, **file, **more})
    agency.fhir().can = can
    return agency


def sent_as(agency: Agency, before: int) -> set[str]:
    """How changes have travelled since."""
    posted = [s for s in agency.seen()[before:] if s.method in ("POST", "PUT", "DELETE")]
    return {json.loads(s.body)["type"] if s.path == "/fhir" else "single" for s in posted}


@pytest.mark.parametrize(
    ("name", "server"),
    [*(("minimal", server) for server in SERVERS), ("ontario-csp", "batches")],
)
def test_a_case_comes_changes_and_goes(open_agency: Open, name: str, server: str) -> None:
    """What is there equals what is desired; nothing twice; nothing where nothing has changed; and all is taken back."""
    agency = opened(open_agency, server)
    case = case_of(name)
    number = case["case"]
    agency.put(case)
    agency.work_on()
    agency.assert_equal()
    assert agency.share(number)["state"] == "idle"
    first = {place: r["identifier"] for place, r in agency.fhir().resources.items() if "identifier" in r}
    before = len(agency.seen())
    case["goals"][0]["title"] = "Another title for the first of all goals"
    agency.put(case)
    agency.work_on()
    agency.assert_equal()
    assert sent_as(agency, before) == {SERVERS[server][2]}
    assert first.items() <= {p: r.get("identifier") for p, r in agency.fhir().resources.items()}.items()
    asked = agency.asked()
    agency.work_on()
    assert agency.asked() == asked
    agency.put(revoked(case))
    agency.work_on()
    agency.assert_equal()
    assert agency.share(number)["state"] == "idle"
    assert agency.fhir().of_type("Goal") == []
    assert kinds(agency.account(number))["attempted"] >= 2 * len(first)
    agency.assert_nothing_withheld(name, "lakeside")


@pytest.mark.parametrize("server", [s for s in SERVERS if "no conditions" in s or "never" in s])
def test_what_is_there_already_is_found_and_not_made_again(open_agency: Open, server: str) -> None:
    """After a backup was restored, the holdings of a partner are those of yesterday: it is looked at first."""
    agency = opened(open_agency, server)
    agency.put(case_of())
    agency.work_on()
    there = set(agency.fhir().resources)
    with agency.desk.store.writing() as tx:
        tx.connection.exec_driver_sql("DELETE FROM holdings")
    case = case_of()
    record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
    agency.put(case)
    agency.work_on()
    agency.assert_equal()
    assert set(agency.fhir().resources) == there


@pytest.mark.parametrize("server", ["batches", "single calls", "single calls, no conditions"])
def test_one_that_is_refused_holds_up_only_what_refers_to_it(open_agency: Open, server: str) -> None:
    """The others are there, a withdrawal happens; the share stops for a person, and goes on from there."""
    agency = opened(open_agency, server)
    agency.put(wide())
    agency.work_on()
    case = narrow()
    case["goals"].append({"id": "g4", "title": "Something quite new", "set_by": "child", "status": "active"})
    case["goals"].append({"id": "g5", "title": "Sing in the choir", "set_by": "child", "status": "active"})
    case["consents"][0]["provisions"][1]["records"] = ["goals/g4", "goals/g5"]
    agency.fhir().refuses = "Something quite new"
    agency.put(case)
    agency.work_on()
    share = agency.share("C-0001")
    assert (share["state"], share["outcome"]) == ("stopped", "rejected")
    assert [r["description"]["text"] for r in agency.fhir().of_type("Goal")] == ["Sing in the choir"]
    asked = agency.asked()
    agency.work_on()
    assert agency.asked() == asked
    agency.fhir().refuses = ""
    steer.retry(agency.desk, "C-0001", "lakeside")
    agency.work_on()
    agency.assert_equal()
    assert agency.share("C-0001")["state"] == "idle"


@pytest.mark.parametrize("server", ["transactions, no conditions", "batches", "single calls, no conditions"])
@pytest.mark.parametrize("kind", ["500 though it was done", "truncated", "409"])
def test_a_lost_answer_repeats_no_creation(open_agency: Open, server: str, kind: str) -> None:
    """At whatever request it strikes: the next thing that is done is a look."""
    agency = opened(open_agency, server, timeout=0.5)
    for place in range(1, 6, 2):
        agency.servers["lakeside"].plan(*[None] * place, PASSING[kind])
        agency.put({**case_of(), "case": f"C-{place}"})
        agency.work_on()
        agency.assert_equal()


@pytest.mark.parametrize("schedule", range(90 if os.environ.get("CSP_PROOFS") else 6))
def test_after_any_schedule_of_faults_any_server_holds_what_it_should(open_agency: Open, schedule: int) -> None:
    """Nothing lost, nothing doubled, nothing withheld ever sent, whatever way it is sent."""
    dice = random.Random(20261127 + schedule)  # noqa: S311  a schedule is no secret
    server = dice.choice(list(SERVERS))
    agency = opened(open_agency, server, timeout=0.15, chunk=dice.choice([1, 3, 200]))
    for _ in range(3):
        agency.servers["lakeside"].plan(*dice.choices([*HOSTILE, None, None, None], k=dice.randint(0, 6)))
        agency.put(dice.choice([case_of, lambda: revoked(case_of()), lambda: without_goals(case_of())])())
        for _ in range(dice.randint(0, 3)):
            agency.work()
            agency.clock.pass_(minutes=dice.randint(0, 20))
    agency.servers["lakeside"].forget()
    agency.put(dice.choice([case_of, lambda: revoked(case_of())])())
    agency.work_on()
    for _ in range(3):
        if agency.share("C-0001")["state"] == "stopped":
            steer.retry(agency.desk, "C-0001", "lakeside")
            agency.work_on()
    assert agency.share("C-0001")["state"] == "idle"
    agency.assert_equal()
    agency.assert_nothing_withheld("minimal", "lakeside")


def test_a_server_is_asked_once_a_day_and_only_where_something_is_to_be_sent(open_agency: Open) -> None:
    agency = opened(open_agency, "single calls")
    server, case = agency.servers["lakeside"], case_of()
    agency.put(case)
    agency.work()
    assert len(server.asked) == 1
    for hours, expected in ((12, 1), (24, 2)):
        agency.clock.pass_(hours=hours)
        agency.work()
        record(case, "goals/g1")["title"] = f"Tie my own shoes within {hours} hours"
        agency.put(case)
        agency.work()
        assert len(server.asked) == expected
    agency.assert_equal()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.Answer(500, JSON, b"{}"), id="an error"),
        pytest.param(faults.page(), id="a page"),
        pytest.param(faults.nested(100_000), id="nested"),
        pytest.param(faults.Answer(200, JSON, OUTCOME), id="an OperationOutcome"),
        pytest.param(faults.CutBefore(), id="cut"),
        pytest.param(faults.redirect("http://169.254.169.254/"), id="a redirect"),
    ],
)
def test_a_statement_that_cannot_be_read_holds_up_nothing(open_agency: Open, fault: faults.Fault) -> None:
    """What was known before goes on to count; where nothing was, a transaction is tried."""
    agency = opened(open_agency, "single calls")
    server = agency.servers["lakeside"]
    server.statement_fault = fault
    agency.put(case_of())
    agency.work()
    agency.assert_equal()
    assert sent_as(agency, 0) == {"transaction", "batch", "single"}
    server.statement_fault = None
    agency.clock.pass_(hours=25)
    server.statement_fault, before = fault, len(agency.seen())
    case = case_of()
    record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
    agency.put(case)
    agency.work()
    agency.assert_equal()
    assert sent_as(agency, before) == {"single"}


def test_what_is_known_is_of_one_address(open_agency: Open) -> None:
    """A partner that has moved is asked anew."""
    agency = opened(open_agency, "single calls")
    agency.put(case_of())
    agency.work()
    partner = agency.desk.catalogue.partners["lakeside"]
    with agency.desk.store.reading() as tx:
        assert abilities.known(tx, partner) is not None
        assert abilities.known(tx, replace(partner, base_url="https://elsewhere.example.ca/fhir")) is None


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param({"CarePlan", "Goal", "CareTeam"}, id="no plans, as most hospital systems"),
        pytest.param({"Organization", "Practitioner", "PractitionerRole", "EpisodeOfCare"}, id="no directory"),
    ],
)
def test_types_that_a_server_does_not_take_are_not_sent(open_agency: Open, missing: set[str]) -> None:
    """As its statement says; what it takes arrives whole, and nothing is refused."""
    agency = open_agency(each={"paused": True}, lakeside={"paused": False})
    agency.fhir().can = Can(types=Can().types - missing)
    case = case_of("ontario-csp")
    agency.put(case)
    agency.work_on()
    assert agency.share(case["case"])["outcome"] in ("delivered", "unchanged")
    assert agency.fhir().counted()["Patient"] == 1
    assert not agency.fhir().counted().keys() & missing
    assert agency.fhir().counted()["DocumentReference"] == (2 if "CarePlan" in missing else 1)
    agency.assert_nothing_withheld("ontario-csp", "lakeside")
    agency.assert_equal()
    explained = show.view_of(agency.desk, case["case"], "lakeside", form="explain", at=None)
    said = " ".join(each["detail"] for each in explained["warnings"])
    assert ("Organization is not sent" in said) is ("Organization" in missing)


def test_a_type_that_is_taken_no_more_is_taken_back(open_agency: Open) -> None:
    """What cannot be kept up to date must not stay; it comes again when it is taken again."""
    agency = opened(open_agency, "single calls")
    agency.put(case_of())
    agency.work()
    assert len(agency.fhir().of_type("Goal")) == 1
    can, case = agency.fhir().can, case_of()
    agency.fhir().statement_lacks = "Goal"
    agency.clock.pass_(hours=25)
    case["child"]["birth_date"] = "2017-02-03"
    agency.put(case)
    agency.work_on()
    assert agency.fhir().of_type("Goal") == []
    agency.fhir().can, agency.fhir().statement_lacks = can, ""
    agency.clock.pass_(hours=25)
    case["child"]["birth_date"] = "2017-02-04"
    agency.put(case)
    agency.work_on()
    agency.assert_equal()
    assert len(agency.fhir().of_type("Goal")) == 1


def test_the_last_look_reads_a_case_once_for_all_that_leaves_singly(
    open_agency: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan of some hundred resources, each looked at with all of the case, took longer by the square."""
    agency = open_agency(each={"paused": True}, lakeside={"paused": False, "mode": "single"})
    right, read = last_look.lay_out, []

    def counting(case: Any, *options: Any) -> Any:
        read.append(case["case"])
        return right(case, *options)

    monkeypatch.setattr(last_look, "lay_out", counting)
    agency.put(case_of())
    agency.work()
    assert len([seen for seen in agency.seen() if seen.method == "POST"]) == 3
    assert read == ["C-0001"]
