"""The answer to a referral that came in: what its sender may not see makes no difference to what it is answered."""

from __future__ import annotations

import copy
import json
from dataclasses import fields
from random import Random
from typing import Any

from hypothesis import given

from adapter.core.referral.inward import WITHHELD
from adapter.core.referral.reply import Reply, reply
from tests.core.consent.proofs.amounts import examples
from tests.core.consent.proofs.generators import Situation, seeds, situation, situations
from tests.core.consent.proofs.leaves import leaves_in_view
from tests.core.consent.proofs.vary import otherwise

TOLD = [field.name for field in fields(Reply) if field.name not in ("unsaid", "begun", "case")]
"""All but what is for the coordinator alone, and for the last look."""


def inward(s: Situation, random: Random) -> Situation:
    """The situation with a referral that came in, of which the agency says all that it can."""
    case = copy.deepcopy(s.case)
    outcome = {
        "status": random.choice(["accepted", "accepted", "accepted", "rejected", "in-progress", "completed"]),
        "business_status": "scheduled", "reason": "Because of the MARKER one", "result": "It came to the MARKER two",
    }  # fmt: skip
    if random.randrange(2):
        del outcome["business_status"]
    record = {
        "id": "came-in", "direction": "in", "kind": "coordination", "status": outcome["status"],
        "services": [{"text": "Coordination"}], "outcome": outcome,
    }  # fmt: skip
    case.setdefault("referrals", []).append(record)
    case["enrolment"] = {**case.get("enrolment", {}), "status": random.choice(["waitlisted", "active"])}
    return s.but(case)


def answer(s: Situation, case: dict[str, Any]) -> Reply:
    dialect = s.bench.dialects[s.whom.referrals.dialect]
    return reply(s.bench, case, {}, "referrals/came-in", s.partner, s.now, dialect)


@examples(40)
@given(situations(), seeds())
def test_what_is_withheld_makes_no_difference_to_an_answer(s: Situation, random: Random) -> None:
    s = inward(s, random)
    other = otherwise(s, random)
    twin = next(r for r in other["referrals"] if r["id"] == "came-in")
    own = next(r for r in s.case["referrals"] if r["id"] == "came-in")
    # The business status answers the request itself, as the state does.
    twin.setdefault("outcome", {}).pop("business_status", None)
    twin["outcome"] |= {n: own["outcome"][n] for n in ("status", "business_status") if n in own["outcome"]}
    one, two = answer(s, s.case), answer(s, other)
    assert {name: getattr(one, name) for name in TOLD} == {name: getattr(two, name) for name in TOLD}


@examples(40)
@given(situations(), seeds())
def test_words_go_only_where_the_view_holds_them(s: Situation, random: Random) -> None:
    s = inward(s, random)
    place = next(n for n, r in enumerate(s.case["referrals"]) if r["id"] == "came-in")
    seen = leaves_in_view(s)
    told = answer(s, s.case)
    for name in ("reason", "result"):
        text = getattr(told, name)
        permitted = f"/referrals/{place}/outcome/{name}" in seen and not told.denied
        assert text == (s.case["referrals"][place]["outcome"][name] if permitted else "") or text == WITHHELD
        assert ("MARKER" in text) == permitted
    if "/enrolment/status" not in seen:
        assert told.parts == ("referrals",)


def test_the_situations_are_of_every_kind() -> None:
    """Some answers are denied, some say why, some follow the enrolment; some keep all of it back."""
    found = [answer(one, one.case) for seed in range(80) for one in [inward(situation(Random(seed)), Random(seed))]]
    assert any(each.denied for each in found)
    assert any("MARKER" in each.reason for each in found)
    assert any("enrolment" in each.parts for each in found)
    assert any(each.unsaid for each in found)
    assert "MARKER" not in json.dumps([each.business for each in found])
