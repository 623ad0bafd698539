"""The one Subscription that we keep at a partner's server: what it asks for, and what its server says of it.

Whoever may read the subscriptions there reads what we ask for: it names our identifiers' system, or the agency, and
nothing of any child.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

from adapter.core.partner import Release
from adapter.core.subscriptions import words

LASTS = timedelta(days=7)
"""How long one is asked for."""
RENEWED = timedelta(days=2)
"""Before its end."""
LOOK = timedelta(hours=1)
"""Between two looks at one that is active."""
PATIENCE = timedelta(hours=1)
"""That a server may take to make it active, before it is asked again."""
HEARTBEAT = 3600
"""Seconds: what we ask for; a server need not."""
_FIRST, _LONGEST = timedelta(seconds=30), timedelta(hours=1)
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")

Standing = Literal["active", "waits", "lost", "other"]
"""active; not yet; in error, off or ended; not the one that we asked for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What we ask for. `topic` is empty where the server takes R4's plain criteria; `secret` is for this one alone."""

    release: Release
    endpoint: str
    criteria: str
    topic: str
    ends: datetime
    secret: str = field(default="", repr=False)


def topic_of(named: str, stated: tuple[str, ...]) -> str:
    """The partner file's topic, else one that the server states and that is about Tasks, else none."""
    return named or next((each for each in words.KNOWN if each in stated), "")


def criteria_of(named: str, system: str, topic: str) -> str:
    """What narrows it: what the partner file says, else the Tasks that bear an identifier of ours, whichever. A topic
    of another server need not know such a filter: it is not narrowed then."""
    return named or (f"Task?identifier={quote(system, safe=':/')}|" if topic in ("", words.TASKS) else "")


def resource(wanted: Wanted) -> dict[str, Any]:
    """The Subscription (http://hl7.org/fhir/R4/subscription.html, http://hl7.org/fhir/R5/subscription.html)."""
    return _r5(wanted) if wanted.release == "R5" else _r4(wanted)


def standing(body: Any, wanted: Wanted, *, now: datetime) -> Standing:
    """How the Subscription that its server holds stands; total over any JSON."""
    if not isinstance(body, Mapping) or body.get("resourceType") != "Subscription":
        return "other"
    channel = body if wanted.release == "R5" else body.get("channel")
    endpoint = channel.get("endpoint") if isinstance(channel, Mapping) else None
    asked = body.get("topic") if wanted.release == "R5" else body.get("criteria")
    if endpoint != wanted.endpoint or asked != (wanted.topic or wanted.criteria):
        return "other"
    if (end := _instant(body.get("end"))) is not None and end <= now:
        return "lost"
    match body.get("status"):
        case "active":
            return "active"
        case "requested":
            return "waits"
        case _:
            return "lost"


def next_look(*, attempts: int) -> timedelta:
    """How long to wait after `attempts` looks that found it not as it should be."""
    wait: timedelta = min(_FIRST * float(2 ** min(attempts, 10)), _LONGEST)
    return wait


def id_of(body: Any, location: str) -> str:
    """The id under which a server has made it: of what it sent back, else of its Location; "" where it says none."""
    stated = body.get("id") if isinstance(body, Mapping) and body.get("resourceType") == "Subscription" else None
    if isinstance(stated, str) and _ID.match(stated):
        return stated
    found = re.search(r"(?:^|/)Subscription/([A-Za-z0-9\-.]{1,64})(?:/_history/[^/]*)?\Z", location)
    return found[1] if found else ""


def found_there(body: Any, endpoint: str) -> list[str]:
    """The ids of the Subscriptions to this endpoint in a searchset: ours, however they came there."""
    entries = body.get("entry") if isinstance(body, Mapping) else None
    ids = []
    for entry in entries[:100] if isinstance(entries, list) else []:
        one = entry.get("resource") if isinstance(entry, Mapping) else None
        if not isinstance(one, Mapping) or one.get("resourceType") != "Subscription":
            continue
        channel = one.get("channel") if isinstance(one.get("channel"), Mapping) else one
        id_ = one.get("id")
        if isinstance(channel, Mapping) and channel.get("endpoint") == endpoint and isinstance(id_, str):
            ids += [id_] if _ID.match(id_) else []
    return ids


def _r4(wanted: Wanted) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "type": "rest-hook",
        "endpoint": wanted.endpoint,
        "header": [f"Authorization: Bearer {wanted.secret}"],
    }
    made: dict[str, Any] = {
        "resourceType": "Subscription",
        "status": "requested",
        "end": _written(wanted.ends),
        "reason": "Answers to referrals",
    }
    if not wanted.topic:
        # No payload: then a plain rest-hook says no more than that something has changed.
        return {**made, "criteria": wanted.criteria, "channel": channel}
    content = {"url": words.CONTENT, "valueCode": "id-only"}
    narrowed = {"extension": [{"url": words.FILTER, "valueString": wanted.criteria}]}
    return {
        **made,
        "meta": {"profile": [words.PROFILE]},
        "criteria": wanted.topic,
        **({"_criteria": narrowed} if wanted.criteria else {}),
        "channel": {
            "extension": [{"url": words.HEARTBEAT, "valueUnsignedInt": HEARTBEAT}],
            **channel,
            "payload": words.FHIR_JSON,
            "_payload": {"extension": [content]},
        },
    }


def _r5(wanted: Wanted) -> dict[str, Any]:
    type_, _, query = wanted.criteria.partition("?")
    filters = [
        {"resourceType": type_, "filterParameter": name, "value": value}
        for name, _, value in (each.partition("=") for each in query.split("&"))
        if name
    ]
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "topic": wanted.topic,
        "end": _written(wanted.ends),
        "reason": "Answers to referrals",
        **({"filterBy": filters} if filters else {}),
        "channelType": {"system": words.CHANNELS, "code": "rest-hook"},
        "endpoint": wanted.endpoint,
        "parameter": [{"name": "Authorization", "value": f"Bearer {wanted.secret}"}],
        "heartbeatPeriod": HEARTBEAT,
        "contentType": words.FHIR_JSON,
        "content": "id-only",
    }


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _instant(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo else None
