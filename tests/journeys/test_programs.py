"""A case of each program, from the agency's JSON to its partners' FHIR servers, through real HTTP between processes.

What must be there and what must never is worked out by hand in each fixture's expected.json, by the rules of consent.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from adapter.demo import calendar
from adapter.demo.neighbours import Instance, Neighbours
from adapter.demo.talk import Refusal

FIXTURES = Path(__file__).parents[2] / "fixtures"
PROGRAMS = {
    "ontario-csp": "ontario-csp",
    "early-intervention": "early-intervention",
    "person-centred": "person-centred",
    "wraparound": "wraparound",
    "capable-youth": "ontario-csp",
    "shared-decision": "ontario-csp",
    "minimal": "ontario-csp",
}
TYPES = (
    "Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "EpisodeOfCare", "Condition",
    "Observation", "ServiceRequest", "Task", "Consent", "CareTeam", "Goal", "CarePlan", "RiskAssessment",
    "Encounter", "Appointment", "DocumentReference", "Binary", "Composition", "Provenance",
)  # fmt: skip


def _expected(case: str) -> Any:
    return json.loads((FIXTURES / case / "expected.json").read_text(encoding="utf-8"))


def _everything(partner: Instance) -> list[Any]:
    """Every resource that a partner holds, of whatever type, page after page."""
    found = []
    for type_ in TYPES:
        address = f"/fhir/{type_}?_count=100"
        while address:
            bundle = partner.api("GET", address)
            found += [entry["resource"] for entry in bundle.get("entry", [])]
            links = {link["relation"]: link["url"] for link in bundle["link"]}
            address = links.get("next", "").removeprefix(partner.url)
    return found


def _settle(neighbours: Neighbours, number: str) -> None:
    until = time.monotonic() + 90
    while True:
        shares = neighbours.agency.api("GET", f"/api/cases/{number}/shares", token=neighbours.coordinator)
        if all(s["state"] == "idle" for s in shares):
            return
        assert not [s for s in shares if s["state"] == "stopped"], shares
        assert time.monotonic() < until, shares
        time.sleep(0.1)


@pytest.fixture(scope="module")
def before(neighbours: Neighbours) -> dict[str, set[str]]:
    """Partner → the ids that it held when the test before was over; each begins with nothing."""
    return {partner: set() for partner in neighbours.partners}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.timeout(180)
def test_a_case_reaches_each_partner_as_far_as_the_family_permits(
    neighbours: Neighbours, before: dict[str, set[str]], name: str
) -> None:
    """What each partner may see is there, found by what the family wrote; nothing of the rest is in any byte of it."""
    case, expected = calendar.case(name), _expected(name)
    assert case["program"] in PROGRAMS.values()
    saved = neighbours.agency.api("PUT", f"/api/cases/{case['case']}", case)
    assert saved["changed"]
    assert set(saved["due"]) == set(neighbours.partners)
    _settle(neighbours, case["case"])
    goals = {f"goals/{g['id']}": g["title"] for g in case.get("goals", [])}
    for partner, instance in neighbours.partners.items():
        there = _everything(instance)
        own = [r for r in there if r["id"] not in before[partner]]
        before[partner] |= {r["id"] for r in there}
        text = json.dumps(own, ensure_ascii=False)
        sees = set(expected[partner]["sees"])
        assert [marker for marker in expected[partner]["markers"] if marker in text] == []
        assert bool(own) == bool(sees)
        titles = {r["description"]["text"] for r in own if r["resourceType"] == "Goal"}
        assert titles == {title for path, title in goals.items() if path in sees}
        assert len([r for r in own if r["resourceType"] == "Patient"]) == (1 if sees else 0)
        _no_dangling(own, there, instance)
    again = neighbours.agency.api("PUT", f"/api/cases/{case['case']}", case)
    assert not again["changed"]
    assert again["due"] == []
    assert again["version"] == saved["version"]


def _no_dangling(resources: list[Any], there: list[Any], instance: Instance) -> None:
    """What they refer to is there; it is asked for once where it was not found already."""
    listed = {f"{r['resourceType']}/{r['id']}" for r in there}
    for reference in set().union(*map(_references, resources)) - listed:
        assert instance.api("GET", f"/fhir/{reference}")["resourceType"] == reference.split("/")[0]


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["reference"]} if isinstance(value.get("reference"), str) else set()
        return own.union(*map(_references, value.values())) if value else own
    return set().union(*map(_references, value)) if isinstance(value, list) else set()


def test_deleting_a_case_takes_everything_back(neighbours: Neighbours) -> None:
    """After a DELETE the partner holds the inactive Consent and the request to purge, and nothing else of the case."""
    case = calendar.case("minimal")
    case["case"] = "C-TO-DELETE"
    school = neighbours.partners["lakeside"]
    before = {r["id"] for r in _everything(school)}
    neighbours.agency.api("PUT", "/api/cases/C-TO-DELETE", case)
    _settle(neighbours, "C-TO-DELETE")
    assert len([r for r in _everything(school) if r["id"] not in before]) == 3
    neighbours.agency.api("DELETE", "/api/cases/C-TO-DELETE")
    _settle(neighbours, "C-TO-DELETE")
    left = {r["resourceType"]: r for r in _everything(school) if r["id"] not in before}
    assert set(left) == {"Consent", "Task"}
    assert left["Consent"]["status"] == "inactive"
    with pytest.raises(Refusal) as gone:
        neighbours.agency.api("GET", "/api/cases/C-TO-DELETE")
    assert gone.value.status == 404


def test_the_logs_of_all_processes_tell_nothing_of_any_case(neighbours: Neighbours) -> None:
    """A leak channel (consent.md): what the adapters wrote to their logs while all of this went on."""
    logs = [(i.folder / "log").read_text(encoding="utf-8") for i in (neighbours.agency, *neighbours.partners.values())]
    assert all(logs)
    for name in PROGRAMS:
        case, expected = calendar.case(name), _expected(name)
        markers = {m for partner in neighbours.partners for m in expected[partner]["markers"]}
        markers |= {case["case"], case["child"]["name"].get("family", case["case"])}
        assert [m for m in markers for log in logs if m in log] == []
