"""FHIR Consents among what came in: read by core/consent/fhir_consents, with this set's references as their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from adapter.core.consent.fhir_consents import Vocabulary, read, to_record
from adapter.core.consent.fhir_consents.values import Actor
from adapter.core.mapping.inbound.arrived import Arrived, Node
from adapter.core.mapping.inbound.functions import Paths
from adapter.core.mapping.inbound.notes import expression


@dataclass(frozen=True, slots=True)
class Consents:
    """What reading a Consent takes: our codes read backwards, and which partners an actor is (docs/consents.md)."""

    vocabulary: Vocabulary
    receivers: Callable[[Actor], Sequence[str] | None]


def consent_record(
    node: Node, path: str, arrived: Arrived, paths: Paths, consents: Consents, zone: tzinfo
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The consent record, `imported`, and what it does not say: (FHIRPath of the element, what became of it)."""

    def of_reference(reference: dict[str, Any]) -> str | None:
        target = arrived.target(reference, node)
        found = paths.of(target) if target is not None else None
        return found or paths.at_home(reference)

    def named(actor: Actor) -> Iterator[dict[str, Any]]:
        yield from ({"reference": each} for each in actor.references)
        yield from ({"identifier": {"system": system, "value": value}} for system, value in actor.identifiers)

    def people(actor: Actor) -> str | None:
        found = [path for each in named(actor) if (path := of_reference(each)) is not None]
        return next((p for p in found if p == "child" or p.startswith("people/")), None)

    imported = to_record(
        read(node.body, zone=zone),
        id_=path.partition("/")[2],
        receivers=consents.receivers,
        people=people,
        records=lambda literal: of_reference({"reference": literal}),
        vocabulary=consents.vocabulary,
        zone=zone,
    )
    lost = [(_at(node, each.path), each.what) for each in imported.lost]
    return imported.record, lost


def _at(node: Node, path: str) -> str:
    """`Consent.provision[0].code` as it stands in the set."""
    return expression(
        node.at, "/" + path.removeprefix("Consent").lstrip(".").replace("[", "/").replace("]", "").replace(".", "/")
    )
