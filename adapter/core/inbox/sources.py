"""Where what was adopted came from: kept beside the case, for the agency alone.

`kept["arrived"]`: path of a record that was adopted whole → {"partner", "type", "id", "version", "on", "by", "item",
"also"?, "fields"}; `fields` holds the digest of each field as it came: a field in which the agency has put another
value since has no source any more. It stays as long as the record does: it also says which resource of the partner's
the record is. `kept["arrived_fields"]`: path of a field or entry that was adopted alone → the same with its "digest".

Nothing of it is in a view, and no partner learns who told us (consent.md, *Leak channels*).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from adapter.core.inbox.adopting import value_at
from adapter.core.inbox.values import Proposal
from adapter.core.schema import paths
from adapter.core.strict_json import digest

Kept = dict[str, Any]
_SHORT = 16
"""Hexadecimal digits by which two values of one field are told apart."""


def arrived(
    kept: Mapping[str, Any],
    picked: Iterable[Proposal],
    *,
    partner: str,
    item: str,
    version_of: Callable[[str], int],
    by: str,
    now: datetime,
) -> Kept:
    """What to keep once these were adopted. `version_of`: of a resource `Type/id`, as it was looked at."""
    records, fields = dict(kept.get("arrived", {})), dict(kept.get("arrived_fields", {}))
    for proposal in picked:
        if not proposal.sources:
            continue
        first, *others = proposal.sources
        type_, _, id_ = first.partition("/")
        said = {
            "partner": partner, "type": type_, "id": id_, "version": str(version_of(first)), "on": now.isoformat(),
            "by": by, "item": item, **({"also": others} if others else {}),
        }  # fmt: skip
        if proposal.kind in ("record", "incomplete"):
            records[proposal.path] = {
                **said,
                "fields": {name: _short(_content(v)) for name, v in proposal.theirs.items() if name != "id"},
            }
        else:
            fields[proposal.path] = {**said, "digest": _short(_content(proposal.theirs))}
    return {**kept, **({"arrived": records} if records else {}), **({"arrived_fields": fields} if fields else {})}


def carried(kept: Mapping[str, Any], after: Mapping[str, Any]) -> Kept:
    """What to keep of it once the case is `after`: of records that are there, and of values that still stand."""
    here = {*paths(after)}
    records = {
        path: {**said, "fields": {n: d for n, d in said["fields"].items() if _stands(after, f"{path}/{n}", d)}}
        for path, said in kept.get("arrived", {}).items()
        if path in here
    }
    fields = {p: said for p, said in kept.get("arrived_fields", {}).items() if _stands(after, p, said["digest"])}
    rest = {name: value for name, value in kept.items() if name not in ("arrived", "arrived_fields")}
    return {**rest, **({"arrived": records} if records else {}), **({"arrived_fields": fields} if fields else {})}


def is_adopted(kept: Mapping[str, Any], item: str) -> bool:
    """Was anything of this item adopted, and is still there?"""
    every = (*kept.get("arrived", {}).values(), *kept.get("arrived_fields", {}).values())
    return any(said.get("item") == item for said in every)


def sources(kept: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each adopted record or field with where it came from: what `GET /api/cases/{case}/sources` tells."""
    for path, said in sorted((*kept.get("arrived", {}).items(), *kept.get("arrived_fields", {}).items())):
        yield {
            "path": path,
            **({"fields": sorted(said["fields"])} if "fields" in said else {}),
            "partner": said["partner"],
            "resources": [f"{said['type']}/{said['id']}", *said.get("also", ())],
            "version": said["version"],
            "on": said["on"],
            "by": said["by"],
        }


def _stands(case: Mapping[str, Any], path: str, known: str) -> bool:
    holder, _, name = path.rpartition("/")
    if name.startswith("+"):
        there = value_at(case, holder)
        entries = there if isinstance(there, list) else [there]
        return any(_short(_content(each)) == known for each in entries)
    value = value_at(case, path)
    return value is not None and _short(_content(value)) == known


def _content(value: Any) -> Any:
    return {n: v for n, v in value.items() if n != "id"} if isinstance(value, dict) else value


def _short(value: Any) -> str:
    return digest(value)[:_SHORT]
