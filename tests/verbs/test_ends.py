"""When permission ends: narrowed, revoked, superseded, run out, deleted; nothing is sent that was claimed after it."""

from __future__ import annotations

import copy
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter import worker
from adapter.core.consent.last_look import Look
from tests.outward import fault_server as faults
from tests.verbs.agency import Agency, case_of, is_residue, record, revoked
from tests.verbs.conftest import Open
from tests.verbs.test_kept import OPEN

MIDNIGHT = datetime(2027, 10, 1, 4, tzinfo=UTC)
"""The first instant after the 30th of September 2027 in Toronto, where daylight saving is in force."""


def purge(agency: Agency, partner: str = "lakeside") -> dict[str, Any]:
    (task,) = agency.fhir(partner).of_type("Task")
    return task


def asked_to_purge(agency: Agency, partner: str = "lakeside") -> set[str]:
    return {i["valueReference"]["identifier"]["value"] for i in purge(agency, partner).get("input", ())}


def identifiers(agency: Agency, *types: str) -> set[str]:
    return {r["identifier"][0]["value"] for r in agency.fhir().resources.values() if r["resourceType"] in types}


def test_a_revoked_permission_takes_everything_back_and_asks_to_purge(agency: Agency) -> None:
    """What is left at the partner: the inactive Consent, and a Task that names what was taken by identifier only."""
    agency.put(case_of())
    agency.work()
    had = identifiers(agency, "Patient", "Goal")
    agency.put(revoked(case_of()))
    agency.work()
    assert set(agency.fhir().counted()) == {"Consent", "Task"}
    assert all(is_residue(r) for r in agency.fhir().resources.values())
    assert asked_to_purge(agency) == had
    assert agency.share("C-0001")["state"] == "idle"
    asked = agency.asked()
    agency.put({**revoked(case_of()), "goals": case_of()["goals"][:1]})
    agency.work()
    assert agency.asked() == asked


def test_a_narrowed_permission_takes_back_what_it_no_longer_names(agency: Agency) -> None:
    agency.put(case_of())
    agency.work()
    had = identifiers(agency, "Goal")
    case = case_of()
    case["consents"][0]["provisions"] = case["consents"][0]["provisions"][:1]
    agency.put(case)
    agency.work()
    assert agency.fhir().of_type("Goal") == []
    assert asked_to_purge(agency) == had
    agency.assert_equal()


def test_a_superseded_consent_permits_nothing_any_more(agency: Agency) -> None:
    agency.put(case_of())
    agency.work()
    case = case_of()
    later = copy.deepcopy(case["consents"][0])
    later |= {"id": "c2", "signed_at": "2026-11-10", "supersedes": ["consents/c1"]}
    later["provisions"] = later["provisions"][:1]
    case["consents"].append(later)
    agency.put(case)
    agency.work()
    assert agency.fhir().of_type("Goal") == []
    assert agency.fhir().of_type("Patient")
    agency.assert_equal()


def test_a_denial_of_one_record_takes_it_back(agency: Agency) -> None:
    case = case_of()
    case["consents"][0]["provisions"][1]["records"] = ["goals/g1", "goals/g2"]
    agency.put(case)
    agency.work()
    assert len(agency.fhir().of_type("Goal")) == 2
    denial = {"id": "d", "effect": "deny", "to": "all", "records": ["goals/g1"]}
    case["consents"].append({**copy.deepcopy(case["consents"][0]), "id": "no", "provisions": [denial]})
    agency.put(case)
    agency.work()
    (goal,) = agency.fhir().of_type("Goal")
    assert goal["description"]["text"].startswith("See the Wickenbrook doctor")
    agency.assert_equal()


def test_a_denial_of_one_record_takes_back_also_what_an_ended_consent_had_permitted(agency: Agency) -> None:
    """Two consents permitted it, one has run out: a denial today is no running out, and freezes nothing."""
    case = case_of()
    case["consents"][0]["provisions"][1] = OPEN
    ended = copy.deepcopy(case["consents"][0])
    case["consents"].insert(0, {**ended, "id": "c0", "period": {"start": "2026-10-01", "end": "2026-11-01"}})
    agency.put(case)
    agency.work()
    denial = {"id": "d", "effect": "deny", "to": "all", "records": ["goals/g1"]}
    since = {"signed_at": "2026-11-15", "period": {"start": "2026-11-15", "end": "2027-09-30"}}
    case["consents"].append({**ended, **since, "id": "no", "provisions": [denial]})
    agency.put(case)
    agency.work()
    assert [g["description"]["text"] for g in agency.fhir().of_type("Goal")] == [case["goals"][1]["title"]]


