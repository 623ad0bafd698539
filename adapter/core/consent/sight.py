"""What one partner may see of one case at one time, element by element, each distinct question asked once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from adapter.core.consent.decide import Decision, Element, decide
from adapter.core.consent.purposes import Scope, scopes
from adapter.core.consent.rules import Permit, Rules, Standing
from adapter.core.consent.topics import Place, Topics, topics_towards
from adapter.core.schema import Group, Leaf, Listing

NEVER = "consents"
"""The part that never leaves the agency as such."""


class Verdict(NamedTuple):
    """What all scopes together say of an element: for which purposes it may be seen, and by which permits."""

    purposes: tuple[str, ...]
    permits: tuple[Permit, ...]
    refusal: Decision | None
    """The decision of the standing purpose where nothing permits."""


class Seen(NamedTuple):
    """A leaf that may be seen, with what permits it. `leaf` says what it is."""

    value: Any
    leaf: Leaf
    part: str
    topics: frozenset[str]
    verdict: Verdict


class Refused(NamedTuple):
    """A leaf that may not be seen: where it stands, and why (for explanations and for the one-bit notice)."""

    path: str
    name: str
    part: str
    topics: frozenset[str]
    decision: Decision


@dataclass(slots=True)
class Sight:
    """The view's working memory: the standing consents, the topics, the purposes, and the answers given so far."""

    rules: Rules
    standing: Standing
    topics: Topics
    scopes: tuple[Scope, ...]
    refused: list[Refused] = field(default_factory=list)
    _answers: dict[Any, Verdict] = field(default_factory=dict)

    @staticmethod
    def of(case: Mapping[str, Any], rules: Rules, standing: Standing) -> Sight:
        topics = topics_towards(standing.partner, rules.case, rules.rulebook)
        return Sight(rules, standing, topics, scopes(rules.case, standing, topics))

    def verdict(self, part: str, topics: frozenset[str], chain: tuple[str, ...]) -> Verdict:
        """Decide an element for every purpose there is (consent.md, *Purposes*: visible if one of them permits it)."""
        reached = tuple(s for s in self.scopes if s.reaches(part, chain))
        # Only the records that some provision names tell one place from another.
        named = tuple(path for path in chain if path in self.standing.named)
        key = (part, topics, named, reached)
        if key not in self._answers:
            self._answers[key] = self._ask(Element(part, topics, named), reached)
        return self._answers[key]

    def _ask(self, element: Element, reached: tuple[Scope, ...]) -> Verdict:
        if element.part == NEVER or element.part not in self.rules.rulebook.parts:
            return Verdict((), (), Decision(False, "never"))
        decisions = [(s, decide(self.standing, element, s.purpose, only=s.only)) for s in reached]
        given = [(s, d) for s, d in decisions if d.permitted]
        if not given:
            return Verdict((), (), decisions[0][1])
        permits = {p.provision.path: p for _, d in given for p in d.permits}
        return Verdict(tuple(sorted({s.purpose for s, _ in given})), tuple(permits.values()), None)

    def look(self, place: Place, name: str, leaf: Leaf, part: str, value: Any) -> Seen | None:
        """The leaf if it may be seen; else it is noted why not."""
        topics = self.topics.of_leaf(place, name, leaf, value)
        verdict = self.verdict(part, topics, place.chain)
        if verdict.refusal is None:
            return Seen(value, leaf, part, topics, verdict)
        if part != NEVER:
            self.refused.append(Refused(place.chain[-1], name, part, topics, verdict.refusal))
        return None


Choose = Callable[[Leaf], bool]


def grow(sight: Sight, place: Place, entry: Mapping[str, Any], node: Group, *, choose: Choose) -> dict[str, Any]:
    """Build up what may be seen of `entry`: the same shape, its leaves `Seen`; what may not is not there.

    `choose` says which leaves are looked at at all. An entry of which only the id is left is not there either.
    """
    grown: dict[str, Any] = {}
    for name, value in entry.items():
        sub = node.fields.get(name)
        if sub is None:
            # `path`, where the case is itself a view.
            continue
        if isinstance(sub, Group):
            if inner := grow(sight, place, value, sub, choose=choose):
                grown[name] = inner
        elif isinstance(sub, Listing) and isinstance(sub.item, Group):
            if entries := [e for one in value if (e := _entry(sight, place, name, one, sub.item, choose))]:
                grown[name] = entries
        else:
            leaf = sub.item if isinstance(sub, Listing) else sub
            assert isinstance(leaf, Leaf)  # noqa: S101  a list holds scalars or objects, never lists
            if leaf.is_id:
                grown[name] = value
            elif choose(leaf):
                _leaf(sight, place, name, leaf, _part(sight, leaf, entry, place), value, grown)
    return grown if grown.keys() - {"id"} else {}


def _entry(
    sight: Sight, outer: Place, name: str, entry: Mapping[str, Any], node: Group, choose: Choose
) -> dict[str, Any]:
    chain = (*outer.chain, f"{outer.chain[-1]}/{name}/{entry['id']}") if "id" in entry else outer.chain
    place = Place(outer.collection, chain, outer.labels, outer.implied, outer.lifted, outer.exempt, outer.reviewed)
    grown = grow(sight, sight.topics.enter(place, entry, node, name), entry, node, choose=choose)
    return grown if complete(grown, node) else {}


def _leaf(sight: Sight, place: Place, name: str, leaf: Leaf, part: str, value: Any, grown: dict[str, Any]) -> None:
    if isinstance(value, list):
        if seen := [s for one in value if (s := sight.look(place, name, leaf, part, one))]:
            grown[name] = seen
    elif one := sight.look(place, name, leaf, part, value):
        grown[name] = one


def _part(sight: Sight, leaf: Leaf, entry: Mapping[str, Any], place: Place) -> str:
    """The part a leaf belongs to: its own, or the one that a code of its entry chooses; an unknown code has none."""
    if leaf.part_by is None:
        return leaf.part
    field, table = leaf.part_by
    code = entry.get(field, "")
    part = sight.rules.rulebook.part_tables.get(table, {}).get(code, "")
    if table == "identifiers":
        if not _audience(sight, code):
            return NEVER
        # A number that nobody is told by rule, but this partner by a stated authority, says who the child is.
        return "identity" if part == NEVER else part
    return part


def _audience(sight: Sight, kind: str) -> bool:
    """May the partner be told this type of identifier at all? Consent cannot widen it (exchange.md, *Identity*)."""
    partner, audience = sight.standing.partner, sight.rules.rulebook.audience
    if kind in partner.audience:
        return True
    if kind not in audience:
        return False
    sectors = audience[kind]
    return sectors is None or not set(sectors).isdisjoint(partner.sectors)


def complete(grown: Mapping[str, Any], node: Group) -> bool:
    """Is everything there without which the entry is not worth sharing (`x-required-in-view`)?"""
    return bool(grown) and all(any(name in grown for name in names) for names in node.required_in_view)
