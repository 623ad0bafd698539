"""What a server can do, read from whatever it states; and the way that follows."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.fhir.abilities import Abilities, again, as_json, found_by_name, not_taken, of_json, read, way
from adapter.core.partner import Partner

PARTNER = Partner(
    id="p", name="P", sectors=("education",), since=date(2026, 1, 1), base_url="https://x.example.ca/fhir"
)
ALL = ("create", "read", "update", "delete", "search-type")


def stated(*system: str, version: Any = "4.0.1", **types: Any) -> Any:
    resources = [
        {"type": name, "interaction": [{"code": code} for code in codes], "conditionalCreate": name == "Goal"}
        for name, codes in types.items()
    ]
    rest = {"mode": "server", "resource": resources, "interaction": [{"code": code} for code in system]}
    return {"resourceType": "CapabilityStatement", "fhirVersion": version, "rest": [rest]}


@pytest.mark.parametrize(
    ("statement", "partner", "mode"),
    [
        pytest.param(stated("transaction", "batch", Goal=ALL), {}, "transaction", id="transactions, where offered"),
        pytest.param(stated("batch", Goal=ALL), {}, "batch", id="batches, where there are no transactions"),
        pytest.param(stated(Goal=ALL), {}, "single", id="neither is stated beside types: singly, as for Epic"),
        pytest.param(stated("history-system", Goal=ALL), {}, "single", id="another interaction is none of these"),
        pytest.param(stated(), {}, "transaction", id="nothing at all is stated: a transaction is tried"),
        pytest.param(None, {}, "transaction", id="no statement: a transaction is tried"),
        pytest.param(stated("transaction", Goal=ALL), {"mode": "batch"}, "batch", id="the file forces a batch"),
        pytest.param(stated(Goal=ALL), {"mode": "transaction"}, "transaction", id="the file forces a transaction"),
        pytest.param({**stated("transaction"), "rest": [{"mode": "client"}]}, {}, "transaction", id="a client's only"),
    ],
)
def test_the_way_is_the_best_that_is_offered_or_the_one_that_is_forced(statement: Any, partner: Any, mode: str) -> None:
    assert way(replace(PARTNER, **partner), read(statement)).mode == mode


@pytest.mark.parametrize(
    ("refused", "mode"), [(set(), "transaction"), ({"transaction"}, "batch"), ({"transaction", "batch"}, "single")]
)
@pytest.mark.parametrize("known", [True, False], ids=["stated", "mute"])
def test_what_was_refused_is_not_tried_again(refused: set[str], mode: str, known: bool) -> None:
    told = read(stated("transaction", "batch", Goal=ALL)) if known else Abilities()
    assert told is not None
    assert way(PARTNER, replace(told, refused=frozenset(refused))).mode == mode


def test_a_refusal_is_remembered_until_the_statement_says_something_else() -> None:
    told = read(stated("transaction", "batch"))
    assert told is not None
    known = replace(told, refused=frozenset({"transaction"}))
    assert again(known, told).refused == {"transaction"}
    other = read(stated("transaction", "batch", version="4.3.0", Goal=ALL))
    assert other is not None
    assert again(known, other).refused == set()


@pytest.mark.parametrize(
    ("statement", "partner", "conditional"),
    [
        pytest.param(stated("transaction", Goal=ALL, Task=ALL), {}, {"Goal"}, id="where the type says so"),
        pytest.param(stated("transaction", Goal=ALL), {"conditional": "never"}, set(), id="never, by the file"),
        pytest.param(None, {}, {"Goal", "Task"}, id="unknown: a transaction carries conditions"),
        pytest.param(None, {"mode": "batch"}, set(), id="unknown: a batch carries none"),
    ],
)
def test_conditions_go_where_they_are_kept(statement: Any, partner: Any, conditional: set[str]) -> None:
    how = way(replace(PARTNER, **partner), read(statement))
    assert {type_ for type_ in ("Goal", "Task") if how.conditional(type_)} == conditional


@pytest.mark.parametrize(
    ("statement", "partner", "expected"),
    [
        pytest.param(None, {}, set(), id="nothing known: everything is sent"),
        pytest.param(stated("transaction"), {}, set(), id="no types listed: everything is sent"),
        pytest.param(stated(Patient=(), Goal=()), {}, set(), id="names without interactions tell nothing"),
        pytest.param(stated(Patient=ALL, Goal=ALL), {}, {"Task", "Organization"}, id="what is not listed"),
        pytest.param(stated(Goal=("read",), Task=ALL, Organization=ALL), {}, {"Goal"}, id="read-only is not taken"),
        pytest.param(stated(Goal=("create",), Task=ALL, Organization=("create",)), {}, {"Goal"}, id="must be updated"),
        pytest.param(None, {"types_not_taken": ("Goal",)}, {"Goal"}, id="the file names them"),
    ],
)
def test_types_that_are_not_taken(statement: Any, partner: Any, expected: set[str]) -> None:
    """The Patient is never one of them."""
    types = ("Patient", "Goal", "Task", "Organization")
    assert not_taken(replace(PARTNER, **partner), read(statement), types) == expected


def test_match_and_looking_by_name() -> None:
    statement = stated("transaction", Patient=ALL, Goal=ALL, Provenance=ALL, Task=("create",))
    statement["rest"][0]["resource"][0]["operation"] = [{"name": "match", "definition": "http://hl7.org/fhir/x"}]
    statement["rest"][0]["resource"][1]["searchParam"] = [{"name": "identifier"}]
    told = read(statement)
    assert told is not None
    assert told.types["Patient"].match and not told.types["Goal"].match
    assert [type_ for type_ in ("Goal", "Patient", "Provenance", "Task") if found_by_name(told, type_)] == [
        "Goal",
        "Provenance",
    ]
    assert found_by_name(None, "Goal")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(ALL),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "rest",
                    "mode",
                    "resource",
                    "type",
                    "interaction",
                    "code",
                    "operation",
                    "name",
                    "searchParam",
                    "security",
                ]
                + ["service", "coding", "format", "fhirVersion"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["rest", "fhirVersion", "format"]), JSON, max_size=3) | JSON)
def test_whatever_is_stated_has_a_value_that_is_kept_as_it_is(value: Any) -> None:
    for statement in (value, {**value, "resourceType": "CapabilityStatement"} if isinstance(value, dict) else value):
        told = read(statement)
        if told is not None:
            assert of_json(json.loads(json.dumps(as_json(told)))) == told
            assert way(PARTNER, told).mode in ("transaction", "batch", "single")