def test_what_is_given_again_is_not_to_be_purged(agency: Agency) -> None:
    agency.put(case_of())
    agency.work()
    before = identifiers(agency, "Patient", "Goal", "Consent")
    agency.put(revoked(case_of()))
    agency.work()
    agency.put(case_of())
    agency.work()
    agency.assert_equal()
    assert identifiers(agency, "Patient", "Goal", "Consent") == before
    assert purge(agency)["status"] == "cancelled"
    assert asked_to_purge(agency) == set()


def test_a_deleted_record_and_a_deleted_case_are_taken_back(agency: Agency) -> None:
    case = case_of("ontario-csp")
    agency.put(case)
    agency.work()
    gone = next(
        g for g in agency.fhir().of_type("Goal") if g["description"]["text"] == record(case, "goals/g-bath")["title"]
    )
    plan = record(case, "care_plans/plan-2026")
    plan["goals"] = [g for g in plan["goals"] if g != "goals/g-bath"]
    case["goals"] = [g for g in case["goals"] if g["id"] != "g-bath"]
    case["contacts"] = []
    agency.put(json.loads(json.dumps(case)))
    agency.work()
    assert f"Goal/{gone['id']}" not in agency.fhir().resources
    for partner in agency.servers:
        agency.assert_equal(partner)
    agency.fhir("riverside").deletes = False
    agency.delete(case["case"])
    agency.work()
    for partner in agency.servers:
        agency.assert_equal(partner)
        assert agency.share(case["case"], partner)["state"] == "idle"
    assert set(agency.fhir().counted()) == {"Consent", "Task"}


@pytest.mark.parametrize("how", ["revoked", "narrowed", "deleted"])
def test_where_a_server_refuses_to_delete_stubs_stand_for_what_was_taken_back(open_agency: Open, how: str) -> None:
    """No DELETE is tried there: it would have the whole refused, and nothing taken back."""
    agency = open_agency(each={"paused": True}, riverside={"paused": False})
    hospital = agency.fhir("riverside")
    hospital.deletes = False
    case = case_of("ontario-csp")
    agency.put(case)
    agency.work()
    titles = {g["description"]["text"] for g in hospital.of_type("Goal")}
    assert len(titles) == 9
    before = len(agency.seen("riverside"))
    if how == "revoked":
        agency.put(revoked(case))
    elif how == "deleted":
        agency.delete(case["case"])
    else:
        for consent in case["consents"]:
            for provision in consent["provisions"]:
                if provision["effect"] == "permit" and isinstance(provision.get("parts"), list):
                    provision["parts"] = [p for p in provision["parts"] if p != "goals"] or ["identity"]
        agency.put(case)
    agency.work()
    assert {e["request"]["method"] for e in agency.sent_after(before, "riverside")} <= {"PUT", "POST"}
    assert {g["lifecycleStatus"] for g in hospital.of_type("Goal")} == {"cancelled"}
    assert not [title for title in titles if title in json.dumps(hospital.resources, ensure_ascii=False)]
    agency.assert_equal("riverside")
    assert agency.share(case["case"], "riverside")["state"] == "idle"


def test_a_permission_that_runs_out_freezes_by_itself_at_midnight_in_the_agencys_zone(agency: Agency) -> None:
    """Nobody saves anything: the share is due again by itself, not a second too early."""
    agency.put(case_of())
    agency.work()
    assert agency.share("C-0001")["due"] is not None
    agency.clock.now = MIDNIGHT - timedelta(microseconds=1)
    before = len(agency.seen())
    while agency.work():
        pass
    assert len(agency.seen()) == before
    assert agency.share("C-0001")["due"] == MIDNIGHT.isoformat()
    agency.clock.now = MIDNIGHT
    assert agency.work() == len(agency.servers)
    (entry,) = agency.sent_after(before)
    assert (entry["resource"]["resourceType"], entry["resource"]["status"]) == ("Consent", "inactive")
    assert agency.fhir().counted() == {"Patient": 1, "Goal": 1, "Consent": 1}
    frozen = [line.about for line in agency.account("C-0001") if line.kind == "frozen"]
    assert set(frozen) == {"child", "goals/g1"}
    changed = case_of()
    record(changed, "goals/g1")["title"] = "Another"
    before = len(agency.seen())
    agency.put(changed)
    agency.work()
    assert len(agency.seen()) == before


