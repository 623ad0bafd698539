"""A partner wrote to our /fhir, or reads there what it wrote: check, keep, answer (exchange.md, *What comes in*).

Each partner has a world of its own: every function takes whose it is, and nothing of another's can be found, referred
to, or told from what is not there. Whatever writes does so in one transaction that is alone in this world.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from adapter.core.fhir import patch as patches
from adapter.core.fhir.search import PARAMETERS, Query
from adapter.core.fhir.transaction import Step, steps, twice
from adapter.errors import AdapterError, Conflict, PreconditionFailed, Refused
from adapter.receive.body import MOST_VALUES, parsed, resource_of
from adapter.receive.checks import check_permitted, check_structure, not_permitted
from adapter.receive.reading import found, get
from adapter.receive.telling import shown, unstamped
from adapter.receive.working import to_patch, work
from adapter.receive.world import Answer, Page, Worked, World
from adapter.store import resources, tokens
from adapter.store.database import Store
from adapter.store.tokens import Principal


def caller(store: Store, token: str, *, now: datetime) -> Principal | None:
    """Whose token this is; None where it is not one, or no longer."""
    with store.reading() as tx:
        return tokens.find(tx, token, now=now)


def secret(store: Store, purpose: str) -> bytes:
    """32 bytes for one purpose at the edge, the same in every process of this instance, and in no other."""
    with store.reading() as tx:
        return tx.seal.index("secrets of the edge", purpose)


def interact(store: Store, world: World, asked: Step, body: bytes = b"") -> Answer:
    """One create, update, read, version read or delete, conditional ones too; `body` holds what is to be written."""
    check_permitted(world, [asked])
    if asked.method == "GET":
        with store.reading() as tx:
            return get(tx, world, asked)
    step = asked if asked.method == "DELETE" else replace(asked, resource=resource_of(body, asked.type))
    check_structure(world, [step])
    with store.writing() as tx:
        resources.alone(tx, world.partner)
        return work(tx, world, [step], body or None)[step.position]


def patch(store: Store, world: World, asked: Step, body: bytes) -> Answer:
    """One update by a JSON Patch: of what stands there now, or of the version that If-Match names. The same is checked
    as of any update. NotFound, Gone: there is nothing to be changed; Refused: it cannot be applied.
    """
    check_permitted(world, [asked])
    changes = patches.operations(parsed(body))
    for _ in range(_PATCHES):
        with store.reading() as tx:
            there = to_patch(tx, world, asked)
        made = unstamped(patches.patched(shown(there), changes, most_values=MOST_VALUES))
        step = replace(asked, resource=made, if_match=f'W/"{there.version}"')
        check_structure(world, [step])
        try:
            with store.writing() as tx:
                resources.alone(tx, world.partner)
                return work(tx, world, [step], None)[step.position]
        except PreconditionFailed:
            if asked.if_match is not None:
                raise
    raise Conflict("The resource is being changed by others: read it, and try again.")


_PATCHES = 5
"""How often a patch of no version in particular is applied anew, where others change the resource meanwhile."""


def search(store: Store, world: World, type_: str, asked: Query, *, after: str | None = None) -> Page:
    """What of this type meets the query, a page at a time."""
    if not world.permits("s", type_):
        raise not_permitted()
    with store.reading() as tx:
        return found(tx, world, type_, asked, after)


def bundle(store: Store, world: World, body: bytes) -> Worked:
    """Work on a transaction (all or nothing) or a batch (each entry for itself), and say what became of each entry.

    An error of a transaction names its entries by their pointers; in a batch an entry's error is what became of it.
    """
    kind, asked = steps(parsed(body), PARAMETERS, base=world.base)
    if kind == "batch":
        return Worked(kind, tuple((step, _by_itself(store, world, step)) for step in asked))
    if problems := twice(asked):
        raise Refused("An identity stands in the transaction more than once.", problems)
    check_permitted(world, asked)
    check_structure(world, asked)
    with store.writing() as tx:
        resources.alone(tx, world.partner)
        answers = work(tx, world, asked, None)
    return Worked(kind, tuple((step, answers[step.position]) for step in asked))


def _by_itself(store: Store, world: World, step: Step) -> Answer | AdapterError:
    """One entry of a batch, in a transaction of its own."""
    try:
        check_permitted(world, [step])
        check_structure(world, [step])
        with store.writing() as tx:
            resources.alone(tx, world.partner)
            return work(tx, world, [step], None)[step.position]
    except AdapterError as error:
        return error
