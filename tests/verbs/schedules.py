"""Random schedules of faults: what a case system does, and what fails at the partner meanwhile, by the dice."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from adapter import steer
from adapter.outward.server import Server
from tests.outward import fault_server as faults
from tests.outward.fault_server import JSON, Fault
from tests.verbs.agency import Agency, case_of, revoked
from tests.verbs.test_directory import another

PARTNER = "lakeside"
OUTCOME = json.dumps(
    {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
).encode()


def entries(change: Callable[[list[Any]], list[Any]]) -> faults.Changed:
    """An answer to a transaction with other entries. A search that leaves out what is there cannot be told from one
    that finds nothing: that fault is not among these."""

    def changed(bundle: Any) -> Any:
        written = bundle.get("type") == "transaction-response"
        return {**bundle, "entry": change(bundle["entry"])} if written else bundle

    return faults.Changed(changed)


def with_error(bundle: Any) -> Any:
    """Everything was done, but the last entry says that it failed."""
    issue = {"severity": "error", "code": "exception", "diagnostics": "Théo Exemple"}
    failed = {"response": {"status": "500", "outcome": {"resourceType": "OperationOutcome", "issue": [issue]}}}
    return (
        {**bundle, "entry": [*bundle["entry"][:-1], failed]} if bundle.get("type") == "transaction-response" else bundle
    )


PASSING: dict[str, Fault] = {
    "500": faults.Answer(500, JSON, b"{}"),
    "500 though it was done": faults.Answer(500, JSON, b"{}", applied=True),
    "502 as a page": faults.page(502),
    "302 to a page of maintenance": faults.redirect("http://169.254.169.254/", 302),
    "503": faults.Answer(503),
    "503 though it was done": faults.Answer(503, applied=True),
    "429": faults.Answer(429, {"Retry-After": "5"}),
    "401": faults.Answer(401),
    "408": faults.Answer(408),
    "409": faults.Answer(409, JSON, OUTCOME),
    "too late, and done": faults.Late(0.25),
    "too late, and not done": faults.Late(0.25, applied=False),
    "late, but in time": faults.Late(0.02),
    "cut before": faults.CutBefore(),
    "cut after": faults.CutAfter(),
    "cut, not done": faults.CutAfter(applied=False),
    "truncated": faults.Truncated(),
    "a byte at a time": faults.Drip(0.01),
    "answered twice": faults.Twice(),
    "reordered": entries(lambda e: e[::-1]),
    "one missing": entries(lambda e: e[:-1]),
    "one too many": entries(lambda e: [*e, *e[-1:]]),
    "none": entries(lambda e: []),
    "another resource": faults.Changed(lambda _: {"resourceType": "Patient", "id": "other"}),
    "200 with an OperationOutcome": faults.Answer(200, JSON, OUTCOME, applied=True),
    "200 with an error in one entry": faults.Changed(with_error),
    "200 with nothing in it": faults.Answer(200, JSON, b"{}", applied=True),
    "200 as a page": faults.page(200),
    "nested": faults.nested(1000),
}
"""What passes: once it is over, the share goes on by itself."""
LASTING: dict[str, Fault] = {
    "400": faults.Answer(400, JSON, OUTCOME),
    "403": faults.Answer(403),
    "404": faults.Answer(404),
    "422": faults.Answer(422, JSON, OUTCOME),
    "a redirect elsewhere": faults.redirect("http://169.254.169.254/", 308),
}
"""What the same request would meet again: it is not repeated until something changes, or a person says so."""
HOSTILE: list[Fault | None] = [*PASSING.values(), *LASTING.values(), None, None]
QUICK = 0.15
"""Seconds that the adapter waits for this partner: less than the late answers take."""


def file(dice: random.Random) -> dict[str, Any]:
    """How this schedule's partner takes what is sent."""
    return {"paused": False, "timeout": QUICK, "chunk": dice.choice([1, 2, 7, 200])}


