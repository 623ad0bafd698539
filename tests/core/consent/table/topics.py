"""Sensitive topics: from codes, from sectors, towards the partner itself, lifted; and unreviewed text."""

# ruff: noqa: E501  A row is one line, so that the table can be read down its sentences.

from __future__ import annotations

from tests.core.consent.builders import AGENCY
from tests.core.consent.changes import add, both, denied, instead, nothing, permission, permit, put, referral
from tests.core.consent.table.rows import G1, G2, G3, NORTHSTAR, PLAN, RAW, SEAT, WHOLE, Row

TOPIC_FROM_CODES = [
    Row("A need in the domain of mental health is about mental health", nothing, ("needs/words",), ("needs/worry",)),
    Row("Counselling is about mental health, whoever gives it", put(f"{PLAN}/services/talk", organization="organizations/birch"), (f"{PLAN}/services/speech",), (f"{PLAN}/services/talk",)),
    Row("It is seen where the topic is named", both(put(f"{PLAN}/services/talk", organization="organizations/birch"), permission(topics=["mental-health"])), (f"{PLAN}/services/talk",)),
    Row("The legal section is about justice", WHOLE, (f"{PLAN}/sections/crisis",), (f"{PLAN}/sections/court",)),
    Row("The legal section is seen with the family's part and justice named", permission(parts="all", topics=["justice"]), (f"{PLAN}/sections/court",)),
    Row("A psychological report is about mental health, whatever its title", both(WHOLE, add("documents", id="psych", type="psychological-report", title="Report of last June")), ("documents/report",), ("documents/psych",)),
    Row("A psychologist's record is about mental health", both(WHOLE, put("providers/speech", profession="psychologist")), ("providers/teacher",), ("providers/speech",)),
    Row("The seat of a child welfare worker is about child welfare", both(WHOLE, put(SEAT, role="child-welfare-worker")), ("care_teams/team/members/m1",), (SEAT,)),
    Row("A foster parent is about child welfare", both(WHOLE, put("people/grandmother", relationship="foster-parent")), ("people/mother",), ("people/grandmother",)),
    Row("Foster care reaches the whole placement, and with whom she lives", both(WHOLE, put("child", placement={"kind": "foster-care", "since": "2026-05-04"})), ("child/name",), ("child/placement", "child/lives_with")),
    Row("At home neither is sensitive", WHOLE, ("child/placement", "child/lives_with")),
    Row("Her pronouns are about gender identity, her communities about who is indigenous", WHOLE, ("child/name",), ("child/pronouns", "child/communities")),
    Row("A linked treatment plan is about mental health, the plan around it is not", both(WHOLE, add(f"{PLAN}/linked_plans", id="cure", kind="treatment-plan", title="T")), (f"{PLAN}/vision",), (f"{PLAN}/linked_plans",)),
]  # fmt: skip

