"""One share: view, map, check, diff, gather, account, send, settle; until the copy equals what consent allows now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from adapter import answering
from adapter.arrived import settle_case
from adapter.core.doubt import lost_from_sight
from adapter.desk import Desk
from adapter.errors import Unavailable
from adapter.reconcile.alerting import note_stop
from adapter.reconcile.asking import knowing
from adapter.reconcile.delivering import deliver
from adapter.reconcile.lease import held, lease
from adapter.reconcile.looking import look_first
from adapter.reconcile.matching import match_first
from adapter.reconcile.sending import WELL
from adapter.reconcile.settling import gathers, put_off, settle, stay_stopped
from adapter.reconcile.shared import read_shared
from adapter.reconcile.work import Attempt, Work, fingerprint, going_all_the_same, read_work, taking_back
from adapter.store import paces, shares
from adapter.store.shares import Share

_NOT_CONFIGURED = "the partner is not configured any more"


def take_up_again(desk: Desk) -> None:
    """A partner whose file is back has its shares looked at: what was to be taken back meanwhile is there still."""
    with desk.store.reading() as tx:
        found = shares.left(tx, desk.catalogue.partners, why=_NOT_CONFIGURED)
    if found:
        with desk.store.writing() as tx:
            shares.take_up(tx, desk.catalogue.partners, why=_NOT_CONFIGURED, now=desk.clock())


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
            shares.stop(tx, share, outcome="stopped", detail=_NOT_CONFIGURED, now=now)
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
        wanted = {made.urn for made in work.plan.desired.made}
        stays = bool(share.refused) and share.refused == fingerprint(tx, work.plan)
        stays = stays and not lost_from_sight(work.held, wanted, work.now)
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
    if done := deliver(desk, work, attempt):
        work, attempt = done
        settle(desk, work, dark if dark is not None and attempt.outcome in WELL else attempt)
