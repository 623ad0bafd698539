"""What Consents from elsewhere decide: one row, one sentence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapter.core.consent.fhir_consents import Deny, NotComputable, Permit, evaluate
from tests.core.consent.fhir.shapes import (
    ACT_REASON,
    AGREED,
    AT,
    CLINIC,
    CONFIDENTIALITY,
    NURSE,
    REGISTRY,
    SCHOOL,
    about,
    actions,
    actor,
    bare,
    deny,
    level,
    pcf,
    permit,
    purpose,
    r4,
    r5,
    sensitive,
    types,
)

R4_IN = r4(deny(actor(SCHOOL)), rule="OPTIN")
R4_OUT = r4(permit(actor(SCHOOL), purpose("TREAT"), below=[deny(types("Goal"))]), rule="OPTOUT")
PCF_NORMAL = pcf(permit(purpose("TREAT"), level("N")))
PCF_FOCUSED = pcf(permit(purpose("TREAT"), level("N"), below=[permit(level("R"), actor(NURSE))]))
PCF_TOPIC = pcf(permit(purpose("TREAT"), level("N"), below=[permit(sensitive("PSY", "SDV"), actor(NURSE))]))
PCF_GLASS = pcf(deny(below=[permit(purpose("BTG"), actor("Group/cleared"))]))
R5_IN = r5("permit", bare(actor(SCHOOL), below=[bare(purpose("ETREAT"))]))
R5_OUT = r5("deny", bare(purpose("TREAT")))
LEAP_CLASS = r4(permit(AGREED, below=[deny(actor(SCHOOL), types("MedicationStatement"))]), rule="hipaa-self-pay")
FAST = r4(permit(actor(f"{REGISTRY}|1")), rule="hipaa-auth", performer=[{"identifier": {"system": "s", "value": "v"}}])
SCHOOL_ITSELF = {"resourceType": "Organization", "id": "school", "identifier": [{"system": REGISTRY, "value": "1"}]}
CLEARED = {"resourceType": "Group", "id": "cleared", "member": [{"entity": {"reference": NURSE}}]}
MARY = "Observation/1"


def related(meaning: str) -> dict[str, Any]:
    return r4(permit(about(meaning, "Encounter/1")))


def row(sentence: str, decision: str, consents: Any, provision: str | None = None, **asked: Any) -> Any:
    return pytest.param(consents, asked, decision, provision, id=sentence)


ROWS = [
    row(
        "PCF: a denial beside a widening permit carves out of that too",
        "deny",
        pcf(permit(level("N"), below=[permit(level("R"), actor(NURSE)), deny(actor(NURSE))])),
        "Consent.provision.provision[1]",
        actor=[NURSE],
        labels=["R"],
    ),
    row(
        "PCF: a denial within a permit that may be for the one who asks denies",
        "deny",
        [r4(permit(actor(SCHOOL), below=[deny(purpose("TREAT"))])), r4(permit(), id="c2")],
        "Consent.provision.provision[0]",
        actor=[f"{REGISTRY}|1"],
    ),
    row(
        "PCF: an exception to a denial that may not be for the one who asks permits nothing",
        "deny",
        r4(deny(actor(SCHOOL), below=[permit(purpose("TREAT"))])),
        "",
        actor=[f"{REGISTRY}|1"],
    ),
    row(
        "an exception that cannot be read may deny",
        "not computable",
        [r4(permit()), r4(permit(actor(CLINIC), below=["x"]), id="c2")],
    ),
    row("a permit by label that may be for the data", "not computable", r4(permit(level("N"), {"actor": "x"}))),
    # Readings
    row("R4 base: opting in permits whoever is not excepted", "permit", R4_IN, "Consent.policyRule", actor=[CLINIC]),
    row("R4 base: the root is the first exception to opting in", "deny", R4_IN, "Consent.provision"),
    row("R4 base: opting in without provisions permits all", "permit", r4(rule="OPTIN"), "Consent.policyRule"),
    row("R4 base: opting out without provisions denies all", "deny", r4(rule="OPTOUT"), "Consent.policyRule"),
    row(
        "R4 base: the root is the first exception to opting out", "permit", R4_OUT, "Consent.provision", class_=["Task"]
    ),
    row("R4 base: a nested denial carves out of it", "deny", R4_OUT, "Consent.provision.provision[0]", class_=["Goal"]),
    row("R4 base: outside the exception, opting out denies", "deny", R4_OUT, "Consent.policyRule", actor=[CLINIC]),
    row(
        "R4: exceptions below a root that says nothing are the first",
        "deny",
        r4({"provision": [deny(actor(SCHOOL))]}, rule="OPTIN"),
        "Consent.provision.provision[0]",
    ),
    row(
        "R4: a permitting root carries the base even where the rule opts in",
        "deny",
        r4(permit(actor(CLINIC)), rule="OPTIN"),
        "",
    ),
    row(
        "R4: opting out and a root that denies: all is denied",
        "deny",
        [r4(deny(actor(CLINIC)), rule="OPTOUT"), r4(permit(), id="c2")],
        "Consent.policyRule",
    ),
    row(
        "R4: an exception to the exception permits",
        "permit",
        r4(deny(actor(SCHOOL), below=[permit(purpose("TREAT"))]), rule="OPTIN"),
        "Consent.provision.provision[0]",
    ),
    row("PCF: the root carries the base", "permit", PCF_NORMAL, "Consent.provision", labels=["N"]),
    row("PCF: a root that denies is a dissent", "deny", pcf(deny(purpose("TREAT"))), "Consent.provision"),
    row("PCF: outside the root's purposes it says nothing", "deny", PCF_NORMAL, "", purpose=["HRESCH"], labels=["N"]),
    row(
        "PCF: a permit under a permit widens it for its actor",
        "permit",
        PCF_FOCUSED,
        "Consent.provision.provision[0]",
        actor=[NURSE],
        labels=["R"],
    ),
    row("PCF: and for nobody else", "deny", PCF_FOCUSED, "", labels=["R"]),
    row(
        "PCF: what it leaves out it takes over from its parent",
        "deny",
        PCF_FOCUSED,
        "",
        actor=[NURSE],
        labels=["R"],
        purpose=["HRESCH"],
    ),
    row(
        "PCF: a permit of one topic reaches restricted data of that topic",
        "permit",
        PCF_TOPIC,
        actor=[NURSE],
        labels=["R", "PSY"],
    ),
    row(
        "PCF: and no data that carry another topic too",
        "deny",
        PCF_TOPIC,
        "",
        actor=[NURSE],
        labels=["R", "PSY", "HIV"],
    ),
    row(
        "PCF: breaking the glass by a member of the group",
        "permit",
        PCF_GLASS,
        actor=[NURSE],
        purpose=["BTG"],
        resources=[CLEARED],
    ),
    row(
        "PCF: not by one who is not in the group",
        "deny",
        PCF_GLASS,
        actor=["Practitioner/other"],
        purpose=["BTG"],
        resources=[CLEARED],
    ),
    row("PCF: nor where the group is not at hand", "deny", PCF_GLASS, actor=[NURSE], purpose=["BTG"]),
    row(
        "PCF: a denial under a denial wins over a permit beside it",
        "deny",
        pcf(deny(below=[permit(actor(SCHOOL)), deny(purpose("TREAT"))])),
        "Consent.provision.provision[1]",
    ),
    row("FAST: a receiver by business identifier", "permit", FAST, "Consent.provision", actor=[f"{REGISTRY}|1"]),
    row("FAST: another value of that system is another", "deny", FAST, "", actor=[f"{REGISTRY}|2"]),
    row("R5: the decision is the base", "permit", R5_IN, "Consent.decision", actor=[CLINIC]),
    row("R5: the first level turns it round", "deny", R5_IN, "Consent.provision[0]"),
    row("R5: the second turns it back", "permit", R5_IN, "Consent.provision[0].provision[0]", purpose=["ETREAT"]),
    row("R5: a base that denies, and what is permitted", "permit", R5_OUT, "Consent.provision[0]"),
    row("R5: and what is not", "deny", R5_OUT, "Consent.decision", purpose=["HMARKT"]),
    row(
        "R5: types that agree with alternation are read",
        "deny",
        r5("permit", deny(actor(SCHOOL))),
        "Consent.provision[0]",
    ),
    row(
        "R5: resourceType is read as the class",
        "deny",
        r5("permit", bare({"resourceType": [{"code": "Goal"}]})),
        class_=["Goal"],
    ),
    row(
        "R5: documentType and resourceType must both hold",
        "permit",
        r5("permit", bare({"resourceType": [{"code": "Binary"}], "documentType": [{"code": "text/plain"}]})),
        class_=["text/plain"],
    ),
    row("one object in place of a list is read as a list of one", "deny", r5("permit", provision=bare(actor(SCHOOL)))),
    # Not computable
    row("no type: one of R4's own examples permits nothing", "not computable", r4(bare(actor(CLINIC)), rule="OPTIN")),
    row(
        "but what it certainly does not speak of stays silent",
        "deny",
        [r4(permit(actor(CLINIC)), modifierExtension=None), r4(bare(actor(CLINIC)), status="inactive")],
        "",
    ),
    row("no base at all", "not computable", r4()),
    row("R5 without a decision", "not computable", r5(None, bare(actor(CLINIC)))),
    row("R5 types that contradict alternation", "not computable", r5("permit", permit(actor(SCHOOL)))),
    row("an expression of R5", "not computable", r5("deny", bare({"expression": {"language": "text/fhirpath"}}))),
    row(
        "an unknown modifier extension may turn all round",
        "not computable",
        r4(permit(), modifierExtension=[{"url": "https://x.example/not"}]),
    ),
    row(
        "one on a provision too",
        "not computable",
        r4(permit(below=[deny({"modifierExtension": [{"url": "https://x.example/not"}]}, actor(CLINIC))])),
        actor=[SCHOOL],
    ),
    row("implicit rules are not known", "not computable", r4(permit(), implicitRules="https://x.example/rules")),
    row("deeper than one exception", "not computable", r4(permit(below=[deny(below=[permit()])]))),
    row("R5 deeper than one exception", "not computable", r5("permit", bare(below=[bare(below=[bare()])]))),
    row(
        "opting in and out at once",
        "not computable",
        r4(permit(), policyRule={"coding": [{"code": "OPTIN"}, {"code": "OPTOUT"}]}),
    ),
    row("elements of R4 and R5 together", "not computable", r4(permit(), decision="deny")),
    row("an unknown status", "not computable", r4(permit(), status="unknown")),
    row("no status", "not computable", r4(permit(), status=None)),
    row("a date that is none", "not computable", r4(permit({"period": {"end": "next spring"}}))),
    row("a type that is none", "not computable", r4({"type": "maybe"})),
    row("not a Consent", "not computable", {"resourceType": "Patient"}),
    row("not even an object", "not computable", 42),
    row(
        "a permit that cannot be computed does not stand in for silence",
        "not computable",
        r4(permit({"actor": "school"})),
    ),
    row("what may deny wins over a permit", "not computable", [r4(permit()), r4(deny({"actor": "school"}), id="c2")]),
    row("what may only permit does not", "permit", [r4(permit()), r4(permit({"actor": "school"}), id="c2")]),
    row(
        "what may deny, but certainly for another purpose, does not either",
        "permit",
        [r4(permit()), r4(deny({"actor": "school"}, purpose("HMARKT")), id="c2")],
    ),
    row("a certain denial wins over what cannot be computed", "deny", [r4(deny(actor(SCHOOL))), 42]),
    # Across Consents
    row("no consent at all is denial", "deny", [], ""),
    row(
        "a denial wins, whatever the dates",
        "deny",
        [r4(deny(actor(SCHOOL)), dateTime="2020-01-01"), r4(permit(), id="c2", dateTime="2026-05-01")],
    ),
    row(
        "a denial that is later than the time asked about counts too",
        "deny",
        [r4(permit()), r4(deny(actor(SCHOOL)), id="c2", dateTime="2026-07-01")],
    ),
    row(
        "consents of two people are not mixed",
        "not computable",
        [r4(permit()), r4(permit(), patient={"reference": "Patient/kofi"})],
    ),
    row(
        "about whom is asked decides which count",
        "permit",
        [r4(permit()), r4(deny(), patient={"reference": "Patient/kofi"})],
        patient="Patient/ama",
    ),
    row(
        "a consent about nobody in particular permits nothing for one who is named",
        "deny",
        r4(permit(), patient=None),
        "",
        patient="Patient/ama",
    ),
    # Status, scope, dates
    *(
        row(f"{status} says nothing, neither permit", "deny", r4(permit(), status=status), "")
        for status in ("draft", "proposed", "rejected", "inactive", "entered-in-error")
    ),
    *(
        row(f"{status} of R5 says nothing, nor denial", "permit", [r4(permit()), r5("deny", status=status)])
        for status in ("draft", "inactive", "not-done", "entered-in-error")
    ),
    row(
        "a scope of research agrees to something else",
        "deny",
        r4(permit(), scope={"coding": [{"code": "research"}]}),
        "",
    ),
    row(
        "a scope among the categories counts as one",
        "deny",
        r5(
            "permit",
            category=[{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "adr"}]}],
        ),
        "",
    ),
    row("a scope that is not known permits nothing", "deny", r4(permit(), scope={"coding": [{"code": "x"}]}), ""),
    row("and denies all the same", "deny", r4(deny(), scope={"coding": [{"code": "x"}]}), "Consent.provision"),
    row(
        "signed later than the time asked about, it permits nothing yet",
        "deny",
        r4(permit(), dateTime="2026-06-02"),
        "",
    ),
    row(
        "not verified, by its own word, it permits nothing",
        "deny",
        r4(permit(), verification=[{"verified": False}]),
        "",
    ),
    row("it has ended", "deny", r4(permit(AGREED)), "", at=datetime(2027, 1, 1, tzinfo=UTC)),
    row("the last day is included", "permit", r4(permit(AGREED)), at=datetime(2026, 12, 31, 23, 59, tzinfo=UTC)),
    row(
        "in the zone that is asked for",
        "permit",
        r4(permit(AGREED)),
        at=datetime(2027, 1, 1, 4, tzinfo=UTC),
        zone=ZoneInfo("America/Toronto"),
    ),
    row("it has not begun", "deny", r4(permit(AGREED)), "", at=datetime(2025, 12, 31, 12, tzinfo=UTC)),
    row(
        "a month ends with its last day",
        "permit",
        r4(permit({"period": {"end": "2026-06"}})),
        at=datetime(2026, 6, 30, 23, tzinfo=UTC),
    ),
    row("a time ends with its second", "deny", r4(permit({"period": {"end": "2026-06-01T11:59:59Z"}})), ""),
    row("and holds to that second", "permit", r4(permit({"period": {"end": "2026-06-01T12:00:00Z"}}))),
    row("a year of 9999 is no fault", "permit", r4(permit({"period": {"end": "9999-12-31"}}))),
    row("R5: the whole consent has ended", "deny", r5("permit"), "", at=datetime(2027, 6, 1, tzinfo=UTC)),
    row(
        "an exception that has ended carves nothing out",
        "permit",
        r4(permit(below=[deny(actor(SCHOOL), {"period": {"end": "2026-03-31"}})])),
    ),
    row(
        "an exception lives as long as its parent",
        "deny",
        r4(permit(AGREED, below=[permit(level("R"))])),
        "",
        at=datetime(2027, 6, 1, tzinfo=UTC),
        labels=["R"],
    ),
    # Actors
    row(
        "a reference is followed to what came along", "deny", R4_IN, actor=[f"{REGISTRY}|1"], resources=[SCHOOL_ITSELF]
    ),
    row("which then is nobody else", "permit", R4_IN, actor=["https://other.example|9"], resources=[SCHOOL_ITSELF]),
    row("who cannot be told from a denied actor is denied", "deny", R4_IN, actor=["https://other.example|9"]),
    row(
        "who cannot be told to be the permitted actor is not permitted",
        "deny",
        r4(permit(actor(SCHOOL))),
        "",
        actor=[f"{REGISTRY}|1"],
    ),
    row("an organization's denial may reach the person who asks", "deny", R4_IN, actor=[NURSE]),
    row("unless the person's own organization is named as another", "permit", R4_IN, actor=[NURSE, CLINIC]),
    row("a person of a denied organization is denied", "deny", R4_IN, actor=[NURSE, SCHOOL]),
    row(
        "the same id on another server cannot be told",
        "deny",
        R4_IN,
        actor=["https://a.example/fhir/Organization/school"],
    ),
    row("a version of a reference is that resource", "deny", r4(deny(actor(SCHOOL + "/_history/2")), rule="OPTIN")),
    row(
        "a contained actor is known by its identifiers",
        "permit",
        r4(permit(actor("#s")), contained=[SCHOOL_ITSELF | {"id": "s"}]),
        actor=[f"{REGISTRY}|1"],
    ),
    row("a reference to nothing that is contained is not computable", "not computable", r4(permit(actor("#s")))),
    row("a custodian is no recipient: no permit", "deny", r4(permit(actor(SCHOOL, role="CST"))), ""),
    row("but a denial", "deny", r4(deny(actor(SCHOOL, role="CST")), rule="OPTIN"), "Consent.provision"),
    row("one of several actors is enough", "permit", r4(permit(actor(CLINIC, SCHOOL)))),
    # Purposes
    row("HL7's tree: treatment covers coordination of care", "permit", PCF_NORMAL, purpose=["COC"], labels=["N"]),
    row("but to break the glass must be named", "deny", PCF_NORMAL, "", purpose=["BTG"], labels=["N"]),
    row("a denial of treatment reaches that too", "deny", r4(deny(purpose("TREAT")), rule="OPTIN"), purpose=["BTG"]),
    row("a narrower purpose does not cover the wider", "deny", r4(permit(purpose("ETREAT"))), ""),
    row(
        "a permit must cover every purpose that is asked",
        "deny",
        r4(permit(purpose("TREAT"))),
        "",
        purpose=["TREAT", "HMARKT"],
    ),
    row("a denial is hit by any", "deny", r4(deny(purpose("HMARKT")), rule="OPTIN"), purpose=["TREAT", "HMARKT"]),
    row("no purpose stated: no permit for a purpose", "deny", r4(permit(purpose("TREAT"))), "", purpose=[]),
    row("no purpose stated: a denial of one", "deny", r4(deny(purpose("HMARKT")), rule="OPTIN"), purpose=[]),
    row(
        "the same code of another system is another: no permit",
        "deny",
        r4(permit({"purpose": [{"system": "https://x.example", "code": "TREAT"}]})),
        "",
        purpose=[f"{ACT_REASON}|TREAT"],
    ),
    row(
        "but it cannot be told for a denial",
        "deny",
        r4(deny({"purpose": [{"system": "https://x.example", "code": "TREAT"}]}), rule="OPTIN"),
        purpose=[f"{ACT_REASON}|TREAT"],
    ),
    # Labels
    *(
        row(
            f"a permit up to N and data labelled {label}",
            "permit" if label in "ULMN" else "deny",
            PCF_NORMAL,
            labels=[f"{CONFIDENTIALITY}|{label}"],
        )
        for label in "ULMNRV"
    ),
    *(
        row(
            f"a denial from R and data labelled {label}",
            "deny" if label in "RV" else "permit",
            r4(deny(level("R")), rule="OPTIN"),
            labels=[label],
        )
        for label in "ULMNRV"
    ),
    row("an unknown confidentiality is not permitted", "deny", PCF_NORMAL, "", labels=[f"{CONFIDENTIALITY}|X"]),
    row("and is denied", "deny", r4(deny(level("R")), rule="OPTIN"), labels=[f"{CONFIDENTIALITY}|X"]),
    row(
        "restricted and its reason: the permit up to R covers both",
        "permit",
        pcf(permit(level("N", "R"))),
        labels=["R", "ETHUD"],
    ),
    row("unlabelled data are not permitted by label", "deny", PCF_NORMAL, "", labels=["none"]),
    row("nor denied", "permit", r4(deny(level("R")), rule="OPTIN"), labels=["none"]),
    row("labels that are not said count against", "deny", r4(deny(level("R")), rule="OPTIN")),
    row("a sensitivity that is denied", "deny", r4(deny(sensitive("HIV")), rule="OPTIN"), labels=["N", "HIV"]),
    row("another is not", "permit", r4(deny(sensitive("HIV")), rule="OPTIN"), labels=["R", "PSY"]),
    row("how to handle data is no sensitivity", "permit", pcf(permit(sensitive("PSY"))), labels=["PSY", "NORDSCLCD"]),
    # Class, code, action, data
    row("LEAP: a class that is excepted", "deny", LEAP_CLASS, class_=["MedicationStatement"]),
    row("LEAP: another class", "permit", LEAP_CLASS, class_=["Immunization"]),
    row("LEAP: for another actor", "permit", LEAP_CLASS, class_=["MedicationStatement"], actor=[CLINIC]),
    row("a class that is not said counts against", "deny", LEAP_CLASS),
    row("data without a class", "permit", LEAP_CLASS, class_=["none"]),
    row(
        "label and class together must both be hit",
        "permit",
        r4(permit(below=[deny(types("Goal"), level("R"))])),
        class_=["Goal"],
        labels=["N"],
    ),
    row(
        "a code that is denied",
        "deny",
        r4(deny({"code": [{"coding": [{"code": "a"}, {"code": "b"}]}]}), rule="OPTIN"),
        codes=["b"],
    ),
    row("to look is what is asked where nothing is said", "permit", r4(permit(actions("access")))),
    row("to correct is not to look", "deny", r4(permit(actions("correct"))), ""),
    row("a denial of any action counts where none is said", "deny", r4(deny(actions("disclose")), rule="OPTIN")),
    row(
        "a denial of another action than the one asked",
        "permit",
        r4(deny(actions("correct")), rule="OPTIN"),
        action=["access"],
    ),
    row("data: the instance", "permit", related("instance"), data="Encounter/1"),
    row("data: not another", "deny", related("instance"), "", data="Encounter/2"),
    row("data: which is not said", "deny", related("instance"), ""),
    row("data: related is what it refers to", "permit", related("related"), data=MARY, referred_by=["Encounter/1"]),
    row(
        "data: not what refers to it",
        "deny",
        related("related"),
        "",
        data=MARY,
        refers_to=["Encounter/1"],
        referred_by=[],
    ),
    row(
        "data: unless PCF says so",
        "permit",
        pcf(permit(about("related", "Encounter/1"))),
        data=MARY,
        refers_to=["Encounter/1"],
    ),
    row(
        "data: dependents are what refers to it", "permit", related("dependents"), data=MARY, refers_to=["Encounter/1"]
    ),
    row(
        "data: not what it refers to",
        "deny",
        related("dependents"),
        "",
        data=MARY,
        refers_to=[],
        referred_by=["Encounter/1"],
    ),
    row(
        "data: a denial of what is related reaches both ways",
        "deny",
        r4(deny(about("related", "Encounter/1")), rule="OPTIN"),
        data=MARY,
        refers_to=["Encounter/1"],
        referred_by=[],
    ),
    row("data: by its author", "permit", r4(permit(about("authoredby", NURSE))), authors=[NURSE]),
    row("data: by another author", "deny", r4(permit(about("authoredby", NURSE))), "", authors=["Practitioner/x"]),
    row("data of a period", "permit", r4(permit({"dataPeriod": AGREED["period"]})), data_date="2026-05"),
    row("data of the year before", "deny", r4(permit({"dataPeriod": AGREED["period"]})), "", data_date="2025-05-01"),
    row(
        "data that may be of the period: no permit",
        "deny",
        r4(permit({"dataPeriod": {"start": "2026-05-10"}})),
        "",
        data_date="2026-05",
    ),
    row(
        "data that may be of the period: a denial",
        "deny",
        r4(deny({"dataPeriod": {"start": "2026-05-10"}}), rule="OPTIN"),
        data_date="2026-05",
    ),
]


@pytest.mark.parametrize(("consents", "asked", "decision", "provision"), ROWS)
def test_decision(consents: Any, asked: dict[str, Any], decision: str, provision: str | None) -> None:
    """`provision`: the path that decided; empty where nothing speaks of what is asked; None: not part of the row."""
    question: dict[str, Any] = {"actor": [SCHOOL], "purpose": ["TREAT"], "at": AT} | asked
    found = evaluate(consents if isinstance(consents, list) else [consents], **question)
    assert found.decision == decision, found
    assert isinstance(found, {"permit": Permit, "deny": Deny, "not computable": NotComputable}[decision])
    assert provision is None or found.provision == provision
    assert found.reason.endswith(".")


def test_silence_says_so() -> None:
    found = evaluate([], actor=[SCHOOL], at=AT)
    assert (found.reason, found.consent, found.provision) == ("No consent permits it.", "", "")


def test_the_answer_names_the_consent_the_reading_and_what_was_left_out() -> None:
    ended = r4(permit(AGREED | {"period": {"end": "2026-01-31"}}), id="old")
    found = evaluate([ended, PCF_FOCUSED], actor=[NURSE], purpose=["TREAT"], labels=["R"], at=AT)
    assert found.consent == "Consent/c1"
    assert "permit under permit" in found.reading
    assert "Consent/old: it has not begun, or has ended" in found.notes


def test_a_denial_says_what_could_not_be_told() -> None:
    found = evaluate([R4_IN], actor=[f"{REGISTRY}|1"], at=AT)
    assert "actor" in found.reason
    assert REGISTRY not in found.reason
