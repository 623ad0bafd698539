"""Which sensitive topics an element has: from a person's labels, from codes, from the sector of whom it refers to.

A topic goes to the smallest entry in which the code or the reference stands: an object in a list, else the record
(consent.md, *Topics*). Towards a partner, what is its own carries no topic of its own sector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from adapter.core.consent.rulebook import UNREVIEWED, Rulebook
from adapter.core.consent.rules import is_agency, sectors_of
from adapter.core.partner import Partner
from adapter.core.schema import Group, Leaf, entries

QUIET_RECORDS = ("child", "enrolment")
QUIET_FIELDS = ("coordinator", "requested_by", "collected_by")
"""Here only the reference itself takes the topic of the organisation's sector, not the entry around it."""
PLACEMENT = ("kind", "since", "at_intake", "at_risk", "least_restrictive", "lives_with")
"""Where the child lives: a code of the placement reaches all of it (mappings/topics.yaml)."""
NONE: frozenset[str] = frozenset()


class Place(NamedTuple):
    """Where in a case a leaf stands, and what the entries around it say of its topics."""

    collection: str
    chain: tuple[str, ...]
    labels: frozenset[str] = NONE
    """Topics set by a person, here or around."""
    implied: frozenset[str] = NONE
    """Topics implied in the entries around, less what a person lifted there."""
    lifted: frozenset[str] = NONE
    exempt: frozenset[str] = NONE
    """Topics of the partner's own sectors, where the entry is its own."""
    reviewed: bool = False
    topics: frozenset[str] = NONE
    """Labels and implied topics together."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one case as they stand towards one partner."""

    rulebook: Rulebook
    sensitive: Mapping[str, frozenset[str]]
    """`organizations/…` or `providers/…` → topics that a reference to it adds, towards this partner."""
    own: frozenset[str]
    """References to the partner itself and to its workers."""
    own_topics: frozenset[str]
    """Topics of the partner's own sectors."""
    ours: frozenset[str]
    """The coordinating agency and its coordinator: they carry no topic towards anyone, but for a person's labels."""
    child_placement: frozenset[str]
    implying: Mapping[str, Mapping[str, tuple[str, ...]]]
    """`x-codes` name → code → topics, for the codes that reach the entry they stand in."""
    source: Mapping[str, Mapping[str, Any]]
    """Every record and entry with an id, by its path, as the case has it, where what is looked at is a view of it: that
    has lost labels and codes."""

    def enter(
        self, outer: Place, entry: Mapping[str, Any], node: Group, listing: str = "", chain: tuple[str, ...] = ()
    ) -> Place:
        """The place within `entry`: a record, or an object in the list named `listing`; `chain` is the way to it."""
        chain = chain or outer.chain
        if self.source and (not listing or "id" in entry):
            entry = self.source.get(chain[-1], entry)
        found = self._implied(entry, node, outer.collection in QUIET_RECORDS)
        if not listing:
            found = [] if chain[-1] in self.ours else [*found, *self.sensitive.get(chain[-1], ())]
        own = self.own_topics and self._is_own(outer.collection, chain, entry, listing)
        if not (found or own or "topics" in entry or "topics_lifted" in entry or "reviewed" in entry):
            # Most entries add nothing to what is said around them.
            return outer if chain is outer.chain else Place(outer.collection, chain, *outer[2:])
        labels = outer.labels.union(entry.get("topics", ()))
        lifted = outer.lifted.union(entry.get("topics_lifted", ()))
        exempt = outer.exempt | self.own_topics if own else outer.exempt
        implied = outer.implied.union(found) - lifted - exempt
        reviewed = outer.reviewed or "reviewed" in entry
        return Place(outer.collection, chain, labels, implied, lifted, exempt, reviewed, labels | implied)

    def unread(self, place: Place) -> bool:
        """Is free text that stands here about nobody knows what?"""
        return not place.reviewed and not self.rulebook.labelled(place.chain[0])

    def of_leaf(self, place: Place, name: str, leaf: Leaf, value: Any) -> frozenset[str]:
        """What one leaf (one value of a list of scalars), under the field `name`, adds to the topics of its place."""
        extra = leaf.topics
        if leaf.refs and (place.collection in QUIET_RECORDS or name in QUIET_FIELDS):
            extra |= self.sensitive.get(value, NONE)
        if place.collection == "child" and name in PLACEMENT:
            extra |= self.child_placement
        if leaf.text and self.unread(place):
            extra |= {UNREVIEWED}
        return extra

    def _is_own(self, collection: str, chain: tuple[str, ...], entry: Mapping[str, Any], listing: str) -> bool:
        """Is this entry the partner's own record, service, team seat or referral?"""
        match collection, listing:
            case (("organizations" | "providers"), ""):
                return chain[-1] in self.own
            case "referrals", "":
                named = {entry.get("to"), entry.get("from"), entry.get("requested_by")}
            case "care_plans", "services":
                named = {entry.get("organization"), entry.get("provider")}
            case "care_teams", "members":
                named = {entry.get("member")}
            case _:
                return False
        return not self.own.isdisjoint(named - {None})

    def _implied(self, entry: Mapping[str, Any], node: Group, quiet: bool) -> list[str]:
        found: list[str] = []
        for name, codes, refs in node.telling:
            value = entry.get(name)
            if value is None:
                continue
            if type(value) is dict:
                # An object that is not in a list is no entry of its own.
                sub = node.fields[name]
                assert isinstance(sub, Group)  # noqa: S101  by the schema
                found += self._implied(value, sub, quiet)
                continue
            table = self.implying.get(codes)
            sensitive = self.sensitive if refs and not quiet and name not in QUIET_FIELDS else None
            if table or sensitive:
                for one in value if type(value) is list else (value,):
                    if table:
                        found += table.get(str(one), ())
                    if sensitive:
                        found += sensitive.get(one, ())
        return found


