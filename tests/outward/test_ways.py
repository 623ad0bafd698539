"""Changes on each way to servers that can do more or less: requests, one reading of answers, the same end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.core.diff import Create, Delete, Made, Update, changes
from adapter.core.fhir.abilities import Mode, Way
from adapter.core.fhir.bundle import groups, request
from tests.core.test_diff import held, made

P, G1, G2 = made("Patient", "p"), made("Goal", "g1", "p"), made("Goal", "g2", "p")
TASK, PLAN = made("Task", "t", "g1", "p"), made("CarePlan", "c", "g1", "g2", "t")
CASE = (P, G1, G2, TASK, PLAN)
NONE: frozenset[str] = frozenset()


def names(grouped: Iterable[Sequence[Any]]) -> list[list[str]]:
    return [[(c.holding if isinstance(c, Delete) else c.made).urn[9:] for c in group] for group in grouped]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        pytest.param(Way("transaction", 10), [["p", "g1", "g2", "t", "c"]], id="all at once"),
        pytest.param(Way("transaction", 2), [["p", "g1"], ["g2", "t"], ["c"]], id="in transactions of two"),
        pytest.param(
            Way("batch", 10), [["p"], ["g1", "g2"], ["t"], ["c"]], id="in waves, each after what it refers to"
        ),
        pytest.param(Way("batch", 1), [["p"], ["g1"], ["g2"], ["t"], ["c"]], id="in waves of one"),
        pytest.param(Way("single", 10), [["p"], ["g1"], ["g2"], ["t"], ["c"]], id="one after the other"),
    ],
)
def test_what_is_new_travels_in_an_order_that_each_way_allows(how: Way, expected: list[list[str]]) -> None:
    assert names(groups(changes(CASE, []), how)) == expected


def test_what_goes_travels_a_type_at_a_time_where_order_is_not_kept() -> None:
    there = [held(each, id=f"i{place}") for place, each in enumerate(CASE)]
    assert names(groups(changes((), there), Way("batch", 10))) == [["c"], ["t"], ["g2", "g1"], ["p"]]


@pytest.mark.parametrize("conditions", [None, NONE], ids=["with a condition", "without one"])
def test_a_change_alone_is_the_request_that_its_entry_would_be(conditions: frozenset[str] | None) -> None:
    how, ids = Way("single", 9, conditions), {P.urn: "Patient/1", G1.urn: "Goal/2"}
    post = request([Create(G1)], ids, how)
    assert (post.method, post.path) == ("POST", "Goal")
    assert bool(post.condition) is (conditions is None)
    assert post.body is not None and post.body["refers"] == [{"reference": "Patient/1"}]
    put = request([Update(G1, held(G1, id="2", version="7"))], ids, how)
    assert (put.method, put.path, put.version) == ("PUT", "Goal/2", 'W/"7"')
    assert put.body is not None and put.body["id"] == "2"
    gone = request([Delete(held(G1, id="2"))], ids, how)
    assert (gone.method, gone.path, gone.body, gone.version) == ("DELETE", "Goal/2", None, "")


@pytest.mark.parametrize("mode", ["batch", "single"])
def test_nothing_refers_to_what_is_made_in_the_same_breath_where_each_stands_alone(mode: Mode) -> None:
    """A urn would stay at the partner as it is."""
    how = Way(mode, 9)
    for group in groups(changes(CASE, []), how):
        places = {each.urn: f"{each.type}/x" for each in CASE if Create(each) not in group}
        sent = request(group, places, how)
        assert "urn:uuid" not in str((sent.body or {}).get("entry", [{"resource": sent.body}])[0]["resource"])
    with pytest.raises(ValueError, match="does not hold"):
        request([Create(TASK)], {}, how)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(["Goal", "Task", "CarePlan"]), st.sets(st.integers(0, 20), max_size=4)), max_size=20
    ),
    st.integers(1, 6),
    st.sampled_from(["transaction", "batch", "single"]),
    st.data(),
)
def test_any_case_goes_through_in_any_way(drawn: list[Any], size: int, mode: Mode, data: Any) -> None:
    """Every change once; each request can be made when the ones before it have been answered."""
    resources: list[Made] = []
    for place, (type_, refers) in enumerate(drawn):
        resources.append(made(type_, str(place), *(str(other) for other in refers if other < place)))
    there = [held(each, id=f"i{place}") for place, each in enumerate(resources) if data.draw(st.booleans())]
    wanted = [replace(each, resource={**each.resource, "text": "x"}) for each in resources if data.draw(st.booleans())]
    for _ in wanted:
        wanted = [each for each in wanted if _closed(each, wanted)]
    known = {each.urn: f"{each.type}/{each.id}" for each in there}
    how, planned = Way(mode, size, NONE), changes(wanted, there)
    seen: list[str] = []
    for group in groups(planned, how):
        assert len(group) <= (1 if mode == "single" else size)
        request(group, known, how)  # raises where something refers to what is not there
        known |= {c.made.urn: f"{c.made.type}/new" for c in group if isinstance(c, Create)}
        seen += names([group])[0]
    assert sorted(seen) == sorted(names([planned])[0])


def _closed(one: Made, among: Sequence[Made]) -> bool:
    urns = {each.urn for each in among}
    return all(each["reference"] in urns for each in one.resource.get("refers", []))
