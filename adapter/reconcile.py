"""One share: view, map, check, diff, account, send, settle; until the partner's copy equals what consent allows now."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from adapter.core import strict_json
from adapter.core.consent.last_look import last_look
from adapter.core.desired import Plan, Subject, narrows, plan
from adapter.core.diff import Adopt, Change, Create, Delete, Freeze, Holding, Made, Release, Update, without_traffic
from adapter.core.doubt import looked_up, sent, unclear
from adapter.core.fhir.bundle import Sent, alike, chunks, transaction
from adapter.core.fhir.outcome import of_status, read
from adapter.core.fhir.results import Result, holding, results
from adapter.core.keeping import rulebook_for, version_of
from adapter.core.retry import Outcome, Settled, Stopped, TryAgain, next_step, together
from adapter.core.strict_json import digest
from adapter.desk import Desk
from adapter.errors import Unavailable
from adapter.outward.answer import Answered, NotSent, Unknown
from adapter.outward.server import Server
from adapter.store import cases, disclosures, holdings, shares
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.disclosures import Line
from adapter.store.shares import Share

_SHORTLY = timedelta(seconds=1)
UNDONE = ("rejected", "ambiguous", "throttled", "unavailable", "unauthorised")
"""After these answers to a whole Bundle nothing of it was done."""
DONE = ("delivered", "existing", "unchanged", "stopped")
"""With these outcomes of a claim all that it planned, or was allowed of it, has been done."""


@dataclass(frozen=True, slots=True)
class Work:
    """One claimed share with all that was read for it in the transaction of the claim."""

    share: Share
    stored: StoredCase
    subject: Subject
    held: tuple[Holding, ...]
    plan: Plan
    request_id: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of the traffic of one claim."""

    outcome: Outcome
    detail: str = ""
    alarms: tuple[str, ...] = ()
    retry_after: timedelta | None = None


def reconcile_next(desk: Desk, worker: str) -> Share | None:
    """Claim the share that has been due longest and reconcile it. None where nothing is due.

    A fault of our own stops this one share, with an alarm, before it is raised: the next claim is another's.
    """
    now = desk.clock()
    lease = timedelta(seconds=desk.settings.lease_seconds)
    fault: Exception | None = None
    with desk.store.writing() as tx:
        share = shares.claim(tx, worker=worker, now=now, lease=lease, skip=paused(desk))
        if share is None:
            return None
        if share.partner not in desk.catalogue.partners:
            shares.stop(tx, share, outcome="stopped", detail="the partner is not configured any more", now=now)
            return share
        try:
            # Rule 9: decided in the transaction that claims the share, with the consents as they are then.
            work = _read(desk, tx, share, now)
            if share.refused and share.refused == _fingerprint(tx, work.plan):
                _stay_stopped(tx, work)
                return share
        except Exception as bug:  # noqa: BLE001  raised again below, once the share has been stopped
            fault = bug
    try:
        if fault is not None:
            raise fault
        reconcile(desk, work)
    except Unavailable:
        raise
    except Exception:
        with desk.store.writing() as tx:
            detail = "a fault of the adapter: see its log"
            shares.stop(tx, share, outcome="stopped", detail=detail, alarms=("fault",), now=desk.clock())
        raise
    return share


def paused(desk: Desk) -> list[str]:
    """The partners that are not to be called, by their files."""
    return [p.id for p in desk.catalogue.partners.values() if p.paused]


def _fingerprint(tx: Tx, needed: Plan) -> str:
    """What would be sent, as a text that tells nothing: equal while nothing changes that the partner may see. Empty
    where nothing would be."""
    if not needed.changes:
        return ""
    parts = [[type(c).__name__, _thing(c).urn, *([digest(c.made.resource)] if isinstance(c, Create | Update) else [])]
             for c in needed.changes]  # fmt: skip
    return tx.seal.index("what was refused", strict_json.canonical(parts).decode()).hex()


def _stay_stopped(tx: Tx, work: Work) -> None:
    """Nothing has changed that the partner may see since it stopped: a save that is withheld from it calls nobody."""
    share, desired = work.share, work.plan.desired
    alarms = dict.fromkeys((*share.alarms, *sorted(a.code for a in desired.alarms)))
    shares.stop(
        tx,
        share,
        outcome=share.outcome,
        detail=share.detail,
        alarms=tuple(alarms),
        refused=share.refused,
        due=desired.next_change,
        now=work.now,
    )


def _read(desk: Desk, tx: Tx, share: Share, now: datetime) -> Work:
    stored = cases.by_id(tx, share.case_id)
    if stored is None:
        raise LookupError("a share without a case")
    held = tuple(holdings.of_share(tx, share.id))
    return _planned(desk, tx, share, stored, held, now)


