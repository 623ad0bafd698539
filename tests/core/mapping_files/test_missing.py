"""Whatever is missing or unknown in a view: the output stays valid, with nothing empty, half-said or dangling in it."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.core.diff import ORDER
from adapter.core.fhir.models import problems
from adapter.core.mapping.resources import Mappings, Resources
from adapter.core.mapping.tidy import links
from tests.core.mapping_files.views import ROWS, fixtures, mapped, mappings, row, whole

CASES = list(fixtures())
OWN = {
    "care-plan": "care_plans",
    "plan-service": "care_plans",
    "referral": "referrals",
    "goal": "goals",
}
"""Where a row needs records of other collections: those of its own, which are the ones that lose something."""
SAME = {"practitioner-role", "goal-step", "transition-step", "crisis-plan", "referral-task"}
"""Rows whose records another row has too."""
_KEPT = frozenset(("id", "path"))
"""What the view itself adds: never missing."""


@pytest.fixture(scope="module")
def using() -> Mappings:
    return mappings()


def sound(result: Resources) -> None:
    """What must hold of any output."""
    urns = {made.urn: made.type for made in result.made}
    for made in result.made:
        assert problems(made.resource) == [], (made.type, made.about)
        assert set(links(made.resource)) <= set(urns), (made.type, made.about, "a reference to nothing")
        assert list(half_said(made.resource)) == [], (made.type, made.about)
        assert invariants(made.resource) == [], (made.type, made.about)
        assert "id" not in made.resource and "lastUpdated" not in made.resource["meta"]
        for to in links(made.resource):
            if {made.type, urns[to]} <= set(ORDER):
                assert ORDER.index(urns[to]) <= ORDER.index(made.type), "creation runs along references"


def half_said(value: Any) -> Iterator[str]:
    """Codings without a code or a system, extensions without a value, references without anything."""
    if isinstance(value, list):
        for each in value:
            yield from half_said(each)
    elif isinstance(value, dict):
        for name, child in value.items():
            coded = child if name in ("coding", "security", "purpose", "class", "securityLabel", "tag") else []
            codings = [
                each for each in (coded if isinstance(coded, list) else [coded]) if not {"coding", "text"} & {*each}
            ]
            yield from (f"{name} {each}" for each in codings if not (each.get("system") and each.get("code")))
            extensions = child if name == "extension" else ()
            yield from (
                f"{name} {each['url']}"
                for each in extensions
                if not any(key.startswith("value") for key in each) and not each.get("extension")
            )
            yield from half_said(child)


def invariants(resource: dict[str, Any]) -> list[str]:
    """FHIR's own rules that mappings could break and models do not check (R4, *Constraints* of each type)."""
    broken = []
    for target in resource.get("target", ()):
        detail = any(name.startswith("detail") for name in target)
        broken += ["gol-1"] if detail and "measure" not in target else []
    for activity in resource.get("activity", ()):
        broken += ["cpl-3"] if ("detail" in activity) == ("reference" in activity) else []
    for telecom in resource.get("telecom", ()):
        broken += ["cpt-2"] if "system" not in telecom else []
        broken += ["org-3"] if resource["resourceType"] == "Organization" and telecom.get("use") == "home" else []
    type_ = resource["resourceType"]
    if type_ == "Condition" and "clinicalStatus" not in resource:
        broken.append("con-3")
    if type_ == "Consent" and "policyRule" not in resource:
        broken.append("ppc-1")
    if type_ == "Organization" and not ("name" in resource or "identifier" in resource):
        broken.append("org-1")
    if type_ == "Observation" and ("dataAbsentReason" in resource) == ("valueString" in resource):
        broken.append("obs-6, us-core-2")
    if type_ == "ServiceRequest" and "orderDetail" in resource and "code" not in resource:
        broken.append("prr-1")
    if type_ == "Task" and {"lastModified", "authoredOn"} <= set(resource):
        broken += ["inv-1"] if resource["lastModified"] < resource["authoredOn"][:10] else []
    return broken


def places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every leaf and every list or object of a case, by its path."""
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            if key not in _KEPT:
                yield (*at, key)
                yield from places(child, (*at, key))


def without(case: dict[str, Any], at: tuple[str | int, ...]) -> dict[str, Any]:
    """The case without what stands there; as it is where that is gone already."""
    smaller = copy.deepcopy(case)
    holder: Any = smaller
    for key in at[:-1]:
        try:
            holder = holder[key]
        except (KeyError, IndexError):
            return smaller
    if isinstance(holder, dict):
        holder.pop(at[-1], None)
    elif isinstance(at[-1], int) and at[-1] < len(holder):
        del holder[at[-1]]
    return smaller


@pytest.mark.parametrize("name", sorted(set(ROWS) - SAME))
def test_each_leaf_of_a_row_missing_in_turn(name: str, using: Mappings) -> None:
    """Required leaves too: a view may lack anything, because parts and topics decide leaf by leaf."""
    case = row(name)
    own = [OWN[name]] if name in OWN else list(ROWS[name])
    for at in places({collection: case[collection] for collection in own}):
        sound(mapped(without(case, at), using))


@pytest.mark.parametrize(
    "name", ["need", "strength", "assessment", "plan-service", "referral", "care-team", "goal", "practitioner"]
)
def test_each_open_code_of_a_row_unknown(name: str, using: Mappings) -> None:
    """It goes out as text only, and is a finding that names the record and the map, never the code."""
    case = row(name)
    found = 0
    for at in places({collection: case[collection] for collection in ROWS[name]}):
        if at[-1] not in ("code", "domain", "role", "profession", "business_status"):
            continue
        changed = copy.deepcopy(case)
        holder: Any = changed
        for key in at[:-1]:
            holder = holder[key]
        holder[at[-1]] = "never-heard-of"
        result = mapped(changed, using)
        sound(result)
        assert result.findings and not any("never-heard-of" in f"{f.pointer} {f.detail}" for f in result.findings)
        assert '"code": "never-heard-of"' not in str(result.made).replace("'", '"')
        found += 1
    assert found


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_whole_case_with_much_missing(data: st.DataObject, using: Mappings) -> None:
    """Random losses over the fixtures: whole collections, entries and leaves at once."""
    _, case = data.draw(st.sampled_from(CASES))
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    shown = whole(case)
    everywhere = list(places(shown))
    for at in sorted(chance.sample(everywhere, k=min(60, len(everywhere))), key=len, reverse=True):
        shown = without(shown, at) if at != ("child",) else shown
    sound(mapped(shown, using))
