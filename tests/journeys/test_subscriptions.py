"""Two adapters: one refers, and subscribes at the other's /fhir; answers come home when they are given, once each.

Every request between them goes over a real socket, in both directions, through servers that fail as they are told to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from adapter import notify
from adapter.core.partner import Referrals
from adapter.core.subscriptions import words
from adapter.store import subscribed
from adapter.web.context import KEY
from tests.journeys.test_referrals import OtherAdapter
from tests.outward.fault_server import Answer, CutAfter, CutBefore, FaultServer, Truncated, page
from tests.verbs.agency import Agency, client_of
from tests.verbs.conftest import *  # noqa: F403  the agency and its partners' servers
from tests.verbs.conftest import Open
from tests.verbs.test_answers import NUMBER, case, outcome, tracked
from tests.verbs.test_subscribe import agency_of
from tests.web.conftest import Opened, desk, keys, opened, upgraded  # noqa: F401

WAY = ("accepted", "in-progress", "on-hold", "in-progress", "completed")


class OurDoor:
    """What the other adapter's notifications come to: our own web, asked over a socket."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.told: list[Any] = []

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Any:
        sent = {name: value for name, value in headers.items() if name in ("authorization", "content-type")}
        answer = self.client.open(f"/{path}", method=method, data=body, headers=sent)
        self.told.append(json.loads(body) if body else None)
        return answer.status_code, {}, b""


class Both:
    """The agency that refers, and the other adapter, whose people answer in its own database."""

    def __init__(self, agency: Agency, other: OtherAdapter, door: FaultServer) -> None:
        self.agency, self.other, self.door = agency, other, door

    def settle(self, **time_: float) -> None:
        """Time passes, and both work until nothing is due."""
        self.agency.clock.pass_(**time_)
        there = self.other.web.app.extensions[KEY]
        for _ in range(6):
            self.agency.work()
            while notify.tell_next(there) is not None:
                pass

    def answer(self, status: str) -> None:
        [task] = self.other.tasks().values()
        self.other.move(task, status)

    def steps(self) -> list[tuple[str, str]]:
        return [(step.start, step.end) for step in tracked(self.agency).course.steps]


@pytest.fixture
def both(open_agency: Open, opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: F811
    web = opened(tmp_path_factory.mktemp("receiver"))
    other = OtherAdapter(web)
    agency = agency_of(open_agency, Referrals("generic", "subscription", 360.0))
    agency.servers["lakeside"].fhir = other  # type: ignore[assignment]
    with FaultServer() as door:
        url = f"http://127.0.0.1:{door.port}"
        there = web.app.extensions[KEY]
        us = replace(there.catalogue.partners["riverside"], endpoints=(url,), private_addresses=True)
        partners = {**there.catalogue.partners, "riverside": us}
        catalogue = replace(there.catalogue, partners=partners)
        web.app.extensions[KEY] = replace(there, catalogue=catalogue, clock=agency.clock)
        agency.desk = replace(agency.desk, settings=replace(agency.desk.settings, public_url=url))
        door.fhir = OurDoor(client_of(agency.desk))  # type: ignore[assignment]
        scene = Both(agency, other, door)
        agency.put(case())
        for _ in range(4):
            scene.settle(minutes=2)
        yield scene


def test_an_answer_is_at_home_within_a_second(both: Both) -> None:
    """The other's topic was found in its statement; each answer is there as soon as it is given, and once."""
    with both.agency.desk.store.reading() as tx:
        [ours] = subscribed.listed(tx).values()
    assert ours.state == "active"
    world = both.other.world()
    [theirs] = notify.listed(both.other.web.app.extensions[KEY], world)
    assert theirs.topic == words.TASKS
    for status in WAY:
        both.answer(status)
        both.settle(seconds=6)
        assert outcome(both.agency)["status"] == status
    assert both.steps() == list(zip(("requested", *WAY), WAY, strict=False))
    told = json.dumps(both.door.fhir.told)  # type: ignore[attr-defined]
    assert NUMBER not in told


def test_what_is_lost_on_the_way_is_found_by_its_number(both: Both) -> None:
    """It is answered for us as if it had arrived: the next one tells that there was one before."""
    both.door.plan(Answer(200))
    both.answer("accepted")
    both.settle(seconds=6)
    assert outcome(both.agency) == {}
    both.answer("accepted")
    both.settle(seconds=6)
    assert outcome(both.agency)["status"] == "accepted"
    with both.agency.desk.store.reading() as tx:
        [ours] = subscribed.listed(tx).values()
    assert ours.missed == 1


@pytest.mark.servers
def test_what_is_lost_and_nothing_follows_is_found_by_the_sign_of_life(both: Both) -> None:
    """Each hour the other says how many there were; the poll underneath is hours away."""
    both.settle(hours=2)
    both.door.plan(Answer(200))
    both.answer("accepted")
    both.settle(minutes=1)
    both.settle(minutes=50)
    assert outcome(both.agency) == {}
    both.settle(minutes=11)
    both.settle(seconds=6)
    assert outcome(both.agency)["status"] == "accepted"


@pytest.mark.servers
def test_whatever_goes_wrong_between_them_each_transition_is_made_once(both: Both) -> None:
    faults = [CutBefore(), page(502), Truncated(), CutAfter(), Answer(429, {"Retry-After": "5"})]
    for place, status in enumerate(WAY):
        both.door.plan(faults[place % len(faults)], faults[(place + 2) % len(faults)])
        both.agency.servers["lakeside"].plan(faults[(place + 1) % len(faults)])
        both.answer(status)
        for _ in range(8):
            both.settle(minutes=1)
        assert outcome(both.agency)["status"] == status
    assert both.steps() == list(zip(("requested", *WAY), WAY, strict=False))
    assert tracked(both.agency).course.flags == ()


@pytest.mark.servers
def test_a_subscription_that_the_other_lost_is_made_anew_and_nothing_is_missed(both: Both) -> None:
    there = both.other.web.app.extensions[KEY]
    for one in notify.listed(there, both.other.world()):
        notify.delete(there, both.other.world(), one.id)
    both.answer("accepted")
    both.settle(hours=1, minutes=5)
    assert outcome(both.agency)["status"] == "accepted"
    both.settle(minutes=5)
    both.answer("in-progress")
    both.settle(seconds=6)
    assert outcome(both.agency)["status"] == "in-progress"
