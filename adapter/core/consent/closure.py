"""A view closed under its references: what leads outside goes, then what became meaningless, until nothing changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.core.consent.sight import Grown, Seen, Sight, Verdict, complete
from adapter.core.consent.topics import Place
from adapter.core.schema import Group, Leaf, Listing, Node

DIRECTORY = ("providers", "organizations")
"""In a view only where something permitted refers to them; providers first, since they refer to organisations."""
FAMILY = "family"
"""The one word that stands in for a family member who is withheld only because `family` is not permitted."""

Records = dict[str, Grown]
"""Path → the record as it was grown, its leaves `Seen`."""


def close(sight: Sight, grown: Records, case: Mapping[str, Any]) -> Records:
    """The greatest part of `grown` in which every reference leads to something that is there.

    Directory records are not in `grown`: they are found here, by what refers to them (consent.md, *The view*: a name
    and a sector take the part of whatever permitted element refers to them; the other leaves are `team`).
    """
    directory = _Directory(sight, case)
    records = grown
    while True:
        listed = directory.referred(records)
        present = {FAMILY, *listed, *records}
        for each in records.values():
            present.update(each.entries)
        sweep = _Sweep(sight, present)
        swept = {path: sweep.record(path, each) for path, each in records.items()}
        if not sweep.removed:
            return swept | {path: sweep.record(path, each) for path, each in listed.items()}
        records = {path: each for path, each in swept.items() if each.tree}


class _Sweep:
    """One pass over the records: what leads outside `present` is taken out, or replaced by the word `family`."""

    def __init__(self, sight: Sight, present: set[str]) -> None:
        self.sight, self.present = sight, present
        self.path, self.kept, self.removed = "", Grown({}, [], []), 0

    def record(self, path: str, grown: Grown) -> Grown:
        if self.present.issuperset([seen.value for seen in grown.references]):
            return grown
        self.path, self.kept = path, Grown({}, [], [])
        node = self.sight.rules.rulebook.schemas.collections[path.split("/")[0]]
        self.kept.tree = self.group(grown.tree, node, path)
        return self.kept

    def group(self, tree: Mapping[str, Any], node: Group, path: str, trail: str = "") -> dict[str, Any]:
        """`path`: of the entry with an id that holds it; `trail`: the names of the fields that lead to it."""
        references, entries = self.kept.references, self.kept.entries
        before = len(references), len(entries)
        kept: dict[str, Any] = {}
        for name, child in tree.items():
            if type(child) is Seen:
                child = self.leaf(child, f"{trail}{name}") if child.leaf.refs else child
            elif type(child) is dict:
                child = self.group(child, _group(node.fields[name]), path, f"{trail}{name}.")
            elif type(child) is list:
                child = [one for each in child if (one := self.one(each, node.fields[name], path, trail, name))]
            if child:
                kept[name] = child
        if complete(kept, node) and kept.keys() - {"id"}:
            return kept
        del references[before[0] :], entries[before[1] :]
        return {}

    def one(self, each: Any, node: Node, path: str, trail: str, name: str) -> Any:
        if type(each) is Seen:
            return self.leaf(each, f"{trail}{name}") if each.leaf.refs else each
        before = len(self.kept.entries)
        if "id" in each:
            path = f"{path}/{name}/{each['id']}"
            self.kept.entries.append(path)
        tree = self.group(each, _group(node), path, f"{trail}{name}.")
        if not tree:
            del self.kept.entries[before:]
        return tree

    def leaf(self, seen: Seen, trail: str) -> Seen | None:
        if seen.value not in self.present:
            if not (seen.value.startswith("people/") and self._may_stand_in(seen.value, trail)):
                self.removed += 1
                return None
            seen = seen._replace(value=FAMILY)
        self.kept.references.append(seen)
        return seen

    def _may_stand_in(self, person: str, trail: str) -> bool:
        """In goals and team seats, for one who is neither topical nor denied by name or record."""
        if not (self.path.startswith("goals/") or (self.path.startswith("care_teams/") and trail == "members.member")):
            return False
        sight = self.sight
        record = _find(sight.rules.case, person)
        if record is None:
            return False
        tree = sight.rules.rulebook.schemas.collections["people"]
        place = sight.topics.enter(Place("people", (person,)), record, tree)
        standing = sight.standing
        named = [d.test for d in standing.denies] + [x for p in standing.permits for x in p.except_for]
        return not place.topics and not any(person in (test.records or ()) for test in named)


class _Directory:
    """Organisations and providers: each leaf decided once, names for each part that something refers to them in."""

    def __init__(self, sight: Sight, case: Mapping[str, Any]) -> None:
        self.sight = sight
        # In the order of DIRECTORY: a provider that is named brings its organisation along.
        self.records = {
            f"{collection}/{record['id']}": (collection, record)
            for collection in DIRECTORY
            for record in case.get(collection, ())
        }
        self.team = {path: self._grow(path) for path in self.records}
        self.known: dict[tuple[str, frozenset[str]], Grown | None] = {}

    def referred(self, records: Records) -> Records:
        """The directory records that the leaves of `records` refer to, as far as they may be named in those parts."""
        found: Records = {}
        parts: dict[str, set[str]] = {}
        for each in records.values():
            self._collect(each, parts)
        for path in self.records:
            if path in parts and (named := self._named(path, frozenset(parts[path]))):
                found[path] = named
                self._collect(named, parts)
        return found

    def _collect(self, grown: Grown, parts: dict[str, set[str]]) -> None:
        for seen in grown.references:
            if seen.value in self.records:
                parts.setdefault(seen.value, set()).add(seen.verdict.part)

    def _grow(self, path: str) -> Grown:
        collection, record = self.records[path]
        tree = self.sight.rules.rulebook.schemas.collections[collection]
        return self.sight.grow(collection, path, record, tree, referred=False)

    def _named(self, path: str, parts: frozenset[str]) -> Grown | None:
        if (path, parts) not in self.known:
            self.known[path, parts] = self._name(path, parts)
        return self.known[path, parts]

    def _name(self, path: str, parts: frozenset[str]) -> Grown | None:
        """The record with its name, if it may be named in one of `parts`; its team leaves go along as permitted."""
        collection, record = self.records[path]
        sight, node = self.sight, self.sight.rules.rulebook.schemas.collections[collection]
        place = sight.topics.enter(Place(collection, (path,)), record, node)
        verdicts = [sight.verdict(part, place.topics, place.chain) for part in sorted(parts)]
        given = [verdict for verdict in verdicts if verdict.refusal is None]
        if not given:
            return None
        team = self.team[path]
        named = {"id": record["id"], **_referred_leaves(record, node, _together(given))}
        named |= {name: value for name, value in team.tree.items() if name != "id"}
        return Grown({name: named[name] for name in record if name in named}, team.references, [])


def _together(given: list[Verdict]) -> Verdict:
    """One verdict on a name that several parts permit: of the first part, for the purposes and by permits of all."""
    first = given[0]
    if len(given) == 1:
        return first
    permits = {p.provision.path: p for verdict in given for p in verdict.permits}
    purposes = tuple(sorted({purpose for verdict in given for purpose in verdict.purposes}))
    return Verdict(first.part, first.topics, purposes, tuple(permits.values()), None)


def _referred_leaves(record: Mapping[str, Any], node: Group, verdict: Verdict) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in record.items():
        sub = node.fields.get(name)
        leaf = sub.item if isinstance(sub, Listing) else sub
        if isinstance(sub, Group):
            if inner := _referred_leaves(value, sub, verdict):
                found[name] = inner
        elif isinstance(leaf, Leaf) and leaf.referred:
            several = isinstance(value, list)
            seen = [Seen(one, leaf, verdict) for one in (value if several else [value])]
            found[name] = seen if several else seen[0]
    return found


def _group(node: Node) -> Group:
    """The node of an object, or of the objects of a list."""
    found = node.item if isinstance(node, Listing) else node
    assert isinstance(found, Group)  # noqa: S101  by the schema
    return found


def _find(case: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    collection, _, identity = path.partition("/")
    return next((r for r in case.get(collection, ()) if r["id"] == identity), None)
