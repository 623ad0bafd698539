"""What becomes of resources of people who have never heard of us: docs/inbound.md, one rule a row."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.core.mapping.inbound import Received, records
from tests.core.inbound.home import sender, using

SCT, LOINC, V2 = "http://snomed.info/sct", "http://loinc.org", "http://terminology.hl7.org/CodeSystem/v2-0203"
OURS = "https://csp-adapter.example/CodeSystem/"
PATIENT = {"resourceType": "Patient", "id": "p", "name": [{"family": "Example", "given": ["Ama"]}]}
MOTHER = {
    "resourceType": "RelatedPerson",
    "id": "m",
    "patient": {"reference": "Patient/p"},
    "relationship": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}]}],
    "name": [{"text": "Efua Example"}],
}


def goal(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Goal",
        "id": "g",
        "lifecycleStatus": "active",
        "description": {"text": "Ask for a break"},
        "subject": {"reference": "Patient/p"},
        **changes,
    }


def need(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": "c",
        "code": {"text": "A friend"},
        "subject": {"reference": "Patient/p"},
        **changes,
    }


def order(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "ServiceRequest",
        "id": "s",
        "status": "active",
        "intent": "order",
        "code": {"text": "Swimming"},
        "subject": {"reference": "Patient/p"},
        **changes,
    }


def task(**changes: Any) -> dict[str, Any]:
    return {"resourceType": "Task", "id": "t", "status": "accepted", "intent": "order", **changes}


def came(*given: Any, release: Any = "R4", **options: Any) -> Received:
    return records(list(given), using(release), sender(**options))


def only(received: Received, collection: str) -> dict[str, Any]:
    """The one record of a collection."""
    (found,) = [each.record for each in received.records if each.collection == collection]
    return found


def refused(received: Received) -> list[tuple[str, str]]:
    return [(note.expression, note.rule) for note in received.refused]


def told(received: Received) -> list[str]:
    return [note.expression for note in received.findings]


def concept(*codings: tuple[str, str], text: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {"coding": [{"system": s, "code": c} for s, c in codings]} if codings else {}
    return made | ({"text": text} if text else {})


@pytest.mark.parametrize(
    ("code", "record"),
    [
        pytest.param(concept((SCT, "5154007")), {"code": "speech-language-therapy"}, id="SNOMED that is the same"),
        pytest.param(
            concept((SCT, "5154007"), (OURS + "service", "respite")), {"code": "respite"}, id="our own code wins"
        ),
        pytest.param(
            concept((SCT, "5154007"), text="Talking"),
            {"code": "speech-language-therapy", "text": "Talking"},
            id="words that say more than the code",
        ),
        pytest.param(
            concept((SCT, "5154007"), text="Speech-language therapy"),
            {"code": "speech-language-therapy"},
            id="words that say no more than the code",
        ),
        pytest.param(
            concept((SCT, "5154007"), (SCT, "84478008"), text="Both"), {"text": "Both"}, id="two codes of ours"
        ),
        pytest.param(concept((SCT, "999"), text="Riding"), {"text": "Riding"}, id="a code that nobody knows"),
        pytest.param(
            {"coding": [{"system": SCT, "code": "999", "display": "Riding"}]}, {"text": "Riding"}, id="its display"
        ),
        pytest.param(concept((OURS + "service", "no-such")), None, id="our system and a code that it has not"),
        pytest.param(concept(text="respite"), {"code": "respite"}, id="an open list, and a text that is a short code"),
    ],
)
def test_a_code_is_translated_where_it_is_certain(code: dict[str, Any], record: dict[str, Any] | None) -> None:
    received = came(order(code=code))
    if record is None:
        assert not received.records and refused(received)[0][0] == "ServiceRequest.code"
    else:
        assert only(received, "referrals")["services"] == [record]


@pytest.mark.parametrize(
    ("type_", "sector"),
    [
        pytest.param(("http://terminology.hl7.org/CodeSystem/organization-type", "prov"), "health", id="the same"),
        pytest.param((OURS + "sector", "hospital"), "hospital", id="our own"),
        pytest.param(("http://terminology.hl7.org/CodeSystem/organization-type", "cg"), None, id="wider than ours"),
        pytest.param(("http://terminology.hl7.org/CodeSystem/organization-type", "pay"), None, id="unknown"),
    ],
)
def test_a_wider_code_is_never_translated_back(type_: tuple[str, str], sector: str | None) -> None:
    """And what a record cannot be without is named as missing, with the element that would have said it."""
    received = came({"resourceType": "Organization", "id": "o", "name": "Riverside", "type": [concept(type_)]})
    if sector:
        assert only(received, "organizations")["sector"] == sector
    else:
        assert refused(received) == [("Organization.type", "organizations need `sector`: it is missing")]
        assert [each.record["name"] for each in received.incomplete] == ["Riverside"]


def test_an_unknown_code_is_told_with_its_element_and_not_with_itself() -> None:
    received = came(order(priority="asap", code=concept(text="Swimming")))
    assert "priority" not in only(received, "referrals")
    (note,) = received.findings
    assert note.expression == "ServiceRequest.priority" and "asap" not in note.rule


BASE = "https://hospital.example.org/fhir"


def entry(resource: dict[str, Any], url: str) -> dict[str, Any]:
    return {"fullUrl": url, "resource": {k: v for k, v in resource.items() if k != "id" or url.startswith("http")}}


@pytest.mark.parametrize(
    ("url", "reference"),
    [
        pytest.param("urn:uuid:11111111-1111-4111-8111-111111111111", None, id="by urn"),
        pytest.param(f"{BASE}/RelatedPerson/m", None, id="by address"),
        pytest.param(f"{BASE}/RelatedPerson/m", {"reference": "RelatedPerson/m"}, id="relative to who refers"),
        pytest.param(
            f"{BASE}/RelatedPerson/m", {"reference": "RelatedPerson/m/_history/3"}, id="relative, of a version"
        ),
        pytest.param(
            f"{BASE}/RelatedPerson/m",
            {"identifier": {"system": "https://ids.example.org", "value": "77"}},
            id="by identifier",
        ),
        pytest.param(
            f"{BASE}/RelatedPerson/m",
            {"reference": "RelatedPerson?identifier=https://ids.example.org|77"},
            id="conditional",
        ),
    ],
)
def test_a_reference_leads_to_the_record(url: str, reference: dict[str, Any] | None) -> None:
    mother = {
        **MOTHER,
        "identifier": [{"system": "https://ids.example.org", "value": "77"}],
        "patient": {"display": "-"},
    }
    told_of = goal(expressedBy=reference or {"reference": url}, subject={"display": "Ama"})
    entries = [entry(mother, url), {"fullUrl": f"{BASE}/Goal/g", "resource": told_of}]
    received = came({"resourceType": "Bundle", "type": "collection", "entry": entries})
    (person,) = [each.path for each in received.records if each.collection == "people"]
    assert only(received, "goals")["set_by"] == person


def test_a_contained_resource_becomes_a_record_of_its_own() -> None:
    inside = {**MOTHER, "id": "inside"}
    received = came(PATIENT, goal(contained=[inside], expressedBy={"reference": "#inside"}))
    (person,) = [each for each in received.records if each.collection == "people"]
    assert only(received, "goals")["set_by"] == person.path
    assert person.sources == ((1, "Goal.contained[0]"),)


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param({"reference": "RelatedPerson/nobody"}, id="to nothing"),
        pytest.param({"reference": f"{BASE}/RelatedPerson/m"}, id="to the same id on another server"),
        pytest.param({"reference": "#nobody"}, id="to nothing contained"),
        pytest.param(
            {"identifier": {"system": "https://ids.example.org", "value": "none"}}, id="to nobody's identifier"
        ),
    ],
)
def test_a_reference_that_leads_nowhere_is_left_out_and_told(reference: dict[str, Any]) -> None:
    received = came(PATIENT, MOTHER, goal(expressedBy=reference))
    assert "set_by" not in only(received, "goals")
    assert "Goal.expressedBy" in told(received)


def test_what_refers_to_a_refused_record_loses_the_reference() -> None:
    organization = {"resourceType": "Organization", "id": "o", "name": "No sector"}
    received = came(PATIENT, organization, order(performer=[{"reference": "Organization/o"}]))
    assert "to" not in only(received, "referrals")
    assert "ServiceRequest.performer" in told(received)


@pytest.mark.parametrize(
    ("onset", "since"),
    [
        pytest.param("2026-03-01", "2026-03-01", id="a day"),
        pytest.param("2026-03-02T03:00:00Z", "2026-03-01", id="an instant, by the agency's clock"),
        pytest.param("2026-03", None, id="a month is no day"),
        pytest.param("2026", None, id="a year is no day"),
    ],
)
def test_a_date_is_a_whole_day_or_nothing(onset: str, since: str | None) -> None:
    received = came(need(onsetDateTime=onset))
    assert only(received, "needs").get("since") == since
    assert ("Condition.onsetDateTime" in told(received)) == (since is None)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        pytest.param("<p>One</p><p>Two &amp; three</p>", "One\nTwo & three", id="markup"),
        pytest.param("A<script>alert(1)</script>B", "AB", id="a script"),
        pytest.param("<B onclick='x'>Bold</B>", "Bold", id="markup in capitals"),
        pytest.param("Say <wait>, if 2 < 3 & 4 > 1", "Say <wait>, if 2 < 3 & 4 > 1", id="what only looks like markup"),
        pytest.param("a\x00b\x1bc", "abc", id="control characters"),
        pytest.param("one\r\ntwo", "one\ntwo", id="lines"),
    ],
)
def test_texts_come_out_plain(text: str, plain: str) -> None:
    assert only(came(need(code={"text": text})), "needs")["text"] == plain


def test_a_title_is_one_line_and_a_long_one_is_whole_in_the_text() -> None:
    assert only(came(goal(description={"text": "Ask\nfor a break"})), "goals")["title"] == "Ask for a break"
    long = only(came(goal(description={"text": "word " * 100})), "goals")
    assert len(long["title"]) == 300 and long["text"] == "word " * 100


def test_too_long_a_text_refuses_its_record() -> None:
    """Nothing is cut: what was sent is kept as sent, and a person sees which element."""
    received = came(PATIENT, need(code={"text": "x" * 20_001}))
    assert [each.path for each in received.records] == ["child"]
    assert refused(received) == [("Condition.code", "this text is too long")]


def test_ids_are_the_same_again_opaque_and_of_the_sender() -> None:
    first, again = (came(goal(), need()) for _ in range(2))
    other = came(need(), goal(description={"text": "Another title"}), source="another hospital")
    paths = {each.path for each in first.records}
    assert paths == {each.path for each in again.records}
    assert paths.isdisjoint(each.path for each in other.records)
    assert only(came(goal(description={"text": "Changed"})), "goals")["id"] == only(first, "goals")["id"]
    assert not any(path.partition("/")[2] == "g" for path in paths)


def test_an_identifier_of_ours_leads_home() -> None:
    """And an address at which the sender holds what is ours. On another type of resource it leads nowhere."""
    ours = {"system": "https://agency.example.ca/id", "value": "abc"}
    home = {"known": lambda system, value: "goals/g1" if (system, value) == (ours["system"], ours["value"]) else None}
    assert only(came(goal(identifier=[ours]), **home), "goals")["id"] == "g1"
    assert only(came(need(identifier=[ours]), **home), "needs")["id"] != "g1"
    assert only(came(goal(), held=lambda address: {"Goal/g": "goals/g7"}.get(address)), "goals")["id"] == "g7"


def test_an_answer_alone_is_an_addition_to_the_referral_that_the_case_has() -> None:
    answer = task(
        focus={"reference": "ServiceRequest/77"},
        businessStatus={"coding": [{"system": OURS + "business-status", "code": "scheduled"}]},
        lastModified="2026-11-12T10:00:00Z",
    )
    received = came(answer, held={"ServiceRequest/77": "referrals/r1"}.get)
    (addition,) = received.additions
    assert addition.path == "referrals/r1" and not received.refused
    assert addition.record["outcome"] == {
        "status": "accepted",
        "business_status": "scheduled",
        "on": "2026-11-12T10:00:00Z",
    }
    assert refused(came(answer))[0][0] == "Task.focus"


def test_a_task_that_says_no_more_than_its_referral_is_no_answer() -> None:
    asked = order(extension=[{"url": "https://csp-adapter.example/StructureDefinition/csp-record-status",
                              "valueCode": "requested"}])  # fmt: skip
    received = came(asked, task(status="requested", focus={"reference": "ServiceRequest/s"}))
    assert "outcome" not in only(received, "referrals")


def test_a_set_about_two_children_is_not_mixed() -> None:
    other = {**PATIENT, "id": "q"}
    mixed = came(PATIENT, other, goal(), need(subject={"reference": "Patient/q"}))
    assert not mixed.records and len(mixed.refused) == 4
    chosen = came(PATIENT, other, goal(), need(subject={"reference": "Patient/q"}), child="Patient/q")
    assert {each.collection for each in chosen.records} == {"child", "needs"}
    assert ("Goal.subject", "it is about someone else than the rest of the set") in refused(chosen)


def test_what_is_about_nobody_of_the_set_is_refused() -> None:
    received = came(PATIENT, goal(subject={"reference": "Patient/another"}))
    assert [each.path for each in received.records] == ["child"]
    assert refused(received)[0][0] == "Goal.subject"


@pytest.mark.parametrize(
    ("resource", "element"),
    [
        pytest.param(goal(lifecycleStatus="entered-in-error"), "Goal.lifecycleStatus", id="entered in error"),
        pytest.param(
            need(verificationStatus=concept(("x", "refuted"))), "Condition.verificationStatus.coding", id="refuted"
        ),
        pytest.param({**MOTHER, "active": False}, "RelatedPerson.active", id="no longer active"),
        pytest.param(
            goal(modifierExtension=[{"url": "https://x.example", "valueBoolean": True}]),
            "Goal.modifierExtension",
            id="changed by what nobody knows",
        ),
        pytest.param(goal(implicitRules="https://x.example"), "Goal.implicitRules", id="by rules of its own"),
        pytest.param(goal(descriptions={"text": "x"}), "Goal.descriptions", id="not FHIR"),
        pytest.param({"resourceType": "Location", "id": "l"}, "Location.resourceType", id="of no type that has a row"),
        pytest.param(
            {"resourceType": "Device", "id": "d"}, "Resource.resourceType", id="of a type that is not exchanged"
        ),
        pytest.param(
            {"resourceType": "Observation", "status": "final", "code": {"text": "Weight"}},
            "Observation.category.coding",
            id="of a type that has rows for others",
        ),
        pytest.param("no object", "Resource", id="no object"),
        pytest.param({"id": "x"}, "Resource.resourceType", id="no type"),
    ],
)
def test_what_is_no_record_is_refused_with_its_element(resource: Any, element: str) -> None:
    received = came(resource)
    assert not received.records and refused(received)[0][0] == element


def test_two_resources_of_one_id_are_one_record_and_a_refusal() -> None:
    received = came(goal(), goal(description={"text": "Another"}))
    assert only(received, "goals")["title"] == "Ask for a break"
    assert refused(received) == [("Goal", "another resource of the set has this address or id: only the first counts")]


def test_two_enrolments_are_one_and_a_refusal() -> None:
    one = {"resourceType": "EpisodeOfCare", "status": "active", "patient": {"reference": "Patient/p"}}
    received = came({**one, "id": "1"}, {**one, "id": "2"})
    assert only(received, "enrolment")["status"] == "active"
    assert [rule for _, rule in refused(received)] == ["another resource of the set becomes the same record"]


def test_a_seat_without_a_role_is_left_out_and_told() -> None:
    team = {
        "resourceType": "CareTeam",
        "id": "t",
        "status": "active",
        "subject": {"reference": "Patient/p"},
        "participant": [
            {"member": {"reference": "RelatedPerson/m"}},
            {"member": {"reference": "RelatedPerson/m"}, "role": [{"text": "Drum teacher"}]},
        ],
    }
    received = came(PATIENT, MOTHER, team)
    (person,) = [each.path for each in received.records if each.collection == "people"]
    assert only(received, "care_teams")["members"] == [{"member": person, "role": "drum-teacher"}]
    assert "CareTeam.participant.role" in told(received)


def test_a_service_goes_into_the_plan_that_lists_it_and_an_order_is_a_referral() -> None:
    plan = {
        "resourceType": "CarePlan",
        "id": "cp",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": "Patient/p"},
        "activity": [
            {"reference": {"reference": "ServiceRequest/s"}},
            {"detail": {"status": "completed", "description": "Riding"}},
        ],
    }
    received = came(plan, order(), order(id="alone"))
    services = only(received, "care_plans")["services"]
    assert [(each.get("text"), each["status"]) for each in services] == [("Riding", "ended"), ("Swimming", "current")]
    assert only(received, "referrals")["direction"] == "in"
    assert refused(came(order(intent="plan")))[0][1] == (
        "what takes it was not sent with it, and is not known here: it belongs into care_plans.services"
    )


def test_identifiers_of_adapters_are_no_identifiers_of_the_child() -> None:
    """The opaque one that our own adapter elsewhere gives comes first; what people use stays."""
    profile = {"profile": ["https://csp-adapter.example/StructureDefinition/csp-patient"]}
    given = [{"system": "https://a.example/id", "value": "0f3a"}, {"system": "https://b.example", "value": "77"}]
    assert [
        i["value"] for i in only(came({**PATIENT, "identifier": given, "meta": profile}), "child")["identifiers"]
    ] == ["77"]
    assert len(only(came({**PATIENT, "identifier": given}), "child")["identifiers"]) == 2


def test_a_consent_is_read_as_consents_are() -> None:
    """It permits nothing until the agency adopts it, and its grantor is the person of the set."""
    consent = {
        "resourceType": "Consent",
        "id": "k",
        "status": "active",
        "scope": concept(("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy")),
        "category": [concept((LOINC, "59284-0"))],
        "patient": {"reference": "Patient/p"},
        "dateTime": "2026-09-01",
        "performer": [{"reference": "RelatedPerson/m"}],
        "policyRule": concept(("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTOUT")),
    }
    received = came(PATIENT, MOTHER, consent)
    (person,) = [each.path for each in received.records if each.collection == "people"]
    record = only(received, "consents")
    assert (record["imported"], record["granted_by"]) == (True, person)
    assert [provision["effect"] for provision in record["provisions"]] == ["deny"]


def test_r5_says_the_same_in_its_own_elements() -> None:
    asked = {
        **order(),
        "code": {"concept": concept((SCT, "5154007"))},
        "reason": [{"reference": {"reference": "Condition/c"}}, {"concept": {"text": "Nobody understands her"}}],
    }
    received = came(PATIENT, {**need(), "clinicalStatus": concept(("x", "active"))}, asked, release="R5")
    record = only(received, "referrals")
    (wanted,) = [each.path for each in received.records if each.collection == "needs"]
    assert record["services"] == [{"code": "speech-language-therapy"}]
    assert record["reasons"] == [{"need": wanted}, {"text": "Nobody understands her"}]


def test_nothing_of_a_narrative_a_display_or_a_foreign_extension_comes_through() -> None:
    marked = goal(
        text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">SECRET</div>'},
        extension=[{"url": "https://x.example", "valueString": "SECRET"}],
        subject={"reference": "Patient/p", "display": "SECRET"},
        expressedBy={"display": "SECRET"},
        meta={"source": "https://secret.example/SECRET", "tag": [{"system": "x", "code": "SECRET"}]},
    )
    received = came(PATIENT, marked)
    assert "SECRET" not in repr(received.records) and "SECRET" not in repr((received.refused, received.findings))
