"""Whatever is missing or unknown in a view: the output stays valid, with nothing empty, half-said or dangling in it."""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.core.diff import ORDER
from adapter.core.fhir.models import problems
from adapter.core.mapping.resources import Mappings, Resources
from adapter.core.mapping.tidy import links
from adapter.core.partner import Release
from tests.core.mapping_files.views import ROOT, ROWS, fixtures, mapped, mappings, row, whole

CASES = dict(fixtures())
ALL = bool(os.environ.get("CSP_PROOFS"))
"""Every leaf and every code of every fixture, where CSP_PROOFS is set; else a sample of them."""
SAMPLE = 12
OWN = {
    "care-plan": "care_plans",
    "plan-service": "care_plans",
    "referral": "referrals",
    "goal": "goals",
}
"""Where a row needs records of other collections: those of its own, which are the ones that lose something."""
SAME = {
    "practitioner-role", "goal-step", "transition-step", "transition", "crisis-plan", "referral-task", "plan-sections",
    "signature", "planned-contact", "document-bytes",
}  # fmt: skip
"""Rows whose records another row has too."""
_KEPT = frozenset(("id", "path"))
"""What the view itself adds: never missing."""
_SCHEMAS = {
    file.name.removesuffix(".schema.json"): json.loads(file.read_text("utf-8"))
    for file in (ROOT / "mappings" / "records").glob("*.schema.json")
}


@pytest.fixture(scope="module", params=["R4", "R5"])
def using(request: pytest.FixtureRequest) -> Mappings:
    release: Release = request.param
    return mappings(release)


def sound(result: Resources, using: Mappings) -> None:
    """What must hold of any output."""
    urns = {made.urn: made.type for made in result.made}
    for made in result.made:
        assert set(links(made.resource)) <= set(urns), (made.type, made.about, "a reference to nothing")
        for to in links(made.resource):
            if {made.type, urns[to]} <= set(ORDER):
                assert ORDER.index(urns[to]) <= ORDER.index(made.type), "creation runs along references"
        assert wrong_with(json.dumps(made.resource, sort_keys=True, default=str), using.release) == (), made.about


@cache  # what a missing leaf does not touch has been looked at before
def wrong_with(text: str, release: Release) -> tuple[object, ...]:
    """All that is wrong with one resource by itself."""
    resource = json.loads(text, parse_float=Decimal)
    stamped = ["id or lastUpdated"] if "id" in resource or "lastUpdated" in resource["meta"] else []
    found = (*problems(resource, release=release), *half_said(resource), *invariants(resource, release), *stamped)
    return tuple((resource["resourceType"], each) for each in found)


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


def invariants(resource: dict[str, Any], release: Release) -> list[str]:
    """FHIR's own rules that mappings could break and models do not check (*Constraints* of each type)."""
    broken = []
    type_ = resource["resourceType"]
    for target in resource.get("target", ()) if type_ == "Goal" else ():
        detail = any(name.startswith("detail") for name in target)
        broken += ["gol-1"] if detail and "measure" not in target else []
    for activity in resource.get("activity", ()) if release == "R4" else ():
        broken += ["cpl-3"] if ("detail" in activity) == ("reference" in activity) else []
    contacts = [*resource.get("telecom", ()), *(t for c in resource.get("contact", ()) for t in c.get("telecom", ()))]
    for telecom in contacts:
        broken += ["cpt-2"] if "system" not in telecom else []
        broken += ["org-3"] if type_ == "Organization" and telecom.get("use") == "home" else []
    if type_ == "Condition" and "clinicalStatus" not in resource:
        broken.append("con-3")
    if type_ == "Consent" and release == "R4" and "policyRule" not in resource:
        broken.append("ppc-1")
    if type_ == "Organization" and not ("name" in resource or "identifier" in resource):
        broken.append("org-1")
    if type_ == "Observation" and ("dataAbsentReason" in resource) == ("valueString" in resource):
        broken.append("obs-6, us-core-2")
    if type_ == "ServiceRequest" and "orderDetail" in resource and "code" not in resource:
        broken.append("prr-1")
    if type_ == "Task" and {"lastModified", "authoredOn"} <= set(resource):
        broken += ["inv-1"] if resource["lastModified"] < resource["authoredOn"][:10] else []
    if type_ == "Task" and release == "R5" and "restriction" in resource:
        broken += ["tsk-1"] if "focus" not in resource else []
    if type_ == "Appointment":
        broken += ["app-2"] if ("start" in resource) != ("end" in resource) else []
        broken += ["app-3"] if "start" not in resource and resource["status"] not in ("proposed", "cancelled") else []
        broken += ["app-1" for each in resource["participant"] if not {"type", "actor"} & {*each}]
    if type_ == "Composition":
        broken += ["cmp-1" for each in resource["section"] if not {"text", "entry", "section"} & {*each}]
    if type_ == "DocumentReference":
        broken += ["att-1" for each in resource["content"] if "data" in each and "contentType" not in each]
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


