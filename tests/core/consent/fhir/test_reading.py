"""Which reading a Consent is given, by name, and which of its elements cannot be computed, by path."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.core.consent.fhir_consents import provisions as readings
from adapter.core.consent.fhir_consents import read
from tests.core.consent.fhir.shapes import NURSE, SCHOOL, about, actor, bare, deny, level, pcf, permit, r4, r5

READINGS = [
    pytest.param(r4(deny(actor(SCHOOL)), rule="OPTIN"), {readings.R4_BASE}, id="R4 base"),
    pytest.param(r4(rule="OPTOUT"), {readings.R4_BASE_ONLY}, id="R4 base alone"),
    pytest.param(r4(permit(actor(SCHOOL)), rule="OPTIN"), {readings.R4_AGREE}, id="the root and the rule agree"),
    pytest.param(r4(permit(actor(SCHOOL)), rule="hipaa-auth"), {readings.R4_ROOT}, id="R4 PCF"),
    pytest.param(
        pcf(permit(level("N"), below=[permit(level("R"), actor(NURSE))])),
        {readings.R4_ROOT, readings.WIDENING, readings.LABEL_FLOOR},
        id="permit under permit",
    ),
    pytest.param(r4(deny(below=[deny(actor(SCHOOL))])), {readings.R4_ROOT, readings.DENY_UNDER_DENY}, id="deny twice"),
    pytest.param(
        pcf(permit(about("related", "Encounter/1"))), {readings.R4_ROOT, readings.RELATED_BOTH}, id="PCF related"
    ),
    pytest.param(r5("permit", bare(actor(SCHOOL))), {readings.R5_ALTERNATION}, id="R5"),
    pytest.param(r5("permit", deny()), {readings.R5_ALTERNATION, readings.R5_TYPED}, id="R5 with types"),
]


@pytest.mark.parametrize(("consent", "named"), READINGS)
def test_the_reading_is_named(consent: dict[str, Any], named: set[str]) -> None:
    value = read(consent)
    assert value.faults == ()
    assert set(value.readings) == named


def faulty(path: str, consent: Any) -> Any:
    return pytest.param(consent, path, id=path)


UNKNOWN = {"modifierExtension": [{"url": "https://x.example/not", "valueBoolean": True}]}
FAULTS = [
    faulty("Consent", 7),
    faulty("Consent.resourceType", {}),
    faulty("Consent.status", r4(permit(), status="granted")),
    faulty("Consent.implicitRules", r4(permit(), implicitRules="https://x.example")),
    faulty("Consent.modifierExtension", r4(permit(), **UNKNOWN)),
    faulty("Consent.dateTime", r4(permit(), dateTime="yesterday")),
    faulty("Consent.patient", r4(permit(), patient="Ama")),
    faulty("Consent.patient.identifier[0]", r4(permit(), patient={"identifier": {"system": "x"}})),
    faulty("Consent.category[0]", r4(permit(), category=[{"text": "privacy"}])),
    faulty("Consent.policyRule", r4(permit(), policyRule={"coding": [{"code": "OPTIN"}, {"code": "OPTOUT"}]})),
    faulty("Consent.decision", r5(None)),
    faulty("Consent.period.start", r5("permit", period={"start": "2026-13-01"})),
    faulty("Consent.period", r5("permit", period={"start": "2026-12-01", "end": "2026-01-01"})),
    faulty("Consent.verification[0].verified", r4(permit(), verification=[{"verified": "yes"}])),
    faulty("Consent.provision", r4()),
    faulty("Consent.provision.type", r4(bare(actor(SCHOOL)), rule="OPTIN")),
    faulty("Consent.provision.modifierExtension", r4(permit(UNKNOWN))),
    faulty("Consent.provision.actor[0]", r4(permit({"actor": ["school"]}))),
    faulty("Consent.provision.actor[0].role", r4(permit({"actor": [{"role": {"text": "reader"}}]}))),
    faulty("Consent.provision.actor[0].modifierExtension", r4(permit({"actor": [UNKNOWN]}))),
    faulty("Consent.provision.actor[0].reference.reference", r4(permit(actor("#nobody")))),
    faulty("Consent.provision.purpose", r4(permit({"purpose": []}))),
    faulty("Consent.provision.purpose[0]", r4(permit({"purpose": [{"display": "Treatment"}]}))),
    faulty("Consent.provision.securityLabel[0].code", r4(permit({"securityLabel": [{"code": 3}]}))),
    faulty("Consent.provision.data[0].meaning", r4(permit(about("near", "Encounter/1")))),
    faulty("Consent.provision.data[0].reference", r4(permit({"data": [{"meaning": "instance"}]}))),
    faulty("Consent.provision.dataPeriod", r4(permit({"dataPeriod": {}}))),
    faulty("Consent.provision.provision[0]", r4(permit(below=["deny"]))),
    faulty("Consent.provision.provision[0].type", r4(permit(below=[bare(actor(SCHOOL))]))),
    faulty("Consent.provision.provision[0].provision[0]", r4(permit(below=[deny(below=[permit()])]))),
    faulty("Consent.provision[0].expression", r5("deny", bare({"expression": {"expression": "true"}}))),
    faulty("Consent.provision[0].type", r5("permit", permit())),
    faulty("Consent.decision", r4(permit(), decision="permit", dateTime="2026-01-01")),
]


@pytest.mark.parametrize(("consent", "path"), FAULTS)
def test_what_is_not_computable_is_named_by_its_path(consent: Any, path: str) -> None:
    assert path in {fault.path for fault in read(consent).faults}


def test_no_fault_repeats_a_value() -> None:
    consent = r4(permit(actor("#Wickenbrook")), status="Wickenbrook", dateTime="Wickenbrook")
    assert all("Wickenbrook" not in fault.path + fault.why for fault in read(consent).faults)


def test_the_value_holds_what_the_consent_says() -> None:
    value = read(
        r4(
            permit(actor(SCHOOL), {"period": {"start": "2026-02"}}),
            policy=[{"uri": "https://policies.example.org/base"}],
            performer=[{"reference": "RelatedPerson/mother"}],
        )
    )
    assert (value.id, value.release, value.status) == ("Consent/c1", "R4", "active")
    assert value.patients == ("Patient/ama",)
    assert value.policies == ("https://policies.example.org/base",)
    assert value.grantors[0].references == ("RelatedPerson/mother",)
    assert any("does not say which" in note for note in value.notes)
    assert value.root.actors[0].references == (SCHOOL,)
    assert value.root.period is not None and value.root.period.start is not None
    assert value.root.period.start.isoformat() == "2026-02-01T00:00:00+00:00"
