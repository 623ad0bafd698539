"""Where the plan is a document: what is withheld makes no difference to it, and stands on none of its pages."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Literal

from hypothesis import given

from adapter.core import strict_json
from adapter.core.consent.last_look import last_look
from adapter.core.consent.last_look.pages import pages
from adapter.core.desired import Desired, Subject, desire
from adapter.core.document.place import FHIR, PDF
from tests.core.consent.proofs.amounts import examples
from tests.core.consent.proofs.generators import Situation, seeds, situations
from tests.core.consent.proofs.layout import lay_out
from tests.core.consent.proofs.leaves import leaves_in_view
from tests.core.consent.proofs.test_markers import MARKER, _markers
from tests.core.consent.proofs.vary import otherwise
from tests.core.document.desired import attached, reference


def _without(s: Situation) -> Situation:
    return _with_document(s, "never")


def _with_document(s: Situation, document: Literal["always", "never"] = "always") -> Situation:
    """The same partner, whose server takes no plans; and nobody is told that something is withheld."""
    whom = replace(s.whom, document=document, withheld_notice=False)
    rulebook = replace(s.rulebook, partners={**s.rulebook.partners, s.partner: whom})
    return replace(s, bench=replace(s.bench, rulebook=rulebook))


def _desired(s: Situation) -> Desired:
    return desire(s.bench, Subject("C-1", s.case, {}), s.partner, s.now)


def _files(found: Desired) -> dict[str, bytes]:
    """The two files; none where the view holds nothing that goes into a document."""
    return attached(found) if any(FHIR in json.dumps(m.resource, default=str) for m in found.made) else {}


@examples(2)
@given(situations(full=60), seeds())
def test_what_is_withheld_makes_no_difference_to_a_document(s: Situation, random: Random) -> None:
    """Byte-identical files, whatever the agency writes where the partner may not look."""
    s = _with_document(s)
    one, two = _desired(s), _desired(s.but(otherwise(s, random)))
    assert one.made == two.made
    assert _files(one) == _files(two)


@examples(2)
@given(situations(full=60))
def test_it_is_sound_passes_the_last_look_and_tells_nothing_withheld(s: Situation) -> None:
    """By both checkers, by the second reading of the rules, and by the markers in every leaf."""
    s = _with_document(s)
    found = _desired(s)
    # Generated dates may end before they begin: what is wrong with a record is wrong in a document too, and no more.
    plain = desire(_without(s).bench, Subject("C-1", s.case, {}), s.partner, s.now)
    assert {each.detail for each in found.wrong} == {each.detail for each in plain.wrong}
    payload = strict_json.dump({"entry": [m.resource for m in found.made]})
    assert last_look(payload, case=s.case, kept={}, rulebook=s.rulebook, partner=s.partner, now=s.now) is None
    if not (files := _files(found)):
        return
    assert reference(found).about
    whole = files[FHIR].decode() + "".join(pages(files[PDF]).flow)
    standing, seen = set(MARKER.findall(whole.casefold())), leaves_in_view(s)
    leaked = [
        spot.pointer
        for spot in lay_out(s.case).values()
        if (spot.pointer not in seen or spot.node.get("x-id"))
        and _markers(spot.value, spot.node) & standing
        and not (spot.collection == "consents" and spot.field == "notices")
    ]
    assert leaked == []