OWN_SEAT = add("care_teams/team/members", id="m5", member="providers/counsellor", role="mental-health-worker")
TREATED = both(OWN_SEAT, put("child", school={"organization": "organizations/northstar", "grade": "5"}))
TOPIC_FROM_SECTORS = [
    Row("The seat of the children's aid society is withheld, the others are not", WHOLE, (SEAT, "care_teams/team/members/m4"), ("care_teams/team/members/m3",)),
    Row("Its worker and the society itself are withheld everywhere", WHOLE, ("organizations/birch",), ("organizations/harbour", "providers/caseworker"), hides=("Vandermeer", "Harbour")),
    Row("They are seen where child welfare is named", permission(parts="all", topics=["child-welfare"]), ("care_teams/team/members/m3", "organizations/harbour", "providers/caseworker")),
    Row("A need that a counsellor noticed is withheld whole", put("needs/words", identified_by="providers/counsellor"), (), ("needs/words",)),
    Row("A step that a counsellor takes is withheld, the goal is not", put("goals/g1/steps/s1", responsible="providers/counsellor"), ("goals/g1/steps/s2",), ("goals/g1/steps/s1",)),
    Row("A check-in with the caseworker is withheld whole", both(WHOLE, put("contacts/call", **{"with": ["providers/caseworker"]})), ("goals/g1",), ("contacts/call",)),
    Row("A service is withheld for who gives it, whatever its code", put(f"{PLAN}/services/speech", organization="organizations/northstar"), (f"{PLAN}/vision",), (f"{PLAN}/services/speech",)),
    Row("Of a school that is a treatment centre only the reference is withheld", both(WHOLE, TREATED), ("child/school/grade",), ("child/school/organization",)),
    Row("Of a coordinator from the society only the reference is withheld", both(WHOLE, put("enrolment", coordinator="providers/caseworker")), ("enrolment/tier",), ("enrolment/coordinator",)),
    Row("Nor is the reference seen where the topic is named for the team alone, and the centre itself is", both(instead(permit(parts=["identity", "education"]), permit(parts=["team"], topics=["mental-health"])), TREATED), ("child/school/grade", "organizations/northstar"), ("child/school/organization",)),
    Row("Both are seen where it is named for both", both(instead(permit(parts=["identity", "education", "team"], topics=["mental-health"])), TREATED), ("child/school/organization", "organizations/northstar")),
    Row("Of a referral that a caseworker asked for only the reference is withheld", both(referral(requested_by="providers/caseworker")), ("referrals/ask/services",), ("referrals/ask/requested_by",), to="riverside"),
]  # fmt: skip

ITSELF = [
    Row("A mental-health agency sees its own service without the topic", instead(NORTHSTAR), (f"{PLAN}/services/talk",), G2, to="northstar"),
    Row("It sees its own seat on the team", both(instead(NORTHSTAR), OWN_SEAT), ("care_teams/team/members/m5",), to="northstar"),
    Row("It sees the step that its counsellor takes", both(instead(NORTHSTAR), put("goals/g1/steps/s1", responsible="providers/counsellor")), ("goals/g1/steps/s1",), to="northstar"),
    Row("Nobody else sees that seat", both(WHOLE, OWN_SEAT), (SEAT,), ("care_teams/team/members/m5",)),
    Row("A label that a person set on its service stays", both(instead(NORTHSTAR), put(f"{PLAN}/services/talk", topics=["mental-health"])), (f"{PLAN}/services/speech",), (f"{PLAN}/services/talk",), to="northstar"),
    Row("Another agency's counselling stays withheld from it", both(instead(NORTHSTAR), put(f"{PLAN}/services/talk", organization="organizations/birch")), (f"{PLAN}/services/speech",), (f"{PLAN}/services/talk",), to="northstar"),
    Row("A need about mental health stays withheld from it", instead(NORTHSTAR), ("needs/words",), ("needs/worry",), to="northstar"),
    Row("The society's seat stays withheld from it", instead(NORTHSTAR), (SEAT,), ("care_teams/team/members/m3",), to="northstar"),
    Row("It sees its own referral", both(referral(to="organizations/northstar", services=[{"code": "counselling"}]), put("consents/ref/provisions/ref-0", to="partners/northstar")), ("referrals/ask",), to="northstar"),
]  # fmt: skip

