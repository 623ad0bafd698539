"""Whatever is sent, the answer is a value: records that are valid, refusals and findings that hold nothing of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.case import check
from adapter.core.mapping.inbound import Received, records
from tests.core.consent.proofs.amounts import examples
from tests.core.inbound.home import bundle_of, every_leaf, sender, using
from tests.core.inbound.test_examples import FILES, resource_of
from tests.core.mapping_files.views import mapped, mappings

_MARK = "QZMARKQZ"
_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**30, float("nan"), "", _MARK, "2015", "2015-13-45", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", f"<div>{_MARK}<script>{_MARK}</script>", "\ud800", "x" * 20_001, "x" * 301, "\x00\x01",
    [], {}, [[]], [{}], {"reference": "#"}, {"reference": f"Patient/{_MARK}"}, {"reference": 5},
    {"reference": {"reference": {}}}, {"coding": [{"system": 5, "code": []}]}, {"coding": _MARK},
    {"extension": {"url": {}}},
    {"identifier": {"value": {}}}, "urn:uuid:x", "http://[::1", "?identifier=a|b", {"resourceType": "Goal"}, b"bytes",
)  # fmt: skip
_TEXTS = (
    _MARK, "2015", "2015-02-30", "2016-01-01T00:00:00Z", "active", "completed", "Patient/example", "#x", "urn:uuid:1",
    "a" * 301, "b" * 20_001, "line\nline", "https://csp-adapter.example/StructureDefinition/csp-record-status",
    "strength", "survey", "goal-step", "ready", "h per x", "https://csp-adapter.example/CodeSystem/domain",
    "CarePlan/1", "family",
)  # fmt: skip


@cache
def pool(release: Any) -> tuple[dict[str, Any], ...]:
    """Resources to break: our own of every kind, and what others published."""
    made = mapped(every_leaf(), mappings(release)).made
    others = tuple(resource_of(path) for path in FILES) if release == "R4" else ()
    return (bundle_of(made), *(each.resource for each in made), *others)


def places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*at, key)
            yield from places(child, (*at, key))


def broken(random: Random, resource: Any, *, softly: bool) -> Any:
    """A copy with a few elements dropped, replaced, doubled, moved or nested; `softly`: with values of their types."""
    resource = copy.deepcopy(resource)
    for _ in range(random.choice((1, 1, 2, 4))):
        found = list(places(resource))
        if not found:
            return resource
        *above, last = random.choice(found)
        holder = resource
        for key in above:
            holder = holder[key]
        there = holder[last]
        match random.randrange(6):
            case 0:
                del holder[last]
            case 1:
                elsewhere = resource
                for key in random.choice(found):
                    elsewhere = elsewhere[key] if key in _keys(elsewhere) else elsewhere
                holder[last] = copy.deepcopy(elsewhere)
            case _ if softly and isinstance(there, str):
                holder[last] = random.choice(_TEXTS)
            case _ if softly and isinstance(there, list):
                holder[last] = random.choice((there * 2, there[::-1], there[:1] * 3))
            case 2:
                for _ in range(random.choice((1, 20, 90))):
                    there = [there] if random.random() < 0.5 else {"extension": there}
                holder[last] = there
            case _ if not softly:
                holder[last] = copy.deepcopy(random.choice(_VALUES))
    return resource


def _keys(value: Any) -> Any:
    return value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()


def sound(received: Received, release: Any) -> None:
    """Records are valid together, and what is told of the rest names elements and no values."""
    found = {"case": "x", "program": "wraparound", "child": {"name": {"family": "x"}}} | received.case()
    assert check(found, using(release).schemas) == []
    for note in (*received.refused, *received.findings):
        assert note.rule and note.expression[:1].isupper()
        assert _MARK not in note.rule and _MARK not in note.expression
    json.dumps([note.expression for note in received.refused])


@pytest.mark.parametrize("release", ["R4", "R5"])
@pytest.mark.parametrize("softly", [True, False], ids=["of their types", "of any type"])
@examples(40)
@given(seed=st.integers(0, 2**32))
def test_whatever_is_broken_the_answer_is_a_value(release: Any, softly: bool, seed: int) -> None:
    random = Random(seed)
    given_ = [broken(random, random.choice(pool(release)), softly=softly) for _ in range(random.choice((1, 1, 2, 5)))]
    if random.random() < 0.3:
        urls = [random.choice(("urn:uuid:1", "http://h.example/Goal/1", "", 5)) for _ in given_]
        entries = [{"fullUrl": url, "resource": each} for url, each in zip(urls, given_, strict=True)]
        given_ = [{"resourceType": "Bundle", "type": "collection", "entry": entries}]
    sound(records(given_, using(release), sender()), release)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(_TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
TYPES = st.sampled_from(("Bundle", "Goal", "Task", "CarePlan", "Patient", "Consent", "Binary", "Nothing"))


@examples(60)
@given(
    st.lists(
        JSON
        | st.builds(
            lambda type_, body: {**(body if isinstance(body, dict) else {}), "resourceType": type_}, TYPES, JSON
        )
    )
)
def test_any_json_at_all_is_answered(given_: list[Any]) -> None:
    sound(records(given_, using(), sender()), "R4")


def _nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"extension": [value]}
    return value


GOAL = {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "x"}, "subject": {"display": "x"}}


@pytest.mark.parametrize(
    ("given_", "rule"),
    [
        pytest.param([{**GOAL, "extension": [_nested(5000)]}], "it is nested deeper than 60 levels", id="nested deep"),
        pytest.param(
            [{**GOAL, "note": [{"text": "x"}] * 2001}], "it has a list of more than 2000 entries", id="a long list"
        ),
        pytest.param(
            [{**GOAL, "id": str(n)} for n in range(5001)],
            "a set holds at most 5000 resources: send the rest apart",
            id="many resources",
        ),
        pytest.param(
            [{**GOAL, "id": str(n)} for n in range(2001)], "a case holds at most 2000 goals", id="many of a collection"
        ),
        pytest.param(
            [{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle"}}]}],
            "a Bundle in a Bundle is not looked into: send it apart",
            id="a Bundle in a Bundle",
        ),
        pytest.param(
            [{"resourceType": "Bundle", "entry": "x"}], "must be a list", id="entries that are no list"
        ),
        pytest.param(
            [{**GOAL, "startDate": 2**70}],
            "it has a value that is no JSON: half a character, or a number that no other system can read",
            id="a number beyond numbers",
        ),
    ],
)  # fmt: skip
def test_what_is_too_large_is_refused(given_: list[Any], rule: str) -> None:
    received = records(given_, using(), sender())
    assert rule in {note.rule for note in received.refused}


def test_references_in_a_circle_end() -> None:
    """Plans that replace each other and are part of each other, a role of itself, a Task about itself."""
    subject = {"subject": {"display": "x"}}
    plans = [
        {"resourceType": "CarePlan", "id": one, "status": "active", "intent": "plan", **subject,
         "replaces": [{"reference": f"CarePlan/{other}"}], "partOf": [{"reference": f"CarePlan/{other}"}]}
        for one, other in (("a", "b"), ("b", "a"))
    ]  # fmt: skip
    task = {"resourceType": "Task", "id": "t", "status": "requested", "intent": "order",
            "focus": {"reference": "Task/t"}, "basedOn": [{"reference": "Task/t"}]}  # fmt: skip
    role = {"resourceType": "PractitionerRole", "id": "r", "practitioner": {"reference": "PractitionerRole/r"}}
    received = records([*plans, task, role], using(), sender())
    sound(received, "R4")
    assert {each.record["supersedes"] for each in received.records} == {each.path for each in received.records}
    assert {note.expression for note in received.refused} == {"Task.focus", "PractitionerRole.practitioner"}


def test_a_cycle_of_values_ends() -> None:
    """JSON has none; a caller's value might."""
    goal: dict[str, Any] = copy.deepcopy(GOAL)
    goal["extension"] = [goal]
    assert [note.rule for note in records([goal], using(), sender()).refused] == ["it is nested deeper than 60 levels"]
