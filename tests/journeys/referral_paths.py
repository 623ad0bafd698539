"""Every path that a referral may take by one dialect's table, walked by both sides at once, with faults in between.

One referral for each move of the table, all in one case, step by step; after each step something goes wrong on the way.
At the end both sides agree, and each transition stands in the history once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Protocol

from adapter import refer, show
from adapter.answers import names_at
from adapter.core.referral.table import Dialect, Setter, State
from adapter.store import referrals
from tests.outward.fault_server import Answer, CutAfter, CutBefore, Fault, FaultServer, Late, Truncated, Twice, page
from tests.verbs.agency import Agency
from tests.verbs.test_answers import NUMBER, case

FAULTS: Sequence[Fault] = (
    CutBefore(), page(502), CutAfter(), Late(0.05), Truncated(), Answer(503, {}, b"", applied=True), Twice(),
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One move of one side."""

    by: Setter
    state: State


Way = tuple[Step, ...]


class Receiver(Protocol):
    """The receiver's people, at their own server."""

    def tasks(self) -> dict[str, dict[str, Any]]:
        """Identifier → Task, of those by which a referral is answered."""

    def move(self, task: dict[str, Any], status: str) -> dict[str, Any]:
        """They move a Task, and say why; it, as it is then."""


def ways(dialect: Dialect) -> list[Way]:
    """For each move of either side, a shortest way from `requested` by moves of the receiver that ends with it."""
    to: dict[State, Way] = {"requested": ()}
    waiting: list[State] = ["requested"]
    found: list[Way] = []
    for at in waiting:
        for following in sorted(dialect.may("receiver", at)):
            found.append((*to[at], Step("receiver", following)))
            if following not in to:
                to[following] = found[-1]
                waiting.append(following)
        found += [(*to[at], Step("requester", end)) for end in sorted(dialect.may("requester", at))]
    return found


def walk(agency: Agency, receiver: Receiver, dialect: Dialect, tell: Callable[[dict[str, Any], Fault], None] | None,
         *, fault: Callable[[Fault], None]) -> None:  # fmt: skip
    """Walk every way. `tell`: how the receiver writes a Task to us, through a fault; None: it is asked. `fault`: what
    happens to the next request to the receiver's server."""
    every, faults = ways(dialect), cycle(FAULTS)
    made = case()
    [one] = made["referrals"]
    made["referrals"] = [{**one, "id": f"r{place}"} for place in range(len(every))]
    made["referrals"].append({**one, "id": "draft", "status": "draft"})
    agency.put(made)
    agency.work_on(hours=1)
    assert len(receiver.tasks()) == len(every), agency.share(NUMBER)
    board = {row["referral"]: row["state"] for row in show.board(agency.desk, NUMBER)["referrals"]}
    assert board.pop("draft") == "draft"
    assert set(board.values()) == {"requested"}
    made["referrals"][-1]["status"] = "requested"
    agency.put(made)
    agency.work_on(hours=1)
    assert len(receiver.tasks()) == len(every) + 1, "a draft that is sent has its Task"
    for number in range(max(map(len, every))):
        for place, way in enumerate(every):
            if number < len(way):
                _take(agency, receiver, made, f"r{place}", way[number], tell, faults)
        for _ in range(2):
            fault(next(faults))
            agency.clock.pass_(hours=4)
            agency.work()
        agency.clock.pass_(hours=25)
        agency.work()
    _check(agency, receiver, every)


def _take(
    agency: Agency,
    receiver: Receiver,
    made: dict[str, Any],
    id_: str,
    step: Step,
    tell: Callable[[dict[str, Any], Fault], None] | None,
    faults: Iterator[Fault],
) -> None:
    if step.by == "receiver":
        moved = receiver.move(receiver.tasks()[value_of(agency, id_)], step.state)
        if tell is not None:
            tell(moved, next(faults))
    elif step.state == "cancelled":
        refer.cancel(agency.desk, NUMBER, id_, json.dumps({"reason": "The family has moved"}).encode(), by="c")
    else:
        next(r for r in made["referrals"] if r["id"] == id_)["status"] = step.state
        agency.put(made)


def _check(agency: Agency, receiver: Receiver, every: Sequence[Way]) -> None:
    with agency.desk.store.reading() as tx:
        rows = {row.path: row for row in referrals.of_case(tx, agency.stored(NUMBER).id)}
    there, agreed = receiver.tasks(), 0
    for place, way in enumerate(every):
        course = rows[f"referrals/r{place}"].course
        states: list[State] = ["requested", *(step.state for step in way)]
        expected = list(zip([step.by for step in way], states, states[1:], strict=False))
        assert [(step.by, step.start, step.end) for step in course.steps] == expected, way
        assert course.flags == (), way
        task = there.get(value_of(agency, f"r{place}"))
        if task is not None:  # what has ended may have been taken back
            assert (task["status"], course.state) == (way[-1].state, way[-1].state)
            agreed += 1
    assert agreed > len(every) // 2
    reached = {step.end for row in rows.values() for step in row.course.steps}
    assert reached == {way[-1].state for way in every}
    for partner in agency.desk.catalogue.partners:
        assert agency.share(NUMBER, partner)["state"] == "idle"


def value_of(agency: Agency, id_: str) -> str:
    """The value of the identifier under which the school knows the Task of a referral."""
    return names_at(agency.desk.bench.identity("lakeside"), NUMBER, f"referrals/{id_}").value


def planned(server: FaultServer) -> Callable[[Fault], None]:
    """Lets a fault happen to the next request there; what was planned before and has not happened will not."""

    def plan(fault: Fault) -> None:
        server.forget()
        server.plan(fault)

    return plan