def test_a_permission_that_runs_out_is_withdrawn_where_the_partner_file_says_so(open_agency: Open) -> None:
    agency = open_agency(lakeside={"after_end": "withdraw"})
    agency.put(case_of())
    agency.work()
    agency.clock.now = MIDNIGHT
    agency.work()
    assert set(agency.fhir().counted()) == {"Consent", "Task"}
    agency.assert_equal()


def test_what_was_frozen_is_taken_back_when_it_is_revoked_and_thaws_when_it_is_renewed(agency: Agency) -> None:
    agency.put(case_of())
    agency.work()
    agency.clock.now = MIDNIGHT + timedelta(days=3)
    agency.work()
    renewed = case_of()
    renewed["consents"].append({**copy.deepcopy(renewed["consents"][0]), "id": "c2", "signed_at": "2027-10-02"})
    renewed["consents"][1]["period"] = {"start": "2027-10-02", "end": "2028-10-01"}
    record(renewed, "goals/g1")["title"] = "Tie my own skates"
    agency.put(renewed)
    agency.work()
    agency.assert_equal()
    assert agency.fhir().of_type("Goal")[0]["description"]["text"] == "Tie my own skates"
    agency.clock.now = datetime(2028, 11, 1, tzinfo=UTC)
    agency.work()
    assert agency.fhir().of_type("Goal")
    for consent in renewed["consents"]:
        consent["status"] = "revoked"
    agency.put(renewed)
    agency.work()
    assert set(agency.fhir().counted()) == {"Consent", "Task"}


def _renewed(*, parts: list[str] | None = None) -> dict[str, Any]:
    """The case with a second consent, signed for the year after the first; `parts` of what its permit of goals is."""
    case = case_of()
    later = copy.deepcopy(case["consents"][0])
    later |= {"id": "c2", "signed_at": "2027-09-01", "period": {"start": "2027-09-01", "end": "2028-10-01"}}
    if parts is not None:
        later["provisions"][1] = {**later["provisions"][1], "parts": parts}
        later["provisions"][1].pop("records", None)
    case["consents"].append(later)
    return case


def _took_back_the_goals(agency: Agency) -> None:
    assert agency.fhir().of_type("Goal") == []
    assert agency.fhir().of_type("Patient"), "who the child is is still permitted"
    assert purge(agency)["status"] == "requested"


def test_what_was_renewed_and_then_narrowed_is_taken_back_though_an_older_consent_ran_out(agency: Agency) -> None:
    """The first one's date took nothing from the partner: the second one permitted it, until somebody changed it."""
    agency.put(_renewed())
    agency.work()
    agency.clock.now = MIDNIGHT
    agency.work()
    assert agency.fhir().of_type("Goal")
    agency.clock.pass_(days=3)
    agency.put(_renewed(parts=["identity"]))
    agency.work()
    _took_back_the_goals(agency)


def test_what_was_frozen_renewed_and_then_narrowed_is_taken_back(agency: Agency) -> None:
    agency.put(case_of())
    agency.work()
    agency.clock.now = MIDNIGHT + timedelta(days=1)
    agency.work()
    assert agency.fhir().of_type("Consent")[0]["status"] == "inactive"
    agency.put(_renewed())
    agency.work()
    assert agency.fhir().of_type("Consent")[0]["status"] == "active"
    agency.clock.pass_(days=3)
    agency.put(_renewed(parts=["identity"]))
    agency.work()
    _took_back_the_goals(agency)


def test_what_is_frozen_stays_so_whatever_else_is_shared_and_taken_back(agency: Agency) -> None:
    """The goals ran out; what is shared anew goes and comes, and they stay as they were."""
    agency.put(case_of())
    agency.work()
    agency.clock.now = MIDNIGHT + timedelta(days=1)
    agency.work()
    for parts in (["identity", "needs"], ["identity"], ["identity", "strengths"]):
        agency.put(_renewed(parts=parts))
        agency.work()
        agency.clock.pass_(days=1)
        assert len(agency.fhir().of_type("Goal")) == 1


def test_a_permission_that_begins_later_is_shared_by_itself(agency: Agency) -> None:
    case = case_of()
    case["consents"][0]["period"]["start"] = "2026-12-01"
    agency.put(case)
    agency.work()
    assert agency.seen() == []
    agency.clock.now = datetime(2026, 12, 1, 5, tzinfo=UTC)
    agency.work()
    agency.assert_equal()
    assert agency.fhir().of_type("Goal")


