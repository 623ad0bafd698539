"""Where what was adopted came from: told to the agency, kept as long as it is true, and never told to a partner."""

from __future__ import annotations

import json
from typing import Any

from adapter import consenting
from adapter import inbox as verb
from adapter.core.desired import Subject, desire
from adapter.core.fhir.models import problems
from tests.inbox.conftest import GOAL, Inbox
from tests.inbox.test_deciding import case_file, goal_path, matched, say


def told(inbox: Inbox, number: str) -> dict[str, Any]:
    found = verb.sources_of(inbox.desk, number, form="records")
    return {each["path"]: each for each in found["sources"]}


def adopted(inbox: Inbox) -> tuple[str, str]:
    """The number of a case into which a goal and a birth date were adopted, and the goal's path."""
    item, number = matched(inbox, GOAL)
    path = goal_path(inbox, item)
    say(inbox, verb.adopt, item, {"paths": [path, "child/birth_date"]})
    return number, path


def test_each_adopted_record_and_field_names_its_source(inbox: Inbox) -> None:
    number, path = adopted(inbox)
    found = told(inbox, number)
    assert set(found) == {path, "child/birth_date"}
    goal = found[path]
    assert (goal["partner"], goal["resources"], goal["version"], goal["by"]) == ("riverside", ["Goal/g1"], "1", "Ruth")
    assert "title" in goal["fields"]


def test_a_value_of_the_agency_s_own_has_no_source_any_more(inbox: Inbox) -> None:
    number, path = adopted(inbox)
    case = case_file(inbox, number)
    case["child"]["birth_date"] = "2016-06-01"
    next(each for each in case["goals"] if f"goals/{each['id']}" == path)["title"] = "Another"
    inbox.agency.put(case)
    found = told(inbox, number)
    assert set(found) == {path} and "title" not in found[path]["fields"]
    case["goals"] = [each for each in case["goals"] if f"goals/{each['id']}" != path]
    inbox.agency.put(case)
    assert told(inbox, number) == {}


def test_it_is_told_as_provenance_too(inbox: Inbox) -> None:
    number, path = adopted(inbox)
    bundle = verb.sources_of(inbox.desk, number, form="fhir")
    assert problems(bundle, release="R4") == []
    targets = {entry["resource"]["target"][0]["identifier"]["value"] for entry in bundle["entry"]}
    assert targets == {f"{number}/{path}", f"{number}/child/birth_date"}
    assert {e["resource"]["entity"][0]["what"]["reference"] for e in bundle["entry"]} == {
        "Goal/g1/_history/1", "Patient/p1/_history/1",
    }  # fmt: skip


def test_no_partner_learns_who_told_us(inbox: Inbox) -> None:
    """The same case, adopted or put by the agency: what each partner receives is the same, byte for byte."""
    number, _ = adopted(inbox)
    stored = inbox.agency.stored(number)
    now = inbox.agency.clock.now
    plain = {name: value for name, value in stored.kept.items() if not name.startswith("arrived")}
    for partner in inbox.desk.catalogue.partners:
        with_, without = (
            desire(inbox.desk.bench, Subject.of(number, stored.body, kept), partner, now).made
            for kept in (stored.kept, plain)
        )
        assert with_ == without
        assert "riverside" not in json.dumps([each.resource for each in with_], default=str).lower()


def test_what_a_partner_wrote_waits_for_a_review_before_another_partner_sees_it(inbox: Inbox) -> None:
    """Nobody here has labelled it: an ordinary title may speak of anything."""
    number, path = adopted(inbox)
    case = case_file(inbox, number)
    del case["consents"][0]["provisions"][1]["records"]
    inbox.agency.put(case)

    def seen() -> str:
        stored = inbox.agency.stored(number)
        subject = Subject.of(number, stored.body, stored.kept)
        made = desire(inbox.desk.bench, subject, "lakeside", inbox.agency.clock.now).made
        return json.dumps([each.resource for each in made], default=str)

    assert "Tie my own shoes" in seen() and "Walk to school" not in seen()
    consenting.release(inbox.desk, number, path, by="Ruth", topics=())
    assert "Walk to school" in seen()
