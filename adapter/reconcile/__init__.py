"""One share: view, map, check, diff, gather, account, send, settle; until the copy equals what consent allows now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from adapter.core import strict_json
from adapter.core.diff import Adopt
from adapter.core.fhir.bundle import chunks, transaction
from adapter.desk import Desk
from adapter.errors import Unavailable
from adapter.reconcile.alerting import note
from adapter.reconcile.lease import held, lease
from adapter.reconcile.looking import look_first
from adapter.reconcile.sending import after, announce, remember, send, withheld_in
from adapter.reconcile.settling import gathers, put_off, settle, stay_stopped
from adapter.reconcile.shared import read_shared
from adapter.reconcile.work import Attempt, Work, fingerprint, read_work, taking_back
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
            _work_on(desk, share, now)
    except Unavailable:
        raise
    except Exception:
        with desk.store.writing() as tx:
            detail = "a fault of the adapter: see its log"
            shares.stop(tx, share, outcome="stopped", detail=detail, alarms=("fault",), now=desk.clock())
            note(desk, tx, "stopped", share.partner, share=share.id, outcome="stopped")
        raise
    return share


def _work_on(desk: Desk, share: Share, now: datetime) -> None:
    """Rule 9: with the consents as they are since the claim. Other workers claim and people save meanwhile; each chunk
    leaves only after a transaction has found that what was decided on is still what is there (`announce`)."""
    with desk.store.reading() as tx:
        work = read_work(desk, tx, share, now)
        stays = bool(share.refused) and share.refused == fingerprint(tx, work.plan)
    if stays:
        with desk.store.writing() as tx:
            stay_stopped(tx, work)
    else:
        reconcile(desk, work)


def paused(desk: Desk) -> list[str]:
    """The partners that are not to be called, by their files."""
    return [p.id for p in desk.catalogue.partners.values() if p.paused]


def reconcile(desk: Desk, work: Work) -> None:
    """Look up what is not clear, send what is needed, chunk by chunk, and settle.

    Each chunk leaves only while the share and the case are ours.
    """
    if not desk.catalogue.partners[work.share.partner].is_sent_to:
        # It reads its view here (serve.py): nothing is sent, and nothing held.
        settle(desk, replace(work, plan=replace(work.plan, changes=())), Attempt("unchanged"))
        return
    if gathers(desk, work):
        return
    for before_sending in (look_first, read_shared):
        work, dark = before_sending(desk, work)
        if isinstance(dark, datetime):
            put_off(desk, work, dark)
            return
        if dark is not None:
            settle(desk, replace(work, plan=replace(work.plan, changes=())), dark)
            return
    known = {h.urn: h for h in work.held}
    known |= {c.made.urn: c.holding for c in work.plan.changes if isinstance(c, Adopt)}
    size = desk.catalogue.partners[work.share.partner].chunk
    waiting = list(chunks(work.plan.changes, size))
    attempt = Attempt("unchanged")
    if work.plan.desired.wrong:
        attempt = Attempt("stopped", "our own check found mistakes in what would be sent", ("check",))
        work = taking_back(desk, work)
        waiting = list(chunks(work.plan.changes, size))
    server = desk.server(work.share.partner)
    while waiting:
        chunk = waiting.pop(0)
        bundle = transaction(chunk, {urn: f"{h.type}/{h.id}" for urn, h in known.items() if h.state != "withdrawn"})
        payload = strict_json.dump(bundle)
        if attempt.outcome != "stopped" and withheld_in(desk, work, chunk, payload):
            attempt = Attempt("stopped", "the last look found withheld content in what would be sent", ("last-look",))
            work = taking_back(desk, work)
            waiting = list(chunks(work.plan.changes, size))
            continue
        if not announce(desk, work, chunk):
            return
        sending = send(server, chunk, bundle, payload, work.request_id)
        attempt = after(attempt, sending)
        remember(desk, work, sending, known)
        if sending.attempt.outcome not in ("delivered", "existing"):
            break
    settle(desk, work, attempt)
