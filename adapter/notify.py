"""Partners' subscriptions at our /fhir: keep them, say how they stand, and tell their endpoints what has changed.

Told are ids, of what the partner may read at that moment, and numbers; never a resource. What may not be seen makes no
event (store/resources.py): neither how many there are nor when they come says anything of it. Ids that the partner was
never told of before are entered into the account of their case before they leave (consent.md, *Accounting*).
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from adapter import serve
from adapter.core import strict_json
from adapter.core.account.chain import Line
from adapter.core.fhir import models
from adapter.core.fhir.instants import instant
from adapter.core.partner import Partner
from adapter.core.subscriptions import telling, theirs, words
from adapter.core.subscriptions.telling import Event, Stands
from adapter.core.subscriptions.theirs import Asked
from adapter.core.subscriptions.words import Kind, Status
from adapter.desk import Desk
from adapter.errors import NotFound, PreconditionFailed, Problem, Refused, TooLarge, Unavailable
from adapter.outward import subscriber
from adapter.outward.answer import Answer, Answered
from adapter.receive.body import resource_of
from adapter.receive.checks import not_permitted, version_of
from adapter.receive.world import World
from adapter.store import disclosures, resources, shares, subscriptions, views
from adapter.store.database import Tx
from adapter.store.subscriptions import Happened, Subscription

MOST = 10
"""Subscriptions of one partner."""
LARGEST = 60_000
"""Bytes of one: it is read each time that something changes."""
ATTEMPTS = 10
"""In a row that fail, from five seconds on twice as long apart: after about an hour and a half it is in error."""
_FIRST = timedelta(seconds=5)
_SOON = timedelta(seconds=5)
_ALL = 2**31 - 1


def ask(desk: Desk, world: World, body: bytes) -> Subscription:
    """A partner asks to be told. Refused: every rule that it breaks."""
    resource, asked = _asked(desk, world, body, None)
    with desk.store.writing() as tx:
        resources.alone(tx, world.partner)
        if len(subscriptions.of_partner(tx, world.partner)) >= MOST:
            raise Refused(f"At most {MOST} subscriptions of one partner are kept: delete one that is not needed.")
        made = subscriptions.create(
            tx, str(uuid.uuid4()), world.partner, resource, asked=asked, base=world.base, now=world.now
        )
    desk.wake.set()
    return made


def ask_again(desk: Desk, world: World, id_: str, body: bytes, *, if_match: str | None = None) -> Subscription:
    """A partner asks for something else, or for the same again after an error: it is greeted anew."""
    with desk.store.reading() as tx:
        before = _there(tx, world, id_)
    resource, asked = _asked(desk, world, body, before)
    if resource.get("id", id_) != id_:
        raise Refused("The Subscription is another one.", [Problem("/id", "must be the id of the URL")])
    with desk.store.writing() as tx:
        current = _there(tx, world, id_)
        stated = version_of(if_match) if if_match is not None else current.version
        if stated != current.version and if_match != "*":
            raise PreconditionFailed("The current version is another one.")
        changed = subscriptions.replace(tx, current, resource, asked=asked, base=world.base, now=world.now)
    desk.wake.set()
    return changed


def read(desk: Desk, world: World, id_: str) -> Subscription:
    """One of the partner's own. NotFound for everything else."""
    _permit(world, "r")
    with desk.store.reading() as tx:
        return _there(tx, world, id_)


def listed(desk: Desk, world: World, *, url: Sequence[str] = (), status: Sequence[str] = ()) -> list[Subscription]:
    """The partner's own; those that are told at one of these addresses, and stand so, where that is asked."""
    _permit(world, "s")
    with desk.store.reading() as tx:
        every = subscriptions.of_partner(tx, world.partner)
    return [
        one
        for one in every
        if (not url or theirs.endpoint_of(one.resource) in url)
        and (not status or shown_status(one, world.now) in status)
    ]


def delete(desk: Desk, world: World, id_: str) -> None:
    """It is gone; nothing is told any more. Deleting what is not there is no error."""
    _permit(world, "d")
    with desk.store.writing() as tx:
        subscriptions.delete(tx, world.partner, id_)


def shown(one: Subscription, world: World) -> dict[str, Any]:
    """The resource as it is read: the state is ours, and secrets stand in it nowhere."""
    body = {**theirs.hidden(one.resource), "id": one.id, "status": shown_status(one, world.now)}
    meta = {"versionId": str(one.version), "lastUpdated": instant(one.updated_at)}
    stated = {k: v for k, v in (body.get("meta") or {}).items() if k not in meta}
    return {**body, "meta": {**meta, **stated}} | ({"error": one.detail} if _tells_error(one, world) else {})


def shown_status(one: Subscription, now: datetime) -> Status:
    """As it stands now: one whose end has passed is off, whether or not a worker has come by."""
    return "off" if one.ends is not None and one.ends <= now else one.status


def status(desk: Desk, world: World, one: Subscription) -> dict[str, Any]:
    """`$status` of one."""
    return telling.status(_stands(one, world.base, world), "query-status", id_=str(uuid.uuid4()))


