"""A partner that speaks R5 holds R5, is spoken to as such, and may change its release."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter.core.fhir.models import problems
from adapter.core.partner import Release
from tests.verbs.agency import Agency, case_of, revoked
from tests.verbs.conftest import Open

R5 = "application/fhir+json; fhirVersion=5.0"


def held(agency: Agency, partner: str, release: Release) -> list[dict[str, Any]]:
    """What the partner holds, each resource sound in this release."""
    there = list(agency.fhir(partner).resources.values())
    assert [(r["resourceType"], p) for r in there for p in problems(r, release=release)] == []
    return there


@pytest.mark.parametrize("withdrawal", ["delete", "stub"])
def test_an_r5_partner_holds_r5_until_it_is_taken_back(open_agency: Open, withdrawal: str) -> None:
    """Two partners of one case, one of them R5: each holds its own release; then the Consent closes, in R5 too."""
    agency = open_agency(riverside={"release": "R5", "withdrawal": withdrawal})
    agency.fhir("riverside").deletes = withdrawal == "delete"
    agency.put(case_of("ontario-csp"))
    agency.work()
    agency.assert_equal("riverside")
    agency.assert_equal("lakeside")
    held(agency, "lakeside", "R4")
    assert {r["decision"] for r in held(agency, "riverside", "R5") if r["resourceType"] == "Consent"} == {"deny"}
    requests = [s for s in agency.seen("riverside") if s.body]
    assert {s.headers["content-type"] for s in requests} == {R5}
    assert {s.headers["accept"] for s in agency.seen("riverside")} == {R5}
    assert {s.headers["accept"] for s in agency.seen("lakeside")} == {"application/fhir+json"}
    agency.put(revoked(case_of("ontario-csp")))
    agency.work()
    agency.assert_equal("riverside")
    (own,) = [r for r in held(agency, "riverside", "R5") if r["resourceType"] == "Consent"]
    assert own["status"] == "inactive" and "provision" not in own and set(own["subject"]) == {"type", "identifier"}


def test_a_partner_that_moves_to_r5_gets_its_copy_again_in_r5(open_agency: Open) -> None:
    """Level, not edge: a changed partner file is a changed desired state, and no resource is doubled or lost."""
    agency = open_agency()
    agency.put(case_of("ontario-csp"))
    agency.work()
    before = {r["id"] for r in held(agency, "lakeside", "R4")}
    partners = agency.desk.bench.rulebook.partners
    moved = {**partners, "lakeside": replace(partners["lakeside"], release="R5")}
    bench = replace(agency.desk.bench, rulebook=replace(agency.desk.bench.rulebook, partners=moved))
    agency.desk = replace(agency.desk, bench=bench)
    changed = case_of("ontario-csp")
    changed["goals"][0]["title"] += "!"
    agency.put(changed)
    agency.work()
    agency.assert_equal("lakeside")
    assert before <= {r["id"] for r in agency.fhir("lakeside").resources.values()}
