"""Sends a plan, group by group, each only while the share and the case are ours; and hears what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from adapter.core import strict_json
from adapter.core.diff import Adopt, Holding
from adapter.core.fhir.bundle import Request, Sent, created, groups, request, without_theirs
from adapter.desk import Desk
from adapter.reconcile.asking import learn
from adapter.reconcile.emptying import emptied, uncorrected
from adapter.reconcile.looking import meet, told_apart
from adapter.reconcile.rereading import REFUSED, reread
from adapter.reconcile.sending import (
    WELL,
    Sending,
    after,
    announce,
    at_once,
    ends_it,
    last_look,
    remember,
    send,
    standing,
)
from adapter.reconcile.settling import put_off
from adapter.reconcile.splitting import Group, in_smaller, is_refused, one_by_one, takes_back
from adapter.reconcile.work import OF_ONE, Attempt, Work, taking_back, thing_of

Step = Literal["goes on", "ends", "is left"]
"""What is left is another's by now, or waits until the partner may be called again: nothing is settled."""


@dataclass(slots=True)
class Delivery:
    """One claim's sending, under way: what it comes to so far, what the partner is known to hold, what is left to send.

    `apart`: does each change stand alone? `follows`: what is sent next follows from a refusal, and it is of no use to
    ask for the refusal again. `lost`: the urns of what has not come to be, or is taken back: nothing may refer to it.
    `seen`: of what has been read. `stays`: what it comes to at its end because something is contested.
    """

    desk: Desk
    work: Work
    attempt: Attempt
    known: dict[str, Holding]
    waiting: list[Group]
    apart: bool
    follows: bool = False
    lost: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    stays: Attempt | None = None

    @property
    def hurried(self) -> bool:
        """What has failed in this claim is not tried again before the rest has gone out: the rest waits for no pace."""
        return self.follows or (self.apart and (self.stays is not None or self.attempt.outcome not in WELL))

    def next(self) -> list[Sent]:
        """The next group, without what refers to what has not come to be."""
        group = self.waiting.pop(0)
        chunk = standing(group, self.lost)
        self.lost |= created(group) - created(chunk)
        return chunk

    def go_apart(self, chunk: Sequence[Sent]) -> None:
        """What was refused together, and all that is left, goes entry by entry."""
        self.waiting, self.apart, self.follows = one_by_one(chunk, self.waiting), True, True


def deliver(desk: Desk, work: Work, attempt: Attempt) -> tuple[Work, Attempt] | None:
    """Send what the plan needs; None where share or case are no longer ours, or the partner is not to be called now.

    What fails ends it. Where each change stands alone, only what refers to the one that failed is left out; and what
    somebody at the partner has changed is read, and waits for a person, or is sent once more with what is theirs. What
    is taken back waits for nothing that is refused.
    """
    known = {h.urn: h for h in work.held}
    known |= {c.made.urn: c.holding for c in work.plan.changes if isinstance(c, Adopt)}
    waiting = list(groups(work.plan.changes, work.way))
    at = Delivery(desk, work, attempt, known, waiting, apart=work.way.mode != "transaction")
    step: Step = "goes on"
    while at.waiting and step == "goes on":
        step = _deliver_next(at)
    if step == "is left":
        return None
    return at.work, at.stays if at.stays and at.attempt.outcome in WELL else at.attempt


def _deliver_next(at: Delivery) -> Step:
    hurried = at.hurried
    chunk = at.next()
    met = meet(at.desk, at.work, chunk, at_once=hurried)
    if isinstance(met, datetime):
        put_off(at.desk, at.work, met)
        return "is left"
    if isinstance(met, Attempt):
        return _unclear(at, chunk, met)
    at.known |= {h.urn: h for h in met.found}
    if not (chunk := met.chunk):
        return "goes on"
    # The last look is at our own words: what a partner has written itself may go back to it whatever it says.
    asked, ours = (request(c, _places(at.known), at.work.way) for c in (chunk, without_theirs(chunk)))
    if at.attempt.outcome != "stopped" and (stop := last_look(at.work, chunk, _bytes(ours))):
        at.attempt, at.work = stop, taking_back(at.desk, at.work)
        at.waiting = list(groups(at.work.plan.changes, at.work.way))
        return "goes on"
    if not announce(at.desk, at.work, chunk, at_once=hurried or met.asked):
        return "is left"
    sending = told_apart(at.desk, at.work, send(at.desk, at.work, chunk, asked, _bytes(asked)))
    remember(at.desk, at.work, sending, at.known)
    return _heard(at, chunk, sending)


def _unclear(at: Delivery, chunk: Sequence[Sent], met: Attempt) -> Step:
    """It could not be told what is there of what would be created: that holds up nothing that is taken back."""
    if met.outcome not in OF_ONE or not (at.apart or takes_back(chunk, at.waiting)):
        at.attempt = after(at.attempt, met, apart=at.apart)
        return "ends"
    if len(chunk) > 1:
        at.go_apart(chunk)
    else:
        at.apart = at.follows = True
        at.attempt = after(at.attempt, met, apart=True)
        at.lost |= created(chunk)
    return "goes on"


def _heard(at: Delivery, chunk: Sequence[Sent], sending: Sending) -> Step:
    """What became of it, and what follows from that."""
    if (at.apart or len(chunk) == 1) and not sending.loose:
        sending = _made_up_for(at, sending)
    if smaller := in_smaller(sending, chunk, at.waiting, at.work.way):
        at.waiting, at.follows = smaller, True
        return "goes on"
    before, at.attempt = at.attempt, after(at.attempt, sending.attempt, apart=at.apart)
    at.work = replace(at.work, asked=False)  # what has been sent stays: the rest may go another time
    learn(at.desk, at.work, sending.shown)
    failed = created(r.change for r in sending.results if r.outcome not in WELL)
    if any(r.outcome in REFUSED for r in sending.results) and not sending.loose:
        there = reread(at.desk, at.work, sending, at.known, at.seen)
        at.seen |= {thing_of(change).urn for change in chunk}
        at.stays = there.stays or at.stays
        at.attempt = after(before, there.attempt, apart=at.apart) if there.attempt else before
        if there.again:
            at.waiting.insert(0, there.again)
            at.follows = True
            failed -= created(there.again)
        ends = there.attempt is not None and not at.apart
    else:
        ends = ends_it(sending, at.apart)
    if ends and not at.apart and is_refused(sending, chunk) and takes_back(chunk, at.waiting):
        at.attempt = before
        at.go_apart(chunk)
        return "goes on"
    if ends:
        at.attempt = at_once(at.attempt) if sending.loose else at.attempt
        return "ends"
    at.lost |= failed
    return "goes on"


def _made_up_for(at: Delivery, sending: Sending) -> Sending:
    """The same without what was refused to be deleted or to be told less: it is emptied, or taken back, instead."""
    sending, stubs = emptied(at.desk, at.work, sending)
    deletes = uncorrected(at.work, sending)
    at.lost |= {delete.holding.urn for delete in deletes}
    at.waiting = [*stubs, *at.waiting, *((delete,) for delete in deletes)]
    at.follows = at.follows or bool(stubs or deletes)
    at.apart = at.apart or bool(deletes)
    return sending


def _places(known: Mapping[str, Holding]) -> dict[str, str]:
    return {urn: f"{held.type}/{held.id}" for urn, held in known.items() if held.state != "withdrawn"}


def _bytes(asked: Request) -> bytes:
    return b"" if asked.body is None else strict_json.dump(asked.body)