def coded(value: Any, schema: dict[str, Any], at: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Where the codes of a case stand, by its schema."""
    if "x-codes" in schema and isinstance(value, str):
        yield at
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from coded(child, schema.get("properties", {}).get(name, {}), (*at, name))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from coded(child, schema.get("items", {}), (*at, index))


def with_unknown(case: dict[str, Any], at: tuple[str | int, ...]) -> dict[str, Any]:
    """The case with a code there that nobody has heard of."""
    changed = copy.deepcopy(case)
    holder: Any = changed
    for key in at[:-1]:
        holder = holder[key]
    holder[at[-1]] = "never-heard-of"
    return changed


def some(everywhere: list[Any], seed: str) -> list[Any]:
    """All of them, or a sample that is the same each time."""
    return everywhere if ALL else random.Random(seed).sample(everywhere, k=min(SAMPLE, len(everywhere)))


@pytest.mark.parametrize("name", sorted(set(ROWS) - SAME))
def test_each_leaf_of_a_row_missing_in_turn(name: str, using: Mappings) -> None:
    """Required leaves too: a view may lack anything, because parts and topics decide leaf by leaf."""
    case = row(name)
    own = [OWN[name]] if name in OWN else list(ROWS[name])
    for at in places({collection: case[collection] for collection in own}):
        sound(mapped(without(case, at), using), using)


@pytest.mark.parametrize(
    "name",
    ["need", "strength", "assessment", "plan-service", "referral", "care-team", "goal", "practitioner", "document"],
)
def test_each_open_code_of_a_row_unknown(name: str, using: Mappings) -> None:
    """It goes out as text only, and is a finding that names the record and the map, never the code."""
    case = row(name)
    found = 0
    for at in places({collection: case[collection] for collection in ROWS[name]}):
        open_ = ("code", "domain", "role", "profession", "business_status", *(("type",) if name == "document" else ()))
        if at[-1] not in open_:
            continue
        result = mapped(with_unknown(case, at), using)
        sound(result, using)
        assert result.findings and not any("never-heard-of" in f"{f.pointer} {f.detail}" for f in result.findings)
        assert '"code": "never-heard-of"' not in str(result.made).replace("'", '"')
        found += 1
    assert found


@pytest.mark.timeout(3600 if ALL else 120)
@pytest.mark.parametrize("folder", CASES)
def test_each_leaf_of_a_fixture_missing_in_turn(folder: str, using: Mappings) -> None:
    """And each list and object of it: issue 4, *Missing data*."""
    case = whole(CASES[folder])
    everywhere = [at for at in places(case) if at != ("child",)]
    assert len(everywhere) > 40
    for at in some(everywhere, folder):
        sound(mapped(without(case, at), using), using)


@pytest.mark.timeout(3600 if ALL else 120)
@pytest.mark.parametrize("folder", CASES)
def test_each_code_of_a_fixture_unknown_in_turn(folder: str, using: Mappings) -> None:
    """Closed codes too: a schema may have grown where a map has not. No coding says a code that nobody translated."""
    case = whole(CASES[folder])
    everywhere = [
        at
        for name, value in case.items()
        if name in _SCHEMAS
        for index, record in enumerate(value if isinstance(value, list) else [value])
        for at in coded(record, _SCHEMAS[name], (name, index) if isinstance(value, list) else (name,))
    ]
    assert everywhere
    for at in some(everywhere, folder):
        result = mapped(with_unknown(case, at), using)
        sound(result, using)
        assert '"code": "never-heard-of"' not in json.dumps([m.resource for m in result.made], default=str)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_whole_case_with_much_missing(data: st.DataObject, using: Mappings) -> None:
    """Random losses over the fixtures: whole collections, entries and leaves at once."""
    case = CASES[data.draw(st.sampled_from(sorted(CASES)))]
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    shown = whole(case)
    everywhere = list(places(shown))
    for at in sorted(chance.sample(everywhere, k=min(60, len(everywhere))), key=len, reverse=True):
        shown = without(shown, at) if at != ("child",) else shown
    sound(mapped(shown, using), using)
