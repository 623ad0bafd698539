"""/fhir as http://hl7.org/fhir/R4/http.html says: each interaction, each condition, each refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.web.conftest import FHIR, Web
from tests.web.shapes import assert_error, assert_headers

WHO = "lakeside"
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "identifier": [{"system": "https://board.example/students", "value": "S-1"}],
    "name": [{"family": "Example"}],
}
CONDITION = "identifier=https://board.example/students|S-1"


def goal(subject: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "Ask for a break"},
        "subject": {"reference": subject},
        **more,
    }


@pytest.fixture
def patient(web: Web) -> str:
    return f"Patient/{web.ask(WHO, 'POST', '/fhir/Patient', PATIENT).json['id']}"


def test_create_gives_an_id_of_ours_a_version_and_a_place(web: Web) -> None:
    """The id of the sender is not taken over by POST; Location, ETag and Last-Modified say where and what."""
    made = web.ask(
        WHO, "POST", "/fhir/Patient", PATIENT | {"id": "chosen", "meta": {"versionId": "9", "source": "urn:x"}}
    )
    assert made.status_code == 201
    assert_headers(made)
    assert made.content_type == FHIR
    assert made.json["id"] != "chosen"
    assert made.json["meta"]["versionId"] == "1"
    assert made.json["meta"]["source"] == "urn:x"
    assert made.headers["Location"].endswith(f"/fhir/Patient/{made.json['id']}/_history/1")
    assert made.headers["ETag"] == 'W/"1"'
    assert made.headers["Last-Modified"]
    read = web.ask(WHO, "GET", f"/fhir/Patient/{made.json['id']}")
    assert (read.status_code, read.data) == (200, made.data)


def test_a_number_keeps_its_digits(web: Web, patient: str) -> None:
    """1.50 is not 1.5: the precision of a decimal is part of it (datatypes.html#decimal)."""
    body = json.dumps(goal(patient, target=[{"measure": {"text": "x"}, "detailQuantity": {"value": 7}}]))
    made = web.ask(WHO, "POST", "/fhir/Goal", body.replace('"value": 7', '"value": 1.50').encode())
    assert made.status_code == 201
    assert b'"value":1.50' in web.ask(WHO, "GET", f"/fhir/Goal/{made.json['id']}").data


def test_update_by_id_creates_then_versions(web: Web, patient: str) -> None:
    """An id that the sender chose; each version stays readable."""
    first = web.ask(WHO, "PUT", "/fhir/Goal/g-1.a", goal(patient, id="g-1.a"))
    second = web.ask(WHO, "PUT", "/fhir/Goal/g-1.a", goal(patient, id="g-1.a", lifecycleStatus="completed"))
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.headers["ETag"] == 'W/"2"'
    for number, status in ((1, "active"), (2, "completed")):
        old = web.ask(WHO, "GET", f"/fhir/Goal/g-1.a/_history/{number}")
        assert old.json["lifecycleStatus"] == status
        assert old.json["meta"]["versionId"] == str(number)
    assert_error(web.ask(WHO, "GET", "/fhir/Goal/g-1.a/_history/3"), 404)
    assert_error(web.ask(WHO, "GET", "/fhir/Goal/g-1.a/_history/x"), 404)


MATCHES = {
    "the version that stands": ('W/"2"', 200),
    "the version that stands, written strong": ('"2"', 200),
    "an earlier version": ('W/"1"', 412),
    "a version to come": ('W/"3"', 412),
    "no version at all": ("two", 412),
    "any version": ("*", 200),
}


@pytest.mark.parametrize(("tag", "status"), MATCHES.values(), ids=MATCHES)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_if_match_names(web: Web, patient: str, method: str, tag: str, status: int) -> None:
    """A change goes only onto the version that its author has read."""
    for _ in range(2):
        web.ask(WHO, "PUT", "/fhir/Goal/g1", goal(patient, id="g1"))
    answer = web.ask(WHO, method, "/fhir/Goal/g1", goal(patient, id="g1") if method == "PUT" else None, If_Match=tag)
    if status == 412:
        assert_error(answer, 412)
        assert web.ask(WHO, "GET", "/fhir/Goal/g1").headers["ETag"] == 'W/"2"'
    else:
        assert answer.status_code == (204 if method == "DELETE" else 200)


def test_if_match_on_what_is_not_there_fails(web: Web, patient: str) -> None:
    """Nothing is created where a version was expected."""
    assert_error(web.ask(WHO, "PUT", "/fhir/Goal/g1", goal(patient, id="g1"), If_Match='W/"1"'), 412)
    assert_error(web.ask(WHO, "GET", "/fhir/Goal/g1"), 404)


def test_conditional_create_does_not_double(web: Web) -> None:
    """None: created; one: found, unchanged; several: refused, told as multiple-matches."""
    first = web.ask(WHO, "POST", "/fhir/Patient", PATIENT, If_None_Exist=CONDITION)
    again = web.ask(WHO, "POST", "/fhir/Patient", PATIENT, If_None_Exist=f"Patient?{CONDITION}")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == first.json
    web.ask(WHO, "POST", "/fhir/Patient", PATIENT)
    several = web.ask(WHO, "POST", "/fhir/Patient", PATIENT, If_None_Exist=CONDITION)
    assert_error(several, 412)
    assert several.json["issue"][0]["code"] == "multiple-matches"


def test_conditional_update_finds_or_makes_the_one(web: Web) -> None:
    """None: created, under the id it brings; one: updated; an id that is another one's: refused; several: refused."""
    made = web.ask(WHO, "PUT", f"/fhir/Patient?{CONDITION}", PATIENT | {"id": "mine"})
    assert (made.status_code, made.json["id"]) == (201, "mine")
    updated = web.ask(WHO, "PUT", f"/fhir/Patient?{CONDITION}", PATIENT | {"gender": "female"})
    assert (updated.status_code, updated.json["id"], updated.headers["ETag"]) == (200, "mine", 'W/"2"')
    assert_error(web.ask(WHO, "PUT", f"/fhir/Patient?{CONDITION}", PATIENT | {"id": "other"}), 400)
    web.ask(WHO, "POST", "/fhir/Patient", PATIENT)
    assert_error(web.ask(WHO, "PUT", f"/fhir/Patient?{CONDITION}", PATIENT), 412)
    assert_error(web.ask(WHO, "PUT", "/fhir/Patient", PATIENT), 400)


def test_what_was_deleted_is_gone_and_can_come_again(web: Web, patient: str) -> None:
    """410 for what was there, 404 for what never was; deleting twice is deleting; a later PUT is a new version."""
    web.ask(WHO, "PUT", "/fhir/Goal/g1", goal(patient, id="g1"))
    assert [web.ask(WHO, "DELETE", "/fhir/Goal/g1").status_code for _ in range(2)] == [204, 204]
    assert_error(web.ask(WHO, "GET", "/fhir/Goal/g1"), 410)
    assert_error(web.ask(WHO, "GET", "/fhir/Goal/g2"), 404)
    assert web.ask(WHO, "GET", "/fhir/Goal").json["total"] == 0
    back = web.ask(WHO, "PUT", "/fhir/Goal/g1", goal(patient, id="g1"))
    assert (back.status_code, back.headers["ETag"]) == (201, 'W/"3"')


def test_what_others_refer_to_is_not_deleted_before_them(web: Web, patient: str) -> None:
    """409 while something refers to it; 204 afterwards."""
    web.ask(WHO, "PUT", "/fhir/Goal/g1", goal(patient, id="g1"))
    assert_error(web.ask(WHO, "DELETE", f"/fhir/{patient}"), 409)
    assert web.ask(WHO, "GET", f"/fhir/{patient}").status_code == 200
    web.ask(WHO, "DELETE", "/fhir/Goal/g1")
    assert web.ask(WHO, "DELETE", f"/fhir/{patient}").status_code == 204


def test_conditional_delete_takes_exactly_one(web: Web) -> None:
    """None: nothing to do; one: deleted; several: refused; no condition: refused."""
    assert web.ask(WHO, "DELETE", f"/fhir/Patient?{CONDITION}").status_code == 204
    made = [web.ask(WHO, "POST", "/fhir/Patient", PATIENT).json["id"] for _ in range(2)]
    assert_error(web.ask(WHO, "DELETE", f"/fhir/Patient?{CONDITION}"), 412)
    web.ask(WHO, "DELETE", f"/fhir/Patient/{made[0]}")
    assert web.ask(WHO, "DELETE", f"/fhir/Patient?{CONDITION}").status_code == 204
    assert_error(web.ask(WHO, "GET", f"/fhir/Patient/{made[1]}"), 410)
    assert_error(web.ask(WHO, "DELETE", "/fhir/Patient"), 400)


REFUSED = {
    "an element that does not exist": ({"colour": "blue"}, 422, "Goal.colour"),
    "a wrong type": ({"lifecycleStatus": 5}, 422, "Goal.lifecycleStatus"),
    "a missing element": ({"lifecycleStatus": None}, 422, "Goal.lifecycleStatus"),
    "a relative reference to nothing": ({"subject": {"reference": "Patient/none"}}, 422, "Goal.subject.reference"),
    "a conditional reference": ({"subject": {"reference": "Patient?identifier=1"}}, 422, "Goal.subject.reference"),
    "a urn outside of a Bundle": ({"subject": {"reference": "urn:uuid:1"}}, 422, "Goal.subject.reference"),
    "another type than the address": ({"resourceType": "Task"}, 400, "Goal.resourceType"),
    "another id than the address": ({"id": "g2"}, 400, "Goal.id"),
}


@pytest.mark.parametrize(("wrong", "status", "where"), REFUSED.values(), ids=REFUSED)
def test_a_resource_is_refused_for(web: Web, patient: str, wrong: dict[str, Any], status: int, where: str) -> None:
    """The element is named; nothing is kept."""
    answer = web.ask(WHO, "PUT", "/fhir/Goal/g1", goal(patient, id="g1") | wrong)
    assert_error(answer, status)
    assert where in [path for issue in answer.json["issue"] for path in issue.get("expression", [])]
    assert_error(web.ask(WHO, "GET", "/fhir/Goal/g1"), 404)


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "https://elsewhere.example/fhir/Patient/7"},
        {"identifier": {"system": "https://board.example/students", "value": "S-9"}},
        {"display": "a pupil"},
    ],
    ids=["absolute", "by identifier", "in words"],
)
def test_what_stands_elsewhere_may_be_referred_to(web: Web, subject: dict[str, Any]) -> None:
    """Only a relative reference claims that something is here."""
    assert web.ask(WHO, "POST", "/fhir/Goal", goal("") | {"subject": subject}).status_code == 201