def events(desk: Desk, world: World, id_: str, *, since: int, until: int) -> dict[str, Any]:
    """`$events`: those of these numbers that are kept, as a notification; ids as they may be told now, and in the
    account as those of a notification."""
    one = read(desk, world, id_)
    _permit_topic(world, one.topic)
    with desk.store.reading() as tx:
        found = subscriptions.events(tx, one, first=since, last=until)
    stands = _stands(one, world.base, world)
    told = _told(desk, world.partner, one, found, stands.content)
    _account(desk, world.partner, one, found, told)
    return telling.notification(stands, "query-event", told, id_=str(uuid.uuid4()), now=world.now)


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
            found = subscriptions.events(tx, held, first=held.told + 1, last=_ALL, limit=asked.most)
        try:
            told = _told(self.desk, partner.id, held, found, asked.content)
        except Unavailable:  # its view is being brought up to date: what may be told is not known yet
            self._settle("active", due=self.desk.clock() + _SOON, attempts=held.attempts)
            return
        rest = self._rest(asked)
        if not told and (not asked.heartbeat or rest is None or rest > self.desk.clock()):
            self._settle("active", due=rest)
            return
        _account(self.desk, partner.id, held, found, told)
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
            private=partner.private_addresses,
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


def _told(desk: Desk, partner: str, one: Subscription, found: Sequence[Happened], content: str) -> list[Event]:
    """These events, each with what it is about where the partner may read that at this moment. Unavailable: that is
    being found out."""
    if content != "id-only" or not found:
        return [Event(each.number, each.at) for each in found]
    shelf = serve.shelf_with(desk, partner, {(each.type, each.id) for each in found})
    with desk.store.reading() as tx:
        return [
            Event(each.number, each.at, f"{each.type}/{each.id}" if _may_read(tx, partner, shelf, each) else "")
            for each in found
        ]


def _may_read(tx: Tx, partner: str, shelf: str, each: Happened) -> bool:
    worlds = (partner, shelf) if shelf else (partner,)
    return any((kept := resources.read(tx, w, each.type, each.id)) is not None and not kept.deleted for w in worlds)


def _account(desk: Desk, partner: str, one: Subscription, found: Sequence[Happened], told: Sequence[Event]) -> None:
    """Enter the ids that the partner is told of now and never was before; to be told of the same again tells nothing.
    That something of it has changed is told by its number, and is in the account when it is read."""
    new = {
        each.number: (each.type, each.id)
        for each, event in zip(found, told, strict=True)
        if event.focus and not each.accounted
    }
    if not new:
        return
    now, request_id = desk.clock(), secrets.token_hex(16)
    with desk.store.writing() as tx:
        by_case: dict[str, list[Line]] = {}
        for case_id, _, name, shown_ in views.untold(tx, partner, dict.fromkeys(new.values(), _ALL)):
            if not shown_.told:
                by_case.setdefault(case_id, []).append(serve.line(partner, name, shown_, request_id, now, "notify"))
        for case_id, lines in sorted(by_case.items()):
            disclosures.append(tx, case_id, lines)
        subscriptions.accounted(tx, one, new)


def _asked(desk: Desk, world: World, body: bytes, before: Subscription | None) -> tuple[dict[str, Any], Asked]:
    """What a partner sent, checked whole."""
    _permit(world, "u" if before else "c")
    if len(body) > LARGEST:
        raise TooLarge(f"A Subscription has at most {LARGEST} bytes here.")
    resource = resource_of(body, "Subscription")
    if before is None:
        resource.pop("id", None)  # the id is ours
    if wrong := models.problems(resource, release=world.release):
        raise Refused("The content breaks rules of FHIR.", wrong)
    resource = theirs.with_secrets(resource, before.resource) if before is not None else resource
    asked = theirs.read(resource, world.release, now=world.now)
    partner = desk.catalogue.partners.get(world.partner)
    if partner is None or not theirs.may_tell(partner, asked.endpoint):
        at = "/endpoint" if world.release == "R5" else "/channel/endpoint"
        rule = "must be https, at the host of your own server or one that the agency has entered for you"
        raise Refused("The Subscription cannot be kept.", [Problem(at, rule)])
    _permit_topic(world, asked.topic)
    return resource, asked


def _permit_topic(world: World, topic: str) -> None:
    """Who is told of something may also read it."""
    if not world.permits("r", "Task" if topic == words.TASKS else "*"):
        raise not_permitted()


def _permit(world: World, letter: str) -> None:
    if not world.permits(letter, "Subscription"):
        raise not_permitted()


def _there(tx: Tx, world: World, id_: str) -> Subscription:
    if (one := subscriptions.find(tx, world.partner, id_)) is None:
        raise NotFound("There is no such resource.")
    return one


def _stands(one: Subscription, base: str, world: World) -> Stands:
    content, now = theirs.content_of(one.resource), shown_status(one, world.now)
    return Stands(f"{base}/Subscription/{one.id}", base, world.release, one.topic, content, now, one.number)


def _tells_error(one: Subscription, world: World) -> bool:
    return bool(one.detail) and one.status == "error" and world.release == "R4"


def _is_taken(answer: Answer) -> bool:
    return isinstance(answer, Answered) and 200 <= answer.status < 300


def _why(answer: Answer) -> str:
    return f"HTTP {answer.status}" if isinstance(answer, Answered) else answer.reason
