"""Before a child is sent for the first time it is looked for: found, waited for, created where that is said."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from adapter import show, steer
from adapter.core import strict_json
from adapter.errors import NotFound, Refused
from tests.outward import fault_server as faults
from tests.outward.fault_server import JSON
from tests.outward.memory_fhir import Can
from tests.verbs.agency import Agency, case_of, revoked
from tests.verbs.conftest import Open

pytestmark = pytest.mark.parametrize("place", ["sqlite"], indirect=True)

SYSTEM = "https://schools.example.ca/numbers"
NUMBER = {"type": "school-number", "system": SYSTEM, "value": "S-77"}
CARD = {"type": "health-card", "system": "https://health.example.ca/card", "value": "H-1"}


def case() -> Any:
    """The school and the agency both know the child by a school number; its health card is nothing for a school."""
    found = case_of()
    found["child"]["identifiers"] = [NUMBER, CARD]
    for provision in found["consents"][0]["provisions"]:
        provision["parts"] = [*provision["parts"], "education", "health"]
    return found


def opened(open_agency: Open, **file: Any) -> Agency:
    one = {"paused": False, "matching": "identifier", "identifier_systems": (SYSTEM, CARD["system"]), **file}
    return open_agency(each={"paused": True}, lakeside=one)


def theirs(agency: Agency, id_: str, **more: Any) -> None:
    """A patient that the school has of its own."""
    agency.fhir().resources[f"Patient/{id_}"] = {
        "resourceType": "Patient",
        "id": id_,
        "meta": {"versionId": "1"},
        "identifier": [{"system": SYSTEM, "value": "S-77"}],
        "birthDate": case()["child"]["birth_date"],
        "name": [{"family": "Another Family"}],
        **more,
    }


def work(agency: Agency) -> dict[str, Any]:
    agency.put(case())
    agency.work_on()
    return agency.share("C-0001")


def say(agency: Agency, word: Any) -> dict[str, Any]:
    steer.match(agency.desk, "C-0001", "lakeside", strict_json.dump(word), role="coordinator", label="Dana")
    agency.work_on()
    return agency.share("C-0001")


def subjects(agency: Agency) -> set[str]:
    return {resource["subject"]["reference"] for resource in agency.fhir().of_type("Goal")}


@pytest.mark.parametrize("can", [Can(), Can(transaction=False, batch=False)], ids=["transactions", "single calls"])
def test_who_is_found_by_a_shared_identifier_is_referred_to_and_never_touched(open_agency: Open, can: Can) -> None:
    agency = opened(open_agency)
    agency.fhir().can = can
    theirs(agency, "own")
    before = json.dumps(agency.fhir().resources["Patient/own"])
    assert work(agency)["state"] == "idle"
    assert (agency.fhir().counted()["Patient"], subjects(agency)) == (1, {"Patient/own"})
    agency.put(revoked(case()))
    agency.work_on()
    assert json.dumps(agency.fhir().resources["Patient/own"]) == before
    assert agency.share("C-0001")["state"] == "idle"
    assert agency.fhir().of_type("Goal") == []


def test_what_is_asked_stands_in_no_address_and_is_accounted_for(open_agency: Open) -> None:
    """By the school number alone: a health card is nothing for a school, whatever its file says."""
    agency = opened(open_agency)
    theirs(agency, "own")
    work(agency)
    searches = [seen for seen in agency.seen() if seen.path.endswith("/Patient/_search")]
    assert [parse_qs(seen.body.decode()) for seen in searches] == [{"identifier": [f"{SYSTEM}|S-77"]}]
    assert not any("S-77" in seen.path for seen in agency.seen())
    agency.assert_never("H-1")
    lines = [(line.kind, line.about) for line in agency.account("C-0001") if line.operation == "match"]
    assert lines == [("attempted", "child"), ("delivered", "child")]


@pytest.mark.parametrize(
    ("there", "candidates"),
    [
        pytest.param({}, [], id="nobody is found"),
        pytest.param({"a": {}, "b": {}}, ["a", "b"], id="two are found"),
        pytest.param({"a": {"birthDate": "2001-01-01"}}, ["a"], id="with another birth date"),
        pytest.param({"a": {"active": False}}, ["a"], id="no longer in use"),
    ],
)
def test_who_is_not_certain_waits_for_a_person(open_agency: Open, there: Any, candidates: list[str]) -> None:
    """Nothing is sent; ids and scores are shown, and nothing else of anybody."""
    agency = opened(open_agency)
    for id_, more in there.items():
        theirs(agency, id_, **more)
    share = work(agency)
    assert (share["state"], share["alarms"]) == ("stopped", ["match"])
    assert agency.fhir().counted().keys() <= {"Patient"} and len(agency.fhir().resources) == len(there)
    (row,) = show.to_match(agency.desk)["matches"]
    assert (row["case"], row["partner"], [each["id"] for each in row["candidates"]]) == (
        "C-0001",
        "lakeside",
        candidates,
    )
    assert "Another Family" not in json.dumps([row, agency.share("C-0001")])
    asked = agency.asked()
    agency.work_on()
    assert agency.asked() == asked


def test_a_person_says_who_it_is(open_agency: Open) -> None:
    agency = opened(open_agency)
    for id_ in "ab":
        theirs(agency, id_)
    work(agency)
    assert say(agency, {"accept": "b"})["state"] == "idle"
    assert (agency.fhir().counted()["Patient"], subjects(agency)) == (2, {"Patient/b"})
    assert show.to_match(agency.desk)["matches"] == []
    agency.put(revoked(case()))
    agency.work_on()
    assert agency.fhir().counted()["Patient"] == 2
    agency.put(case())
    agency.work_on()
    assert subjects(agency) == {"Patient/b"}


def test_what_a_person_has_said_outlives_a_gateway_that_finds_nobody(open_agency: Open) -> None:
    agency = opened(open_agency)
    for id_ in "ab":
        theirs(agency, id_)
    work(agency)
    agency.servers["lakeside"].plan(faults.Answer(404))
    assert say(agency, {"accept": "b"})["state"] == "idle"
    assert subjects(agency) == {"Patient/b"}


def test_a_person_says_that_it_is_none_of_them(open_agency: Open) -> None:
    agency = opened(open_agency)
    work(agency)
    assert say(agency, {"create": True})["state"] == "idle"
    agency.assert_equal()


@pytest.mark.parametrize("named", ["nobody", "older"])
def test_who_a_person_names_must_be_there_and_not_another(open_agency: Open, named: str) -> None:
    agency = opened(open_agency)
    theirs(agency, "older", birthDate="2001-01-01", identifier=[])
    work(agency)
    share = say(agency, {"accept": named})
    assert (share["state"], share["alarms"]) == ("stopped", ["match"])
    assert agency.fhir().of_type("Goal") == []
    assert say(agency, {"create": True})["state"] == "idle"


@pytest.mark.parametrize(
    "word", [{}, {"accept": "../x"}, {"create": False}, {"accept": "a", "create": True}, {"who": 1}]
)
def test_a_word_that_says_nothing_is_refused(open_agency: Open, word: Any) -> None:
    agency = opened(open_agency)
    work(agency)
    with pytest.raises(Refused):
        say(agency, word)
    with pytest.raises(NotFound):
        steer.match(agency.desk, "C-0001", "riverside", b'{"create": true}', role="admin", label="")


@pytest.mark.parametrize("file", ["identifier", "match", "create"])
@pytest.mark.parametrize("offered", [True, False], ids=["offered", "not offered"])
def test_match_is_asked_where_it_is_offered_and_the_file_says_so(open_agency: Open, file: str, offered: bool) -> None:
    """Whom it names waits, however certain; whom it does not, too, unless the file says `create`."""
    agency = opened(open_agency, matching=file)
    agency.fhir().matches = ["m"] if offered else None
    share = work(agency)
    asked = [seen for seen in agency.seen() if seen.path.endswith("$match")]
    assert len(asked) == (1 if offered and file != "identifier" else 0)
    waits = file != "create" or offered
    assert (share["state"], share["alarms"]) == (("stopped", ["match"]) if waits else ("idle", []))
    if asked:
        [row] = show.to_match(agency.desk)["matches"]
        assert row["candidates"] == [{"id": "m", "score": "0.970"}]
        resource = json.loads(asked[0].body)["parameter"][0]["resource"]
        assert set(resource) == {"resourceType", "name", "birthDate", "gender", "identifier"}


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        pytest.param(faults.Answer(503), "waiting", id="away"),
        pytest.param(faults.CutAfter(), "waiting", id="cut"),
        pytest.param(faults.Answer(403), "stopped", id="not allowed"),
        pytest.param(faults.page(), "stopped", id="a page"),
        pytest.param(faults.Answer(200, JSON, b'{"resourceType": "OperationOutcome"}'), "stopped", id="an outcome"),
    ],
)
def test_an_answer_that_tells_nothing_creates_nobody(open_agency: Open, fault: faults.Fault, state: str) -> None:
    agency = opened(open_agency, matching="create")
    agency.servers["lakeside"].plan(fault)
    agency.put(case())
    agency.work()
    assert agency.share("C-0001")["state"] == state
    assert agency.fhir().resources == {}
    steer.retry(agency.desk, "C-0001", "lakeside")
    agency.work_on()
    agency.assert_equal()


def test_a_server_that_creates_no_patients_waits_instead(open_agency: Open) -> None:
    """As most hospital systems: its patients are its own."""
    agency = opened(open_agency, matching="create")
    agency.fhir().statement_lacks = "Patient"
    share = work(agency)
    assert (share["state"], share["alarms"], agency.fhir().resources) == ("stopped", ["match"], {})
    theirs(agency, "own")
    steer.retry(agency.desk, "C-0001", "lakeside")
    agency.work_on()
    assert (agency.share("C-0001")["state"], subjects(agency)) == ("idle", {"Patient/own"})
