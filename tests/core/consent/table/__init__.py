"""The decisions of consent.md as a privacy officer would say them: one sentence, one small change, what is seen.

The case is `builders.case()`: a girl of ten, her mother decides, and one consent (c1) lets the school board see who she
is, strengths, needs, goals, the plan and services, and names no sensitive topic. Goal g2, the need `worry` and the
service `talk` are about mental health. The moment is 2 November 2026, 10:00 in Toronto, unless a row says otherwise.
"""

from __future__ import annotations

from tests.core.consent.table import denies, people, permits, receivers, topics, views
from tests.core.consent.table.rows import Row

__all__ = ["TABLE", "Row"]

TABLE: dict[str, list[Row]] = {
    "rule 1, silence": permits.SILENCE,
    "rule 2, status": permits.STATUS,
    "rule 2, signature and method": permits.SIGNED,
    "rule 2, authority": permits.AUTHORITY,
    "rule 2, periods": permits.PERIOD,
    "rule 2, naming": permits.NAMING,
    "rule 2, partners that came later": permits.LATE_PARTNERS,
    "rule 2, topics one by one": permits.TOPICS,
    "rule 3, what a deny reaches": denies.DENIES,
    "rule 3, what a deny survives": denies.STANDING_DENIES,
    "rule 3, what lifts a deny": denies.LIFTING,
    "rule 4, no stitching": permits.STITCHING,
    "rule 5, deny wins": denies.DENY_WINS,
    "rule 6, the child": people.CHILD,
    "rule 6, the age of own consent": people.OWN_CONSENT_AGE,
    "rule 6, decision makers": people.DECIDERS,
    "rule 7, supersession": people.SUPERSESSION,
    "rule 8, what is not consent": people.NOT_CONSENT,
    "rule 9, the moment decides": people.AT_THE_MOMENT,
    "not computable, and tombstones": denies.NOT_COMPUTABLE,
    "exceptions": denies.EXCEPTIONS,
    "care team": receivers.CARE_TEAM,
    "sectors": receivers.SECTORS,
    "topics from codes": topics.TOPIC_FROM_CODES,
    "topics from sectors": topics.TOPIC_FROM_SECTORS,
    "towards itself": topics.ITSELF,
    "the coordinating agency": topics.COORDINATING_AGENCY,
    "lifted topics": topics.LIFTED,
    "unreviewed text": topics.UNREVIEWED,
    "referrals": receivers.REFERRAL,
    "the view, closed": views.CLOSURE,
    "the view, what is worth sharing": views.REQUIRED,
    "the view, containers": views.CONTAINERS,
    "the view, a family member": views.STAND_IN,
    "the view, names": views.NAMES,
    "identifiers": views.IDENTIFIERS,
    "the partner's own consent": views.OWN_RECORD,
    "ranks": views.RANKS,
}
