"""The view and the last look read the rules apart from each other, and come to the same: leaf by leaf."""

from __future__ import annotations

from hypothesis import given

from adapter.core.consent.last_look.leaves import Leaf, lay_out
from adapter.core.consent.last_look.moment import Moment
from adapter.core.consent.last_look.withheld import split
from tests.core.consent.proofs.amounts import examples
from tests.core.consent.proofs.generators import Situation, situations
from tests.core.consent.proofs.leaves import leaves_in_view

SOUGHT = ("x-text", "x-name", "x-telecom", "x-identifier")
"""What the last look looks for: codes, dates and references stand anywhere."""


def _sides(s: Situation) -> tuple[list[Leaf], list[Leaf]]:
    flat = lay_out(s.case, s.rulebook, s.partner)
    found = split(Moment(s.case, {}, flat.paths(), s.rulebook, s.whom, s.now), flat)
    return found.permitted, found.withheld


@examples(20)
@given(situations())
def test_the_last_look_would_let_pass_nothing_that_the_view_withholds(s: Situation) -> None:
    """A leaf that it took for permitted would pass, if the view or a mapping ever let it through."""
    seen, (permitted, _) = leaves_in_view(s), _sides(s)
    sought = [leaf for leaf in permitted if any(leaf.schema.get(kind) for kind in SOUGHT)]
    lax = [leaf.pointer for leaf in sought if leaf.pointer not in seen and leaf.entry.collection != "consents"]
    assert lax == []


@examples(20)
@given(situations())
def test_the_last_look_would_stop_nothing_that_the_view_shows(s: Situation) -> None:
    """A stop without cause would hold up a family's plan."""
    seen, (_, withheld) = leaves_in_view(s), _sides(s)
    assert [leaf.pointer for leaf in withheld if leaf.pointer in seen and leaf.field != "id"] == []
