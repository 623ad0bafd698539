"""The property that all rules of consent.md serve: what a partner may not see makes no difference to it."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapter.core.desired import Desired, Subject, desire
from tests.core.consent.proofs.amounts import examples
from tests.core.consent.proofs.flesh import scalars
from tests.core.consent.proofs.generators import Situation, situation, situations
from tests.core.consent.proofs.leaves import leaves_in_view
from tests.core.consent.proofs.vary import otherwise


def _desired(s: Situation) -> Desired:
    # The number under which the agency keeps the case names its resources; it is the same child.
    return desire(s.bench, Subject("C-1", s.case, {}), s.partner, s.now)


def _bytes(desired: Desired) -> str:
    """Everything that a partner could tell two copies apart by: names, identifiers, content, in their order."""
    each: list[Any] = [(m.urn, m.type, m.identifier, m.directory, m.resource) for m in desired.made]
    return json.dumps(each, ensure_ascii=False, default=str)


@examples(30)
@given(situations(), st.randoms(use_true_random=False))
def test_what_is_withheld_makes_no_difference(s: Situation, random: Random) -> None:
    """ "two cases that are equal in every leaf that steers decisions … and in every leaf permitted to P, give P
    byte-identical resources, identifiers, timestamps and requests, and the same schedule" (the notice excepted)"""
    whom = replace(s.whom, withheld_notice=False)
    rulebook = replace(s.rulebook, partners={**s.rulebook.partners, s.partner: whom})
    s = replace(s, bench=replace(s.bench, rulebook=rulebook))
    other = s.but(otherwise(s, random))
    one, two = _desired(s), _desired(other)
    assert _bytes(one) == _bytes(two)
    assert one.next_change == two.next_change
    assert (one.view.labels, one.view.consents) == (two.view.labels, two.view.consents)


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
