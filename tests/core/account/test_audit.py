"""Each line as a FHIR AuditEvent: valid R4, and a disclosure as IHE BALP's pattern at the source wants it."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.core.account.audit import DISCLOSURE, bundle, event
from adapter.core.account.chain import Line
from adapter.core.fhir.models import problems
from tests.core.account.story import entries, line, look, purged, scene, story, told

DELIVERED = line(kind="delivered", outcome="delivered")


def events(lines: list[Line], **changes: Any) -> list[dict[str, Any]]:
    return [event(entry, scene(**changes)) for entry in entries(lines)]


def agent(found: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [each for each in found["agent"] if each["type"]["coding"][0]["code"] == code]


def entity(found: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [each for each in found["entity"] if each["type"]["code"] == code]


def check_disclosure(found: dict[str, Any]) -> None:
    """IHE.BasicAudit.PrivacyDisclosure.Source, constraint by constraint, from its definition (Disclose.fsh)."""
    dcm = "http://dicom.nema.org/resources/ontology/DCM"
    assert "modifierExtension" not in found
    assert (found["type"]["system"], found["type"]["code"], found["action"]) == (dcm, "110106", "R")
    subtypes = [(each["system"], each["code"]) for each in found["subtype"]]
    assert ("http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "disclose") in subtypes
    assert found["recorded"]
    assert found["outcome"] in ("0", "4", "8", "12")
    (source,), (recipient,) = agent(found, "110153"), agent(found, "110152")
    for each in (source, recipient):
        assert each["type"]["coding"][0]["system"] == dcm
        assert each["who"]
        assert each["network"]["address"]
    assert source["who"] == found["source"]["observer"]  # val-audit-source
    assert len(agent(found, "159541003")) <= 1
    assert len(agent(found, "429577009")) <= 1
    assert len(found["entity"]) >= 2
    (patient,) = entity(found, "1")
    assert patient["type"]["system"] == "http://terminology.hl7.org/CodeSystem/audit-entity-type"
    assert patient["role"] == {
        "system": "http://terminology.hl7.org/CodeSystem/object-role",
        "code": "1",
        "display": "Patient",
    }
    assert patient["what"]["type"] == "Patient"


EVERY = [
    *story(),
    line(kind="frozen", operation="freeze", outcome="unchanged"),
    line(kind="failed", operation="withdraw"),
    purged(1, "refused"),
    purged(1, "called-off", operation="called-off"),
    purged(1, "kept", operation="entered", role="privacy", label="Dana"),
]


@pytest.mark.parametrize("each", EVERY, ids=lambda each: f"{each.kind} {each.operation} {each.resource_type}")
def test_every_event_is_valid(each: Line) -> None:
    (found,) = events([each])
    assert problems(found) == []
    if DISCLOSURE in found.get("meta", {}).get("profile", ()):
        check_disclosure(found)


def test_a_disclosure_claims_the_pattern_and_keeps_it() -> None:
    (found,) = events([DELIVERED])
    assert found["meta"] == {"profile": [DISCLOSURE]}
    check_disclosure(found)
    (recipient,) = agent(found, "110152")
    assert recipient["who"]["identifier"] == {"system": "https://registry.example.ca", "value": "L-1"}
    assert recipient["network"] == {"address": "https://fhir.lakeside.example.ca", "type": "5"}
    assert agent(found, "429577009")[0]["who"] == {"display": "parent"}
    assert found["purposeOfEvent"][0]["coding"][0]["code"] == "COC"
    (data,) = entity(found, "2")
    assert data["what"]["identifier"] == {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:1"}
    assert {"type": "part", "valueString": "goals"} in data["detail"]
    assert entity(found, "Consent")[0]["what"]["identifier"] == {"value": "consents/c1@3"}
    assert entity(found, "XrequestId")[0]["what"]["identifier"] == {"value": "r1"}


CLAIMS: dict[str, tuple[Line, dict[str, Any], bool]] = {
    "what was delivered": (DELIVERED, {}, True),
    "what failed: it was sent": (line(kind="failed", outcome="rejected"), {}, True),
    "an attempt: its result is the disclosure": (line(), {}, False),
    "a withdrawal": (line(kind="withdrawn", operation="withdraw"), {}, False),
    "a look": (look(), {}, False),
    "a fax: no address is known": (told(operation="fax"), {}, False),
    "a partner that is configured no more": (DELIVERED, {"partners": {}}, False),
}


@pytest.mark.parametrize(("each", "changes", "claimed"), CLAIMS.values(), ids=CLAIMS)
def test_only_what_keeps_the_pattern_claims_it(each: Line, changes: dict[str, Any], claimed: bool) -> None:
    (found,) = events([each], **changes)
    assert ("meta" in found) == claimed
    assert problems(found) == []


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("delivered", "0"), ("existing", "0"), ("unknown", "4"), ("rejected", "8"), ("unavailable", "8")],
)
def test_outcomes(outcome: str, code: str) -> None:
    """What may have arrived is a minor failure, so that nobody counts it as nothing."""
    kind = "delivered" if code == "0" else "failed"
    (found,) = events([line(kind=kind, outcome=outcome)])
    assert (found["outcome"], found["outcomeDesc"]) == (code, outcome)


def test_the_patient_is_named_as_the_partner_knows_the_child_and_else_as_we_do() -> None:
    found = events([DELIVERED, look(), told()])
    names = [entity(each, "1")[0]["what"]["identifier"]["value"] for each in found]
    assert names == ["child at lakeside", "child at home", "child at home"]


def test_what_was_told_names_to_whom_by_whom_when_and_why() -> None:
    (found,) = events([told()])
    assert found["period"]["start"] < found["recorded"]
    assert agent(found, "110152")[0]["who"] == {"display": "Harbour Aid"}
    assert agent(found, "110152")[0]["network"] == {"type": "3"}
    assert agent(found, "159541003")[0]["who"] == {"display": "R. Osei"}
    detail = {each["type"]: each["valueString"] for each in entity(found, "2")[0]["detail"]}
    assert (detail["how"], detail["basis"]) == ("telephone", "Duty to report, CYFSA s. 125")
    assert not entity(found, "Consent")


def test_a_look_names_the_person_by_role_and_label_and_has_no_recipient() -> None:
    (found,) = events([look()])
    assert agent(found, "IRCP")[0]["who"] == {"display": "coordinator Dana"}
    assert not agent(found, "110152")


def test_an_answer_comes_from_the_partner_and_says_what_it_is() -> None:
    (found,) = events([purged(1, "refused")])
    assert agent(found, "110153")[0]["who"]["display"] == "Lakeside School Board"
    assert agent(found, "110152")[0]["who"]["display"] == "Maple Valley"
    assert (found["outcome"], found["outcomeDesc"]) == ("0", "refused")
    (entered,) = events([purged(1, "kept", operation="entered", role="privacy", label="Dana")])
    assert agent(entered, "ENT")[0]["who"] == {"display": "privacy Dana"}


def test_an_account_is_one_bundle_and_each_event_keeps_its_name() -> None:
    """The same line has the same id whenever it is asked for; no two lines share one."""
    made = bundle(entries(story()), scene())
    assert problems(made) == []
    names = [each["fullUrl"] for each in made["entry"]]
    assert len(set(names)) == len(story())
    assert names == [each["fullUrl"] for each in bundle(entries(story()), scene())["entry"]]
    assert problems(bundle([], scene())) == []
