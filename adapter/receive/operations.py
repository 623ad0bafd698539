"""Operations on what can be read: a child with everything there is of it, and a Composition as a document."""

from __future__ import annotations

from collections.abc import Iterable

from adapter.core.fhir.references import attached, local, references
from adapter.core.fhir.search import MOST, PARAMETERS, REFERS
from adapter.errors import NotFound, TooLarge
from adapter.receive.checks import not_permitted
from adapter.receive.reading import named
from adapter.receive.world import World
from adapter.store import resources
from adapter.store.database import Store, Tx
from adapter.store.resources import Received

_BESIDE = ("PractitionerRole", "Provenance")
"""Types that tell of what is found without naming the child."""


def everything(store: Store, world: World, id_: str) -> list[Received]:
    """The Patient, what refers to it, what that refers to, and who vouches for it
    (http://hl7.org/fhir/R4/patient-operation-everything.html). NotFound; TooLarge: more than MOST resources.
    """
    with store.reading() as tx:
        patient = _there(tx, world, f"Patient/{id_}")
        name = [f"Patient/{id_}"]
        found = {name[0]: patient, **{_name(k): k for k in _referring(tx, world, PARAMETERS, name)}}
        found |= _reached(tx, world, found.values(), found.keys())
        found |= {_name(k): k for k in _referring(tx, world, _BESIDE, sorted(found))}
        found |= _reached(tx, world, list(found.values()), found.keys())
    return list(found.values())


def document(store: Store, world: World, id_: str) -> list[Received]:
    """The Composition and everything that it leads to (http://hl7.org/fhir/R4/composition-operation-document.html)."""
    with store.reading() as tx:
        composition = _there(tx, world, f"Composition/{id_}")
        name = f"Composition/{id_}"
        return [composition, *_reached(tx, world, [composition], {name}).values()]


def _there(tx: Tx, world: World, name: str) -> Received:
    if not world.permits("r", name.split("/")[0]):
        raise not_permitted()
    if (kept := named(tx, world, name)) is None:
        raise NotFound("There is no such resource.")
    return kept


def _referring(tx: Tx, world: World, types: Iterable[str], names: list[str]) -> list[Received]:
    criteria = [(REFERS, names)]
    return [
        kept
        for type_ in types
        if world.permits("r", type_)
        for kept in resources.search(tx, world.partner, type_, criteria, limit=MOST + 1, also=world.shelf)
    ]


def _reached(tx: Tx, world: World, from_: Iterable[Received], known: Iterable[str]) -> dict[str, Received]:
    """What can be reached along references, without what is `known` already."""
    seen, found, waiting = set(known), dict[str, Received](), list(from_)
    while waiting:
        kept = waiting.pop(0)
        texts = [*(text for _, text in references(kept.body)), *attached(kept.body)]
        for name in [target for text in texts if (target := local(text, world.base))]:
            if name not in seen and (next_ := named(tx, world, name)) is not None:
                found[name] = next_
                waiting.append(next_)
            seen.add(name)
        if len(seen) > MOST:
            raise TooLarge(f"More than {MOST} resources belong to it: search for them by type.")
    return found


def _name(kept: Received) -> str:
    return f"{kept.type}/{kept.id}"
