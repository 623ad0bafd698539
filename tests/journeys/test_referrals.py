"""Two adapters run every path of every dialect, with faults in between: both agree, each transition exactly once.

One sends; the other is the receiver's own server, whose people move the Tasks in its own database. Answers are asked
for there, or written to the first one's /fhir. The requests go over real sockets, through servers that fail.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import requests
from flask import Flask

from adapter import receive, show
from adapter.core.fhir.search import query
from adapter.core.fhir.transaction import ALONE, Step
from adapter.core.partner import Referrals
from adapter.receive.world import World
from adapter.store import tokens
from adapter.web.app import create_app
from tests.core.referral.test_table import DIALECTS, WHO
from tests.journeys.referral_paths import planned, walk, ways
from tests.outward.fault_server import CutBefore, Fault, FaultServer
from tests.verbs.agency import Agency
from tests.verbs.conftest import *  # noqa: F403  the agency and its partners' servers
from tests.verbs.conftest import Open
from tests.verbs.test_answers import NUMBER, agency_of, case
from tests.web.conftest import Opened, Web, desk, keys, opened, upgraded  # noqa: F401

PASSED_ON = ("content-type", "accept", "prefer", "if-none-exist", "if-match")


class Door:
    """The /fhir of an adapter, as what stands behind a server that fails."""

    def __init__(self, app: Flask, token: str) -> None:
        self.app, self.token = app, token

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Any:
        sent = {name: value for name, value in headers.items() if name.lower() in PASSED_ON}
        answer = self.app.test_client().open(
            f"/fhir/{path}" if path else "/fhir",
            method=method, data=body or None, headers={**sent, "Authorization": f"Bearer {self.token}"}, buffered=True,
        )  # fmt: skip
        told = {
            n: v for n, v in answer.headers.items() if n.lower() in ("content-type", "etag", "last-modified", "date")
        }
        return answer.status_code, told, answer.data


class OtherAdapter(Door):
    """The receiver's server: another adapter."""

    def __init__(self, web: Web) -> None:
        super().__init__(web.app, web.tokens["riverside"])
        self.web = web

    def world(self) -> World:
        now = self.web.app.extensions["adapter"].clock()
        return World("riverside", "http://localhost/fhir", now, "R4")

    def tasks(self) -> dict[str, dict[str, Any]]:
        asked = query("Task", (("_count", "200"),), base="")
        kept = receive.search(self.web.store, self.world(), "Task", asked).found
        return {k.body["identifier"][0]["value"]: {**k.body, "id": k.id} for k in kept if "focus" in k.body}

    def move(self, task: dict[str, Any], status: str) -> dict[str, Any]:
        moved = {**copy.deepcopy(task), "status": status, "statusReason": {"text": f"Why {status}"}}
        step = Step(ALONE, "PUT", "Task", task["id"])
        assert receive.interact(self.web.store, self.world(), step, json.dumps(moved).encode()).status == 200
        return moved


class Writes:
    """The receiver's system writes its Tasks to our /fhir, until it has been told that each is kept."""

    def __init__(self, door: FaultServer) -> None:
        self.door, self.again = door, 0

    def __call__(self, task: dict[str, Any], fault: Fault) -> None:
        written = {"resourceType": "Task", "intent": "order", "id": f"theirs-{task['id']}"} | {
            name: task[name] for name in ("identifier", "status", "statusReason")
        }
        planned(self.door)(fault)
        for _ in range(4):
            try:
                answer = requests.put(
                    f"{self.door.base_url}/Task/{written['id']}", json=written, timeout=60,
                    headers={"Content-Type": "application/fhir+json"},
                )  # fmt: skip
            except requests.RequestException:
                continue
            if answer.status_code in (200, 201):
                break
        else:
            raise AssertionError("it is never told that its Task is kept")
        self.again += 1
        if self.again % 3 == 0:  # and once more than it had to
            requests.put(f"{self.door.base_url}/Task/{written['id']}", json=written, timeout=60)


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_the_ways_take_every_move_of_both_sides(name: str) -> None:
    """And reach every state that a dialect's guide has, but for the drafts, which the receiver has no Task of."""
    dialect, every = DIALECTS[name], ways(DIALECTS[name])
    moves = {
        (by, a, b)
        for by, table in dialect.moves.items()
        for a, ends in table.items()
        for b in ends
        if a != "draft"
    }  # fmt: skip
    walked = {(way[-1].by, way[-2].state if len(way) > 1 else "requested", way[-1].state) for way in every}
    assert walked == moves
    known = {state for state, who in WHO[name].items() if who != "nobody"}
    assert {step.state for way in every for step in way} | {"requested", "draft"} == known | {"requested", "draft"}


