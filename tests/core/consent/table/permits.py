"""Rules 1, 2 and 4: silence, what permits, and that one permit covers the whole."""

# ruff: noqa: E501  A row is one line, so that the table can be read down its sentences.

from __future__ import annotations

from datetime import date

from tests.core.consent.builders import rulebook
from tests.core.consent.changes import (
    also,
    both,
    consent,
    decides,
    denied,
    instead,
    local,
    nothing,
    permission,
    permit,
    put,
)
from tests.core.consent.table.rows import ALL, BOTH_TOPICS, EMPTY, G1, G2, G3, HOSPITAL, LATER, PLAN, Row

SILENCE = [
    Row("What the mother permits, the school board sees", nothing, ALL, (*G2, "needs/worry", "people", "documents")),
    Row("Nobody has said anything: nobody sees anything", lambda case: case.update(consents=[]), (), EMPTY),
    Row("A partner that no consent names sees nothing", nothing, (), EMPTY, to="riverside"),
    Row("A part that no permit names stays: no documents, no crisis plan", nothing, (), ("documents", f"{PLAN}/sections/crisis")),
    Row("A section whose code nobody knows is never shared", permission(parts="all"), (f"{PLAN}/sections/crisis",), (f"{PLAN}/sections/stars",)),
    Row("A permit without a receiver permits nothing", permission(to=None), (), EMPTY),
    Row("A permit whose list of receivers is empty permits nothing", permission(to=[]), (), EMPTY),
    Row("A permit without purposes permits nothing", permission(purposes=None), (), EMPTY),
    Row("A permit whose list of purposes is empty permits nothing", permission(purposes=[]), (), EMPTY),
    Row("A permit without parts permits nothing", permission(parts=None), (), EMPTY),
    Row("A permit whose list of parts is empty permits nothing", permission(parts=[]), (), EMPTY),
    Row("A permit whose list of records is empty names no record", permission(records=[]), (), EMPTY),
    Row("A consent without provisions permits nothing", consent(provisions=[]), (), EMPTY),
    Row("A permit for a purpose that the partner does not have permits nothing", permission(purposes=["treatment"]), (), EMPTY),
    Row("A consent with a part that nobody knows permits nothing", permission(parts=["identity", "goals", "hobbies"]), (), EMPTY),
    Row("A consent with a topic that nobody knows permits nothing", permission(topics=["mental-health", "witchcraft"]), (), EMPTY),
    Row("A permit of goals without identity shows nothing at all", permission(parts=["goals"]), (), EMPTY),
]  # fmt: skip

STATUS = [
    Row("A consent that is active counts", consent(status="active"), ALL),
    Row("A draft does not count", consent(status="draft"), (), EMPTY),
    Row("A revoked consent does not count", consent(status="revoked", revoked_on="2026-10-01"), (), EMPTY),
    Row("A superseded consent does not count", consent(status="superseded"), (), EMPTY),
    Row("A consent entered in error does not count", consent(status="entered-in-error"), (), EMPTY),
    Row("A revocation dated ahead leaves the consent until then", consent(revoked_on="2026-11-03"), ALL),
    Row("A revocation dated ahead ends the consent when its day begins", consent(revoked_on="2026-11-03"), (), EMPTY, at=local(2026, 11, 3)),
    Row("An imported consent permits nothing before the agency adopts it", consent(imported=True), (), EMPTY),
]  # fmt: skip

SIGNED = [
    Row("A consent that nobody signed does not count", consent(signed_at=None), (), EMPTY),
    Row("A consent that will be signed tomorrow does not count today", consent(signed_at="2026-11-03"), (), EMPTY),
    Row("A consent signed today counts today", consent(signed_at="2026-11-02"), ALL),
    Row("A consent signed a minute ago counts", consent(signed_at="2026-11-02T09:59:00-05:00"), ALL),
    Row("A consent that will be signed in a minute does not count", consent(signed_at="2026-11-02T10:01:00-05:00"), (), EMPTY),
    Row("A signature without a method does not count", consent(method=None), (), EMPTY),
    Row("An electronic consent counts", consent(method="electronic"), ALL),
    Row("A verbal consent counts when it says who collected it", consent(method="verbal", collected_by="providers/coordinator"), ALL),
    Row("A verbal consent that nobody collected does not count", consent(method="verbal"), (), EMPTY),
    Row("A partner that wants it in writing is not shown what was only said", instead(HOSPITAL, method="verbal", collected_by="providers/coordinator"), (), EMPTY, to="riverside"),
    Row("A partner that wants it in writing accepts a signature", instead(HOSPITAL), G1, to="riverside"),
    Row("A partner that wants it in writing accepts an electronic consent", instead(HOSPITAL, method="electronic"), G1, to="riverside"),
    Row("What was said to all is in writing for nobody: the hospital sees nothing and the school does", instead(permit(to="all", purposes="all"), method="verbal", collected_by="providers/coordinator"), G1),
]  # fmt: skip

