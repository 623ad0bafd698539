"""Which sensitive topics an element has: from a person's labels, from codes, from the sector of whom it refers to.

A topic goes to the smallest entry in which the code or the reference stands: an object in a list, else the record
(consent.md, *Topics*). Towards a partner, what is its own carries no topic of its own sector.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.core.consent.rulebook import UNREVIEWED, Rulebook
from adapter.core.consent.rules import is_agency, sectors_of
from adapter.core.partner import Partner
from adapter.core.schema import Group, Leaf, Listing, entries

QUIET_RECORDS = ("child", "enrolment")
QUIET_FIELDS = ("coordinator", "requested_by", "collected_by")
"""Here only the reference itself takes the topic of the organisation's sector, not the entry around it."""
PLACEMENT = ("kind", "since", "at_intake", "at_risk", "least_restrictive", "lives_with")
"""Where the child lives: a code of the placement reaches all of it (mappings/topics.yaml)."""
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
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

    @property
    def topics(self) -> frozenset[str]:
        return self.labels | self.implied


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
    child_placement: frozenset[str]
    source: Mapping[str, Mapping[str, Any]]
    """Every record and entry with an id, by its path, as the case has it: a view of it has lost labels and codes."""

    def enter(self, outer: Place, entry: Mapping[str, Any], node: Group, listing: str = "") -> Place:
        """The place within `entry`: a record, or an object in the list named `listing`."""
        if not listing or "id" in entry:
            entry = self.source.get(outer.chain[-1], entry)
        labels = outer.labels | frozenset(entry.get("topics", ()))
        lifted = outer.lifted | frozenset(entry.get("topics_lifted", ()))
        exempt = outer.exempt | (self.own_topics if self._is_own(outer, entry, listing) else NONE)
        quiet = outer.collection in QUIET_RECORDS
        here = frozenset(self._implied(entry, node, quiet=quiet))
        if not listing:
            here |= self.sensitive.get(outer.chain[-1], NONE)
        return Place(
            collection=outer.collection,
            chain=outer.chain,
            labels=labels,
            implied=(outer.implied | here) - lifted - exempt,
            lifted=lifted,
            exempt=exempt,
            reviewed=outer.reviewed or "reviewed" in entry,
        )

    def of_leaf(self, place: Place, name: str, leaf: Leaf, value: Any) -> frozenset[str]:
        """The topics of one leaf (one value of a list of scalars) that stands in `place` under the field `name`."""
        extra = leaf.topics
        if leaf.refs and (place.collection in QUIET_RECORDS or name in QUIET_FIELDS):
            extra |= self.sensitive.get(value, NONE)
        if place.collection == "child" and name in PLACEMENT:
            extra |= self.child_placement
        if leaf.text and not place.reviewed and not self.rulebook.labelled(place.chain[0]):
            extra |= {UNREVIEWED}
        return place.topics | extra if extra else place.topics

    def _is_own(self, outer: Place, entry: Mapping[str, Any], listing: str) -> bool:
        """Is this entry the partner's own record, service, team seat or referral?"""
        match outer.collection, listing:
            case (("organizations" | "providers"), ""):
                return outer.chain[-1] in self.own
            case "referrals", "":
                named = {entry.get("to"), entry.get("from"), entry.get("requested_by")}
            case "care_plans", "services":
                named = {entry.get("organization"), entry.get("provider")}
            case "care_teams", "members":
                named = {entry.get("member")}
            case _:
                return False
        return not self.own.isdisjoint(named - {None})

    def _implied(self, entry: Mapping[str, Any], node: Group, *, quiet: bool) -> Iterator[str]:
        for name, value in entry.items():
            sub = node.fields.get(name)
            if isinstance(sub, Group):
                # An object that is not in a list is no entry of its own.
                yield from self._implied(value, sub, quiet=quiet)
                continue
            leaf = sub.item if isinstance(sub, Listing) else sub
            if not isinstance(leaf, Leaf):
                continue
            for one in value if isinstance(value, list) else (value,):
                if leaf.codes and leaf.codes not in ("placement", "sector"):
                    yield from self.rulebook.topics.get(leaf.codes, {}).get(str(one), ())
                if leaf.refs and not quiet and name not in QUIET_FIELDS:
                    yield from self.sensitive.get(one, NONE)


def topics_towards(partner: Partner, case: Mapping[str, Any], rulebook: Rulebook) -> Topics:
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
    exempt = own | agencies | ({coordinator} if employer.get(coordinator, "") in agencies else set())
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
        source=dict(entries(case)),
        sensitive={path: topics for path, topics in sensitive.items() if topics and path not in exempt},
        own=frozenset(own),
        own_topics=frozenset(topic for sector in partner.sectors for topic in by_sector.get(sector, ())),
        child_placement=frozenset(
            topic for field in ("kind", "at_intake") for topic in implied.get(placement.get(field, ""), ())
        ),
    )
