"""What the last look's rules are asked about: one case, one partner, one moment, and the days and names in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adapter.core.consent.rulebook import Rulebook
    from adapter.core.partner import Partner

TOPICS = frozenset(
    {
        "mental-health", "substance-use", "sexual-health", "hiv", "genetic", "family-violence", "child-welfare",
        "justice", "gender-identity", "immigration", "finances", "indigenous-identity", "unreviewed",
    }
)  # fmt: skip
PURPOSES = frozenset(
    {"care-coordination", "referral", "treatment", "education-planning", "service-resolution", "quality"}
)
Provision = Mapping[str, Any]
Consent = Mapping[str, Any]


@dataclass
class Moment:
    """Days are the agency's: `today` is the day of `now` in its time zone."""

    case: Mapping[str, Any]
    kept: Mapping[str, Any]
    paths: frozenset[str]
    """Every record and entry that there is."""
    rulebook: Rulebook
    partner: Partner
    now: datetime
    today: date = field(init=False)
    people: dict[str, Mapping[str, Any]] = field(init=False)
    own: frozenset[str] = field(init=False)
    """The partner's organizations and providers in this case."""
    agency: str | None = field(init=False)
    """The coordinating agency, where exactly one organization is it: it refers where nobody else is named."""
    there: frozenset[str] = field(init=False)
    """Every path that a denial may name: what is in the case, and what was (*Not computable*)."""
    signed: dict[str, date | None] = field(init=False)
    """Consent id → the day on which it was signed."""

    def __post_init__(self) -> None:
        self.today = self.now.astimezone(self.rulebook.time_zone).date()
        self.people = {f"people/{each['id']}": each for each in self.of("people")}
        here = self.partner.id
        homes = {f"organizations/{each['id']}" for each in self.of("organizations") if each.get("partner") == here}
        workers = {f"providers/{each['id']}" for each in self.of("providers") if each.get("organization") in homes}
        self.own = frozenset(homes | workers)
        ours = [f"organizations/{each['id']}" for each in self.of("organizations") if self._is_agency(each)]
        self.agency = ours[0] if len(ours) == 1 else None
        self.there = self.paths | frozenset(self.kept.get("tombstones") or ())
        self.signed = {each["id"]: self._day_signed(each) for each in self.of("consents")}

    def of(self, collection: str) -> list[Mapping[str, Any]]:
        return list(self.case.get(collection) or ())

    def _is_agency(self, organization: Mapping[str, Any]) -> bool:
        known = organization.get("identifiers") or ()
        return any((each.get("system", ""), each["value"]) in self.rulebook.agency for each in known)

    def within(self, period: Mapping[str, Any] | None, *, need_start: bool = False, need_end: bool = False) -> bool:
        """Whole days, the first and the last included; an end that is left out is open unless it is needed."""
        start, end = (period or {}).get("start"), (period or {}).get("end")
        if (need_start and not start) or (need_end and not end):
            return False
        return (not start or day(start) <= self.today) and (not end or self.today <= day(end))

    def moments(self, text: str | None) -> tuple[datetime, datetime] | None:
        """The first and the last moment that a date or date-time may mean: a date is the whole day."""
        if not text:
            return None
        zone = self.rulebook.time_zone
        if len(text) == 10:
            first = datetime.combine(day(text), time(), zone)
            return first, datetime.combine(day(text) + timedelta(days=1), time(), zone) - timedelta(microseconds=1)
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return moment, moment

    def day_signed(self, consent: Consent) -> date | None:
        return self.signed[consent["id"]]

    def _day_signed(self, consent: Consent) -> date | None:
        moments = self.moments(consent.get("signed_at"))
        return moments[0].astimezone(self.rulebook.time_zone).date() if moments else None


def day(text: str) -> date:
    return date.fromisoformat(text[:10])


def names(provision: Provision, what: str) -> tuple[str, ...]:
    """What the field lists; left out, or empty, is no name at all."""
    value = provision.get(what)
    return (value,) if isinstance(value, str) else tuple(value or ())


def path(consent: Consent) -> str:
    return f"consents/{consent['id']}"
