"""The sending rooms together, through real sockets and faults: afterwards the partner holds what it should, once.

The loop here is what a share does, without database, consent and disclosures: difference, chunks, send, results, look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.core.diff import Adopt, Create, Delete, Freeze, Holding, Made, Release, Update, changes, without_traffic
from adapter.core.fhir.bundle import Sent, alike, chunks, transaction
from adapter.core.fhir.results import Result, found, holding, place_of, results
from adapter.core.retry import Outcome, together
from adapter.core.strict_json import dump
from adapter.outward.answer import Answered, NotSent
from adapter.outward.server import Server
from tests.core.test_diff import made
from tests.outward import fault_server as faults
from tests.outward.fault_server import JSON, FaultServer


class Share:
    """What a partner holds of one case, as far as we know."""

    def __init__(self, partner: FaultServer, chunk: int = 3) -> None:
        self.server = Server(partner.as_partner(timeout=0.3), secret=None)
        self.holdings: dict[str, Holding] = {}
        self.chunk = chunk

    def reconcile(self, desired: Sequence[Made]) -> Outcome:
        planned = changes(desired, list(self.holdings.values()))
        for change in planned:
            if isinstance(change, Adopt | Freeze | Release):
                kept = without_traffic(change)
                assert kept is not None
                self.holdings[kept.urn] = kept
        became: list[Outcome] = []
        for group in chunks(planned, self.chunk):
            became.append(together(result.outcome for result in self._send(group)))
            if became[-1] not in ("delivered", "existing"):
                break
        return together(became)

    def _send(self, group: Sequence[Sent]) -> list[Result]:
        bundle = transaction(group, {each.urn: f"{each.type}/{each.id}" for each in self._active()})
        answer = self.server.transact(dump(bundle), request_id="r", echo=alike(group))
        if isinstance(answer, NotSent):
            return [Result(change, "unavailable") for change in group]
        if isinstance(answer, Answered):
            waits = answer.retry_after is not None
            read = results(group, bundle, answer.body, status=answer.status, waits=waits)
        else:
            read = [Result(change, "unknown") for change in group]
        for result in read:
            kept = holding(result) or self._looked(result)
            if kept is not None:
                self.holdings[kept.urn] = kept
        return read

    def _looked(self, result: Result) -> Holding | None:
        """After an unknown outcome: what the partner holds now, not known to equal what it should."""
        if result.outcome not in ("unknown", "version", "conflict"):
            return None
        match result.change:
            case Create(one):
                answer = self.server.find(one.type, one.identifier)
                places = found(answer.body, one.type, one.identifier) if isinstance(answer, Answered) else None
                assert places is None or len(places) < 2, "doubled"
                return holding(Result(result.change, "existing", *places[0])) if places else None
            case Update(_, held) | Delete(held):
                answer = self.server.read(held.type, held.id)
                if not isinstance(answer, Answered):
                    return None
                if answer.status in (404, 410):
                    return replace(held, state="withdrawn")
                if answer.status == 200 and place_of(answer.body)[0] == held.id:
                    return replace(held, version=place_of(answer.body)[1], hash="")
        return None

    def _active(self) -> Iterable[Holding]:
        return (each for each in self.holdings.values() if each.state != "withdrawn")


def contents(partner: FaultServer) -> dict[str, Any]:
    """What the partner holds: by identifier, the text and the identifiers that it refers to."""
    there = partner.fhir.resources
    name = {place: resource["identifier"][0]["value"] for place, resource in there.items()}
    assert len(set(name.values())) == len(there), "doubled"
    return {
        name[place]: (resource.get("text"), [name[each["reference"]] for each in resource.get("refers", [])])
        for place, resource in there.items()
    }


def wanted(desired: Iterable[Made]) -> dict[str, Any]:
    return {
        one.urn[9:]: (one.resource.get("text"), [each["reference"][9:] for each in one.resource.get("refers", [])])
        for one in desired
    }


CASE = (
    made("Patient", "p", text="a"),
    made("Goal", "g1", "p", text="a"),
    made("Goal", "g2", "p", text="a"),
    made("Task", "t", "g1", "p", text="a"),
    made("CarePlan", "c", "g1", "g2", "t", text="a"),
)
WITHHELD = (CASE[0], CASE[1], made("Task", "t", "g1", "p", text="a"))
NARROWED = (CASE[0], made("Goal", "g1", "p", text="b"), made("CarePlan", "c", "g1", text="a"))

FAULTS = st.sampled_from(
    [
        None,
        faults.Answer(500, JSON, b"{}"),
        faults.Answer(500, JSON, b"{}", applied=True),
        faults.Answer(503),
        faults.Answer(429, {"Retry-After": "1"}),
        faults.Answer(200, JSON, b"{}", applied=True),
        faults.page(502),
        faults.page(200),
        faults.CutBefore(),
        faults.CutAfter(),
        faults.CutAfter(applied=False),
        faults.Truncated(),
        faults.Twice(),
        faults.Late(0.5),
        faults.nested(1000),
        faults.redirect("http://169.254.169.254/"),
        faults.Changed(lambda bundle: {**bundle, "entry": bundle.get("entry", [])[:-1]}),
        faults.Changed(lambda bundle: {**bundle, "entry": bundle.get("entry", [])[::-1]}),
        faults.Changed(lambda _: {"resourceType": "Patient", "id": "other"}),
    ]
)


@settings(max_examples=40, deadline=None)
@given(st.lists(FAULTS, max_size=6), st.lists(FAULTS, max_size=6), st.integers(1, 6))
def test_whatever_fails_the_partner_holds_what_it_should_once_it_is_over(
    first: list[Any], second: list[Any], chunk: int
) -> None:
    """Nothing lost, nothing doubled, what is withdrawn is gone; and then no more traffic."""
    with FaultServer() as partner:
        share = Share(partner, chunk)
        for desired, schedule in ((CASE, first), (WITHHELD, []), (NARROWED, second), (CASE, first), ((), second)):
            partner.plan(*schedule)
            for _ in range(len(schedule) + 8):
                if share.reconcile(desired) == "unchanged":
                    break
            assert contents(partner) == wanted(desired)
            partner.forget()
            asked = len(partner.seen)
            assert share.reconcile(desired) == "unchanged"
            assert len(partner.seen) == asked


def test_a_copy_that_was_changed_there_is_not_overwritten_unread() -> None:
    """412: the version there is read first; then ours is sent."""
    with FaultServer() as partner:
        share = Share(partner, 10)
        assert share.reconcile(CASE) == "delivered"
        place = next(place for place in partner.fhir.resources if place.startswith("CarePlan/"))
        partner.fhir.touch(place)
        assert share.reconcile(NARROWED) == "version"
        assert contents(partner) == wanted(CASE)
        assert share.reconcile(NARROWED) == "delivered"
        assert contents(partner) == wanted(NARROWED)


@pytest.mark.parametrize("answered", ["reordered", "short"])
def test_an_answer_that_does_not_fit_is_looked_up(answered: str) -> None:
    """The partner did everything, and its answer cannot be told apart: identifiers decide."""
    with FaultServer() as partner:
        share = Share(partner, 10)
        cut = {"reordered": slice(None, None, -1), "short": slice(0, -1)}[answered]
        partner.plan(faults.Changed(lambda bundle: {**bundle, "entry": bundle["entry"][cut]}))
        assert share.reconcile(CASE) == "unknown"
        assert share.reconcile(CASE) == "delivered"
        places = {each.identifier[1]: f"{each.type}/{each.id}" for each in share.holdings.values()}
        there = {resource["identifier"][0]["value"]: place for place, resource in partner.fhir.resources.items()}
        assert places == there


def test_two_goals_that_change_places_in_an_answer_do_not_stay_changed() -> None:
    """Else withdrawing one would take back the other, and leave what is withheld."""
    patient, first, second = CASE[:3]
    with FaultServer() as partner:
        share = Share(partner, 10)
        assert share.reconcile([patient]) == "delivered"
        partner.plan(faults.Changed(lambda bundle: {**bundle, "entry": bundle["entry"][::-1]}))
        assert share.reconcile([patient, first, second]) == "unknown"
        assert share.reconcile([patient, first]) in ("delivered", "existing")
        assert contents(partner) == wanted([patient, first])