@pytest.mark.parametrize("name", ["a_b", "a" * 65, "é", "a%20b"])
def test_an_id_that_is_none_is_refused(web: Web, name: str) -> None:
    """PUT with it is 400; reading it finds nothing."""
    assert_error(web.ask(WHO, "PUT", f"/fhir/Patient/{name}", PATIENT | {"id": name}), 400)
    assert_error(web.ask(WHO, "GET", f"/fhir/Patient/{name}"), 404)


PREFERRED = {"minimal": b"", "representation": b'"Patient"', "OperationOutcome": b'"OperationOutcome"'}


@pytest.mark.parametrize(("wanted", "part"), PREFERRED.items())
def test_prefer_return(web: Web, wanted: str, part: bytes) -> None:
    """As much comes back as the client wants; where it is, always."""
    made = web.ask(WHO, "POST", "/fhir/Patient", PATIENT, Prefer=f"return={wanted}")
    assert made.status_code == 201
    assert made.headers["Location"]
    assert (made.data == b"") if wanted == "minimal" else part in made.data


def test_if_none_match_spares_the_body(web: Web, patient: str) -> None:
    """304 while the version is the one that the client has."""
    spared = web.ask(WHO, "GET", f"/fhir/{patient}", If_None_Match='W/"1"')
    assert (spared.status_code, spared.data) == (304, b"")
    assert web.ask(WHO, "GET", f"/fhir/{patient}", If_None_Match='W/"0"').status_code == 200


