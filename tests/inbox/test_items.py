"""What partners sent is listed by child, and read as it stands there now."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from adapter import inbox as verb
from adapter.store.tables import case_names, inbox_items, resource_terms
from tests.inbox.conftest import BASE, GOAL, PATIENT, Inbox
from tests.verbs.agency import case_of

ORGANIZATION = {"resourceType": "Organization", "id": "o1", "name": "Somewhere"}


def items(inbox: Inbox, **asked: Any) -> list[dict[str, Any]]:
    wanted = {"partner": None, "state": None, "after": 0, "limit": 100, **asked}
    return list(verb.listed(inbox.desk, **wanted)["items"])


def the_item(inbox: Inbox, **asked: Any) -> dict[str, Any]:
    (row,) = items(inbox, **asked)
    return verb.show(inbox.desk, row["id"])


def test_each_child_of_each_partner_is_one_item(inbox: Inbox) -> None:
    inbox.put(PATIENT, GOAL)
    inbox.put(PATIENT, partner="lakeside")
    inbox.put({**PATIENT, "id": "p2"})
    assert [(each["partner"], each["of"], each["state"], each["case"]) for each in items(inbox)] == [
        ("riverside", "child", "waiting", None),
        ("lakeside", "child", "waiting", None),
        ("riverside", "child", "waiting", None),
    ]


def test_an_item_holds_what_stands_there_now(inbox: Inbox) -> None:
    inbox.put(PATIENT, GOAL)
    assert sorted(each["path"].split("/")[0] for each in the_item(inbox)["records"]) == ["child", "goals"]
    inbox.put({**GOAL, "description": {"text": "Walk home"}})
    (goal,) = [each for each in the_item(inbox)["records"] if each["path"].startswith("goals/")]
    assert goal["proposals"][0]["theirs"]["title"] == "Walk home"
    inbox.delete("Goal/g1")
    assert [each["path"] for each in the_item(inbox)["records"]] == ["child"]


def test_writing_the_same_again_says_nothing_new(inbox: Inbox) -> None:
    inbox.put(PATIENT, GOAL)
    before = the_item(inbox)["version"]
    inbox.put(PATIENT, GOAL)
    assert the_item(inbox)["version"] == before


def test_what_belongs_to_no_child_is_one_item_with_each_refusal_named(inbox: Inbox) -> None:
    inbox.put(ORGANIZATION)
    found = the_item(inbox)
    assert (found["of"], found["state"], found["records"]) == ("no child", "waiting", [])
    assert {each["resource"] for each in found["refused"]} == {"Organization/o1"}
    assert all(each["rule"] and each["element"].startswith("Organization") for each in found["refused"])


def test_what_a_child_s_resources_lead_to_is_of_the_child_and_no_longer_of_nobody(inbox: Inbox) -> None:
    inbox.put(ORGANIZATION)
    team = {
        "resourceType": "CareTeam", "id": "t1", "subject": {"reference": "Patient/p1"}, "status": "active",
        "participant": [{"member": {"reference": "Organization/o1"}}],
    }  # fmt: skip
    inbox.put(PATIENT, team)
    child, nobody = items(inbox, partner="riverside")[::-1]
    assert (nobody["of"], nobody["state"]) == ("no child", "settled")
    found = verb.show(inbox.desk, child["id"])
    assert {each["resource"] for each in found["resources"]} == {"Patient/p1", "CareTeam/t1", "Organization/o1"}


def test_nothing_of_another_child_is_in_an_item(inbox: Inbox) -> None:
    """Not its resources, though one organization belongs to both; not what names the other alone."""
    both = [
        {**GOAL, "id": f"g{n}", "subject": {"reference": f"Patient/p{n}"},
         "expressedBy": {"reference": "Organization/o1"}, "addresses": []}
        for n in (1, 2)
    ]  # fmt: skip
    for goal in both:
        del goal["addresses"], goal["expressedBy"]
        goal["note"] = [{"text": "a note", "authorReference": {"reference": "Organization/o1"}}]
    inbox.put(ORGANIZATION, PATIENT, {**PATIENT, "id": "p2"}, *both)
    for item in items(inbox):
        if item["of"] == "child":
            found = verb.show(inbox.desk, item["id"])
            names = {each["resource"] for each in found["resources"]}
            assert len(names) == 3 and "Organization/o1" in names


def test_the_list_is_paged_and_filtered(inbox: Inbox) -> None:
    for n in range(5):
        inbox.put({**PATIENT, "id": f"p{n}"})
    first = verb.listed(inbox.desk, partner="riverside", state="waiting", after=0, limit=3)
    rest = verb.listed(inbox.desk, partner="riverside", state="waiting", after=first["next"], limit=3)
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (3, 2, None)
    assert items(inbox, partner="lakeside") == [] == items(inbox, state="settled")


def test_a_changed_organization_is_told_to_the_children_that_it_belongs_to_alone(inbox: Inbox) -> None:
    team = {"resourceType": "CareTeam", "id": "t1", "subject": {"reference": "Patient/p1"}, "status": "active",
            "participant": [{"member": {"reference": "Organization/o1"}}]}  # fmt: skip
    inbox.put(ORGANIZATION, PATIENT, {**PATIENT, "id": "p2"}, team)
    before = {each["id"]: each["version"] for each in items(inbox)}
    inbox.put({**ORGANIZATION, "name": "Elsewhere"})
    changed = {each["id"] for each in items(inbox) if each["version"] != before[each["id"]]}
    shown = [verb.show(inbox.desk, id_) for id_ in changed]
    assert {"CareTeam/t1"} <= {each["resource"] for found in shown for each in found["resources"]}
    assert len([found for found in shown if found["of"] == "child"]) == 1


def test_whole_addresses_of_ours_lead_to_the_same_child_and_those_of_others_do_not(inbox: Inbox) -> None:
    """A client may write our own address before each id; another server's Patient of the same id is another child."""
    ours = {**GOAL, "subject": {"reference": f"{BASE}/Patient/p1"}}
    theirs = {**GOAL, "id": "g2", "subject": {"reference": "https://elsewhere.example/fhir/Patient/p1"}}
    inbox.put(PATIENT, ours, theirs)
    nobody, child = items(inbox)
    found = verb.show(inbox.desk, child["id"])
    assert sorted(each["path"].split("/")[0] for each in found["records"]) == ["child", "goals"]
    assert found["refused"] == []
    assert {each["resource"] for each in verb.show(inbox.desk, nobody["id"])["resources"]} == {"Goal/g2"}


