"""The document as a holding: made once, written anew when the view changes, taken back, frozen, and the ways around."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.core.desired import Subject, narrows, plan
from adapter.core.diff import Update
from adapter.core.residue import PURGE
from tests.core.document.desired import NOW, case_of, told
from tests.core.test_desired import Copy

AFTER_THE_PERMIT = datetime(2027, 6, 20, tzinfo=UTC)
PIECES = Counter({"DocumentReference": 1, "Binary": 2})


def copy_(**settings: Any) -> Copy:
    return Copy("fernhollow", **settings)


def there(copy: Copy) -> Counter[str]:
    return Counter(each["resourceType"] for each in copy.content.values())


def permit(case: Any) -> Any:
    return next(each for each in case["consents"] if each["id"] == "c-fern")


def listed(copy: Copy) -> Counter[str]:
    """The types that the partner is asked to purge."""
    tasks = [copy.content[urn] for urn, h in copy.held.items() if h.about == PURGE and urn in copy.content]
    return Counter(each["valueReference"]["type"] for task in tasks for each in task.get("input", ()))


def test_a_first_time_creates_it_and_a_second_time_does_nothing() -> None:
    copy = copy_()
    assert set(copy.reconcile(case_of())) == {"Create"}
    assert there(copy) & PIECES == PIECES
    assert not {"Goal", "CarePlan", "CareTeam"} & there(copy).keys()
    assert copy.reconcile(case_of()) == Counter()


def test_what_changes_in_a_goal_changes_three_resources_and_no_more() -> None:
    copy = copy_()
    copy.reconcile(case_of())
    case = case_of()
    next(each for each in case["goals"] if each["id"] == "g-teeth")["title"] = "See a dentist in Wolverstone"
    assert copy.reconcile(case) == Counter(Update=3)


def test_a_goal_that_is_denied_goes_from_the_document() -> None:
    """It is an update there; and counts as one that takes back, so that no stop holds it up."""
    copy = copy_()
    copy.reconcile(case_of())
    case = case_of()
    permit(case)["provisions"][0]["except"][0]["records"].append("goals/g-final")
    subject = Subject(case["case"], case, {})
    needed = plan(copy.bench, subject, "fernhollow", NOW, list(copy.held.values()), directory={}, kept_elsewhere=())
    updated = [change for change in needed.changes if isinstance(change, Update)]
    assert {"DocumentReference", "Binary"} <= {change.made.type for change in updated}
    assert narrows(change for change in needed.changes if isinstance(change, Update))
    assert all("goals/g-final" not in change.made.about for change in updated)
    same = plan(
        copy.bench, Subject(case["case"], case_of(), {}), "fernhollow", NOW, [], directory={}, kept_elsewhere=()
    )
    assert not narrows(same.changes)


def test_a_revoked_permission_takes_it_back_and_asks_to_purge_it() -> None:
    copy = copy_()
    copy.reconcile(case_of())
    case = case_of()
    permit(case)["status"] = "revoked"
    copy.reconcile(case)
    assert there(copy) == Counter(Consent=1, Task=1)
    assert listed(copy) & PIECES == PIECES


def test_a_permission_that_runs_out_freezes_it() -> None:
    copy = copy_()
    copy.reconcile(case_of())
    done = copy.reconcile(case_of(), AFTER_THE_PERMIT)
    assert set(done) == {"Freeze", "Update"} and done["Update"] == 1, "the Consent is set to inactive"
    assert there(copy) & PIECES == PIECES
    assert {h.state for h in copy.held.values() if h.type in PIECES} == {"frozen"}


def test_what_was_in_it_and_is_revoked_is_not_frozen_with_it() -> None:
    """Everything in it must be what a date ended (consent.md, *When permission ends*)."""
    copy = copy_()
    copy.reconcile(case_of())
    case = case_of()
    case["goals"] = [each for each in case["goals"] if each["id"] != "g-final"]
    copy.reconcile(case, AFTER_THE_PERMIT)
    assert not PIECES.keys() & there(copy).keys()


def test_a_permission_that_runs_out_takes_it_back_where_the_file_says_so() -> None:
    copy = copy_(after_end="withdraw")
    copy.reconcile(case_of())
    copy.reconcile(case_of(), AFTER_THE_PERMIT)
    assert there(copy) == Counter(Consent=1, Task=1)


def test_where_the_server_refuses_to_delete_stubs_stand_for_it() -> None:
    copy = copy_(withdrawal="stub")
    copy.reconcile(case_of())
    case = case_of()
    permit(case)["status"] = "revoked"
    copy.reconcile(case)
    stubs = [each for each in copy.content.values() if each["resourceType"] in PIECES]
    assert len(stubs) == 3
    assert all("data" not in each and "hash" not in str(each) for each in stubs)


@pytest.mark.parametrize("first", ["never", "always"], ids=["resources become a document", "and resources again"])
def test_another_way_of_holding_is_no_end_of_a_permission(first: str) -> None:
    """What is still told, in or out of the document, is not to be purged: the family took nothing back."""
    copy = copy_(document=first)
    copy.reconcile(case_of())
    copy.bench = told(document={"never": "always", "always": "never"}[first])
    copy.reconcile(case_of())
    assert ("Goal" in there(copy)) == (first == "always")
    assert ("Binary" in there(copy)) == (first == "never")
    assert listed(copy) == Counter()


def test_what_ends_while_the_way_of_holding_changes_is_to_be_purged() -> None:
    copy = copy_(document="never")
    copy.reconcile(case_of())
    copy.bench = told(document="always")
    case = case_of()
    permit(case)["provisions"][0]["except"][0]["records"].append("goals/g-final")
    copy.reconcile(case)
    assert listed(copy)["Goal"] == 1


def test_of_types_that_are_not_taken_no_residue_is_left() -> None:
    """A server that takes no Task is not asked by one."""
    copy = copy_()
    copy.reconcile(case_of())
    case = case_of()
    permit(case)["status"] = "revoked"
    subject = Subject(case["case"], case, {})
    options: dict[str, Any] = {"directory": {}, "kept_elsewhere": (), "not_taken": ("Task",)}
    needed = plan(copy.bench, subject, "fernhollow", NOW, list(copy.held.values()), **options).changes
    assert "Task" not in {change.made.type for change in needed if hasattr(change, "made")}
