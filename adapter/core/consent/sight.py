"""What one partner may see of one case at one time, element by element, each distinct question asked once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from adapter.core.consent.decide import Decision, Element, decide
from adapter.core.consent.purposes import Scope, scopes
from adapter.core.consent.rules import Permit, Rules, Standing
from adapter.core.consent.topics import QUIET_RECORDS, Place, Topics, own_topics, topics_towards
from adapter.core.schema import Group, Leaf, Listing, Node

NEVER = "consents"
"""The part that never leaves the agency as such."""


@dataclass(slots=True, eq=False)
class Verdict:
    """What all scopes together say of an element: for which purposes it may be seen, and by which permits.

    There is one for each distinct question, so that they are told apart by identity."""

    part: str
    topics: frozenset[str]
    purposes: tuple[str, ...]
    permits: tuple[Permit, ...]
    refusal: Decision | None
    """The decision of the standing purpose where nothing permits."""


class Seen(NamedTuple):
    """A leaf that may be seen, with what permits it. `leaf` says what it is."""

    value: Any
    leaf: Leaf
    verdict: Verdict


class Refused(NamedTuple):
    """Leaves of one part and the same topics that may not be seen: where they stand, and why (for explanations and for
    the one-bit notice)."""

    path: str
    part: str
    topics: frozenset[str]
    decision: Decision


@dataclass(slots=True)
class Grown:
    """A record as far as it may be seen: the same shape, its leaves `Seen`; its references, and its entries' paths."""

    tree: dict[str, Any]
    references: list[Seen]
    entries: list[str]


@dataclass(slots=True)
class Sight:
    """The view's working memory: the standing consents, the topics, the purposes, and the answers given so far."""

    rules: Rules
    standing: Standing
    topics: Topics
    scopes: tuple[Scope, ...]
    _refusals: dict[tuple[str, Verdict], None] = field(default_factory=dict)
    _answers: dict[Any, Verdict] = field(default_factory=dict)
    _told: dict[Any, dict[str, Verdict]] = field(default_factory=dict)

    @staticmethod
    def of(case: Mapping[str, Any], rules: Rules, standing: Standing) -> Sight:
        topics = topics_towards(standing.partner, rules.case, rules.rulebook, of_view=case is not rules.case)
        return Sight(rules, standing, topics, scopes(rules.case, standing, topics))

    def verdict(self, part: str, topics: frozenset[str], chain: tuple[str, ...]) -> Verdict:
        """Decide an element for every purpose there is (consent.md, *Purposes*: visible if one of them permits it)."""
        reached = [0]
        if len(self.scopes) > 1:
            reached = [n for n, scope in enumerate(self.scopes) if scope.reaches(part, chain)]
        # Only the records that some provision names tell one place from another.
        named = tuple([path for path in chain if path in self.standing.named]) if self.standing.named else ()
        key = (part, topics, named, *reached)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._ask(Element(part, topics, named), [self.scopes[n] for n in reached])
            self._answers[key] = answer
        return answer

    def told(self, place: Place) -> dict[str, Verdict]:
        """Part → the verdict on leaves of it that stand here, as far as it has been given here or in a like place."""
        if len(self.scopes) > 1 or not self.standing.named.isdisjoint(place.chain):
            return {}
        return self._told.setdefault(place.topics, {})

    def refuse(self, place: Place, verdict: Verdict) -> None:
        """Note that a leaf may not be seen, but for what never leaves anyway."""
        if verdict.part != NEVER:
            self._refusals[place.chain[-1], verdict] = None

    def refused(self) -> tuple[Refused, ...]:
        """What was asked for and may not be seen, in the order of asking."""
        return tuple(Refused(at, v.part, v.topics, v.refusal) for at, v in self._refusals if v.refusal)

    def _ask(self, element: Element, reached: Sequence[Scope]) -> Verdict:
        part, topics = element.part, element.topics
        if part == NEVER or part not in self.rules.rulebook.parts:
            return Verdict(part, topics, (), (), Decision(False, "never"))
        decisions = [(s, decide(self.standing, element, s.purpose, only=s.only)) for s in reached]
        given = [(s, d) for s, d in decisions if d.permitted]
        if not given:
            return Verdict(part, topics, (), (), decisions[0][1])
        permits = {p.provision.path: p for _, d in given for p in d.permits}
        return Verdict(part, topics, tuple(sorted({s.purpose for s, _ in given})), tuple(permits.values()), None)

    def grow(
        self, collection: str, path: str, record: Mapping[str, Any], node: Group, *, referred: bool | None = None
    ) -> Grown:
        """Build up what may be seen of a record; what may not is not there, and it is noted why not.

        `referred` looks only at leaves that take the part of what refers to them, or only at the others.
        """
        place = self.topics.enter(Place(collection, (path,)), record, node)
        grown = Grown({}, [], [])
        grown.tree = _Growth(self, grown, referred).group(place, record, node)
        return grown


