"""Keeps one subscription at the server of each partner whose file asks for that, and takes its notifications.

A level, as everything here: made where there is none, renewed before its end, made anew where it is gone or in error,
taken away where the file asks no longer. What is told by it is a hint to ask (poll/), and nothing else; what is not
told is found by its numbers, and by asking now and then all the same (exchange.md, *Warm referrals*).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from adapter.core import strict_json
from adapter.core.fhir.abilities import read as read_statement
from adapter.core.fhir.outcome import GONE
from adapter.core.partner import Partner
from adapter.core.referral.polling import cadence
from adapter.core.subscriptions import notices, ours
from adapter.core.subscriptions.ours import Wanted
from adapter.desk import Desk
from adapter.errors import AdapterError
from adapter.outward.answer import Answer, Answered, NotSent, Unknown
from adapter.outward.server import Server
from adapter.store import abilities, polls, shares, subscribed
from adapter.store.database import Tx
from adapter.store.polls import Hint
from adapter.store.subscribed import UNWANTED, Subscribed

PATH = "/notify"
LARGEST = 200_000
"""Bytes of a notification that are read; what is longer is a hint without content."""
UNABLE = (400, 404, 405, 409, 410, 422, 501)
"""How servers say that they take no such subscription: it is tried again after a day."""
_DAY = timedelta(days=1)
_MOST_OTHERS = 5
_REQUESTS = 8 + _MOST_OTHERS
"""That one turn may take: what a lease is long enough for."""


def asking(desk: Desk) -> dict[str, Partner]:
    """The partners at whose servers one is wanted: their files say so, and we have an address to be told at."""
    if not desk.settings.public_url:
        return {}
    every = desk.catalogue.partners.values()
    return {p.id: p for p in every if p.referrals.answers == "subscription" and p.base_url}


def next_due(desk: Desk) -> datetime | None:
    """When one is next to be looked at; None if there is none."""
    rows, among = _standing(desk)
    return min((row.due for partner, row in rows.items() if partner in among and row.due is not None), default=None)


def subscribe_next(desk: Desk) -> str | None:
    """Look after the subscription whose turn has been longest. The partner; None where it is nobody's turn."""
    rows, among = _standing(desk)
    changed = _note(desk, rows)
    now = desk.clock()
    due = [row.due for partner, row in rows.items() if partner in among and row.due is not None]
    if not among or not (changed or (due and min(due) <= now)):
        return None
    longest = max(desk.catalogue.partners[each].timeout for each in among)
    lease = timedelta(seconds=desk.settings.lease_seconds + longest * _REQUESTS)
    with desk.store.writing() as tx:
        held = subscribed.claim(tx, among=among, now=now, lease=lease)
    if held is None:
        return None
    turn = _Turn(desk, held)
    if held.partner in asking(desk):
        turn.keep()
    else:
        turn.end()
    desk.wake.set()
    return held.partner


def heard(desk: Desk, mark: str, secret: str, body: bytes, *, task: str = "") -> bool:
    """A request came to our endpoint. False: it shows no secret that we gave out; then nothing was looked at.

    `body` is b"" where there is none, or more than is read; `task`: the id that the address names.
    """
    with desk.store.reading() as tx:
        known = [p for p in asking(desk) if hmac.compare_digest(_mark(tx, p).encode(), mark.encode("utf-8", "replace"))]
        if not known or not subscribed.is_shown(tx, known[0], secret):
            return False
    partner, notice, now = desk.catalogue.partners[known[0]], _read(body, task), desk.clock()
    soonest = timedelta(seconds=partner.referrals.soonest)
    with desk.store.writing() as tx:
        before = subscribed.held(tx, partner.id)
        if before is None:
            return False
        seen, found = notices.counted(before.seen, notice)
        look_at = now + soonest if notice.failing else None
        subscribed.count(tx, before, seen, found, look_at=look_at, now=now)
        lost = notice.failing or found in ("missed", "restarted")
        if lost or notice.kind in ("event-notification", "plain"):
            told = Hint(missed=True) if lost else Hint(notice.tasks)
            polls.hint(tx, partner.id, told, soonest=soonest, now=now)
    desk.wake.set()
    return True


