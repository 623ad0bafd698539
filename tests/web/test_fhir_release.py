"""A partner whose file says R5 is spoken to in R5 at /fhir: what it sends, what it gets, what it is told of us."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.bundle import Bundle
from fhir.resources.capabilitystatement import CapabilityStatement

from adapter import show
from adapter.core.fhir.models import problems
from adapter.web.app import create_app
from adapter.web.context import KEY
from tests.web.conftest import ROOT, Web
from tests.web.shapes import assert_error

WHO, OTHER = "lakeside", "riverside"
R5 = "application/fhir+json; fhirVersion=5.0"
CASE = (ROOT / "fixtures" / "ontario-csp" / "case.json").read_bytes()
CONSENT: dict[str, Any] = {
    "resourceType": "Consent",
    "identifier": [{"system": "https://school.example", "value": "c"}],
    "status": "active",
    "subject": {"display": "A child"},
    "decision": "deny",
    "provision": [{"period": {"end": "2027-08-31"}}],
}


@pytest.fixture
def r5(web: Web) -> Web:
    """The same web, where the school board's file says R5; the hospital's stays R4."""
    desk = web.app.extensions[KEY]
    partners = desk.catalogue.partners
    catalogue = replace(desk.catalogue, partners={**partners, WHO: replace(partners[WHO], release="R5")})
    return replace(web, app=create_app(replace(desk, catalogue=catalogue)))


def test_what_only_r5_has_is_taken_from_who_speaks_it(r5: Web) -> None:
    """A Consent with a decision: taken from the one, refused from the other; answers name their release."""
    taken = r5.ask(WHO, "POST", "/fhir/Consent", CONSENT, Content_Type=R5)
    assert (taken.status_code, taken.headers["Content-Type"]) == (201, R5)
    assert_error(r5.ask(OTHER, "POST", "/fhir/Consent", CONSENT), 422)
    read = r5.ask(WHO, "GET", f"/fhir/Consent/{taken.json['id']}", Accept=R5)
    assert (read.status_code, read.headers["Content-Type"]) == (200, R5)
    assert r5.ask(OTHER, "GET", "/fhir/Consent").headers["Content-Type"] == "application/fhir+json"


@pytest.mark.parametrize("content_type", ["application/fhir+json", "application/json", R5])
def test_a_version_need_not_be_named(r5: Web, content_type: str) -> None:
    """Without one, the partner's own is meant."""
    assert r5.ask(WHO, "POST", "/fhir/Consent", CONSENT, Content_Type=content_type).status_code == 201


def test_the_other_release_is_not_spoken_with_it(r5: Web) -> None:
    """R4 from an R5 partner is a mistake that it hears of at once."""
    r4 = "application/fhir+json; fhirVersion=4.0"
    assert_error(r5.ask(WHO, "POST", "/fhir/Consent", CONSENT, Content_Type=r4), 415)
    assert_error(r5.ask(WHO, "GET", "/fhir/Consent", Accept=r4), 406)
    assert_error(r5.ask(OTHER, "GET", "/fhir/Consent", Accept=R5), 406)


def test_an_r5_search_finds_by_the_subject(r5: Web) -> None:
    """`patient` is where R4 names it; in R5 it is `subject`: found by either name of the parameter."""
    patient = r5.ask(WHO, "POST", "/fhir/Patient", {"resourceType": "Patient", "active": True}).json["id"]
    r5.ask(WHO, "POST", "/fhir/Consent", CONSENT | {"subject": {"reference": f"Patient/{patient}"}})
    for name in ("patient", "subject"):
        found = r5.ask(WHO, "GET", f"/fhir/Consent?{name}=Patient/{patient}")
        Bundle.model_validate_json(found.data)
        assert found.json["total"] == 1


@pytest.mark.parametrize(("accept", "version"), [(R5, "5.0.0"), ("application/fhir+json", "4.0.1"), ("*/*", "4.0.1")])
def test_metadata_is_told_in_the_release_that_is_asked_for(r5: Web, accept: str, version: str) -> None:
    """Nobody has to say who they are for it, so that the content type decides."""
    said = r5.ask(None, "GET", "/fhir/metadata", Accept=accept)
    assert said.json["fhirVersion"] == version
    if version == "5.0.0":
        assert said.headers["Content-Type"] == R5
        CapabilityStatement.model_validate_json(said.data)


@pytest.mark.parametrize(("who", "release"), [(WHO, "R5"), (OTHER, "R4")])
def test_what_we_send_we_also_take(r5: Web, who: str, release: Any) -> None:
    """The whole transaction that an adapter sends, to another adapter that speaks the same release."""
    desk = r5.app.extensions[KEY]
    sent = json.loads(show.bundle(desk, CASE, who, desk.clock(), release=release))
    assert [p for e in sent["entry"] for p in problems(e["resource"], release=release)] == []
    answer = r5.ask(who, "POST", "/fhir", sent)
    assert answer.status_code == 200, answer.json
    assert {e["response"]["status"] for e in answer.json["entry"]} == {"201 Created"}
    again = r5.ask(who, "POST", "/fhir", sent)
    assert {e["response"]["status"] for e in again.json["entry"]} == {"200 OK"}, "found by identifier, and by tag"
