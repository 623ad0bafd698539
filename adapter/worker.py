"""Works through the shares that are due, one at a time; any number of workers may run, on any number of machines."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta

import structlog

from adapter import log, tell
from adapter.arrived import settle_all
from adapter.desk import Desk
from adapter.errors import Unavailable
from adapter.notify import tell_next as notify_next
from adapter.poll import next_due, poll_next
from adapter.reconcile import alerting, paused, reconcile_next, take_up_again
from adapter.serve import refresh
from adapter.store import paces, shares
from adapter.subscribe import next_due as next_subscribed
from adapter.subscribe import subscribe_next

Tells = Callable[[Desk], bool | None]
"""Tells one thing that is due: True if it was told, False if it could not be, None if there is nothing."""

_LONGEST_WAIT = 60.0
"""Seconds: another process may have made something due that this one was not told of."""

_FIRST_REST, _LONGEST_REST = 0.1, 5.0
"""Seconds of rest after a failure, doubled for each that follows: neither a busy loop, nor long when it is over."""
_CHECKED = 30.0
"""Seconds between two looks at whether the database is still of our version, and our clock its: with another one
nothing is worked on. Also when it was away: it may have come back as another."""
_TIDIED = 3600.0
"""Seconds between two looks for notices that are too old."""
_LAST_WORDS = 5.0
"""Seconds for whoever is telling an alert when the worker stops; what was not told then is told by another."""


def run(desk: Desk, *, once: bool = False, stop: threading.Event | None = None) -> int:
    """Reconcile until `stop` is set, or, with `once`, until nothing is due. Returns how many shares were worked on."""
    stop = stop or threading.Event()
    name = f"worker-{os.getpid()}-{secrets.token_hex(4)}"
    logger = log.logger()
    done = failures = 0
    checked = float("-inf")
    if once:
        desk.store.check()
        take_up_again(desk)
        _told(desk, tell.tidy, name, logger)
    with nullcontext() if once else _beside(desk, name):
        while not stop.is_set():
            desk.wake.clear()
            wait = 0.0
            try:
                if not once and time.monotonic() - checked > _CHECKED:
                    desk.store.check()
                    take_up_again(desk)
                    checked = time.monotonic()
                arrived, faults = settle_all(desk)
                for fault_ in faults:
                    logger.error("failed", worker=name, error=fault_)
                kept = subscribe_next(desk)
                asked = poll_next(desk)
                share = reconcile_next(desk, name)
                told = once and any(_told(desk, tells, name, logger) for tells in (*_TELLING, *_NOTIFYING))
                if share is not None:
                    done += 1
                    _serve(desk, share, logger)
                    _tell(desk, share, logger)
                elif asked is not None:
                    logger.info("polled", partner=asked.partner, attempts=asked.attempts)
                elif kept is not None:
                    logger.info("subscribed", partner=kept)
                elif once and not told:
                    return done
                elif not told and not arrived:
                    wait = _pause(desk)
                failures = 0
            except Unavailable as fault:
                # Nothing that was acknowledged is lost: what was claimed is taken over when its lease has run out.
                logger.warning("failed", worker=name, error=fault)
                if once:
                    raise
                checked = float("-inf")
                failures += 1
            except Exception as bug:  # noqa: BLE001  That share has been stopped with an alarm; the next is another's.
                logger.error("failed", worker=name, error=bug)
                failures += 1
            if failures:
                stop.wait(_rest(failures))
            elif wait:
                desk.wake.wait(wait)
    return done


@contextmanager
def _beside(desk: Desk, name: str) -> Iterator[None]:
    """Meanwhile what other processes save wakes the worker, where the database can tell; and people, the case system
    and partners' endpoints are told, by threads of their own: one that takes its time holds no share up."""
    stop = threading.Event()
    listening = threading.Thread(target=desk.store.listen, args=(desk.wake.set, stop), name="listening", daemon=True)
    at_work = [
        threading.Thread(target=_tells, args=(desk, name, stop, tells), name="telling", daemon=True)
        for tells in (_TELLING, _NOTIFYING)
    ]
    for thread in (listening, *at_work):
        thread.start()
    try:
        yield
    finally:
        stop.set()
        listening.join()
        for thread in at_work:
            thread.join(_LAST_WORDS)


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


def _tells(desk: Desk, worker: str, stop: threading.Event, telling: Sequence[Tells]) -> None:
    """Tell whom `telling` tells, beside the shares."""
    logger = log.logger()
    tidied, failures = float("-inf"), 0
    while not stop.wait(max(desk.settings.poll_seconds, _rest(failures))):
        try:
            while not stop.is_set() and any(_told(desk, tells, worker, logger) for tells in telling):
                pass
            if telling is _TELLING and time.monotonic() - tidied > _TIDIED:
                _told(desk, tell.tidy, worker, logger)
                tidied = time.monotonic()
            failures = 0
        except Unavailable as fault:
            logger.warning("failed", worker=worker, error=fault)
            failures += 1


def _rest(failures: int) -> float:
    """Seconds to rest after so many failures, one after the other."""
    return min(_FIRST_REST * 2 ** min(failures - 1, 10), _LONGEST_REST) if failures else 0.0


def _told(desk: Desk, tells: Tells, worker: str, logger: structlog.typing.FilteringBoundLogger) -> bool:
    """Tell one thing that is due, if there is one: True if it was told. Shares go on, whatever comes of it."""
    try:
        told = tells(desk)
    except Unavailable:
        raise
    except Exception as bug:  # noqa: BLE001  Its time was put off when it was claimed: it is tried again.
        logger.error("failed", worker=worker, error=bug)
        return False
    if told is False:
        logger.warning("failed", worker=worker, outcome="alert" if tells is alerting.tell_next else "notice")
    return bool(told)


def _notified(desk: Desk) -> bool | None:
    """Tell one endpoint of a partner what it asked to be told, if that is due."""
    told = notify_next(desk)
    if told is not None:
        log.logger().info("notified", partner=told.partner, attempts=told.attempts)
    return told is not None or None


_TELLING: tuple[Tells, ...] = (alerting.note_troubled, alerting.tell_next, tell.tell_next)
_NOTIFYING: tuple[Tells, ...] = (_notified,)


def _tell(desk: Desk, share: shares.Share, logger: structlog.typing.FilteringBoundLogger) -> None:
    with desk.store.reading() as tx:
        now = shares.between(tx, share.case_id, share.partner) or share
    logger.info("settled", partner=now.partner, share=now.id, outcome=now.outcome, attempts=now.attempts)
    for _ in now.alarms:
        logger.warning("alarm", partner=now.partner, share=now.id)


def _pause(desk: Desk) -> float:
    """Seconds until something is due, but no longer than a poll: another process may save a case at any time.

    Nor longer than a lease: another worker may claim and die meanwhile, and its lease then ends before we have slept
    past it by more than its own length.
    """
    with desk.store.reading() as tx:
        due = paces.next_due(tx, now=desk.clock(), skip=paused(desk))
    due = min((each for each in (due, next_due(desk), next_subscribed(desk)) if each), default=None)
    until = (due - desk.clock()) / timedelta(seconds=1) if due else _LONGEST_WAIT
    return max(0.01, min(until, desk.settings.poll_seconds, desk.settings.lease_seconds, _LONGEST_WAIT))