OF_MENTAL_HEALTH = put("organizations/maple-valley", sector=["coordination", "mental-health"])
COORDINATION = "care_teams/team/members/m4"
COORDINATING_AGENCY = [
    Row("The coordinating agency makes nothing sensitive, whatever its sector", both(WHOLE, OF_MENTAL_HEALTH), (COORDINATION, "organizations/maple-valley")),
    Row("A service that it gives itself is not sensitive for that", both(WHOLE, OF_MENTAL_HEALTH, put(f"{PLAN}/services/speech", organization="organizations/maple-valley")), (f"{PLAN}/services/speech/organization",)),
    Row("Nor does its coordinator", both(WHOLE, OF_MENTAL_HEALTH), ("enrolment/coordinator", "providers/coordinator")),
    Row("The coordinator makes nothing sensitive, whatever her profession", both(WHOLE, put("providers/coordinator", profession="psychologist")), ("providers/coordinator/name", COORDINATION)),
    Row("A colleague of hers of that profession is sensitive as ever", both(WHOLE, put("enrolment", coordinator=None), put("providers/coordinator", profession="psychologist")), (), ("providers/coordinator",)),
    Row("A label that a person set on the coordinating agency stays", both(WHOLE, put("organizations/maple-valley", topics=["justice"])), (SEAT,), ("organizations/maple-valley",)),
    Row("Where no organization is the coordinating agency, nobody is exempt", both(WHOLE, OF_MENTAL_HEALTH, put("organizations/maple-valley", identifiers=None)), (SEAT,), (COORDINATION, "organizations/maple-valley")),
    Row("Where two are, nobody is exempt", both(WHOLE, OF_MENTAL_HEALTH, put("organizations/birch", identifiers=[{"system": AGENCY[0], "value": AGENCY[1]}])), (SEAT,), (COORDINATION, "organizations/maple-valley")),
    Row("Another agency of that sector is sensitive as ever", both(WHOLE, OF_MENTAL_HEALTH), (COORDINATION,), ("organizations/northstar",)),
]  # fmt: skip

LIFTED = [
    Row("The family may say that this need is nothing to hide", put("needs/worry", topics_lifted=["mental-health"]), ("needs/worry",)),
    Row("To lift one topic does not lift another", put("needs/worry", topics_lifted=["justice"]), ("needs/words",), ("needs/worry",)),
    Row("A label that a person set is not lifted", put("goals/g2", topics_lifted=["mental-health"]), G1, G2),
    Row("Lifted from one service, it stays on the others", both(put(f"{PLAN}/services/talk", organization="organizations/birch", topics_lifted=["mental-health"]), add(f"{PLAN}/services", id="more", code="psychotherapy", status="planned")), (f"{PLAN}/services/talk",), (f"{PLAN}/services/more",)),
    Row("Lifted from the plan, it is lifted from all entries in it", both(put(PLAN, topics_lifted=["mental-health"]), put(f"{PLAN}/services/talk", organization="organizations/birch"), add(f"{PLAN}/linked_plans", id="cure", kind="treatment-plan", title="T")), (f"{PLAN}/services/talk", f"{PLAN}/linked_plans/cure")),
    Row("Lifted from a section, it is lifted there", both(WHOLE, put(f"{PLAN}/sections/court", topics_lifted=["justice"])), (f"{PLAN}/sections/court",)),
]  # fmt: skip

SEEN = {"by": "Coordinator Okonkwo-Reyes", "on": "2026-10-20"}
UNREVIEWED = [
    Row("Text from a source that labels nothing is withheld, and a goal without its title goes whole", nothing, ("child/name",), ("goals", "child/likes"), book=RAW),
    Row("Once a person has reviewed the goal, it is seen", put("goals/g1", reviewed=SEEN), ("goals/g1/title", "goals/g1/steps/s1"), G3, book=RAW),
    Row("A permit that names unreviewed text shows it", permission(topics=["unreviewed"]), (*G1, *G3), G2, book=RAW),
    Row("A deny of any topic hits text that nobody has reviewed", both(permission(topics=["unreviewed"]), denied(topics=["hiv"])), ("child/name",), ("goals",), book=RAW),
    Row("A deny of any topic leaves reviewed text", both(put("goals/g1", reviewed=SEEN), denied(topics=["hiv"])), G1, book=RAW),
    Row("A section is reviewed apart from its plan", put(f"{PLAN}/sections/about", reviewed=SEEN), (f"{PLAN}/sections/about",), (f"{PLAN}/vision",), book=RAW),
    Row("What the child likes is text: reviewed, it is seen", put("child", reviewed=SEEN), ("child/likes",), ("goals",), book=RAW),
    Row("What is no text needs no review", WHOLE, ("child/name", "enrolment/tier", "people/mother"), ("enrolment/family_capacity",), book=RAW),
]  # fmt: skip
