"""We subscribe at HAPI FHIR R4, by plain criteria: its own notification brings an answer home."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapter.core.partner import Referrals
from adapter.store import subscribed
from tests.outward.fault_server import FaultServer
from tests.servers import built, partners
from tests.servers.instance import Instance, Open
from tests.servers.partners import Running
from tests.verbs.agency import client_of
from tests.verbs.test_answers import NUMBER, case, outcome

WAITS = 60.0
"""Seconds of the test's own time that the server may take to tell us."""


class Door:
    """Our own web, asked over a socket; `told`: the requests that came, and how they were answered."""

    def __init__(self) -> None:
        self.desk: Any = None
        self.told: list[tuple[str, str, int]] = []

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Any:
        sent = {name: value for name, value in headers.items() if name in ("authorization", "content-type")}
        answer = client_of(self.desk).open(f"/{path}", method=method, data=body, headers=sent)
        self.told.append((method, path, answer.status_code))
        return answer.status_code, {}, b""


@pytest.fixture
def door() -> Iterator[FaultServer]:
    with FaultServer() as server:
        server.fhir = Door()  # type: ignore[assignment]
        yield server


@pytest.mark.servers
@pytest.mark.timeout(600)  # the first time, Maven brings the libraries
class TestHapiR4:
    @staticmethod
    def started(folder: Path) -> AbstractContextManager[Running]:
        return partners.hapi("R4", folder)

    @staticmethod
    def lacking() -> str:
        return built.lacking("java", "mvn")

    def test_its_own_notification_brings_an_answer_home(self, open_instance: Open, door: FaultServer) -> None:
        rules = Referrals("generic", "subscription", 360.0)
        instance = open_instance(lakeside={"referrals": rules})
        desk = instance.desk
        instance.desk = replace(desk, settings=replace(desk.settings, public_url=f"http://127.0.0.1:{door.port}"))
        here: Any = door.fhir
        here.desk = instance.desk
        instance.put(case())
        instance.work()
        _until(lambda: _is_active(instance))
        [task] = [t for t in instance.at_partners.of_type("Task") if "focus" in t and t["status"] == "requested"]
        before = len(here.told)
        instance.at_partners.save({**task, "status": "accepted"})
        _until(lambda: len(here.told) > before)
        assert [status for *_, status in here.told] == [200] * len(here.told)
        instance.clock.pass_(seconds=6)
        instance.work()
        assert outcome(instance)["status"] == "accepted"
        assert not [path for _, path, _ in here.told if NUMBER in path]


def _is_active(instance: Instance) -> bool:
    instance.clock.pass_(minutes=2)
    instance.work()
    with instance.desk.store.reading() as tx:
        return subscribed.state(tx, "lakeside") == "active"


def _until(holds: Any) -> None:
    end = time.monotonic() + WAITS
    while not holds():
        assert time.monotonic() < end, "the server has not told us"
        time.sleep(0.2)
