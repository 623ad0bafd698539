"""What a partner should hold against what it holds: the table of cases, and the laws of the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.diff import (
    ORDER,
    Adopt,
    Change,
    Create,
    Delete,
    Freeze,
    Holding,
    Made,
    Release,
    Update,
    against_order,
    changes,
    in_order,
    without_traffic,
)
from adapter.core.fhir.results import Result, holding
from adapter.core.strict_json import digest


def made(type_: str, name: str, *refers: str, text: str = "", **more: Any) -> Made:
    resource: dict[str, Any] = {"resourceType": type_, "identifier": [{"system": "https://s", "value": name}]}
    resource |= {"refers": [{"reference": f"urn:uuid:{other}"} for other in refers]} if refers else {}
    resource |= {"text": text} if text else {}
    return Made(f"urn:uuid:{name}", type_, ("https://s", name), resource, **more)


def held(wanted: Made, **more: Any) -> Holding:
    known = {"id": wanted.urn[-8:].replace(":", "-"), "version": "1", "hash": digest(wanted.resource)}
    return Holding(wanted.urn, wanted.type, wanted.identifier, **{**known, "directory": wanted.directory, **more})


GOAL = made("Goal", "g")
ORGANIZATION = made("Organization", "o", directory=True)

DIFFERENCES: list[Any] = [
    pytest.param([GOAL], [], {}, [Create(GOAL)], id="what is not held is created"),
    pytest.param([GOAL], [held(GOAL)], {}, [], id="what is equal causes nothing"),
    pytest.param([GOAL], [held(GOAL, hash="0")], {}, [Update(GOAL, held(GOAL, hash="0"))], id="what differs is sent"),
    pytest.param([GOAL], [held(GOAL, hash="")], {}, [Update(GOAL, held(GOAL, hash=""))], id="what may differ is sent"),
    pytest.param([GOAL], [held(GOAL, hash="0", ours=False)], {}, [], id="what is not ours is never changed"),
    pytest.param([GOAL], [held(GOAL, state="withdrawn")], {}, [Create(GOAL)], id="what was withdrawn is created again"),
    pytest.param(
        [GOAL],
        [held(GOAL, state="frozen")],
        {},
        [Adopt(GOAL, held(GOAL, state="frozen"))],
        id="what was frozen and is equal thaws without traffic",
    ),
    pytest.param(
        [GOAL],
        [held(GOAL, state="frozen", hash="0")],
        {},
        [Update(GOAL, held(GOAL, state="frozen", hash="0"))],
        id="what was frozen and differs is updated",
    ),
    pytest.param([], [held(GOAL)], {}, [Delete(held(GOAL))], id="what is no longer desired is deleted"),
    pytest.param(
        [],
        [held(GOAL, state="frozen")],
        {},
        [Delete(held(GOAL, state="frozen"))],
        id="what was frozen and may no longer stay is deleted",
    ),
    pytest.param([], [held(GOAL)], {"frozen": {GOAL.urn}}, [Freeze(held(GOAL))], id="what may stay is frozen"),
    pytest.param([], [held(GOAL, state="frozen")], {"frozen": {GOAL.urn}}, [], id="what is frozen stays so"),
    pytest.param([GOAL], [held(GOAL)], {"frozen": {GOAL.urn}}, [], id="what is desired is not frozen"),
    pytest.param([], [held(GOAL, state="withdrawn")], {}, [], id="what was withdrawn causes nothing"),
    pytest.param(
        [], [held(GOAL, ours=False)], {}, [Release(held(GOAL, ours=False))], id="what is not ours is forgotten"
    ),
    pytest.param([ORGANIZATION], [], {}, [Create(ORGANIZATION)], id="a directory resource is created if absent"),
    pytest.param(
        [ORGANIZATION],
        [],
        {"directory": {ORGANIZATION.urn: held(ORGANIZATION)}},
        [Adopt(ORGANIZATION, held(ORGANIZATION))],
        id="a directory resource that another share holds is adopted",
    ),
    pytest.param(
        [ORGANIZATION],
        [],
        {"directory": {ORGANIZATION.urn: held(ORGANIZATION, state="withdrawn")}},
        [Create(ORGANIZATION)],
        id="a directory resource that another share took back is created",
    ),
    pytest.param([ORGANIZATION], [held(ORGANIZATION, hash="0")], {}, [], id="a directory resource is never updated"),
    pytest.param(
        [], [held(ORGANIZATION)], {}, [Delete(held(ORGANIZATION))], id="a directory resource without use is deleted"
    ),
    pytest.param(
        [],
        [held(ORGANIZATION)],
        {"kept_elsewhere": {ORGANIZATION.urn}},
        [Release(held(ORGANIZATION))],
        id="a directory resource that others use is released",
    ),
    pytest.param(
        [],
        [held(ORGANIZATION, ours=False)],
        {},
        [Release(held(ORGANIZATION, ours=False))],
        id="a directory resource that we did not create is released",
    ),
    pytest.param(
        [], [held(GOAL)], {"kept_elsewhere": {GOAL.urn}}, [Delete(held(GOAL))], id="only a directory resource is shared"
    ),
]


@pytest.mark.parametrize(("desired", "holdings", "more", "expected"), DIFFERENCES)
def test_each_case_of_the_difference(
    desired: list[Made], holdings: list[Holding], more: dict[str, Any], expected: list[Change]
) -> None:
    """One row for each case that exchange.md and consent.md tell apart."""
    assert list(changes(desired, holdings, **more)) == expected


def test_creation_runs_along_the_order_and_withdrawal_backwards() -> None:
    """What refers comes after what it refers to, also within one type; nothing goes before what refers to it."""
    plan, back_up = made("CarePlan", "a", "z"), made("CarePlan", "z", "g")
    wanted = [plan, back_up, made("Task", "t", "g"), GOAL, made("Patient", "p")]
    assert [change.made.urn[9:] for change in changes(wanted, []) if isinstance(change, Create)] == list("pgtza")
    gone = [change.holding.type for change in changes([], [held(one) for one in wanted]) if isinstance(change, Delete)]
    assert gone == ["CarePlan", "CarePlan", "Task", "Goal", "Patient"]


def test_changes_without_traffic_come_first_and_deletions_last() -> None:
    """So that ids are known before references need them, and nothing is missing before references to it are gone."""
    plan, need = made("CarePlan", "c"), made("Condition", "n")
    elsewhere = {ORGANIZATION.urn: held(ORGANIZATION)}
    planned = changes([ORGANIZATION, plan, GOAL], [held(need), held(plan, hash="")], directory=elsewhere)
    assert [type(change) for change in planned] == [Adopt, Create, Update, Delete]


def test_one_urn_for_two_resources_is_refused() -> None:
    """It would make the result depend on order; but two wordings of one directory resource are one."""
    with pytest.raises(ValueError, match="two different resources"):
        changes([GOAL, made("Goal", "g", text="other")], [])
    with pytest.raises(ValueError, match="two different resources"):
        changes([GOAL, replace(GOAL, type="Task")], [])
    with pytest.raises(ValueError, match="two holdings"):
        changes([], [held(GOAL), held(GOAL, version="2")])
    assert changes([GOAL, GOAL], []) == (Create(GOAL),)
    other = made("Organization", "o", text="other", directory=True)
    assert changes([ORGANIZATION, other], []) == changes([other, ORGANIZATION], [])


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        pytest.param([made("CarePlan", "c", "g"), GOAL], (), id="a plan refers to a goal"),
        pytest.param([made("Task", "s", "t"), made("Task", "t")], (), id="a task refers to a task"),
        pytest.param([made("Goal", "x", "elsewhere")], (), id="what is not ours does not count"),
        pytest.param(
            [made("Goal", "x", "y"), made("Task", "y")],
            ("Goal refers to Task, against the order of creation",),
            id="a goal refers to a task",
        ),
        pytest.param(
            [made("Task", "s", "t"), made("Task", "t", "s")],
            ("Task refers to Task, against the order of creation",),
            id="two tasks refer to each other",
        ),
        pytest.param(
            [made("Task", "s", "s")],
            ("Task refers to Task, against the order of creation",),
            id="a task refers to itself",
        ),
    ],
)
def test_references_that_break_the_order_are_named(resources: list[Made], expected: tuple[str, ...]) -> None:
    """References are a directed acyclic graph (exchange.md, *Identity*), and ORDER is its table."""
    assert against_order(resources) == expected


URNS = [f"{number:02}" for number in range(8)]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Made], list[Holding]]:
    """Resources that refer to earlier ones, and holdings of the same and of other urns in every state."""
    wanted: list[Made] = []
    types = draw(st.lists(st.sampled_from(["Organization", "Patient", "Goal", "Task", "CarePlan"]), max_size=len(URNS)))
    for name, type_ in zip(URNS, sorted(types, key=ORDER.index), strict=False):
        refers = draw(st.sets(st.sampled_from([one.urn[9:] for one in wanted]), max_size=3)) if wanted else set()
        text = draw(st.sampled_from("ab"))
        wanted.append(made(type_, name, *sorted(refers), text=text, directory=type_ == "Organization"))
    holdings = [
        held(
            one,
            hash=draw(st.sampled_from([digest(one.resource), "", "0"])),
            state=draw(st.sampled_from(["active", "frozen", "withdrawn"])),
        )
        for one in wanted
        if draw(st.booleans())
    ]
    desired: list[Made] = []
    for one in wanted:
        there = {other.urn for other in desired}
        if draw(st.booleans()) and all(each["reference"] in there for each in one.resource.get("refers", [])):
            desired.append(one)
    return desired, holdings


def applied(planned: Sequence[Change], holdings: Sequence[Holding]) -> list[Holding]:
    """The holdings when every change has been delivered: what a share does, by the functions that it does it with."""
    after = {each.urn: each for each in holdings}
    for number, change in enumerate(planned):
        match change:
            case Adopt() | Freeze() | Release():
                kept = without_traffic(change)
            case Create() | Update() | Delete():
                kept = holding(Result(change, "delivered", f"n{number}", "2"))
        urn = change.made.urn if isinstance(change, Create | Adopt | Update) else change.holding.urn
        after.pop(urn, None)
        if kept is not None:
            after[urn] = kept
    return list(after.values())


@given(worlds(), st.sets(st.sampled_from(URNS)))
def test_applying_the_changes_gives_what_is_desired_and_twice_gives_nothing(
    world: tuple[list[Made], list[Holding]], may_stay: set[str]
) -> None:
    """The level, not the edge: after the changes the partner holds the desired set, and what may stay, and no more."""
    desired, holdings = world
    frozen = {f"urn:uuid:{name}" for name in may_stay}
    after = applied(changes(desired, holdings, frozen=frozen), holdings)
    active = {each.urn: each for each in after if each.state == "active"}
    assert set(active) == {one.urn for one in desired}
    for one in desired:
        assert one.directory or active[one.urn].hash == digest(one.resource)
    assert {each.urn for each in after if each.state == "frozen"} <= frozen
    assert changes(desired, after, frozen=frozen) == ()


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_the_arguments_does_not_matter(world: tuple[list[Made], list[Holding]], random: Any) -> None:
    """Any database, any dictionary: the same changes in the same order."""
    desired, holdings = world
    mixed, others = list(desired), list(holdings)
    random.shuffle(mixed)
    random.shuffle(others)
    assert changes(mixed, others) == changes(desired, holdings)


@given(worlds())
def test_writes_follow_their_references(world: tuple[list[Made], list[Holding]]) -> None:
    """No write comes before one that it refers to, and types never run backwards."""
    desired, _ = world
    placed = in_order(desired)
    position = {one.urn: place for place, one in enumerate(placed)}
    for one in placed:
        for reference in one.resource.get("refers", []):
            assert position.get(reference["reference"], -1) < position[one.urn]
    assert all(ORDER.index(first.type) <= ORDER.index(second.type) for first, second in pairwise(placed))
    assert against_order(desired) == ()
