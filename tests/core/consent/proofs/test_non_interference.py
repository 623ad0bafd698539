"""The property that all rules of consent.md serve: what a partner may not see makes no difference to it."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given

from adapter.core.consent.endings import next_change
from tests.core.consent.proofs.amounts import examples
from tests.core.consent.proofs.flesh import scalars
from tests.core.consent.proofs.generators import Situation, seeds, situation, situations
from tests.core.consent.proofs.leaves import leaves_in_view
from tests.core.consent.proofs.traffic import Traffic
from tests.core.consent.proofs.vary import otherwise


def _without_notice(s: Situation) -> Situation:
    """The one-bit notice says that something is withheld: here nobody is told."""
    whom = replace(s.whom, withheld_notice=False)
    rulebook = replace(s.rulebook, partners={**s.rulebook.partners, s.partner: whom})
    return replace(s, bench=replace(s.bench, rulebook=rulebook))


def _nothing(case: dict[str, Any]) -> dict[str, Any]:
    return case


def _revoked(case: dict[str, Any]) -> dict[str, Any]:
    """The family takes everything back."""
    return {**case, "consents": [{**each, "status": "revoked"} for each in case.get("consents", ())]}


@examples(30)
@given(situations(), seeds())
def test_what_is_withheld_makes_no_difference(s: Situation, random: Random) -> None:
    """ "two cases that are equal in every leaf that steers decisions … and in every leaf permitted to P, give P
    byte-identical resources, identifiers, timestamps and requests, and the same schedule" (the notice excepted)"""
    s = _without_notice(s)
    # The next instant at which what is permitted changes by itself.
    then = next_change(s.rules(), s.now) or s.now
    other = s.but(otherwise(s, random, s.but(now=then)))
    one, two = Traffic(s.bench, s.partner), Traffic(s.bench, s.partner)
    for change, now in ((_nothing, s.now), (_nothing, then), (_revoked, then)):
        plans = one.reconcile(change(s.case), now), two.reconcile(change(other.case), now)
        assert one.requests == two.requests
        due, shown = [p.desired.next_change for p in plans], [p.desired.view for p in plans]
        assert due[0] == due[1]
        assert (shown[0].labels, shown[0].consents) == (shown[1].labels, shown[1].consents)


@examples(30)
@given(situations(), seeds())
def test_a_save_of_what_is_withheld_causes_no_traffic(s: Situation, random: Random) -> None:
    """The agency changes, adds and removes what the partner may not see: not one request, and the same schedule."""
    s = _without_notice(s)
    other = otherwise(s, random)
    traffic = Traffic(s.bench, s.partner)
    before = traffic.reconcile(s.case, s.now)
    sent = len(traffic.requests)
    after = traffic.reconcile(other, s.now)
    assert len(traffic.requests) == sent
    assert after.desired.next_change == before.desired.next_change


def test_the_pairs_really_differ_and_their_views_are_rich() -> None:
    """At least 60 of 100 generated views are not empty, and a pair differs in dozens of withheld leaves."""
    views = filled = pairs = different = leaves = 0
    for seed in range(60):
        s = situation(Random(seed))
        views += 1
        seen = len(leaves_in_view(s))
        filled += seen > 0
        leaves += seen
        if seed % 5 == 0:
            pairs += 1
            other = otherwise(s, Random(seed))
            different += len(set(scalars(s.case)) ^ set(scalars(other)))
    assert filled / views >= 0.6
    assert leaves / filled >= 60
    assert different / pairs >= 40
