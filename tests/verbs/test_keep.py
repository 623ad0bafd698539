"""The case system puts, reads and deletes: whole or not at all, and what follows is due in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapter import keep
from adapter.catalogue import Catalogue
from adapter.core.consent.explain import REASONS
from adapter.desk import Desk
from adapter.errors import AdapterError, Malformed, NotFound, PreconditionFailed, Refused, TooLarge
from adapter.store import cases, shares
from tests.verbs.agency import NOW, Agency, body, case_of, record

GOAL = {"id": "g3", "title": "Ride the bus to the library", "set_by": "child", "status": "proposed"}


def nothing_saved(agency: Agency) -> bool:
    with agency.desk.store.reading() as tx:
        return cases.count(tx) == 0 and shares.listed(tx) == [] and shares.next_due(tx) is None


def test_a_case_is_saved_whole_with_its_shares_due(agency: Agency) -> None:
    kept = agency.put(case_of())
    assert (kept.version, kept.changed, kept.due) == (1, True, tuple(sorted(agency.servers)))
    assert keep.get_case(agency.desk, "C-0001") == (case_of(), 1)
    for partner in agency.servers:
        share = agency.share("C-0001", partner)
        assert (share["state"], share["due"]) == ("due", NOW.isoformat())
    assert agency.desk.wake.is_set()


def test_the_case_and_its_shares_are_saved_in_one_transaction(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the shares cannot be made due, the case is not saved either: else nobody would ever be told."""

    def broken(*_: object, **__: object) -> None:
        raise LookupError("no")

    monkeypatch.setattr(shares, "mark_due", broken)
    with pytest.raises(LookupError):
        agency.put(case_of())
    assert nothing_saved(agency)


def test_the_same_put_again_changes_nothing(agency: Agency) -> None:
    agency.put(case_of())
    agency.work()
    agency.clock.pass_(days=1)
    kept = agency.put(dict(reversed(case_of().items())))
    assert (kept.version, kept.changed, kept.due) == (1, False, ())
    assert agency.share("C-0001")["state"] == "idle"
    assert agency.work() == 0


def bad(case: Any) -> Any:
    """Six things wrong, in six places."""
    case["goals"][0]["titel"] = "?"
    case["goals"][1]["set_by"] = "people/nobody"
    case["goals"].append(dict(case["goals"][0]))
    case["child"]["birth_date"] = "2018-02-30"
    case["consents"][0]["period"] = {"start": "2027-01-01", "end": "2026-01-01"}
    del case["people"][0]["relationship"]
    return case


PLACES = {
    "/goals/0/titel",
    "/goals/2/titel",
    "/goals/1/set_by",
    "/goals/0/id",
    "/goals/2/id",
    "/child/birth_date",
    "/consents/0/period/end",
    "/people/0/relationship",
}


def test_every_problem_is_told_at_once_and_nothing_is_saved(agency: Agency) -> None:
    with pytest.raises(Refused) as refused:
        agency.put(bad(case_of()))
    assert {p.pointer for p in refused.value.problems} == PLACES
    assert nothing_saved(agency)


def test_a_refused_put_leaves_what_was_there(agency: Agency) -> None:
    agency.put(case_of())
    agency.work()
    with pytest.raises(Refused):
        agency.put(bad(case_of()))
    assert keep.get_case(agency.desk, "C-0001") == (case_of(), 1)
    assert agency.share("C-0001")["state"] == "idle"


def test_a_case_of_another_number_than_the_address_is_refused(agency: Agency) -> None:
    with pytest.raises(Refused) as refused:
        keep.put_case(agency.desk, "C-9", body(case_of()))
    assert [p.pointer for p in refused.value.problems] == ["/case"]
    assert nothing_saved(agency)


