"""A view closed under its references: what leads outside goes, then what became meaningless, until nothing changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapter.core.consent.sight import Seen, Sight, Verdict, complete, grow
from adapter.core.consent.topics import Place
from adapter.core.schema import Group, Leaf, Listing, Node

DIRECTORY = ("providers", "organizations")
"""In a view only where something permitted refers to them; providers first, since they refer to organisations."""
FAMILY = "family"
"""The one word that stands in for a family member who is withheld only because `family` is not permitted."""

Records = dict[str, dict[str, Any]]
"""Path → the record as it was grown, its leaves `Seen`."""


def close(sight: Sight, grown: Records, case: Mapping[str, Any]) -> Records:
    """The greatest part of `grown` in which every reference leads to something that is there.

    Directory records are not in `grown`: they are found here, by what refers to them (consent.md, *The view*: a name
    and a sector take the part of whatever permitted element refers to them; the other leaves are `team`).
    """
    directory = _Directory(sight, case)
    trees = sight.rules.rulebook.schemas.collections
    records = grown
    while True:
        listed = directory.referred(records)
        sweep = _Sweep(sight, {*listed, *records, *(p for path, r in records.items() for p in _entry_paths(path, r))})
        swept = {path: sweep.record(path, r, trees[path.split("/")[0]]) for path, r in records.items()}
        if not sweep.removed:
            return swept | {path: sweep.record(path, r, trees[path.split("/")[0]]) for path, r in listed.items()}
        records = {path: record for path, record in swept.items() if record}


class _Sweep:
    """One pass over the records: what leads outside `present` is taken out, or replaced by the word `family`."""

    def __init__(self, sight: Sight, present: set[str]) -> None:
        self.sight, self.present = sight, present
        self.path, self.removed = "", 0

    def record(self, path: str, record: Mapping[str, Any], tree: Group) -> dict[str, Any]:
        self.path = path
        return self.group(record, tree)

    def group(self, value: Mapping[str, Any], node: Group, trail: str = "") -> dict[str, Any]:
        kept = {
            name: swept
            for name, child in value.items()
            if (swept := self.field(child, node.fields[name], f"{trail}.{name}" if trail else name)) is not None
        }
        return kept if complete(kept, node) and kept.keys() - {"id"} else {}

    def field(self, value: Any, node: Node, trail: str) -> Any:
        match node:
            case Group():
                return self.group(value, node, trail) or None
            case Listing(Group() as item):
                return [kept for one in value if (kept := self.group(one, item, trail))] or None
        if isinstance(value, list):
            return [kept for one in value if (kept := self.leaf(one, trail)) is not None] or None
        return self.leaf(value, trail)

    def leaf(self, seen: Any, trail: str) -> Any:
        if not isinstance(seen, Seen) or not seen.leaf.refs or seen.value in self.present or seen.value == FAMILY:
            return seen
        if seen.value.startswith("people/") and self._may_stand_in(seen.value, trail):
            return seen._replace(value=FAMILY)
        self.removed += 1
        return None

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
        denied = any(person in (d.test.records or ()) for d in sight.standing.denies)
        return not place.topics and not denied


class _Directory:
    """Organisations and providers: each leaf decided once, names for each part that something refers to them in."""

    def __init__(self, sight: Sight, case: Mapping[str, Any]) -> None:
        self.sight = sight
        self.records = {
            f"{collection}/{record['id']}": (collection, record)
            for collection in DIRECTORY
            for record in case.get(collection, ())
        }
        self.team = {path: self._grow(path, referred=False) for path in self.records}

    def referred(self, records: Records) -> Records:
        """The directory records that the leaves of `records` refer to, as far as they may be named in those parts."""
        found: Records = {}
        parts: dict[str, set[str]] = {}
        for record in records.values():
            _collect(record, parts)
        for path, (_, _record) in sorted(self.records.items(), key=lambda item: DIRECTORY.index(item[1][0])):
            if path in parts and (named := self._named(path, parts[path])):
                found[path] = named
                _collect(named, parts)
        return found

    def _grow(self, path: str, *, referred: bool) -> dict[str, Any]:
        collection, record = self.records[path]
        tree = self.sight.rules.rulebook.schemas.collections[collection]
        place = self.sight.topics.enter(Place(collection, (path,)), record, tree)
        return grow(self.sight, place, record, tree, choose=lambda leaf: leaf.referred == referred)

    def _named(self, path: str, parts: set[str]) -> dict[str, Any]:
        """The record with its name, if it may be named in one of `parts`; then also its team leaves."""
        collection, record = self.records[path]
        sight, tree = self.sight, self.sight.rules.rulebook.schemas.collections[collection]
        place = sight.topics.enter(Place(collection, (path,)), record, tree)
        verdicts = {part: sight.verdict(part, place.topics, place.chain) for part in sorted(parts)}
        given = {part: v for part, v in verdicts.items() if v.refusal is None}
        if not given:
            return {}
        name = _referred_leaves(record, tree, place.topics, given)
        named = {"id": record["id"], **name, **{k: v for k, v in self.team[path].items() if k != "id"}}
        return {k: named[k] for k in record if k in named}


def _referred_leaves(
    record: Mapping[str, Any], node: Group, topics: frozenset[str], given: Mapping[str, Verdict]
) -> dict[str, Any]:
    part, verdict = next(iter(given.items()))
    if len(given) > 1:
        permits = {p.provision.path: p for v in given.values() for p in v.permits}
        purposes = tuple(sorted({u for v in given.values() for u in v.purposes}))
        verdict = Verdict(purposes, tuple(permits.values()), None)
    found: dict[str, Any] = {}
    for name, value in record.items():
        sub = node.fields.get(name)
        leaf = sub.item if isinstance(sub, Listing) else sub
        if isinstance(sub, Group):
            if inner := _referred_leaves(value, sub, topics, {part: verdict}):
                found[name] = inner
        elif isinstance(leaf, Leaf) and leaf.referred:
            several = isinstance(value, list)
            seen = [Seen(one, leaf, part, topics, verdict) for one in (value if several else [value])]
            found[name] = seen if several else seen[0]
    return found


def leaves(value: Any) -> Iterator[Seen]:
    """Every `Seen` of a grown record."""
    if isinstance(value, Seen):
        yield value
    elif isinstance(value, dict):
        for child in value.values():
            yield from leaves(child)
    elif isinstance(value, list):
        for child in value:
            yield from leaves(child)


def _collect(record: Any, parts: dict[str, set[str]]) -> None:
    for seen in leaves(record):
        if seen.leaf.refs and seen.value.split("/")[0] in DIRECTORY:
            parts.setdefault(seen.value, set()).add(seen.part)


def _entry_paths(path: str, value: Mapping[str, Any]) -> Iterator[str]:
    for name, child in value.items():
        for entry in child if isinstance(child, list) else ():
            if isinstance(entry, dict) and "id" in entry:
                below = f"{path}/{name}/{entry['id']}"
                yield below
                yield from _entry_paths(below, entry)


def _find(case: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    collection, _, identity = path.partition("/")
    return next((r for r in case.get(collection, ()) if r["id"] == identity), None)
