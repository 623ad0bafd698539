"""What the case becomes when something of a partner's is adopted: that alone changes, and where it came from is kept.

The caller checks the case that comes of it as a whole, before anything is saved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from adapter.core.inbox.comparing import node_at
from adapter.core.inbox.values import Proposal
from adapter.core.schema import SINGULAR, Group, Leaf, Listing, Schemas


def chosen(proposals: Iterable[Proposal], choices: Collection[str]) -> tuple[list[Proposal], list[str]]:
    """The proposals that these paths name, each itself or all that lies below; and the paths that name none."""
    found: list[Proposal] = []
    used: set[str] = set()
    for proposal in proposals:
        names = {path for path in choices if proposal.path == path or proposal.path.startswith(f"{path}/")}
        if names:
            found.append(proposal)
            used |= names
    return found, sorted(set(choices) - used)


def adopted(case: Mapping[str, Any], picked: Iterable[Proposal], schemas: Schemas) -> dict[str, Any]:
    """The case with these values in it; everything else is as it was."""
    result = dict(case)
    for proposal in picked:
        collection, *steps = proposal.path.split("/")
        if collection not in schemas.collections:
            result[collection] = proposal.theirs  # a field of the case itself: its program
        elif collection in SINGULAR:
            node = schemas.collections[collection]
            result[collection] = _put(result.get(collection, {}), steps, proposal.theirs, node)
        else:
            records = list(result.get(collection, ()))
            result[collection] = _put(records, steps, proposal.theirs, Listing(schemas.collections[collection]))
    return result


def value_at(case: Mapping[str, Any], path: str) -> Any:
    """What stands at a path of ids and fields now; None: nothing."""
    value: Any = case
    for step in path.split("/"):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list):
            value = next((each for each in value if isinstance(each, dict) and each.get("id") == step), None)
        else:
            return None
    return value


def _put(value: Any, steps: list[str], theirs: Any, node: Any) -> Any:
    """A copy of `value` with `theirs` where the steps lead to."""
    if not steps:
        return theirs
    step, *rest = steps
    if isinstance(node, Listing | Leaf):
        entries = value if isinstance(value, list) else [] if value is None else [value]
        if step.startswith("+"):
            return [*entries, theirs] if theirs not in entries else entries
        item = node.item if isinstance(node, Listing) else node
        place = next((i for i, e in enumerate(entries) if isinstance(e, dict) and e.get("id") == step), None)
        if place is None:
            return [*entries, theirs] if not rest and theirs not in entries else entries
        return [*entries[:place], _put(entries[place], rest, theirs, item), *entries[place + 1 :]]
    below = node.fields[step] if isinstance(node, Group) else node_at(node, [step])
    held = value if isinstance(value, dict) else {}
    return {**held, step: _put(held.get(step), rest, theirs, below)}
