"""Every free text of a case, with the place whose review it needs: the record, the plan's section, the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from adapter.core.schema import SINGULAR, Group, Leaf, Listing, Node, Schemas, records


class Text(NamedTuple):
    """One free text. `place` is the path of the nearest entry that a person may review; `name` says where in it."""

    record: str
    place: str
    name: str
    """The fields and ids from the place on, such as `title` or `steps/s1/text`."""
    value: str
    reviewed: bool


def texts(case: Mapping[str, Any], schemas: Schemas) -> Iterator[Text]:
    """The free texts of every record that may leave the agency; of a view too."""
    for collection, path, record in records(case):
        tree = schemas.collections.get(collection)
        if tree is not None and collection != "consents":
            yield from _of_entry(record, tree, (path, path, ""), reviewed=False)


def of_place(case: Mapping[str, Any], path: str, schemas: Schemas) -> dict[str, str]:
    """The texts that a review of this place speaks of: all in it, those of its own entries too."""
    collection, entry = path.split("/")[0], place(case, path)
    if entry is None or collection not in schemas.collections or collection == "consents":
        return {}
    steps = path.split("/")[1 if collection in SINGULAR else 2 :: 2]
    node: Node = schemas.collections[collection]
    for step in steps:
        node = node.fields[step] if isinstance(node, Group) else node
        node = node.item if isinstance(node, Listing) else node
    found = _of_entry(entry, node, ("", "", ""), reviewed=False) if isinstance(node, Group) else iter(())
    return {"/".join(x for x in (t.place.strip("/"), t.name) if x): t.value for t in found}


def place(case: Mapping[str, Any], path: str) -> dict[str, Any] | None:
    """The record or entry at `goals/g1`, `care_plans/p1/sections/s1` or `child`; None where there is none."""
    name, *rest = path.split("/")
    found: Any = case.get(name)
    while rest:
        identity, *rest = rest
        found = (
            next((e for e in found if isinstance(e, dict) and e.get("id") == identity), None)
            if isinstance(found, list)
            else None
        )
        if rest:
            name, *rest = rest
            if not rest:
                return None
            found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None


def may_be_reviewed(path: str, schemas: Schemas) -> bool:
    """Is this the path of something that carries `reviewed`: a record, a section of a plan, a service?"""
    collection, *rest = path.split("/")
    node: Node | None = schemas.collections.get(collection)
    if collection == "consents" or len(rest) % 2 == (0 if collection not in SINGULAR else 1):
        return False
    for name in rest[0::2] if collection in SINGULAR else rest[1::2]:
        node = node.fields.get(name) if isinstance(node, Group) else None
        node = node.item if isinstance(node, Listing) else None
    return isinstance(node, Group) and "reviewed" in node.fields


def _of_entry(entry: Mapping[str, Any], node: Group, at: tuple[str, str, str], *, reviewed: bool) -> Iterator[Text]:
    record, here, inside = at
    reviewed = reviewed or "reviewed" in entry
    for name, value in entry.items():
        sub = node.fields.get(name)
        below = f"{inside}{name}"
        if isinstance(sub, Group):
            yield from _of_entry(value, sub, (record, here, f"{below}/"), reviewed=reviewed)
        elif isinstance(sub, Listing) and isinstance(sub.item, Group):
            for number, one in enumerate(value):
                identity = str(one.get("id", number))
                within = (record, here, f"{below}/{identity}/")
                if "reviewed" in sub.item.fields and not inside:
                    within = (record, f"{here}/{name}/{identity}", "")
                yield from _of_entry(one, sub.item, within, reviewed=reviewed)
        else:
            leaf = sub.item if isinstance(sub, Listing) else sub
            if isinstance(leaf, Leaf) and leaf.text:
                for one in value if isinstance(value, list) else (value,):
                    yield Text(record, here, below, one, reviewed)
