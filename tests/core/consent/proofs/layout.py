"""The leaves of a case by the raw schemas: where each stands, read apart from the code that is being proven."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.core.consent.proofs.flesh import schema

SINGULAR = ("child", "enrolment")


@dataclass(frozen=True)
class Spot:
    """One leaf. `entries`: (object, name of the list it stands in, its node), from the record inwards; `chain`: the
    paths of those that have one."""

    pointer: str
    collection: str
    field: str
    value: Any
    node: Mapping[str, Any]
    entries: tuple[tuple[dict[str, Any], str, Mapping[str, Any]], ...]
    chain: tuple[str, ...]

    @property
    def steers(self) -> bool:
        return bool(self.node.get("x-steers"))

    @property
    def place(self) -> str:
        """The pointer without ids and indexes: `goals/steps/text`."""
        return "/".join(step for step in self.pointer.split("/")[1:] if not step.isdigit())


def lay_out(case: Mapping[str, Any]) -> dict[str, Spot]:
    """JSON Pointer → leaf, for every leaf of every record but `case` and `program`."""
    found: dict[str, Spot] = {}
    for collection, value in case.items():
        if collection in ("case", "program"):
            continue
        for index, record in enumerate(value if isinstance(value, list) else [value]):
            path = collection if collection in SINGULAR else f"{collection}/{record['id']}"
            at = f"/{collection}" if collection in SINGULAR else f"/{collection}/{index}"
            node = schema(collection)
            for spot in _object(record, node, at, collection, ((record, "", node),), (path,)):
                found[spot.pointer] = spot
    return found


def _object(
    value: Mapping[str, Any], node: Mapping[str, Any], at: str, collection: str, entries: Any, chain: tuple[str, ...]
) -> Iterator[Spot]:
    for name, child in value.items():
        sub = _plain(node["properties"][name], collection)
        below = f"{at}/{name}"
        if isinstance(child, dict):
            yield from _object(child, sub, below, collection, entries, chain)
        elif not isinstance(child, list):
            yield Spot(below, collection, name, child, _leaf(sub), entries, chain)
        else:
            item = _plain(sub.get("items", sub), collection)
            for index, one in enumerate(child):
                if isinstance(one, dict):
                    deeper = (*chain, f"{chain[-1]}/{name}/{one['id']}") if "id" in one else chain
                    yield from _object(one, item, f"{below}/{index}", collection, (*entries, (one, name, item)), deeper)
                else:
                    yield Spot(f"{below}/{index}", collection, name, one, _leaf(item), entries, chain)


def _plain(node: Mapping[str, Any], collection: str) -> Mapping[str, Any]:
    if "$ref" not in node:
        return node
    target: Any = schema(collection)
    for step in node["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    found: Mapping[str, Any] = target
    return found


def _leaf(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """One scalar or a list of them: the scalar's annotations speak for both."""
    return node["anyOf"][0] if "anyOf" in node and not any(k.startswith("x-part") for k in node) else node
