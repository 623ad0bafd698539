"""What a row of the table is, and the paths and provisions that many rows speak of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.core.consent.builders import NOW
from tests.core.consent.changes import Change, both, capacity, decides, denied, nothing, permission, permit, put


@dataclass(frozen=True)
class Row:
    sentence: str
    change: Change = nothing
    sees: tuple[str, ...] = ()
    """Paths that are in the view."""
    not_: tuple[str, ...] = ()
    """Paths that are not."""
    to: str = "lakeside"
    at: datetime = NOW
    kept: Mapping[str, Any] = field(default_factory=dict)
    book: Mapping[str, Any] = field(default_factory=dict)
    """What differs in the rulebook."""
    equal: Mapping[str, Any] = field(default_factory=dict)
    """Path → what stands there."""
    says: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    """Texts that stand, or do not stand, anywhere in the view."""
    tie: Callable[[str], str] = str


PLAN = "care_plans/plan"
G1 = ("goals/g1",)
G2 = ("goals/g2",)
G3 = ("goals/g3",)
ALL = ("child", "goals/g1", "goals/g3", "needs/words", f"{PLAN}/services/speech")
EMPTY = ("child", "goals", "care_plans", "consents")
"""What a view lacks that holds nothing."""
HOSPITAL = permit(to="partners/riverside", purposes="treatment")
NORTHSTAR = permit(
    to="partners/northstar", purposes="treatment", parts=["identity", "goals", "services", "team", "needs"]
)
LATER = {"signed_at": "2026-10-05", "period": {"start": "2026-10-05", "end": "2027-08-31"}}
YOUTH = both(put("child", birth_date="2010-05-04"))
"""Sixteen since May 2026."""
BOTH_TOPICS = put("goals/g2", topics=["mental-health", "justice"])
NO = denied(parts=["goals"])
FATHER_NO = {"granted_by": "people/father"}
BY_CHILD = {"granted_by": "child", "authority": "self"}
ABLE = capacity(("2026-08-01", True))
TOGETHER = both(decides("mother", shared=True), decides("father"))
SEAT = "care_teams/team/members/m2"
WHOLE = permission(parts="all")
RAW = {"labels_topics": False}
"""A rulebook for a source that does not label what its text is about."""
