"""Leaves out what FHIR itself refuses, and what says of itself that it may mean something else than it seems to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.core.fhir.models import problems
from adapter.core.mapping.inbound.arrived import Arrived, Node
from adapter.core.mapping.inbound.notes import Told, expression
from adapter.core.partner import Release

_MODIFIED = "it may change what all else means in a way that is not known here"


def sound_ones(arrived: Arrived, release: Release, told: Told) -> list[Node]:
    """The resources that can be read for what they seem; the others are refused, each element named."""
    kept: list[Node] = []
    bad: set[int] = set()
    for node in arrived.nodes:
        if node.holder is not None:
            if id(node.holder) not in bad:
                kept.append(node)
            continue
        found = [(problem.pointer, problem.detail) for problem in problems(node.body, release=release)]
        found += [(at, _MODIFIED) for at in _modified(node.body)]
        for pointer, rule in found:
            told.refuse(node.index, expression(node.at, pointer), rule)
        if found:
            bad.add(id(node))
        else:
            kept.append(node)
    return kept


def _modified(body: dict[str, Any]) -> Iterator[str]:
    """Where modifier extensions and implicit rules stand (http://hl7.org/fhir/R4/extensibility.html)."""
    waiting: list[tuple[str, Any]] = [("", body)]
    while waiting:
        at, value = waiting.pop()
        if isinstance(value, dict):
            for name, inner in value.items():
                if name in ("modifierExtension", "implicitRules") and inner:
                    yield f"{at}/{name}"
                else:
                    waiting.append((f"{at}/{name}", inner))
        elif isinstance(value, list):
            waiting += [(f"{at}/{number}", inner) for number, inner in enumerate(value)]
