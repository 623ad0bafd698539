"""What is kept beside a case as it changes: versions of consents, entry dates, tombstones, what waits for a person."""

from __future__ import annotations

import copy
from typing import Any

from adapter.core.consent.explain import ALARMS
from adapter.core.keeping import carry
from tests.verbs.agency import NOW, Agency, case_of, record

OPEN = {
    "id": "p2",
    "effect": "permit",
    "to": "partners/lakeside",
    "purposes": "education-planning",
    "parts": ["goals"],
}
NEVER = {"id": "p3", "effect": "deny", "to": "partners/lakeside", "records": ["goals/g2"]}


def with_denied_goal() -> Any:
    """All goals go to the school, but never g2."""
    case = case_of()
    case["consents"][0]["provisions"][1:] = [OPEN, NEVER]
    return case


def titles(agency: Agency) -> set[str]:
    return {goal["description"]["text"] for goal in agency.fhir().of_type("Goal")}


def consents_named(agency: Agency) -> set[str]:
    return {name for line in agency.account("C-0001") for name in line.consents}


def test_a_consent_has_a_new_version_when_its_content_changes_and_only_then(agency: Agency) -> None:
    """The account names the version that was in force, so that what the family had signed can be shown."""
    case = case_of()
    agency.put(case)
    record(case, "goals/g1")["title"] = "Tie my own shoes"
    agency.put(case)
    assert agency.stored("C-0001").kept["versions"]["consents/c1"][0] == 1
    case["consents"][0]["provisions"][1]["records"] = ["goals/g1", "goals/g2"]
    agency.put(case)
    assert agency.stored("C-0001").kept["versions"]["consents/c1"][0] == 2
    agency.work()
    assert consents_named(agency) == {"consents/c1@2"}


def test_a_consent_that_went_and_comes_again_otherwise_is_not_the_first_version(agency: Agency) -> None:
    """Else one name in the account would mean two different consents."""
    case = case_of()
    agency.put(case)
    agency.work()
    agency.put({**case, "consents": []})
    agency.work()
    changed = copy.deepcopy(case)
    changed["consents"][0]["provisions"][1]["records"] = ["goals/g1", "goals/g2"]
    agency.put(changed)
    agency.work()
    assert consents_named(agency) == {"consents/c1@1", "consents/c1@2"}


def test_the_entry_date_of_a_consent_is_that_of_its_first_save(agency: Agency) -> None:
    case = case_of()
    agency.put(case)
    agency.clock.pass_(days=3)
    case["consents"].append({**copy.deepcopy(case["consents"][0]), "id": "c2"})
    agency.put(case)
    assert agency.stored("C-0001").kept["entered"] == {
        "consents/c1": NOW.isoformat(),
        "consents/c2": agency.clock.now.isoformat(),
    }


def test_what_is_added_after_a_denied_goal_was_removed_waits_for_a_person(agency: Agency) -> None:
    """It may be the denied one under another name (consent.md, *Not computable*)."""
    case = with_denied_goal()
    agency.put(case)
    agency.work()
    assert titles(agency) == {"Tie my own shoes before gym"}
    case["goals"][1]["id"] = "g9"
    told = agency.put(case).warnings
    agency.work()
    assert titles(agency) == {"Tie my own shoes before gym"}
    agency.assert_never("Wickenbrook")
    agency.assert_equal()
    kept = agency.stored("C-0001").kept
    assert kept["tombstones"] == ["goals/g2"]
    assert kept["waiting"] == {"goals/g9": ["goals/g2"]}
    assert not [w for w in told if w.detail == ALARMS["not-computable"]]


def test_it_waits_through_later_saves_and_what_was_there_before_does_not(agency: Agency) -> None:
    case = with_denied_goal()
    agency.put(case)
    case["goals"][1]["id"] = "g9"
    agency.put(case)
    record(case, "goals/g9")["title"] = "See the Wickenbrook doctor again"
    record(case, "goals/g1")["title"] = "Tie my own shoes"
    agency.put(case)
    agency.work()
    assert titles(agency) == {"Tie my own shoes"}
    case["goals"].append({"id": "g10", "title": "Ride the bus", "set_by": "child", "status": "active"})
    agency.put(case)
    agency.work()
    assert titles(agency) == {"Tie my own shoes"}
    assert set(agency.stored("C-0001").kept["waiting"]) == {"goals/g9", "goals/g10"}