def _planned(desk: Desk, tx: Tx, share: Share, stored: StoredCase, held: tuple[Holding, ...], now: datetime) -> Work:
    subject = Subject.of(stored.number, stored.body, stored.kept)
    needed = _plan(desk, tx, share, subject, held, now)
    return Work(share, stored, subject, held, needed, secrets.token_hex(16), now)


def _plan(desk: Desk, tx: Tx, share: Share, subject: Subject, held: Sequence[Holding], now: datetime) -> Plan:
    # What has no id is on its way there, or back: nobody may count on it.
    directory = {urn: h for urn, h in holdings.directory(tx, share.partner).items() if h.id}
    elsewhere = holdings.used_elsewhere(tx, share.partner, [h.urn for h in held if h.directory], share_id=share.id)
    return plan(desk.bench, subject, share.partner, now, held, directory=directory, kept_elsewhere=elsewhere)


def reconcile(desk: Desk, work: Work) -> None:
    """Look up what is not clear, send what is needed, chunk by chunk, and settle.

    Each chunk leaves only while the share and the case are ours.
    """
    work, dark = _look_first(desk, work)
    if dark is not None:
        _settle(desk, replace(work, plan=replace(work.plan, changes=())), dark)
        return
    known = {h.urn: h for h in work.held}
    known |= {c.made.urn: c.holding for c in work.plan.changes if isinstance(c, Adopt)}
    size = desk.catalogue.partners[work.share.partner].chunk
    waiting = list(chunks(work.plan.changes, size))
    attempt = Attempt("unchanged")
    if work.plan.desired.wrong:
        attempt = Attempt("stopped", "our own check found mistakes in what would be sent", ("check",))
        work = _taking_back(desk, work)
        waiting = list(chunks(work.plan.changes, size))
    server = desk.server(work.share.partner)
    while waiting:
        chunk = waiting.pop(0)
        bundle = transaction(chunk, {urn: f"{h.type}/{h.id}" for urn, h in known.items() if h.state != "withdrawn"})
        payload = strict_json.dump(bundle)
        if attempt.outcome != "stopped" and _withheld_in(desk, work, chunk, payload):
            attempt = Attempt("stopped", "the last look found withheld content in what would be sent", ("last-look",))
            work = _taking_back(desk, work)
            waiting = list(chunks(work.plan.changes, size))
            continue
        if not _announce(desk, work, chunk):
            return
        sending = _send(server, chunk, bundle, payload, work.request_id)
        attempt = _after(attempt, sending)
        _remember(desk, work, sending, known)
        if sending.attempt.outcome not in ("delivered", "existing"):
            break
    _settle(desk, work, attempt)


def _taking_back(desk: Desk, work: Work) -> Work:
    """The same work where nothing of the case may be sent: none, or, where something must be taken back, all of it.

    What is stopped would have corrected what stays; uncorrected, it may tell of what goes, and refer to it.
    """
    if not narrows(work.plan.changes):
        return replace(work, plan=replace(work.plan, changes=()))
    with desk.store.reading() as tx:
        held = tuple(holdings.of_share(tx, work.share.id))
        needed = _plan(desk, tx, work.share, replace(work.subject, case={}), held, work.now)
    return replace(work, held=held, plan=replace(work.plan, changes=needed.changes))


def _withheld_in(desk: Desk, work: Work, chunk: Sequence[Sent], payload: bytes) -> bool:
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


def _announce(desk: Desk, work: Work, chunk: Sequence[Sent]) -> bool:
    """Account for the attempt before the bytes leave. False: another worker has the share, or the case has changed."""
    now = desk.clock()
    partner = desk.catalogue.partners[work.share.partner]
    with desk.store.writing() as tx:
        if not shares.still_mine(tx, work.share, work.stored.version):
            # Planned for a case that is no more: it is due again at once, if it is still ours to say so.
            shares.settle(tx, work.share, due=now, outcome=work.share.outcome, now=now)
            return False
        adopted = _adopted(work)
        if _contested(tx, work, chunk, adopted):
            shares.settle(tx, work.share, due=now + _SHORTLY, outcome=work.share.outcome, now=now)
            return False
        lease = timedelta(seconds=desk.settings.lease_seconds + partner.timeout)
        shares.renew(tx, work.share, now=now, lease=lease)
        holdings.save(tx, work.share.id, [*adopted, *(sent(c) for c in chunk)], now=now)
        disclosures.append(tx, work.stored.id, [_line(desk, work, c, "attempted", "", now) for c in chunk])
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


