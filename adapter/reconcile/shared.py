"""Before a Task that its receiver moves is written: what it says now comes home, and stays in what is written.

So of referrals, and of the request to purge: of that its answer to an earlier list is none to another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapter import answers, purging
from adapter.core.diff import Change, Create, Delete, Update, content
from adapter.core.fhir.results import place_of
from adapter.core.partner import ASKED
from adapter.core.referral.polling import cadence
from adapter.core.referral.task import THEIRS, is_of_referral, merged
from adapter.core.residue import PURGE
from adapter.desk import Desk
from adapter.outward.answer import Answered
from adapter.reconcile.looking import prolong, read_there
from adapter.reconcile.work import Attempt, Work
from adapter.store import cases, holdings, polls, referrals, subscribed
from adapter.store.database import Tx


def read_shared(desk: Desk, work: Work) -> tuple[Work, Attempt | datetime | None]:
    """The same work, with what stands at the partner in each Task of a referral that is written. An attempt, where it
    could not be read: then nothing may be sent, for it would write over an answer. A time, where it is not to be asked
    again before."""
    changes: list[Change] = []
    for change in work.plan.changes:
        if isinstance(change, Update) and change.made.theirs:
            if (dark := prolong(desk, work)) is not None:
                return work, dark
            work = replace(work, asked=True)
            found = _current(desk, work, change)
            if isinstance(found, Attempt):
                return work, found
            change = found  # noqa: PLW2901
        elif isinstance(change, Update | Delete) and _is_answered(desk, change):
            if (dark := prolong(desk, work)) is not None:
                return work, dark
            work = replace(work, asked=True)  # what follows goes at once, or it would be asked again and again
            change = _last_word(desk, work, change)  # noqa: PLW2901
        elif isinstance(change, Update | Delete) and _asks_to_purge(change):
            if (dark := prolong(desk, work)) is not None:
                return work, dark
            work = replace(work, asked=True)  # what follows goes at once, or it would be asked again and again
            change = _its_answer(desk, work, change)  # noqa: PLW2901
        changes.append(change)
    return replace(work, plan=replace(work.plan, changes=tuple(changes))), None


def follow(desk: Desk, tx: Tx, work: Work) -> None:
    """After a share is settled: what the partner now holds of referrals is followed, and asked for in its turn."""
    partner = desk.catalogue.partners[work.share.partner]
    dialect = desk.bench.dialect(partner.id)
    now = desk.clock()
    if not any(is_of_referral(made) for made in work.plan.desired.made) and "asks" not in work.stored.kept:
        return
    held = {h.urn: h for h in holdings.of_share(tx, work.share.id)}
    # As it is now: an answer may have come while the share was worked on.
    stored = cases.by_id(tx, work.stored.id) or work.stored
    identity, desired = desk.bench.identity(partner.id), work.plan.desired.made
    tracked = answers.track(tx, stored, identity, desired, held if partner.base_url else None, dialect, now=now)
    answers.end_asking(tx, stored, partner.id, held, dialect, now=now)
    waits = [each for each in tracked if not dialect.ended(each.course.state)]
    if waits and partner.referrals.answers in ASKED and partner.base_url:
        every = cadence(partner.referrals, subscribed.state(tx, partner.id))
        polls.ensure(tx, partner.id, at=now + every, now=now)


def follow_purge(desk: Desk, tx: Tx, work: Work) -> None:
    """After a share is settled: the partner is asked in its turn what has become of the request to purge."""
    partner, now = desk.catalogue.partners[work.share.partner], desk.clock()
    asks = [c.made.about for c in work.plan.changes if isinstance(c, Create | Update)]
    if PURGE not in (*asks, *(h.about for h in work.held)):
        return
    held = {h.urn: h for h in holdings.of_share(tx, work.share.id)}
    waits = purging.track(desk, tx, work.share, work.stored, held, now=now)
    if waits and partner.referrals.answers in ASKED and partner.base_url:
        every = cadence(partner.referrals, subscribed.state(tx, partner.id))
        polls.ensure(tx, partner.id, at=now + every, now=now)


def _asks_to_purge(change: Update | Delete) -> bool:
    held = change.holding
    return held.about == PURGE and held.type == "Task" and bool(held.id)


def _its_answer(desk: Desk, work: Work, change: Update | Delete) -> Update | Delete:
    """What it has answered so far comes home. It stays in what is written, if the request is the one that it answered;
    in another one its notes do. What cannot be read keeps nothing from being taken back."""
    held = change.holding
    match desk.server(work.share.partner).read(held.type, held.id, request_id=work.request_id):
        case Answered(status=200, body=body) if isinstance(body, Mapping) and _is(body, change):
            there = replace(held, version=place_of(body)[1])
            hear_purge(desk, work, body)
            if isinstance(change, Delete):
                return Delete(there)
            return Update(change.made, there, _answered_or_anew(desk, work, change, body))
        case _:
            return change


def hear_purge(desk: Desk, work: Work, task: Mapping[str, Any]) -> None:
    """What the Task that asks to purge says as it stands there now."""
    hears = answers.hearing(desk.catalogue, work.share.partner)
    with desk.store.writing() as tx:
        purging.take(tx, work.share.id, task, hears, source="there", now=desk.clock())


def _answered_or_anew(desk: Desk, work: Work, change: Update, there: Mapping[str, Any]) -> dict[str, Any]:
    with desk.store.reading() as tx:
        same = purging.is_as_asked(tx, work.share.id, content(change.made))
    return merged(change.made.resource, there, THEIRS if same else ("note",))


def _current(desk: Desk, work: Work, change: Update) -> Update | Attempt:
    held = change.holding
    task, there = read_there(desk, work, held, "reading a Task")
    if isinstance(there, Attempt):
        return there
    if there.state == "withdrawn":
        with desk.store.writing() as tx:
            holdings.save(tx, work.share.id, [there], now=work.now)
        return Attempt("conflict", "a Task was gone there")
    _bring_home(desk, work, change, task)
    resource = merged(change.made.resource, task, change.made.theirs)
    return Update(replace(change.made, resource=resource), replace(held, version=there.version))


def _is_answered(desk: Desk, change: Update | Delete) -> bool:
    """Is it a Task that this partner answers a referral by, which is taken back, or emptied?"""
    held = change.holding
    if held.type != "Task" or not held.id or not held.about.startswith("referrals/"):
        return False
    with desk.store.reading() as tx:
        return referrals.by_urn(tx, held.urn) is not None


def _last_word(desk: Desk, work: Work, change: Update | Delete) -> Update | Delete:
    """Before a Task is taken back: what its receiver had said by then comes home, and an emptied one names the version
    that it empties. What cannot be read does not keep it there."""
    held = change.holding
    match desk.server(work.share.partner).read(held.type, held.id, request_id=work.request_id):
        case Answered(status=200, body=body) if isinstance(body, Mapping) and _is(body, change):
            _bring_home(desk, work, change, body)
            return replace(change, holding=replace(held, version=place_of(body)[1]))
        case _:
            return change


def _bring_home(desk: Desk, work: Work, change: Update | Delete, body: Mapping[str, Any]) -> None:
    hears = answers.hearing(desk.catalogue, work.share.partner)
    with desk.store.writing() as tx:
        row = referrals.by_urn(tx, change.holding.urn)
        if row is not None:
            answers.take(tx, row.id, body, hears, source="there", now=desk.clock(), gaps=True)


def _is(body: Mapping[str, Any], change: Update | Delete) -> bool:
    return body.get("resourceType") == change.holding.type and body.get("id") == change.holding.id
