"""Field by field: what a partner says of a record, held against what the agency's case says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from adapter.core.inbox.values import Compared, Proposal
from adapter.core.schema import SINGULAR, Group, Leaf, Listing, Node, Schemas, paths
from adapter.core.strict_json import digest

_NOT_THEIRS = ("id", "topics", "topics_lifted", "reviewed", "imported")
"""Fields of which no partner says anything: names, a person's labels and reviews, and what is not adopted yet."""
_NOTHING: Any = object()


@dataclass(slots=True)
class _Found:
    """What comparing one record comes to, on the way."""

    proposals: list[Proposal] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    only_here: list[str] = field(default_factory=list)


def compared(
    case: Mapping[str, Any], path: str, theirs: Mapping[str, Any], schemas: Schemas, sources: tuple[str, ...]
) -> Compared:
    """One record of theirs with the case's of the same path. `case` may be empty: of a child that is in none yet."""
    collection = path.partition("/")[0]
    node = schemas.collections[collection]
    known = set(paths(case))
    ours = record_at(case, path)
    plain = {name: value for name, value in theirs.items() if name in ("id", *plain_names(theirs))}
    if ours is None:
        own = {path, *(f"{path}{below}" for below in _below(plain))}
        needs = tuple(sorted({*references(plain, node)} - {*known, *own, "child", "enrolment", "family"}))
        proposal = Proposal(path, "record", plain, None, digest(plain), sources, needs)
        return Compared(path, sources, (proposal,))
    found = _Found()
    _group(path, ours, plain, node, found)
    proposals = tuple(replace(each, sources=sources, needs=_needs(each, path, node, known)) for each in found.proposals)
    return Compared(path, sources, proposals, tuple(found.same), tuple(found.only_here))


def record_at(case: Mapping[str, Any], path: str) -> dict[str, Any] | None:
    """The record of this path: `goals/g1`, `child`."""
    collection, _, identity = path.partition("/")
    if collection in SINGULAR:
        found: dict[str, Any] | None = case.get(collection)
        return found
    return next((r for r in case.get(collection, ()) if r["id"] == identity), None)


def plain_names(record: Mapping[str, Any]) -> list[str]:
    """The fields of a record of theirs that can be taken over."""
    return [name for name in record if name not in _NOT_THEIRS]


def alike(ours: Any, theirs: Any) -> bool:
    """The same value, however it is written: one in a list of its own, an instant in another zone."""
    if ours == theirs:
        return True
    if isinstance(ours, list) != isinstance(theirs, list):
        return bool(ours == [theirs] or [ours] == theirs)
    if isinstance(ours, str) and isinstance(theirs, str) and "T" in ours and "T" in theirs:
        try:
            return datetime.fromisoformat(ours) == datetime.fromisoformat(theirs)
        except (TypeError, ValueError):
            return False
    return False


def references(value: Any, node: Node) -> Iterator[str]:
    """Every path that a value refers to, by its schema."""
    match node, value:
        case Group(fields), dict():
            for name, inner in value.items():
                if name in fields:
                    yield from references(inner, fields[name])
        case Listing(item), list():
            for inner in value:
                yield from references(inner, item)
        case Leaf(refs=refs), list() if refs:
            yield from (each for each in value if isinstance(each, str))
        case Leaf(refs=refs), str() if refs:
            yield value


def added_name(value: Any) -> str:
    """How an entry of a list without ids is named."""
    return f"+{digest(value)[:16]}"


def _group(path: str, ours: Mapping[str, Any], theirs: Mapping[str, Any], node: Group, found: _Found) -> None:
    for name in (*theirs, *(n for n in ours if n not in theirs)):
        if name in _NOT_THEIRS or name not in node.fields:
            continue
        _field(f"{path}/{name}", ours.get(name, _NOTHING), theirs.get(name, _NOTHING), node.fields[name], found)


def _field(path: str, ours: Any, theirs: Any, node: Node, found: _Found) -> None:
    if theirs is _NOTHING:
        found.only_here.append(path)
    elif ours is not _NOTHING and alike(ours, theirs):
        found.same.append(path)
    elif isinstance(node, Group) and isinstance(theirs, dict):
        _group(path, ours if isinstance(ours, dict) else {}, theirs, node, found)
    elif isinstance(theirs, list) and _is_entries(node) and not path.startswith("consents/"):
        # What a consent permits and denies is one word: half of a new version and half of the old one are nobody's.
        _entries(path, _listed(ours), theirs, node, found)
    elif ours is _NOTHING:
        found.proposals.append(Proposal(path, "field", theirs, None, digest(theirs)))
    else:
        found.proposals.append(Proposal(path, "differs", theirs, ours, digest(theirs)))


def _is_entries(node: Node) -> bool:
    """A list of which each entry stands for itself: objects and references; texts in a row are one value."""
    item = node.item if isinstance(node, Listing) else node
    return isinstance(item, Group) or (isinstance(item, Leaf) and bool(item.refs))


def _entries(path: str, ours: list[Any], theirs: list[Any], node: Node, found: _Found) -> None:
    item = node.item if isinstance(node, Listing) else node
    by_id = {e["id"]: e for e in ours if isinstance(e, dict) and "id" in e}
    contents = [_content(e) for e in ours]
    met: set[int] = set()
    for entry in theirs:
        own = by_id.get(entry["id"]) if isinstance(entry, dict) and "id" in entry else None
        if own is not None and isinstance(item, Group):
            met.add(next(i for i, e in enumerate(ours) if e is own))
            _group(f"{path}/{entry['id']}", own, entry, item, found)
        elif (place := _place(_content(entry), contents, met)) is not None:
            met.add(place)
            found.same.append(f"{path}/{_name(ours[place])}")
        else:
            name = f"{path}/{_name(entry)}"
            found.proposals.append(Proposal(name, "field", entry, None, digest(_content(entry))))
    found.only_here += [f"{path}/{_name(e)}" for i, e in enumerate(ours) if i not in met]


def _place(content: Any, contents: list[Any], met: set[int]) -> int | None:
    return next((i for i, each in enumerate(contents) if i not in met and each == content), None)


def _content(entry: Any) -> Any:
    """What an entry says: an id that follows from it, or that another system gave it, is no part of that."""
    return {n: v for n, v in entry.items() if n != "id"} if isinstance(entry, dict) else entry


def _name(entry: Any) -> str:
    return str(entry["id"]) if isinstance(entry, dict) and "id" in entry else added_name(entry)


def _listed(value: Any) -> list[Any]:
    return [] if value is _NOTHING else value if isinstance(value, list) else [value]


def _needs(proposal: Proposal, path: str, node: Group, known: set[str]) -> tuple[str, ...]:
    there = node_at(node, proposal.path.removeprefix(path).strip("/").split("/"))
    if there is None:
        return ()
    return tuple(sorted({*references(proposal.theirs, there)} - {*known, "child", "enrolment", "family"}))


def _below(value: Any) -> Iterator[str]:
    """The paths of entries in a record, below its own."""
    for name, inner in value.items():
        for entry in inner if isinstance(inner, list) else ():
            if isinstance(entry, dict) and "id" in entry:
                yield f"/{name}/{entry['id']}"
                yield from (f"/{name}/{entry['id']}{below}" for below in _below(entry))


def node_at(node: Node, steps: list[str]) -> Node | None:
    """The schema of a field or entry: names and ids of entries in turn."""
    for step in steps:
        if isinstance(node, Listing):
            node = node.item
        elif isinstance(node, Group):
            if step not in node.fields:
                return None
            node = node.fields[step]
        elif not step.startswith("+"):
            return None
    return node