def _send(server: Server, chunk: Sequence[Sent], bundle: Mapping[str, Any], payload: bytes, request_id: str) -> Sending:
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
        case NotSent(reason):
            each = tuple(Result(c, "unavailable") for c in chunk)
            return Sending(each, Attempt("unavailable", reason), undone=True)
        case Unknown(reason):
            return Sending(tuple(Result(c, "unknown") for c in chunk), Attempt("unknown", reason))


def _after(before: Attempt, sending: Sending) -> Attempt:
    """What a claim comes to: a stop of our own stays a stop, whatever was taken back after it."""
    if before.outcome == "stopped" and sending.attempt.outcome == "delivered":
        return before
    return replace(sending.attempt, alarms=(*before.alarms, *sending.attempt.alarms))


def _remember(desk: Desk, work: Work, sending: Sending, known: dict[str, Holding]) -> None:
    """What the partner now holds, and a second line for each first one. Accounted for also by a worker that lost its
    lease: it is what happened; but what that means now, the next one looks up."""
    now = desk.clock()
    learnt = [h for r in sending.results if (h := holding(r)) is not None]
    known.update({h.urn: h for h in learnt})
    lines = [_line(desk, work, r.change, _kind(r), r.outcome, now) for r in sending.results]
    sent_urns = {_thing(r.change).urn for r in sending.results}
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


def _settle(desk: Desk, work: Work, attempt: Attempt) -> None:
    """Holdings that needed no traffic, and what the share does next, in one transaction."""
    now = desk.clock()
    share, desired = work.share, work.plan.desired
    alarms = (*attempt.alarms, *sorted({a.code for a in desired.alarms}))
    quiet = [c for c in work.plan.changes if isinstance(c, Adopt | Freeze | Release)]
    kept = [h for c in quiet if (h := without_traffic(c)) is not None]
    frozen = [_line(desk, work, c, "frozen", "unchanged", now) for c in quiet if isinstance(c, Freeze)]
    step = next_step(
        attempt.outcome,
        attempts=share.attempts + 1,
        failing_since=share.failing_since,
        now=now,
        jitter=secrets.randbelow(1_000_000) / 1_000_000,
        retry_after=attempt.retry_after,
    )
    if attempt.outcome == "version":
        # Someone at the partner changed our copy: a person decides, and a retry then looks before it writes.
        step = Stopped("rejected")
        alarms = ("conflict", *alarms)
    with desk.store.writing() as tx:
        if not shares.still_mine(tx, share):
            return
        last = _last_user(desk, tx, work)
        holdings.save(tx, share.id, kept, now=now)
        # What failed may still refer to them there: until it is done they are held here, and nobody takes them back.
        done = attempt.outcome in DONE
        released = {c.holding.urn for c in quiet if isinstance(c, Release) and done} - {held.urn for held in last}
        holdings.forget(tx, share.id, released)
        disclosures.append(tx, work.stored.id, frozen)
        match step:
            case Settled():
                outcome, due = attempt.outcome, now if last else desired.next_change
                shares.settle(tx, share, due=due, outcome=outcome, detail=attempt.detail, alarms=alarms, now=now)
            case TryAgain(at):
                shares.postpone(tx, share, at=at, outcome=attempt.outcome, detail=attempt.detail, now=now)
            case Stopped(reason):
                detail, due = attempt.detail or reason, desired.next_change
                refused = "" if attempt.outcome == "stopped" else _left(desk, tx, work)
                shares.stop(
                    tx, share, outcome=attempt.outcome, detail=detail, alarms=alarms, refused=refused, due=due, now=now
                )
    if released:
        # On PostgreSQL two that settle at one instant do not see each other leave: each looks once more.
        with desk.store.writing() as tx:
            if orphans := _last_user(desk, tx, work):
                holdings.save(tx, share.id, orphans, now=now)
                shares.mark_due(tx, case_id=share.case_id, partner=share.partner, now=now)


def _left(desk: Desk, tx: Tx, work: Work) -> str:
    """The fingerprint of what has not been done, and is not to be tried again as it is."""
    held = tuple(holdings.of_share(tx, work.share.id))
    return _fingerprint(tx, _plan(desk, tx, work.share, work.subject, held, work.now))


def _last_user(desk: Desk, tx: Tx, work: Work) -> list[Holding]:
    """The directory resources that this share leaves to others who have left them too meanwhile: it takes them back."""
    left = [c.holding for c in work.plan.changes if isinstance(c, Release) and c.holding.directory and c.holding.ours]
    if not left or desk.catalogue.partners[work.share.partner].withdrawal == "stub":
        return []
    used = holdings.used_elsewhere(tx, work.share.partner, [held.urn for held in left], share_id=work.share.id)
    return [held for held in left if held.urn not in used]