AUTHORITY = [
    Row("A father who may not decide permits nothing", consent(granted_by="people/father"), (), EMPTY),
    Row("A father who may decide permits", both(decides("father"), consent(granted_by="people/father")), ALL),
    Row("A grandmother who helps but does not decide permits nothing", consent(granted_by="people/grandmother"), (), EMPTY),
    Row("Authority that began after the signature does not count", decides("mother", since="2026-09-02"), (), EMPTY),
    Row("Authority that began on the day of the signature counts", decides("mother", since="2026-09-01"), ALL),
    Row("Authority that ended yesterday permits no longer", decides("mother", until="2026-11-01"), (), EMPTY),
    Row("Authority that ends today permits until midnight", decides("mother", until="2026-11-02"), ALL, at=local(2026, 11, 2, 23, 59, 59)),
    Row("Authority that ended today permits nothing after midnight", decides("mother", until="2026-11-02"), (), EMPTY, at=local(2026, 11, 3)),
]  # fmt: skip

SHORT = consent(signed_at="2026-08-20", period={"start": "2026-09-01", "end": "2026-11-01"})
PERIOD = [
    Row("A consent is in force from the first second of its first day in Toronto", SHORT, ALL, at=local(2026, 9, 1)),
    Row("One second before its first day it is not", SHORT, (), EMPTY, at=local(2026, 8, 31, 23, 59, 59)),
    Row("It is in force until the last second of its last day, the day when clocks go back", SHORT, ALL, at=local(2026, 11, 1, 23, 59, 59)),
    Row("At the midnight that follows it has ended", SHORT, (), EMPTY, at=local(2026, 11, 2)),
    Row("A consent without an end permits nothing", consent(period={"start": "2026-09-01"}), (), EMPTY),
    Row("A consent without a period permits nothing", consent(period=None), (), EMPTY),
    Row("A permit's own period narrows it: before its start it permits nothing", permission(period={"start": "2026-11-03", "end": "2026-12-31"}), (), EMPTY),
    Row("Within a permit's own period it permits", permission(period={"start": "2026-11-02", "end": "2026-11-02"}), ALL),
    Row("After a permit's own period it permits nothing", permission(period={"start": "2026-09-01", "end": "2026-11-01"}), (), EMPTY),
    Row("A permit's own period needs its start", permission(period={"end": "2026-12-31"}), (), EMPTY),
    Row("A permit's own period needs its end", permission(period={"start": "2026-09-01"}), (), EMPTY),
    Row("A permit's own period cannot outlive its consent", both(SHORT, permission(period={"start": "2026-09-01", "end": "2027-12-31"})), (), EMPTY),
]  # fmt: skip

CRISIS_SINCE_OCTOBER = {"parts": {**rulebook().parts, "crisis": date(2026, 10, 1)}}
NAMING = [
    Row("A permit to another partner does not reach this one", permission(to=["partners/riverside"]), (), EMPTY),
    Row("A permit to all partners reaches one that was there", permission(to="all"), ALL),
    Row("A permit for all purposes holds for the partner's own", permission(purposes="all"), ALL),
    Row("A permit of all parts shows the crisis plan too", permission(parts="all"), (f"{PLAN}/sections/crisis", "risks/runs")),
    Row("A permit of all parts shows no consents", permission(parts="all"), ("documents/report",), ("consents/c1", "documents/form")),
    Row("A permit of all parts leaves out a part that came later", permission(parts="all"), ("goals/g1",), (f"{PLAN}/sections/crisis", "risks"), book=CRISIS_SINCE_OCTOBER),
    Row("A part that came later is permitted where it is named", permission(parts=["identity", "crisis"]), (f"{PLAN}/sections/crisis",), book=CRISIS_SINCE_OCTOBER),
    Row("All parts, signed after the part was there, has it", both(permission(parts="all"), consent(**LATER)), (f"{PLAN}/sections/crisis",), book=CRISIS_SINCE_OCTOBER),
    Row("A deny of all parts hits a part that came later", both(permission(parts=["identity", "crisis"]), denied(parts="all")), (), EMPTY, book=CRISIS_SINCE_OCTOBER),
    Row("A permit of single records shows those and no other", permission(parts=["identity", "goals"], records=["child", "goals/g3"]), G3, G1),
    Row("A permit of a single service shows it without the rest", permission(records=["child", f"{PLAN}/services/speech"]), (f"{PLAN}/services/speech",), (*G1, f"{PLAN}/vision")),
]  # fmt: skip

