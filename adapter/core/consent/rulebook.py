"""What the rules stand on besides the case itself: parts, topics, programs, partners, the agency and its time zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from adapter.core.partner import Partner
from adapter.core.schema import Schemas

TOPICS = (
    "mental-health", "substance-use", "sexual-health", "hiv", "genetic", "family-violence", "child-welfare", "justice",
    "gender-identity", "immigration", "finances", "indigenous-identity",
)  # fmt: skip
PURPOSES = ("care-coordination", "referral", "treatment", "education-planning", "service-resolution", "quality")
UNREVIEWED = "unreviewed"
"""The topic that free text has while nobody has said what it is about (consent.md, *Unreviewed text*)."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Values of the catalogue and the settings that `compile_rules` needs; the same for every case of an instance."""

    schemas: Schemas
    parts: Mapping[str, date]
    """Each part with the day since when it is offered."""
    part_tables: Mapping[str, Mapping[str, str]]
    """`x-part-by` table → code → part."""
    audience: Mapping[str, tuple[str, ...] | None]
    """Identifier type → sectors that may be told it; None: everyone."""
    topics: Mapping[str, Mapping[str, tuple[str, ...]]]
    """`x-codes` name (or `sector`) → code → topics."""
    age_of_own_consent: Mapping[str, int]
    """Program → age in years."""
    partners: Mapping[str, Partner]
    time_zone: tzinfo
    agency: frozenset[tuple[str, str]] = frozenset()
    """(system, value) identifiers of the coordinating agency."""
    labels_topics: bool = True
    """Does the source of this case label topics? If not, its free text is `unreviewed`."""
    otherwise: frozenset[str] = frozenset()
    """Records of this case (`goals/g1`) that came from a source of which `labels_topics` is the opposite."""
    sources: Mapping[str, bool] = field(default_factory=dict)
    """Source system → does it label topics? One that is not here does not (consent.md, *Unreviewed text*)."""
    sectors: frozenset[str] = field(default=frozenset())
    """Every sector that a record schema knows."""

    def labelled(self, record: str) -> bool:
        """Did this record come from a source that labels topics, so that its text needs no review?"""
        return self.labels_topics != (record in self.otherwise)

    def start_of(self, day: date) -> datetime:
        """The first instant of a day in the agency's time zone (design.md 5: dates are whole days there)."""
        return datetime(day.year, day.month, day.day, tzinfo=self.time_zone)

    def end_of(self, day: date) -> datetime:
        """The first instant after a day: an `end` is inclusive, in force until the next midnight."""
        if day >= date.max:
            return datetime(9999, 12, 31, 23, 59, tzinfo=self.time_zone)
        return self.start_of(day + timedelta(days=1))
