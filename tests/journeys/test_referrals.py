"""Two adapters run every path of every dialect, with faults in between: both agree, each transition exactly once.

One sends and asks; the other is the receiver's own server, whose people move the Tasks in its own database. The
requests go over a real socket, through a server that fails as it is told to.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from adapter import receive
from adapter.core.fhir.search import query
from adapter.core.fhir.transaction import ALONE, Step
from adapter.core.referral.table import Dialect, State
from adapter.receive.world import World
from adapter.store import referrals
from tests.core.referral.test_table import DIALECTS
from tests.outward.fault_server import CutAfter, CutBefore, Truncated, page
from tests.verbs.agency import Agency
from tests.verbs.conftest import *  # noqa: F403  the agency and its partners' servers
from tests.verbs.conftest import Open
from tests.verbs.test_answers import NUMBER, PROOFS, agency_of, case
from tests.web.conftest import Opened, Web, desk, keys, opened, upgraded  # noqa: F401

NAMES = sorted(DIALECTS) if PROOFS else ["gravity"]


class OtherAdapter:
    """The receiver's server: another adapter, asked through the test's own faults."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.token = web.tokens["riverside"]

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Any:
        sent = {n: v for n, v in headers.items() if n.lower() in ("content-type", "accept", "prefer", "if-none-exist")}
        answer = self.web.app.test_client().open(
            f"/fhir/{path}" if path else "/fhir",
            method=method, data=body or None, headers={**sent, "Authorization": f"Bearer {self.token}"}, buffered=True,
        )  # fmt: skip
        told = {
            n: v for n, v in answer.headers.items() if n.lower() in ("content-type", "etag", "last-modified", "date")
        }
        return answer.status_code, told, answer.data

    def world(self) -> World:
        now = self.web.app.extensions["adapter"].clock()
        return World("riverside", "http://localhost/fhir", now, "R4")

    def tasks(self) -> dict[str, dict[str, Any]]:
        """Identifier → Task, of those that a referral is answered by."""
        asked = query("Task", (("_count", "200"),), base="")
        kept = receive.search(self.web.store, self.world(), "Task", asked).found
        return {k.body["identifier"][0]["value"]: {**k.body, "id": k.id} for k in kept if "focus" in k.body}

    def move(self, task: dict[str, Any], status: str) -> None:
        """Its people move a Task on their side."""
        moved = {**copy.deepcopy(task), "status": status, "statusReason": {"text": f"Why {status}"}}
        step = Step(ALONE, "PUT", "Task", task["id"])
        assert receive.interact(self.web.store, self.world(), step, json.dumps(moved).encode()).status == 200


def paths(dialect: Dialect) -> Iterator[tuple[State, ...]]:
    """For each move of the receiver, the shortest way from `requested` that ends with it."""
    ways: dict[State, tuple[State, ...]] = {"requested": ("requested",)}
    waiting: list[State] = ["requested"]
    for state in waiting:
        for following in sorted(dialect.may("receiver", state)):
            yield (*ways[state], following)
            if following not in ways:
                ways[following] = (*ways[state], following)
                waiting.append(following)


def test_the_paths_take_every_move_of_the_receiver() -> None:
    for dialect in DIALECTS.values():
        moves = {(a, b) for a, ends in dialect.moves["receiver"].items() for b in ends}
        assert {way[-2:] for way in paths(dialect)} == moves


@pytest.fixture
def other(opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> OtherAdapter:  # noqa: F811
    web = opened(tmp_path_factory.mktemp("receiver"))
    return OtherAdapter(web)


@pytest.mark.parametrize("name", NAMES)
def test_both_sides_agree_on_every_path(open_agency: Open, other: OtherAdapter, name: str) -> None:
    dialect = DIALECTS[name]
    every = list(paths(dialect))
    agency = agency_of(open_agency, name)
    agency.servers["lakeside"].fhir = other  # type: ignore[assignment]
    made = case()
    [one] = made["referrals"]
    made["referrals"] = [{**one, "id": f"r{place}"} for place in range(len(every))]
    agency.put(made)
    agency.work_on(hours=1)
    assert len(other.tasks()) == len(every), agency.share(NUMBER)
    ours = {row.path: row for row in _rows(agency)}
    value = {path: _value(agency, path) for path in ours}
    faults = [CutBefore(), page(502), Truncated(), CutAfter()]
    longest = max(map(len, every))
    for step in range(1, longest):
        for place, way in enumerate(every):
            if step < len(way):
                other.move(other.tasks()[value[f"referrals/r{place}"]], way[step])
        agency.servers["lakeside"].plan(faults[step % len(faults)])
        agency.clock.pass_(hours=5)
        agency.work()
        agency.clock.pass_(hours=5)
        agency.work()
    agreed = 0
    for place, way in enumerate(every):
        row = next(r for r in _rows(agency) if r.path == f"referrals/r{place}")
        assert [(s.start, s.end) for s in row.course.steps] == list(zip(way, way[1:], strict=False)), way
        assert row.course.flags == ()
        there = other.tasks().get(value[row.path])
        if there is not None:  # what has ended may have been taken back
            assert (there["status"], row.course.state) == (way[-1], way[-1])
            agreed += 1
    assert agreed > len(every) // 2


def _rows(agency: Agency) -> list[referrals.Tracked]:
    with agency.desk.store.reading() as tx:
        return referrals.of_case(tx, agency.stored(NUMBER).id)


def _value(agency: Agency, path: str) -> str:
    from adapter.answers import names_at

    return names_at(agency.desk.bench.identity("lakeside"), NUMBER, path).value
