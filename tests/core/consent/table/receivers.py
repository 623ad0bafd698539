"""Who is meant: the care team, sectors, and the receiver of a referral."""

# ruff: noqa: E501  A row is one line, so that the table can be read down its sentences.

from __future__ import annotations

from tests.core.consent.changes import (
    also,
    both,
    denied,
    instead,
    local,
    permission,
    permit,
    put,
    referral,
)
from tests.core.consent.table.rows import ALL, EMPTY, G1, HOSPITAL, PLAN, SEAT, TOGETHER, Row

TEAM = permission(to="care-team", purposes="all")
CARE_TEAM = [
    Row("The school's teacher, invited by the family, is on the team: the school is the care team", TEAM, ALL),
    Row("A seat that the family did not offer does not count", both(TEAM, put(SEAT, invited_by_family=False)), (), EMPTY),
    Row("A seat of which nobody says that the family offered it does not count", TEAM, (), EMPTY, to="harbour"),
    Row("A seat that has ended does not count", both(TEAM, put(SEAT, until="2026-11-01")), (), EMPTY),
    Row("A seat that ends today counts today", both(TEAM, put(SEAT, until="2026-11-02")), ALL),
    Row("A seat that begins tomorrow does not count", both(TEAM, put(SEAT, since="2026-11-03")), (), EMPTY),
    Row("A team that is not active does not count", both(TEAM, put("care_teams/team", status="proposed")), (), EMPTY),
    Row("A team whose period is over does not count", both(TEAM, put("care_teams/team", period={"end": "2026-11-01"})), (), EMPTY),
    Row("A seat for the organization itself counts", both(TEAM, put(SEAT, member="organizations/lakeside")), ALL),
    Row("A deny to the care team hits whoever was ever on it", both(denied(to="care-team"), put(SEAT, until="2026-10-01"), put("care_teams/team", status="inactive")), (), EMPTY),
    Row("A deny to the care team leaves those who never were on it", both(instead(HOSPITAL), denied(to="care-team")), G1, to="riverside"),
]  # fmt: skip

SECTORS = [
    Row("A permit to the sector reaches its partner", permission(to="sectors/education"), ALL),
    Row("A permit to another sector does not", permission(to="sectors/hospital"), (), EMPTY),
    Row("A hospital is in health as well", instead(permit(to="sectors/health", purposes="treatment")), G1, to="riverside"),
    Row("A deny to either of its sectors hits the hospital", both(instead(HOSPITAL), denied(to=["sectors/health"])), (), EMPTY, to="riverside"),
    Row("A permit to a sector that nobody has reaches nobody", permission(to=["sectors/astrology"]), (), EMPTY),
]  # fmt: skip

REFERRAL = [
    Row("An open referral shows its package: the child, the contact, the referral, its reason", referral(), ("child/name", "child/telecoms", "referrals/ask", "needs/words"), ("goals", "strengths", f"{PLAN}"), to="riverside"),
    Row("What the referral says is shared goes along", referral(shares=["strengths/kind", f"{PLAN}/services/speech"]), ("strengths/kind", f"{PLAN}/services/speech"), ("goals",), to="riverside"),
    Row("Who refers and who receives are told", referral(), ("organizations/maple-valley/name", "organizations/riverside/name"), ("organizations/birch",), to="riverside"),
    Row("A reason about mental health stays, where the topic is not named", referral(reasons=[{"need": "needs/worry"}]), ("referrals/ask",), ("needs",), to="riverside"),
    Row("Nobody but the receiver sees it", referral(), G1, ("referrals",)),
    Row("A referral to somebody else shows the hospital nothing", referral(to="organizations/birch"), (), EMPTY, to="riverside"),
    Row("A draft shows nothing", referral(status="draft"), (), EMPTY, to="riverside"),
    Row("A completed referral shows nothing any more", referral(status="completed"), (), EMPTY, to="riverside"),
    Row("A rejected one neither", referral(status="rejected"), (), EMPTY, to="riverside"),
    Row("One that was received is open", referral(status="received"), ("referrals/ask",), to="riverside"),
    Row("One on hold is open", referral(status="on-hold"), ("referrals/ask",), to="riverside"),
    Row("One that nobody answered is closed after its day", referral(respond_by="2026-11-01"), (), EMPTY, to="riverside"),
    Row("On its day it is open", referral(respond_by="2026-11-02"), ("referrals/ask",), to="riverside", at=local(2026, 11, 2, 23, 59, 59)),
    Row("One that was accepted stays open after that day", referral(status="accepted", respond_by="2026-11-01"), ("referrals/ask",), to="riverside"),
    Row("One that is under way stays open after that day", referral(status="in-progress", respond_by="2026-11-01"), ("referrals/ask",), to="riverside"),
    Row("It shows beside what the hospital sees anyway", both(referral(), also("care", HOSPITAL)), ("referrals/ask", *G1), to="riverside"),
    Row("A deny for referrals leaves what the hospital sees anyway", both(referral(), also("care", HOSPITAL), denied(purposes=["referral"])), G1, ("referrals", "child/telecoms"), to="riverside"),
    Row("If it names a consent, no other consent's permits count for it", both(referral(consent="consents/narrow"), also("narrow", permit(to="partners/riverside", purposes="referral", parts=["identity", "referrals"]))), ("referrals/ask",), ("needs", "child/telecoms"), to="riverside"),
    Row("If it names a consent, the denies of every other still do", both(referral(consent="consents/ref"), denied(records=["needs/words"])), ("referrals/ask",), ("needs",), to="riverside"),
    Row("If it names a consent and the parents decide together, the father's permits stand beside it", both(TOGETHER, referral(consent="consents/ref"), also("his", permit(to="partners/riverside", purposes="referral", parts=["identity", "referrals"]), granted_by="people/father")), ("referrals/ask",), ("needs", "child/telecoms"), to="riverside"),
    Row("If it names a consent and the parents decide together, the one is not enough", both(TOGETHER, referral(consent="consents/ref")), (), EMPTY, to="riverside"),
]  # fmt: skip
