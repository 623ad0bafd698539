"""Reads what a partner's server sends to our endpoint, and counts: a notification is a hint, and nothing in it is
believed but that one should look.

R4 backport (a history Bundle, its first entry Parameters), R5 (a SubscriptionStatus), R4 plain (nothing, or a Task).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from adapter.core.fhir.references import ID

MOST_TASKS = 50
"""Tasks that one notification names at most; of more, all are looked at."""
MOST_EVENTS = 200
_HIGHEST = 2**53
_KINDS = ("handshake", "heartbeat", "event-notification")

Kind = Literal["handshake", "heartbeat", "event-notification", "plain"]
Found = Literal["next", "again", "missed", "restarted"]
"""As expected; nothing new; some were never seen; the count begins anew."""


@dataclass(frozen=True, slots=True)
class Notice:
    """`since`: events since the subscription began, where it is told; `first`: the number of the first one in here;
    `tasks`: the ids of the Tasks that it names; `failing`: its server says that the subscription is in error or off."""

    kind: Kind = "plain"
    since: int | None = None
    first: int | None = None
    tasks: tuple[str, ...] = ()
    failing: bool = False


PLAIN = Notice()


def read(body: Any, *, task: str = "") -> Notice:
    """What stands in a notification; total over any JSON. `task`: the id that the address names (plain R4)."""
    told = _told(body)
    kind = told.get("type")
    if kind not in _KINDS:
        named = body.get("id") if isinstance(body, Mapping) and body.get("resourceType") == "Task" else None
        one = task or (named if isinstance(named, str) else "")
        return Notice(tasks=(one,) if ID.match(one) else ())
    events = told.get("events", [])
    since, numbers = _number(told.get("since")), [n for n, _ in events if n is not None]
    first = min(numbers) if numbers else since
    tasks = tuple(dict.fromkeys(found for _, focus in events if (found := _task(focus))))
    whole = len(tasks) <= MOST_TASKS and all(_task(focus) for _, focus in events)
    return Notice(kind, since, first, tasks if whole else (), told.get("status") in ("error", "off"))


def counted(seen: int, notice: Notice) -> tuple[int, Found]:
    """The highest number now, and what the count tells, after `seen` of them."""
    if notice.since is None:
        return seen, "next"
    if notice.since < seen:
        return notice.since, "restarted"
    if notice.since == seen:
        return seen, "again"
    expected = notice.kind == "event-notification" and (notice.first or 0) <= seen + 1
    return notice.since, "next" if expected else "missed"


def _told(body: Any) -> dict[str, Any]:
    if not isinstance(body, Mapping):
        return {}
    if body.get("resourceType") == "Bundle":
        first = next(iter(_list(body.get("entry"))), None)
        body = first.get("resource") if isinstance(first, Mapping) else None
    if not isinstance(body, Mapping):
        return {}
    match body.get("resourceType"):
        case "Parameters":
            return _parameters(body)
        case "SubscriptionStatus":
            return {
                "type": body.get("type"),
                "status": body.get("status"),
                "since": body.get("eventsSinceSubscriptionStart"),
                "events": [
                    (_number(each.get("eventNumber")), each.get("focus"))
                    for each in _objects(body.get("notificationEvent"))
                ],
            }
        case _:
            return {}


def _parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"events": []}
    for each in _objects(body.get("parameter")):
        match each.get("name"):
            case "type" | "status":
                told[str(each["name"])] = each.get("valueCode")
            case "events-since-subscription-start":
                told["since"] = _value(each)
            case "notification-event":
                parts = {p.get("name"): _value(p) for p in _objects(each.get("part")) if isinstance(p.get("name"), str)}
                told["events"].append((_number(parts.get("event-number")), parts.get("focus")))
            case _:
                continue
    return told


def _value(each: Mapping[str, Any]) -> Any:
    return next((value for name, value in each.items() if name.startswith("value")), None)


def _number(value: Any) -> int | None:
    """Numbers are texts in R4's Parameters and in R5's JSON (integer64), and servers write either."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _HIGHEST else None


def _task(focus: Any) -> str:
    """The id of the Task that a reference names, on whichever server: it is looked for among those that we know."""
    text = focus.get("reference") if isinstance(focus, Mapping) else None
    if not isinstance(text, str) or len(text) > 2000:
        return ""
    parts = text.split("/_history/")[0].split("/")
    return parts[-1] if len(parts) >= 2 and parts[-2] == "Task" and ID.match(parts[-1]) else ""


def _list(value: Any) -> list[Any]:
    return value[:MOST_EVENTS] if isinstance(value, list) else []


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    return (each for each in _list(value) if isinstance(each, Mapping))
