"""What our /fhir says of a partner's subscription: notifications, `$status`, `$events`. Ids, numbers, times: no more.

R4: the backport's history Bundle with Parameters; R5: SubscriptionStatus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapter.core.fhir.instants import instant
from adapter.core.partner import Release
from adapter.core.subscriptions import words
from adapter.core.subscriptions.words import Content, Kind, Status


@dataclass(frozen=True, slots=True)
class Event:
    """One change of what the partner may read: which in the count, when; `focus` is `Type/id`, empty where it may not
    be told (any more)."""

    number: int
    at: datetime
    focus: str = ""


@dataclass(frozen=True, slots=True)
class Stands:
    """How a subscription stands. `url`: its own address; `base`: of our /fhir; `number`: of the last event."""

    url: str
    base: str
    release: Release
    topic: str
    content: Content
    status: Status
    number: int


def notification(stands: Stands, kind: Kind, events: Sequence[Event], *, id_: str, now: datetime) -> dict[str, Any]:
    """A Bundle for the endpoint, or in answer to `$events`. `id_`: a uuid of its own."""
    told = status(stands, kind, events, id_=id_)
    request = {"method": "GET", "url": f"{stands.url}/$status"}
    entries: list[dict[str, Any]] = [
        {"fullUrl": f"urn:uuid:{id_}", "resource": told, "request": request, "response": {"status": "200"}}
    ]
    named = [event.focus for event in events if event.focus] if stands.content == "id-only" else []
    for focus in dict.fromkeys(named):
        url = f"{stands.base}/{focus}"
        entries.append({"fullUrl": url, "request": {"method": "GET", "url": url}, "response": {"status": "200"}})
    made = {"resourceType": "Bundle", "type": "history", "timestamp": instant(now), "entry": entries}
    if stands.release == "R5":
        return {**made, "type": "subscription-notification"}
    return {**made, "meta": {"profile": [words.NOTIFICATION_PROFILE]}}


def status(stands: Stands, kind: Kind, events: Sequence[Event] = (), *, id_: str) -> dict[str, Any]:
    """The resource that says how it stands: SubscriptionStatus, in R4 as Parameters."""
    # What it is about is said in no notification that is to say nothing (backport, topic).
    topic = stands.topic if stands.content != "empty" else ""
    return _r5(stands, kind, events, topic, id_) if stands.release == "R5" else _r4(stands, kind, events, topic, id_)


def statuses(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The answer to `$status`: a searchset."""
    entries = [{"fullUrl": f"urn:uuid:{each['id']}", "resource": each, "search": {"mode": "match"}} for each in found]
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    return {**made, "entry": entries} if entries else made


def _r4(stands: Stands, kind: Kind, events: Sequence[Event], topic: str, id_: str) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": "subscription", "valueReference": {"reference": stands.url}},
        *([{"name": "topic", "valueCanonical": topic}] if topic else []),
        {"name": "status", "valueCode": stands.status},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(stands.number)},
    ]
    for event in events:
        part: list[dict[str, Any]] = [
            {"name": "event-number", "valueString": str(event.number)},
            {"name": "timestamp", "valueInstant": instant(event.at)},
        ]
        if event.focus and stands.content == "id-only":
            part.append({"name": "focus", "valueReference": {"reference": f"{stands.base}/{event.focus}"}})
        parameters.append({"name": "notification-event", "part": part})
    meta = {"profile": [words.STATUS_PROFILE]}
    return {"resourceType": "Parameters", "id": id_, "meta": meta, "parameter": parameters}


def _r5(stands: Stands, kind: Kind, events: Sequence[Event], topic: str, id_: str) -> dict[str, Any]:
    told = []
    for event in events:
        focus = {"reference": f"{stands.base}/{event.focus}"} if event.focus and stands.content == "id-only" else None
        one = {"eventNumber": str(event.number), "timestamp": instant(event.at)}
        told.append({**one, **({"focus": focus} if focus else {})})
    return {
        "resourceType": "SubscriptionStatus",
        "id": id_,
        "status": stands.status,
        "type": kind,
        "eventsSinceSubscriptionStart": str(stands.number),
        **({"notificationEvent": told} if told else {}),
        "subscription": {"reference": stands.url},
        **({"topic": topic} if topic else {}),
    }