@pytest.fixture
def other(opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> OtherAdapter:  # noqa: F811
    web = opened(tmp_path_factory.mktemp("receiver"))
    return OtherAdapter(web)


def to(agency: Agency, other: OtherAdapter, dialect: str, answers: Any, **more: Any) -> Agency:
    """The school's server is the other adapter, and it answers in this way."""
    agency.servers["lakeside"].fhir = other  # type: ignore[assignment]
    school = replace(agency.desk.catalogue.partners["lakeside"], referrals=Referrals(dialect, answers, **more))
    partners = {**agency.desk.catalogue.partners, "lakeside": school}
    agency.desk = replace(agency.desk, catalogue=replace(agency.desk.catalogue, partners=partners))
    return agency


def each(usual: str) -> list[Any]:
    """Every dialect; in the default run the usual one."""
    marks = {name: () if name == usual else (pytest.mark.servers,) for name in sorted(DIALECTS)}
    return [pytest.param(name, marks=mark) for name, mark in marks.items()]


@pytest.mark.parametrize("name", each("gravity"))
def test_both_sides_agree_on_every_path_that_is_asked_for(open_agency: Open, other: OtherAdapter, name: str) -> None:
    agency = to(agency_of(open_agency, name), other, name, "poll")
    walk(agency, other, DIALECTS[name], None, fault=planned(agency.servers["lakeside"]))


@pytest.mark.parametrize("name", each("ihe"))
def test_both_sides_agree_on_every_path_that_is_written_to_us(
    open_agency: Open, other: OtherAdapter, name: str
) -> None:
    agency = to(agency_of(open_agency, name), other, name, "push")
    with agency.desk.store.writing() as tx:
        token = tokens.new(tx, role="partner", partner="lakeside", now=agency.clock.now)
    with FaultServer() as door:
        door.fhir = Door(create_app(agency.desk), token)  # type: ignore[assignment]
        walk(agency, other, DIALECTS[name], Writes(door), fault=planned(agency.servers["lakeside"]))


def test_what_a_receiver_has_passed_on_is_asked_for(open_agency: Open, other: OtherAdapter) -> None:
    """Its server is searched for the parts of our Task where its file says that it passes referrals on; a fault in
    between, and the same again, change nothing."""
    agency = to(agency_of(open_agency), other, "generic", "poll", passes_on=True)
    agency.put(case())
    agency.work()
    [task] = other.tasks().values()
    part = {
        "resourceType": "Task", "id": "part", "status": "requested", "intent": "order",
        "partOf": [{"reference": f"Task/{task['id']}"}], "owner": {"display": "The clinic at Wickenbrook"},
    }  # fmt: skip
    for status in ("requested", "in-progress", "completed"):
        step = Step(ALONE, "PUT", "Task", "part")
        receive.interact(other.web.store, other.world(), step, json.dumps({**part, "status": status}).encode())
        agency.servers["lakeside"].plan(CutBefore())
        for _ in range(3):
            agency.clock.pass_(hours=4)
            agency.work()
        told = show.referral(agency.desk, NUMBER, "r1")
        assert [(each["to"], each["state"]) for each in told["passed_on"]] == [("The clinic at Wickenbrook", status)]
        assert (told["state"], told["history"], told["flags"]) == ("requested", [], [])
    other.move(task, "accepted")
    agency.clock.pass_(hours=4)
    agency.work()
    assert show.referral(agency.desk, NUMBER, "r1")["state"] == "accepted"
