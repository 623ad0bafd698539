"""Notes for the inbox which children a partner's write is about, in the same transaction.

The inbox is computed from what stands there; this only says what has to be looked at again. It asks nothing but the
partner's own world, so that a write takes the same time whether its child is known here or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adapter.core.fhir.called import calls
from adapter.core.fhir.references import local, references
from adapter.core.fhir.search import PARAMETERS, children
from adapter.core.fhir.transaction import Step
from adapter.core.strict_json import canonical
from adapter.receive.world import World
from adapter.store import inbox, referrals, resources
from adapter.store.database import Tx
from adapter.store.resources import Received

_MOST = 200
"""Resources that are asked whose they are; beyond that all children of the partner are looked at again."""


def note(tx: Tx, world: World, removed: Iterable[Received], writes: Sequence[tuple[Step, Received | None]]) -> None:
    """After everything is written. What is written as it was says nothing new."""
    said: list[Mapping[str, Any]] = []
    loosened = False
    for gone in removed:
        earlier = resources.version(tx, world.partner, gone.type, gone.id, gone.version - 1)
        said += [earlier.body] if earlier else []
        loosened = True
    for step, there in writes:
        after = step.resource or {}
        if there is None:
            said.append(after)
        elif step.method == "PUT" and canonical(there.body) != canonical(after):
            said += [there.body, after]
            loosened = True
    if not said:
        return
    subjects: set[str] = set()
    every = False
    for body in (each for each in said if not referrals.is_answer(tx, world.partner, each)):
        named = children(body, base=world.base)
        whose = named or _called(tx, world, body) or _whose(tx, world, body)
        every = every or whose is None
        # What leads to nobody yet is nobody's.
        subjects |= {inbox.NOBODY} if whose == set() else whose or set()
    if loosened:
        inbox.loosen(tx, world.partner, now=world.now)  # what was referred to may be nobody's now
    inbox.touch(tx, world.partner, subjects, every=every, now=world.now)


def _called(tx: Tx, world: World, loose: Mapping[str, Any]) -> set[str]:
    """The children whom a Consent that refers to none names by an identifier; and nobody, who may have had it."""
    terms = calls(loose)
    if not terms:
        return set()
    found = resources.search(tx, world.partner, "Patient", [("identifier", terms)], limit=_MOST)
    return {kept.id for kept in found} | {inbox.NOBODY}


def _whose(tx: Tx, world: World, loose: Mapping[str, Any]) -> set[str] | None:
    """The children that a resource which names none belongs to, by what refers to it and what it refers to; None: it
    belongs to more than can be asked."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [(f"{loose.get('resourceType')}/{loose.get('id')}", loose)]
    while waiting:
        name, body = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        beside = resources.referring(tx, world.partner, PARAMETERS, [name], limit=_MOST + 1)
        if len(seen) > _MOST or len(beside) > _MOST:
            return None
        for target in (local(text, world.base) for _, text in references(body)):
            kept = resources.read(tx, world.partner, *target.split("/", 1)) if target and target not in seen else None
            beside += [kept] if kept is not None and not kept.deleted else []
        for kept in beside:
            if whose := children(kept.body, base=world.base):
                found |= whose
            else:
                waiting.append((f"{kept.type}/{kept.id}", kept.body))
    return found
