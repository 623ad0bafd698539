"""Reads the Subscription that a partner asks our /fhir for: what it wants to be told of, where, and how.

R4 by the backport, R5 by the specification; rest-hook alone, and ids at most: who wants more reads it, and sees what
consent permits at that moment.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from adapter.core.fhir.search import PARAMETERS, Pairs, query
from adapter.core.partner import Partner, Release
from adapter.core.subscriptions import words
from adapter.core.subscriptions.words import Content
from adapter.errors import Malformed, Problem, Refused

Indexed = Mapping[str, Sequence[str]]
MOST_HEADERS = 10
MOST_AT_ONCE = 50
"""Events in one notification."""
LONGEST_WAIT = 20
"""Seconds that one notification may take."""
HEARTBEATS = (60, 7 * 24 * 3600)
"""Seconds between two, at least and at most."""
HIDDEN = "***"
"""Stands for the value of a header where a Subscription is read: it is a secret that only its endpoint needs."""
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}):[ \t]*([\x21-\x7e](?:[\x20-\x7e]{0,3998}[\x21-\x7e])?)")
_NOT_THEIRS = frozenset(
    {
        "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "cookie", "expect",
        "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via", "x-request-id",
    }
)  # fmt: skip
"""Headers that say how the request travels: those are ours."""
_JSON = frozenset({words.FHIR_JSON, "application/json"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for. `heartbeat`: seconds, 0 for none; `most`: events in one notification; `off`: not now."""

    topic: str
    filters: Pairs
    endpoint: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    content: Content
    heartbeat: int
    timeout: int
    most: int
    ends: datetime | None
    off: bool


def takes(filters: Pairs, indexed: Indexed) -> bool:
    """Is a Task with these terms to search for one that is asked for? (Other resources are never narrowed.)"""
    terms = query("Task", filters, base="").terms if filters else ()
    return all(set(values) & set(indexed.get(name, ())) for name, values in terms)


def read(resource: Mapping[str, Any], release: Release, *, now: datetime) -> Asked:
    """What this Subscription asks for. Refused: every rule that it breaks."""
    problems: list[Problem] = []
    found = _r5(resource, problems) if release == "R5" else _r4(resource, problems)
    topic = found["topic"]
    if topic not in words.TOPICS:
        problems.append(Problem(found["at"]["topic"], f"must be one of {', '.join(words.TOPICS)}"))
    if found["type"] != "rest-hook":
        problems.append(Problem(found["at"]["type"], "must be rest-hook"))
    if found["payload"] not in _JSON:
        problems.append(Problem(found["at"]["payload"], "must be application/fhir+json"))
    if found["content"] not in ("empty", "id-only"):
        problems.append(Problem(found["at"]["content"], "must be empty or id-only: whole resources are read, not told"))
    ends = _moment(resource.get("end"))
    if ends is not None and ends <= now:
        problems.append(Problem("/end", "is over already"))
    if resource.get("status") not in ("requested", "active", "off"):
        problems.append(Problem("/status", "must be requested or off: the others are the server's to set"))
    endpoint, headers = found["endpoint"], _headers(found["headers"], found["at"]["headers"], problems)
    filters = _filters(found["filters"], topic, found["at"]["filters"], problems)
    heartbeat, at = _whole(found["heartbeat"]), found["at"]["heartbeat"]
    if heartbeat and not HEARTBEATS[0] <= heartbeat <= HEARTBEATS[1]:
        problems.append(Problem(at, f"must be from {HEARTBEATS[0]} to {HEARTBEATS[1]} seconds"))
    if not isinstance(endpoint, str) or _origin(endpoint) is None:
        problems.append(Problem(found["at"]["endpoint"], "must be an https address, without a user or a fragment"))
    if problems:
        raise Refused("The Subscription cannot be kept.", sorted(problems))
    return Asked(
        topic=topic,
        filters=filters,
        endpoint=str(endpoint),
        headers=headers,
        content=found["content"],
        heartbeat=heartbeat,
        timeout=min(_whole(found["timeout"]) or LONGEST_WAIT, LONGEST_WAIT),
        most=min(_whole(found["most"]) or MOST_AT_ONCE, MOST_AT_ONCE),
        ends=ends,
        off=resource["status"] == "off",
    )


