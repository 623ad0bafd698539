"""Decides whether a change may wait for others to go with it: rapid edits become one update, taking back never waits.

`quiet_seconds` runs from the first change that stands in the partner's view, so that a save that is withheld from it
neither begins a wait nor makes one longer (exchange.md, *Delivery*; consent.md, *Non-interference*).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from adapter.core.diff import Change, Create, Delete, Freeze, Holding, Release, Update
from adapter.core.strict_json import digest


def sight(case: Mapping[str, Any]) -> frozenset[str]:
    """What a view holds, leaf by leaf, as short hashes that tell nothing of what a leaf says: by the paths of ids, so
    that neither order nor another text makes a difference, and a reference by whom it names."""
    return frozenset(hashlib.sha256(place.encode()).hexdigest()[:12] for place in _leaves(case, ""))


def waits_until(
    changes: Collection[Change],
    held: Collection[Holding],
    *,
    before: Collection[str] | None,
    seen: Collection[str],
    since: datetime | None,
    quiet_seconds: float,
    next_change: datetime | None,
    now: datetime,
) -> datetime | None:
    """Until when these changes wait for others; None: they go now.

    `seen`: the sight of the view now; `before`: of the one that the partner holds, None where that is not known;
    `since`: since when it is waited already. It is looked again when consent next changes, if that is sooner.
    """
    if not quiet_seconds or not any(isinstance(change, Create | Update) for change in changes):
        return None
    if _takes_back(changes, held, before, seen):
        return None
    until = (since or now) + timedelta(seconds=quiet_seconds)
    if now >= until:
        return None
    return min(until, next_change) if next_change is not None and next_change > now else until


def _takes_back(
    changes: Collection[Change], held: Collection[Holding], before: Collection[str] | None, seen: Collection[str]
) -> bool:
    """Is anything gone from what the partner holds? Where that is not known, it may be."""
    if any(isinstance(change, Delete | Freeze | Release) for change in changes):
        return True
    if all(holding.state == "withdrawn" for holding in held):
        return False
    return before is None or not set(before) <= set(seen)


def _leaves(value: Any, place: str) -> Iterator[str]:
    match value:
        case Mapping():
            for key, inner in value.items():
                if key != "path":
                    yield from _leaves(inner, f"{place}/{key}")
        case list() | tuple():
            for item in value:
                # What has no id is known by all that it says: another text there is another thing.
                name = item.get("id") if isinstance(item, Mapping) else None
                yield from _leaves(item, f"{place}/{name if isinstance(name, str) else digest(item)}")
        case str() if _is_reference(value):
            yield f"{place}={value}"
        case _:
            yield place


def _is_reference(text: str) -> bool:
    collection, _, name = text.partition("/")
    return bool(name) and collection.islower() and " " not in text and len(text) <= 200