def test_an_inbox_is_built_from_what_stood_there_before(inbox: Inbox) -> None:
    """As after an upgrade: no names, no items, no term of the childless. Then all is found; what was decided stays."""
    case = case_of("minimal")
    case["child"]["identifiers"] = [{"system": "https://health.example/cards", "value": "0001-222", "type": "other"}]
    case["child"].pop("birth_date", None)
    inbox.trust("riverside", "https://health.example/cards")
    inbox.agency.put(case)
    inbox.put(PATIENT, GOAL)
    inbox.put(ORGANIZATION)
    before = [(each["of"], each["case"], each["state"]) for each in items(inbox)]
    with inbox.desk.store.writing() as tx:
        for table in (inbox_items, case_names):
            tx.connection.execute(sa.delete(table))
        childless = tx.seal.index("resource_terms riverside Organization _childless", "yes")
        tx.connection.execute(sa.delete(resource_terms).where(resource_terms.c.term_index == childless))
    assert items(inbox) == []
    assert verb.rebuild(inbox.desk) == (1, 3)
    after = [(each["of"], each["case"], each["state"]) for each in items(inbox)]
    assert sorted(map(str, after)) == sorted(map(str, before))
    (item,) = [each["id"] for each in items(inbox) if each["of"] == "child"]
    verb.dismiss(inbox.desk, item, b'{"all": true, "reason": "x"}', version=None, by="Ruth")
    verb.rebuild(inbox.desk)
    assert {each["id"]: each["state"] for each in items(inbox)}[item] == "settled"