def test_a_stopped_share_wakes_when_a_permission_ends(open_agency: Open) -> None:
    """What a partner refuses to take must not keep what it has from being withdrawn in time."""
    agency = open_agency(lakeside={"after_end": "withdraw"})
    agency.put(case_of())
    agency.work()
    changed = case_of()
    record(changed, "goals/g1")["title"] = "Tie my own shoes before anything"
    agency.servers["lakeside"].plan(faults.Answer(422, faults.JSON, b"{}"))
    agency.put(changed)
    agency.work()
    assert agency.share("C-0001")["state"] == "stopped"
    agency.clock.now = MIDNIGHT
    agency.work()
    assert agency.fhir().of_type("Goal") == []


def goals_sent(agency: Agency, after: int) -> list[str]:
    return [s.method for s in agency.seen()[after:] if b"Tie my own shoes" in s.body]


@pytest.mark.parametrize("was_there", [False, True])
def test_revoked_while_it_is_queued_nothing_is_sent(agency: Agency, was_there: bool) -> None:
    if was_there:
        agency.put(case_of())
        agency.work()
    before = len(agency.seen())
    changed = case_of()
    record(changed, "goals/g1")["title"] = "Tie my own shoes before anything"
    agency.put(changed)
    agency.put(revoked(changed))
    agency.work_on()
    assert goals_sent(agency, before) == []
    assert agency.fhir().of_type("Goal") == []


@pytest.mark.parametrize("moment", ["after the claim", "between two chunks"])
def test_revoked_while_it_is_claimed_no_further_byte_is_sent(
    open_agency: Open, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Each chunk leaves only if the case is still the one that was decided on: what left before is taken back."""
    agency = open_agency(lakeside={"chunk": 1})
    agency.put(case_of())
    right, done = Look.at, []

    def meanwhile(look: Look, payload: bytes, given: Any = ()) -> Any:
        done.append(payload)
        if look.partner == "lakeside" and len(done) == (1 if moment == "after the claim" else 3):
            agency.put(revoked(case_of()))
        return right(look, payload, given)

    monkeypatch.setattr(Look, "at", meanwhile)
    agency.work_on()
    assert goals_sent(agency, 0) == []
    assert len([e for e in agency.sent_after(0) if e["request"]["method"] == "POST"]) >= (moment != "after the claim")
    assert agency.fhir().of_type("Goal") == []
    assert agency.fhir().of_type("Patient") == []
    assert all(is_residue(r) for r in agency.fhir().resources.values())


@pytest.mark.parametrize(
    "fault",
    [
        faults.Answer(503),
        faults.Answer(503, applied=True),
        faults.Answer(429, {"Retry-After": "600"}),
        faults.CutAfter(),
        faults.CutAfter(applied=False),
    ],
    ids=["503", "503 though it was done", "429", "cut after", "cut before"],
)
def test_revoked_between_two_retries_nothing_is_sent_again(agency: Agency, fault: Any) -> None:
    agency.put(case_of())
    agency.servers["lakeside"].plan(fault)
    agency.work()
    assert agency.share("C-0001")["state"] == "waiting"
    before = len(agency.seen())
    agency.put(revoked(case_of()))
    agency.work_on()
    assert goals_sent(agency, before) == []
    assert agency.fhir().of_type("Goal") == []


def test_a_revocation_counts_from_its_commit_whoever_is_at_work(agency: Agency) -> None:
    """Two workers run while the case is saved and revoked again and again: nothing is announced after the revocation,
    so that no claim that begins after it can send; and what an earlier one sent is taken back."""
    windows: list[tuple[datetime, datetime]] = []
    with ThreadPoolExecutor(2) as pool:
        for turn in range(15):
            case = case_of()
            record(case, "goals/g1")["title"] = f"Tie my own shoes, turn {turn}"
            agency.put(case)
            before = agency.asked()
            running = [pool.submit(worker.run, agency.desk, once=True) for _ in range(2)]
            time.sleep(0.01 * (turn % 6))
            while turn % 5 == 0 and agency.asked() == before and not all(each.done() for each in running):
                time.sleep(0.001)  # however slow the machine is, some are revoked while they are sent
            agency.put(revoked(case))
            agency.clock.pass_(seconds=1)
            revoked_at = agency.clock.now
            for each in running:
                each.result()
            agency.work_on()
            windows.append((revoked_at, agency.clock.now))
            agency.clock.pass_(seconds=1)
            assert agency.fhir().of_type("Goal") == []
    sent = [line for line in agency.account("C-0001") if line.kind == "attempted" and line.about == "goals/g1"]
    written = [line for line in sent if line.operation != "withdraw"]
    assert [line for line in written if any(start <= line.at <= end for start, end in windows)] == []
    assert written
    agency.assert_equal()
