"""What stops a share, and that share alone: a leak that the last look sees, our own mistakes, partners not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapter import steer
from adapter.core import desired as desired_room
from adapter.core.consent.last_look import Look, Stop
from adapter.core.desired import Subject
from adapter.core.fhir import models
from adapter.errors import NotFound, Problem
from adapter.outward.server import Server
from adapter.reconcile import sending
from adapter.store import cases, shares
from tests.verbs.agency import Agency, case_of, record, revoked
from tests.verbs.conftest import Open
from tests.verbs.test_kept import OPEN

BUS = {"id": "g3", "title": "Ride the bus to the library", "set_by": "child", "status": "active"}


def wide() -> Any:
    """The school may see g1 and g3, not g2."""
    case = case_of()
    case["goals"].append(BUS)
    case["consents"][0]["provisions"][1] = {**OPEN, "records": ["goals/g1", "goals/g3"]}
    return case


def narrow() -> Any:
    """The school may see g3 only."""
    case = wide()
    case["consents"][0]["provisions"][1]["records"] = ["goals/g3"]
    return case


@pytest.fixture
def leaking(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Plants a fault in the view: the title of a withheld goal stands in one that may be seen."""
    right = desired_room.view

    def wrong(case: Any, *args: Any, **options: Any) -> Any:
        shown = right(case, *args, **options)
        for goal in shown.case.get("goals", ()):
            goal["title"] = record(case, "goals/g2")["title"]
        return shown

    return lambda: monkeypatch.setattr(desired_room, "view", wrong)


def test_nothing_leaves_that_the_last_look_finds(agency: Agency, leaking: Callable[[], None]) -> None:
    """Not a byte; the share is stopped, a person is called, and nothing is tried again."""
    leaking()
    agency.put(wide())
    agency.work()
    share = agency.share("C-0001")
    assert (share["state"], share["outcome"], share["alarms"]) == ("stopped", "stopped", ["last-look"])
    at = next(n for n, goal in enumerate(wide()["goals"]) if goal["id"] == "g2")
    assert share["detail"].endswith(f"would be sent: /goals/{at}/title"), "where it stands, never what"
    assert agency.seen() == []
    assert agency.account("C-0001") == []
    agency.clock.pass_(days=2)
    assert agency.work() == 0


