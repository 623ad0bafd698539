"""Several at once: each decision is taken once, on what stands, and nothing of any of them is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from adapter import inbox as verb
from adapter.arrived import settle_all
from adapter.errors import AdapterError
from tests.inbox.conftest import GOAL, PATIENT, Inbox
from tests.inbox.test_consents import consent
from tests.inbox.test_deciding import case_file, matched, proposals, say
from tests.inbox.test_items import items


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each came to: what it returned, or the error that it was told; any other error fails the test."""
    found: list[Any] = [None] * len(acts)
    ready = threading.Barrier(len(acts))

    def run(place: int, act: Callable[[], Any]) -> None:
        ready.wait()
        try:
            found[place] = act()
        except AdapterError as told:
            found[place] = told
        except BaseException as fault:  # noqa: BLE001  shown below
            found[place] = fault

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    faults = [each for each in found if isinstance(each, BaseException) and not isinstance(each, AdapterError)]
    assert faults == []
    return found


def test_two_who_adopt_different_goals_both_find_theirs_in_the_case(inbox: Inbox) -> None:
    goals = [{**GOAL, "id": f"g{n}", "description": {"text": f"Goal {n}"}} for n in range(3)]
    item, number = matched(inbox, *goals)
    paths = [path for path in proposals(inbox, item) if path.startswith("goals/")]
    found = at_once(*(lambda path=path: say(inbox, verb.adopt, item, {"paths": [path]}) for path in paths))
    assert all(each.changed for each in found)
    assert {f"goals/{each['id']}" for each in case_file(inbox, number)["goals"]} >= set(paths)
    assert set(paths) == {p for p in inbox.agency.stored(number).kept["arrived"] if p.startswith("goals/")}


def test_of_two_who_decide_on_one_version_one_is_told(inbox: Inbox) -> None:
    item, _ = matched(inbox, GOAL)
    version = verb.show(inbox.desk, item)["version"]
    adopt, dismiss = at_once(
        lambda: say(inbox, verb.adopt, item, {"all": True}, version=version),
        lambda: say(inbox, verb.dismiss, item, {"all": True, "reason": "no"}, version=version),
    )
    assert [isinstance(each, AdapterError) for each in (adopt, dismiss)].count(True) == 1


def test_two_who_open_a_case_open_one(inbox: Inbox) -> None:
    inbox.put(PATIENT)
    item = items(inbox)[0]["id"]
    found = at_once(
        *(lambda number=number: say(inbox, verb.open_case, item, {"case": number, "program": "wraparound"})
          for number in ("N-1", "N-2"))
    )  # fmt: skip
    assert [isinstance(each, AdapterError) for each in found].count(True) == 1
    (row,) = items(inbox)
    assert row["case"] in ("N-1", "N-2")


def test_a_put_of_the_agency_an_adoption_and_a_partner_s_denial_all_stand(inbox: Inbox) -> None:
    item, number = matched(inbox, GOAL)
    path = next(path for path in proposals(inbox, item) if path.startswith("goals/"))
    case = case_file(inbox, number)
    case["needs"] = [{"id": "n1", "text": "A quiet room"}]
    at_once(
        lambda: inbox.agency.put(case),
        lambda: say(inbox, verb.adopt, item, {"paths": [path]}),
        lambda: inbox.put(consent()),
        lambda: settle_all(inbox.desk),
    )
    settle_all(inbox.desk)
    after = case_file(inbox, number)
    assert after["needs"] == case["needs"] or any(f"goals/{each['id']}" == path for each in after["goals"])
    assert inbox.agency.stored(number).kept["imported"]
    assert [each["counts"] for each in verb.show(inbox.desk, item)["consents"]] == [True]
