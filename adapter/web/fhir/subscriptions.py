"""A partner's subscriptions at our /fhir: by the Subscriptions R5 Backport in R4, by the specification in R5."""

from __future__ import annotations

import re

from flask import Blueprint, Response, request
from werkzeug.http import http_date

from adapter import notify
from adapter.core.subscriptions.telling import statuses
from adapter.errors import Malformed, Problem
from adapter.receive.world import World
from adapter.store.subscriptions import Subscription
from adapter.web import context
from adapter.web.context import wiring
from adapter.web.fhir import asked
from adapter.web.fhir.replies import resource

subscriptions = Blueprint("subscriptions", __name__, url_prefix="/Subscription")

_HIGHEST = 2**62


@subscriptions.get("")
def listed() -> Response:
    """List the caller's subscriptions, by `url`, `status` and `_id`."""
    world = asked.world()
    found = _found(world, ("url", "status", "_id", "_count", "_total", "_summary"))
    entries = [
        {
            "fullUrl": f"{world.base}/Subscription/{one.id}",
            "resource": notify.shown(one, world),
            "search": {"mode": "match"},
        }
        for one in found
    ]
    made = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    return resource({**made, "entry": entries} if entries else made)


@subscriptions.post("")
def create() -> Response:
    """Ask to be told when something changes (docs/subscriptions.md)."""
    asked.check_content()
    world = asked.world()
    one = notify.ask(wiring(), world, context.body())
    response = _shown(world, one, 201)
    response.headers["Location"] = f"{world.base}/Subscription/{one.id}"
    return response


@subscriptions.get("/$status")
def all_status() -> Response:
    """How the caller's subscriptions stand."""
    world = asked.world()
    found = _found(world, ("id", "status"))
    return resource(statuses([notify.status(wiring(), world, one) for one in found]))


@subscriptions.get("/<id_>")
def read(id_: str) -> Response:
    """Read a subscription; the values of its headers are not shown."""
    world = asked.world()
    return _shown(world, notify.read(wiring(), world, id_))


@subscriptions.put("/<id_>")
def update(id_: str) -> Response:
    """Ask for something else, or for the same again after an error."""
    asked.check_content()
    world = asked.world()
    match = request.headers.get("If-Match")
    return _shown(world, notify.ask_again(wiring(), world, id_, context.body(), if_match=match))


@subscriptions.delete("/<id_>")
def delete(id_: str) -> Response:
    """Be told no more."""
    notify.delete(wiring(), asked.world(), id_)
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


@subscriptions.get("/<id_>/$status")
def status(id_: str) -> Response:
    """How a subscription stands."""
    world = asked.world()
    return resource(statuses([notify.status(wiring(), world, notify.read(wiring(), world, id_))]))


@subscriptions.get("/<id_>/$events")
def events(id_: str) -> Response:
    """What has happened, by its numbers."""
    since, until = _number("eventsSinceNumber", 0), _number("eventsUntilNumber", _HIGHEST)
    return resource(notify.events(wiring(), asked.world(), id_, since=since, until=until))


def _found(world: World, known: tuple[str, ...]) -> list[Subscription]:
    """Those that the parameters ask for. Malformed: every one that is not known."""
    pairs = asked.parameters()
    if (unknown := sorted({name for name, _ in pairs} - set(known))) and not asked.lenient():
        problems = [Problem(f"/{name if name.isalnum() else '?'}", "cannot be asked here") for name in unknown]
        raise Malformed("The search cannot be read.", problems)
    values = {name: [v for n, text in pairs if n == name for v in text.split(",")] for name in ("status", "_id", "id")}
    urls = [text for name, text in pairs if name == "url"]
    ids = values["_id"] + values["id"]
    found = notify.listed(wiring(), world, url=urls, status=values["status"])
    return [one for one in found if not ids or one.id in ids]


def _number(name: str, left_out: int) -> int:
    text = request.args.get(name, "")
    if text and not re.fullmatch("[0-9]{1,18}", text):
        raise Malformed("The numbers cannot be read.", [Problem(f"/{name}", "must be a whole number")])
    return int(text) if text else left_out


def _shown(world: World, one: Subscription, status: int = 200) -> Response:
    response = resource(notify.shown(one, world), status=status)
    response.headers["ETag"] = f'W/"{one.version}"'
    response.headers["Last-Modified"] = http_date(one.updated_at)
    return response
