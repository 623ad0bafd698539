"""Transactions on /fhir: all or nothing, in the specification's order, with every link led to its place."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from tests.web.conftest import Web
from tests.web.shapes import assert_error
from tests.web.test_fhir import CONDITION, PATIENT, WHO, goal

CHILD = "urn:uuid:0b6f9f3e-58a6-4a5e-9d0e-2d0d8a1c0001"
GOAL = "urn:uuid:0b6f9f3e-58a6-4a5e-9d0e-2d0d8a1c0002"
PLAN = "urn:uuid:0b6f9f3e-58a6-4a5e-9d0e-2d0d8a1c0003"


def entry(method: str, url: str, resource: Any = None, full_url: str = "", **request: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    made |= {"resource": resource} if resource is not None else {}
    return made | ({"fullUrl": full_url} if full_url else {})


def bundle(*entries: dict[str, Any], kind: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def plan(subject: str, *goals: str) -> dict[str, Any]:
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": subject},
        "goal": [{"reference": each} for each in goals],
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{GOAL}">a goal</a></div>',
        },
    }


WHOLE = (
    entry("POST", "CarePlan", plan(CHILD, GOAL), PLAN),
    entry("POST", "Goal", goal(CHILD), GOAL),
    entry("POST", "Patient", PATIENT, CHILD, ifNoneExist=CONDITION),
)


def held(web: Web) -> dict[str, int]:
    return {
        type_: web.ask(WHO, "GET", f"/fhir/{type_}").json["total"] for type_ in ("Patient", "Goal", "CarePlan", "Task")
    }


def places(answer: Any) -> list[str]:
    return [each["response"]["location"].split("/_history/")[0] for each in answer.json["entry"]]


def test_entries_refer_to_each_other_in_any_order(web: Web) -> None:
    """References and narrative links lead to where the resources now are; the answers stand in the entries' order."""
    answer = web.ask(WHO, "POST", "/fhir", bundle(*WHOLE))
    assert answer.status_code == 200
    assert answer.json["type"] == "transaction-response"
    made, goal_at, child = places(answer)
    for each in answer.json["entry"]:
        assert each["response"]["status"] == "201 Created"
        assert each["response"]["etag"] == 'W/"1"'
        assert re.fullmatch(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]+/_history/1", each["response"]["location"])
        assert each["response"]["lastModified"].endswith("Z")
        assert "resource" not in each
    kept = web.ask(WHO, "GET", f"/fhir/{made}").json
    assert kept["subject"] == {"reference": child}
    assert kept["goal"] == [{"reference": goal_at}]
    assert f'<a href="{goal_at}">' in kept["text"]["div"]
    assert "urn:uuid" not in web.ask(WHO, "GET", f"/fhir/{made}").text


def test_the_same_again_finds_the_child_and_leads_there(web: Web) -> None:
    """ifNoneExist: the second time the child is there, and everything new refers to it."""
    first, second = (web.ask(WHO, "POST", "/fhir", bundle(*WHOLE)) for _ in range(2))
    assert places(first)[2] == places(second)[2]
    assert [each["response"]["status"] for each in second.json["entry"]] == ["201 Created", "201 Created", "200 OK"]
    assert held(web) == {"Patient": 1, "Goal": 2, "CarePlan": 2, "Task": 0}


def test_conditional_update_in_a_transaction(web: Web) -> None:
    """Created the first time, updated the second, and referred to by its fullUrl both times."""
    entries = (entry("PUT", f"Patient?{CONDITION}", PATIENT, CHILD), entry("POST", "Goal", goal(CHILD), GOAL))
    first, second = (web.ask(WHO, "POST", "/fhir", bundle(*entries)) for _ in range(2))
    assert [each["response"]["status"] for each in second.json["entry"]] == ["200 OK", "201 Created"]
    assert second.json["entry"][0]["response"]["etag"] == 'W/"2"'
    assert places(first)[0] == places(second)[0]


def test_deletions_come_first_and_reading_last(web: Web) -> None:
    """As sent: read, create, delete; as done: the identifier is free again, and what is read is what is new."""
    old = web.ask(WHO, "POST", "/fhir/Patient", PATIENT).json["id"]
    answer = web.ask(
        WHO,
        "POST",
        "/fhir",
        bundle(
            entry("GET", f"Patient?{CONDITION}"),
            entry("POST", "Patient", PATIENT, CHILD, ifNoneExist=CONDITION),
            entry("DELETE", f"Patient/{old}"),
        ),
    )
    read, made, gone = answer.json["entry"]
    assert made["response"]["status"] == "201 Created"
    assert gone["response"]["status"] == "204 No Content"
    assert [each["resource"]["id"] for each in read["resource"]["entry"]] == [places_of(made)]


def places_of(told: dict[str, Any]) -> str:
    return str(told["response"]["location"].split("/")[1])


def test_a_whole_case_is_taken_back_in_one_transaction(web: Web) -> None:
    """Resources that refer to each other go together, in whatever order they are named."""
    made = places(web.ask(WHO, "POST", "/fhir", bundle(*WHOLE)))
    answer = web.ask(WHO, "POST", "/fhir", bundle(*(entry("DELETE", place) for place in reversed(made))))
    assert answer.status_code == 200
    assert set(held(web).values()) == {0}