@dataclass(slots=True)
class _Growth:
    """One record being grown. An entry of which only the id is left, or too little, is not there."""

    sight: Sight
    grown: Grown
    referred: bool | None

    def group(self, place: Place, entry: Mapping[str, Any], node: Group) -> dict[str, Any]:
        sight = self.sight
        tree: dict[str, Any] = {}
        fields = node.fields
        # Leaves that add no topic of their own: one answer for each part.
        told = sight.told(place)
        quiet, unread = place.collection in QUIET_RECORDS, sight.topics.unread(place)
        for name, value in entry.items():
            sub = fields.get(name)
            leaf = sub.item if type(sub) is Listing else sub
            if type(leaf) is not Leaf:
                # None: `path`, where the case is itself a view.
                if sub is not None and (inner := self._within(place, name, value, sub)):
                    tree[name] = inner
                continue
            if leaf.is_id:
                tree[name] = value
                continue
            if self.referred is not None and leaf.referred != self.referred:
                continue
            part = leaf.part if leaf.part_by is None else _part(sight, leaf, entry)
            verdict = told.get(part)
            if verdict is None:
                verdict = told[part] = sight.verdict(part, place.topics, place.chain)
            if type(value) is list or own_topics(name, leaf, quiet=quiet, unread=unread):
                several = value if type(value) is list else (value,)
                seen = [s for one in several if (s := self._look(place, name, leaf, one, verdict))]
                if seen:
                    tree[name] = seen if several is value else seen[0]
                    if leaf.refs:
                        self.grown.references += seen
            elif verdict.refusal is None:
                tree[name] = one = Seen(value, leaf, verdict)
                if leaf.refs:
                    self.grown.references.append(one)
            else:
                sight.refuse(place, verdict)
        return tree if len(tree) > 1 or (tree and "id" not in tree) else {}

    def _look(self, place: Place, name: str, leaf: Leaf, value: Any, around: Verdict) -> Seen | None:
        """A leaf that may have topics of its own; if it has none, the verdict `around` it holds for it too."""
        sight = self.sight
        extra = sight.topics.of_leaf(place, name, leaf, value)
        verdict = sight.verdict(around.part, place.topics | extra, place.chain) if extra else around
        if verdict.refusal is None:
            return Seen(value, leaf, verdict)
        sight.refuse(place, verdict)
        return None

    def _within(self, place: Place, name: str, value: Any, node: Node) -> Any:
        """An object of the entry, or the entries of a list of it."""
        if isinstance(node, Group):
            return self.group(place, value, node)
        assert isinstance(node, Listing) and isinstance(node.item, Group)  # noqa: S101  lists never hold lists
        return [tree for one in value if (tree := self._entry(place, name, one, node.item))]

    def _entry(self, outer: Place, name: str, entry: Mapping[str, Any], node: Group) -> dict[str, Any]:
        grown, chain = self.grown, outer.chain
        before = len(grown.references), len(grown.entries)
        if "id" in entry:
            path = f"{chain[-1]}/{name}/{entry['id']}"
            chain = (*chain, path)
            grown.entries.append(path)
        place = self.sight.topics.enter(outer, entry, node, name, chain)
        tree = self.group(place, entry, node)
        if complete(tree, node):
            return tree
        del grown.references[before[0] :], grown.entries[before[1] :]
        return {}


def _part(sight: Sight, leaf: Leaf, entry: Mapping[str, Any]) -> str:
    """The part that a code of its entry chooses for a leaf; an unknown code chooses none."""
    assert leaf.part_by is not None  # noqa: S101  the others have a part of their own
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


def complete(tree: Mapping[str, Any], node: Group) -> bool:
    """Is everything there without which the entry is not worth sharing (`x-required-in-view`)?"""
    if not tree:
        return False
    for names in node.required_in_view:
        for name in names:
            if name in tree:
                break
        else:
            return False
    return True
