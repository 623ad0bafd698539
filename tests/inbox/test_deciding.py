"""What a person or the case system decides: matched, opened, adopted, dismissed; and nothing that was not decided."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from adapter import inbox as verb
from adapter import keep
from adapter.core import strict_json
from adapter.errors import Conflict, Forbidden, NotFound, PreconditionFailed, Refused
from tests.inbox.conftest import GOAL, PATIENT, Inbox
from tests.inbox.test_items import items, the_item
from tests.verbs.agency import case_of

REFERRAL = {
    "resourceType": "ServiceRequest", "id": "r1", "status": "active", "intent": "order",
    "subject": {"reference": "Patient/p1"}, "code": {"text": "Coordination of services"},
    "authoredOn": "2026-11-20", "requester": {"reference": "Organization/h1"},
}  # fmt: skip
HOSPITAL = {
    "resourceType": "Organization", "id": "h1", "name": "Riverside Hospital",
    "type": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/organization-type", "code": "prov"}]}],
}  # fmt: skip
MOTHER = {
    "resourceType": "RelatedPerson", "id": "m1", "patient": {"reference": "Patient/p1"},
    "name": [{"family": "Okoye", "given": ["Chidi"]}],
    "relationship": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}]}],
}  # fmt: skip


def say(inbox: Inbox, do: Any, item: str, said: Any, **options: Any) -> verb.Decided:
    given = {"version": None, "by": "Ruth", **options}
    if do is verb.match:
        given.setdefault("role", "coordinator")
    return do(inbox.desk, item, strict_json.dump(said), **given)


def case_file(inbox: Inbox, number: str) -> dict[str, Any]:
    return keep.get_case(inbox.desk, number)[0]


def matched(inbox: Inbox, *resources: Any) -> tuple[str, str]:
    """The item and number of the small fixture's case, with these of the partner's."""
    case = case_of("minimal")
    inbox.agency.put(case)
    inbox.put(PATIENT, *resources)
    item = items(inbox)[0]["id"]
    say(inbox, verb.match, item, {"case": case["case"]})
    return item, case["case"]


def proposals(inbox: Inbox, item: str) -> dict[str, Any]:
    found = verb.show(inbox.desk, item)
    return {each["path"]: each for one in found["records"] for each in one["proposals"]}


def goal_path(inbox: Inbox, item: str) -> str:
    return next(path for path in proposals(inbox, item) if path.startswith("goals/"))


def test_a_child_unknown_here_opens_a_case_and_its_referral_comes_in(inbox: Inbox) -> None:
    inbox.put(PATIENT, HOSPITAL, MOTHER, REFERRAL, GOAL)
    item = items(inbox)[0]["id"]
    opened = say(inbox, verb.open_case, item, {"case": "N-1", "program": "ontario-csp"})
    case = case_file(inbox, "N-1")
    assert (opened.case, opened.changed, case["program"]) == ("N-1", True, "ontario-csp")
    assert case["child"]["name"] == {"given": ["Ada"], "family": "Okoye"}
    assert [each["direction"] for each in case["referrals"]] == ["in"]
    assert [each["name"]["given"] for each in case["people"]] == [["Chidi"]]
    assert [each["name"] for each in case["organizations"]] == ["Riverside Hospital"]
    assert case["enrolment"] == {"status": "referred", "first_contact": "2026-11-21"}
    assert "goals" not in case
    assert [path.split("/")[0] for path in proposals(inbox, item)] == ["goals"]
    assert say(inbox, verb.open_case, item, {"case": "N-1", "program": "ontario-csp"}).changed is False


def test_which_resource_a_record_came_from_stays_beside_the_case(inbox: Inbox) -> None:
    inbox.put(PATIENT, HOSPITAL, MOTHER, REFERRAL)
    item = items(inbox)[0]["id"]
    say(inbox, verb.open_case, item, {"case": "N-1", "program": "ontario-csp"})
    (referral,) = case_file(inbox, "N-1")["referrals"]
    path = f"referrals/{referral['id']}"
    kept = inbox.agency.stored("N-1").kept["arrived"][path]
    assert {name: kept[name] for name in ("partner", "type", "id", "version", "by")} == {
        "partner": "riverside", "type": "ServiceRequest", "id": "r1", "version": "1", "by": "Ruth",
    }  # fmt: skip
    case = case_file(inbox, "N-1")
    case["referrals"][0]["status"] = "accepted"
    inbox.agency.put(case)
    after = inbox.agency.stored("N-1").kept["arrived"][path]
    assert "status" not in after["fields"] and "services" in after["fields"], "the agency's own value has no source"
    del case["referrals"]
    inbox.agency.put(case)
    assert path not in inbox.agency.stored("N-1").kept["arrived"]


def test_a_number_that_is_taken_opens_nothing(inbox: Inbox) -> None:
    inbox.agency.put(case_of("minimal"))
    inbox.put(PATIENT)
    with pytest.raises(Conflict):
        say(inbox, verb.open_case, items(inbox)[0]["id"], {"case": case_of("minimal")["case"], "program": "wraparound"})


def test_without_a_child_that_can_be_read_no_case_is_opened(inbox: Inbox) -> None:
    inbox.put({**PATIENT, "modifierExtension": [{"url": "https://x.example/m", "valueBoolean": True}]}, GOAL)
    with pytest.raises(Refused):
        say(inbox, verb.open_case, items(inbox)[0]["id"], {"case": "N-1", "program": "wraparound"})


def test_adopting_changes_what_was_chosen_and_nothing_else(inbox: Inbox) -> None:
    item, number = matched(inbox, GOAL, {**GOAL, "id": "g2", "description": {"text": "Read aloud"}})
    before = case_file(inbox, number)
    path = goal_path(inbox, item)
    decided = say(inbox, verb.adopt, item, {"paths": [path]})
    after = case_file(inbox, number)
    added = [each for each in after["goals"] if each not in before.get("goals", [])]
    assert [f"goals/{each['id']}" for each in added] == [path]
    assert {**after, "goals": before.get("goals", [])} == {**before, "goals": before.get("goals", [])}
    assert decided.kept is not None and decided.kept.changed
    assert path not in proposals(inbox, item)


def test_adopting_a_field_leaves_the_rest_of_the_record(inbox: Inbox) -> None:
    item, number = matched(inbox)
    before = case_file(inbox, number)
    say(inbox, verb.adopt, item, {"paths": ["child/birth_date"]})
    after = case_file(inbox, number)
    assert after == {**before, "child": {**before["child"], "birth_date": "2016-05-04"}}
    (source,) = inbox.agency.stored(number).kept["arrived_fields"].values()
    assert (source["type"], source["id"]) == ("Patient", "p1")
    after["child"]["birth_date"] = "2016-05-05"
    inbox.agency.put(after)
    assert "arrived_fields" not in inbox.agency.stored(number).kept


def test_an_entry_of_a_list_is_added_to_it(inbox: Inbox) -> None:
    item, number = matched(inbox)
    before = case_file(inbox, number)
    path = next(p for p in proposals(inbox, item) if p.startswith("child/identifiers/+"))
    say(inbox, verb.adopt, item, {"paths": [path]})
    after = case_file(inbox, number)["child"]["identifiers"]
    assert [each["value"] for each in after if each not in before["child"].get("identifiers", [])] == ["0001-222"]


def test_adopting_all_and_comparing_again_proposes_nothing(inbox: Inbox) -> None:
    item, _ = matched(inbox, HOSPITAL, MOTHER, REFERRAL, GOAL)
    assert say(inbox, verb.adopt, item, {"all": True}).state == "settled"
    assert proposals(inbox, item) == {}
    assert say(inbox, verb.adopt, item, {"all": True}).changed is False


def test_what_breaks_the_case_is_refused_whole(inbox: Inbox) -> None:
    """A team without the people in it: every problem is told, and nothing is changed."""
    team = {"resourceType": "CareTeam", "id": "t1", "subject": {"reference": "Patient/p1"}, "status": "active",
            "participant": [{"member": {"reference": "RelatedPerson/m1"}, "role": [{"text": "parent"}]}]}  # fmt: skip
    item, number = matched(inbox, MOTHER, team)
    before = inbox.agency.stored(number)
    path = next(p for p in proposals(inbox, item) if p.startswith("care_teams/"))
    (needed,) = proposals(inbox, item)[path]["needs"]
    with pytest.raises(Refused) as refused:
        say(inbox, verb.adopt, item, {"paths": [path]})
    assert refused.value.problems
    assert inbox.agency.stored(number) == before
    say(inbox, verb.adopt, item, {"paths": [path, needed]})
    assert len(case_file(inbox, number)["care_teams"]) == 1


def test_a_path_that_is_not_proposed_is_refused(inbox: Inbox) -> None:
    item, _ = matched(inbox, GOAL)
    with pytest.raises(Refused):
        say(inbox, verb.adopt, item, {"paths": ["goals/nobody"]})


def test_what_is_dismissed_stays_away_until_the_partner_says_something_else(inbox: Inbox) -> None:
    item, number = matched(inbox, GOAL)
    before = case_file(inbox, number)
    path = goal_path(inbox, item)
    assert say(inbox, verb.dismiss, item, {"all": True, "reason": "we know"}).state == "settled"
    assert proposals(inbox, item)[path]["decided"] == "dismissed"
    assert case_file(inbox, number) == before
    inbox.put({**GOAL, "description": {"text": "Walk home alone"}})
    assert proposals(inbox, item)[path]["decided"] == ""
    assert the_item(inbox)["state"] == "waiting"


def test_nothing_is_adopted_before_the_item_is_of_a_case(inbox: Inbox) -> None:
    inbox.put(PATIENT, GOAL)
    with pytest.raises(Conflict):
        say(inbox, verb.adopt, items(inbox)[0]["id"], {"all": True})


def test_a_match_is_undone_until_something_is_adopted(inbox: Inbox) -> None:
    item, number = matched(inbox, GOAL)
    assert say(inbox, verb.match, item, {"case": None}).case is None
    assert say(inbox, verb.match, item, {"case": None}).changed is False
    say(inbox, verb.match, item, {"case": number})
    say(inbox, verb.adopt, item, {"paths": [goal_path(inbox, item)]})
    with pytest.raises(Conflict):
        say(inbox, verb.match, item, {"case": None})


def test_a_shared_identifier_matches_by_itself_and_a_name_never_does(inbox: Inbox) -> None:
    case = case_of("minimal")
    case["child"] = {
        "name": {"given": ["Ada"], "family": "Okoye"}, "birth_date": "2016-05-04",
        "identifiers": [{"system": "https://health.example/cards", "value": "0001-222", "type": "health-card"}],
    }  # fmt: skip
    inbox.agency.put(case)
    inbox.trust("riverside", "https://health.example/cards")
    inbox.put(PATIENT)
    inbox.put({**PATIENT, "id": "p2", "identifier": [{"value": "a"}]})
    inbox.put({**PATIENT, "id": "p3", "birthDate": "2015-05-04"})
    by_identifier, by_name, another = (verb.show(inbox.desk, each["id"]) for each in items(inbox))
    assert (by_identifier["case"], by_identifier["matched"]["how"]) == (case["case"], "identifier")
    assert (by_name["case"], by_name["candidates"]) == (None, [{"case": case["case"], "by": "name", "sure": False}])
    assert (another["case"], another["candidates"]) == (
        None, [{"case": case["case"], "by": "identifier", "sure": False}]
    ), "another birth date speaks against it"  # fmt: skip


def test_an_identifier_of_a_system_that_is_not_agreed_on_is_shown_and_matches_nobody(inbox: Inbox) -> None:
    case = case_of("minimal")
    case["child"]["identifiers"] = [{"system": "https://health.example/cards", "value": "0001-222", "type": "other"}]
    inbox.agency.put(case)
    inbox.put(PATIENT)
    found = the_item(inbox)
    assert (found["case"], [(c["case"], c["by"]) for c in found["candidates"]]) == (
        None, [(case["case"], "identifier")]
    )  # fmt: skip


def test_a_match_that_was_undone_is_not_made_again_without_a_person(inbox: Inbox) -> None:
    case = case_of("minimal")
    case["child"]["identifiers"] = [{"system": "https://health.example/cards", "value": "0001-222", "type": "other"}]
    case["child"].pop("birth_date", None)
    inbox.agency.put(case)
    inbox.trust("riverside", "https://health.example/cards")
    inbox.put(PATIENT)
    found = the_item(inbox)
    assert found["case"] == case["case"]
    say(inbox, verb.match, found["id"], {"case": None})
    inbox.put(PATIENT, GOAL)
    assert the_item(inbox)["case"] is None


def test_a_case_system_matches_by_shared_identifiers_only(inbox: Inbox) -> None:
    inbox.agency.put(case_of("minimal"))
    inbox.put(PATIENT)
    with pytest.raises(Forbidden):
        say(inbox, verb.match, items(inbox)[0]["id"], {"case": case_of("minimal")["case"]}, role="source")


def test_what_of_theirs_is_a_record_of_ours_is_compared_with_it(inbox: Inbox) -> None:
    item, number = matched(inbox, MOTHER)
    case = case_file(inbox, number)
    mother = next(f"people/{each['id']}" for each in case["people"])
    say(inbox, verb.match, item, {"case": number, "pairs": {"RelatedPerson/m1": mother}})
    assert any(path.startswith(f"{mother}/name") for path in proposals(inbox, item))
    say(inbox, verb.adopt, item, {"paths": [mother]})
    after = case_file(inbox, number)
    assert len(after["people"]) == len(case["people"])
    assert after["people"][0]["name"]["given"] == ["Chidi"]
    with pytest.raises(Refused):
        say(inbox, verb.match, item, {"case": number, "pairs": {"RelatedPerson/m1": "goals/g1"}})


def test_of_two_who_decide_on_one_version_the_second_is_told(inbox: Inbox) -> None:
    item, _ = matched(inbox, GOAL)
    version = verb.show(inbox.desk, item)["version"]
    say(inbox, verb.dismiss, item, {"all": True, "reason": "no"}, version=version)
    with pytest.raises(PreconditionFailed):
        say(inbox, verb.adopt, item, {"all": True}, version=version)


def test_what_is_taken_back_at_the_partner_stays_here_and_is_shown(inbox: Inbox) -> None:
    item, number = matched(inbox, GOAL)
    path = goal_path(inbox, item)
    say(inbox, verb.adopt, item, {"all": True})
    inbox.delete("Goal/g1")
    found = verb.show(inbox.desk, item)
    assert ([each["path"] for each in found["others"]], found["state"]) == ([f"gone/{path}"], "waiting")
    assert any(f"goals/{each['id']}" == path for each in case_file(inbox, number)["goals"])
    assert say(inbox, verb.dismiss, item, {"all": True, "reason": "it goes on here"}).state == "settled"


def test_a_put_without_what_was_adopted_loses_nothing(inbox: Inbox) -> None:
    """A case system that did not know puts its case whole: what was adopted waits again."""
    item, number = matched(inbox, GOAL)
    before = case_file(inbox, number)
    path = goal_path(inbox, item)
    assert say(inbox, verb.adopt, item, {"all": True}).state == "settled"
    inbox.agency.put(before)
    assert verb.show(inbox.desk, item)["state"] == "waiting"
    assert path in proposals(inbox, item)
    say(inbox, verb.adopt, item, {"all": True})
    assert any(f"goals/{each['id']}" == path for each in case_file(inbox, number)["goals"])


def test_what_the_agency_then_puts_stays_and_is_shown_beside(inbox: Inbox) -> None:
    item, number = matched(inbox, GOAL)
    path = goal_path(inbox, item)
    say(inbox, verb.adopt, item, {"all": True})
    case = copy.deepcopy(case_file(inbox, number))
    next(each for each in case["goals"] if f"goals/{each['id']}" == path)["title"] = "Walk to school, with a friend"
    inbox.agency.put(case)
    found = verb.show(inbox.desk, item)
    assert found["state"] == "waiting", "theirs and ours say something else now"
    assert proposals(inbox, item)[f"{path}/title"]["kind"] == "differs"


def test_an_item_that_is_not_there_is_not_found(inbox: Inbox) -> None:
    for do in (verb.match, verb.adopt):
        with pytest.raises(NotFound):
            say(inbox, do, "0" * 32, {"case": "x"} if do is verb.match else {"all": True})


def test_how_far_an_inward_referral_is_is_ours_to_say_and_that_it_is_taken_back_its_sender_s(inbox: Inbox) -> None:
    inbox.put(PATIENT, HOSPITAL, REFERRAL)
    item = items(inbox)[0]["id"]
    say(inbox, verb.open_case, item, {"case": "N-1", "program": "ontario-csp"})
    case = case_file(inbox, "N-1")
    path = f"referrals/{case['referrals'][0]['id']}"
    case["referrals"][0] |= {"status": "accepted"}
    inbox.agency.put(case)
    assert f"{path}/status" not in proposals(inbox, item)
    inbox.put({**REFERRAL, "status": "revoked"})
    assert proposals(inbox, item)[f"{path}/status"]["theirs"] == "cancelled"


def test_an_answer_to_our_own_referral_is_no_matter_of_the_inbox(inbox: Inbox) -> None:
    """It is heard; here it would be one more thing to decide."""
    from adapter import answers
    from adapter.core.referral.course import Course
    from adapter.store import referrals

    item, number = matched(inbox)
    names = answers.names_at(inbox.desk.bench.identity("riverside"), number, "referrals/r1")
    with inbox.desk.store.writing() as tx:
        stored = inbox.agency.stored(number)
        referrals.ensure(tx, stored.id, "riverside", names, "referrals/r1", Course(), now=inbox.agency.clock.now)
    task = {
        "resourceType": "Task", "id": "a1", "status": "accepted", "intent": "order",
        "identifier": [{"system": names.system, "value": names.value}],
    }  # fmt: skip
    before = items(inbox)
    inbox.put(task, {**task, "id": "a2", "for": {"reference": "Patient/p1"}})
    assert [each["id"] for each in items(inbox)] == [each["id"] for each in before]
    assert {each["resource"] for each in verb.show(inbox.desk, item)["resources"]} == {"Patient/p1"}


def test_a_record_that_lacks_something_is_completed_by_a_person(inbox: Inbox) -> None:
    """A plan of a state that tells nothing: it waits, is not among all, and is refused until it is whole."""
    plan = {"resourceType": "CarePlan", "id": "c1", "status": "unknown", "intent": "plan", "title": "Our plan",
            "subject": {"reference": "Patient/p1"}}  # fmt: skip
    item, number = matched(inbox, plan)
    (path,) = [p for p, each in proposals(inbox, item).items() if each["kind"] == "incomplete"]
    say(inbox, verb.adopt, item, {"all": True})
    assert "care_plans" not in case_file(inbox, number)
    with pytest.raises(Refused):
        say(inbox, verb.adopt, item, {"paths": [path]})
    with pytest.raises(Refused):
        say(inbox, verb.adopt, item, {"paths": [path], "with": {"goals/g1": {"title": "x"}}})
    say(inbox, verb.adopt, item, {"paths": [path], "with": {path: {"status": "active"}}})
    assert [(each["title"], each["status"]) for each in case_file(inbox, number)["care_plans"]] == [
        ("Our plan", "active")
    ]
    assert set(inbox.agency.stored(number).kept["arrived"][path]["fields"]) == {"title"}, (
        "the state is the person's word"
    )


def test_nothing_of_another_case_is_in_an_item(inbox: Inbox) -> None:
    """Two children of one partner, each of a case of its own: neither item holds anything of the other's case."""
    items_, numbers = [], ("A-1", "B-1")
    for number in numbers:
        case = case_of("minimal") | {"case": number}
        case["child"]["name"]["family"] = f"MARK{number}"
        case["goals"][0]["title"] = f"MARK{number} goal"
        inbox.agency.put(case)
        child = {**PATIENT, "id": f"p-{number}"}
        inbox.put(HOSPITAL, child, {**GOAL, "id": f"g-{number}", "subject": {"reference": f"Patient/p-{number}"},
                                    "expressedBy": {"reference": f"Patient/p-{number}"}})  # fmt: skip
    for row in items(inbox):
        if row["of"] == "child":
            items_.append(row["id"])
    for item, number in zip(items_, numbers, strict=True):
        say(inbox, verb.match, item, {"case": number})
    for item, number, other in zip(items_, numbers, numbers[::-1], strict=True):
        told = strict_json.dump(verb.show(inbox.desk, item)).decode()
        assert f"MARK{number}" in told and f"MARK{other}" not in told and f"g-{other}" not in told
        say(inbox, verb.adopt, item, {"all": True})
    assert not any(f"{other}" in strict_json.dump(case_file(inbox, number)).decode()
                   for number, other in zip(numbers, numbers[::-1], strict=True))  # fmt: skip