CONTENT = {
    "application/fhir+json": 201,
    "application/json; charset=utf-8": 201,
    "application/fhir+json; fhirVersion=4.0": 201,
    "application/fhir+json; fhirVersion=5.0": 415,
    "application/fhir+xml": 415,
    "text/plain": 415,
    "application/json; charset=latin-1": 415,
    "": 415,
}


@pytest.mark.parametrize(("content_type", "status"), CONTENT.items())
def test_a_resource_is_taken_as(web: Web, content_type: str, status: int) -> None:
    """FHIR JSON of R4, in UTF-8; everything else is 415."""
    answer = web.ask(WHO, "POST", "/fhir/Patient", PATIENT, Content_Type=content_type)
    if status == 201:
        assert answer.status_code == 201
    else:
        assert_error(answer, 415)


ACCEPTED = {
    "*/*": 200,
    "application/fhir+json": 200,
    "application/json": 200,
    "application/fhir+xml, application/fhir+json;q=0.5": 200,
    "application/fhir+json; fhirVersion=4.0": 200,
    "application/fhir+json; fhirVersion=5.0": 406,
    "application/fhir+xml": 406,
    "text/html": 406,
}


@pytest.mark.parametrize(("accept", "status"), ACCEPTED.items())
def test_an_answer_is_wanted_as(shared_web: Web, accept: str, status: int) -> None:
    """What we do not speak is 406; `_format` prevails over Accept."""
    assert shared_web.ask(WHO, "GET", "/fhir/Goal", Accept=accept).status_code == status
    assert shared_web.ask(WHO, "GET", "/fhir/Goal?_format=json", Accept=accept).status_code == 200
    assert shared_web.ask(WHO, "GET", "/fhir/Goal?_format=xml", Accept=accept).status_code == 406


@pytest.mark.parametrize("type_", ["Medication", "goal", "Bundle", "_history", "$everything"])
def test_a_type_that_is_not_kept_is_not_there(shared_web: Web, type_: str) -> None:
    """404 on every interaction."""
    for method, path in (
        ("GET", ""),
        ("POST", ""),
        ("GET", "/1"),
        ("PUT", "/1"),
        ("DELETE", "/1"),
        ("POST", "/_search"),
    ):
        assert_error(shared_web.ask(WHO, method, f"/fhir/{type_}{path}", {}), 404)


def test_metadata_is_valid_and_names_what_is_kept(shared_web: Web) -> None:
    """The CapabilityStatement is one for fhir.resources, and partners may read it before they have a token."""
    from fhir.resources.R4B.capabilitystatement import CapabilityStatement

    said = shared_web.ask(None, "GET", "/fhir/metadata")
    assert said.status_code == 200
    CapabilityStatement.model_validate_json(said.data)
    assert {"Patient", "Goal", "Task", "CarePlan"} <= {each["type"] for each in said.json["rest"][0]["resource"]}
