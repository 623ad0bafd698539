"""Changes as transaction Bundles: entries, references, chunks."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.diff import Adopt, Create, Delete, Freeze, Made, Release, Update, changes
from adapter.core.fhir.bundle import LARGEST, alike, chunks, sent_of, transaction
from adapter.core.fhir.named import search
from adapter.core.strict_json import dump
from tests.core.test_diff import GOAL, ORGANIZATION, held, made, worlds

PLAN = made("CarePlan", "c", "g")
TASK = made("Task", "t", "g")


def test_each_change_has_its_entry() -> None:
    """POST with ifNoneExist; PUT with ifMatch and the partner's id, and nothing else; DELETE. Resources with the urn as
    fullUrl: without one, HAPI FHIR takes none where it validates."""
    update = Update(TASK, held(TASK, id="7", version="4"))
    bundle = transaction([Create(PLAN), update, Delete(held(GOAL, id="9"))], {TASK.urn: "Task/7", GOAL.urn: "Goal/9"})
    created, updated, deleted = bundle["entry"]
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    assert created == {
        "fullUrl": "urn:uuid:c",
        "resource": {**PLAN.resource, "refers": [{"reference": "Goal/9"}]},
        "request": {"method": "POST", "url": "CarePlan", "ifNoneExist": "identifier=https://s%7Cc"},
    }
    assert updated == {
        "fullUrl": "urn:uuid:t",
        "resource": {**TASK.resource, "id": "7", "refers": [{"reference": "Goal/9"}]},
        "request": {"method": "PUT", "url": "Task/7", "ifMatch": 'W/"4"'},
    }
    assert deleted == {"request": {"method": "DELETE", "url": "Goal/9"}}


def test_without_a_known_version_there_is_no_condition_on_it() -> None:
    """Some servers state no version; an empty one must not be sent as one."""
    assert "ifMatch" not in transaction([Update(GOAL, held(GOAL, version=""))], {})["entry"][0]["request"]


def test_a_reference_to_what_the_bundle_creates_stays_a_urn() -> None:
    """Also if an id is known from before: what was withdrawn and comes back has another one."""
    bundle = transaction([Create(GOAL), Create(PLAN)], {GOAL.urn: "Goal/old"})
    assert bundle["entry"][1]["resource"]["refers"] == [{"reference": GOAL.urn}]


@pytest.mark.parametrize(
    "resource",
    [
        {"subject": {"reference": "urn:uuid:elsewhere"}},
        {"a": [{"b": {"reference": "urn:oid:1.2.3"}}]},
        {"content": [{"attachment": {"url": "urn:uuid:elsewhere"}}]},
        {"contained": [{"subject": {"reference": "urn:uuid:elsewhere"}}]},
    ],
    ids=["a urn that nobody holds", "another kind of urn", "an attachment", "inside a contained resource"],
)
def test_a_reference_to_nowhere_is_refused(resource: dict[str, Any]) -> None:
    """Some servers store a dangling urn as it is; the sentence names the place, not the urn."""
    with pytest.raises(ValueError, match="refers to what the partner does not hold") as raised:
        transaction([Create(replace(GOAL, resource={"resourceType": "Goal", **resource}))], {})
    assert "elsewhere" not in str(raised.value)


def test_what_is_no_urn_is_left_alone() -> None:
    """Relative, absolute and contained references, logical ones, and texts that look like urns."""
    resource = {
        "resourceType": "Goal",
        "subject": {"reference": "Patient/1"},
        "expressedBy": {"identifier": {"system": "urn:uuid:x", "value": "urn:uuid:y"}},
        "note": [{"text": "urn:uuid:z", "authorReference": {"reference": "#a"}}],
        "extension": [{"url": "https://example.org/urn:uuid:1", "valueDecimal": Decimal("1.50")}],
    }
    sent = transaction([Create(replace(GOAL, resource=resource))], {})["entry"][0]["resource"]
    assert sent == resource
    assert b'"valueDecimal":1.50' in dump(sent)


@pytest.mark.parametrize(
    "pair",
    [
        [Create(GOAL), Create(GOAL)],
        [Create(GOAL), Create(replace(GOAL, urn="urn:uuid:other"))],
        [Update(GOAL, held(GOAL)), Delete(held(GOAL))],
        [Update(GOAL, held(GOAL, id="1")), Update(PLAN, held(replace(PLAN, type="Goal"), id="1"))],
    ],
    ids=["one urn", "one identifier", "one holding", "one place"],
)
def test_one_identity_travels_once(pair: list[Any]) -> None:
    """Of two entries for one resource servers drop one in silence."""
    with pytest.raises(ValueError, match="two changes of one identity"):
        transaction(pair, {GOAL.urn: "Goal/1"})


def test_what_needs_no_traffic_does_not_travel() -> None:
    """And a Bundle of nothing is never sent."""
    quiet = [Adopt(ORGANIZATION, held(ORGANIZATION)), Freeze(held(GOAL)), Release(held(PLAN))]
    assert sent_of([*quiet, Create(GOAL)]) == (Create(GOAL),)
    assert chunks(quiet, 5) == ()
    with pytest.raises(ValueError, match="no change needs a Bundle"):
        transaction(quiet, {})


def test_nothing_that_was_made_is_changed() -> None:
    """The holdings hash the resource as it was made; sending leaves it so."""
    before = copy.deepcopy(PLAN.resource)
    transaction([Update(PLAN, held(PLAN))], {GOAL.urn: "Goal/1"})
    assert before == PLAN.resource


TOKENS = st.text(st.characters(codec="utf-8"), max_size=12)


@given(TOKENS, TOKENS)
def test_an_identifier_survives_the_query(system: str, value: str) -> None:
    """Percent-encoding and the escapes of FHIR tokens are undone by who reads them as the specifications say."""
    [(name, token)] = parse_qsl(search("Goal", (system, value)), keep_blank_values=True)
    parts, escaped = [""], False
    for character in token:
        if escaped or character not in "\\|":
            parts[-1] += character
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            parts.append("")
    assert (name, parts) == ("identifier", [system, value])


@given(worlds(), st.integers(1, 9))
def test_chunks_are_whole_small_and_in_order(world: Any, size: int) -> None:
    """Every change once; none over the size; each refers only to itself, to earlier ones, to what is held."""
    desired, holdings = world
    planned = changes(desired, holdings)
    groups = chunks(planned, size)
    assert sorted(map(repr, sent_of(planned))) == sorted(repr(change) for group in groups for change in group)
    assert all(1 <= len(group) <= size for group in groups)
    flat = [isinstance(change, Delete) for group in groups for change in group]
    assert flat == sorted(flat)
    ids = {each.urn: f"{each.type}/{each.id}" for each in holdings if each.state != "withdrawn"}
    for group in groups:
        transaction(group, ids)  # raises if anything is missing
        ids |= {change.made.urn: f"{change.made.type}/x" for change in group if isinstance(change, Create)}


def test_a_circle_travels_together() -> None:
    """What refers to each other cannot be cut apart, even if the partner's limit is smaller."""
    circle = [Create(made("Task", "1", "2")), Create(made("Task", "2", "1")), Create(GOAL)]
    assert [len(group) for group in chunks(circle, 1)] == [1, 2]
    assert chunks(circle, 1)[0] == (Create(GOAL),)
    with pytest.raises(ValueError, match="at least one"):
        chunks(circle, 0)


