"""Which leaves of a case this partner may not have, by the last look's own reading (consent.md, *The view*)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from adapter.core.consent.last_look.decision import Decider, Reason
from adapter.core.consent.last_look.leaves import Case, Leaf
from adapter.core.consent.last_look.moment import Consent, Moment, Provision, names, path
from adapter.core.consent.last_look.provisions import Asked, grants

DIRECTORY = ("organizations", "providers")


@dataclass(frozen=True, slots=True)
class Split:
    permitted: list[Leaf]
    withheld: list[Leaf]


def split(m: Moment, flat: Case) -> Split:
    """Each leaf to one side. A leaf is permitted by decision, and stands in a record that is worth sharing."""
    decider = Decider(m)
    closed = {each.get("document") for each in m.of("consents")} | _not_forwarded(m)
    reasons = {
        leaf.pointer: _reasons(leaf, decider, leaf.part)
        for leaf in flat.leaves
        if not leaf.schema.get("x-part-referred") and leaf.entry.line[0].path not in closed
    }
    allowed = _in_view(flat, decider, reasons)
    allowed |= _notices(m, flat, decider) | _ids(flat, allowed) | _its_own(m, flat)
    return Split(
        [leaf for leaf in flat.leaves if leaf.pointer in allowed],
        [leaf for leaf in flat.leaves if leaf.pointer not in allowed],
    )


def _not_forwarded(m: Moment) -> set[str]:
    """Documents that may go back to where they came from, and nowhere else."""
    return {
        f"documents/{each['id']}"
        for each in m.of("documents")
        if each.get("may_forward") is False and each.get("originator") not in m.own
    }


def _in_view(flat: Case, decider: Decider, reasons: dict[str, list[Reason]]) -> set[str]:
    """An organization or a provider is there when something that is there refers to it: again, until nothing is new."""
    present: set[str] = set()
    while True:
        allowed = {
            leaf.pointer
            for leaf in flat.leaves
            if reasons.get(leaf.pointer) and (leaf.entry.collection not in DIRECTORY or leaf.entry.chain[0] in present)
        }
        _drop_the_worthless(flat, allowed)
        if not any(pointer.startswith("/child/name/") for pointer in allowed):
            return set()
        lent = _lent(flat, allowed)
        known = set(present)
        for leaf in flat.leaves:
            if leaf.schema.get("x-part-referred"):
                record = leaf.entry.chain[0]
                reasons[leaf.pointer] = [why for part in lent[record] for why in _reasons(leaf, decider, part)]
                if reasons[leaf.pointer]:
                    present.add(record)
        if present == known:
            return _closed(flat, allowed)


def _closed(flat: Case, allowed: set[str]) -> set[str]:
    """Without what refers to something that is not there, the names to which nothing refers, and what that leaves
    worthless."""
    while True:
        seen = [leaf for leaf in flat.leaves if leaf.pointer in allowed]
        there = {"family", *(step.path for leaf in seen for step in leaf.entry.line)}
        referred = {leaf.value for leaf in seen if "x-ref" in leaf.schema}
        gone = {
            leaf.pointer
            for leaf in seen
            if ("x-ref" in leaf.schema and leaf.value not in there and not _may_stand_in(leaf))
            or (leaf.entry.collection in DIRECTORY and leaf.entry.chain[0] not in referred)
        }
        if not gone:
            return allowed
        allowed -= gone
        _drop_the_worthless(flat, allowed)


def _may_stand_in(leaf: Leaf) -> bool:
    """In goals and on teams "a family member" may be said in place of a person who is not shown."""
    return leaf.value.startswith("people/") and leaf.entry.collection in ("goals", "care_teams")


def _reasons(leaf: Leaf, decider: Decider, part: str | None) -> list[Reason]:
    """The purposes for which it may be seen: the standing one, and that of each open referral that takes it along."""
    if part is None or not _audience(leaf, decider.m):
        return []
    place = (part, leaf.topics, leaf.entry.pointer)
    if place not in decider.seen:
        asked = Asked(part, leaf.topics, leaf.entry.chain)
        why: list[Reason] = [(decider.m.partner.purpose, None)]
        for referral, along in decider.referrals:
            of_child = leaf.entry.collection == "child" and part in ("identity", "contact")
            if of_child or not along.isdisjoint(asked.chain):
                why.append(("referral", referral.get("consent")))
        decider.seen[place] = [each for each in why if decider.permitted(asked, *each)]
    return decider.seen[place]


def _audience(leaf: Leaf, m: Moment) -> bool:
    """exchange.md, *Identity*: whom an identifier of the child may be told at all, whatever consent says."""
    if not leaf.pointer.startswith("/child/identifiers/"):
        return True
    kind = leaf.entry.value.get("type", "")
    sectors = m.rulebook.audience.get(kind, ())
    return kind in m.partner.audience or sectors is None or not set(sectors).isdisjoint(m.partner.sectors)


def _lent(flat: Case, allowed: set[str]) -> dict[str, set[str | None]]:
    """Organization or provider → the parts of the permitted references to it, which its name and sector take."""
    lent: dict[str, set[str | None]] = defaultdict(set)
    for leaf in flat.leaves:
        if "x-ref" in leaf.schema and leaf.pointer in allowed:
            lent[leaf.value].add(leaf.part)
    return lent


def _drop_the_worthless(flat: Case, allowed: set[str]) -> None:
    """Without the leaves in `x-required-in-view` a record or an entry is not worth sharing: nothing of it goes."""
    below: dict[int, list[Leaf]] = defaultdict(list)
    for leaf in flat.leaves:
        if leaf.pointer in allowed:
            for step in leaf.entry.line:
                below[id(step)].append(leaf)
    for entry in sorted(flat.entries, key=lambda each: -len(each.line)):
        required = entry.schema.get("x-required-in-view", ())
        start = len(entry.pointer) + 1
        there = {leaf.pointer[start:].split("/", 1)[0] for leaf in below[id(entry)] if leaf.pointer in allowed}
        if not all(there & ({wanted} if isinstance(wanted, str) else set(wanted)) for wanted in required):
            allowed -= {leaf.pointer for leaf in below[id(entry)]}


def _ids(flat: Case, allowed: set[str]) -> set[str]:
    """The id of anything of which something may be seen is no secret."""
    seen = {id(step) for leaf in flat.leaves if leaf.pointer in allowed for step in leaf.entry.line}
    return {leaf.pointer for leaf in flat.leaves if leaf.field == "id" and id(leaf.entry) in seen}


def _notices(m: Moment, flat: Case, decider: Decider) -> set[str]:
    """The partner's own Consent carries the notices of the consents under which it receives."""
    own = {path(consent) for consent, permit in decider.permits if _receives(m, permit, consent)}
    return {leaf.pointer for leaf in flat.leaves if "/notices/" in leaf.pointer and leaf.entry.chain[0] in own}


def _its_own(m: Moment, flat: Case) -> set[str]:
    """The partner's name and identifiers as its own file has them: in its Consent they tell it nothing."""
    card = {m.partner.name, *(value for _, value in m.partner.identifiers)}
    return {leaf.pointer for leaf in flat.leaves if leaf.entry.collection == "organizations" and leaf.value in card}


def _receives(m: Moment, provision: Provision, consent: Consent) -> bool:
    topics, chain = frozenset(names(provision, "topics")), names(provision, "records")
    return any(
        grants(m, {**provision, "except": ()}, consent, Asked(part, topics, chain), purpose)
        for purpose in (m.partner.purpose, "referral")
        for part in m.rulebook.parts
    )
