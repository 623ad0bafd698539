"""An explanation at a glance: for each part of the case, how many records are shared or withheld, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapter.core.consent.rulebook import Rulebook
from adapter.core.consent.sight import NEVER
from adapter.core.schema import Group, Leaf, Listing, records


def by_part(case: Mapping[str, Any], rulebook: Rulebook, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`[{part, outcome, shared, partly, withheld, reasons}]` in the order of the parts; `told` is what `explain` gives.

    `shared`, `partly` and `withheld` count records that hold something of the part. `reasons`: each sentence that says
    why some of it is withheld, the most frequent first. A part that the case holds nothing of has no row.
    """
    there: dict[str, set[str]] = {}
    for path, part in _parts(case, rulebook):
        there.setdefault(path, set()).add(part)
    rows: dict[str, dict[str, Any]] = {}
    for record in told["records"]:
        reasons = record["reasons"]
        # Not the parts that lend an organisation its name: a goal that names one is no record of it.
        for part in there.get(record["path"], set()) - {"", NEVER}:
            row = rows.setdefault(part, {"shared": 0, "partly": 0, "withheld": 0, "why": {}})
            given = any(r["part"] == part and r["why"] == "permitted" for r in reasons)
            # Where nothing is said of this part, what is said of the whole record holds for it.
            kept = [r for r in reasons if r["part"] == part and r["why"] != "permitted"]
            if not given:
                kept = kept or [r for r in reasons if r["why"] != "permitted"]
            row["withheld" if not given else "partly" if kept else "shared"] += 1
            for sentence in {r["sentence"] for r in kept}:
                row["why"][sentence] = row["why"].get(sentence, 0) + 1
    return [_row(part, rows[part]) for part in rulebook.parts if part in rows]


def _row(part: str, row: Mapping[str, Any]) -> dict[str, Any]:
    given = row["shared"] + row["partly"]
    outcome = "withheld" if not given else "partly" if row["partly"] or row["withheld"] else "shared"
    why = sorted(row["why"], key=lambda sentence: (-row["why"][sentence], sentence))
    counts = {name: row[name] for name in ("shared", "partly", "withheld")}
    return {"part": part, "outcome": outcome, **counts, "reasons": why}


def _parts(case: Mapping[str, Any], rulebook: Rulebook) -> Iterator[tuple[str, str]]:
    """(path of a record, a part that it holds something of)."""
    for collection, path, record in records(case):
        if collection != "consents" and collection in rulebook.schemas.collections:
            for part in _of_entry(record, rulebook.schemas.collections[collection], rulebook):
                yield path, part


def _of_entry(entry: Mapping[str, Any], node: Group, rulebook: Rulebook) -> Iterator[str]:
    for name, value in entry.items():
        sub = node.fields.get(name)
        if isinstance(sub, Group):
            yield from _of_entry(value, sub, rulebook)
        elif isinstance(sub, Listing) and isinstance(sub.item, Group):
            for one in value:
                yield from _of_entry(one, sub.item, rulebook)
        else:
            leaf = sub.item if isinstance(sub, Listing) else sub
            if isinstance(leaf, Leaf) and not leaf.is_id and not leaf.referred:
                field, table = leaf.part_by or ("", "")
                code = entry.get(field, "")
                yield rulebook.part_tables.get(table, {}).get(code, "") if leaf.part_by else leaf.part