def test_creates_of_one_type_are_alike() -> None:
    """Only their identifiers tell them apart when an answer comes in another order."""
    assert alike([Create(GOAL), Create(made("Goal", "other"))])
    assert not alike([Create(GOAL), Create(PLAN), Update(TASK, held(TASK)), Update(PLAN, held(PLAN))])


def test_the_bytes_of_documents_do_not_travel_in_one_bundle_beyond_what_servers_take() -> None:
    """Few changes can be many bytes; one that is too large by itself travels alone, and none is lost."""
    sizes = [3_000_000, 900_000, 900_000, 5_000_000, 10]
    binaries = [
        Create(
            Made(
                f"urn:uuid:{n}",
                "Binary",
                ("s", str(n)),
                {"resourceType": "Binary", "contentType": "a/b", "data": "A" * size},
            )
        )
        for n, size in enumerate(sizes)
    ]
    groups = chunks([*binaries, Create(GOAL)], 200)
    assert Counter(c.made.urn for group in groups for c in group) == Counter(
        [*(b.made.urn for b in binaries), GOAL.urn]
    )
    weights = [sum(len(dump(c.made.resource)) for c in group) for group in groups]
    assert [w for w, group in zip(weights, groups, strict=True) if w > LARGEST and len(group) > 1] == []
    assert len(groups) == 4
