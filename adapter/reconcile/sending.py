"""One chunk of changes: the last look, the account, the bytes, and what the partner then holds."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import timedelta

from adapter.core.diff import Adopt, Create, Delete, Holding, referred, without_traffic
from adapter.core.doubt import sent, still_late
from adapter.core.fhir.bundle import Request, Sent, alike
from adapter.core.fhir.outcome import GONE
from adapter.core.fhir.results import Result, holding, is_loose, result_of_one, results
from adapter.core.partner import Partner
from adapter.core.retry import together
from adapter.desk import Desk
from adapter.outward.answer import Answered, NotSent, Unknown
from adapter.reconcile.account import kind_of, line
from adapter.reconcile.asking import Shown, shown
from adapter.reconcile.lease import lease
from adapter.reconcile.work import OF_ONE, Attempt, Work, fhir_server, not_sent, thing_of
from adapter.store import disclosures, holdings, paces, shares
from adapter.store.database import Tx

SHORTLY = timedelta(seconds=1)
WELL = ("delivered", "existing", "unchanged")
_TOLD = 3
"""So many places of the case are named where the last look stops something: a person finds the others beside them."""


def last_look(work: Work, chunk: Sequence[Sent], payload: bytes) -> Attempt | None:
    """The last look, on the bytes that are about to leave; an attempt where they must not, which says where in the case
    what they would tell stands. What only takes back says nothing and always may."""
    if not work.plan.desired.made or all(isinstance(change, Delete) for change in chunk):
        return None
    stop = work.look.at(payload, {h.id for h in work.held if h.id})
    if stop is None:
        return None
    places = ", ".join(path for path in stop.paths[:_TOLD] if path)
    detail = "the last look found withheld content in what would be sent"
    return Attempt("stopped", f"{detail}: {places}" if places else detail, ("last-look",))


def announce(desk: Desk, work: Work, chunk: Sequence[Sent], *, at_once: bool = False) -> bool:
    """Account for the attempt before the bytes leave. False: another worker has the share, the case has changed, or the
    partner is not to be asked again so soon (`at_once`: it is all the same, and what follows waits the longer)."""
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
        later = paces.take(tx, work.share, now=now, until=until, rate=partner.rate, at_once=at_once or work.asked)
        if later is not None:
            shares.put_off(tx, work.share, at=later, now=now)
            return False
        shares.renew(tx, work.share, now=now, lease=lease(desk))
        before = {held.urn: held for held in work.held}
        under_way = (still_late(sent(c), before.get(thing_of(c).urn), work.now) for c in chunk)
        holdings.save(tx, work.share.id, [*adopted, *under_way], now=now)
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
    """One chunk's results, and what they come to. `undone`: the urns of what was surely not done.

    `shown`: what the answer tells that the server cannot; `loose`: it was a transaction, and each entry was done for
    itself.
    """

    results: tuple[Result, ...]
    attempt: Attempt
    undone: frozenset[str] = frozenset()
    shown: Shown = None
    loose: bool = False


def send(desk: Desk, work: Work, chunk: Sequence[Sent], asked: Request, payload: bytes) -> Sending:
    """One request to the partner's server, once."""
    partner = desk.catalogue.partners[work.share.partner]
    if asked.path:
        answer = fhir_server(desk, partner.id).send(asked, payload, request_id=work.request_id)
    else:
        # Where two creates of one type could be told apart by nothing else, the resources come back and are compared.
        answer = desk.server(partner.id).transact(payload, request_id=work.request_id, echo=alike(chunk))
    match answer:
        case Answered():
            return _read(work, partner, chunk, asked, answer)
        case NotSent():
            attempt = not_sent(answer)
            each = tuple(Result(c, attempt.outcome) for c in chunk)
            return Sending(each, attempt, frozenset(thing_of(c).urn for c in chunk))
        case Unknown(reason):
            return Sending(tuple(Result(c, "unknown") for c in chunk), Attempt("unknown", reason))


