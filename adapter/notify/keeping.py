"""What a partner asks of us: a subscription is kept, changed, shown, deleted; its numbers are told when it asks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from adapter.core.fhir import models
from adapter.core.fhir.instants import instant
from adapter.core.subscriptions import telling, theirs, words
from adapter.core.subscriptions.telling import Stands
from adapter.core.subscriptions.theirs import Asked
from adapter.core.subscriptions.words import Status
from adapter.desk import Desk
from adapter.errors import NotFound, PreconditionFailed, Problem, Refused, TooLarge
from adapter.notify.happened import account, told_of
from adapter.receive.body import resource_of
from adapter.receive.checks import not_permitted, version_of
from adapter.receive.world import World
from adapter.store import resources, subscriptions
from adapter.store.database import Tx
from adapter.store.subscriptions import Subscription

MOST = 10
"""Subscriptions of one partner."""
LARGEST = 60_000
"""Bytes of one: it is read each time that something changes."""


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
    told = told_of(desk, world.partner, one, found, stands.content)
    account(desk, world.partner, one, found, told)
    return telling.notification(stands, "query-event", told, id_=str(uuid.uuid4()), now=world.now)


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
