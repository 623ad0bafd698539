"""A partner reads its view with a public FHIR library (fhirclient), over a real socket, as it would do at home."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.careplan import CarePlan
from fhirclient.models.goal import Goal
from fhirclient.models.patient import Patient
from werkzeug.serving import make_server

from adapter.store import tokens
from adapter.web.app import create_app
from tests.store.conftest import cluster, keys, place, store, upgraded_file  # noqa: F401
from tests.verbs.agency import Agency, case_of, revoked
from tests.verbs.conftest import Open, catalogue, open_agency  # noqa: F401


@pytest.fixture
def agency(open_agency: Open) -> Agency:  # noqa: F811
    found = open_agency(lakeside={"reads": True, "base_url": ""})
    found.put(case_of("ontario-csp"))
    found.put(case_of())
    return found


@pytest.fixture
def there(agency: Agency) -> Iterator[Any]:
    """The library's server, which speaks as the school."""
    with agency.desk.store.writing() as tx:
        token = tokens.new(tx, role="partner", partner="lakeside", now=agency.clock.now)
    web = make_server("127.0.0.1", 0, create_app(agency.desk), threaded=True)
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    base = f"http://127.0.0.1:{web.server_port}/fhir"
    client = FHIRClient(settings={"app_id": "school", "api_base": base})
    client.server.session.headers["Authorization"] = f"Bearer {token}"
    yield client.server
    client.server.session.close()
    web.shutdown()
    web.server_close()
    thread.join(5)


def ids(agency: Agency, type_: str) -> set[str]:
    numbers = sorted(agency.numbers)
    return {m.identifier[1] for n in numbers for m in agency.desired(n).made if m.type == type_}


def test_the_statement_is_read_and_asks_for_a_token(there: Any) -> None:
    there.get_capability()
    rest = there.capabilityStatement.rest[0]
    assert {r.type for r in rest.resource} >= {"CarePlan", "Goal", "Patient", "Task"}
    assert "CarePlan:goal" in next(r.searchInclude for r in rest.resource if r.type == "CarePlan")


def test_every_goal_is_found_page_by_page(agency: Agency, there: Any) -> None:
    search = Goal.where({"_count": "2"})
    pages = list(search.perform_iter(there))
    assert len(pages) > 2
    found = [entry.resource for page in pages for entry in page.entry]
    assert {goal.id for goal in found} == ids(agency, "Goal")
    assert len(found) == len(ids(agency, "Goal")) == pages[0].total
    assert all(goal.description.text and goal.subject.reference for goal in found)


def test_what_a_plan_refers_to_comes_along(agency: Agency, there: Any) -> None:
    (page, *_) = CarePlan.where({}).include("goal").include("subject").perform_iter(there)
    along = {entry.resource.id for entry in page.entry if entry.search.mode == "include"}
    plans = [entry.resource for entry in page.entry if entry.search.mode == "match"]
    named = {ref.reference.split("/")[1] for plan in plans for ref in [*(plan.goal or []), plan.subject]}
    assert along == named


def test_goals_come_along_with_their_child(there: Any) -> None:
    (page, *_) = Patient.where({}).include("subject", Goal, reverse=True).perform_iter(there)
    children = {entry.resource.id for entry in page.entry if entry.search.mode == "match"}
    goals = [entry.resource for entry in page.entry if entry.search.mode == "include"]
    assert len(children) == 2
    assert {goal.subject.reference.split("/")[1] for goal in goals} == children


FOUND = {
    "by id": lambda goal: {"_id": goal.id},
    "by identifier": lambda goal: {"identifier": f"{goal.identifier[0].system}|{goal.identifier[0].value}"},
    "of a patient": lambda goal: {"patient": goal.subject.reference.split("/")[1]},
    "of a subject": lambda goal: {"subject": goal.subject.reference},
    "by status": lambda goal: {"lifecycle-status": goal.lifecycleStatus},
    "since": lambda goal: {"_lastUpdated": f"ge{goal.meta.lastUpdated.isostring}"},
}


@pytest.mark.parametrize("asked", FOUND.values(), ids=FOUND)
def test_a_goal_is_found(there: Any, asked: Any) -> None:
    every = list(Goal.where({}).perform_resources_iter(there))
    goal = every[0]
    found = list(Goal.where(asked(goal)).perform_resources_iter(there))
    assert goal.id in {each.id for each in found}
    assert {each.id for each in found} <= {each.id for each in every}


def test_one_is_read_and_after_the_family_says_no_it_is_not_there(agency: Agency, there: Any) -> None:
    goal = next(iter(Goal.where({}).perform_resources_iter(there)))
    assert Goal.read(goal.id, there).as_json() == goal.as_json()
    agency.put(revoked(case_of("ontario-csp")))
    agency.put(revoked(case_of()))
    assert list(Goal.where({}).perform_resources_iter(there)) == []
    with pytest.raises(Exception, match="404"):
        Goal.read(goal.id, there)