EVERYONE = permit(to="all", purposes="all")
LATE_PARTNERS = [
    Row("A partner that was connected after the signature is not among all", instead(EVERYONE), (), EMPTY, to="northstar"),
    Row("It is, once the family has confirmed it", instead({**EVERYONE, "confirmed": [{"partner": "northstar", "by": "people/mother", "on": "2026-10-15"}]}), G1, to="northstar"),
    Row("A confirmation dated tomorrow is none today", instead({**EVERYONE, "confirmed": [{"partner": "northstar", "by": "people/mother", "on": "2026-11-03"}]}), (), EMPTY, to="northstar"),
    Row("A confirmation by somebody who may not decide is none", instead({**EVERYONE, "confirmed": [{"partner": "northstar", "by": "people/father", "on": "2026-10-15"}]}), (), EMPTY, to="northstar"),
    Row("A confirmation of another partner is not for this one", instead({**EVERYONE, "confirmed": [{"partner": "harbour", "by": "people/mother", "on": "2026-10-15"}]}), (), EMPTY, to="northstar"),
    Row("A consent signed after the partner was connected reaches it", instead(EVERYONE, **LATER), G1, to="northstar"),
    Row("A consent signed on the day when it was connected reaches it", instead(EVERYONE, signed_at="2026-10-01"), G1, to="northstar"),
    Row("A partner named outright is reached whenever it came", instead(permit(to="partners/northstar", purposes="treatment")), G1, to="northstar"),
    Row("A whole sector, too, means those that were there", instead(permit(to="sectors/mental-health", purposes="all")), (), EMPTY, to="northstar"),
    Row("A deny to all hits a partner that came later", both(instead(permit(to="partners/northstar", purposes="treatment")), denied(to="all")), (), EMPTY, to="northstar"),
]  # fmt: skip

TOPICS = [
    Row("A goal about mental health needs the topic named", permission(topics=["mental-health"]), (*G1, *G2, "needs/worry")),
    Row("Another topic does not stand for it", permission(topics=["justice", "substance-use"]), G1, G2),
    Row("There is no permit of all topics", permission(topics="all"), (), G2),
    Row("A goal with two topics needs both named", both(BOTH_TOPICS, permission(topics=["mental-health"])), G1, G2),
    Row("Both named in one permit are enough", both(BOTH_TOPICS, permission(topics=["justice", "mental-health"])), G2),
    Row("A permit that names a topic shows ordinary goals as well", permission(topics=["hiv"]), (*G1, *G3), G2),
    Row("A topic set on one step withholds that step alone", put("care_plans/plan/sections/about", topics=["hiv"]), (f"{PLAN}/vision",), (f"{PLAN}/sections/about",)),
]  # fmt: skip

STITCHING = [
    Row("Two permits may show two different things", instead(permit(parts=["identity"]), permit(parts=["goals"])), ("child", *G1)),
    Row("The part from one permit and the topic from another show no goal", instead(permit(), permit(parts=["identity", "needs"], topics=["mental-health"])), ("needs/worry",), G2),
    Row("One topic from each of two permits does not make both", both(BOTH_TOPICS, instead(permit(topics=["mental-health"]), permit(topics=["justice"]))), G1, G2),
    Row("The receiver from one permit and the part from another show nothing", instead(permit(parts=["identity"]), permit(to="partners/riverside")), ("child",), G1),
    Row("The purpose from one permit and the part from another show nothing", instead(permit(parts=["identity"]), permit(purposes=["treatment"])), ("child",), G1),
    Row("The record from one permit and the topic from another show nothing", instead(permit(records=["child", "goals/g2"]), permit(topics=["mental-health"], records=["child"])), ("child",), G2),
    Row("Two permits in two consents are not stitched either", both(instead(permit()), also("c2", permit(parts=["identity", "needs"], topics=["mental-health"]))), ("needs/worry",), G2),
]  # fmt: skip
