"""What a partner's server refuses to delete is emptied there: what is no longer permitted does not stay for that."""

from __future__ import annotations

from dataclasses import replace

from adapter.core.desired import narrows
from adapter.core.diff import Delete, Update
from adapter.core.fhir.bundle import Sent
from adapter.core.fhir.results import Result
from adapter.core.residue import Residue
from adapter.core.retry import together
from adapter.desk import Desk
from adapter.reconcile.sending import Sending
from adapter.reconcile.work import OF_ONE, Work
from adapter.store import holdings, shares

_CONFLICTS = 2
"""So many attempts may fail before a conflict (409) is taken for a refusal: two that write at once have one, too."""


def emptied(desk: Desk, work: Work, sending: Sending) -> tuple[Sending, list[tuple[Sent, ...]]]:
    """The same without what was refused to be deleted, and what is sent in its place (consent.md, *When permission
    ends*: a stub). What is shared among cases tells of none: it is left there, and forgotten; unless what refers to it
    may be what of ours is still there."""
    partner = desk.catalogue.partners[work.share.partner]
    residue = Residue(desk.bench.identity(partner.id), work.stored.number, partner.release)
    stubs: list[tuple[Sent, ...]] = []
    left: set[str] = set()
    rest: list[Result] = []
    for result in sending.results:
        held = result.change.holding if isinstance(result.change, Delete) and _is_refused(result, work) else None
        if held is None or (held.directory and work.partly and result.outcome == "conflict"):
            rest.append(result)
        elif held.directory:
            left.add(held.urn)
        elif stub := residue.stub(held):
            stubs.append((Update(stub, held),))
        else:
            rest.append(result)
    if left:
        with desk.store.writing() as tx:
            if shares.still_mine(tx, work.share):
                holdings.forget(tx, work.share.id, left)
    if len(rest) == len(sending.results):
        return sending, []
    attempt = replace(sending.attempt, outcome=together(result.outcome for result in rest))
    return replace(sending, results=tuple(rest), attempt=attempt), stubs


def uncorrected(work: Work, sending: Sending) -> list[Delete]:
    """What is still to be shared, but with less in it, and was refused so: as it stands there it tells too much, and is
    taken back whole."""
    wanted = {made.urn for made in work.plan.desired.made}
    refused = [result.change for result in sending.results if result.outcome == "rejected"]
    return [
        Delete(change.holding)
        for change in refused
        if isinstance(change, Update) and change.made.urn in wanted and narrows([change])
    ]


def _is_refused(result: Result, work: Work) -> bool:
    if result.outcome == "conflict":
        return work.share.attempts >= _CONFLICTS
    return result.outcome in OF_ONE
