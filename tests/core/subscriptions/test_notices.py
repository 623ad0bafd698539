"""What a partner's server tells us is read from any JSON, and its numbers tell what was never told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.subscriptions.notices import MOST_TASKS, PLAIN, Found, Kind, Notice, counted, read


def r4(kind: str, since: Any, *events: tuple[Any, str], status: str = "active") -> dict[str, Any]:
    """A notification as the backport has it (Bundle-r4-notification-id-only)."""
    parameters: list[dict[str, Any]] = [
        {"name": "subscription", "valueReference": {"reference": "https://there.example.ca/fhir/Subscription/1"}},
        {"name": "status", "valueCode": status},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": since},
    ]
    for number, focus in events:
        parts = [{"name": "event-number", "valueString": number}]
        parts += [{"name": "focus", "valueReference": {"reference": focus}}] if focus else []
        parameters.append({"name": "notification-event", "part": parts})
    told = {"resourceType": "Parameters", "parameter": parameters}
    return {"resourceType": "Bundle", "type": "history", "entry": [{"resource": told}]}


def r5(kind: str, since: Any, *events: tuple[Any, str], status: str = "active") -> dict[str, Any]:
    told = {
        "resourceType": "SubscriptionStatus",
        "status": status,
        "type": kind,
        "eventsSinceSubscriptionStart": since,
        "notificationEvent": [
            {"eventNumber": number, **({"focus": {"reference": focus}} if focus else {})} for number, focus in events
        ],
    }
    return {"resourceType": "Bundle", "type": "subscription-notification", "entry": [{"resource": told}]}


HERE = "https://there.example.ca/fhir/Task/t1"
READ = {
    "a handshake": (r4("handshake", "0"), Notice("handshake", 0, 0)),
    "a heartbeat": (r4("heartbeat", "7"), Notice("heartbeat", 7, 7)),
    "an event": (r4("event-notification", "3", ("3", HERE)), Notice("event-notification", 3, 3, ("t1",))),
    "two events": (
        r4("event-notification", "4", ("3", HERE), ("4", "Task/t2/_history/9")),
        Notice("event-notification", 4, 3, ("t1", "t2")),
    ),
    "an event in R5": (r5("event-notification", "3", ("3", "Task/t1")), Notice("event-notification", 3, 3, ("t1",))),
    "numbers as numbers": (r5("event-notification", 3, (3, "Task/t1")), Notice("event-notification", 3, 3, ("t1",))),
    "an event without what it is about": (r4("event-notification", "3", ("3", "")), Notice("event-notification", 3, 3)),
    "an event about a Task and one about a Goal": (
        r4("event-notification", "4", ("3", HERE), ("4", "Goal/g1")),
        Notice("event-notification", 4, 3),
    ),
    "a server that says it is in error": (
        r4("heartbeat", "7", status="error"),
        Notice("heartbeat", 7, 7, failing=True),
    ),
    "the status alone": (r5("heartbeat", "7")["entry"][0]["resource"], Notice("heartbeat", 7, 7)),
    "nothing": (None, PLAIN),
    "a Task, as plain R4 has it": ({"resourceType": "Task", "id": "t1", "status": "accepted"}, Notice(tasks=("t1",))),
    "another resource": ({"resourceType": "Patient", "id": "p1"}, PLAIN),
    "an id that is none": ({"resourceType": "Task", "id": "../../etc"}, PLAIN),
    "a number that is none": (r4("heartbeat", "-1"), Notice("heartbeat")),
    "a number beyond all": (r4("heartbeat", "9" * 400), Notice("heartbeat")),
    "a kind that is none": (r4("party", "1"), PLAIN),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), READ.values(), ids=READ)
def test_a_notification_is_read(body: Any, expected: Notice) -> None:
    assert read(body) == expected


def test_of_too_many_tasks_none_is_named() -> None:
    """Then all that wait are looked at."""
    events = [(str(n), f"Task/t{n}") for n in range(1, MOST_TASKS + 2)]
    assert len(read(r4("event-notification", "50", *events[:-1])).tasks) == MOST_TASKS
    assert read(r4("event-notification", "51", *events)).tasks == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["resourceType", "entry", "resource", "parameter", "name", "part", "valueString", "type", "focus",
             "notificationEvent", "reference", "eventNumber"]
        )
        | st.text(max_size=3),
        inner | st.sampled_from(["Bundle", "Parameters", "SubscriptionStatus", "heartbeat", "type", "Task/x"]),
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_any_json_is_read_as_something(body: Any) -> None:
    told = read(body)
    assert counted(3, told)[0] >= 0


def event(since: int, first: int) -> Notice:
    return Notice("event-notification", since, first)


COUNTED: dict[str, tuple[int, Notice, int, Found]] = {
    "the first": (0, event(1, 1), 1, "next"),
    "the one after": (3, event(4, 4), 4, "next"),
    "several that follow": (3, event(6, 4), 6, "next"),
    "several of which some are known": (3, event(6, 2), 6, "next"),
    "one was skipped": (3, event(5, 5), 5, "missed"),
    "some were skipped before several": (3, event(9, 8), 9, "missed"),
    "the same again": (3, event(3, 3), 3, "again"),
    "made anew": (7, event(1, 1), 1, "restarted"),
    "a heartbeat that knows no more": (3, Notice("heartbeat", 3, 3), 3, "again"),
    "a heartbeat that knows of more": (3, Notice("heartbeat", 4, 4), 4, "missed"),
    "a handshake that begins anew": (3, Notice("handshake", 0, 0), 0, "restarted"),
    "a handshake that goes on": (3, Notice("handshake", 5, 5), 5, "missed"),
    "no number at all": (3, PLAIN, 3, "next"),
}


@pytest.mark.parametrize(("seen", "notice", "after", "found"), COUNTED.values(), ids=COUNTED)
def test_numbers_tell_what_was_missed(seen: int, notice: Notice, after: int, found: Found) -> None:
    assert counted(seen, notice) == (after, found)


KINDS: list[Kind] = ["event-notification", "heartbeat"]


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.booleans()), max_size=30))
def test_whatever_is_lost_between_two_that_arrive_is_noticed(story: list[tuple[Kind, bool]]) -> None:
    """A server counts; some of what it says is lost: at the first that arrives after, it shows; and never else."""
    number = seen = 0
    lost = False
    for kind, arrives in story:
        number += kind == "event-notification"
        lost |= kind == "event-notification" and not arrives
        if arrives:
            seen, found = counted(seen, Notice(kind, number, number))
            assert (found == "missed") == lost
            lost = False
            assert seen == number
