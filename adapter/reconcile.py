"""One share: view, map, check, diff, account, send, settle; until the partner's copy equals what consent allows now."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from adapter.core import strict_json
from adapter.core.consent.last_look import last_look
from adapter.core.desired import Plan, Subject, only_taking_back, plan
from adapter.core.diff import Adopt, Change, Create, Delete, Freeze, Holding, Release, Update, without_traffic
from adapter.core.fhir.bundle import Sent, alike, chunks, transaction
from adapter.core.fhir.results import Result, found, holding, place_of, results
from adapter.core.keeping import version_of
from adapter.core.retry import Outcome, Settled, Stopped, TryAgain, next_step, together
from adapter.desk import Desk
from adapter.errors import Unavailable
from adapter.outward.answer import Answered, NotSent, Unknown
from adapter.outward.server import Server
from adapter.store import cases, disclosures, holdings, shares
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.disclosures import Line
from adapter.store.shares import Share

LOOK_FIRST = ("unknown", "existing", "version", "conflict")
"""After these outcomes one looks at what the partner holds before anything is sent again."""


@dataclass(frozen=True, slots=True)
class Work:
    """One claimed share with all that was read for it in the transaction of the claim."""

    share: Share
    stored: StoredCase
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
        except Exception as bug:  # noqa: BLE001  raised again below, once the share has been stopped
            fault = bug
    try:
        if fault is not None:
            raise fault
        if share.outcome in LOOK_FIRST:
            work = _look_first(desk, work)
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


def _read(desk: Desk, tx: Tx, share: Share, now: datetime) -> Work:
    stored = cases.by_id(tx, share.case_id)
    if stored is None:
        raise LookupError("a share without a case")
    held = tuple(holdings.of_share(tx, share.id))
    return _planned(desk, tx, share, stored, held, now)


def _planned(desk: Desk, tx: Tx, share: Share, stored: StoredCase, held: tuple[Holding, ...], now: datetime) -> Work:
    directory = holdings.directory(tx, share.partner)
    elsewhere = holdings.used_elsewhere(tx, share.partner, [h.urn for h in held if h.directory], share_id=share.id)
    subject = Subject(stored.number, stored.body, stored.kept)
    needed = plan(desk.bench, subject, share.partner, now, held, directory=directory, kept_elsewhere=elsewhere)
    return Work(share, stored, held, needed, secrets.token_hex(16), now)


def reconcile(desk: Desk, work: Work) -> None:
    """Send what is needed, chunk by chunk, and settle. Each chunk leaves only while the share and the case are ours."""
    known = {h.urn: h for h in work.held}
    known |= {c.made.urn: c.holding for c in work.plan.changes if isinstance(c, Adopt)}
    attempt = Attempt("unchanged")
    if work.plan.desired.wrong:
        attempt = Attempt("stopped", "our own check found mistakes in what would be sent", ("check",))
    waiting = list(chunks(work.plan.changes, desk.catalogue.partners[work.share.partner].chunk))
    server = desk.server(work.share.partner)
    while waiting:
        chunk = waiting.pop(0)
        bundle = transaction(chunk, {urn: f"{h.type}/{h.id}" for urn, h in known.items() if h.state != "withdrawn"})
        payload = strict_json.dump(bundle)
        if _withheld_in(desk, work, payload):
            attempt = Attempt("stopped", "the last look found withheld content in what would be sent", ("last-look",))
            waiting = list(chunks(only_taking_back([c for rest in (chunk, *waiting) for c in rest]), len(known) + 1))
            continue
        if not _announce(desk, work, chunk):
            return
        sent = _send(server, chunk, bundle, payload, work.request_id)
        attempt = _after(attempt, sent)
        _remember(desk, work, sent, known)
        if sent.attempt.outcome not in ("delivered", "existing"):
            break
    _settle(desk, work, attempt)


def _withheld_in(desk: Desk, work: Work, payload: bytes) -> bool:
    """The last look, on the bytes that are about to leave. What only takes back says nothing and always may."""
    return (
        last_look(
            payload,
            case=work.stored.body,
            kept=work.stored.kept,
            rulebook=desk.bench.rulebook,
            partner=work.share.partner,
            now=work.now,
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
        lease = timedelta(seconds=desk.settings.lease_seconds + partner.timeout)
        shares.renew(tx, work.share, now=now, lease=lease)
        disclosures.append(tx, work.stored.id, [_line(desk, work, c, "attempted", "", now) for c in chunk])
    return True


@dataclass(frozen=True, slots=True)
class Sending:
    """One chunk's results, and what they come to."""

    results: tuple[Result, ...]
    attempt: Attempt


