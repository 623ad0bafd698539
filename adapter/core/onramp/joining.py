"""Joins what a file tells of a case with what is there: a row that is missing takes nothing away, unless it may.

A file without the column of a leaf says nothing of that leaf; a cell that is empty says that there is nothing. Entries
are told apart by their ids; a list whose entries have none is taken whole, if the file tells of it at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from adapter.core.schema import SINGULAR, Group, Listing, Node

_PROVISIONS = ("consents", "provisions")

Tells = Callable[[tuple[str, ...]], bool]
"""Does the file have a column for the leaf, or a sheet for the list, at this path of names?"""


def join(
    before: Mapping[str, Any],
    told: Mapping[str, Any],
    collections: Mapping[str, Group],
    tells: Tells,
    *,
    complete: bool,
    others: Collection[str] = (),
) -> dict[str, Any]:
    """The case file to be kept. `before`: the one that is stored, {} if none.

    `complete`: what the file does not tell of goes, but for collections that it has no sheet for, and but for records
    that another source put (`others`: their paths).
    """
    joined = {name: told.get(name, before.get(name)) for name in ("case", "program")}
    for name, tree in collections.items():
        old, new = before.get(name), told.get(name)
        value: Any
        if name in SINGULAR:
            value = _joined(old, new, tree, (name,), tells, complete) if new is not None else old
            if new is None and complete and tells((name,)) and name not in others:
                value = None
        else:
            kept = complete and tells((name,))
            stay = [r for r in old or () if not kept or f"{name}/{r['id']}" in others]
            value = _entries(old or [], stay, new or [], tree, (name,), tells, complete) or None
        if value is not None:
            joined[name] = value
    return {name: value for name, value in joined.items() if value is not None}


def _joined(old: Any, new: Any, node: Node, path: tuple[str, ...], tells: Tells, complete: bool) -> Any:
    match node:
        case Group(fields):
            was, is_ = (old if isinstance(old, dict) else {}), (new if isinstance(new, dict) else {})
            made = {}
            for name in dict.fromkeys([*was, *is_]):
                # A field that the schema does not know is left for the check to refuse.
                value = (
                    _joined(was.get(name), is_.get(name), fields[name], (*path, name), tells, complete)
                    if name in fields
                    else is_.get(name, was.get(name))
                )
                if value not in (None, {}, []):
                    made[name] = value
            return made
        case Listing(Group() as item):
            kept = [] if complete and tells(path) else list(old or ())
            return _entries(list(old or ()), kept, list(new or ()), item, path, tells, complete)
        case _ if new is None:
            return None if tells(path) else old
        case _:
            # One value and a list of it say the same: what is there is not written anew for its brackets.
            return old if _listed(old) == _listed(new) else new


def _entries(
    old: list[Any], stay: list[Any], new: list[Any], item: Node, path: tuple[str, ...], tells: Tells, complete: bool
) -> list[Any]:
    """`stay`: those of the old that stay where the file does not tell of them."""
    if path[:2] == _PROVISIONS and new:
        # A consent that was narrowed elsewhere must not go on permitting by an old row; what it denies stays.
        stay = [each for each in stay if each.get("effect") != "permit"]
    if not all(_has_id(each) for each in (*old, *new)):
        return new or stay
    before, told = {each["id"]: each for each in old}, {each["id"]: each for each in new}
    there = {each["id"]: each for each in stay}
    order = [*(key for key in before if key in there or key in told), *(key for key in told if key not in before)]
    return [
        _joined(before.get(key), told[key], item, path, tells, complete) if key in told else there[key] for key in order
    ]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _has_id(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("id"), str)