def may_tell(partner: Partner, endpoint: str) -> bool:
    """May this partner be told at this address? At the host of its own server, and where its file lists it; in clear
    only where its file allows private addresses."""
    asked = _origin(endpoint)
    if asked is None or (asked[0] == "http" and not partner.private_addresses):
        return False
    own = _origin(partner.base_url)
    return (own is not None and own[1] == asked[1]) or asked in {_origin(each) for each in partner.endpoints}


def content_of(resource: Mapping[str, Any]) -> Content:
    """How much is told to a subscription that is kept."""
    found: Content = (_r5 if _is_r5(resource) else _r4)(resource, [])["content"]
    return "id-only" if found == "id-only" else "empty"


def endpoint_of(resource: Mapping[str, Any]) -> str:
    """Where a subscription that is kept is told."""
    return str((resource if _is_r5(resource) else resource["channel"]).get("endpoint", ""))


def hidden(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The Subscription as it is read: the values of its headers stand nowhere but where they are needed."""
    if _is_r5(resource):
        own = [{**each, "value": HIDDEN} for each in _objects(resource.get("parameter"))]
        return {**resource, **({"parameter": own} if own else {})}
    channel = dict(resource["channel"])
    if "header" in channel:
        channel["header"] = [f"{line.partition(':')[0]}: {HIDDEN}" for line in channel["header"]]
    return {**resource, "channel": channel}


def with_secrets(resource: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """What was read and is written back keeps the values that could not be read. (Its structure was checked.)"""
    if _is_r5(resource) != _is_r5(before):
        return dict(resource)
    if _is_r5(resource):
        secrets = {each["name"]: each["value"] for each in _objects(before.get("parameter"))}
        own = [
            {**each, "value": secrets.get(each["name"], HIDDEN)} if each["value"] == HIDDEN else each
            for each in _objects(resource.get("parameter"))
        ]
        return {**resource, **({"parameter": own} if own else {})}
    channel = dict(resource["channel"])
    names = {line.partition(":")[0].lower(): line for line in before["channel"].get("header", [])}
    if "header" in channel:
        channel["header"] = [_back(line, names) for line in channel["header"]]
    return {**resource, "channel": channel}


def _is_r5(resource: Mapping[str, Any]) -> bool:
    """By its own form: the partner's file may name another release since it was kept."""
    return "channel" not in resource


def _back(line: str, known: Mapping[str, str]) -> str:
    name, _, value = line.partition(":")
    return known.get(name.lower(), line) if value.strip() == HIDDEN else line


def _r4(resource: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    channel = resource.get("channel", {})
    said = {each.get("url"): _value(each) for each in _objects(channel.get("extension"))}
    payload = channel.get("_payload") or {}
    content = next((_value(e) for e in _objects(payload.get("extension")) if e.get("url") == words.CONTENT), None)
    narrowed = _objects((resource.get("_criteria") or {}).get("extension"))
    headers = [_HEADER.fullmatch(line) for line in channel.get("header", [])]
    return {
        "topic": resource.get("criteria"),
        "type": channel.get("type"),
        "payload": _media(channel.get("payload")),
        "content": content,
        "endpoint": channel.get("endpoint"),
        "headers": [(found[1], found[2]) if found else None for found in headers],
        "filters": [_value(each) for each in narrowed if each.get("url") == words.FILTER],
        "heartbeat": said.get(words.HEARTBEAT),
        "timeout": said.get(words.TIMEOUT),
        "most": said.get(words.MOST_AT_ONCE),
        "at": {
            "topic": "/criteria", "type": "/channel/type", "payload": "/channel/payload",
            "content": "/channel/_payload/extension", "endpoint": "/channel/endpoint", "headers": "/channel/header",
            "filters": "/_criteria/extension", "heartbeat": "/channel/extension",
        },
    }  # fmt: skip


def _r5(resource: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    filters = []
    for each in _objects(resource.get("filterBy")):
        if each.get("comparator", "eq") != "eq" or "modifier" in each:
            problems.append(Problem("/filterBy", "has a comparator or a modifier, which are not supported here"))
        type_ = each.get("resourceType", "Task")
        filters.append(f"{type_}?{each.get('filterParameter')}={each.get('value')}")
    lines = [
        _HEADER.fullmatch(f"{each.get('name')}: {each.get('value')}") for each in _objects(resource.get("parameter"))
    ]
    return {
        "topic": resource.get("topic"),
        "type": (resource.get("channelType") or {}).get("code"),
        "payload": _media(resource.get("contentType", words.FHIR_JSON)),
        "content": resource.get("content"),
        "endpoint": resource.get("endpoint"),
        "headers": [(found[1], found[2]) if found else None for found in lines],
        "filters": filters,
        "heartbeat": resource.get("heartbeatPeriod"),
        "timeout": resource.get("timeout"),
        "most": resource.get("maxCount"),
        "at": {
            "topic": "/topic", "type": "/channelType", "payload": "/contentType", "content": "/content",
            "endpoint": "/endpoint", "headers": "/parameter", "filters": "/filterBy", "heartbeat": "/heartbeatPeriod",
        },
    }  # fmt: skip


def _headers(
    found: Collection[tuple[str, str] | None], at: str, problems: list[Problem]
) -> tuple[tuple[str, str], ...]:
    if len(found) > MOST_HEADERS:
        problems.append(Problem(at, f"at most {MOST_HEADERS} headers are sent"))
    kept = [each for each in found if each is not None]
    names = [name.lower() for name, _ in kept]
    if len(kept) < len(found) or len(set(names)) < len(names):
        problems.append(Problem(at, "must be headers as `Name: value`, each name once"))
    if _NOT_THEIRS & set(names) or any(name.startswith(("proxy-", "sec-")) for name in names):
        problems.append(Problem(at, "holds a header that says how the request travels: those are not sent"))
    return tuple(kept)


def _filters(found: Iterable[Any], topic: Any, at: str, problems: list[Problem]) -> Pairs:
    pairs: list[tuple[str, str]] = []
    for text in found:
        type_, mark, asked = text.partition("?") if isinstance(text, str) else ("", "", "")
        if not mark:
            type_, asked = "Task", type_
        pairs += parse_qsl(asked, keep_blank_values=True)
        if type_ != "Task" or topic == words.READABLE:
            problems.append(Problem(at, f"only {words.TASKS} can be narrowed, by parameters of Task"))
            return ()
    known = {parameter.name for parameter in PARAMETERS["Task"]}
    try:
        if any(name not in known for name, _ in pairs):
            raise Malformed("not a parameter of Task")
        query("Task", pairs, base="")
    except Malformed:
        problems.append(Problem(at, f"can be narrowed by {', '.join(sorted(known))} of Task, without modifiers"))
        return ()
    return tuple(pairs)


def _origin(address: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an http or https address; None for anything else."""
    if not address.isascii() or not address.isprintable() or " " in address or len(address) > 2000 or "\\" in address:
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc or "#" in address:
        return None
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80)


def _media(value: Any) -> str:
    return value.partition(";")[0].strip().lower() if isinstance(value, str) else ""


def _moment(value: Any) -> datetime | None:
    """An instant: the structure was checked. None where it never comes; what no clock here shows is long over."""
    if not isinstance(value, str) or value.startswith("9999"):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31 else 0


def _value(each: Mapping[str, Any]) -> Any:
    return next((value for name, value in each.items() if name.startswith("value")), None)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