def _look_first(desk: Desk, work: Work) -> tuple[Work, Attempt | None]:
    """Find what the partner holds of what is not clear, and plan again. An attempt, where looking did not tell: then
    nothing may be sent (exchange.md, *Delivery*: unknown outcome)."""
    questions = unclear(work.held, work.plan.changes)
    if not questions:
        return work, None
    learnt: list[Holding] = []
    dark: Attempt | None = None
    for held in questions:
        if not _prolong(desk, work):
            dark = Attempt("unknown")
            break
        found = _look(desk, work, held)
        if isinstance(found, Attempt):
            dark = found
            break
        learnt.append(found)
    with desk.store.writing() as tx:
        if shares.still_mine(tx, work.share):
            holdings.save(tx, work.share.id, learnt, now=work.now)
            disclosures.append(tx, work.stored.id, _lines_of_looking(desk, work, learnt))
        held_now = tuple(holdings.of_share(tx, work.share.id))
        return _planned(desk, tx, work.share, work.stored, held_now, work.now), dark


def _look(desk: Desk, work: Work, held: Holding) -> Holding | Attempt:
    server = desk.server(work.share.partner)
    if held.id:
        answer = server.read(held.type, held.id, request_id=work.request_id)
    else:
        answer = server.find(held.type, held.identifier, request_id=work.request_id)
    match answer:
        case Answered(status=status, body=body, retry_after=retry_after):
            found = looked_up(held, status, body)
            if isinstance(found, Holding):
                return found
            said = of_status(status, read(body), retry_after=retry_after is not None)
            outcome = found if said == "delivered" else said
            return Attempt(outcome, f"looking: HTTP {status}", retry_after=retry_after)
        case NotSent(reason):
            return Attempt("unavailable", f"looking: {reason}")
        case Unknown(reason):
            return Attempt("unknown", f"looking: {reason}")


def _lines_of_looking(desk: Desk, work: Work, learnt: Sequence[Holding]) -> list[Line]:
    """What was done without our knowing has its line too."""
    before = {h.urn: h for h in work.held}
    leaving = {c.holding.urn for c in work.plan.changes if isinstance(c, Delete)}
    came = [h for h in learnt if h.id and not before[h.urn].id]
    went = [h for h in learnt if h.state == "withdrawn" and before[h.urn].id and h.urn in leaving]
    return [
        *(_line_of(desk, work, h, "create", "delivered", "existing", work.now) for h in came),
        *(_line_of(desk, work, h, "withdraw", "withdrawn", "delivered", work.now) for h in went),
    ]


def _prolong(desk: Desk, work: Work) -> bool:
    """Looking takes its time: hold the share for one more question. False: it is another's by now."""
    lease = timedelta(seconds=desk.settings.lease_seconds + desk.catalogue.partners[work.share.partner].timeout)
    with desk.store.writing() as tx:
        return shares.renew(tx, work.share, now=desk.clock(), lease=lease)


def _kind(result: Result) -> str:
    if result.outcome not in ("delivered", "existing"):
        return "failed"
    return "withdrawn" if isinstance(result.change, Delete) else "delivered"


_OPERATIONS: Mapping[type[Change], str] = {Create: "create", Update: "update", Delete: "withdraw", Freeze: "freeze"}


def _line(desk: Desk, work: Work, change: Change, kind: str, outcome: str, now: datetime) -> Line:
    return _line_of(desk, work, _thing(change), _OPERATIONS[type(change)], kind, outcome, now)


def _thing(change: Change) -> Made | Holding:
    return change.made if isinstance(change, Create | Update) else change.holding


def _line_of(
    desk: Desk, work: Work, thing: Made | Holding, operation: str, kind: str, outcome: str, now: datetime
) -> Line:
    """One line of the account: what, for what, under which consents as they are now."""
    label = work.plan.desired.view.labels.get(thing.about)
    purposes: Iterable[str] = label.purposes if label else (desk.catalogue.partners[work.share.partner].purpose,)
    return Line(
        at=now,
        partner=work.share.partner,
        purpose=" ".join(purposes),
        kind=kind,
        request_id=work.request_id,
        operation=operation,
        resource_type=thing.type,
        urn=thing.urn,
        about=thing.about,
        parts=thing.parts,
        topics=thing.topics,
        consents=tuple(version_of(work.stored.kept, c) for c in work.plan.desired.view.consents),
        outcome=outcome,
    )
