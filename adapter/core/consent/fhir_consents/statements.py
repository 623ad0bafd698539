"""The tree of a Consent laid flat: single permits and denials, each whole, as a consent record can hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from adapter.core.consent.fhir_consents.evaluating import inherit
from adapter.core.consent.fhir_consents.values import Provision


@dataclass(frozen=True, slots=True)
class Statement:
    """One permit or denial, with what it takes over from above; of a denial, the permits that it leaves room for."""

    permits: bool
    provision: Provision
    exceptions: tuple[Provision, ...] = ()


def statements(root: Provision, *, computable: bool) -> tuple[Statement, ...]:
    """Where the Consent is not computable: no permit, and each denial without its exceptions."""
    found = _below(root, None)
    if computable:
        return tuple(found)
    return tuple(replace(each, exceptions=()) for each in found if not each.permits)


def _below(p: Provision, parent: Provision | None) -> Iterator[Statement]:
    if p.effect == "permit":
        whole = inherit(p, parent) if parent is not None else p
        yield Statement(True, whole)
        for child in p.provisions:
            yield from _below(child, whole)
        return
    whole = p
    if p.effect == "deny" and parent is not None and parent.effect == "permit":
        # A denial carves out of what its parent permits and of what widens it: labels are not taken over.
        whole = replace(inherit(p, parent), labels=p.labels, unreadable=p.unreadable)
    yield Statement(False, whole, tuple(inherit(c, whole) for c in p.provisions if c.effect == "permit"))
    for child in p.provisions:
        yield from _below(child, whole)