def test_a_patient_that_becomes_another_child_is_adopted_into_no_case(inbox: Inbox) -> None:
    """The id was used again, or the wrong record changed: a person looks, before anything of it is taken over."""
    card = "https://health.example/cards"
    case = case_of("minimal")
    case["child"] |= {
        "birth_date": "2016-05-04",
        "identifiers": [{"system": card, "value": "0001-222", "type": "other"}],
    }
    inbox.trust("riverside", card)
    inbox.agency.put(case)
    inbox.put(PATIENT, GOAL)
    item = the_item(inbox)
    assert (item["case"], item["doubt"]) == (case["case"], False)
    for changed in ({"birthDate": "2011-01-01"}, {"identifier": [{"system": card, "value": "0009-999"}]}):
        inbox.put({**PATIENT, **changed})
        found = the_item(inbox)
        assert (found["doubt"], found["state"], found["case"]) == (True, "waiting", case["case"])
        with pytest.raises(Conflict):
            say(inbox, verb.adopt, item["id"], {"all": True})
    with pytest.raises(Forbidden):
        say(inbox, verb.match, item["id"], {"case": case["case"]}, role="source")
    say(inbox, verb.match, item["id"], {"case": case["case"]})
    assert the_item(inbox)["doubt"] is False, "a person has looked"
    assert say(inbox, verb.adopt, item["id"], {"paths": [goal_path(inbox, item["id"])]}).changed


