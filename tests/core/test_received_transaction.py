"""How a received transaction is read: what each entry asks, in which order, and where its links lead afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.fhir.search import PARAMETERS
from adapter.core.fhir.transaction import MOST_ENTRIES, Step, in_order, loose, placed, steps, twice
from adapter.errors import AdapterError, Malformed, Refused, TooLarge

BASE = "https://board.example/fhir"
GOAL = {"resourceType": "Goal"}
URN = "urn:uuid:3f0e7a52-6d6a-4d0b-9a5e-0c2b1f6f4a11"


def read(*entries: Any, kind: str = "transaction") -> list[Step]:
    return steps({"resourceType": "Bundle", "type": kind, "entry": list(entries)}, PARAMETERS, base=BASE)[1]


def entry(method: str, url: str, resource: Any = None, **request: Any) -> dict[str, Any]:
    made = {"request": {"method": method, "url": url, **request}}
    return made if resource is None else made | {"resource": resource}


REFUSED = {
    "no request": ({}, "/entry/0/request"),
    "an entry that is no object": ("x", "/entry/0/request"),
    "a method that is not spoken": (entry("PATCH", "Goal/1"), "/entry/0/request/method"),
    "a type that is not kept": (entry("GET", "Medication/1"), "/entry/0/request/url"),
    "another server's address": (entry("GET", "https://other.example/fhir/Goal/1"), "/entry/0/request/url"),
    "an operation": (entry("GET", "Patient/1/$everything"), "/entry/0/request/url"),
    "an update without an id": (entry("PUT", "Goal", GOAL), "/entry/0/request/url"),
    "an update with an id that is none": (entry("PUT", "Goal/a_b", GOAL), "/entry/0/request/url"),
    "an update with id and condition": (entry("PUT", "Goal/1?identifier=a", GOAL), "/entry/0/request/url"),
    "a create with an id": (entry("POST", "Goal/1", GOAL), "/entry/0/request/url"),
    "a create with an empty condition": (
        entry("POST", "Goal", GOAL, ifNoneExist="Goal?"),
        "/entry/0/request/ifNoneExist",
    ),
    "a create without a resource": (entry("POST", "Goal"), "/entry/0/resource"),
    "a resource of another type": (entry("POST", "Goal", {"resourceType": "Task"}), "/entry/0/resource/resourceType"),
    "a deletion of everything": (entry("DELETE", "Goal"), "/entry/0/request/url"),
    "an update only if there is none": (
        entry("PUT", "Goal/1", GOAL, ifNoneExist="x=y"),
        "/entry/0/request/ifNoneExist",
    ),
    "a version that is no text": (entry("PUT", "Goal/1", GOAL, ifMatch=1), "/entry/0/request/ifMatch"),
}


@pytest.mark.parametrize(("wrong", "pointer"), REFUSED.values(), ids=REFUSED)
def test_an_entry_is_refused_for(wrong: Any, pointer: str) -> None:
    """Each names the place in the Bundle, before anything is written."""
    with pytest.raises(Refused) as refused:
        read(wrong)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


def test_every_wrong_entry_is_named_at_once() -> None:
    """A sender repairs a Bundle in one go."""
    with pytest.raises(Refused) as refused:
        read({}, entry("GET", "Goal/1"), {})
    assert [problem.pointer for problem in refused.value.problems] == ["/entry/0/request", "/entry/2/request"]


@pytest.mark.parametrize(
    ("body", "error"),
    {
        "a list": ([], Malformed),
        "another resource": (GOAL, Malformed),
        "a collection": ({"resourceType": "Bundle", "type": "collection"}, Malformed),
        "entries that are no list": ({"resourceType": "Bundle", "type": "batch", "entry": {}}, Malformed),
        "too many entries": ({"resourceType": "Bundle", "type": "batch", "entry": [{}] * (MOST_ENTRIES + 1)}, TooLarge),
    }.values(),
)
def test_what_is_not_to_be_worked_on_is_refused(body: Any, error: type[AdapterError]) -> None:
    """Only transactions and batches are Bundles to be worked on, and only up to a size."""
    with pytest.raises(error):
        steps(body, PARAMETERS, base=BASE)


def test_the_order_is_the_specification_s_whatever_the_sender_s() -> None:
    """DELETE, POST, PUT, GET; within a method as sent."""
    found = read(
        entry("GET", "Goal/1"),
        entry("PUT", "Goal/2", GOAL),
        entry("POST", "Goal", GOAL),
        entry("DELETE", "Goal/3"),
        entry("POST", f"{BASE}/Goal", GOAL),
    )
    assert [step.position for step in in_order(found)] == [3, 2, 4, 1, 0]


def test_one_identity_stands_once() -> None:
    """By fullUrl, by id and by condition; reading does not count."""
    found = read(
        entry("PUT", "Goal/1", GOAL) | {"fullUrl": URN},
        entry("DELETE", "Goal/1"),
        entry("GET", "Goal/1"),
        entry("POST", "Task", {"resourceType": "Task"}, ifNoneExist="identifier=a|b"),
        entry("PUT", "Task?identifier=a%7Cb", {"resourceType": "Task"}),
        entry("POST", "Goal", GOAL) | {"fullUrl": URN},
    )
    assert [problem.pointer for problem in twice(found)] == ["/entry/1", "/entry/4", "/entry/5"]


def test_links_are_replaced_where_they_stand_for_a_resource() -> None:
    """References at any depth, urls and narrative links are; identifiers, texts and canonicals are not."""
    resource = {
        "resourceType": "CarePlan",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": URN}],
        "instantiatesCanonical": [URN],
        "title": URN,
        "subject": {"reference": URN, "identifier": {"value": URN}},
        "contained": [{"resourceType": "Goal", "id": "g", "subject": {"reference": URN}}],
        "extension": [{"url": "x", "valueUri": URN}, {"url": "y", "valueString": URN}],
        "text": {"status": "generated", "div": f'<div><a href="{URN}">x</a> {URN}</div>'},
    }
    made = placed(resource, {URN: "Patient/9"}, "")
    assert made == {
        "resourceType": "CarePlan",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": URN}],
        "instantiatesCanonical": [URN],
        "title": URN,
        "subject": {"reference": "Patient/9", "identifier": {"value": URN}},
        "contained": [{"resourceType": "Goal", "id": "g", "subject": {"reference": "Patient/9"}}],
        "extension": [{"url": "x", "valueUri": "Patient/9"}, {"url": "y", "valueString": URN}],
        "text": {"status": "generated", "div": f'<div><a href="Patient/9">x</a> {URN}</div>'},
    }


def test_relative_references_are_of_the_server_where_they_were_written() -> None:
    """An entry with a RESTful fullUrl refers to its neighbours by Type/id there (bundle.html#references)."""
    places = {"https://other.example/fhir/Patient/1": "Patient/9"}
    made = placed({"subject": {"reference": "Patient/1/_history/4"}}, places, "https://other.example/fhir/Goal/2")
    assert made == {"subject": {"reference": "Patient/9"}}
    assert placed({"subject": {"reference": "Patient/1"}}, places, URN) == {"subject": {"reference": "Patient/1"}}


LEADS = {
    "a urn that no entry has": (URN, "an entry that is not in this Bundle"),
    "a condition": ("Patient?identifier=a|b", "conditional reference"),
    "a contained resource that is not there": ("#none", "contained resource"),
    "a word": ("mother", "is not a reference"),
    "a path that climbs": ("../Patient/1", "is not a reference"),
}


@pytest.mark.parametrize(("reference", "words"), LEADS.values(), ids=LEADS)
def test_a_reference_is_refused_that_is(reference: str, words: str) -> None:
    """The problem names the place and the rule, never the reference."""
    problems, wanted = loose({"resourceType": "Goal", "subject": {"reference": reference}}, BASE)
    assert [problem.pointer for problem in problems] == ["/subject/reference"]
    assert words in problems[0].detail
    assert reference not in problems[0].detail
    assert wanted == {}


def test_references_that_are_there_or_elsewhere_are_let_through() -> None:
    """What must be there is asked for by Type/id; contained and absolute references are the sender's own."""
    resource = {
        "resourceType": "Task",
        "contained": [{"resourceType": "Organization", "id": "o", "partOf": {"reference": "#"}}],
        "owner": {"reference": "#o"},
        "for": {"reference": f"{BASE}/Patient/1"},
        "focus": {"reference": "ServiceRequest/2/_history/1"},
        "requester": {"reference": "https://other.example/fhir/Practitioner/1"},
    }
    assert loose(resource, BASE) == ([], {"Patient/1": ["/for/reference"], "ServiceRequest/2": ["/focus/reference"]})


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from(["POST", "Goal", "GET", URN, "PUT"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["request", "resource", "fullUrl", "method", "url", "resourceType", "ifNoneExist", "reference"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.lists(values, max_size=4))
def test_no_bundle_is_an_internal_error(entries: list[Any]) -> None:
    """Whatever the entries hold: steps, or an error with a status of its own."""
    try:
        found = read(*entries)
    except AdapterError:
        return
    for step in in_order(found):
        loose(placed(step.resource or {}, {URN: "Patient/1"}, step.full_url), BASE)
