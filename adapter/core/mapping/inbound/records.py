"""From FHIR resources that somebody sent to records of ours: each mapped, or refused with the element named.

The way back of exchange.md, *What comes in*. Pure: the resources, the files, and what the caller knows of the sender
decide. Nothing is guessed: what no mapping, code or reference certainly says is left out and told, and what a record
cannot be without is named as missing. Whatever is sent, the answer is a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapter.core.mapping.inbound.about import about_one
from adapter.core.mapping.inbound.arrived import arrive
from adapter.core.mapping.inbound.making import Draft, Making
from adapter.core.mapping.inbound.notes import Told
from adapter.core.mapping.inbound.paths import Ways
from adapter.core.mapping.inbound.settling import settle
from adapter.core.mapping.inbound.sound import sound_ones
from adapter.core.mapping.inbound.values import Inbound, Mapped, Received, Sender


def records(given: Sequence[Any], using: Inbound, sender: Sender) -> Received:
    """The records of a set of resources and Bundles (JSON values, as parsed). Never raises for what was sent."""
    told = Told()
    arrived = arrive(given, told)
    arrived.nodes = sound_ones(arrived, using.release, told)
    ways = Ways(using, sender, arrived, told)
    arrived.nodes = about_one(arrived, sender.child, ways.is_child, told)
    arrived.nodes = [node for node in arrived.nodes if ways.choose(node)]
    paths = {(node.index, node.at): path for node in arrived.nodes if (path := ways.of(node)) is not None}
    making = Making(ways, sender, arrived, told)
    # What a plan lists stands in the order of that list; the rest in the order in which it was sent.
    order = arrived.order()
    making.make(sorted(arrived.nodes, key=lambda node: order.get(id(node), len(order))))
    settled = settle(making.drafts, using.schemas, ways.homes, told)
    return Received(
        records=tuple(_mapped(draft) for draft in settled.whole if not draft.home),
        additions=tuple(_mapped(draft) for draft in settled.whole if draft.home),
        incomplete=tuple(_mapped(draft) for draft in settled.incomplete),
        fields=making.fields,
        paths=paths,
        refused=tuple(sorted(told.refused)),
        findings=tuple(sorted(told.findings)),
    )


def _mapped(draft: Draft) -> Mapped:
    return Mapped(draft.path, draft.record, tuple(dict.fromkeys((node.index, node.at) for node in draft.nodes)))
