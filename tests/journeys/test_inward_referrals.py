"""One adapter refers to another, whose people adopt what came and answer by their own case: every move of every dialect
comes home, each once, with faults on the way and a machine that stops while it answers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from adapter import answering, keep
from adapter.answers import names_at
from adapter.core.partner import Referrals
from adapter.core.referral.table import Dialect, State
from adapter.desk import Desk
from adapter.store import cases, disclosures, referrals, resources
from tests.core.referral.test_table import DIALECTS
from tests.journeys.test_referrals import OtherAdapter, each, other  # noqa: F401
from tests.outward.fault_server import CutAfter, CutBefore, Truncated, page
from tests.verbs.agency import Agency
from tests.verbs.conftest import *  # noqa: F403  the agency and its partners' servers
from tests.verbs.conftest import Open
from tests.verbs.test_answers import NUMBER, agency_of, case
from tests.web.conftest import desk, keys, opened, upgraded  # noqa: F401


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


def _rows(agency: Agency) -> list[referrals.Tracked]:
    with agency.desk.store.reading() as tx:
        return referrals.of_case(tx, agency.stored(NUMBER).id)


def _value(agency: Agency, path: str) -> str:
    return names_at(agency.desk.bench.identity("lakeside"), NUMBER, path).value


class Receiver:
    """The people of the other adapter: they adopt what came, and answer by their own case."""

    def __init__(self, there: OtherAdapter, dialect: str, ways: list[tuple[State, ...]]) -> None:
        one: Desk = there.web.app.extensions["adapter"]
        known = replace(one.catalogue.partners["riverside"], referrals=Referrals(dialect, "push", 60.0), base_url="")
        partners = {**one.catalogue.partners, "riverside": known}
        book = replace(one.bench.rulebook, partners={**one.bench.rulebook.partners, "riverside": known})
        self.desk = replace(
            one, store=there.web.store,
            catalogue=replace(one.catalogue, partners=partners), bench=replace(one.bench, rulebook=book),
        )  # fmt: skip
        there.web.app.extensions["adapter"] = self.desk
        self.other, self.ways = there, ways
        self.made = case()
        self.made["organizations"].append(
            {"id": "sender", "name": "The sender", "sector": "health", "partner": "riverside"}
        )
        permit = self.made["consents"][0]["provisions"][0]
        permit["to"] = ["partners/riverside"]

    def put(self, step: int) -> None:
        """Each referral is as far as its way is after so many steps."""
        self.made["referrals"] = [
            self._record(place, way[min(step, len(way) - 1)]) for place, way in enumerate(self.ways)
        ]
        keep.put_case(self.desk, NUMBER, json.dumps(self.made).encode())

    def _record(self, place: int, state: State) -> dict[str, Any]:
        said: dict[str, Any] = {"status": "requested"}
        if state != "received":
            said = {"status": state, "outcome": {"status": state, "reason": f"Why {state}"}}
        return {
            "id": f"in{place}", "direction": "in", "kind": "service", "from": "organizations/sender",
            "services": [{"text": "A place in the reading group"}], **said,
        }  # fmt: skip

    def adopt(self, requests: Mapping[int, str]) -> None:
        came = {
            f"referrals/in{place}": {
                "partner": "riverside", "type": "ServiceRequest", "id": id_, "version": "1", "on": "", "by": "",
                "item": "i", "fields": {},
            }
            for place, id_ in requests.items()
        }  # fmt: skip
        with self.desk.store.writing() as tx:
            stored = cases.get(tx, NUMBER)
            assert stored is not None
            cases.put(tx, NUMBER, stored.body, {**stored.kept, "arrived": came}, now=self.desk.clock())
        answering.bring_all(self.desk, NUMBER)

    def history(self, task: str) -> list[str]:
        with self.desk.store.reading() as tx:
            found = [version.body["status"] for version in resources.history(tx, "riverside", "Task", task)[::-1]]
        return [state for state, before in zip(found, ["", *found], strict=False) if state != before]


@pytest.mark.parametrize("name", each("gravity"))
def test_what_is_answered_here_comes_home_to_who_referred(
    open_agency: Open,
    other: OtherAdapter,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """The other adapter adopts our referrals and answers by its own case: each move that its dialect has, once."""
    dialect = DIALECTS[name]
    every = list(paths(dialect))
    agency = agency_of(open_agency, name)
    agency.servers["lakeside"].fhir = other  # type: ignore[assignment]
    made = case()
    [one] = made["referrals"]
    made["referrals"] = [{**one, "id": f"r{place}"} for place in range(len(every))]
    agency.put(made)
    agency.work_on(hours=1)
    value = {int(row.path[len("referrals/r") :]): _value(agency, row.path) for row in _rows(agency)}
    tasks = other.tasks()
    there = Receiver(other, name, every)
    there.put(1)
    there.adopt({place: tasks[value[place]]["focus"]["reference"].partition("/")[2] for place in value})
    faults = [CutBefore(), page(502), Truncated(), CutAfter()]
    for step in range(2, max(map(len, every)) + 1):
        agency.servers["lakeside"].plan(faults[step % len(faults)])
        for _ in range(2):
            agency.clock.pass_(hours=5)
            agency.work()
        if step % 2:
            # The machine stops while it answers: what was saved is answered later, whole.
            with monkeypatch.context() as patched:
                patched.setattr(disclosures, "append", _stops)
                with contextlib.suppress(RuntimeError):
                    there.put(step)
        there.put(step)
        answering.bring_all(there.desk, NUMBER)
    agency.clock.pass_(hours=5)
    agency.work()
    for place, way in enumerate(every):
        row = next(r for r in _rows(agency) if r.path == f"referrals/r{place}")
        told = there.history(tasks[value[place]]["id"])
        said = [dialect.says.get(state, state) for state in way]
        assert told == [state for state, before in zip(said, ["", *said], strict=False) if state != before], way
        assert [(s.start, s.end) for s in row.course.steps] == list(zip(told, told[1:], strict=False)), way
        assert row.course.flags == ()
        if row.course.state in dialect.reasons:
            assert row.course.reason == f"Why {way[-1]}"


def _stops(*_: Any, **__: Any) -> None:
    raise RuntimeError("the machine stops")
