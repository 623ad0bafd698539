"""One share: view, map, check, diff, gather, account, send, settle; until the copy equals what consent allows now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from adapter import answering
from adapter.arrived import settle_case
from adapter.core import strict_json
from adapter.core.diff import Adopt, Holding
from adapter.core.fhir.bundle import Request, created, groups, request, without_theirs
from adapter.desk import Desk
from adapter.errors import Unavailable
from adapter.reconcile.alerting import note_stop
from adapter.reconcile.asking import knowing, learn
from adapter.reconcile.emptying import emptied, uncorrected
from adapter.reconcile.lease import held, lease
from adapter.reconcile.looking import look_first, meet, told_apart
from adapter.reconcile.matching import match_first
from adapter.reconcile.rereading import REFUSED, reread
from adapter.reconcile.sending import WELL, after, announce, at_once, ends_it, remember, send, standing, withheld_in
from adapter.reconcile.settling import gathers, put_off, settle, stay_stopped
from adapter.reconcile.shared import read_shared
from adapter.reconcile.splitting import in_smaller, is_refused, one_by_one, takes_back
from adapter.reconcile.work import (
    OF_ONE,
    Attempt,
    Work,
    fingerprint,
    going_all_the_same,
    read_work,
    taking_back,
    thing_of,
)
from adapter.store import paces, shares
from adapter.store.shares import Share


def reconcile_next(desk: Desk, worker: str) -> Share | None:
    """Claim the share that has been due longest and reconcile it. None where nothing is due.

    A fault of our own stops this one share, with an alarm, before it is raised: the next claim is another's.
    """
    now = desk.clock()
    with desk.store.writing() as tx:
        share = paces.claim(tx, worker=worker, now=now, lease=lease(desk), skip=paused(desk))
        if share is None:
            return None
        if share.partner not in desk.catalogue.partners:
            shares.stop(tx, share, outcome="stopped", detail="the partner is not configured any more", now=now)
            return share
    try:
        with held(desk, share):
            settle_case(desk, share.case_id)
            _work_on(desk, share, now)
    except Unavailable:
        raise
    except Exception:
        with desk.store.writing() as tx:
            detail = "a fault of the adapter: see its log"
            shares.stop(tx, share, outcome="stopped", detail=detail, alarms=("fault",), now=desk.clock())
            note_stop(desk, tx, "stopped", share, outcome="stopped")
        raise
    return share


def _work_on(desk: Desk, share: Share, now: datetime) -> None:
    """Rule 9: with the consents as they are since the claim. Other workers claim and people save meanwhile; each chunk
    leaves only after a transaction has found that what was decided on is still what is there (`announce`)."""
    # First, for it waits for nobody's server: where a partner has none, or it is away, it reads its answers here.
    answering.bring(desk, share.case_id, share.partner)
    with desk.store.reading() as tx:
        work = read_work(desk, tx, share, now)
        stays = bool(share.refused) and share.refused == fingerprint(tx, work.plan)
    if stays:
        with desk.store.writing() as tx:
            stay_stopped(desk, tx, work)
    else:
        reconcile(desk, work)


def paused(desk: Desk) -> list[str]:
    """The partners that are not to be called, by their files."""
    return [p.id for p in desk.catalogue.partners.values() if p.paused]


def reconcile(desk: Desk, work: Work) -> None:
    """Ask what is not known of the server, look up what is not clear, send what is needed, and settle."""
    if not desk.catalogue.partners[work.share.partner].is_sent_to:
        # It reads its view here (serve.py): nothing is sent, and nothing held.
        settle(desk, replace(work, plan=replace(work.plan, changes=())), Attempt("unchanged"))
        return
    if gathers(desk, work):
        return
    work = knowing(desk, work)
    dark: Attempt | None = None
    for before_sending in (look_first, read_shared, match_first):
        work, found = before_sending(desk, work)
        if isinstance(found, datetime):
            put_off(desk, work, found)
            return
        if found is not None and before_sending is not match_first:
            work = going_all_the_same(work, found)
        dark = dark or found
    attempt = Attempt("unchanged")
    if work.plan.desired.wrong and dark is None:
        attempt = Attempt("stopped", "our own check found mistakes in what would be sent", ("check",))
        work = taking_back(desk, work)
    if done := _deliver(desk, work, attempt):
        work, attempt = done
        settle(desk, work, dark if dark is not None and attempt.outcome in WELL else attempt)


def _deliver(desk: Desk, work: Work, attempt: Attempt) -> tuple[Work, Attempt] | None:
    """Send group by group, each only while the share and the case are ours; None where they are no longer.

    What fails ends it. Where each change stands alone, only what refers to the one that failed is left out; and what
    somebody at the partner has changed is read, and waits for a person, or is sent once more with what is theirs. What
    is taken back waits for nothing that is refused.
    """
    known = {h.urn: h for h in work.held}
    known |= {c.made.urn: c.holding for c in work.plan.changes if isinstance(c, Adopt)}
    waiting = list(groups(work.plan.changes, work.way))
    apart = work.way.mode != "transaction"
    follows = False  # what is sent next follows from a refusal: it is of no use to ask for the refusal again
    lost: set[str] = set()
    seen: set[str] = set()
    stays: Attempt | None = None
    while waiting:
        group = waiting.pop(0)
        chunk = standing(group, lost)
        lost |= created(group) - created(chunk)
        # What has failed in this claim is not tried again before the rest has gone out: the rest waits for no pace.
        hurried = follows or (apart and (stays is not None or attempt.outcome not in WELL))
        met = meet(desk, work, chunk, at_once=hurried)
        if isinstance(met, datetime):
            put_off(desk, work, met)
            return None
        if isinstance(met, Attempt):
            if met.outcome not in OF_ONE or not (apart or takes_back(chunk, waiting)):
                return work, after(attempt, met, apart=apart)
            apart = follows = True
            if len(chunk) > 1:
                waiting = one_by_one(chunk, waiting)
            else:
                attempt = after(attempt, met, apart=True)
                lost |= created(chunk)
            continue
        known |= {h.urn: h for h in met.found}
        if not (chunk := met.chunk):
            continue
        # The last look is at our own words: what a partner has written itself may go back to it whatever it says.
        asked, ours = (request(c, _places(known), work.way) for c in (chunk, without_theirs(chunk)))
        if attempt.outcome != "stopped" and withheld_in(desk, work, chunk, _bytes(ours)):
            attempt = Attempt("stopped", "the last look found withheld content in what would be sent", ("last-look",))
            work = taking_back(desk, work)
            waiting = list(groups(work.plan.changes, work.way))
            continue
        if not announce(desk, work, chunk, at_once=hurried or met.asked):
            return None
        sending = told_apart(desk, work, send(desk, work, chunk, asked, _bytes(asked)))
        remember(desk, work, sending, known)
        if (apart or len(chunk) == 1) and not sending.loose:
            sending, stubs = emptied(desk, work, sending)
            deletes = uncorrected(work, sending)
            lost |= {delete.holding.urn for delete in deletes}
            waiting = [*stubs, *waiting, *((delete,) for delete in deletes)]
            follows = follows or bool(stubs or deletes)
            apart = apart or bool(deletes)
        if smaller := in_smaller(sending, chunk, waiting, work.way):
            waiting, follows = smaller, True
            continue
        before, attempt = attempt, after(attempt, sending.attempt, apart=apart)
        work = replace(work, asked=False)  # what has been sent stays: the rest may go another time
        learn(desk, work, sending.shown)
        failed = created(r.change for r in sending.results if r.outcome not in WELL)
        if any(r.outcome in REFUSED for r in sending.results) and not sending.loose:
            there = reread(desk, work, sending, known, seen)
            seen |= {thing_of(change).urn for change in chunk}
            stays = there.stays or stays
            attempt = after(before, there.attempt, apart=apart) if there.attempt else before
            if there.again:
                waiting.insert(0, there.again)
                failed -= created(there.again)
            ends = there.attempt is not None and not apart
        else:
            ends = ends_it(sending, apart)
        if ends and not apart and is_refused(sending, chunk) and takes_back(chunk, waiting):
            attempt, waiting, apart, follows = before, one_by_one(chunk, waiting), True, True
            continue
        if ends:
            attempt = at_once(attempt) if sending.loose else attempt
            break
        lost |= failed
    return work, stays if stays and attempt.outcome in WELL else attempt


def _places(known: Mapping[str, Holding]) -> dict[str, str]:
    return {urn: f"{held.type}/{held.id}" for urn, held in known.items() if held.state != "withdrawn"}


def _bytes(asked: Request) -> bytes:
    return b"" if asked.body is None else strict_json.dump(asked.body)
