"""Whom a set of resources is about: one child, or nothing of it is mapped. The wrong child is the worst mistake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adapter.core.mapping.inbound.arrived import Arrived, Node, names
from adapter.core.mapping.inbound.notes import Told

_ELEMENTS = ("subject", "patient", "for", "beneficiary")
_SEVERAL = "the set is about several people: send each child's resources apart, or say which child is meant"
_OTHER = "it is about someone else than the rest of the set"


def about_one(arrived: Arrived, chosen: str, is_child: Callable[[Any], bool], told: Told) -> list[Node]:
    """The resources that are about the one child, or about nobody; the others are refused, with the element named.

    `chosen`: the literal reference, fullUrl or `system|value` of the child where the caller knows; else the set's only
    Patient, or the only one that is referred to. `is_child`: does a reference or Patient lead to our own child?
    """
    whom = {id(node): _whom(node, arrived, is_child) for node in arrived.nodes}
    people = {key: None for node in arrived.nodes for _, key in whom[id(node)]}
    wanted = _chosen(arrived, chosen, is_child) if chosen else (next(iter(people)) if len(people) == 1 else None)
    patients = [key for node in arrived.nodes if node.type == "Patient" and (key := _key(node, is_child))]
    if not chosen and len(dict.fromkeys(patients)) == 1:
        wanted = patients[0]
    kept: list[Node] = []
    for node in arrived.nodes:
        wrong = [element for element, key in whom[id(node)] if key != wanted]
        if not wrong:
            kept.append(node)
        else:
            told.refuse(node.index, f"{node.at}{wrong[0]}", _SEVERAL if wanted is None else _OTHER)
    return kept


def _whom(node: Node, arrived: Arrived, is_child: Callable[[Any], bool]) -> list[tuple[str, Any]]:
    """(element, a key of the person) for each element that says whom a resource is about."""
    if node.type == "Patient":
        return [("", _key(node, is_child))]
    found: list[tuple[str, Any]] = []
    for name in _ELEMENTS:
        given = node.body.get(name)
        for each in given if isinstance(given, list) else [given]:
            target = arrived.target(each, node)
            if target is not None:
                found.append((f".{name}", _key(target, is_child)))
            elif is_child(each):
                found.append((f".{name}", "child"))
            elif any(said := names(each)):
                found.append((f".{name}", said))
    return found


def _key(node: Node, is_child: Callable[[Any], bool]) -> Any:
    return "child" if node.type == "Patient" and is_child(node) else id(node)


def _chosen(arrived: Arrived, chosen: str, is_child: Callable[[Any], bool]) -> Any:
    system, bar, value = chosen.partition("|")
    name: Any = {"identifier": {"system": system, "value": value}} if bar else {"reference": chosen}
    found = next((n for n in arrived.nodes if chosen in (n.logical, n.full_url)), None)
    if found is None and arrived.nodes:
        found = arrived.target(name, arrived.nodes[0])
    return _key(found, is_child) if found is not None else "child" if is_child(name) else names(name)


__all__: Sequence[str] = ["about_one"]