def endpoint(desk: Desk, partner: str) -> str:
    """Where the server of this partner is to tell us: an address of its own, which says nothing of whose it is."""
    with desk.store.reading() as tx:
        return f"{desk.settings.public_url}{PATH}/{_mark(tx, partner)}"


def _mark(tx: Tx, partner: str) -> str:
    return tx.seal.index("subscribed.mark", partner).hex()[:32]


def _read(body: bytes, task: str) -> notices.Notice:
    if not body:
        return notices.read(None, task=task)
    try:
        return notices.read(strict_json.parse(body, max_bytes=LARGEST), task=task)
    except AdapterError:
        return notices.PLAIN


def _standing(desk: Desk) -> tuple[dict[str, Subscribed], list[str]]:
    """How ours stand, and the partners that may be called, those too whose subscription is to be taken away."""
    with desk.store.reading() as tx:
        rows, held = subscribed.listed(tx), shares.pauses_since(tx)
    every = desk.catalogue.partners.values()
    return rows, [p.id for p in every if p.base_url and not p.paused and p.id not in held]


def _note(desk: Desk, rows: Mapping[str, Subscribed]) -> bool:
    """Let there be a row for each that is wanted; and those that the files ask for no longer, or elsewhere, be due. Is
    there news of that kind?"""
    wanted = asking(desk)
    absent = wanted.keys() - rows.keys()
    over = [p for p, row in rows.items() if p in desk.catalogue.partners and p not in wanted and row.state != UNWANTED]
    moved = [p for p, row in rows.items() if p in wanted and row.address != _address(wanted[p])]
    if not (absent or over or moved):
        return False
    with desk.store.writing() as tx:
        now = desk.clock()
        for partner in sorted(absent):
            subscribed.ensure(tx, partner, _address(wanted[partner]), now=now)
        for partner in over:
            subscribed.unwanted(tx, partner, now=now)
        for partner in moved:
            subscribed.elsewhere(tx, partner, _address(wanted[partner]), now=now)
    return True


def _address(partner: Partner) -> str:
    return f"{partner.release} {partner.base_url}"


