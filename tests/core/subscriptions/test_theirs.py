"""What a partner asks to be told of is read whole; what cannot be kept is refused with every rule that it breaks."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.core.fhir import models
from adapter.core.fhir.search import index
from adapter.core.partner import Partner, Release
from adapter.core.subscriptions import words
from adapter.core.subscriptions.theirs import HIDDEN, hidden, may_tell, read, takes, with_secrets
from adapter.errors import Refused

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
R4: dict[str, Any] = {
    "resourceType": "Subscription",
    "status": "requested",
    "end": "2026-12-01T00:00:00Z",
    "reason": "Answers",
    "criteria": words.TASKS,
    "_criteria": {"extension": [{"url": words.FILTER, "valueString": "Task?status=requested,accepted&identifier=https://a|"}]},
    "channel": {
        "extension": [
            {"url": words.HEARTBEAT, "valueUnsignedInt": 3600},
            {"url": words.TIMEOUT, "valueUnsignedInt": 900},
            {"url": words.MOST_AT_ONCE, "valuePositiveInt": 5},
        ],
        "type": "rest-hook",
        "endpoint": "https://hooks.lakeside.example.ca/in?x=1",
        "header": ["Authorization: Bearer s3", "X-Way: a b"],
        "payload": "application/fhir+json",
        "_payload": {"extension": [{"url": words.CONTENT, "valueCode": "id-only"}]},
    },
}  # fmt: skip
R5: dict[str, Any] = {
    "resourceType": "Subscription",
    "status": "requested",
    "end": "2026-12-01T00:00:00Z",
    "topic": words.TASKS,
    "filterBy": [
        {"resourceType": "Task", "filterParameter": "status", "value": "requested,accepted"},
        {"filterParameter": "identifier", "value": "https://a|"},
    ],
    "channelType": {"system": words.CHANNELS, "code": "rest-hook"},
    "endpoint": "https://hooks.lakeside.example.ca/in?x=1",
    "parameter": [{"name": "Authorization", "value": "Bearer s3"}, {"name": "X-Way", "value": "a b"}],
    "heartbeatPeriod": 3600,
    "timeout": 900,
    "contentType": "application/fhir+json",
    "content": "id-only",
    "maxCount": 5,
}
BOTH: list[tuple[dict[str, Any], Release]] = [(R4, "R4"), (R5, "R5")]


def changed(path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(R4)
    *steps, last = path.split("/")
    place: Any = made
    for step in steps:
        place = place[step]
    if value is None:
        place.pop(last, None)
    else:
        place[last] = value
    return made


@pytest.mark.parametrize(("resource", "release"), BOTH, ids=["R4", "R5"])
def test_both_releases_say_the_same(resource: dict[str, Any], release: Release) -> None:
    asked = read(resource, release, now=NOW)
    assert (asked.topic, asked.content, asked.heartbeat, asked.most, asked.off) == (
        words.TASKS,
        "id-only",
        3600,
        5,
        False,
    )
    assert asked.headers == (("Authorization", "Bearer s3"), ("X-Way", "a b"))
    assert asked.filters == (("status", "requested,accepted"), ("identifier", "https://a|"))
    assert asked.timeout == 20, "no endpoint holds a worker up for long"
    assert "s3" not in repr(asked)


@pytest.mark.parametrize(("resource", "release"), BOTH, ids=["R4", "R5"])
def test_what_is_read_shows_no_secret_and_what_is_written_back_loses_none(
    resource: dict[str, Any], release: Release
) -> None:
    seen = hidden(resource)
    assert "s3" not in str(seen)
    assert HIDDEN in str(seen)
    assert read(with_secrets(seen, resource), release, now=NOW).headers == read(resource, release, now=NOW).headers
    assert with_secrets(resource, seen) == resource


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no topic of ours": (changed("criteria", "Task?status=accepted"), "/criteria"),
    "another channel": (changed("channel/type", "email"), "/channel/type"),
    "XML": (changed("channel/payload", "application/fhir+xml"), "/channel/payload"),
    "whole resources": (
        changed("channel/_payload", {"extension": [{"url": words.CONTENT, "valueCode": "full-resource"}]}),
        "/channel/_payload/extension",
    ),
    "no word of how much": (changed("channel/_payload", None), "/channel/_payload/extension"),
    "an end before the first year there is": (changed("end", "0001-01-01T00:00:00+14:00"), "/end"),
    "an end in a leap second": (changed("end", "2016-12-31T23:59:60Z"), "/end"),
    "an end that is over": (changed("end", "2026-11-21T16:59:59Z"), "/end"),
    "a state that is ours to set": (changed("status", "error"), "/status"),
    "a heartbeat each second": (
        changed("channel/extension", [{"url": words.HEARTBEAT, "valueUnsignedInt": 1}]), "/channel/extension",
    ),
    "a header that is none": (changed("channel/header", ["Authorization"]), "/channel/header"),
    "a header with another in it": (changed("channel/header", ["A: b\r\nHost: x"]), "/channel/header"),
    "a header twice": (changed("channel/header", ["A: b", "a: c"]), "/channel/header"),
    "a header of how it travels": (changed("channel/header", ["Host: 10.0.0.7"]), "/channel/header"),
    "another length": (changed("channel/header", ["content-length: 0"]), "/channel/header"),
    "too many headers": (changed("channel/header", [f"X-{n}: 1" for n in range(11)]), "/channel/header"),
    "no address": (changed("channel/endpoint", None), "/channel/endpoint"),
    "a user in the address": (changed("channel/endpoint", "https://a@b.example.ca"), "/channel/endpoint"),
    "another scheme": (changed("channel/endpoint", "ftp://b.example.ca"), "/channel/endpoint"),
    "a fragment": (changed("channel/endpoint", "https://b.example.ca/#x"), "/channel/endpoint"),
    "a line in the address": (changed("channel/endpoint", "https://b.example.ca/\nHost: x"), "/channel/endpoint"),
    "a filter by what is not known": (
        changed("_criteria", {"extension": [{"url": words.FILTER, "valueString": "Task?colour=red"}]}),
        "/_criteria/extension",
    ),
    "a filter with a modifier": (
        changed("_criteria", {"extension": [{"url": words.FILTER, "valueString": "Task?status:not=draft"}]}),
        "/_criteria/extension",
    ),
    "a filter of another type": (
        changed("_criteria", {"extension": [{"url": words.FILTER, "valueString": "Patient?identifier=a|1"}]}),
        "/_criteria/extension",
    ),
    "a filter of everything": (changed("criteria", words.READABLE), "/_criteria/extension"),
}  # fmt: skip


@pytest.mark.parametrize(("resource", "pointer"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_kept_is_refused_at_its_place(resource: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Refused) as refused:
        read(resource, "R4", now=NOW)
    assert {problem.pointer for problem in refused.value.problems} == {pointer}


def test_every_rule_that_is_broken_is_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        read({"resourceType": "Subscription", "status": "error", "channel": {}}, "R4", now=NOW)
    assert len(refused.value.problems) >= 5


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where anything stands in a resource."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, one in inner for found in [(*path, key), *places(one, (*path, key))]]


WORDS = st.text(max_size=4) | st.sampled_from(["***", "off", "id-only", "Task?status="])
NAMES = st.sampled_from(["url", "name", "value", "x"])
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=100)
@given(st.sampled_from(BOTH), st.data())
def test_whatever_has_the_structure_is_read_or_refused(
    one: tuple[dict[str, Any], Release], data: st.DataObject
) -> None:
    """Anything in place of anything: no other error comes of it, and no secret is shown."""
    resource, release = copy.deepcopy(one[0]), one[1]
    path = data.draw(st.sampled_from(places(resource)))
    place: Any = resource
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = data.draw(ANY)
    if models.problems(resource, release=release):
        return
    try:
        read(with_secrets(resource, one[0]), release, now=NOW)
    except Refused:
        return
    assert "s3" not in str(hidden(resource))
    assert not takes(read(resource, release, now=NOW).filters, {}) or not read(resource, release, now=NOW).filters


PARTNER = Partner(
    "lakeside", "Lakeside", ("education",), date(2026, 1, 1), base_url="https://fhir.lakeside.example.ca/fhir"
)
PRIVATE = replace(PARTNER, private_addresses=True, base_url="http://127.0.0.1:8080/fhir")
LISTED = replace(PARTNER, endpoints=("https://hooks.example.ca:8443",))
ADDRESSES: dict[str, tuple[Partner, str, bool]] = {
    "its own host": (PARTNER, "https://fhir.lakeside.example.ca/hook", True),
    "its own host, another port": (PARTNER, "https://fhir.lakeside.example.ca:8443/hook", True),
    "its own host in clear": (PARTNER, "http://fhir.lakeside.example.ca/hook", False),
    "a host that begins alike": (PARTNER, "https://fhir.lakeside.example.ca.evil.example/hook", False),
    "another host": (PARTNER, "https://evil.example/hook", False),
    "a private address": (PARTNER, "https://10.0.0.7/hook", False),
    "the metadata of a cloud": (PRIVATE, "http://169.254.169.254/latest", False),
    "its own private host": (PRIVATE, "http://127.0.0.1:9000/hook", True),
    "another private host": (PRIVATE, "http://127.0.0.2:9000/hook", False),
    "a listed one": (LISTED, "https://hooks.example.ca:8443/in", True),
    "a listed one in capitals": (LISTED, "https://HOOKS.example.ca:8443/in", True),
    "a listed one, another port": (LISTED, "https://hooks.example.ca/in", False),
    "no server of its own": (replace(PARTNER, base_url=""), "https://fhir.lakeside.example.ca/hook", False),
    "no host": (replace(PARTNER, base_url=""), "https:///hook", False),
}


@pytest.mark.parametrize(("partner", "endpoint", "expected"), ADDRESSES.values(), ids=ADDRESSES)
def test_a_partner_is_told_at_its_own_addresses_alone(partner: Partner, endpoint: str, expected: bool) -> None:
    assert may_tell(partner, endpoint) is expected


TASK = {
    "resourceType": "Task", "status": "accepted", "identifier": [{"system": "https://a", "value": "7"}],
    "owner": {"reference": "Organization/1"},
}  # fmt: skip
FILTERS: dict[str, tuple[tuple[tuple[str, str], ...], bool]] = {
    "none": ((), True),
    "a status": ((("status", "accepted"),), True),
    "one of several": ((("status", "requested,accepted"),), True),
    "another status": ((("status", "requested"),), False),
    "a system": ((("identifier", "https://a|"),), True),
    "another system": ((("identifier", "https://b|"),), False),
    "both": ((("status", "accepted"), ("owner", "Organization/1")), True),
    "one of both": ((("status", "accepted"), ("owner", "Organization/2")), False),
}


@pytest.mark.parametrize(("filters", "expected"), FILTERS.values(), ids=FILTERS)
def test_a_filter_is_a_search(filters: tuple[tuple[str, str], ...], expected: bool) -> None:
    assert takes(filters, index(TASK, base="")) is expected
