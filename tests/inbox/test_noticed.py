"""The case system is told that something waits in the inbox, and that nothing does any more: once each, and no more."""

from __future__ import annotations

import json

from adapter import inbox as verb
from adapter import tell
from adapter.arrived import settle_all
from tests.inbox.conftest import GOAL, PATIENT, Inbox
from tests.inbox.test_items import items, the_item
from tests.verbs.agency import case_of


def told(inbox: Inbox) -> list[str]:
    """The kinds of what is told, in order."""
    settle_all(inbox.desk)
    return [each["type"] for each in tell.listed(inbox.desk, after=0, limit=100)["notices"]]


def test_what_a_partner_sends_and_what_is_decided_is_told_once(inbox: Inbox) -> None:
    inbox.put(PATIENT, GOAL)
    assert told(inbox) == ["inbox.changed"]
    assert told(inbox) == ["inbox.changed"]
    inbox.put(PATIENT, GOAL)  # says nothing new
    assert told(inbox) == ["inbox.changed"]
    inbox.put({**GOAL, "description": {"text": "Walk home"}})
    assert told(inbox) == ["inbox.changed"] * 2
    (row,) = items(inbox)
    body = json.dumps({"all": True, "reason": "Not ours"}).encode()
    verb.dismiss(inbox.desk, row["id"], body, version=None, by="R. Osei")
    assert told(inbox) == ["inbox.changed", "inbox.changed", "inbox.settled"]
    inbox.put({**GOAL, "description": {"text": "Walk home alone"}})
    assert told(inbox)[3:] == ["inbox.changed"]


def test_a_save_of_the_agency_s_own_case_is_no_news_while_what_waits_is_the_same(inbox: Inbox) -> None:
    case = case_of()
    inbox.agency.put(case)
    inbox.put(PATIENT, GOAL)
    (row,) = items(inbox)
    verb.match(inbox.desk, row["id"], json.dumps({"case": case["case"]}).encode(), version=None, by="R", role="admin")
    before = told(inbox)
    case["goals"][0]["title"] = "Tie my own shoes"
    inbox.agency.put(case)
    assert told(inbox) == before
    assert the_item(inbox)["state"] == "waiting"


def test_a_notice_names_the_item_and_nothing_of_what_was_sent(inbox: Inbox) -> None:
    inbox.put(PATIENT, GOAL)
    settle_all(inbox.desk)
    (notice,) = tell.listed(inbox.desk, after=0, limit=100)["notices"]
    (row,) = items(inbox)
    assert (notice["item"], notice["partner"]) == (row["id"], "riverside")
    assert "Okoye" not in json.dumps(notice)
