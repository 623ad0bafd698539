"""Whose turn it is to be asked, and one turn: what is asked for, piece by piece, at the partner's pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from adapter import answers
from adapter.core.pace import Pace
from adapter.core.partner import ASKED as ASKED_BY
from adapter.desk import Desk
from adapter.outward.server import Server
from adapter.poll.asking import ask
from adapter.poll.parts import ask_for_parts
from adapter.poll.questions import named_in_hint, of_purges, of_referrals
from adapter.poll.round import AT_ONCE, Round
from adapter.poll.settling import settle
from adapter.store import paces, polls, shares
from adapter.store.database import Tx
from adapter.store.polls import Poll


def _polled(desk: Desk) -> list[str]:
    """The partners whose servers are asked."""
    return [
        p.id
        for p in desk.catalogue.partners.values()
        if p.referrals.answers in ASKED_BY and p.base_url and not p.paused
    ]


def next_due(desk: Desk) -> datetime | None:
    """When a partner is next to be asked; None if none is."""
    if not (among := _polled(desk)):
        return None
    with desk.store.reading() as tx:
        return min(_times(tx, among, desk.clock()).values(), default=None)


def _times(tx: Tx, partners: Sequence[str], now: datetime) -> dict[str, datetime]:
    """When each of them is to be asked: none that a person has paused, and none before it is to be called at all."""
    held, known = shares.pauses_since(tx), paces.listed(tx)
    due = polls.due(tx, among=[partner for partner in partners if partner not in held])
    return {partner: max(at, known.get(partner, Pace()).until(now) or at) for partner, at in due.items()}


def poll_next(desk: Desk) -> Poll | None:
    """Ask the partner whose turn has been longest. None where it is nobody's."""
    now = desk.clock()
    if not (among := _polled(desk)):
        return None
    with desk.store.reading() as tx:
        ready = [partner for partner, at in _times(tx, among, now).items() if at <= now]
    if not ready:
        return None
    longest = max(desk.catalogue.partners[each].timeout for each in ready)
    lease = timedelta(seconds=desk.settings.lease_seconds + longest * AT_ONCE)
    with desk.store.writing() as tx:
        poll = polls.claim(tx, among=ready, now=now, lease=lease)
    if poll is None:
        return None
    # Apart: whoever settles a share holds its partner's pace before its partner's turn to be asked.
    with desk.store.writing() as tx:
        later = paces.may_ask(tx, poll.partner, now=now, until=now + lease)
    if later is not None:
        with desk.store.writing() as tx:
            polls.put_off(tx, poll, until=later)
        return None
    _ask(desk, poll)
    return poll


def _ask(desk: Desk, poll: Poll) -> None:
    """Piece by piece, in the order of our identifiers; behind the last one where its pace has cut the round off."""
    server = desk.server(poll.partner)
    if not isinstance(server, Server):
        raise TypeError("a folder is not polled")
    with desk.store.reading() as tx:
        questions = [*of_referrals(tx, poll.partner), *of_purges(desk, tx, poll.partner)]
    hears = answers.hearing(desk.catalogue, poll.partner)
    missed = poll.hint is not None and poll.hint.missed
    # Where something was missed, all is read again, since any time.
    begun = replace(poll, since="", place="", earliest="") if missed else poll
    round_ = Round(desk, begun, server, hears, begun.place, begun.earliest)
    named = named_in_hint(desk, poll, questions)
    behind = sorted((q for q in questions if q.identifier[1] > round_.place), key=lambda q: q.identifier[1])
    asked = named or behind
    for first in range(0, len(asked), AT_ONCE):
        piece = asked[first : first + AT_ONCE]
        # What was named is asked for in one turn: it is never much.
        if not round_.may(at_once=bool(named and first)):
            break
        ask(round_, piece, "" if named else begun.since)
        if round_.outcome != "delivered":
            break
        if not named:
            round_.place = piece[-1].identifier[1]
    if desk.catalogue.partners[poll.partner].referrals.passes_on and round_.later is None:
        ask_for_parts(round_, [q for q in questions if q.part is not None])
    settle(round_, waits=bool(questions), whole=not named)
    if round_.changed:
        desk.wake.set()