def _send(server: Server, chunk: Sequence[Sent], bundle: Mapping[str, Any], payload: bytes, request_id: str) -> Sending:
    # Where two creates of one type could be told apart by nothing else, the resources come back and are compared.
    match server.transact(payload, request_id=request_id, echo=alike(chunk)):
        case Answered(status=status, body=body, unreadable=unreadable, retry_after=retry_after):
            each = tuple(results(chunk, bundle, body, status=status, waits=retry_after is not None))
            said = sorted({word for r in each for word in r.said})
            detail = " ".join([f"HTTP {status}", *([f"unreadable: {unreadable}"] if unreadable else []), *said])
            return Sending(each, Attempt(together(r.outcome for r in each), detail[:200], retry_after=retry_after))
        case NotSent(reason):
            return Sending(tuple(Result(c, "unavailable") for c in chunk), Attempt("unavailable", reason))
        case Unknown(reason):
            return Sending(tuple(Result(c, "unknown") for c in chunk), Attempt("unknown", reason))


def _after(before: Attempt, sent: Sending) -> Attempt:
    """What a claim comes to: a stop of our own stays a stop, whatever was taken back after it."""
    if before.outcome == "stopped" and sent.attempt.outcome == "delivered":
        return before
    return replace(sent.attempt, alarms=(*before.alarms, *sent.attempt.alarms))


def _remember(desk: Desk, work: Work, sent: Sending, known: dict[str, Holding]) -> None:
    """What the partner now holds, and a second line for each first one. Written also by a worker that lost its lease:
    it is what happened."""
    now = desk.clock()
    learnt = [h for r in sent.results if (h := holding(r)) is not None]
    known.update({h.urn: h for h in learnt})
    lines = [_line(desk, work, r.change, _kind(r), r.outcome, now) for r in sent.results]
    with desk.store.writing() as tx:
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
        holdings.save(tx, share.id, kept, now=now)
        holdings.forget(tx, share.id, [c.holding.urn for c in quiet if isinstance(c, Release)])
        disclosures.append(tx, work.stored.id, frozen)
        match step:
            case Settled():
                outcome, due = attempt.outcome, desired.next_change
                shares.settle(tx, share, due=due, outcome=outcome, detail=attempt.detail, alarms=alarms, now=now)
            case TryAgain(at):
                shares.postpone(tx, share, at=at, outcome=attempt.outcome, detail=attempt.detail, now=now)
            case Stopped(reason):
                detail = attempt.detail or reason
                shares.stop(tx, share, outcome=attempt.outcome, detail=detail, alarms=alarms, now=now)


def _look_first(desk: Desk, work: Work) -> Work:
    """The outcome of the last attempt is not known: find what the partner holds by identifier, then plan again."""
    server = desk.server(work.share.partner)
    learnt: list[Holding] = []
    for change in work.plan.changes:
        match change:
            case Create(made):
                answer = server.find(made.type, made.identifier, request_id=work.request_id)
                places = found(answer.body, made.type, made.identifier) if isinstance(answer, Answered) else None
                if places and len(places) == 1:
                    id_, version = places[0]
                    learnt.append(_found_there(change, id_, version))
            case Update(holding=held) | Delete(holding=held):
                answer = server.read(held.type, held.id, request_id=work.request_id)
                if isinstance(answer, Answered) and answer.status in (404, 410):
                    learnt.append(replace(held, version="", hash="", state="withdrawn"))
                elif isinstance(answer, Answered) and answer.status == 200:
                    _, version = place_of(answer.body)
                    learnt.append(replace(held, version=version, hash=""))
    if not learnt:
        return work
    with desk.store.writing() as tx:
        if shares.still_mine(tx, work.share):
            holdings.save(tx, work.share.id, learnt, now=work.now)
        held_now = tuple(holdings.of_share(tx, work.share.id))
        return _planned(desk, tx, work.share, work.stored, held_now, work.now)


def _found_there(change: Create, id_: str, version: str) -> Holding:
    made = change.made
    return Holding(
        made.urn, made.type, made.identifier, id_, version, "", made.directory,
        about=made.about, parts=made.parts, topics=made.topics,
    )  # fmt: skip


def _kind(result: Result) -> str:
    if result.outcome not in ("delivered", "existing"):
        return "failed"
    return "withdrawn" if isinstance(result.change, Delete) else "delivered"


_OPERATIONS: Mapping[type[Change], str] = {Create: "create", Update: "update", Delete: "withdraw", Freeze: "freeze"}


def _line(desk: Desk, work: Work, change: Change, kind: str, outcome: str, now: datetime) -> Line:
    """One line of the account: what, for what, under which consents as they are now."""
    thing = change.made if isinstance(change, Create | Update) else change.holding
    label = work.plan.desired.view.labels.get(thing.about)
    purposes: Iterable[str] = label.purposes if label else (desk.catalogue.partners[work.share.partner].purpose,)
    return Line(
        at=now,
        partner=work.share.partner,
        purpose=" ".join(purposes),
        kind=kind,
        request_id=work.request_id,
        operation=_OPERATIONS[type(change)],
        resource_type=thing.type,
        urn=thing.urn,
        about=thing.about,
        parts=thing.parts,
        topics=thing.topics,
        consents=tuple(version_of(work.stored.kept, c) for c in work.plan.desired.view.consents),
        outcome=outcome,
    )
