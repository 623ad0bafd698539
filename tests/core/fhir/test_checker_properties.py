"""What holds of the checker for every resource: what we send is sound, nothing crashes it, quick ways say the same."""

from __future__ import annotations

import copy
import json
import random
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fhirpathpy.models import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter import wiring
from adapter.catalogue import files_root
from adapter.catalogue.definitions import checkers, read_definitions
from adapter.core.desired import Subject, plan
from adapter.core.diff import Create, Holding, Update
from adapter.core.fhir.checker import Checker
from adapter.core.fhir.checker import invariants as invariants_room
from adapter.core.fhir.checker.invariants import NATIVE, Invariant
from adapter.core.fhir.models import TYPES, problems
from adapter.core.mapping.elements import Model
from adapter.core.partner import Release
from tests.core.fhir.breaking import KINDS, broken
from tests.validator.sent import NOW, Sent, sent

Json = dict[str, Any]
GOLDEN = Path(__file__).parents[1] / "mapping_files" / "golden"
ANYTHING: list[Any] = [
    None, "", [], {}, "x", 7, -1.5, True, [{}], [None], {"id": "x"}, {"resourceType": "Goal"}, ["a", {}], {"coding": 7},
    {"reference": 7}, {"url": []}, "#x", {"code": []}, {"extension": {}}, {"profile": [[]]}, {"div": {}},
]  # fmt: skip


@cache
def checker(release: Release = "R4") -> Checker:
    return checkers(files_root())[release]


@cache
def all_sent() -> tuple[Sent, ...]:
    return tuple(sent())


@cache
def golden() -> tuple[Json, ...]:
    """What the mapping files make of their rows."""
    return tuple(each for file in sorted(GOLDEN.glob("*.json")) for each in json.loads(file.read_text("utf-8")))


def test_every_resource_of_every_fixture_for_every_partner_has_no_problem() -> None:
    """By the checker and by fhir.resources; references held against what the partner holds."""
    wrong = []
    for each in all_sent():
        release: Release = "R5" if each.release == "R5" else "R4"
        found = checker(release).each([(made.urn, made.resource) for made in each.made])
        wrong += [
            (each.fixture, each.partner, made.about, p)
            for made, some in zip(each.made, found, strict=True)
            for p in some
        ]
    assert wrong == []


def test_what_stays_at_a_partner_is_sound() -> None:
    """The residue is made without a mapping: each stub, the inactive Consent and the request to purge."""
    bench = wiring.wire_without_instance(clock=lambda: NOW).bench
    wrong: list[Any] = []
    types = set()
    for each in all_sent():
        known = {"id": "1", "version": "1", "hash": "0"}
        held = [Holding(m.urn, m.type, m.identifier, directory=m.directory, about=m.about, **known) for m in each.made]
        gone = Subject("C-0", {}, {})
        for stubs in (False, True):
            partners = {**bench.rulebook.partners}
            partners[each.partner] = replace(partners[each.partner], withdrawal="stub" if stubs else "delete")
            here = replace(bench, rulebook=replace(bench.rulebook, partners=partners))
            needed = plan(here, gone, each.partner, NOW, held, directory={}, kept_elsewhere=()).changes
            for change in needed:
                if isinstance(change, Create | Update):
                    types.add(change.made.type)
                    wrong += [(change.made.type, p) for p in checker().problems(change.made.resource)]
    assert wrong == []
    assert types >= {"Consent", "Task", "Patient", "Goal", "CarePlan"}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 4), release=st.sampled_from(["R4", "R5"]))
def test_no_json_crashes_it(seed: int, changes: int, release: Release) -> None:
    """Partners' resources are hostile input: anything may stand anywhere."""
    dice = random.Random(seed)
    resource = copy.deepcopy(dice.choice(golden()))
    for _ in range(changes):
        holder, key = dice.choice(list(places(resource)))
        holder[key] = copy.deepcopy(dice.choice(ANYTHING))
        if isinstance(holder, dict) and dice.random() < 0.3:
            name = dice.choice(["contained", "extension", "modifierExtension", "meta", "text", f"_{key}"])
            holder[name] = copy.deepcopy(dice.choice(ANYTHING))
    checker(release).problems(resource)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_what_the_models_refuse_the_checker_refuses(seed: int) -> None:
    """It knows more than fhir.resources, and nothing less; but a null in a list beside an extension is FHIR."""
    before = golden()[seed % len(golden())]
    change = broken(before, checker().definitions, seed)
    if change and change[0] != "beside a primitive" and problems(change[1]):
        assert checker().problems(change[1])


def test_rules_that_are_not_asked_would_have_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards, plain Python and the shortcut for periods against FHIRPath over types, on over 200 broken resources."""
    quick = Checker(checker().definitions, "R4")
    slow = Checker(checker().definitions, "R4")
    changed = [
        found[1] for seed in range(330) if (found := broken(golden()[seed % len(golden())], quick.definitions, seed))
    ]
    by_quick = [quick.problems(each) for each in changed]
    original = Invariant.__init__

    def without(self: Invariant, *given: Any) -> None:
        original(self, *given)
        self.guards, self.plain, self.surely = (), None, None

    monkeypatch.setattr(invariants_room.Invariant, "__init__", without)
    assert [slow.problems(each) for each in changed] == by_quick
    assert len(changed) > 200


@pytest.mark.parametrize("release", ["R4", "R5"])
def test_every_invariant_of_what_is_exchanged_compiles(release: Release) -> None:
    """One that did not would be found only when such a resource came by."""
    definitions = read_definitions(files_root(), release)
    model = Model(models[release.lower()], strict=False)
    refused = []
    for definition in definitions.structures.values():
        if definition["type"] == "ElementDefinition":
            continue
        for element in definition["snapshot"]["element"]:
            for constraint in element.get("constraint", ()):
                if constraint["key"] in NATIVE or constraint["severity"] != "error":
                    continue
                try:
                    _ = Invariant(constraint, model, lambda name: [name], lambda tree: None).expression
                except Exception as error:  # noqa: BLE001  # each that fails is told
                    refused.append((definition["type"], constraint["key"], str(error)))
    assert refused == []


def test_every_kind_of_breakage_breaks_something() -> None:
    """A breaker that breaks nothing would make every agreement easy."""
    found = set()
    for seed in range(400):
        if change := broken(golden()[seed % len(golden())], checker().definitions, seed):
            found |= {change[0]} if checker().problems(change[1]) else set()
    assert found >= KINDS.keys() - ({"profile"} if not checker().definitions.own else set())


def test_every_type_that_is_exchanged_is_defined_in_both_releases() -> None:
    for release in ("R4", "R5"):
        known = checker("R5" if release == "R5" else "R4").definitions
        assert [name for name in TYPES if known.structure(name) is None] == []


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every field and item of a JSON value, as (what holds it, its key)."""
    found: list[tuple[Any, Any]] = []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        found.append((value, key))
        found += places(inner)
    return found
