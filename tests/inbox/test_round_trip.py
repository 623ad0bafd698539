"""A case goes from adapter A to adapter B: what B's inbox proposes is A's view for B, and adopting it gives that case.

A's requests are those that its worker sends; B takes them at its /fhir. Different may be what docs/inbound.md lists,
and docs/inbox.md beside it.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from adapter import inbox as verb
from adapter import receive
from adapter.arrived import look
from adapter.core import strict_json
from adapter.core.case import check
from adapter.core.desired import Desired, Subject, plan
from adapter.core.diff import Create
from adapter.core.fhir.abilities import Way
from adapter.core.fhir.bundle import groups, request
from adapter.core.fhir.named import names_of
from adapter.core.inbox.values import Compared as Item
from adapter.core.mapping.inbound import Mapped, Received
from adapter.store import inbox as rows
from tests.core.inbound.comparing import Difference
from tests.core.inbound.home import Compared
from tests.core.inbound.test_round_trip import CASES, RELEASES, bench, listed, speaking
from tests.core.mapping_files.views import ROOT
from tests.inbox.conftest import Inbox
from tests.inbox.test_deciding import case_file, say
from tests.inbox.test_items import items

SENDER = "riverside"
"""What B calls A."""
_LINE = re.compile(r"\| (lost|given|changed) \| `([a-z_.]+)` \|")
_ID_OF_A_STEP = ("changed", "care_plans.transitions.steps.id")
"""That of a step in a transition is not known outside (tests/core/inbound/test_round_trip.py)."""


def allowed() -> set[Difference]:
    lines = {(what, leaf) for what, leaf in _LINE.findall((ROOT / "docs" / "inbox.md").read_text("utf-8"))}
    assert len(lines) > 2
    return {*listed().always, *listed().sometimes, *lines, _ID_OF_A_STEP}


def sent(name: str, partner: str, release: Any) -> tuple[Desired, list[bytes]]:
    """What A desires for a partner of a fixture's case, and the transactions that carry it."""
    folder = ROOT / "fixtures" / name
    case = strict_json.parse((folder / "case.json").read_bytes())
    at = datetime.fromisoformat(strict_json.parse((folder / "expected.json").read_bytes())["at"])
    wanted = plan(
        speaking(release), Subject(case["case"], case, {}), partner, at, [], directory={}, kept_elsewhere=[]
    )  # fmt: skip
    how = Way("transaction", 200)
    assert all(isinstance(change, Create) for change in wanted.changes)
    return wanted.desired, [strict_json.dump(request(g, {}, how).body) for g in groups(wanted.changes, how)]


MOST = {
    "capable-youth": "northstar", "early-intervention": "petits-pas", "minimal": "lakeside", "ontario-csp": "riverside",
    "person-centred": "lakeside", "shared-decision": "lakeside", "wraparound": "northstar",
}  # fmt: skip
"""Fixture → the partner to whom most of it goes."""
QUICK = ("minimal", "shared-decision", "wraparound")
ROUTES = (
    [(name, whom, release) for name in CASES for whom in sorted(bench().rulebook.partners) for release in RELEASES]
    if os.environ.get("CSP_PROOFS")
    else [(name, MOST[name], "R4") for name in QUICK]
)
"""With CSP_PROOFS every fixture to each partner in both releases; else three, to whoever sees most of each."""


class There:
    """B, which has taken what A sent."""

    def __init__(self, inbox: Inbox, desired: Desired, bundles: list[bytes], release: Any) -> None:
        inbox.configure(replace(inbox.desk.catalogue.partners[SENDER], release=release))
        self.inbox = inbox
        world = replace(inbox.world(SENDER), release=release)
        for body in bundles:
            receive.bundle(inbox.desk.store, world, body)
        (self.item,) = [each["id"] for each in items(inbox) if each["of"] == "child"]
        self._about = {made.identifier: made.about for made in desired.mapped}
        with inbox.desk.store.reading() as tx:
            item = rows.get(tx, self.item)
            assert item is not None
            seen = look(inbox.desk, tx, item)
        self.seen = seen
        self._paths = {
            theirs: ours
            for (index, _), theirs in seen.mapped.paths.items()
            if (ours := self._home(seen.sent.bodies[index])) is not None
        }
        self._ids = {theirs.rpartition("/")[2]: ours.rpartition("/")[2] for theirs, ours in self._paths.items()}

    def proposed(self) -> Received:
        """What the item proposes, with A's own paths and ids."""
        return self._as_sent(self.seen.compared, {p.path: p.theirs for p in self._programs()})

    def case(self, number: str) -> Received:
        """B's case as it stands, with A's own paths and ids."""
        case = case_file(self.inbox, number)
        records = [("child", case["child"]), ("enrolment", case["enrolment"])]
        records += [
            (f"{n}/{r['id']}", r) for n, v in case.items() if isinstance(v, list) and n != "consents" for r in v
        ]
        mapped = tuple(Mapped(self._paths.get(p, p), self._renamed(r), ()) for p, r in records)
        return Received(mapped, (), (), {"program": case["program"]}, {}, (), ())

    def _programs(self) -> list[Any]:
        return [p for each in self.seen.compared if each.path == "program" for p in each.proposals]

    def _as_sent(self, compared: tuple[Item, ...], fields: dict[str, Any]) -> Received:
        proposals = [p for each in compared for p in each.proposals if p.kind in ("record", "incomplete")]
        records = tuple(Mapped(self._paths.get(p.path, p.path), self._renamed(p.theirs), ()) for p in proposals)
        return Received(records, (), (), fields, {}, (), ())

    def _home(self, body: Any) -> str | None:
        return next((self._about[name] for name in names_of(body) if name in self._about), None)

    def _renamed(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._renamed(child) for name, child in value.items()}
        if isinstance(value, list):
            return [self._renamed(child) for child in value]
        return self._paths.get(value, self._ids.get(value, value)) if isinstance(value, str) else value


@pytest.mark.parametrize(("name", "partner", "release"), ROUTES)
def test_what_the_inbox_proposes_is_the_view_and_adopting_it_gives_that_case(
    inbox: Inbox, name: str, partner: str, release: Any
) -> None:
    desired, bundles = sent(name, partner, release)
    if not desired.made:
        pytest.skip("this partner sees nothing of it")
    there = There(inbox, desired, bundles, release)
    proposed = list(Compared(desired.view.case, there.proposed()).differences())
    assert [each for each in proposed if each[0] not in allowed()] == []
    say(inbox, verb.open_case, there.item, {"case": "B-1", "program": "wraparound"})
    say(inbox, verb.adopt, there.item, {"all": True})
    found = verb.show(inbox.desk, there.item)
    left = [p for each in found["records"] for p in each["proposals"]]
    # A view may hold a part of a plan that is no plan alone: a person completes it, or leaves it.
    assert {each["kind"] for each in left} <= {"incomplete"}
    partly = {("lost", each["path"].split("/")[0]) for each in left}
    assert check(case_file(inbox, "B-1"), inbox.desk.catalogue.schemas) == []
    came = list(Compared(desired.view.case, there.case("B-1")).differences())
    assert [each for each in came if each[0] not in {*allowed(), *partly, ("given", "enrolment")}] == []
