"""One round at one partner: how far it has come, what was learnt, and whether the next request may leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from adapter.core.fhir.outcome import of_status
from adapter.core.fhir.outcome import read as said_by
from adapter.core.referral.answer import Hearing
from adapter.core.retry import Outcome
from adapter.desk import Desk
from adapter.outward.answer import Answer, Answered, NotSent, Unknown
from adapter.outward.server import Server
from adapter.store import paces, polls
from adapter.store.polls import Poll

AT_ONCE = 20
"""Tasks that one search asks for: the address stays short enough for any server."""
UNABLE = (400, 404, 405, 422, 501)
"""How servers say that they do not know this search: then each Task is read by its id."""
SOURCE = "there"


@dataclass(slots=True)
class Round:
    """One partner's turn: how far it has come, what was learnt so far, and what went wrong first."""

    desk: Desk
    poll: Poll
    server: Server
    hears: Hearing
    place: str
    earliest: str
    outcome: Outcome = "delivered"
    detail: str = ""
    retry_after: timedelta | None = None
    changed: int = 0
    asked: int = 0
    later: datetime | None = None
    """Not to be asked on before."""

    def fail(self, answer: Answer) -> None:
        match answer:
            case Answered(status=status, body=body, retry_after=retry_after):
                said = of_status(status, said_by(body), retry_after=retry_after is not None)
                self.outcome = "unknown" if said == "delivered" else said
                self.detail, self.retry_after = f"HTTP {status}", retry_after
            case NotSent(reason):
                self.outcome, self.detail = "unavailable", reason
            case Unknown(reason):
                self.outcome, self.detail = "unknown", reason

    def told(self, until: str) -> None:
        """Up to when the partner has told of this piece, by its own clock: of all of them the earliest counts."""
        if not until or self.earliest == polls.UNTOLD:
            self.earliest = polls.UNTOLD
        else:
            self.earliest = min(self.earliest, until) if self.earliest else until

    def may(self, *, at_once: bool) -> bool:
        """One request is to leave: may it, at the pace at which the partner is called? `at_once`: what has begun is not
        left half done, and the next piece waits the longer."""
        partner, now = self.desk.catalogue.partners[self.poll.partner], self.desk.clock()
        until = now + timedelta(seconds=partner.longest)
        with self.desk.store.writing() as tx:
            later = paces.take_to_ask(tx, partner.id, now=now, until=until, rate=partner.rate, at_once=at_once)
        self.later, self.asked = later, self.asked + (later is None)
        return later is None
