"""What the proofs have found: each a small case that once was decided wrongly, one sentence each."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.core.consent.rules import compile_rules
from adapter.core.consent.view import view
from tests.core.consent import builders

ASSESSED = [{"capable": True, "assessed_by": "Dr. Tran", "assessed_on": "2026-08-01"}]


def _confirmed(by: str, **child: Any) -> dict[str, Any]:
    """A permit to all of 1 September, and Northstar, connected on 1 October, confirmed by `by` on 10 October."""
    case = builders.case()
    case["child"] |= child
    permit = case["consents"][0]["provisions"][0]
    permit |= {"to": ["all"], "purposes": "all", "confirmed": [{"partner": "northstar", "by": by, "on": "2026-10-10"}]}
    return case


def _northstar_sees(case: dict[str, Any]) -> bool:
    return bool(view(case, compile_rules(case, builders.rulebook()), "northstar", builders.NOW).case)


@pytest.mark.parametrize(
    ("case", "sees"),
    [
        pytest.param(_confirmed("people/mother"), True, id="a decision maker confirms a later partner"),
        pytest.param(_confirmed("child"), False, id="a child of ten, capacity not on record, confirms nobody"),
        pytest.param(_confirmed("child", decision_making=ASSESSED), True, id="a child on record as capable does"),
        pytest.param(_confirmed("people/grandmother"), False, id="a grandmother who decides nothing confirms nobody"),
    ],
)
def test_a_later_partner_waits_for_the_confirmation_of_somebody_who_may_permit(
    case: dict[str, Any], sees: bool
) -> None:
    """consent.md, *A provision*, "later partners wait for the family's confirmation", by rules 2 and 6."""
    assert _northstar_sees(case) is sees


def test_a_confirmation_given_before_the_authority_began_is_none() -> None:
    """Rule 2: "given by someone with authority both then and now"."""
    case = _confirmed("people/grandmother")
    grandmother = next(p for p in case["people"] if p["id"] == "grandmother")
    grandmother |= {"decision_maker": True, "since": "2026-10-20"}
    assert not _northstar_sees(case)
    grandmother["since"] = "2026-10-01"
    assert _northstar_sees(case)


def test_a_parent_does_not_widen_what_a_young_person_permitted() -> None:
    """Rule 6: from the age of own consent "the young person's consents are the only ones that permit"."""
    case = _confirmed("people/mother", birth_date="2009-05-04")
    case["consents"][0] |= {"granted_by": "child", "authority": "self"}
    assert not _northstar_sees(case)
    case["consents"][0]["provisions"][0]["confirmed"][0]["by"] = "child"
    assert _northstar_sees(case)


def test_a_child_who_comes_of_age_after_the_last_year_there_is_has_not_come_of_age() -> None:
    """Rule 6 with a birth date that nobody can have: the parents permit, and nothing breaks."""
    assert _northstar_sees(_confirmed("people/mother", birth_date="9999-12-31"))


@pytest.mark.parametrize(
    ("goal", "sees"),
    [
        pytest.param("g1", False, id="a goal about nothing sensitive stays denied"),
        pytest.param("g2", True, id="the goal about mental health is carved out"),
    ],
)
def test_an_exception_that_names_topics_carves_out_only_what_is_about_them(goal: str, sees: bool) -> None:
    """consent.md, *A provision*: an exception "only carves out of it"; what is about no topic is not about those."""
    case = builders.case()
    consent = case["consents"][0]
    consent["provisions"][0]["topics"] = ["mental-health"]
    exception = {"id": "x", "effect": "permit", "topics": ["mental-health"]}
    deny = {"id": "d", "effect": "deny", "records": ["goals/g1", "goals/g2"], "except": [exception]}
    consent["provisions"].append(deny)
    seen = view(case, compile_rules(case, builders.rulebook()), "lakeside", builders.NOW)
    assert (f"goals/{goal}" in seen.labels) is sees


def test_a_consent_that_cannot_be_computed_carves_nothing_out_of_its_denials() -> None:
    """*Not computable*: "such a consent never permits; what it may deny is denied": so do its exceptions."""
    case = builders.case()
    exception = {"id": "x", "effect": "permit", "parts": ["strengths"]}
    deny = {
        "id": "d",
        "effect": "deny",
        "to": ["partners/lakeside"],
        "parts": ["strengths", "needs"],
        "except": [exception],
    }
    second = {**case["consents"][0], "id": "c2", "provisions": [deny]}
    case["consents"].append(second)
    rulebook = builders.rulebook()
    assert "strengths/kind" in view(case, compile_rules(case, rulebook), "lakeside", builders.NOW).labels
    second["provisions"] = [deny, {"id": "p", "effect": "permit", "to": ["all"], "parts": "all", "topics": ["sorcery"]}]
    assert "strengths/kind" not in view(case, compile_rules(case, rulebook), "lakeside", builders.NOW).labels
