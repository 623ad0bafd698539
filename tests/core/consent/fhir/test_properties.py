"""Whatever arrives: an answer, never an error; the same in any order; and no denial ever opens anything."""

from __future__ import annotations

import copy
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.core.consent.fhir_consents import evaluate, read
from tests.core.consent.fhir.shapes import (
    AGREED,
    AT,
    CLINIC,
    NURSE,
    SCHOOL,
    about,
    actions,
    actor,
    bare,
    level,
    pcf,
    purpose,
    r4,
    r5,
    sensitive,
    types,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["provision", "type", "actor", "reference", "period", "start", "coding", "code", "identifier"]
            )
            | st.text(max_size=8),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
CRITERIA = st.lists(
    st.sampled_from(
        [
            actor(SCHOOL),
            actor(CLINIC, NURSE),
            actor(SCHOOL, role="CST"),
            purpose("TREAT"),
            purpose("HMARKT", "COC"),
            level("N"),
            level("R"),
            sensitive("PSY"),
            types("Goal"),
            actions("access"),
            about("instance", "Goal/1"),
            {"code": [{"coding": [{"code": "a"}]}]},
            AGREED,
            {"period": {"end": "2026-05-31"}},
            {"dataPeriod": {"start": "2026-01-01"}},
            {"modifierExtension": [{"url": "https://x.example/not"}]},
            {"actor": "school"},
        ]
    ),
    max_size=3,
)
TYPE = st.sampled_from(["permit", "deny", "permit", "deny", ""])


@st.composite
def provisions(draw: st.DrawFn, deep: int = 3, typed: bool = True) -> dict[str, Any]:
    kind = draw(TYPE) if typed else ""
    made = bare(*draw(CRITERIA)) | ({"type": kind} if kind else {})
    if deep and draw(st.booleans()):
        made["provision"] = draw(st.lists(provisions(deep - 1, typed), min_size=1, max_size=2))
    return made


@st.composite
def consents(draw: st.DrawFn) -> dict[str, Any]:
    status = draw(st.sampled_from(["active", "active", "active", "inactive", "unknown"]))
    named = f"c{draw(st.integers(0, 9))}"
    match draw(st.integers(0, 3)):
        case 0:
            rule = draw(st.sampled_from(["OPTIN", "OPTOUT", ""]))
            return r4(draw(st.none() | provisions()), rule=rule, status=status, id=named)
        case 1:
            return pcf(draw(provisions()), status=status, id=named)
        case _:
            decision = draw(st.sampled_from(["permit", "deny", None]))
            return r5(decision, *draw(st.lists(provisions(2, typed=False), max_size=2)), status=status, id=named)


QUESTIONS = st.fixed_dictionaries(
    {"actor": st.sampled_from([[SCHOOL], [CLINIC], [NURSE, CLINIC], ["https://registry.example.ca|1"]])},
    optional={
        "purpose": st.sampled_from([["TREAT"], ["COC"], ["HMARKT", "TREAT"]]),
        "class_": st.sampled_from([["Goal"], ["Task"], ["none"]]),
        "labels": st.sampled_from([["N"], ["R"], ["R", "PSY"], ["none"]]),
        "codes": st.sampled_from([["a"], ["none"]]),
        "action": st.sampled_from([["access"], ["correct"]]),
        "data": st.sampled_from(["Goal/1", "Goal/2"]),
        "data_date": st.sampled_from(["2025", "2026-02-01"]),
    },
)
ORDER = {"deny": 0, "not computable": 0, "permit": 1}


def asked(found: list[Any], question: dict[str, Any]) -> Any:
    return evaluate(found, at=AT, **question)


@settings(max_examples=80, deadline=None)
@given(JSON, QUESTIONS)
def test_any_json_has_an_answer_and_none_of_it_permits(value: Any, question: dict[str, Any]) -> None:
    assert asked([value], question).decision != "permit"


@settings(max_examples=80, deadline=None)
@given(consents(), JSON, st.randoms(use_true_random=False), QUESTIONS)
def test_a_mutated_consent_has_an_answer(
    consent: dict[str, Any], junk: Any, chance: random.Random, question: dict[str, Any]
) -> None:
    """Any one value anywhere replaced by anything."""
    mutated = copy.deepcopy(consent)
    places = list(_places(mutated))
    holder, key = places[chance.randrange(len(places))]
    holder[key] = junk
    asked([mutated], question)
    read(mutated)


@settings(max_examples=60, deadline=None)
@given(st.lists(consents(), max_size=4), st.randoms(use_true_random=False), QUESTIONS)
def test_the_order_of_consents_does_not_matter(
    found: list[Any], chance: random.Random, question: dict[str, Any]
) -> None:
    shuffled = found[:]
    chance.shuffle(shuffled)
    assert asked(found, question) == asked(shuffled, question)


@settings(max_examples=60, deadline=None)
@given(consents(), st.randoms(use_true_random=False), QUESTIONS)
def test_the_order_of_provisions_does_not_matter(
    consent: dict[str, Any], chance: random.Random, question: dict[str, Any]
) -> None:
    shuffled = copy.deepcopy(consent)
    for holder, key in list(_places(shuffled)):
        if key == "provision" and isinstance(holder[key], list):
            chance.shuffle(holder[key])
    assert asked([consent], question).decision == asked([shuffled], question).decision


@settings(max_examples=80, deadline=None)
@given(st.lists(consents(), max_size=3), provisions(deep=0), QUESTIONS)
def test_adding_a_denial_never_permits(found: list[Any], denial: dict[str, Any], question: dict[str, Any]) -> None:
    """As a Consent of its own, and below each permit that has room for it."""
    before = ORDER[asked(found, question).decision]
    assert ORDER[asked([*found, r4(denial | {"type": "deny"}, id="added")], question).decision] <= before
    for index, consent in enumerate(found):
        changed = copy.deepcopy(consent)
        root = changed.get("provision")
        if isinstance(root, dict) and root.get("type") == "permit":
            root["provision"] = [*root.get("provision", []), denial | {"type": "deny"}]
            assert ORDER[asked([*found[:index], changed, *found[index + 1 :]], question).decision] <= before


@settings(max_examples=80, deadline=None)
@given(st.lists(consents(), min_size=1, max_size=3), QUESTIONS)
def test_a_permit_comes_from_an_active_consent_without_a_fault(found: list[Any], question: dict[str, Any]) -> None:
    answer = asked(found, question)
    if answer.decision == "permit":
        assert any(
            value.id == answer.consent and value.status == "active" and not value.faults for value in map(read, found)
        )


@settings(max_examples=60, deadline=None)
@given(st.lists(consents(), max_size=3), QUESTIONS)
def test_knowing_less_never_permits_more(found: list[Any], question: dict[str, Any]) -> None:
    """Leaving out what the data are like, or what for, opens nothing that an answer would have closed."""
    for name in set(question) - {"actor"}:
        if name == "action":
            continue  # to look is what is asked where no action is said: that is known, not less known
        less = {key: value for key, value in question.items() if key != name}
        if asked(found, less).decision == "permit":
            assert asked(found, question).decision == "permit"


def _places(value: Any) -> Any:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        yield value, key
        yield from _places(inner)
