"""A case accepted whole or refused whole: every problem at once, in words of the rule, never of the record."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from referencing import Registry, Resource

from adapter.catalogue import record_schemas
from adapter.core.case import check
from adapter.core.schema import Group, Leaf, Listing, Node, Schemas
from adapter.errors import Problem

ROOT = Path(__file__).parents[2]
FILES = {p.name.split(".")[0]: json.loads(p.read_text("utf-8")) for p in (ROOT / "mappings" / "records").iterdir()}
SCHEMAS = Schemas.of(FILES)
REFERENCE = jsonschema.Draft202012Validator(
    FILES["case"],
    registry=Registry().with_resources((f["$id"], Resource.from_contents(f)) for f in FILES.values()),
    format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
)
WHOLE = json.loads((ROOT / "fixtures" / "ontario-csp" / "case.json").read_text("utf-8"))
SMALL: dict[str, Any] = {
    "case": "C-1",
    "program": "wraparound",
    "child": {"name": {"given": ["Ama"]}},
    "people": [{"id": "mother", "name": {"given": ["Efua"]}, "relationship": "mother"}],
    "goals": [{"id": "g1", "title": "Rest", "status": "active"}],
}


def _with(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SMALL), **changes}


def _goal(**fields: Any) -> dict[str, Any]:
    return _with(goals=[{"id": "g1", "title": "Rest", "status": "active", **fields}])


@pytest.mark.parametrize(
    ("case", "pointer", "words"),
    [
        ({"case": "C-1"}, "/child", "missing"),
        (_with(case="C 1"), "/case", "letters, digits"),
        (_with(program="none"), "/program", "must be one of: ontario-csp"),
        (_with(colour="red"), "/colour", "not known"),
        (_goal(colour="red"), "/goals/0/colour", "not known"),
        (_goal(title=" "), "/goals/0/title", "must hold text"),
        (_goal(title="a\u0007b"), "/goals/0/title", "control characters"),
        (_goal(title=7), "/goals/0/title", "type string"),
        (_goal(text="x" * 20_001), "/goals/0/text", "too long"),
        (_goal(due="2026-02-30"), "/goals/0/due", "that exists"),
        (_goal(due="soon"), "/goals/0/due", "that exists"),
        (_goal(rank=0), "/goals/0/rank", "too small"),
        (_goal(domain="No Code"), "/goals/0/domain", "short code"),
        (_goal(set_by="organizations/x"), "/goals/0/set_by", "must refer to one of: child, people"),
        (_goal(set_by="people/nobody"), "/goals/0/set_by", "leads to nothing"),
        (_goal(needs=["needs/none"]), "/goals/0/needs/0", "leads to nothing"),
        (_goal(steps=[{"id": "s", "text": "a"}, {"id": "s", "text": "b"}]), "/goals/0/steps/1/id", "more than once"),
        (_with(goals=SMALL["goals"] * 2), "/goals/1/id", "more than once"),
        (_with(care_plans=[{"id": "p", "status": "active", "period": {"start": "2026-02-01", "end": "2026-01-31"}}]),
         "/care_plans/0/period/end", "comes before"),
        (_with(care_teams=[{"id": "t", "status": "active", "members": [
            {"id": "m", "member": "people/mother", "role": "parent", "since": "2026-05-01", "until": "2026-04-01"}]}]),
         "/care_teams/0/members/0/until", "comes before"),
        (_with(care_plans=[{"id": "p", "status": "active", "reviews": {"every": "6 months"}}]),
         "/care_plans/0/reviews/every", "length of time"),
        (_with(consents=[{"id": "c", "status": "active", "granted_by": "people/mother", "provisions": [],
                          "signed_at": "yesterday"}]), "/consents/0/signed_at", "date or a date-time"),
        (_goal(due="0000-01-01"), "/goals/0/due", "that exists"),
        *((_with(consents=[{"id": "c", "status": "active", "granted_by": "people/mother", "provisions": [],
                            "signed_at": moment}]), "/consents/0/signed_at", "date or a date-time")
          for moment in ("0000-12-31T23:00:00Z", "2016-12-31T23:59:60Z", "2026-01-01t00:00:00z",
                         "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00")),
        ([], "", "must be of type object"),
        ("text", "", "must be of type object"),
        (None, "", "must be of type object"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named_where_it_is_broken(case: Any, pointer: str, words: str) -> None:
    found = check(case, SCHEMAS)
    assert [p for p in found if p.pointer == pointer and words in p.detail], found


def test_every_problem_is_told_at_once() -> None:
    """Of the schema, of references, of ids and of dates, in one answer."""
    case = _with(
        program="none",
        goals=[{"id": "g", "status": "active", "needs": ["needs/none"]}, {"id": "g", "title": "x", "status": "odd"}],
        care_plans=[{"id": "p", "status": "active", "period": {"start": "2026-02-01", "end": "2026-01-31"}}],
    )
    assert [p.pointer for p in check(case, SCHEMAS)] == [
        "/care_plans/0/period/end",
        "/goals/0/id",
        "/goals/0/needs/0",
        "/goals/0/title",
        "/goals/1/id",
        "/goals/1/status",
        "/program",
    ]


def test_a_pointer_escapes_what_a_pointer_must() -> None:
    """RFC 6901: ~ is ~0 and / is ~1."""
    assert Problem("/a~1b~0c", "this field is not known here") in check(_with(**{"a/b~c": 1}), SCHEMAS)


@pytest.mark.parametrize("name", sorted(p.parent.name for p in (ROOT / "fixtures").glob("*/case.json")))
def test_the_fixtures_are_whole(name: str) -> None:
    assert check(json.loads((ROOT / "fixtures" / name / "case.json").read_text("utf-8")), SCHEMAS) == []


def test_the_served_schemas_are_the_files() -> None:
    assert record_schemas().files == FILES


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.sampled_from(["goals/g1", "2026-01-01"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from([*WHOLE, "id", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at] if at else []
    for key, child in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += _places(child, (*at, key))
    return found


PLACES = _places(WHOLE)


@given(place=st.sampled_from(PLACES), value=VALUES)
@settings(max_examples=60, deadline=None)
def test_the_fast_validator_agrees_with_the_reference(place: tuple[Any, ...], value: Any) -> None:
    """jsonschema is the reference for jsonschema-rs (design.md, 6); and no shape makes the check itself fail."""
    case = copy.deepcopy(WHOLE)
    inner = case
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    assert SCHEMAS.validator.is_valid(case) == REFERENCE.is_valid(case)
    if not SCHEMAS.validator.is_valid(case):
        assert check(case, SCHEMAS)


@given(value=VALUES, text=st.text(alphabet="qxzj", min_size=8, max_size=12))
@settings(max_examples=60, deadline=None)
def test_no_detail_repeats_a_value(value: Any, text: str) -> None:
    """A path and never a value from a record: not even where everything is wrong."""
    case = _goal(title={"a": text}, text=[text], due=text, rank=text, domain=text.upper(), status=text, set_by=text)
    case["program"] = text
    assert not [p for p in check(case, SCHEMAS) if text in p.detail.casefold()]
    check({**case, "goals": value, "people": value, "child": value}, SCHEMAS)


def _leaves(node: Node, seen: set[int]) -> list[Leaf]:
    if id(node) in seen:
        return []
    match node:
        case Leaf():
            return [node]
        case Listing(item):
            return _leaves(item, seen)
        case Group(fields):
            seen.add(id(node))
            return [leaf for child in fields.values() for leaf in _leaves(child, seen)]


def test_every_leaf_belongs_to_a_part() -> None:
    """A leaf without x-part or x-part-by would be nobody's to permit (records.md)."""
    found = [leaf for tree in SCHEMAS.collections.values() for leaf in _leaves(tree, set())]
    assert len(found) > 250
    assert all(leaf.part or leaf.part_by for leaf in found)