BROKEN: dict[str, tuple[dict[str, Any], int, str]] = {
    "a resource that breaks a rule": (
        entry("POST", "Goal", goal(CHILD, lifecycleStatus=1)),
        422,
        "resource.lifecycleStatus",
    ),
    "a reference to nothing": (entry("POST", "Goal", goal("Patient/none")), 422, "resource.subject.reference"),
    "a reference to no entry": (entry("POST", "Goal", goal("urn:uuid:none")), 422, "resource.subject.reference"),
    "a conditional reference": (entry("POST", "Goal", goal(f"Patient?{CONDITION}")), 422, "resource.subject.reference"),
    "a stale version": (entry("PUT", "Patient/new", PATIENT | {"id": "new"}, ifMatch='W/"1"'), 412, ""),
    "an ambiguous condition": (entry("POST", "Organization", {}, ifNoneExist="identifier=twice"), 412, ""),
    "an unknown method": (entry("PATCH", "Goal/1"), 422, "request.method"),
    "an unknown type": (entry("POST", "Medication", {"resourceType": "Medication"}), 422, "request.url"),
    "a search that cannot be read": (entry("GET", "Goal?colour=blue"), 400, ""),
    "reading what is not there": (entry("GET", "Goal/none"), 404, ""),
    "the deletion of what is referred to": (entry("DELETE", "Patient/kept"), 409, ""),
    "an identity for the second time": (entry("PUT", "Patient/kept", PATIENT | {"id": "kept"}, CHILD), 422, ""),
    "the same child by id and by condition": (entry("PUT", "Patient?identifier=kept", PATIENT), 422, ""),
}


@pytest.mark.parametrize(("wrong", "status", "where"), BROKEN.values(), ids=BROKEN)
def test_one_wrong_entry_undoes_all(web: Web, wrong: dict[str, Any], status: int, where: str) -> None:
    """One OperationOutcome that names the entry; not a resource, not a version is left behind."""
    kept = {"resourceType": "Patient", "id": "kept", "identifier": [{"value": "kept"}]}
    web.ask(WHO, "PUT", "/fhir/Patient/kept", kept)
    web.ask(WHO, "PUT", "/fhir/Goal/kept", goal("Patient/kept", id="kept"))
    for _ in range(2):
        web.ask(WHO, "POST", "/fhir/Organization", {"resourceType": "Organization", "identifier": [{"value": "twice"}]})
    if "resource" in wrong and not wrong["resource"]:
        wrong = wrong | {"resource": {"resourceType": "Organization", "name": "Twice"}}
    before = held(web)
    update = entry("PUT", "Patient/kept", PATIENT | {"id": "kept", "gender": "female"})
    rest = [*WHOLE] if "DELETE" in str(wrong) else [*WHOLE, update]
    answer = web.ask(WHO, "POST", "/fhir", bundle(*rest, wrong))
    assert_error(answer, status)
    named = [path for issue in answer.json["issue"] for path in issue.get("expression", [])]
    position = len(rest)
    if status in (400, 404):
        assert len(answer.json["issue"]) == 1
    else:
        assert f"Bundle.entry[{position}]{'.' if where else ''}{where}" in named
    assert held(web) == before
    assert web.ask(WHO, "GET", "/fhir/Patient/kept").headers["ETag"] == 'W/"1"'


def test_a_batch_does_what_it_can(web: Web) -> None:
    """Each entry has its own answer, its own outcome where it failed, and no say over the others."""
    answer = web.ask(
        WHO,
        "POST",
        "/fhir",
        bundle(
            entry("POST", "Patient", PATIENT),
            entry("POST", "Goal", goal("Patient/none")),
            entry("GET", "Patient/none"),
            entry("POST", "Patient", PATIENT, ifNoneExist=CONDITION),
            kind="batch",
        ),
    )
    assert answer.status_code == 200
    assert answer.json["type"] == "batch-response"
    told = [each["response"] for each in answer.json["entry"]]
    assert [each["status"].split()[0] for each in told] == ["201", "422", "404", "200"]
    assert told[1]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[1].resource.subject.reference"]
    assert held(web)["Patient"] == 1


def test_prefer_repeats_what_was_written(web: Web) -> None:
    """Prefer: return=representation puts the resources into the answer."""
    answer = web.ask(WHO, "POST", "/fhir", bundle(*WHOLE), Prefer="return=representation")
    assert [each["resource"]["resourceType"] for each in answer.json["entry"]] == ["CarePlan", "Goal", "Patient"]


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ([], 400), (bundle(kind="document"), 400), (bundle(*[{}] * 501), 413), (bundle(), 200)],
    ids=["no Bundle", "a list", "a document", "too many entries", "nothing to do"],
)
def test_a_bundle_to_be_worked_on(web: Web, body: Any, status: int) -> None:
    """What is no transaction or batch is refused before anything is looked at."""
    answer = web.ask(WHO, "POST", "/fhir", body)
    if status == 200:
        assert answer.json == {"resourceType": "Bundle", "type": "transaction-response"}
    else:
        assert_error(answer, status)


def test_the_same_child_sent_at_once_is_one_child(web: Web) -> None:
    """Conditional creates that race do not double (reference/servers.md, HAPI #3141)."""
    answers: list[int] = []
    senders = [
        threading.Thread(target=lambda: answers.append(web.ask(WHO, "POST", "/fhir", bundle(*WHOLE)).status_code))
        for _ in range(6)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert answers == [200] * 6
    assert held(web) == {"Patient": 1, "Goal": 6, "CarePlan": 6, "Task": 0}
