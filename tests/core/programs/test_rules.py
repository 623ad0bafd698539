# ruff: noqa: E501  a table reads row by row
"""Each rule of each program, once where it holds and once where it is broken, by one change to a case that is whole."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.core.case import check
from tests.core.programs.cases import DAY, EARLY, ONTARIO, PERSON, WHOLE, WRAP, changed, found, read

Changes = dict[str, Any]
SERVICE = "care_plans/0/services/0"
V1 = "care_plans/p1/services/v1"
REFERRAL = {"id": "r2", "direction": "out", "kind": "service", "status": "requested", "services": [{"text": "x"}], "to": "organizations/clinic"}  # fmt: skip
WAITING = {"enrolment/status": "waitlisted", "referrals/+": REFERRAL}
INACTIVE = {"enrolment/status": "inactive", "enrolment/retention": {"until": "2027-06-30", "consent": "consents/c1"}}
BACK = {"enrolment/status_history/+": {"status": "inactive", "from": "2026-10-01"}}
AGAIN = {"enrolment/status_history/+": {"status": "intake", "from": "2026-10-20"}}
TIER_1 = {"enrolment/tier": 1, "care_plans/0/status": "inactive", "contacts/+": {"id": "k2", "kind": "check-in", "status": "held", "on": DAY}}  # fmt: skip
TIER_3 = {
    "enrolment/tier": 3, "enrolment/funding": [{"kind": "complex-special-needs"}],
    "contacts/+": {"id": "k3", "kind": "team-meeting", "status": "held", "on": DAY},
}  # fmt: skip
RISK = {"id": "q1", "text": "Runs", "who_watches": "people/aunt", "what_helps": "The rink"}
AWAY = {"child/placement": {"kind": "foster-care", "at_intake": "group-care", "least_restrictive": "kin"}}
REUNION = {"care_plans/0/sections/+": {"id": "re", "code": "reunification", "text": "Home by June"}}
NEW = {
    "status_history": [{"status": "intake", "from": "2026-11-16"}],
    "status": "active",
    "first_contact": "2026-11-10",
}

# Rule, what makes it hold (beside the whole case), what breaks it then, as which kind, and where.
Row = tuple[str, Changes, Changes, str, str]
EVERY: list[Row] = [
    ("enrolment-recorded", {}, {"enrolment": None}, "missing", "enrolment"),
    ("referral-answered", {"referrals/+": {**REFERRAL, "respond_by": "2026-11-20", "status": "accepted"}},
     {"referrals/1/status": "received"}, "overdue", "referrals/r2"),
    ("our-answer-given", {"referrals/0/respond_by": "2026-11-25"}, {"referrals/0/status": "received"}, "due", "referrals/r1"),
    ("hand-over-met", {"referrals/+": {**REFERRAL, "warm": True, "status": "accepted", "handover": {"meeting": "2026-11-09"}},
                       "contacts/0/with": ["organizations/clinic"]},
     {"contacts/0/with": ["people/mother"]}, "overdue", "referrals/r2"),
    ("check-in-held", {}, {"contacts/0/on": "2026-10-01"}, "overdue", "enrolment"),
    ("missed-check-in-made-up", {"contacts/+": {"id": "k9", "kind": "check-in", "status": "missed", "on": "2026-11-09"}},
     {"contacts/-1/on": "2026-11-12"}, "warning", "contacts/k9"),
    ("planned-contact-settled", {"contacts/+": {"id": "k9", "kind": "home-visit", "status": "held", "on": "2026-11-20T10:00:00-05:00"}},
     {"contacts/-1/status": "planned"}, "overdue", "contacts/k9"),
    ("goal-day-kept", {}, {"goals/0/due": "2026-11-20"}, "overdue", "goals/g1"),
    ("goal-step-day-kept", {"goals/0/steps/0/due": "2026-11-20", "goals/0/steps/0/status": "done"},
     {"goals/0/steps/0/status": "planned"}, "overdue", "goals/g1/steps/s1"),
    ("transition-step-day-kept", {"care_plans/0/transitions": [{"id": "t", "kind": "other", "steps": [
        {"id": "s", "text": "x", "due": "2026-11-24", "status": "stopped"}]}]},
     {"care_plans/0/transitions/0/steps/0/status": "in-progress"}, "due", "care_plans/p1/transitions/t/steps/s"),
    ("assessment-repeated", {"assessments/0/next_due": "2026-11-01", "assessments/+": {"id": "a3", "kind": "intake", "on": DAY}},
     {"assessments/2/kind": "screening"}, "overdue", "assessments/a1"),
]  # fmt: skip
ONTARIO_CSP: list[Row] = [
    ("eligible-by-age", {"child/birth_date": "2007-05-04"}, {"child/school/enrolled": False}, "warning", "child"),
    ("cycle-1-referral", {}, {"referrals/0/direction": "out"}, "missing", "referrals"),
    ("cycle-2-intake-assessed", {}, {"assessments": []}, "missing", "assessments"),
    ("cycle-2-intensity-assessed", {}, {"enrolment/intensity": None}, "missing", "enrolment"),
    ("cycle-3-strengths-identified", {}, {"strengths": []}, "missing", "strengths"),
    ("cycle-3-needs-identified", {}, {"needs": [], "goals/0/needs": [], f"{SERVICE}/needs": []}, "missing", "needs"),
    ("cycle-4-coordinator-assigned", {"enrolment/status": "intake"}, {"enrolment/coordinator": None}, "missing", "enrolment"),
    ("coordinator-before-goals", {"goals/0/on": "2026-08-25"}, {"goals/0/on": "2026-08-24"}, "warning", "goals/g1"),
    ("cycle-5-goals-set", {}, {"goals/0/status": "cancelled"}, "missing", "goals"),
    ("goals-ranked-by-family", {}, {"goals/0/rank": None}, "missing", "goals/g1"),
    ("family-decides-on-goals", {}, {"goals/0/acceptance/0/decision": "disagree"}, "warning", "goals/g1"),
    ("cycle-6-team-identified", {}, {"care_teams/0/status": "inactive"}, "missing", "care_teams"),
    ("family-on-team", {}, {"care_teams/0/members": [{"member": "providers/coord", "role": "coordinator"}]}, "missing", "care_teams/t1"),
    ("cycle-7-plan-developed", {}, {"care_plans/0/status": "draft"}, "missing", "care_plans"),
    ("plan-names-every-service", {}, {"care_plans/0/services": []}, "missing", "needs/n1"),
    ("services-meet-goals", {f"{SERVICE}/goals": None}, {f"{SERVICE}/needs": None}, "missing", V1),
    ("cycle-8-plan-shared-with-family", {}, {"care_plans/0/signatures": []}, "missing", "care_plans/p1"),
    ("cycle-8-family-asked-about-sharing", {}, {"consents/0/status": "draft"}, "missing", "consents"),
    ("plan-reviewed-every-six-months", {}, {"care_plans/0/reviews/last": "2026-05-20"},
     "overdue", "care_plans/p1"),
    ("cycle-9-goals-revisited", {}, {"goals/0/progress": [], "goals/0/acceptance/0/on": "2026-05-01"}, "overdue", "goals/g1"),
    ("cycle-9-services-monitored", {}, {f"{SERVICE}/received/on": "2026-05-01"}, "overdue", V1),
    ("transition-prepared", {"care_plans/0/transitions": [{"id": "t", "kind": "high-school", "steps": [{"id": "s", "text": "x"}]}]},
     {"care_plans/0/transitions/0/steps": []}, "missing", "care_plans/p1/transitions/t"),
    ("tier-recorded", {}, {"enrolment/tier": None}, "missing", "enrolment"),
    ("tier-1-has-no-formal-plan", TIER_1, {"care_plans/0/status": "active"}, "warning", "care_plans"),
    ("tier-1-two-check-ins", TIER_1, {"contacts/1/status": "planned"}, "missing", "contacts"),
    ("check-in-held", {"enrolment/check_ins": None, "contacts/0/on": "2026-09-21"}, {"contacts/0/on": "2026-08-20"}, "overdue", "enrolment"),
    ("tier-2-plan-updated-yearly", {}, {"care_plans/0": {"id": "p1", "status": "active", "period": {"start": "2025-10-01"}}},
     "overdue", "care_plans/p1"),
    ("tier-3-team-meets", TIER_3, {"contacts/1/on": "2026-05-20"}, "overdue", "enrolment"),
    ("tier-3-funding-considered", TIER_3, {"enrolment/funding": []}, "missing", "enrolment"),
    ("tier-3-risks-watched", {**TIER_3, "risks": [RISK]}, {"risks/0/who_watches": None}, "missing", "risks/q1"),
    ("waitlist-first-contact", WAITING, {"enrolment/first_contact": None}, "missing", "enrolment"),
    ("waitlist-re-engaging-first", {**WAITING, **BACK, "enrolment/waitlist": {"priority": "re-engaging"}},
     {"enrolment/waitlist/priority": "none"}, "warning", "enrolment"),
    ("waitlisted-family-not-held-back", WAITING, {"referrals/1/status": "cancelled"}, "missing", "enrolment"),
    ("inactive-file-kept-with-consent", INACTIVE, {"consents/0/status": "revoked"}, "missing", "enrolment"),
    ("inactive-file-until", INACTIVE, {"enrolment/retention/until": "2026-11-01"}, "overdue", "enrolment"),
    ("back-without-new-intake", BACK, AGAIN, "warning", "enrolment"),
    ("discharge-recorded", {"enrolment/status": "discharged", "enrolment/discharge": {"on": DAY, "reason": "moved"}},
     {"enrolment/discharge/reason": None}, "missing", "enrolment"),
]  # fmt: skip
EARLY_INTERVENTION: list[Row] = [
    ("eligible-by-age", {"child/birth_date": "2024-06-01"}, {"child/birth_date": "2024-05-01"}, "due", "child"),
    ("eligibility-recorded", {}, {"enrolment/eligibility": None}, "missing", "enrolment"),
    ("coordinator-from-first-contact", {"enrolment/status": "referred"}, {"enrolment/coordinator": None}, "missing", "enrolment"),
    ("single-point-of-contact", {"care_teams/0/members/+": {"member": "providers/coord", "role": "primary-provider"}},
     {"care_teams/0/members/+": {"member": "providers/nurse", "role": "coordinator"}}, "warning", "enrolment"),
    ("same-coordinator-until-transition",
     {"enrolment/coordinator_history/+": {"who": "providers/nurse", "to": "2026-10-01", "asked_by": "people/mother"}},
     {"enrolment/coordinator_history/1/asked_by": None}, "warning", "enrolment"),
    ("responsibility-1-evaluations", {}, {"assessments/1/on": None}, "missing", "assessments"),
    ("responsibility-2-plan-developed", {}, {"care_plans": []}, "missing", "care_plans"),
    ("responsibility-2-plan-reviewed", {}, {"care_plans/0/reviews/last": "2026-05-20"}, "overdue", "care_plans/p1"),
    ("responsibility-2-plan-evaluated", {"care_plans/0/period/start": "2025-10-01", "contacts/0/kind": "annual-meeting"},
     {"contacts/0/kind": "home-visit"}, "overdue", "care_plans/p1"),
    ("responsibility-3-providers-identified", {f"{SERVICE}/provider": None}, {f"{SERVICE}/organization": None}, "missing", V1),
    ("responsibility-4-delivery-monitored", {}, {f"{SERVICE}/received": None, f"{SERVICE}/start": "2026-04-01",
                                                "care_plans/0/period/start": "2026-04-01"}, "overdue", V1),
    ("responsibility-5-advocacy-offered", {"enrolment/safeguards/0/what": "Garanties, et défense des droits"},
     {"enrolment/safeguards/0/what": "Garanties"}, "missing", "enrolment"),
    ("responsibility-6-medical-providers", {"care_teams/0/members": []}, {f"{SERVICE}/organization": "organizations/school"},
     "missing", "care_teams"),
    ("responsibility-7-transition-planned",
     {"child/birth_date": "2024-02-01", "care_plans/0/transitions": [{"id": "t", "kind": "preschool"}]},
     {"care_plans/0/transitions/0/kind": "other"}, "overdue", "child"),
    ("safeguards-given", {}, {"enrolment/safeguards": []}, "missing", "enrolment"),
    ("safeguards-say-when-and-to-whom", {}, {"enrolment/safeguards/0/to": None}, "missing", "enrolment/safeguards"),
    ("natural-environment-or-why-not", {f"{SERVICE}/natural_environment": False, f"{SERVICE}/why_not_natural": "The pool"},
     {f"{SERVICE}/why_not_natural": None}, "missing", V1),
]  # fmt: skip
PERSON_CENTRED: list[Row] = [
    ("cycle-1-assessment", {}, {"goals/0/set_by": None}, "missing", "needs"),
    ("cycle-2-planning", {}, {"care_plans/0/services": []}, "missing", "care_plans"),
    ("cycle-3-implementation", {"care_plans/0/period/start": "2026-08-01"},
     {f"{SERVICE}/status": "waiting", "care_plans/0/services/1/status": "planned"}, "overdue", "care_plans/p1"),
    ("cycle-4-evaluation", {"care_plans/0/reviews": {"last": "2025-12-31"}, "contacts/1/kind": "home-visit"},
     {"care_plans/0/reviews/every": "P3M"}, "overdue", "care_plans/p1"),
    ("annual-meeting", {}, {"contacts/1/on": "2025-11-20"}, "overdue", "enrolment"),
    ("ended-service-evaluated", {f"{SERVICE}/status": "ended", f"{SERVICE}/outcome": "Rides"}, {f"{SERVICE}/outcome": None}, "missing", V1),
    ("whole-life", {}, {"strengths/0/domain": "culture"}, "missing", "needs"),
    ("person-heard", {"care_plans/0/about_me": "x"}, {"care_plans/0/about_me": None, "care_plans/0/vision": None},
     "missing", "care_plans/p1"),
    ("natural-supports-next-to-public", {},
     {"care_plans/0/services/1/provider": "providers/nurse", "care_plans/0/services/1/formal": True}, "missing", "care_plans/p1"),
    ("public-next-to-natural-supports", {}, {f"{SERVICE}/formal": False}, "missing", "care_plans/p1"),
    ("every-need-referred", {"needs/+": {"id": "n2", "text": "x"}, "referrals/+": {**REFERRAL, "reasons": [{"need": "needs/n2"}]}},
     {"referrals/1/reasons": []}, "missing", "needs/n2"),
    ("self-coordination-asked", {}, {"enrolment/coordinator": "providers/coord"}, "missing", "enrolment"),
    ("coordination-by-someone", {}, {"enrolment/coordinator": None}, "missing", "enrolment"),
    ("service-receipt-checked", {}, {f"{SERVICE}/received/on": "2026-04-01"}, "overdue", V1),
    ("service-not-received", {}, {f"{SERVICE}/received": {"is": "partly", "on": DAY, "barrier": "x"}}, "warning", V1),
    ("barrier-named", {f"{SERVICE}/received": {"is": "no", "on": DAY, "barrier": "x"}}, {f"{SERVICE}/received/barrier": None}, "missing", V1),
]  # fmt: skip
WRAPAROUND: list[Row] = [
    ("intake-dated", {"enrolment/first_contact": None}, {"enrolment/status_history": [], "assessments": []}, "missing", "enrolment"),
    ("team-within-two-weeks", {"enrolment": NEW}, {"care_teams": [], "enrolment/status_history/0/from": "2026-11-06"}, "overdue", "care_teams"),
    ("team-of-natural-and-formal-supports", {},
     {"care_teams/0/members/1/until": "2026-11-20"}, "missing", "care_teams/t1"),
    ("plan-within-two-weeks", {"care_plans/0/status": "active"},
     {"enrolment": NEW, "care_plans/0/status": "draft", "enrolment/status_history/0/from": "2026-11-07"}, "due", "care_plans"),
    ("initial-assessments", {"assessments/0/kind": "screening", "documents": [{"id": "d", "type": "intake-form", "title": "x"}]},
     {"documents": []}, "missing", "assessments"),
    ("plan-reviewed-every-30-days", {"care_plans/0/reviews/last": "2026-11-10"}, {"care_plans/0/reviews/last": "2026-10-21"},
     "overdue", "care_plans/p1"),
    ("goal-specific", {"goals/0/steps": []}, {"goals/0/text": None}, "missing", "goals/g1"),
    ("goal-measurable", {}, {"goals/0/target": None}, "missing", "goals/g1"),
    ("goal-attainable", {}, {"goals/0/attainable": None}, "missing", "goals/g1"),
    ("goal-relevant", {}, {"goals/0/relevance": None}, "missing", "goals/g1"),
    ("goal-time-bound", {}, {"goals/0/due": None}, "missing", "goals/g1"),
    ("goal-observable", {"goals/0/progress": []}, {"goals/0/baseline": None}, "missing", "goals/g1"),
    ("goal-steps-observable", {}, {"goals/0/steps/0/responsible": None}, "missing", "goals/g1/steps/s1"),
    ("reunification-plan", {**AWAY, **REUNION}, {"care_plans/0/sections": []}, "missing", "care_plans"),
    ("away-without-permission", AWAY, {"child/placement/kind": "away-without-permission"}, "warning", "child"),
    ("least-restrictive-setting", AWAY, {"child/placement/least_restrictive": None}, "missing", "child"),
    ("several-life-domains", {}, {"needs/0/domain": "family"}, "missing", "needs"),
    ("from-formal-to-informal", {"care_plans/0/period/start": "2026-08-01"}, {"care_plans/0/services/1/status": "ended"},
     "overdue", "care_plans/p1"),
    ("informal-share-grows",
     {"care_plans/+": {"id": "p0", "status": "superseded", "services": [{"id": "v", "text": "x", "status": "ended", "formal": False}]},
      "care_plans/0/supersedes": "care_plans/p0"},
     {"care_plans/0/services/1/formal": True}, "warning", "care_plans/p1"),
    ("linked-to-community", {"goals/0/steps": [], "referrals/+": REFERRAL}, {"referrals/1/direction": "in"}, "missing", "care_plans"),
]  # fmt: skip
TABLE = [
    *((ONTARIO, row) for row in ONTARIO_CSP),
    *((EARLY, row) for row in EARLY_INTERVENTION),
    *((PERSON, row) for row in PERSON_CENTRED),
    *((WRAP, row) for row in WRAPAROUND),
    *((whole, row) for whole in (ONTARIO, EARLY, PERSON, WRAP) for row in EVERY),
]


def told(case: dict[str, Any], rule: str) -> set[tuple[str, str]]:
    assert check(case, read().schemas) == []
    return {(f.kind, f.path) for f in found(case) if f.rule == rule}


@pytest.mark.parametrize(
    ("whole", "row"), TABLE, ids=lambda x: x["program"] if isinstance(x, dict) else f"{x[0]} holds"
)
def test_a_rule_that_holds_tells_nothing(whole: dict[str, Any], row: Row) -> None:
    rule, holding, *_ = row
    assert told(changed(whole, holding), rule) == set()


@pytest.mark.parametrize(
    ("whole", "row"), TABLE, ids=lambda x: x["program"] if isinstance(x, dict) else f"{x[0]} broken is {x[3]}"
)
def test_a_rule_that_is_broken_is_told_with_its_place(whole: dict[str, Any], row: Row) -> None:
    rule, holding, breaking, kind, path = row
    assert told(changed(changed(whole, holding), breaking), rule) == {(kind, path)}


@pytest.mark.parametrize("program", WHOLE)
def test_every_rule_of_the_program_is_in_the_table(program: str) -> None:
    rules = {rule.id for rule in read().programs[program].rules}
    assert rules == {row[0] for whole, row in TABLE if whole["program"] == program}


@pytest.mark.parametrize("program", WHOLE)
def test_a_whole_case_is_asked_for_nothing(program: str) -> None:
    assert found(WHOLE[program]) == ()


# What the specification asks of each program (records.md, *Programs*), and the rules that work it out.
ASKED = {
    ("ontario-csp", "nine-step cycle"): [
        "cycle-1-referral", "cycle-2-intake-assessed", "cycle-3-strengths-identified", "cycle-4-coordinator-assigned",
        "cycle-5-goals-set", "cycle-6-team-identified", "cycle-7-plan-developed", "cycle-8-plan-shared-with-family",
        "cycle-9-services-monitored",
    ],
    ("ontario-csp", "waitlist by first contact with its priorities"): ["waitlist-first-contact", "waitlist-re-engaging-first"],
    ("ontario-csp", "coordinator assigned before goals are set"): ["coordinator-before-goals"],
    ("ontario-csp", "goals ranked by the family"): ["goals-ranked-by-family"],
    ("ontario-csp", "plan reviewed at least every six months, more often around transitions"): ["plan-reviewed-every-six-months"],
    ("ontario-csp", "at tier 2 also updated at least yearly"): ["tier-2-plan-updated-yearly"],
    ("ontario-csp", "tier rules"): ["tier-1-has-no-formal-plan", "tier-1-two-check-ins", "check-in-held", "tier-3-team-meets"],
    ("ontario-csp", "the plan names every service needed"): ["plan-names-every-service"],
    ("ontario-csp", "inactive files kept with consent"): ["inactive-file-kept-with-consent", "inactive-file-until"],
    ("ontario-csp", "re-entered without a new intake"): ["back-without-new-intake"],
    ("ontario-csp", "age limits"): ["eligible-by-age"],
    ("early-intervention", "one coordinator as single point of contact"): ["single-point-of-contact"],
    ("early-intervention", "the same from first contact through transition"): [
        "coordinator-from-first-contact", "same-coordinator-until-transition"],
    ("early-intervention", "seven responsibilities"): [
        "responsibility-1-evaluations", "responsibility-2-plan-developed", "responsibility-3-providers-identified",
        "responsibility-4-delivery-monitored", "responsibility-5-advocacy-offered", "responsibility-6-medical-providers",
        "responsibility-7-transition-planned",
    ],
    ("early-intervention", "procedural safeguards given (on, to)"): ["safeguards-given", "safeguards-say-when-and-to-whom"],
    ("person-centred", "assessment, planning, implementation and evaluation as a cycle"): [
        "cycle-1-assessment", "cycle-2-planning", "cycle-3-implementation", "cycle-4-evaluation"],
    ("person-centred", "whole life areas"): ["whole-life"],
    ("person-centred", "natural supports next to public resources"): [
        "natural-supports-next-to-public", "public-next-to-natural-supports"],
    ("person-centred", "self-coordination"): ["self-coordination-asked"],
    ("person-centred", "whether each service was actually received"): ["service-receipt-checked", "service-not-received"],
    ("wraparound", "team within two weeks of intake"): ["team-within-two-weeks"],
    ("wraparound", "of natural and formal supports"): ["team-of-natural-and-formal-supports"],
    ("wraparound", "SMART in all five respects and observable"): [
        "goal-specific", "goal-measurable", "goal-attainable", "goal-relevant", "goal-time-bound", "goal-observable"],
    ("wraparound", "service plan within two weeks, reviewed at least every 30 days"): [
        "plan-within-two-weeks", "plan-reviewed-every-30-days"],
    ("wraparound", "reunification plan"): ["reunification-plan"],
    ("wraparound", "life domains"): ["several-life-domains"],
    ("wraparound", "services moving from formal to informal"): ["from-formal-to-informal", "informal-share-grows"],
    ("every program", "referrals overdue, check-ins missed"): ["referral-answered", "check-in-held", "missed-check-in-made-up"],
}  # fmt: skip


@pytest.mark.parametrize(("asked", "rules"), ASKED.items(), ids=lambda x: ": ".join(x) if isinstance(x, tuple) else "")
def test_what_the_specification_asks_has_a_rule(asked: tuple[str, str], rules: list[str]) -> None:
    for program in WHOLE if asked[0] == "every program" else [asked[0]]:
        assert set(rules) <= {rule.id for rule in read().programs[program].rules}