def _read(work: Work, partner: Partner, chunk: Sequence[Sent], asked: Request, answer: Answered) -> Sending:
    status, waits = answer.status, answer.retry_after is not None
    each = _results(chunk, asked, answer, waits)
    whole = status >= 300 and not asked.path
    has_shown = shown(work, partner, chunk, each, status if whole else 0)
    if whole and has_shown == work.way.mode:
        each = [replace(r, outcome="unsupported") for r in each]
    # A folder has no lesser way: there each entry is always done for itself.
    auto = bool(partner.base_url) and partner.mode == "auto"
    loose = not whole and work.way.mode == "transaction" and auto and is_loose(answer.body, each)
    said = sorted({word for r in each for word in r.said})
    unreadable = [f"unreadable: {answer.unreadable}"] if answer.unreadable else []
    detail = " ".join([f"HTTP {status}", *unreadable, *said])[:200]
    # Some servers undo nothing of a transaction that they refuse (reference/servers.md: Medplum's in memory): what was
    # in it is looked up before it is sent again, or taken back.
    in_part = whole and len(chunk) > 1
    undone = (thing_of(r.change).urn for r in each if r.undone and not (in_part and r.outcome in OF_ONE))
    return Sending(
        tuple(each),
        Attempt(together(r.outcome for r in each), detail, retry_after=answer.retry_after),
        frozenset(undone),
        "transaction" if loose else has_shown,
        loose,
    )


def _results(chunk: Sequence[Sent], asked: Request, answer: Answered, waits: bool) -> list[Result]:
    status, told = answer.status, answer.headers
    if not asked.path:
        return results(chunk, asked.body or {}, answer.body, status=status, waits=waits)
    if answer.unreadable and (200 <= status < 300 or status in GONE):
        # An unreadable success is no success, whatever its headers say; nor is a gateway's page that it is not there.
        return [Result(chunk[0], "unknown")]
    place = {"location": told.get("location", ""), "etag": told.get("etag", "")}
    return [result_of_one(chunk[0], asked.body, answer.body, status=status, waits=waits, **place)]


def after(before: Attempt, now: Attempt, *, apart: bool) -> Attempt:
    """What a claim comes to: a stop of our own stays a stop, whatever was taken back after it. Where each stands
    `apart`, what failed does not become well because something after it did not fail."""
    if before.outcome == "stopped" and now.outcome == "delivered":
        return before
    if apart and before.outcome not in WELL:
        keeps = now.outcome in WELL or together((before.outcome, now.outcome)) == before.outcome
        return before if keeps else replace(now, alarms=(*before.alarms, *now.alarms))
    return replace(now, alarms=(*before.alarms, *now.alarms))


def ends_it(sending: Sending, apart: bool) -> bool:
    """Is nothing more to be sent in this claim? Where each stands apart, a refusal of one is none of the others."""
    if sending.loose:
        return True
    return sending.attempt.outcome not in (*WELL, *(OF_ONE if apart else ()))


def at_once(attempt: Attempt) -> Attempt:
    """After a transaction that was none the next claim sends what is left as this server does it: also what failed, for
    it may have failed only because what it refers to was not there yet."""
    if attempt.outcome in WELL:
        return replace(attempt, outcome="existing")
    return replace(attempt, outcome="unsupported") if attempt.outcome in OF_ONE else attempt


def standing(chunk: Sequence[Sent], lost: AbstractSet[str]) -> list[Sent]:
    """What of `chunk` does not refer to what was to be created and was not."""
    return [c for c in chunk if isinstance(c, Delete) or not referred(c.made.resource) & lost]


def remember(desk: Desk, work: Work, sending: Sending, known: dict[str, Holding]) -> None:
    """What the partner now holds, and a second line for each first one. Accounted for also by a worker that lost its
    lease: it is what happened; but what that means now, the next one looks up."""
    now = desk.clock()
    became = [h for r in sending.results if (h := holding(r)) is not None]
    learnt = [still_late(h, known.get(h.urn), work.now) for h in became]
    known.update({h.urn: h for h in learnt})
    lines = [line(desk, work, r.change, kind_of(r), r.outcome, now) for r in sending.results]
    with desk.store.writing() as tx:
        if not shares.still_mine(tx, work.share):
            shares.mark_due(tx, case_id=work.stored.id, partner=work.share.partner, now=now)
            current = {h.urn for h in holdings.of_share(tx, work.share.id)}
            learnt = [h for r in sending.results if (h := sent(r.change)).urn in current or not h.id]
        elif sending.undone:
            learnt += [h for h in work.held if h.urn in sending.undone]
            holdings.forget(tx, work.share.id, sending.undone)
        holdings.save(tx, work.share.id, learnt, now=now)
        disclosures.append(tx, work.stored.id, lines)
