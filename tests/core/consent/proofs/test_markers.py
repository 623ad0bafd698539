"""A marker in every text, name and identifier: a partner gets none that is withheld, and all that are permitted."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import event, given

from adapter.core.consent.last_look import last_look
from adapter.core.desired import Subject, desire
from tests.core.consent.proofs.amounts import examples
from tests.core.consent.proofs.generators import Situation, situations
from tests.core.consent.proofs.layout import Spot, lay_out
from tests.core.consent.proofs.leaves import leaves_in_view

MARKER = re.compile(r"qz[a-z]{7}x")
NO_PLACE: frozenset[str] = frozenset()
"""Leaves that may be permitted and yet stand in no resource. None: every row of exchange.md has its mapping file."""


def _markers(value: Any, node: Mapping[str, Any]) -> set[str]:
    if not isinstance(value, str):
        return set()
    text = value
    if node.get("contentEncoding") == "base64":
        text += base64.b64decode(value).decode("utf-8")
    return set(MARKER.findall(text.casefold()))


def _has_place(spot: Spot) -> bool:
    """Not a naming system or a unit without its value, an office number, nor the answer to a referral that came in."""
    entry, record = spot.entries[-1][0], spot.entries[0][0]
    match spot.place:
        case "care_plans/services/intensity/unit":
            return "hours" in entry["intensity"]
        case "goals/target/unit":
            return "value" in entry["target"]
        case "referrals/outcome/reason" | "referrals/outcome/result":
            return bool(record["direction"] == "out" and record["status"] != "draft")
        case "providers/identifiers/system" | "providers/identifiers/value":
            return entry.get("type") not in ("agency", "health-card", "school-number") and "system" in entry
        case "child/identifiers/value":
            return "system" in entry  # one without is left out, and told of: nobody could say whose number it is
        case "organizations/identifiers/system" | "organizations/identifiers/value":
            return entry.get("type") not in ("agency", "health-card", "school-number") and "system" in entry
    return not spot.node.get("x-id") and "x-ref" not in spot.node


def _made(s: Situation) -> list[bytes]:
    made = desire(s.bench, Subject(s.case["case"], s.case, {}), s.partner, s.now).made
    return [json.dumps([m.urn, m.identifier, m.resource], ensure_ascii=False, default=str).encode() for m in made]


def _standing(s: Situation) -> tuple[set[str], str]:
    """The markers that a partner finds, also in what it decodes from base64."""
    text = b"\n".join(_made(s)).decode()
    encoded = re.findall(r'"([A-Za-z0-9+/]{24,}={0,2})"', text)
    decoded = (base64.b64decode(f"{each}==").decode("utf-8", "ignore") for each in encoded)
    whole = "\n".join((text, *decoded)).casefold()
    return set(MARKER.findall(whole)), whole


def _texts(s: Situation) -> Iterator[tuple[Spot, set[str]]]:
    for spot in lay_out(s.case).values():
        if found := _markers(spot.value, spot.node):
            yield spot, found


@examples(12)
@given(situations(full=60))
def test_no_marker_of_a_withheld_leaf_is_in_any_byte(s: Situation) -> None:
    """ "no marker of a withheld leaf in any byte sent …": texts, names, telecoms, identifiers, bytes, and every id."""
    seen, (standing, whole) = leaves_in_view(s), _standing(s)
    leaked = [
        spot.pointer
        for spot, found in _texts(s)
        if (spot.pointer not in seen or spot.node.get("x-id"))
        and found & standing
        # Provisions name records by their ids; a notice of a consent in force travels with the partner's own.
        and not (spot.collection == "consents" and spot.field == "notices")
    ]
    assert leaked == []
    assert not set(MARKER.findall(s.case["case"])) & standing
    for spot in lay_out(s.case).values():
        if spot.node.get("contentEncoding") and spot.pointer not in seen:
            assert spot.value.casefold() not in whole


@examples(12)
@given(situations(full=60))
def test_every_marker_of_a_permitted_leaf_arrives(s: Situation) -> None:
    """Nothing permitted is lost on the way: each text in the view that has a place in FHIR stands in the bytes."""
    seen, (standing, _) = leaves_in_view(s), _standing(s)
    texts = [(spot, found) for spot, found in _texts(s) if spot.pointer in seen and _has_place(spot)]
    event(f"about {len(texts) // 20 * 20} permitted texts")
    assert {spot.place for spot, found in texts if not found <= standing} - NO_PLACE == set()
    # What is listed and arrives after all has got a place: take it off the list.
    assert {spot.place for spot, found in texts if found & standing} & NO_PLACE == set()


@examples(12)
@given(situations())
def test_the_last_look_lets_pass_what_the_view_made(s: Situation) -> None:
    """It decides by a reading of its own and comes to the same: a stop without cause would hold up a family's plan."""
    stops = [
        stop.paths
        for payload in _made(s)
        if (stop := last_look(payload, case=s.case, kept={}, rulebook=s.rulebook, partner=s.partner, now=s.now))
    ]
    assert stops == []


@examples(12)
@given(situations())
def test_the_last_look_stops_the_whole_case(s: Situation) -> None:
    """Whatever the view withheld: where it is a text of 24 characters or more, the case as it is never passes."""
    seen = leaves_in_view(s)
    long = [spot for spot, _ in _texts(s) if spot.node.get("x-text") and len(spot.value) >= 24]
    withheld = [spot.pointer for spot in long if spot.pointer not in seen and spot.collection != "consents"]
    payload = json.dumps(s.case, ensure_ascii=False).encode()
    stop = last_look(payload, case=s.case, kept={}, rulebook=s.rulebook, partner=s.partner, now=s.now)
    if withheld:
        assert stop is not None