def test_what_was_stopped_is_sent_when_the_fault_is_repaired_and_a_person_says_so(
    agency: Agency, leaking: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    leaking()
    agency.put(wide())
    agency.work()
    monkeypatch.undo()
    steer.retry(agency.desk, "C-0001", "lakeside")
    agency.work()
    agency.assert_equal()
    assert agency.share("C-0001")["alarms"] == []


@pytest.mark.parametrize("take_back", ["narrow", "revoke", "delete the case"])
def test_a_withdrawal_happens_though_the_last_look_stops_the_rest(
    agency: Agency, leaking: Callable[[], None], take_back: str
) -> None:
    """The partner's server refuses to delete what others refer to: then all is taken back that cannot be corrected."""
    agency.put(wide())
    agency.work()
    assert len(agency.fhir().of_type("Goal")) == 2
    leaking()
    if take_back == "delete the case":
        agency.delete("C-0001")
    else:
        agency.put(narrow() if take_back == "narrow" else revoked(wide()))
    agency.work()
    assert "Tie my own shoes" not in json.dumps(agency.fhir().resources)
    agency.assert_never("Wickenbrook")
    if take_back == "narrow":
        assert (agency.share("C-0001")["state"], agency.share("C-0001")["alarms"]) == ("stopped", ["last-look"])
    else:
        agency.assert_equal()
        assert agency.share("C-0001")["state"] == "idle"


@pytest.mark.parametrize("after", ["last look", "check"])
@pytest.mark.parametrize("partner", ["lakeside", "riverside"])
def test_what_is_stopped_and_refers_to_what_must_go_goes_too(
    open_agency: Open, monkeypatch: pytest.MonkeyPatch, partner: str, after: str
) -> None:
    """A plan lists its goals and tells their titles; writing it again without the one that goes is what is stopped."""
    agency = open_agency(each={"paused": True}, **{partner: {"paused": False}})
    agency.fhir("riverside").deletes = False
    case = case_of("ontario-csp")
    agency.put(case)
    agency.work()
    gone = record(case, "goals/g-break")["title"]
    assert gone in json.dumps(agency.fhir(partner).resources, ensure_ascii=False)
    if after == "last look":
        monkeypatch.setattr(Look, "at", lambda *_, **__: Stop(("",)))
    else:
        monkeypatch.setattr(desired_room, "problems", lambda _, **__: [Problem("/status", "no")])
    denial = {"id": "c-deny", "status": "active", "granted_by": "people/mother", "authority": "parent"}
    denial |= {"method": "signature", "signed_at": "2026-11-20", "period": {"start": "2026-11-20"}}
    denial["provisions"] = [{"id": "d1", "effect": "deny", "to": "all", "parts": ["goals"]}]
    case["consents"].append(denial)
    agency.put(case)
    agency.work()
    assert gone not in json.dumps(agency.fhir(partner).resources, ensure_ascii=False)
    assert agency.share("C-2031", partner)["state"] == "stopped"
    monkeypatch.undo()
    steer.retry(agency.desk, "C-2031", partner)
    agency.work()
    agency.assert_equal(partner)
    assert agency.share("C-2031", partner)["state"] == "idle"


@pytest.mark.parametrize("chunk", [1, 2, 200])
def test_a_withdrawal_is_never_stopped_by_the_last_look(
    open_agency: Open, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """What only takes back says nothing, whatever ids the partner chose: and it ends."""
    agency = open_agency(lakeside={"chunk": chunk})
    agency.put(wide())
    agency.work()
    monkeypatch.setattr(Look, "at", lambda *_, **__: Stop(("",)))
    before = len(agency.seen())
    agency.put(narrow())
    agency.work()
    sent = agency.sent_after(before)
    assert [e["request"]["method"] for e in sent if e["request"]["method"] == "DELETE"]
    assert agency.share("C-0001")["state"] != "working"


def test_our_own_check_stops_what_is_wrong_and_lets_withdrawals_through(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    agency.put(wide())
    agency.work()
    monkeypatch.setattr(
        desired_room,
        "problems",
        lambda resource, **__: [Problem("/status", "no")] if resource["resourceType"] == "Goal" else [],
    )
    case = narrow()
    record(case, "goals/g3")["title"] = "Ride the bus"
    agency.put(case)
    agency.work()
    assert "Tie my own shoes" not in json.dumps(agency.fhir().resources)
    assert "Ride the bus" not in json.dumps([json.loads(s.body) for s in agency.seen() if s.body][1:])
    share = agency.share("C-0001")
    assert (share["state"], share["alarms"]) == ("stopped", ["check"])
    assert models.problems is not desired_room.problems
    monkeypatch.undo()
    steer.retry(agency.desk, "C-0001", "lakeside")
    agency.work()
    agency.assert_equal()


def test_a_fault_of_ours_in_one_share_stops_only_that_one(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an alarm and no word of what the case says; repaired, a retry brings it through."""
    right = desired_room.resources

    def wrong(shown: Any, *args: Any, case_number: str, **options: Any) -> Any:
        if case_number == "C-0001" and shown.case:
            raise ZeroDivisionError(shown.case["child"]["name"]["family"])
        return right(shown, *args, case_number=case_number, **options)

    monkeypatch.setattr(desired_room, "resources", wrong)
    other = {**case_of(), "case": "C-0002"}
    agency.put(case_of())
    agency.put(other)
    agency.work()
    share = agency.share("C-0001")
    assert (share["state"], share["alarms"]) == ("stopped", ["fault"])
    assert "Exemple" not in share["detail"]
    assert agency.share("C-0002")["state"] == "idle"
    assert [p["name"][0]["given"] for p in agency.fhir().of_type("Patient")] == [["Théo"]]
    monkeypatch.undo()
    steer.retry(agency.desk, "C-0001", "lakeside")
    agency.work()
    agency.assert_equal()
    assert len(agency.fhir().of_type("Patient")) == 2


def test_a_fault_of_ours_while_sending_stops_only_that_share(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "results", lambda *_, **__: 1 / 0)
    agency.put(case_of())
    agency.work()
    assert (agency.share("C-0001")["state"], agency.share("C-0001")["alarms"]) == ("stopped", ["fault"])
    monkeypatch.undo()
    agency.put(revoked(case_of()))
    agency.work()
    agency.assert_equal()
    assert agency.fhir().of_type("Goal") == []


def test_a_partner_that_is_not_configured_any_more_stops_its_shares_alone(agency: Agency) -> None:
    agency.put(case_of("ontario-csp"))
    few = {name: partner for name, partner in agency.desk.catalogue.partners.items() if name != "lakeside"}
    whole, agency.desk = agency.desk, replace(agency.desk, catalogue=replace(agency.desk.catalogue, partners=few))
    agency.work()
    assert agency.share("C-2031", "lakeside")["state"] == "stopped"
    assert agency.share("C-2031", "riverside")["state"] == "idle"
    assert agency.seen() == []
    agency.desk = whole
    steer.retry(agency.desk, "C-2031", "lakeside")
    agency.work()
    agency.assert_equal()


def test_a_paused_partner_is_not_called_and_waits_for_nobody(open_agency: Open) -> None:
    agency = open_agency(lakeside={"paused": True})
    agency.put(case_of("ontario-csp"))
    agency.work()
    assert agency.seen() == []
    assert agency.share("C-2031", "lakeside")["state"] == "paused"
    assert agency.share("C-2031", "riverside")["state"] == "idle"
    partners = agency.desk.catalogue.partners
    going = {**partners, "lakeside": replace(partners["lakeside"], paused=False)}
    agency.desk = replace(agency.desk, catalogue=replace(agency.desk.catalogue, partners=going))
    agency.work()
    agency.assert_equal()


def test_a_partner_without_an_address_is_tried_later_and_holds_up_nobody(open_agency: Open) -> None:
    agency = open_agency()
    way = Server(replace(agency.desk.catalogue.partners["lakeside"], base_url=""), secret=None)
    agency.desk = replace(agency.desk, server=lambda _: way)
    agency.put(case_of())
    agency.work()
    share = agency.share("C-0001")
    assert (share["state"], share["outcome"], share["detail"]) == ("waiting", "unavailable", "not configured")
    agency.clock.pass_(hours=97)
    agency.work()
    assert agency.share("C-0001")["state"] == "stopped"
    assert agency.held("C-0001") == {}


def test_a_consent_that_was_captured_here_permits_and_denies_like_any_other(agency: Agency) -> None:
    """What people enter at the adapter steers what is sent, and passes the last look."""
    case = {**case_of(), "consents": []}
    case["goals"].append(BUS)
    agency.put(case)
    agency.work()
    assert agency.seen() == []
    captured = case_of()["consents"][0]
    captured["provisions"][1] = {**OPEN, "records": ["goals/g1", "goals/g3"]}
    captured["provisions"].append({"id": "p9", "effect": "deny", "to": "partners/lakeside", "records": ["goals/g3"]})
    with agency.desk.store.writing() as tx:
        stored, _ = cases.put(tx, "C-0001", case, {"captured": [captured]}, now=agency.clock.now)
        shares.mark_due(tx, case_id=stored.id, now=agency.clock.now)
    agency.work()
    assert agency.share("C-0001")["state"] == "idle"
    (goal,) = agency.fhir().of_type("Goal")
    assert goal["description"]["text"] == "Tie my own shoes before gym"
    assert Subject.of("C-0001", stored.body, stored.kept).case["consents"] == [captured]


def test_only_a_share_that_is_there_can_be_tried_again(agency: Agency) -> None:
    agency.put(case_of())
    for number, partner in (("C-9", "lakeside"), ("C-0001", "nobody")):
        with pytest.raises(NotFound):
            steer.retry(agency.desk, number, partner)


def test_a_partner_whose_file_is_back_has_taken_back_what_was_meanwhile(open_agency: Open) -> None:
    """Its file was away for a while, and a consent was revoked: nobody has to think of that share."""
    agency = open_agency(each={"paused": True}, lakeside={"paused": False})
    agency.put(case_of())
    agency.work()
    whole = agency.desk.catalogue
    without = {name: partner for name, partner in whole.partners.items() if name != "lakeside"}
    agency.desk = replace(agency.desk, catalogue=replace(whole, partners=without))
    agency.put(revoked(case_of()))
    agency.work()
    assert agency.share("C-0001")["detail"] == "the partner is not configured any more"
    with pytest.raises(NotFound, match="no such partner"):
        steer.retry(agency.desk, "C-0001", "lakeside", theirs="overwrite")
    agency.desk = replace(agency.desk, catalogue=whole)
    agency.work()
    agency.assert_equal()
    assert agency.fhir().of_type("Goal") == []
