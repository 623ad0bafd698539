"""Works through the shares that are due, one at a time; any number of workers may run, on any number of machines."""

from __future__ import annotations

import secrets
import threading
from datetime import timedelta

import structlog

from adapter import log
from adapter.desk import Desk
from adapter.errors import Unavailable
from adapter.poll import next_due, poll_next
from adapter.reconcile import paused, reconcile_next
from adapter.reconcile.alerting import tell_next
from adapter.serve import refresh
from adapter.store import paces, shares

_LONGEST_WAIT = 60.0
"""Seconds: another process may have made something due that this one was not told of."""

_LAST_WORDS = 5.0
"""Seconds for whoever is telling an alert when the worker stops; what was not told then is told by another."""


def run(desk: Desk, *, once: bool = False, stop: threading.Event | None = None) -> int:
    """Reconcile until `stop` is set, or, with `once`, until nothing is due. Returns how many shares were worked on."""
    stop = stop or threading.Event()
    name = f"worker-{secrets.token_hex(4)}"
    logger = log.logger()
    done = 0
    teller = None if once or not desk.ways else threading.Thread(target=_tells, args=(desk, name, stop), daemon=True)
    if teller is not None:
        teller.start()
    while not stop.is_set():
        desk.wake.clear()
        try:
            asked = poll_next(desk)
            share = reconcile_next(desk, name)
        except Unavailable as fault:
            # Nothing that was acknowledged is lost: what was claimed is taken over when its lease has run out.
            logger.warning("failed", worker=name, error=fault)
            if once:
                raise
            stop.wait(desk.settings.poll_seconds)
            continue
        except Exception as bug:  # noqa: BLE001  That share has been stopped with an alarm; the next one is another's.
            logger.error("failed", worker=name, error=bug)
            continue
        told = once and _tell_people(desk, name, logger)
        if share is not None:
            done += 1
            _serve(desk, share, logger)
            _tell(desk, share, logger)
        elif asked is not None:
            logger.info("polled", partner=asked.partner, attempts=asked.attempts)
        elif told:
            continue
        elif once:
            return done
        else:
            desk.wake.wait(_pause(desk))
    if teller is not None:
        teller.join(_LAST_WORDS)
    return done


def _serve(desk: Desk, share: shares.Share, logger: structlog.typing.FilteringBoundLogger) -> None:
    """Let the view that its partner may read here be the one of now, before it asks."""
    partner = desk.catalogue.partners.get(share.partner)
    if partner is None or not partner.reads:
        return
    try:
        fault = refresh(desk, share.partner, share.case_id)
    except Unavailable as unavailable:
        logger.warning("failed", worker="", error=unavailable)  # until it is brought up to date, nothing is answered
        return
    if fault:
        logger.warning("alarm", partner=share.partner, share=share.id)


def _tells(desk: Desk, worker: str, stop: threading.Event) -> None:
    """Tell people of what waits for them, beside the shares: a mail server that takes its time holds none up."""
    logger = log.logger()
    while not stop.wait(desk.settings.poll_seconds):
        while not stop.is_set() and _tell_people(desk, worker, logger):
            pass


def _tell_people(desk: Desk, worker: str, logger: structlog.typing.FilteringBoundLogger) -> bool:
    """Tell one alert that is due, if there is one: True if it was told. Shares go on, whatever comes of it."""
    try:
        told = tell_next(desk)
    except Unavailable as fault:
        logger.warning("failed", worker=worker, error=fault)
        return False
    except Exception as bug:  # noqa: BLE001  Its time was put off when it was claimed: it is tried again.
        logger.error("failed", worker=worker, error=bug)
        return False
    if told is False:
        logger.warning("failed", worker=worker, outcome="alert")
    return bool(told)


def _tell(desk: Desk, share: shares.Share, logger: structlog.typing.FilteringBoundLogger) -> None:
    with desk.store.reading() as tx:
        now = next((s for s in shares.of_case(tx, share.case_id) if s.id == share.id), share)
    logger.info("settled", partner=now.partner, share=now.id, outcome=now.outcome, attempts=now.attempts)
    for _ in now.alarms:
        logger.warning("alarm", partner=now.partner, share=now.id)


def _pause(desk: Desk) -> float:
    """Seconds until something is due, but no longer than a poll: another process may save a case at any time."""
    with desk.store.reading() as tx:
        due = paces.next_due(tx, now=desk.clock(), skip=paused(desk))
    answers = next_due(desk)
    due = min(due, answers) if due and answers else due or answers
    until = (due - desk.clock()) / timedelta(seconds=1) if due else _LONGEST_WAIT
    return max(0.01, min(until, desk.settings.poll_seconds, _LONGEST_WAIT))
