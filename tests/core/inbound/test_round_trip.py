"""View → FHIR → records gives the view again, but for the list in docs/inbound.md, and each line of that is true."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.desired import Bench, Subject, desire
from tests.core.consent.proofs.amounts import examples
from tests.core.consent.proofs.generators import bench, situation
from tests.core.inbound.comparing import Difference
from tests.core.inbound.corners import corners
from tests.core.inbound.home import Compared, at_home, elsewhere, every_leaf
from tests.core.mapping_files.views import HOSPITAL, ROOT, SCHOOL, mapped, mappings

RELEASES = ("R4", "R5")
CASES = sorted(path.parent.name for path in (ROOT / "fixtures").glob("*/case.json"))
_LINE = re.compile(r"\| (lost|given|changed|order) \| `([a-z_.]+)` \| (always|sometimes) \|")


@dataclass(frozen=True)
class Listed:
    """The list: each difference that may be, and whether its leaf never comes home."""

    always: frozenset[Difference]
    sometimes: frozenset[Difference]


@cache
def listed() -> Listed:
    lines = _LINE.findall((ROOT / "docs" / "inbound.md").read_text("utf-8"))
    assert len(lines) == len(set(lines)) > 40
    found = {when: frozenset((what, leaf) for what, leaf, w in lines if w == when) for when in ("always", "sometimes")}
    return Listed(**found)


@cache
def speaking(release: Any) -> Bench:
    """The fixtures' bench, with every partner speaking this release."""
    found = bench()
    told = {"release": release, "document": "never"}  # a document in place of the plan comes home as a document
    partners = {name: replace(partner, **told) for name, partner in found.rulebook.partners.items()}
    return replace(found, rulebook=replace(found.rulebook, partners=partners))


@cache
def everything(release: Any) -> tuple[tuple[str, Compared], ...]:
    return (*of_fixtures(release), *by_hand(release))


def of_fixtures(release: Any) -> Iterator[tuple[str, Compared]]:
    """Every case of the repository for every partner, at the instant that its expectations speak of."""
    for name in CASES:
        folder = ROOT / "fixtures" / name
        case = json.loads((folder / "case.json").read_text("utf-8"))
        at = datetime.fromisoformat(json.loads((folder / "expected.json").read_text("utf-8"))["at"])
        for partner in sorted(bench().rulebook.partners):
            desired = desire(speaking(release), Subject(case["case"], case, {}), partner, at)
            back = at_home(desired.made, release)
            yield f"{name} for {partner}", Compared(desired.view.case, back)


def by_hand(release: Any) -> Iterator[tuple[str, Compared]]:
    """Every leaf of every record, and whatever FHIR cannot hold."""
    for name, case in (("every leaf", every_leaf()), ("corners", corners())):
        for partner in (SCHOOL, HOSPITAL):
            made = mapped(case, mappings(release), partner=partner).made
            yield f"{name} for {partner.id}", Compared(case, at_home(made, release))


@pytest.mark.parametrize("release", RELEASES)
def test_what_comes_home_is_what_was_sent_but_for_the_list(release: str) -> None:
    allowed = listed().always | listed().sometimes
    unlisted = [
        (name, path, found)
        for name, compared in everything(release)
        for found, path in compared.differences()
        if found not in allowed
    ]
    assert unlisted == []


@pytest.mark.parametrize("release", RELEASES)
def test_what_the_list_calls_lost_always_never_comes_home(release: str) -> None:
    always = {leaf for _, leaf in listed().always}
    survived = Counter(leaf for _, compared in everything(release) for leaf in compared.kept() if leaf in always)
    assert not survived


@pytest.mark.parametrize("release", RELEASES)
def test_another_adapter_reads_the_same_records(release: Any) -> None:
    """Its ids are its own, and that of a step in a transition is not even known outside; all else is the same."""
    allowed = listed().always | listed().sometimes | {("changed", "care_plans.transitions.steps.id")}
    for case in (every_leaf(), corners()):
        made = mapped(case, mappings(release), partner=SCHOOL).made
        found = Compared(case, elsewhere(made, release)).differences()
        assert [each for each in found if each[0] not in allowed] == []


def test_each_line_of_the_list_is_true_of_some_view() -> None:
    """A line that nothing shows any more has to go: the mapping carries it now."""
    seen = {found for release in RELEASES for _, compared in by_hand(release) for found, _ in compared.differences()}
    assert (listed().always | listed().sometimes) - seen == set()


@pytest.mark.parametrize("release", RELEASES)
def test_most_of_what_is_sent_comes_home(release: str) -> None:
    """So that the two tests above have something to look at: a record of every collection, and its leaves."""
    kept = {leaf for _, compared in by_hand(release) for leaf in compared.kept()}
    assert len(kept) > 200
    assert {leaf.partition(".")[0] for leaf in kept} >= {
        "child", "people", "organizations", "providers", "enrolment", "assessments", "strengths", "needs", "referrals",
        "care_teams", "goals", "care_plans", "contacts", "risks", "documents",
    }  # fmt: skip


@pytest.mark.parametrize("release", RELEASES)
@examples(15)
@given(seed=st.integers(0, 2**32))
def test_generated_cases_come_home_too(release: Any, seed: int) -> None:
    """Any case, any consents, any partner, any time."""
    found = situation(Random(seed), 90)
    partners = {found.partner: replace(found.whom, release=release)}
    using = replace(found.bench, rulebook=replace(found.rulebook, partners={**found.rulebook.partners, **partners}))
    desired = desire(using, Subject(found.case["case"], found.case, {}), found.partner, found.now)
    compared = Compared(desired.view.case, at_home(desired.made, release))
    allowed = listed().always | listed().sometimes
    assert [each for each in compared.differences() if each[0] not in allowed] == []
