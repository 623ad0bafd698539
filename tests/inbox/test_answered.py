"""A referral from the inbox is answered on its Task; our own answer never comes back as what the partner says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter import answers, refer
from adapter import inbox as verb
from adapter.core import strict_json
from adapter.receive.world import World
from adapter.store import resources
from tests.inbox.conftest import PATIENT, Inbox
from tests.inbox.test_deciding import HOSPITAL, REFERRAL, case_file, proposals, say
from tests.inbox.test_items import items

TASK = {
    "resourceType": "Task", "id": "t1", "status": "requested", "intent": "order", "authoredOn": "2026-11-20",
    "lastModified": "2026-11-20T10:00:00Z", "focus": {"reference": "ServiceRequest/r1"},
    "basedOn": [{"reference": "ServiceRequest/r1"}], "for": {"reference": "Patient/p1"},
}  # fmt: skip


class Answering(Inbox):
    """What the partner writes of its Task is judged, as on the web."""

    def world(self, partner: str) -> World:
        return replace(super().world(partner), hears=answers.hearing(self.desk.catalogue, partner))

    def states(self) -> list[Any]:
        with self.desk.store.reading() as tx:
            return [v.body.get("status") for v in resources.history(tx, "riverside", "Task", "t1")[::-1]]


@pytest.mark.parametrize("with_task", [True, False])
def test_what_is_adopted_is_answered_and_no_answer_of_ours_is_proposed(inbox: Inbox, with_task: bool) -> None:
    both = Answering(inbox.agency)
    both.put(PATIENT, HOSPITAL, REFERRAL, *([TASK] if with_task else []))
    item = items(both)[0]["id"]
    say(both, verb.open_case, item, {"case": "N-1", "program": "ontario-csp"})
    (referral,) = case_file(both, "N-1")["referrals"]
    if not with_task:
        both.put(TASK)
        both.agency.work()
    assert both.states() == ["requested", "received"]
    said = strict_json.dump({"status": "accepted", "business_status": "waitlisted"})
    refer.answer(both.desk, "N-1", referral["id"], said, by="Ruth")
    assert both.states()[-1] == "accepted"
    both.put({**TASK, "priority": "urgent"})
    found = proposals(both, item)
    assert [path for path in found if "outcome" in path or "status" in path] == []
    (read,) = case_file(both, "N-1")["referrals"]
    assert (read["status"], read["outcome"]["status"]) == ("requested", "accepted")
    both.agency.work()
    assert both.states()[-1] == "accepted"
