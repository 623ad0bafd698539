"""One subscription's turn: its endpoint is greeted, told what has happened, or given a sign of life."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapter.core import strict_json
from adapter.core.partner import Partner
from adapter.core.subscriptions import telling, theirs
from adapter.core.subscriptions.telling import Event, Stands
from adapter.core.subscriptions.theirs import Asked
from adapter.core.subscriptions.words import Kind, Status
from adapter.desk import Desk
from adapter.errors import Refused, Unavailable
from adapter.notify.happened import LAST, account, told_of
from adapter.notify.keeping import shown_status
from adapter.outward import subscriber
from adapter.outward.answer import Answer, Answered
from adapter.store import shares, subscriptions
from adapter.store.subscriptions import Subscription

ATTEMPTS = 10
"""In a row that fail, from five seconds on twice as long apart: after about an hour and a half it is in error."""
_FIRST = timedelta(seconds=5)
_SOON = timedelta(seconds=5)


def tell_next(desk: Desk) -> Subscription | None:
    """Tell the endpoint whose turn has been longest what there is to tell. None where it is nobody's turn."""
    now = desk.clock()
    with desk.store.reading() as tx:
        paused = shares.pauses_since(tx)
        among = [p.id for p in desk.catalogue.partners.values() if not p.paused and p.id not in paused]
        due = subscriptions.next_due(tx, among=among)
    if due is None or due > now:
        return None
    lease = timedelta(seconds=desk.settings.lease_seconds + theirs.LONGEST_WAIT)
    with desk.store.writing() as tx:
        held = subscriptions.claim(tx, among=among, now=now, lease=lease)
    if held is not None:
        _Turn(desk, held).work()
    return held


@dataclass(frozen=True, slots=True)
class _Turn:
    """One subscription's turn, from claim to settlement."""

    desk: Desk
    held: Subscription

    def work(self) -> None:
        held, now = self.held, self.desk.clock()
        partner = self.desk.catalogue.partners[held.partner]
        if held.status == "off" or shown_status(held, now) == "off":
            self._settle("off", due=None)
            return
        try:
            asked = theirs.read({**held.resource, "status": "requested"}, partner.release, now=now)
        except Refused:
            self._settle("error", due=None, detail="it cannot be read in the release of the partner's file")
            return
        if not theirs.may_tell(partner, asked.endpoint):
            self._settle("error", due=None, detail="its endpoint is not one that the partner may be told at")
        elif held.status == "requested":
            self._greet(partner, asked)
        elif held.status == "active":
            self._go_on(partner, asked)
        else:
            self._settle(held.status, due=held.ends)

    def _greet(self, partner: Partner, asked: Asked) -> None:
        """The handshake: what is taken makes it active, anything else an error (backport, *REST-Hook*)."""
        answer = self._post(partner, asked, "handshake", ())
        if _is_taken(answer):
            self._settle("active", due=self._rest(asked), said=True)
        else:
            self._settle("error", due=self.held.ends, detail=_why(answer))

    def _go_on(self, partner: Partner, asked: Asked) -> None:
        held = self.held
        with self.desk.store.reading() as tx:
            found = subscriptions.events(tx, held, first=held.told + 1, last=LAST, limit=asked.most)
        try:
            told = told_of(self.desk, partner.id, held, found, asked.content)
        except Unavailable:  # its view is being brought up to date: what may be told is not known yet
            self._settle("active", due=self.desk.clock() + _SOON, attempts=held.attempts)
            return
        rest = self._rest(asked)
        if not told and (not asked.heartbeat or rest is None or rest > self.desk.clock()):
            self._settle("active", due=rest)
            return
        account(self.desk, partner.id, held, found, told)
        answer = self._post(partner, asked, "event-notification" if told else "heartbeat", told)
        if _is_taken(answer):
            last = told[-1].number if told else held.told
            self._settle("active", due=self._rest(asked, self.desk.clock()), told=last, said=True)
        elif held.attempts + 1 >= ATTEMPTS:
            self._settle("error", due=held.ends, detail=_why(answer), attempts=held.attempts + 1)
        else:
            wait = _FIRST * float(2**held.attempts)
            self._settle("active", due=self.desk.clock() + wait, detail=_why(answer), attempts=held.attempts + 1)

    def _rest(self, asked: Asked, said: datetime | None = None) -> datetime | None:
        """When it is next its turn, if nothing happens: for a sign of life, or for its end."""
        since = said or self.held.said_at or self.desk.clock()
        beat = since + timedelta(seconds=asked.heartbeat) if asked.heartbeat else None
        return min((each for each in (beat, asked.ends) if each is not None), default=None)

    def _post(self, partner: Partner, asked: Asked, kind: Kind, told: Sequence[Event]) -> Answer:
        held = self.held
        # Of what is still to be told nothing is said before: who counts would take it for lost.
        number = told[-1].number if told else held.told
        url = f"{held.base}/Subscription/{held.id}"
        stands = Stands(url, held.base, partner.release, held.topic, asked.content, held.status, number)
        body = telling.notification(stands, kind, told, id_=str(uuid.uuid4()), now=self.desk.clock())
        return subscriber.post(
            asked.endpoint, strict_json.dump(body), asked.headers, timeout=asked.timeout,
            private=partner.private_addresses, trust=partner.trust.certificates,
        )  # fmt: skip

    def _settle(
        self, status: Status, *, due: datetime | None, detail: str = "", told: int | None = None, attempts: int = 0,
        said: bool = False,
    ) -> None:  # fmt: skip
        held = self.held
        with self.desk.store.writing() as tx:
            subscriptions.settle(
                tx, held, status=status, told=held.told if told is None else told, attempts=attempts, detail=detail,
                due=due, now=self.desk.clock(), said=said,
            )  # fmt: skip


def _is_taken(answer: Answer) -> bool:
    return isinstance(answer, Answered) and 200 <= answer.status < 300


def _why(answer: Answer) -> str:
    return f"HTTP {answer.status}" if isinstance(answer, Answered) else answer.reason
