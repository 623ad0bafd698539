"""One chunk of changes: the last look, the account, the bytes, and what the partner then holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from adapter.core.consent.last_look import last_look
from adapter.core.diff import Adopt, Create, Delete, Holding, without_traffic
from adapter.core.doubt import sent
from adapter.core.fhir.bundle import Sent, alike
from adapter.core.fhir.results import Result, holding, results
from adapter.core.keeping import rulebook_for
from adapter.core.retry import together
from adapter.desk import Desk
from adapter.outward.answer import Answered, NotSent, Unknown
from adapter.outward.way import Way
from adapter.reconcile.account import kind_of, line
from adapter.reconcile.lease import lease
from adapter.reconcile.work import Attempt, Work, not_sent, thing_of
from adapter.store import disclosures, holdings, paces, shares
from adapter.store.database import Tx

SHORTLY = timedelta(seconds=1)


UNDONE = ("rejected", "ambiguous", "throttled", "unavailable", "unauthorised")
"""After these answers to a whole Bundle nothing of it was done."""


def withheld_in(desk: Desk, work: Work, chunk: Sequence[Sent], payload: bytes) -> bool:
    """The last look, on the bytes that are about to leave. What only takes back says nothing and always may."""
    given = {h.id for h in work.held if h.id}
    says_something = work.plan.desired.made and not all(isinstance(change, Delete) for change in chunk)
    return bool(
        says_something
        and last_look(
            payload,
            case=work.subject.case,
            kept=work.stored.kept,
            rulebook=rulebook_for(desk.bench.rulebook, work.stored.kept),
            partner=work.share.partner,
            now=work.now,
            given=given,
        )
        is not None
    )


def announce(desk: Desk, work: Work, chunk: Sequence[Sent]) -> bool:
    """Account for the attempt before the bytes leave. False: another worker has the share, the case has changed, or the
    partner is not to be asked again so soon."""
    now = desk.clock()
    partner = desk.catalogue.partners[work.share.partner]
    with desk.store.writing() as tx:
        if not shares.still_mine(tx, work.share, work.stored.version):
            # Planned for a case that is no more: it is due again at once, if it is still ours to say so.
            shares.settle(tx, work.share, due=now, outcome=work.share.outcome, now=now)
            return False
        adopted = _adopted(work)
        if _contested(tx, work, chunk, adopted):
            shares.settle(tx, work.share, due=now + SHORTLY, outcome=work.share.outcome, now=now)
            return False
        until = now + lease(desk) + timedelta(seconds=partner.longest)
        if (later := paces.take(tx, work.share, now=now, until=until, rate=partner.rate)) is not None:
            shares.put_off(tx, work.share, at=later, now=now)
            return False
        shares.renew(tx, work.share, now=now, lease=lease(desk))
        holdings.save(tx, work.share.id, [*adopted, *(sent(c) for c in chunk)], now=now)
        disclosures.append(tx, work.stored.id, [line(desk, work, c, "attempted", "", now) for c in chunk])
    return True


def _adopted(work: Work) -> list[Holding]:
    """The directory resources of other cases that this one counts on: kept before anything refers to them."""
    found = [without_traffic(c) for c in work.plan.changes if isinstance(c, Adopt) and c.made.directory]
    return [held for held in found if held is not None]


def _contested(tx: Tx, work: Work, chunk: Sequence[Sent], adopted: Sequence[Holding]) -> bool:
    """Is a directory resource that this chunk counts on being made or taken back by another share just now, or has
    another begun to use one that this chunk takes back? Then it is planned again shortly."""
    partner = work.share.partner
    leaving = {c.holding.urn for c in chunk if isinstance(c, Delete) and c.holding.directory}
    if leaving and holdings.used_elsewhere(tx, partner, leaving, share_id=work.share.id):
        return True
    coming = {c.made.urn for c in chunk if isinstance(c, Create) and c.made.directory}
    counted = {held.urn: held.id for held in adopted}
    if not coming and not counted:
        return False
    there = {urn: h.id for urn, h in holdings.directory(tx, partner, [*coming, *counted]).items() if h.id}
    if coming & there.keys() or any(there.get(urn) != id_ for urn, id_ in counted.items()):
        return True
    at_work = (other for other in shares.listed(tx, partner=partner, state="working") if other.id != work.share.id)
    return any(
        held.urn in coming and not held.id and held.state != "withdrawn"
        for other in at_work
        for held in holdings.of_share(tx, other.id)
    )


@dataclass(frozen=True, slots=True)
class Sending:
    """One chunk's results, and what they come to."""

    results: tuple[Result, ...]
    attempt: Attempt
    undone: bool = False


def send(server: Way, chunk: Sequence[Sent], bundle: Mapping[str, Any], payload: bytes, request_id: str) -> Sending:
    """One chunk to the partner's server, once."""
    # Where two creates of one type could be told apart by nothing else, the resources come back and are compared.
    match server.transact(payload, request_id=request_id, echo=alike(chunk)):
        case Answered(status=status, body=body, unreadable=unreadable, retry_after=retry_after):
            each = tuple(results(chunk, bundle, body, status=status, waits=retry_after is not None))
            said = sorted({word for r in each for word in r.said})
            detail = " ".join([f"HTTP {status}", *([f"unreadable: {unreadable}"] if unreadable else []), *said])
            outcome = together(r.outcome for r in each)
            # A gateway may say 503 of what the server behind it has done: one looks (exchange.md, *Delivery*).
            undone = status >= 300 and status != 503 and outcome in UNDONE
            return Sending(each, Attempt(outcome, detail[:200], retry_after=retry_after), undone)
        case NotSent() as answer:
            attempt = not_sent(answer)
            return Sending(tuple(Result(c, attempt.outcome) for c in chunk), attempt, undone=True)
        case Unknown(reason):
            return Sending(tuple(Result(c, "unknown") for c in chunk), Attempt("unknown", reason))


def after(before: Attempt, sending: Sending) -> Attempt:
    """What a claim comes to: a stop of our own stays a stop, whatever was taken back after it."""
    if before.outcome == "stopped" and sending.attempt.outcome == "delivered":
        return before
    return replace(sending.attempt, alarms=(*before.alarms, *sending.attempt.alarms))


def remember(desk: Desk, work: Work, sending: Sending, known: dict[str, Holding]) -> None:
    """What the partner now holds, and a second line for each first one. Accounted for also by a worker that lost its
    lease: it is what happened; but what that means now, the next one looks up."""
    now = desk.clock()
    learnt = [h for r in sending.results if (h := holding(r)) is not None]
    known.update({h.urn: h for h in learnt})
    lines = [line(desk, work, r.change, kind_of(r), r.outcome, now) for r in sending.results]
    sent_urns = {thing_of(r.change).urn for r in sending.results}
    with desk.store.writing() as tx:
        if not shares.still_mine(tx, work.share):
            shares.mark_due(tx, case_id=work.stored.id, partner=work.share.partner, now=now)
            current = {h.urn for h in holdings.of_share(tx, work.share.id)}
            learnt = [h for r in sending.results if (h := sent(r.change)).urn in current or not h.id]
        elif sending.undone:
            learnt = [h for h in work.held if h.urn in sent_urns]
            holdings.forget(tx, work.share.id, sent_urns)
        holdings.save(tx, work.share.id, learnt, now=now)
        disclosures.append(tx, work.stored.id, lines)
