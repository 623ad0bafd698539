"""What a partner has changed in its copy of a resource of ours, and whether it may keep it when ours is written again.

A three-way look, element by element: as we last wrote it there (`base`), as it is there now (`theirs`), as it should be
(`ours`). exchange.md, *Delivery*: keep what is theirs where the profile says so, else a person decides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from adapter.core.diff import Resource

_NOBODYS = frozenset(("resourceType", "id", "meta", "text"))
"""Elements that servers and we write as we like: nobody's word stands in them."""


def merged(
    ours: Resource,
    *,
    base: Mapping[str, Any] | None,
    theirs: Mapping[str, Any],
    keeps: Collection[str],
    places: Mapping[str, str],
) -> Resource | None:
    """`ours` with what they changed and may keep; None: they changed something else, or what we change too.

    `ours` refers by urn, `base` and `theirs` by `Type/id`; `places` has the urn of each. Of a list only what was added
    is kept: an entry of ours that is gone from it would come back, or stay when it must go. Without a `base` (a server
    without history) nothing of a list can be told apart, and everything that differs from `ours` counts as theirs.
    """
    then = ours if base is None else as_ours(base, places)
    now = as_ours(theirs, places)
    result = dict(ours)
    for name in sorted({*then, *now} - _NOBODYS):
        before, after, wanted = then.get(name), now.get(name), ours.get(name)
        if after in (before, wanted):
            continue
        if not _may_keep(ours, name, keeps):
            return None
        if isinstance(before, list) or isinstance(after, list):
            own = wanted if isinstance(wanted, list) else []
            kept = _added(before, after)
            if base is None or kept is None:
                return None
            result[name] = [*own, *(each for each in kept if each not in own)]
        elif before != wanted:
            return None
        elif after is None:
            del result[name]
        else:
            result[name] = after
    return result


def as_ours(value: Any, places: Mapping[str, str]) -> Any:
    """A copy of a partner's JSON in which references to what it holds from us are our urns."""
    if isinstance(value, list):
        return [as_ours(each, places) for each in value]
    if not isinstance(value, Mapping):
        return value
    copy = {name: as_ours(each, places) for name, each in value.items()}
    for name in ("reference", "url"):
        if isinstance(target := copy.get(name), str):
            copy[name] = places.get("/".join(target.partition("/_history/")[0].split("/")[-2:]), target)
    return copy


def _may_keep(ours: Resource, name: str, keeps: Collection[str]) -> bool:
    plain = name.removeprefix("_")
    return f"{ours.get('resourceType')}.{plain}" in keeps or f"*.{plain}" in keeps


def _added(before: Any, after: Any) -> list[Any] | None:
    """The entries that were added to a list; None where one has gone or was changed."""
    old, new = before or [], after or []
    if not isinstance(old, list) or not isinstance(new, list) or any(each not in new for each in old):
        return None
    return [each for each in new if each not in old]
