"""The agency's case system is told what has happened, in order, until it has taken it; or it asks for it itself.

What is told of is written with what has happened (store/notices.py), and told afterwards, at least once: the same
notice has the same id each time. One that is not taken is tried again for 96 hours, and holds up those behind it; then
they wait for a person, who is alerted. Nothing else waits for any of this.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from adapter.core import notice as notices_of
from adapter.core.asked import an_object, unknown
from adapter.core.notice import KEPT, Notice
from adapter.core.retry import TryAgain, next_step
from adapter.core.strict_json import dump
from adapter.desk import Desk
from adapter.errors import Conflict, Problem, Refused
from adapter.store import alerts, cases, notices
from adapter.store.database import Tx
from adapter.store.notices import Standing, Turn

_LEASE = timedelta(minutes=1)
"""For one request, which is over after 15 seconds; then another worker tries."""
NOBODY = "case-system"
"""Stands in an alert where a partner is named."""


def tell_next(desk: Desk) -> bool | None:
    """Tell the case system of the next notice that is due: True if it took it, False if not; None where none is."""
    if desk.case_system is None:
        return None
    with desk.store.reading() as tx:
        if not notices.is_due(tx, now=desk.clock()):
            return None
    _number(desk)
    with desk.store.writing() as tx:
        turn = notices.claim(tx, now=desk.clock(), lease=_LEASE)
    if turn is None:
        return None
    taken = desk.case_system(turn.notice.id, dump(notices_of.told(turn.notice, desk.settings.public_url)))
    with desk.store.writing() as tx:
        if taken.done:
            notices.told(tx, turn)
        else:
            _not_taken(desk, tx, turn, taken.retry_after, gone=taken.gone)
    return taken.done


def _not_taken(desk: Desk, tx: Tx, turn: Turn, retry_after: timedelta | None, *, gone: bool) -> None:
    now = desk.clock()
    step = next_step(
        "rejected" if gone else "unavailable",
        attempts=turn.attempts + 1,
        failing_since=turn.failing_since,
        now=now,
        jitter=secrets.randbelow(1_000_000) / 1_000_000,
        retry_after=retry_after,
    )
    if isinstance(step, TryAgain):
        notices.put_off(tx, turn, until=step.at, now=now)
    elif notices.stop(tx, turn):
        every = timedelta(minutes=desk.settings.alerts.every_minutes)
        alerts.note(tx, desk.ways, "untold", NOBODY, share=None, outcome="gave up", now=now, every=every)


def tidy(desk: Desk) -> None:
    """Let go of notices that are older than 30 days and were told; or, where nobody is told, of all that are."""
    _number(desk)
    with desk.store.writing() as tx:
        notices.forget(tx, before=desk.clock() - KEPT, untold=desk.case_system is None)


def listed(desk: Desk, *, after: int, limit: int) -> dict[str, Any]:
    """`{"notices": […], "next", "telling"}`: those behind number `after`, oldest first, with what they are about.

    `next`: the number behind which the next page begins, and behind which is to be asked next time.
    """
    _number(desk)
    with desk.store.reading() as tx:
        found = notices.listed(tx, after=after, limit=limit)
        rows = [notices_of.listed(each, _number_of(tx, each)) for each in found]
        stands = notices.standing(tx)
    next_ = found[-1].number if found else after
    return {"notices": rows, "next": next_, "telling": _telling(desk, stands)}


def replay(desk: Desk, body: bytes) -> dict[str, Any]:
    """`{"after": N}`: tell everything behind this number once more; without it, go on where telling had stopped.

    Each has the id that it had. Conflict: nobody is told, no webhook is configured.
    """
    given = an_object(body) if body else {}
    found = unknown(given, ("after",))
    after = given.get("after")
    if "after" in given and (isinstance(after, bool) or not isinstance(after, int) or not 0 <= after < 2**62):
        found.append(Problem("/after", "must be the number of a notice, or 0"))
    if found:
        raise Refused("The request breaks rules; nothing was done.", sorted(found))
    if desk.case_system is None:
        raise Conflict("No webhook of a case system is configured: [case_system] in adapter.toml.")
    with desk.store.writing() as tx:
        stands = notices.standing(tx)
        stands = notices.again(tx, after=stands.told if after is None else after)
    desk.wake.set()
    return {"telling": _telling(desk, stands)}


def trial(desk: Desk) -> bool | None:
    """Tell the case system that this is a trial: was it taken? None: no webhook is configured."""
    if desk.case_system is None:
        return None
    now = desk.clock()
    return desk.case_system(f"msg_trial_{secrets.token_hex(8)}", dump(notices_of.trial(now))).done


def _number(desk: Desk) -> None:
    with desk.store.reading() as tx:
        if not notices.is_unnumbered(tx):
            return
    with desk.store.writing() as tx:
        notices.number(tx)


def _number_of(tx: Tx, notice: Notice) -> str | None:
    stored = cases.by_id(tx, notice.about["case"]) if "case" in notice.about else None
    return stored.number if stored else None


def _telling(desk: Desk, stands: Standing) -> dict[str, Any]:
    return {
        "configured": desk.case_system is not None,
        "told": stands.told,
        "waiting": stands.numbered - stands.told,
        "stopped": stands.stopped,
        "failing_since": _iso(stands.failing_since),
        "next_try": _iso(stands.due),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