def test_when_the_denied_goal_is_there_again_nothing_waits(agency: Agency) -> None:
    case = with_denied_goal()
    agency.put(case)
    agency.put({**case, "goals": case["goals"][:1]})
    case["goals"].append({"id": "g10", "title": "Ride the bus", "set_by": "child", "status": "active"})
    agency.put(case)
    agency.work()
    assert titles(agency) == {"Tie my own shoes before gym", "Ride the bus"}
    assert agency.stored("C-0001").kept["waiting"] == {}


def test_when_the_denial_is_gone_nothing_waits(agency: Agency) -> None:
    case = with_denied_goal()
    agency.put(case)
    case["goals"][1]["id"] = "g9"
    agency.put(case)
    case["consents"][0]["provisions"] = case["consents"][0]["provisions"][:2]
    agency.put(case)
    agency.work()
    assert len(titles(agency)) == 2
    agency.assert_equal()


def test_deleting_and_putting_a_case_again_does_not_let_a_denied_goal_through(agency: Agency) -> None:
    """Whatever the order: the denied goal comes back under another name, in the put that follows the deletion."""
    case = with_denied_goal()
    agency.put(case)
    agency.work()
    agency.delete("C-0001")
    agency.work()
    case["goals"][1]["id"] = "g9"
    agency.put(case)
    agency.work()
    agency.assert_never("Wickenbrook")
    agency.assert_equal()


def test_a_tombstone_outlives_the_deletion_of_its_case(agency: Agency) -> None:
    case = with_denied_goal()
    agency.put(case)
    agency.put({**case, "goals": case["goals"][:1]})
    agency.delete("C-0001")
    case["goals"][1]["id"] = "g9"
    agency.put(case)
    agency.work()
    agency.assert_never("Wickenbrook")
    agency.assert_equal()


def test_putting_a_deleted_case_again_lets_nothing_wait_that_did_not_wait_before(agency: Agency) -> None:
    """Nothing permitted is lost: what was there beside the denied goal is not taken for it."""
    case = with_denied_goal()
    agency.put(case)
    agency.put({**case, "goals": case["goals"][:1]})
    agency.work()
    assert titles(agency) == {"Tie my own shoes before gym"}
    agency.delete("C-0001")
    agency.put({**case, "goals": case["goals"][:1]})
    agency.work()
    assert titles(agency) == {"Tie my own shoes before gym"}


def test_a_denied_step_that_is_removed_holds_up_the_steps_of_its_goal_alone(agency: Agency) -> None:
    case = with_denied_goal()
    steps = [{"id": "s1", "text": "Buy new laces"}, {"id": "s2", "text": "Ask the Wickenbrook doctor"}]
    case["goals"][0]["steps"] = steps
    case["consents"][0]["provisions"][2] = {**NEVER, "records": ["goals/g1/steps/s2", "goals/g2"]}
    agency.put(case)
    agency.work()
    case["goals"][0]["steps"] = [steps[0], {**steps[1], "id": "s3"}]
    case["goals"].append({"id": "g10", "title": "Ride the bus", "set_by": "child", "status": "active"})
    agency.put(case)
    agency.work()
    assert titles(agency) == {"Tie my own shoes before gym", "Ride the bus"}
    agency.assert_never("Wickenbrook")
    assert agency.stored("C-0001").kept["waiting"] == {"goals/g1/steps/s3": ["goals/g1/steps/s2"]}


def test_a_denial_that_was_captured_here_leaves_a_tombstone_too() -> None:
    case = case_of()
    kept = {"captured": [{"id": "here", "provisions": [NEVER]}]}
    first = carry({}, kept, case, NOW)
    assert (first["tombstones"], first["waiting"]) == ([], {})
    renamed = case_of()
    renamed["goals"][1]["id"] = "g9"
    second = carry(case, first, renamed, NOW)
    assert (second["tombstones"], second["waiting"]) == (["goals/g2"], {"goals/g9": ["goals/g2"]})
    assert second["captured"] == kept["captured"]
