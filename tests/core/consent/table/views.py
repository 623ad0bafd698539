"""What a view is: closed, worth sharing, named, numbered, with the partner's own consent."""

# ruff: noqa: E501  A row is one line, so that the table can be read down its sentences.

from __future__ import annotations

from dataclasses import replace

from adapter.core.partner import Partner
from tests.core.consent.builders import PARTNERS
from tests.core.consent.changes import also, both, consent, denied, instead, nothing, permission, permit, put, referral
from tests.core.consent.table.rows import EMPTY, G1, HOSPITAL, PLAN, RAW, SEAT, WHOLE, Row

FAMILY_TOO = permission(parts=["identity", "family", "goals", "plan", "team"])
CLOSURE = [
    Row("A reference to a withheld need is gone, the goal stays", nothing, equal={"goals/g1/needs": ["needs/words"]}),
    Row("A plan names only the goals that are seen", nothing, equal={f"{PLAN}/goals": ["goals/g1", "goals/g3"]}),
    Row("Where no need is seen, the goal names none", denied(parts=["needs"]), G1, ("goals/g1/needs", "needs")),
    Row("A signature goes with the person who signed", nothing, (f"{PLAN}/vision",), (f"{PLAN}/signatures",)),
    Row("With the family seen, the signature is there", FAMILY_TOO, (f"{PLAN}/signatures/sig", "people/mother")),
    Row("A referral shares the service that is seen, and does not name the one that is withheld", both(referral(shares=[f"{PLAN}/services/speech", f"{PLAN}/services/talk"]), put(f"{PLAN}/services/speech", organization=None)), (f"{PLAN}/services/speech",), (f"{PLAN}/services/talk",), to="riverside", equal={"referrals/ask/shares": [f"{PLAN}/services/speech"]}),
    Row("A plan does not point to a team that is not seen", nothing, (PLAN,), (f"{PLAN}/team", "care_teams")),
    Row("A seat goes with the member who is denied", both(FAMILY_TOO, denied(records=["people/mother"])), (SEAT,), ("care_teams/team/members/m1", "people/mother")),
]  # fmt: skip

REQUIRED = [
    Row("A goal without its title is no goal: nothing of it is seen", put("goals/g3", due="2027-06-01"), ("child",), ("goals/g3",), book=RAW),
    Row("A person without a name is nobody", permission(parts=["identity", "team"]), ("care_teams/team",), ("people",)),
    Row("Without the child's name there is no view", permission(parts=["contact", "goals"]), (), EMPTY),
    Row("A service is seen with its code alone", put(f"{PLAN}/services/speech", text=None), (f"{PLAN}/services/speech/code",)),
    Row("Of a coordinator from the society the time is not seen either: who it was is withheld", both(permission(parts=["identity", "enrolment"]), put("enrolment", coordinator_history=[{"who": "providers/caseworker", "from": "2026-02-03"}, {"who": "providers/coordinator", "from": "2026-05-04"}])), ("enrolment/tier",), ("enrolment/coordinator_history/1",), says=("2026-05-04",), hides=("2026-02-03",)),
    Row("A service without a code, whose words are withheld, is no service", put(f"{PLAN}/services/speech", code=None), ("child",), (f"{PLAN}/services",), book=RAW),
]  # fmt: skip

CONTAINERS = [
    Row("A service is seen without the plan around it", permission(parts=["identity", "services"]), (f"{PLAN}/services/speech",), (f"{PLAN}/vision", f"{PLAN}/status", f"{PLAN}/sections")),
    Row("The crisis plan is seen without the plan around it", permission(parts=["identity", "crisis"]), (f"{PLAN}/sections/crisis",), (f"{PLAN}/vision", f"{PLAN}/sections/about")),
    Row("A transition is seen with its steps, without the plan around it", permission(parts=["identity", "transition"]), (f"{PLAN}/transitions/high/steps/visit",), (f"{PLAN}/title",)),
    Row("The plan is seen without its services", permission(parts=["identity", "plan"]), (f"{PLAN}/vision", f"{PLAN}/sections/about"), (f"{PLAN}/services",)),
    Row("Where nothing of it is permitted, there is no plan", permission(parts=["identity", "goals"]), G1, ("care_plans",)),
    Row("The program goes with the enrolment", permission(parts=["identity", "enrolment"]), ("program", "enrolment/tier")),
    Row("Without the enrolment nobody learns the program", nothing, ("child",), ("program", "enrolment")),
]  # fmt: skip

STAND_IN = [
    Row("A family member stands in for a mother whom the part family withholds: who agreed", nothing, equal={"goals/g1/acceptance/0/by": "family"}),
    Row("And who takes a step", nothing, equal={"goals/g1/steps/s2/responsible": "family"}),
    Row("And on the team", permission(parts=["identity", "team"]), equal={"care_teams/team/members/m1/member": "family"}),
    Row("With the family seen, she is named", FAMILY_TOO, equal={"goals/g1/steps/s2/responsible": "people/mother"}),
    Row("Nobody stands in for a person who was denied by record", denied(records=["people/mother"]), ("goals/g1/steps/s2",), ("goals/g1/acceptance", "goals/g1/steps/s2/responsible")),
    Row("Nobody stands in for a person who is sensitive", put("people/mother", relationship="foster-parent"), ("goals/g1/steps/s2",), ("goals/g1/acceptance", "goals/g1/steps/s2/responsible")),
    Row("Nobody stands in for a person whom the exception of a permit leaves out by record", permission(**{"except": [{"id": "p1x", "effect": "deny", "records": ["people/mother"]}]}), ("goals/g1/steps/s2",), ("goals/g1/acceptance", "goals/g1/steps/s2/responsible")),
    Row("Nobody stands in for whoever signed", nothing, (PLAN,), (f"{PLAN}/signatures",)),
]  # fmt: skip