class _Turn:
    """One look at one partner's, from claim to settlement."""

    def __init__(self, desk: Desk, held: Subscribed) -> None:
        self._desk, self._held = desk, held
        self._partner = desk.catalogue.partners[held.partner]
        server = desk.server(held.partner)
        if not isinstance(server, Server):
            raise TypeError("a folder has no subscriptions")
        self._server = server
        self._id = held.id

    def keep(self) -> None:
        """Let there be one, as it should be."""
        wanted = self._wanted()
        if self._partner.release == "R5" and not wanted.topic:
            self._settle("unsupported", detail="no topic is named or stated", wait=_DAY, attempts=0)
        elif not self._id:
            self._make(wanted)
        else:
            match self._server.read("Subscription", self._id):
                case Answered(status=200, body=body):
                    self._found(wanted, body)
                case Answered(status=status) if status in GONE:
                    self._make(wanted)
                case answer:
                    self._fail(answer)

    def end(self) -> None:
        """Let there be none."""
        answer = self._server.unsubscribe(self._id) if self._id else None
        if answer is None or (isinstance(answer, Answered) and (answer.status in GONE or 200 <= answer.status < 300)):
            with self._desk.store.writing() as tx:
                subscribed.forget(tx, self._held)
        else:
            self._fail(answer, state=UNWANTED)

    def _found(self, wanted: Wanted, body: object) -> None:
        held, now = self._held, self._desk.clock()
        known = held.state in ("active", "requested")
        match ours.standing(body, wanted, now=now):
            case "active" if known and held.ends is not None and held.ends - now > ours.RENEWED:
                self._settle("active", wait=min(ours.LOOK, held.ends - ours.RENEWED - now), attempts=0)
            case "active":  # after a write of which no answer came it is not known which secret it has
                self._write(wanted, lost=not known)
            case "waits" if held.state == "requested" and held.since and now - held.since < ours.PATIENCE:
                self._settle("requested", wait=ours.next_look(attempts=held.attempts), attempts=held.attempts + 1)
            case _:
                self._write(wanted, lost=True)

    def _make(self, wanted: Wanted) -> None:
        """Make one, and take away whatever else tells us there: what we made, and never knew to be made."""
        self._id = ""
        found = self._server.subscriptions(wanted.endpoint)
        away = isinstance(found, Answered) and found.status >= 500 and found.status not in UNABLE
        if not isinstance(found, Answered) or found.status in (401, 403, 429) or away:
            self._fail(found)
            return
        there = ours.found_there(found.body, wanted.endpoint) if found.status == 200 else []
        for other in there[:_MOST_OTHERS]:
            self._server.unsubscribe(other)
        self._write(wanted, lost=True)

    def _write(self, wanted: Wanted, *, lost: bool) -> None:
        """Make it, or renew the one that is there, with a secret of its own. `lost`: not all may have been told."""
        secret = secrets.token_urlsafe(32)
        with self._desk.store.writing() as tx:
            if not subscribed.expect(tx, self._held, secret):
                return
        body = strict_json.dump(ours.resource(replace(wanted, secret=secret)) | ({"id": self._id} if self._id else {}))
        answer = self._server.subscribe(body, id_=self._id)
        if isinstance(answer, Answered) and answer.status in UNABLE and self._id:
            self._server.unsubscribe(self._id)  # one that cannot be renewed is made anew
            self._make(wanted)
        elif isinstance(answer, Answered) and answer.status in (200, 201):
            self._written(wanted, answer, lost)
        elif isinstance(answer, Answered) and answer.status in UNABLE:
            self._settle("unsupported", detail=f"HTTP {answer.status}", wait=_DAY, attempts=0)
        else:
            self._fail(answer)

    def _written(self, wanted: Wanted, answer: Answered, lost: bool) -> None:
        begun = not self._id
        self._id = ours.id_of(answer.body, answer.headers.get("location", "")) or self._id
        if not self._id:
            self._fail(answer)
            return
        state = "active" if ours.standing(answer.body, wanted, now=self._desk.clock()) == "active" else "requested"
        self._settle(
            state, wait=ours.next_look(attempts=0), attempts=1, ends=wanted.ends, written=True, begun=begun, lost=lost
        )

    def _fail(self, answer: Answer, *, state: str = "unreachable") -> None:
        after: timedelta | None = None
        match answer:
            case Answered(status=status, retry_after=after):
                detail = f"HTTP {status}"
            case NotSent(reason) | Unknown(reason):
                detail = reason
        attempts = self._held.attempts + 1
        wait = max(ours.next_look(attempts=attempts), min(after or timedelta(0), _DAY))
        self._settle(state, detail=detail, wait=wait, attempts=attempts)

    def _settle(
        self, state: str, *, wait: timedelta, attempts: int, detail: str = "", ends: datetime | None = None,
        written: bool = False, begun: bool = False, lost: bool = False,
    ) -> None:  # fmt: skip
        now = self._desk.clock()
        with self._desk.store.writing() as tx:
            kept = subscribed.settle(
                tx, self._held, id=self._id, state=state, detail=detail,
                ends=ends or self._held.ends, attempts=attempts, due=now + wait, now=now, written=written, begun=begun,
            )  # fmt: skip
            if kept and lost:
                soonest = timedelta(seconds=self._partner.referrals.soonest)
                polls.hint(tx, self._held.partner, Hint(missed=True), soonest=soonest, now=now)
            if kept and state != "active":
                polls.at_latest(tx, self._held.partner, now + cadence(self._partner.referrals, state), now=now)

    def _stated(self) -> tuple[str, ...]:
        """The topics that its server states; it is asked where nobody has asked it yet."""
        with self._desk.store.reading() as tx:
            known = abilities.known(tx, self._partner)
        if known is not None:
            return known.told.topics if known.told is not None else ()
        answer = self._server.capability()
        told = read_statement(answer.body) if isinstance(answer, Answered) and answer.status == 200 else None
        return told.topics if told is not None else ()

    def _wanted(self) -> Wanted:
        rules = self._partner.referrals
        topic = rules.topic or ours.topic_of("", self._stated())
        system = self._desk.bench.identity(self._partner.id).system
        return Wanted(
            self._partner.release,
            endpoint(self._desk, self._partner.id),
            ours.criteria_of(rules.criteria, system, topic),
            topic,
            self._desk.clock() + ours.LASTS,
        )
