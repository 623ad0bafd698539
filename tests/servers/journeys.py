"""What every partner's server must show, whoever made it: its copy is what consent permits, through all that happens.

A class for each server is made of this one (`test_*.py` beside it), so that each server is started once, by one worker.
Each journey looks at the partner's own server, past the adapter.
"""

from __future__ import annotations

import copy
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter import steer
from tests.outward import fault_server as faults
from tests.servers.instance import Instance, Open
from tests.servers.partners import Running
from tests.verbs.agency import DIRECTORY, NAMES, case_of, record, revoked
from tests.verbs.schedules import without_goals
from tests.verbs.test_directory import another
from tests.verbs.test_in_doubt import kill_once

MIDNIGHT = datetime(2027, 10, 1, 4, tzinfo=UTC)
"""The first instant at which the small case's consent has run out, in the agency's time zone."""

THEIRS = [
    ("Consent", {"language": "fr"}),
    ("Goal", {"description": {"text": "Words of the partner's own"}}),
    ("Task", {"status": "completed"}),
]
"""What somebody at a partner makes of our copy."""


class Journeys:
    """`started` starts the server that the journeys are about; `lacking` names what it would need and is not here."""

    @staticmethod
    def started(folder: Path) -> AbstractContextManager[Running]:
        raise NotImplementedError

    @staticmethod
    def lacking() -> str:
        return ""

    @pytest.mark.parametrize("name", NAMES)
    def test_a_whole_case_arrives_and_nothing_more_is_said_while_nothing_changes(
        self, instance: Instance, name: str
    ) -> None:
        case = case_of(name)
        instance.put(case)
        instance.work()
        instance.assert_at_rest(case["case"])
        instance.assert_right()
        for partner in instance.servers:
            instance.assert_nothing_withheld(name, partner)
        asked = instance.asked()
        assert not instance.put(case_of(name)).changed
        instance.work()
        assert instance.asked() == asked

    def test_an_edited_goal_is_an_update_of_the_one_that_is_there(self, instance: Instance) -> None:
        case = case_of("ontario-csp")
        instance.put(case)
        instance.work()
        before = {goal["id"] for goal in instance.at_partners.of_type("Goal")}
        case["goals"][0]["title"] += ", and then some"
        instance.put(case)
        instance.work()
        instance.assert_at_rest(case["case"])
        instance.assert_right()
        assert {goal["id"] for goal in instance.at_partners.of_type("Goal")} == before

    def test_a_deleted_record_goes(self, instance: Instance) -> None:
        case = case_of()
        instance.put(case)
        instance.work()
        assert len(instance.at_partners.of_type("Goal")) == 1
        instance.put({**case, "goals": [goal for goal in case["goals"] if goal["id"] != "g1"]})
        instance.work()
        instance.assert_at_rest(case["case"])
        instance.assert_right()
        assert instance.at_partners.of_type("Goal") == []

    def test_what_a_narrowed_permission_no_longer_names_goes(self, instance: Instance) -> None:
        case = case_of("ontario-csp")
        instance.put(case)
        instance.work()
        had = len(instance.at_partners.of_type("Goal"))
        instance.put(without_goals(case))
        instance.work()
        instance.assert_at_rest(case["case"])
        instance.assert_right()
        assert len(instance.at_partners.of_type("Goal")) < had

    def test_a_second_child_finds_the_organizations_there_and_the_last_one_takes_them_along(
        self, open_instance: Open
    ) -> None:
        instance = open_instance(withdrawal="delete")
        case = case_of("shared-decision")
        instance.put(case)
        instance.work()
        first = directory(instance)
        assert first
        instance.put(another(case))
        instance.work()
        instance.assert_at_rest("C-2")
        instance.assert_right()
        assert directory(instance) == first
        instance.put(revoked(copy.deepcopy(case)))
        instance.work_on()
        instance.assert_right()
        assert directory(instance) == first
        instance.delete("C-2")
        instance.work_on()
        instance.assert_right()
        assert directory(instance) == set()

    @pytest.mark.parametrize("withdrawal", ["delete", "stub"])
    def test_a_revoked_permission_takes_everything_back_and_asks_to_purge(
        self, open_instance: Open, withdrawal: str
    ) -> None:
        """What is left: for each partner an inactive Consent and a Task that names what was there; or stubs besides."""
        instance = open_instance(withdrawal=withdrawal)
        case = case_of("ontario-csp")
        instance.put(case)
        instance.work()
        instance.assert_right()
        named = {i["value"] for goal in instance.at_partners.of_type("Goal") for i in goal["identifier"]}
        receivers = len(instance.at_partners.of_type("Patient"))
        instance.put(revoked(case_of("ontario-csp")))
        instance.work_on()
        instance.assert_at_rest(case["case"])
        instance.assert_right()
        assert {c["status"] for c in instance.at_partners.of_type("Consent")} == {"inactive"}
        asking = [task for task in instance.at_partners.of_type("Task") if "input" in task]
        assert len(asking) == len(instance.at_partners.of_type("Consent")) == receivers
        told = {each["valueReference"]["identifier"]["value"] for task in asking for each in task["input"]}
        assert named <= told
        if withdrawal == "delete":
            assert {one["resourceType"] for one in instance.at_partners.everything()} == {"Consent", "Task"}

    @pytest.mark.parametrize("after_end", ["freeze", "withdraw"])
    def test_a_permission_that_runs_out_by_date(self, open_instance: Open, after_end: str) -> None:
        """Frozen: the copy stays as it was and nobody looks at it any more. Or taken back, if the file says so."""
        instance = open_instance(after_end=after_end)
        instance.put(case_of())
        instance.work()
        goals = instance.at_partners.of_type("Goal")
        instance.clock.now = MIDNIGHT
        instance.work_on(hours=1)
        instance.assert_at_rest("C-0001")
        assert instance.at_partners.of_type("Goal") == (goals if after_end == "freeze" else [])
        assert [c["status"] for c in instance.at_partners.of_type("Consent")] == ["inactive"]
        case = case_of()
        record(case, "goals/g1")["title"] = "Nobody there may read this"
        asked = instance.asked()
        instance.put(case)
        instance.work_on(hours=1)
        assert instance.asked() == asked

    def test_a_deleted_case_goes_everywhere(self, open_instance: Open) -> None:
        instance = open_instance(withdrawal="delete")
        case = case_of("wraparound")
        instance.put(case)
        instance.work()
        instance.delete(case["case"])
        instance.work_on()
        instance.assert_right()
        assert {one["resourceType"] for one in instance.at_partners.everything()} == {"Consent", "Task"}

    def test_what_somebody_there_deleted_comes_again_with_the_next_change(self, instance: Instance) -> None:
        case = case_of()
        instance.put(case)
        instance.work()
        instance.at_partners.delete(instance.at_partners.of_type("Goal")[0])
        record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
        instance.put(case)
        instance.work_on()
        if instance.share("C-0001")["state"] == "stopped":
            steer.retry(instance.desk, "C-0001", "lakeside")
            instance.work_on()
        instance.assert_at_rest("C-0001")
        instance.assert_right()

    def test_a_server_that_lost_everything_gets_it_again_when_a_person_has_it_looked_at(
        self, instance: Instance
    ) -> None:
        """As after a restore of a backup from before us."""
        instance.put(case_of())
        instance.work()
        instance.at_partners.wipe()
        assert instance.at_partners.everything() == []
        while steer.resync_next(instance.desk, "lakeside") is not None:
            instance.work_on(hours=1)
        instance.assert_at_rest("C-0001")
        instance.assert_right()

    def test_what_somebody_there_changed_is_not_overwritten_unread(self, instance: Instance) -> None:
        """The share stops with an alarm, and their words stand; until a person says that it is ours."""
        case = case_of()
        instance.put(case)
        instance.work()
        (goal,) = instance.at_partners.of_type("Goal")
        instance.at_partners.save({**goal, "description": {"text": "Words of the partner's own"}})
        record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
        instance.put(case)
        instance.work_on()
        share = instance.share("C-0001")
        assert (share["state"], share["alarms"]) == ("stopped", ["conflict"])
        (goal,) = instance.at_partners.of_type("Goal")
        assert goal["description"]["text"] == "Words of the partner's own"
        steer.retry(instance.desk, "C-0001", "lakeside", theirs="overwrite")
        instance.work_on()
        instance.assert_at_rest("C-0001")
        instance.assert_right()

    @pytest.mark.parametrize("withdrawal", ["delete", "stub"])
    @pytest.mark.parametrize(("type_", "edit"), THEIRS)
    def test_what_somebody_there_changed_is_taken_back_all_the_same(
        self, open_instance: Open, type_: str, edit: dict[str, Any], withdrawal: str
    ) -> None:
        """A withdrawal asks nobody whose words they are. The Task is an earlier request to purge: it is asked again."""
        instance = open_instance(withdrawal=withdrawal)
        case = case_of()
        instance.put(case)
        instance.work()
        instance.put({**case, "goals": []})
        instance.work_on()
        if type_ == "Goal":
            instance.put(case)
            instance.work_on()
        changed = instance.at_partners.of_type(type_)
        assert changed
        for one in changed:
            instance.at_partners.save({**one, **edit})
        instance.put(revoked(case))
        instance.work_on()
        instance.assert_at_rest("C-0001")
        instance.assert_right()
        assert {consent["status"] for consent in instance.at_partners.of_type("Consent")} == {"inactive"}
        assert "requested" in {task["status"] for task in instance.at_partners.of_type("Task") if "input" in task}
        if withdrawal == "delete":
            assert {one["resourceType"] for one in instance.at_partners.everything()} == {"Consent", "Task"}

    @pytest.mark.parametrize("change", ["create", "update", "withdraw"])
    @pytest.mark.parametrize("how", ["the worker is killed", "the answer is lost"])
    def test_what_was_done_and_not_heard_of_is_not_done_twice(
        self, instance: Instance, monkeypatch: pytest.MonkeyPatch, how: str, change: str
    ) -> None:
        case = case_of()
        if change != "create":
            instance.put(case)
            instance.work()
            record(case, "goals/g1")["title"] = "Tie my own shoes before anything"
        instance.put(revoked(case) if change == "withdraw" else case)
        if how == "the worker is killed":
            kill_once(instance, monkeypatch, after=True)
        else:
            instance.servers["lakeside"].plan(faults.CutAfter())
        instance.work_on()
        instance.assert_at_rest("C-0001")
        instance.assert_right()


def directory(instance: Instance) -> set[str]:
    """Where the organizations and people are that the cases share."""
    return {f"{type_}/{one['id']}" for type_ in DIRECTORY for one in instance.at_partners.of_type(type_)}