NAMES = [
    Row("The clinic that gives a service is named with its sector, no more", nothing, ("organizations/birch/name", "organizations/birch/sector"), ("organizations/birch/identifiers",)),
    Row("The therapist who takes a step is named, without a telephone", nothing, ("providers/speech/name",), ("providers/speech/telecoms", "providers/speech/profession")),
    Row("With the part team, the telephone too", permission(parts=["identity", "goals", "team"]), ("providers/speech/telecoms",)),
    Row("An organization to which nothing permitted refers is not named", nothing, ("organizations/birch",), ("organizations/riverside", "organizations/lakeside"), hides=("Riverside",)),
    Row("A clinic denied by record is not named, and the service stays", denied(records=["organizations/birch"]), (f"{PLAN}/services/speech",), ("organizations/birch", f"{PLAN}/services/speech/organization")),
    Row("Where the step is not permitted, nor is the name of who takes it", permission(parts=["identity", "needs"]), ("needs/words",), ("providers",), hides=("Montgomery",)),
]  # fmt: skip

CAMP, CARD, NUMBER, CHART = "CAMP-31-A", "9988-776-655-XK", "SN-445566", "MV-1042-77"
WIDER: dict[str, Partner] = {**PARTNERS, "lakeside": replace(PARTNERS["lakeside"], audience=("health-card",))}
IDENTIFIERS = [
    Row("A school is told the school number, and no health card", WHOLE, says=(NUMBER, CAMP), hides=(CARD,)),
    Row("A hospital is told the health card, and no school number", instead(permit(to="partners/riverside", purposes="treatment", parts="all")), says=(CARD, CAMP), hides=(NUMBER,), to="riverside"),
    Row("A hospital is not told the health card where the part health is not permitted", instead(HOSPITAL), ("child",), says=(CAMP,), hides=(CARD,), to="riverside"),
    Row("The agency's own numbers are told to nobody", WHOLE, ("child",), ("case",), hides=(CHART, "C-2077-AMA")),
    Row("A partner file may widen whom a number is told, with its authority", WHOLE, says=(CARD,), book={"partners": WIDER}),
    Row("A wider audience is no consent: without the part health, no health card", nothing, ("child",), hides=(CARD,), book={"partners": WIDER}),
]  # fmt: skip

OWN = "consents/own"
OWN_RECORD = [
    Row("A partner gets its own consent and no other record of consents", nothing, (OWN,), ("consents/c1",), equal={f"{OWN}/status": "active"}),
    Row("It says what it is for", nothing, equal={f"{OWN}/purposes": ["education-planning"]}),
    Row("It says until when: the earliest end", also("c2", permit(parts=["crisis"]), period={"start": "2026-09-10", "end": "2026-12-31"}), equal={f"{OWN}/period/end": "2026-12-31"}),
    Row("Of two permits of the same the longer one counts, whichever is written first", instead(permit(period={"start": "2026-09-10", "end": "2026-12-08"}), permit(period={"start": "2026-09-10", "end": "2027-03-01"})), equal={f"{OWN}/period/end": "2027-03-01"}),
    Row("And whichever is written last", instead(permit(period={"start": "2026-09-10", "end": "2027-03-01"}), permit(period={"start": "2026-09-10", "end": "2026-12-08"})), equal={f"{OWN}/period/end": "2027-03-01"}),
    Row("It names no part of which nothing is seen", both(permission(parts=["identity", "goals", "documents"]), lambda case: case.pop("documents"), consent(document=None)), equal={f"{OWN}/parts": ["goals", "identity"]}),
    Row("It names no topic of which nothing is seen", permission(topics=["hiv"]), (OWN,), (f"{OWN}/topics",)),
    Row("It names the topics that are seen", permission(topics=["mental-health", "hiv"]), equal={f"{OWN}/topics": ["mental-health"]}),
    Row("It does not say who else receives, nor what was denied", both(permission(to=["partners/lakeside", "partners/riverside"]), denied(records=["goals/g3"])), G1, hides=("riverside", "deny", "goals/g3")),
    Row("It does not name a mother who is not seen", nothing, (OWN,), hides=("people/mother",)),
    Row("It names her where the family is seen", FAMILY_TOO, equal={f"{OWN}/granted_by": ["people/mother"]}),
    Row("The form that she signed is never shown, though documents are", WHOLE, ("documents/report",), ("documents/form",)),
]  # fmt: skip

RANKS = [
    Row("Ranks are counted anew over the goals that are seen", nothing, equal={"goals/g1/rank": 1, "goals/g3/rank": 2}),
    Row("With the second goal seen, the third is third", permission(topics=["mental-health"]), equal={"goals/g2/rank": 2, "goals/g3/rank": 3}),
    Row("With the first goal denied, the last is the first", denied(records=["goals/g1"]), equal={"goals/g3/rank": 1}),
    Row("Equal ranks are ordered by the partner's own identifiers", put("goals/g3", rank=1), equal={"goals/g1/rank": 1, "goals/g3/rank": 2}),
    Row("With other identifiers, in the other order", put("goals/g3", rank=1), equal={"goals/g1/rank": 2, "goals/g3/rank": 1}, tie=lambda path: path[::-1].replace("1", "9")),
]  # fmt: skip
