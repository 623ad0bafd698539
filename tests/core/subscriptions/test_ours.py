"""The Subscription that we ask partners' servers for is one in every release, and tells nothing of a child."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter.core.fhir import models
from adapter.core.subscriptions import words
from adapter.core.subscriptions.ours import (
    Standing,
    Wanted,
    criteria_of,
    found_there,
    id_of,
    resource,
    standing,
    topic_of,
)

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
PLAIN = Wanted(
    "R4", "https://csp.example.ca/notify/x", "Task?identifier=https://a.example/id|", "", NOW + timedelta(days=7), "s3"
)
TOPIC = replace(PLAIN, topic=words.TASKS)
R5 = replace(TOPIC, release="R5")
EVERY = {
    "plain R4": PLAIN,
    "the backport": TOPIC,
    "R5": R5,
    "a topic that is not narrowed": replace(TOPIC, criteria=""),
}


@pytest.mark.parametrize("wanted", EVERY.values(), ids=EVERY)
def test_it_has_the_structure_of_its_release(wanted: Wanted) -> None:
    assert models.problems(resource(wanted), release=wanted.release) == []


@pytest.mark.parametrize("wanted", EVERY.values(), ids=EVERY)
def test_what_was_asked_for_is_known_again(wanted: Wanted) -> None:
    """As it stands there, with the state that the server gave it."""
    there = {**resource(wanted), "id": "1"}
    states: dict[str, Standing] = {"requested": "waits", "active": "active", "error": "lost", "off": "lost"}
    for status, expected in states.items():
        assert standing({**there, "status": status}, wanted, now=NOW) == expected
    assert standing({**there, "status": "active"}, wanted, now=NOW + timedelta(days=8)) == "lost"
    other = replace(wanted, endpoint="https://csp.example.ca/notify/y")
    assert standing(there, other, now=NOW) == "other"


@pytest.mark.parametrize("body", [None, [], {}, {"resourceType": "Patient"}, {"resourceType": "Subscription"}])
def test_what_is_none_is_another(body: Any) -> None:
    for wanted in EVERY.values():
        assert standing(body, wanted, now=NOW) == "other"


def test_by_a_plain_hook_nothing_of_a_task_is_sent_to_us() -> None:
    """Without a payload a server says that something has changed, and no more."""
    assert "payload" not in resource(PLAIN)["channel"]
    assert resource(TOPIC)["channel"]["_payload"]["extension"][0]["valueCode"] == "id-only"
    assert resource(R5)["content"] == "id-only"


def test_the_secret_stands_in_no_text_of_it() -> None:
    assert "s3" not in repr(PLAIN)


def test_a_topic_is_the_named_one_or_a_stated_one_that_is_about_tasks() -> None:
    assert topic_of("https://t.example/a", (words.TASKS,)) == "https://t.example/a"
    assert topic_of("", ("https://t.example/a", words.GRAVITY)) == words.GRAVITY
    assert topic_of("", (words.GRAVITY, words.TASKS)) == words.TASKS
    assert topic_of("", ("https://t.example/a",)) == ""


def test_only_a_topic_that_we_know_is_narrowed_unasked() -> None:
    ours = "Task?identifier=https://a.example/id|"
    assert criteria_of("", "https://a.example/id", "") == ours
    assert criteria_of("", "https://a.example/id", words.TASKS) == ours
    assert criteria_of("", "https://a.example/id", words.GRAVITY) == ""
    assert (
        criteria_of("Task?owner=Organization/1", "https://a.example/id", words.GRAVITY) == "Task?owner=Organization/1"
    )
    assert criteria_of("", "https://a.example/id?a=1&b", "") == "Task?identifier=https://a.example/id%3Fa%3D1%26b|"


IDS = {
    "of the body": ({"resourceType": "Subscription", "id": "7"}, "", "7"),
    "of a whole Location": (None, "https://there.example.ca/fhir/Subscription/7/_history/1", "7"),
    "of a short Location": ({}, "Subscription/7", "7"),
    "of none": ({"resourceType": "OperationOutcome", "id": "7"}, "https://there.example.ca/", ""),
    "that is none": ({"resourceType": "Subscription", "id": "a/../b"}, "", ""),
}


@pytest.mark.parametrize(("body", "location", "expected"), IDS.values(), ids=IDS)
def test_its_id_is_the_one(body: Any, location: str, expected: str) -> None:
    assert id_of(body, location) == expected


def test_of_what_a_search_finds_those_to_our_endpoint_are_ours() -> None:
    def entry(wanted: Wanted, id_: Any) -> dict[str, Any]:
        return {"resource": {**resource(wanted), "id": id_}}

    other = replace(PLAIN, endpoint="https://other.example.ca/hook")
    bundle = {"entry": [entry(PLAIN, "1"), entry(other, "2"), entry(R5, "3"), entry(PLAIN, "../4"), {}, None]}
    assert found_there(bundle, PLAIN.endpoint) == ["1", "3"]
    assert found_there({"entry": "x"}, PLAIN.endpoint) == found_there(None, PLAIN.endpoint) == []