WHOLE = body(case_of())
BODIES: dict[str, tuple[bytes, type[AdapterError]]] = {
    "empty": (b"", Malformed),
    "not JSON": (b"{", Malformed),
    "a duplicate key": (b'{"case":"C-0001","case":"C-0001"}', Malformed),
    "NaN": (b'{"case":NaN}', Malformed),
    "a byte order mark": (b"\xef\xbb\xbf" + WHOLE, Malformed),
    "invalid UTF-8": (b'{"case":"\xff"}', Malformed),
    "UTF-16": (WHOLE.decode().encode("utf-16"), Malformed),
    "two values": (WHOLE + WHOLE, Malformed),
    "a lone surrogate": (b'{"case":"\\ud800"}', Malformed),
    "200 levels": (b"[" * 200 + b"]" * 200, TooLarge),
    "10 MB": (b'{"case":"' + b"a" * 10_000_001 + b'"}', TooLarge),
    "a list": (b"[]", Refused),
    "a text": (b'"C-0001"', Refused),
    "null": (b"null", Refused),
    "an empty object": (b"{}", Refused),
    "goals that are an object": (body({**case_of(), "goals": {}}), Refused),
    "a goal that is a text": (body({**case_of(), "goals": ["g1"]}), Refused),
    "an unknown collection": (body({**case_of(), "gaols": []}), Refused),
    "a program that is not known": (body({**case_of(), "program": "other"}), Refused),
    "an id that is a number": (body({**case_of(), "goals": [{**GOAL, "id": 3}]}), Refused),
    "a case that is a list": (body({**case_of(), "case": ["C-0001"]}), Refused),
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_that_is_no_case_is_refused_and_nothing_is_saved(agency: Agency, kind: str) -> None:
    sent, error = BODIES[kind]
    with pytest.raises(error) as refused:
        keep.put_case(agency.desk, "C-0001", sent)
    assert 400 <= refused.value.status < 500
    assert "C-0001" not in f"{refused.value} {refused.value.problems}"
    assert nothing_saved(agency)


def test_only_the_version_that_was_read_is_replaced(agency: Agency) -> None:
    """If-Match: two people who change one case do not undo each other unnoticed."""
    with pytest.raises(PreconditionFailed):
        agency.put(case_of(), version=1)
    agency.put(case_of())
    record(changed := case_of(), "goals/g2")["title"] = "Another"
    assert agency.put(changed, version=1).version == 2
    with pytest.raises(PreconditionFailed):
        agency.put(case_of(), version=1)
    with pytest.raises(PreconditionFailed):
        keep.put_record(agency.desk, "C-0001", "goals", "g3", body(GOAL), version=1)
    with pytest.raises(PreconditionFailed):
        keep.delete_record(agency.desk, "C-0001", "goals", "g2", version=1)
    with pytest.raises(PreconditionFailed):
        keep.delete_case(agency.desk, "C-0001", version=1)
    assert keep.get_case(agency.desk, "C-0001") == (changed, 2)
    assert keep.delete_case(agency.desk, "C-0001", version=2).version == 3


def test_a_record_is_put_read_and_deleted_and_the_case_stays_whole(agency: Agency) -> None:
    agency.put(case_of())
    agency.work()
    kept = keep.put_record(agency.desk, "C-0001", "goals", "g3", body(GOAL))
    assert (kept.version, kept.changed) == (2, True)
    assert keep.get_record(agency.desk, "C-0001", "goals", "g3") == (GOAL, 2)
    assert keep.put_record(agency.desk, "C-0001", "goals", "g3", body(GOAL)).changed is False
    renamed = {**GOAL, "title": "Ride the bus"}
    assert keep.put_record(agency.desk, "C-0001", "goals", "g3", body(renamed)).version == 3
    assert [g["id"] for g in keep.get_case(agency.desk, "C-0001")[0]["goals"]] == ["g1", "g2", "g3"]
    assert agency.share("C-0001")["state"] == "due"
    assert keep.delete_record(agency.desk, "C-0001", "goals", "g3").version == 4
    assert keep.get_case(agency.desk, "C-0001") == (case_of(), 4)
    child = {**case_of()["child"], "gender": "male"}
    assert keep.put_record(agency.desk, "C-0001", "child", "", body(child)).version == 5
    assert keep.get_record(agency.desk, "C-0001", "child", "") == (child, 5)


def test_a_record_of_a_collection_that_was_not_there_begins_it(agency: Agency) -> None:
    agency.put(case_of())
    keep.put_record(agency.desk, "C-0001", "strengths", "s1", body({"id": "s1", "text": "Patient with small children"}))
    assert [s["id"] for s in keep.get_case(agency.desk, "C-0001")[0]["strengths"]] == ["s1"]


WRONG: dict[str, tuple[str, str, Any, set[str]]] = {
    "a field that is not known": ("goals", "g1", {**GOAL, "id": "g1", "titel": "?"}, {"/titel"}),
    "a reference that leads nowhere": ("goals", "g3", {**GOAL, "set_by": "people/nobody"}, {"/set_by"}),
    "a required field that is missing": ("goals", "g3", {"id": "g3"}, {"/title"}),
    "another id": ("goals", "g9", GOAL, {"/id"}),
    "a text in a list": ("goals", "g3", {**GOAL, "steps": ["one"]}, {"/steps/0"}),
    "a child without a name": ("child", "", {"birth_date": "2018-03-14"}, {"/name"}),
    "a number where an object must be": ("child", "", {"name": 7}, {"/name"}),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_record_is_refused_with_pointers_into_it(agency: Agency, kind: str) -> None:
    collection, id_, value, pointers = WRONG[kind]
    agency.put(case_of())
    agency.work()
    with pytest.raises(Refused) as refused:
        keep.put_record(agency.desk, "C-0001", collection, id_, body(value))
    assert {p.pointer for p in refused.value.problems} >= pointers
    assert {p.pointer.split("/")[1] for p in refused.value.problems} <= {
        *value,
        "name",
        "birth_date",
        "title",
        "status",
    }
    assert keep.get_case(agency.desk, "C-0001") == (case_of(), 1)
    assert agency.share("C-0001")["state"] == "idle"


def test_a_record_that_others_refer_to_is_not_deleted(agency: Agency) -> None:
    """The problems name where it is referred to, in the case."""
    agency.put(case_of())
    with pytest.raises(Refused) as refused:
        keep.delete_record(agency.desk, "C-0001", "people", "mother")
    assert {p.pointer for p in refused.value.problems} == {"/goals/1/set_by", "/consents/0/granted_by"}
    with pytest.raises(Refused):
        keep.delete_record(agency.desk, "C-0001", "child", "")
    assert keep.get_case(agency.desk, "C-0001") == (case_of(), 1)


def test_an_entry_that_goes_with_a_put_may_break_the_rest_of_the_case(agency: Agency) -> None:
    """What then breaks elsewhere keeps its place in the case."""
    case = case_of("ontario-csp")
    agency.put(case)
    plan = record(case, "care_plans/plan-2026")
    plan["services"] = [s for s in plan["services"] if s["id"] != "s-slp"]
    with pytest.raises(Refused) as refused:
        keep.put_record(agency.desk, case["case"], "care_plans", "plan-2026", body(plan))
    places = {p.pointer for p in refused.value.problems}
    assert places == {"/referrals/1/shares/3", "/referrals/1/current_services/0/service"}


@pytest.mark.parametrize(
    "act",
    [
        lambda desk: keep.get_case(desk, "C-9"),
        lambda desk: keep.delete_case(desk, "C-9"),
        lambda desk: keep.get_record(desk, "C-9", "goals", "g1"),
        lambda desk: keep.get_record(desk, "C-0001", "goals", "g9"),
        lambda desk: keep.get_record(desk, "C-0001", "gaols", "g1"),
        lambda desk: keep.get_record(desk, "C-0001", "enrolment", ""),
        lambda desk: keep.get_record(desk, "C-0001", "case", ""),
        lambda desk: keep.put_record(desk, "C-9", "goals", "g3", body(GOAL)),
        lambda desk: keep.put_record(desk, "C-0001", "gaols", "g3", body(GOAL)),
        lambda desk: keep.delete_record(desk, "C-9", "goals", "g1"),
        lambda desk: keep.delete_record(desk, "C-0001", "goals", "g9"),
        lambda desk: keep.delete_record(desk, "C-0001", "strengths", "s1"),
        lambda desk: keep.delete_record(desk, "C-0001", "enrolment", ""),
    ],
)
def test_what_is_not_there_is_not_found(agency: Agency, act: Callable[[Desk], object]) -> None:
    agency.put(case_of())
    with pytest.raises(NotFound):
        act(agency.desk)


def test_a_deleted_case_is_not_there_and_may_come_again(agency: Agency) -> None:
    agency.put(case_of())
    agency.work()
    kept = agency.delete("C-0001")
    assert (kept.version, kept.changed, set(kept.due)) == (2, True, set(agency.servers))
    with pytest.raises(NotFound):
        keep.get_case(agency.desk, "C-0001")
    with pytest.raises(NotFound):
        agency.delete("C-0001")
    with pytest.raises(PreconditionFailed):
        agency.put(case_of(), version=2)
    assert keep.listed(agency.desk, after=None, limit=10) == []
    assert agency.put(case_of()).version == 3
    agency.work()
    agency.assert_equal()
    assert agency.fhir().of_type("Goal")


def test_a_partner_that_is_new_has_its_share_with_the_next_save(agency: Agency, catalogue: Catalogue) -> None:
    """Also where the case itself stays as it is: nothing is due then, and nothing is lost by asking."""
    few = {name: partner for name, partner in agency.desk.catalogue.partners.items() if name != "lakeside"}
    keep.put_case(replace(agency.desk, catalogue=replace(agency.desk.catalogue, partners=few)), "C-0001", WHOLE)
    agency.numbers.add("C-0001")
    agency.work()
    assert agency.fhir().resources == {}
    agency.put(case_of())
    agency.work()
    agency.assert_equal()


def _without_parts(provision: Any) -> Any:
    return {name: value for name, value in provision.items() if name != "parts"}


CONSENTS: dict[str, tuple[Callable[[Any], Any], str | None]] = {
    "one that permits": (lambda c: None, None),
    "no end": (lambda c: c["period"].pop("end"), "no-end"),
    "no signature": (lambda c: c.pop("signed_at"), "unsigned"),
    "no method": (lambda c: c.pop("method"), "unsigned"),
    "signed tomorrow": (lambda c: c.update(signed_at="2026-11-22"), "unsigned"),
    "ended": (lambda c: c.update(period={"start": "2026-10-01", "end": "2026-10-31"}), "ended"),
    "not begun": (lambda c: c.update(period={"start": "2026-12-01", "end": "2027-10-31"}), "not-begun"),
    "a draft, which nobody takes for more": (lambda c: c.update(status="draft"), None),
    "revoked": (lambda c: c.update(status="revoked"), "revoked"),
    "no authority": (lambda c: c.update(granted_by="people/neighbour"), "no-authority"),
    "no parts": (lambda c: c.update(provisions=[_without_parts(c["provisions"][0])]), "names-nothing"),
}


@pytest.mark.parametrize("kind", CONSENTS)
def test_a_consent_that_permits_nothing_is_saved_with_a_warning_that_says_why(agency: Agency, kind: str) -> None:
    change, why = CONSENTS[kind]
    case = case_of()
    neighbour = {"id": "neighbour", "name": {"given": ["Ana"], "family": "Exemple"}, "relationship": "friend"}
    case["people"].append(neighbour)
    change(case["consents"][0])
    told = agency.put(case).warnings
    # What the program asks for names its rule; here it is about the consents.
    of_consents = [w for w in told if "(ontario-csp, " not in w.detail]
    assert [w.pointer for w in of_consents] == (["/consents/0"] if why else [])
    assert all(REASONS[why] in w.detail for w in of_consents if why)


@pytest.mark.parametrize("field", ["parts", "topics"])
def test_an_unknown_part_or_topic_is_told(agency: Agency, field: str) -> None:
    """Refused or warned of, with its place: never taken in silence for something that permits."""
    case = case_of()
    case["consents"][0]["provisions"][0][field] = ["identity", "no-such-word"]
    try:
        told = agency.put(case).warnings
    except Refused as refused:
        told = refused.problems
    assert [w.pointer for w in told if w.pointer.startswith("/consents/0")]
    assert all("no-such-word" not in w.detail for w in told)


def test_what_the_program_asks_of_an_entry_without_an_id_is_told_and_does_not_break_the_put(agency: Agency) -> None:
    """A safeguard of which nobody knows to whom it was given: the program's rule names the list that it stands in."""
    case = case_of("early-intervention")
    for each in case["enrolment"]["safeguards"]:
        each.pop("to", None)
    told = agency.put(case).warnings
    assert "/enrolment/safeguards" in {problem.pointer for problem in told}