def own_topics(name: str, leaf: Leaf, *, quiet: bool, unread: bool) -> bool:
    """May a leaf have topics of its own, whatever its value? If not, `of_leaf` adds none to those of its place."""
    if (unread and leaf.text) or leaf.topics or name in QUIET_FIELDS:
        return True
    return quiet and (bool(leaf.refs) or name in PLACEMENT)


def topics_towards(partner: Partner, case: Mapping[str, Any], rulebook: Rulebook, *, of_view: bool) -> Topics:
    """Read the organisations, providers and the child's placement of `case` for one partner."""
    by_sector = rulebook.topics.get("sector", {})
    organizations = {f"organizations/{o['id']}": o for o in case.get("organizations", ())}
    employer = {f"providers/{p['id']}": p.get("organization", "") for p in case.get("providers", ())}
    agencies = {path for path, o in organizations.items() if is_agency(o, rulebook)}
    if len(agencies) != 1:
        agencies = set()
    own = {path for path, o in organizations.items() if o.get("partner") == partner.id}
    own |= {path for path, organization in employer.items() if organization in own}
    coordinator = case.get("enrolment", {}).get("coordinator", "")
    ours = agencies | ({coordinator} if employer.get(coordinator, "") in agencies else set())
    sensitive = {
        path: frozenset(topic for sector in sectors_of(o) for topic in by_sector.get(sector, ()))
        for path, o in organizations.items()
    }
    for path, organization in employer.items():
        sensitive[path] = NONE if organization in agencies else sensitive.get(organization, NONE)
    placement = case.get("child", {}).get("placement", {})
    implied = rulebook.topics.get("placement", {})
    return Topics(
        rulebook=rulebook,
        implying={name: table for name, table in rulebook.topics.items() if name not in ("placement", "sector")},
        source=dict(entries(case)) if of_view else {},
        sensitive={path: topics for path, topics in sensitive.items() if topics and path not in own | ours},
        own=frozenset(own),
        ours=frozenset(ours),
        own_topics=frozenset(topic for sector in partner.sectors for topic in by_sector.get(sector, ())),
        child_placement=frozenset(
            topic for field in ("kind", "at_intake") for topic in implied.get(placement.get(field, ""), ())
        ),
    )