def run(agency: Agency, dice: random.Random) -> None:
    """One schedule, to its end: then nothing is lost, nothing doubled, nothing withheld was ever sent, and what stopped
    needs one word of a person, no more."""
    name = dice.choice(["minimal", "minimal", "minimal", "shared-decision"])
    numbers = [case_of(name)["case"], *dice.choice([[], ["C-2"]])]
    for _ in range(dice.randint(2, 4)):
        agency.servers[PARTNER].plan(*dice.choices(HOSTILE, k=dice.randint(0, 4)))
        with _nothing_withheld_leaves(agency, name, _happen(agency, dice, name, dice.choice(numbers))):
            for _ in range(dice.randint(0, 3)):
                agency.work()
                agency.clock.pass_(minutes=dice.randint(0, 20))
    agency.servers[PARTNER].forget()
    with _patient(agency):
        _comes_to_rest(agency, dice, name, numbers)


def _comes_to_rest(agency: Agency, dice: random.Random, name: str, numbers: list[str]) -> None:
    """Nothing fails any more: one last save of each case, and after it all is as it should be."""
    finals = {number: dice.choice([_whole, _revoked, _narrowed])(name, number) for number in numbers}
    for final in finals.values():
        agency.put(final)
    agency.work_on()
    for number in numbers:
        if agency.share(number)["state"] == "stopped":
            steer.retry(agency.desk, number, PARTNER)
            agency.work_on()
        assert agency.share(number)["state"] == "idle"
    agency.assert_equal(PARTNER)
    agency.assert_nothing_withheld(name, PARTNER)
    asked = agency.asked()
    for final in finals.values():
        assert agency.put(final).changed is False
    agency.work_on()
    assert agency.asked() == asked


@contextmanager
def _patient(agency: Agency) -> Iterator[None]:
    """The faults are over: on a machine that is busy, a sound answer may take longer than the late ones did."""
    ways, hasty = agency.desk.server, agency.desk
    patient = Server(replace(agency.desk.catalogue.partners[PARTNER], timeout=60.0), secret=None)
    agency.desk = replace(agency.desk, server=lambda partner: patient if partner == PARTNER else ways(partner))
    try:
        yield
    finally:
        agency.desk = hasty
        patient.close()


def _happen(agency: Agency, dice: random.Random, name: str, number: str) -> bool:
    """The case system saves or deletes one case. Are goals withheld from the partner in all of them from now on?"""
    match dice.choice(["put", "put", "revoke", "delete", "narrow"]):
        case "put":
            agency.put(_whole(name, number))
        case "revoke":
            agency.put(_revoked(name, number))
        case "narrow":
            agency.put(_narrowed(name, number))
        case "delete" if number in agency.numbers and not agency.stored(number).deleted:
            agency.delete(number)
    return not any(m.type == "Goal" for n in sorted(agency.numbers) for m in agency.desired(n, PARTNER).made)


@contextmanager
def _nothing_withheld_leaves(agency: Agency, name: str, withheld: bool) -> Iterator[None]:
    """Where goals are withheld, none of their titles stands in a request that is made now."""
    before = len(agency.seen(PARTNER))
    yield
    titles = [json.dumps(goal["title"], ensure_ascii=False)[1:-1] for goal in case_of(name)["goals"]]
    for seen in agency.seen(PARTNER)[before:] if withheld else []:
        assert not [title for title in titles if title in seen.body.decode()]


def _whole(name: str, number: str) -> Any:
    return another(case_of(name), number)


def _revoked(name: str, number: str) -> Any:
    return revoked(_whole(name, number))


def _narrowed(name: str, number: str) -> Any:
    """No permit names goals any more."""
    return without_goals(_whole(name, number))


def without_goals(case: Any) -> Any:
    """The case where no permit names goals any more."""
    for consent in case["consents"]:
        for provision in consent["provisions"]:
            if provision["effect"] == "permit" and isinstance(provision.get("parts"), list):
                provision["parts"] = [part for part in provision["parts"] if part != "goals"] or ["identity"]
    return case
