"""Properties of consent.md: everything in a view is permitted whole, by a reading that shares no code with the view."""

from __future__ import annotations

from hypothesis import given

from tests.core.consent.proofs.amounts import examples
from tests.core.consent.proofs.generators import Situation, situations
from tests.core.consent.proofs.layout import Spot, lay_out
from tests.core.consent.proofs.leaves import leaves_in_view
from tests.core.consent.proofs.naive import Naive

DIRECTORY = ("organizations", "providers")


def _shown(s: Situation) -> list[Spot]:
    spots = lay_out(s.case)
    return [spots[p] for p in leaves_in_view(s) if p in spots and not spots[p].node.get("x-id")]


def _parts(spot: Spot, shown: list[Spot], naive: Naive) -> set[str]:
    """Its own part; of the name of an organisation or provider, the parts of what refers to it in the view."""
    if not spot.node.get("x-part-referred"):
        return {naive.part(spot)}
    return {naive.part(each) for each in shown if "x-ref" in each.node and each.value == spot.chain[0]}


@examples(20)
@given(situations())
def test_every_element_of_a_view_has_a_permit_that_covers_it_whole(s: Situation) -> None:
    """ "every element of a view has a permit that covers it whole (one of each decision maker where `shared`)" """
    naive, shown = Naive(s), _shown(s)
    uncovered = [
        spot.pointer
        for spot in shown
        if not any(naive.covered(part, naive.topics(spot), spot.chain) for part in _parts(spot, shown, naive))
    ]
    assert uncovered == []


@examples(20)
@given(situations())
def test_nothing_with_an_uncovered_topic_is_in_a_view(s: Situation) -> None:
    """ "nothing with an uncovered topic is in it": not one that no permit of the case names."""
    naive = Naive(s)
    named = {topic for _, p in naive.permits for topic in p.get("topics", ())}
    assert [spot.pointer for spot in _shown(s) if not naive.topics(spot) <= named] == []


@examples(20)
@given(situations())
def test_nothing_denied_is_in_a_view(s: Situation) -> None:
    """Rule 5, "deny wins": but for what a child who may permit permits (rule 6)."""
    naive, shown = Naive(s), _shown(s)
    denied = [
        (spot.pointer, deny)
        for spot in shown
        for part in _parts(spot, shown, naive)
        if (deny := naive.denied(part, naive.topics(spot), spot.chain))
        and not naive.by_the_child(part, naive.topics(spot), spot.chain)
        and len(_parts(spot, shown, naive)) == 1
    ]
    assert denied == []


@examples(20)
@given(situations())
def test_no_reference_dangles(s: Situation) -> None:
    """ "no dangling reference": whatever a view refers to is in it, or is the one word `family`."""
    seen, spots = leaves_in_view(s), lay_out(s.case)
    there = {"family"} | {path for pointer in seen if pointer in spots for path in spots[pointer].chain}
    dangling = [p for p, value in seen.items() if p in spots and "x-ref" in spots[p].node and value not in there]
    assert dangling == []


@examples(20)
@given(situations())
def test_what_may_be_seen_is_seen(s: Situation) -> None:
    """Nothing permitted is lost: a text that is covered and not denied, of a record that is in the view, is there."""
    naive, seen = Naive(s), leaves_in_view(s)
    supersession = any("supersedes" in c for c in s.case["consents"])
    denials = any(p["effect"] == "deny" for c in s.case["consents"] for p in c["provisions"])
    if supersession or denials or not seen:
        return
    spots = lay_out(s.case)
    records = {spots[p].chain[0] for p in seen if p in spots}
    lost = [
        spot.pointer
        for spot in spots.values()
        if spot.chain[0] in records - {"organizations", "providers"}
        and spot.collection not in DIRECTORY
        and len(spot.entries) == 1
        and spot.node.get("x-text")
        and spot.pointer not in seen
        and naive.covered(naive.part(spot), naive.topics(spot), spot.chain)
    ]
    assert lost == []
