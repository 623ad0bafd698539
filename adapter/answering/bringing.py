"""Brings each Task to the answer of now: one transaction to a case and a partner."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from adapter.answering.finding import answered_on
from adapter.answering.hearing import hear
from adapter.answering.incoming import SLOT, Incoming, adopted, keep_outcome
from adapter.answering.moving import answer
from adapter.answering.taking_back import take_back
from adapter.core.identity import Key
from adapter.core.referral import inward
from adapter.core.referral import kept as outcomes
from adapter.core.referral.inward import Inward
from adapter.core.referral.reply import reply
from adapter.desk import Desk
from adapter.errors import Unavailable
from adapter.store import cases, referrals, resources, shares
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.resources import Received


def bring_all(desk: Desk, number: str) -> None:
    """Let the answers to all referrals of this case that came in be those of now, once it is saved. Where the database
    cannot be had now, the worker does it: the shares are due."""
    with desk.store.reading() as tx:
        stored = cases.get(tx, number)
    try:
        if stored is not None:
            for partner in _senders(stored):
                bring(desk, stored.id, partner)
    except Unavailable:
        desk.wake.set()


def bring(desk: Desk, case_id: str, partner: str) -> None:
    """Let what this partner reads of the answers to its referrals, in this case, be that of now."""
    whom = desk.catalogue.partners.get(partner)
    with desk.store.reading() as tx:
        known = cases.by_id(tx, case_id)
    if whom is None or whom.paused or known is None or not adopted(known, partner):
        return
    with desk.store.writing() as tx:
        # In this order always, as whoever writes in the world does: it first, then the case.
        resources.alone(tx, partner)
        stored = cases.get(tx, known.number)
        if stored is None or stored.deleted or shares.paused(tx, partner):
            return
        for path in sorted(adopted(stored, partner)):
            _bring(desk, tx, stored.number, path, partner)


def _senders(stored: StoredCase) -> list[str]:
    return sorted({str(each["partner"]) for each in adopted(stored).values()})


def _bring(desk: Desk, tx: Tx, number: str, path: str, partner: str) -> None:
    now, stored = desk.clock(), cases.get(tx, number)
    if stored is None:
        return
    request = _request(tx, stored.kept["arrived"][path])
    if not request:
        return
    record = next(r for r in stored.body["referrals"] if f"referrals/{r['id']}" == path)
    urn = desk.bench.identity(partner).urn(Key(number, path, "Task", SLOT))
    before = referrals.received(tx, stored.id, partner, urn, path, Inward(request=request), now=now)
    at = Incoming(desk, tx, stored, record, before, desk.bench.dialect(partner), now, secrets.token_hex(16))
    if at.known.request != request:
        at.note(request=request, task="", made=False, heard="")
    if _elsewhere(at):
        at.note(held="twice", because="")
        if at.row != before:
            referrals.save(tx, at.row, is_open=True, now=now)
        return
    wanted = reply(desk.bench, stored.body, stored.kept, path, partner, now, at.dialect)
    task = answered_on(at, wanted)
    if task is not None:
        hear(at, task)
        take_back(at, _again(at, task), wanted)
        answer(at, _again(at, task), wanted)
    else:
        take_back(at, None, wanted)
    if at.row != before:
        referrals.save(tx, at.row, is_open=not at.dialect.ended(at.row.course.state), now=now)
    keep_outcome(tx, stored, outcomes.ended(stored.kept, path, at.row.course, outcomes.other(record)), now)


def _request(tx: Tx, came: Mapping[str, Any]) -> str:
    """The id of the ServiceRequest that it was adopted from; empty where it is from none."""
    names = [f"{came['type']}/{came['id']}", *came.get("also", ())]
    for name in names:
        if name.startswith("ServiceRequest/"):
            return str(name.partition("/")[2])
    for name in names:
        task = resources.read(tx, came["partner"], *name.split("/", 1)) if name.startswith("Task/") else None
        for type_, id_ in inward.about(task.body) if task is not None else ():
            if type_ == "ServiceRequest":
                return id_
    return ""


def _elsewhere(at: Incoming) -> bool:
    """Is the same request answered already as another referral, of this case or another one? Two would gainsay each
    other on one Task."""
    if at.known.task:
        return False
    for other in referrals.came_as(at.tx, at.row.partner, "ServiceRequest", at.known.request):
        known = cases.by_id(at.tx, other.case_id) if other.urn != at.row.urn else None
        answers = other.inward is not None and bool(other.inward.task)
        if known is not None and not known.deleted and answers and other.path in adopted(known, at.row.partner):
            return True
    return False


def _again(at: Incoming, task: Received) -> Received:
    return resources.read(at.tx, at.row.partner, "Task", task.id) or task