DIRECTION = "https://csp-adapter.example/StructureDefinition/csp-referral-direction"
AGENCY = {
    "resourceType": "Organization", "id": "us", "name": "Maple Valley",
    "identifier": [{"system": "https://registry.example.ca/organizations", "value": "INVENTED-ORG-0001"}],
    "type": [{"coding": [{"system": "https://csp-adapter.example/CodeSystem/sector", "code": "coordination"}]}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "to", "kind"),
    [
        pytest.param(None, None, "in", id="of a system that names nobody: it is for whoever got it"),
        pytest.param(None, "us", "in", id="to us"),
        pytest.param("out", "us", "in", id="of an adapter, to us"),
        pytest.param("out", "h1", None, id="of an adapter, to a third"),
        pytest.param("in", None, None, id="that has come in at an adapter itself"),
        pytest.param(None, "h1", None, id="of another system, to a third"),
    ],
)
def test_only_what_is_asked_of_us_comes_in(inbox: Inbox, said: str | None, to: str | None, kind: str | None) -> None:
    """Who adopted another's referral as it is would answer it, or send it, in their place."""
    request = dict(REFERRAL)
    if said:
        request["extension"] = [{"url": DIRECTION, "valueCode": said}]
    if to:
        request["performer"] = [{"reference": f"Organization/{to}"}]
    inbox.put(PATIENT, HOSPITAL, AGENCY, request)
    (item,) = [each["id"] for each in items(inbox) if each["of"] == "child"]
    (found,) = [each for path, each in proposals(inbox, item).items() if path.startswith("referrals/")]
    assert (found["kind"], found["theirs"].get("direction")) == ("record" if kind else "incomplete", kind)


def test_a_referral_between_others_is_in_no_case_that_is_opened_or_adopted_whole(inbox: Inbox) -> None:
    inbox.put(PATIENT, HOSPITAL, {**REFERRAL, "performer": [{"reference": "Organization/h1"}]})
    item = items(inbox)[0]["id"]
    say(inbox, verb.open_case, item, {"case": "N-1", "program": "wraparound"})
    say(inbox, verb.adopt, item, {"all": True})
    assert "referrals" not in case_file(inbox, "N-1")
    assert inbox.agency.stored("N-1").kept["arrived"].keys().isdisjoint(proposals(inbox, item))
