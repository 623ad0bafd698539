"""A partner reads its view at our /fhir: what consent allows at that moment, and each first look has its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from adapter import serve, show
from adapter.core.fhir.bundle import led
from adapter.core.fhir.models import problems
from adapter.core.fhir.references import references
from adapter.errors import Problem
from adapter.store import resources, shares, tokens
from adapter.web.app import create_app
from tests.store.conftest import cluster, keys, place, store, upgraded_file  # noqa: F401
from tests.verbs.agency import NAMES, Agency, case_of, record, revoked
from tests.verbs.conftest import Open, catalogue, open_agency  # noqa: F401

READS = {"reads": True, "base_url": ""}


@dataclass
class Reader:
    """A partner with its token at an agency's /fhir."""

    agency: Agency
    token: str
    client: Any

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.ask("GET", path, **headers)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.token}", **{n.replace("_", "-"): v for n, v in headers.items()}}
        if body is not None:
            sent["Content-Type"] = "application/fhir+json"
        data = None if body is None else json.dumps(body)
        answer: TestResponse = self.client.open(f"/fhir/{path}", method=method, headers=sent, data=data)
        return answer

    def found(self, path: str) -> list[dict[str, Any]]:
        bundle = self.get(path).get_json()
        assert bundle["type"] == "searchset", bundle
        return [e["resource"] for e in bundle.get("entry", []) if e["search"]["mode"] == "match"]


Reads = Callable[..., Reader]


@pytest.fixture
def reader(open_agency: Open) -> Reads:  # noqa: F811
    def opened(partner: str = "lakeside", **more: Any) -> Reader:
        return reader_of(open_agency(**{partner: {**READS, **more}}), partner)

    return opened


def reader_of(agency: Agency, partner: str = "lakeside") -> Reader:
    with agency.desk.store.writing() as tx:
        token = tokens.new(tx, role="partner", partner=partner, now=agency.clock.now)
    return Reader(agency, token, create_app(agency.desk).test_client())


def unstamped(resource: dict[str, Any]) -> dict[str, Any]:
    meta = {k: v for k, v in resource["meta"].items() if k not in ("versionId", "lastUpdated")}
    return {**resource, "meta": meta}


@pytest.mark.parametrize("partner", ["lakeside", "riverside"])
@pytest.mark.parametrize("name", NAMES)
def test_it_reads_exactly_what_would_have_been_pushed(reader: Reads, name: str, partner: str) -> None:
    """Also before any worker has come to it."""
    reads = reader(partner)
    case = case_of(name)
    reads.agency.put(case)
    if worked := name == "ontario-csp":
        reads.agency.work()
    made = reads.agency.desired(case["case"], partner).made
    places = {m.urn: f"{m.type}/{m.identifier[1]}" for m in made}
    for type_ in sorted({m.type for m in made} | {"Goal"}):
        wanted = {m.identifier[1]: led(m.resource, places) for m in made if m.type == type_}
        seen = {r.pop("id"): unstamped(r) for r in reads.found(f"{type_}?_count=500")}
        assert seen == wanted, type_
    assert reads.agency.seen(partner) == []
    assert reads.agency.share(case["case"], partner)["state"] == ("idle" if worked else "due")


def test_what_is_revoked_is_not_there_at_once_and_like_what_never_was(reader: Reads) -> None:
    """No worker runs in between; the same bytes, the same headers."""
    reads = reader()
    reads.agency.put(case_of())
    goal = reads.found("Goal")[0]
    assert reads.get(f"Goal/{goal['id']}").status_code == 200
    reads.agency.put(revoked(case_of()))
    gone, never = reads.get(f"Goal/{goal['id']}"), reads.get(f"Goal/{'0' * 32}")
    assert (gone.status_code, gone.data) == (never.status_code, never.data) == (404, gone.data)
    assert {k: v for k, v in gone.headers if k != "Date"} == {k: v for k, v in never.headers if k != "Date"}
    assert reads.get(f"Goal/{goal['id']}/_history/1").data == never.data
    assert reads.get("Goal").get_json()["total"] == 0
    assert reads.found(f"Goal?_id={goal['id']}") == []
    assert reads.found("Patient") == reads.found("Organization") == []


def test_a_consent_that_runs_out_ends_what_can_be_read(reader: Reads) -> None:
    reads = reader()
    reads.agency.put(case_of())
    assert reads.found("Goal")
    reads.agency.clock.now += timedelta(days=3650)
    assert reads.found("Goal") == []


def test_a_save_that_is_withheld_changes_no_version_and_no_time(reader: Reads) -> None:
    reads = reader()
    case = case_of()
    reads.agency.put(case)
    before = reads.get("Goal").data, reads.get("CarePlan").data
    reads.agency.clock.pass_(hours=1)
    case["goals"].append({**case["goals"][0], "id": "hidden", "topics": ["mental-health"], "title": "Something else"})
    reads.agency.put(case)
    assert (reads.get("Goal").data, reads.get("CarePlan").data) == before


def test_what_changes_has_a_new_version_and_time_and_the_rest_stays(reader: Reads) -> None:
    reads = reader()
    case = case_of()
    reads.agency.put(case)
    before = {r["id"]: r for r in reads.found("Goal")}
    unchanged = reads.get(f"Goal/{min(before)}")
    reads.agency.clock.pass_(hours=1)
    goal = record(case, next(m.about for m in reads.agency.desired(case["case"]).made if m.type == "Goal"))
    goal["title"] = "Other words for it"
    reads.agency.put(case)
    after = {r["id"]: r for r in reads.found("Goal")}
    changed = [i for i in after if after[i] != before[i]]
    assert [(after[i]["meta"]["versionId"], after[i]["description"]["text"]) for i in changed] == [
        ("2", "Other words for it")
    ]
    assert after[changed[0]]["meta"]["lastUpdated"] > before[changed[0]]["meta"]["lastUpdated"]
    since = before[changed[0]]["meta"]["lastUpdated"]
    assert [r["id"] for r in reads.found(f"Goal?_lastUpdated=gt{since}")] == changed
    if min(before) not in changed:
        again = reads.get(f"Goal/{min(before)}", If_None_Match=unchanged.headers["ETag"])
        assert (again.status_code, again.data) == (304, b"")
    assert reads.get(f"Goal/{changed[0]}/_history/1").status_code == 404  # what it was may be withheld by now


def test_what_was_served_before_is_kept_nowhere(reader: Reads) -> None:
    """Nobody can read an earlier version: what it told of a case does not outlast the case here."""
    reads = reader()
    case = case_of()
    reads.agency.put(case)
    goal = reads.found("Goal")[0]["id"]
    record(case, "goals/g1")["title"] = "Other words for it"
    reads.agency.put(case)
    reads.found("Goal")

    def kept() -> list[tuple[int, bool]]:
        with reads.agency.desk.store.reading() as tx:
            versions = resources.history(tx, "view/lakeside", "Goal", goal)
        return [(each.version, bool(each.body)) for each in versions]

    assert kept() == [(2, True)]
    reads.agency.delete(case["case"])
    assert reads.found("Goal") == []
    assert kept() == [(3, False)]


def test_each_first_look_has_a_line_and_the_same_look_again_has_none(reader: Reads) -> None:
    reads = reader()
    case = case_of()
    reads.agency.put(case)
    assert reads.agency.account(case["case"], "lakeside") == []
    goals = reads.found("Goal")
    lines = reads.agency.account(case["case"], "lakeside")
    assert sorted(line.about for line in lines) == sorted(
        m.about for m in reads.agency.desired(case["case"]).made if m.type == "Goal"
    )
    assert {(line.kind, line.operation, line.resource_type) for line in lines} == {("delivered", "read", "Goal")}
    assert all(line.consents and line.purpose and line.parts for line in lines)
    reads.found("Goal"), reads.get(f"Goal/{goals[0]['id']}")
    batch = {"resourceType": "Bundle", "type": "batch"}
    batch["entry"] = [{"request": {"method": "GET", "url": "Patient"}}]  # type: ignore[assignment]
    assert reads.agency.account(case["case"], "lakeside") == lines
    assert reads.ask("POST", "", batch).get_json()["entry"][0]["resource"]["total"] == 1
    assert {line.resource_type for line in reads.agency.account(case["case"], "lakeside")} == {"Goal", "Patient"}


def test_it_sees_what_it_wrote_beside_its_view_and_cannot_write_into_that(reader: Reads) -> None:
    reads = reader()
    reads.agency.put(case_of())
    (goal, *_) = goals = reads.found("Goal")
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "focus": {"reference": f"Goal/{goal['id']}"},
    }
    own = reads.ask("POST", "Task", task)
    assert own.status_code == 201, own.text
    assert own.get_json()["id"] in [t["id"] for t in reads.found("Task")]
    assert reads.ask("PUT", f"Goal/{goal['id']}", unstamped(goal)).status_code == 403
    assert reads.ask("DELETE", f"Goal/{goal['id']}").status_code == 204
    assert reads.found("Goal") == goals
    missing = {**task, "focus": {"reference": f"Goal/{'0' * 32}"}}
    assert reads.ask("POST", "Task", missing).status_code == 422
    reads.agency.put(revoked(case_of()))
    assert reads.ask("POST", "Task", task).data == reads.ask("POST", "Task", missing).data


def test_two_cases_share_the_directory_and_each_takes_away_its_own(reader: Reads) -> None:
    reads = reader()
    reads.agency.put(case_of())
    first = {r["id"] for r in reads.found("Organization")}
    other = {**case_of(), "case": "C-0002"}
    reads.agency.put(other)
    assert {r["id"] for r in reads.found("Organization")} == first
    assert len(reads.found("Patient")) == 2
    reads.agency.put(revoked(other))
    assert {r["id"] for r in reads.found("Organization")} == first
    assert len(reads.found("Patient")) == 1
    reads.agency.delete(case_of()["case"])
    assert reads.found("Organization") == reads.found("Patient") == []


@pytest.mark.parametrize("stopped_by", ["check", "last-look", "fault"])
def test_where_a_check_stops_nothing_of_the_case_is_served(
    reader: Reads, monkeypatch: pytest.MonkeyPatch, stopped_by: str
) -> None:
    reads = reader()
    reads.agency.put(case_of())
    assert reads.found("Goal")
    if stopped_by == "check":
        monkeypatch.setattr("adapter.core.desired.problems", lambda *_, **__: [Problem("/status", "no")])
    elif stopped_by == "last-look":
        monkeypatch.setattr(serve, "last_look", lambda *_, **__: "it finds something everywhere")
    else:
        monkeypatch.setattr(serve, "desire", lambda *_, **__: 1 / 0)
    reads.agency.put({**case_of(), "program": "wraparound"})
    assert reads.found("Goal") == reads.found("Patient") == []
    told = [(a["partner"], a["alarm"]) for a in show.alarms(reads.agency.desk)["alarms"] if a.get("partner")]
    assert told == [("lakeside", stopped_by)]


@pytest.mark.parametrize("more", [{"reads": False}, {"paused": True}], ids=["not to read", "paused by its file"])
def test_who_may_not_read_finds_what_it_wrote_alone(reader: Reads, more: dict[str, Any]) -> None:
    reads = reader(**more)
    reads.agency.put(case_of())
    assert reads.found("Goal") == []


def test_a_paused_partner_reads_nothing_until_it_is_resumed(reader: Reads) -> None:
    reads = reader()
    reads.agency.put(case_of())
    with reads.agency.desk.store.writing() as tx:
        shares.pause(tx, "lakeside", now=reads.agency.clock.now)
    assert reads.found("Goal") == []
    with reads.agency.desk.store.writing() as tx:
        shares.resume(tx, "lakeside", now=reads.agency.clock.now)
    assert reads.found("Goal")


def test_a_partner_may_be_sent_to_and_read_besides(open_agency: Open) -> None:  # noqa: F811
    agency = open_agency(lakeside={"reads": True})
    agency.put(case_of())
    agency.work()
    agency.assert_equal()
    assert len(reader_of(agency).found("Goal")) == len(agency.fhir().of_type("Goal")) > 0
    assert reader_of(agency, "riverside").found("Goal") == []


INCLUDED = {
    "what a plan refers to by one link": ("CarePlan?_include=CarePlan:goal", {"Goal"}),
    "by two": ("CarePlan?_include=CarePlan:goal&_include=CarePlan:subject", {"Goal", "Patient"}),
    "by any": ("Goal?_include=Goal:*", {"Patient", "Condition", "Observation", "Practitioner"}),
    "of one type of target": ("CarePlan?_include=CarePlan:*:CareTeam", {"CareTeam"}),
    "what refers to it": ("Patient?_revinclude=CarePlan:subject&_revinclude=Goal:patient", {"CarePlan", "Goal"}),
}


@pytest.mark.parametrize(("path", "types"), INCLUDED.values(), ids=INCLUDED)
def test_what_belongs_to_what_is_found_comes_along_if_it_may_be_seen(reader: Reads, path: str, types: set[str]) -> None:
    reads = reader()
    reads.agency.put(case_of("ontario-csp"))
    bundle = reads.get(path).get_json()
    along = [e["resource"] for e in bundle["entry"] if e["search"]["mode"] == "include"]
    assert {r["resourceType"] for r in along} == types
    assert len({(r["resourceType"], r["id"]) for r in along}) == len(along)
    assert bundle["total"] == sum(e["search"]["mode"] == "match" for e in bundle["entry"])
    made = {m.identifier[1] for m in reads.agency.desired("C-2031").made}
    assert {r["id"] for r in along} <= made
    told = {line.urn for line in reads.agency.account("C-2031", "lakeside")}
    assert len(told) == len(bundle["entry"])


@pytest.mark.parametrize("link", ["Goal", "Goal:title", "CarePlan:goal", "Goal:subject:Nobody", "Nothing:subject"])
def test_an_include_that_is_none_is_refused_by_name(reader: Reads, link: str) -> None:
    answer = reader().get(f"Goal?_include={link}")
    assert answer.status_code == 400
    assert "is not Type:parameter" in answer.text


def test_everything_of_a_child_is_its_whole_view(reader: Reads) -> None:
    reads = reader()
    reads.agency.put(case_of("ontario-csp"))
    reads.agency.put(case_of())
    patient = next(r for r in reads.found("Patient") if r["birthDate"] == case_of("ontario-csp")["child"]["birth_date"])
    bundle = reads.get(f"Patient/{patient['id']}/$everything").get_json()
    made = {(m.type, m.identifier[1]) for m in reads.agency.desired("C-2031").made}
    assert {(e["resource"]["resourceType"], e["resource"]["id"]) for e in bundle["entry"]} == made
    assert bundle["total"] == len(bundle["entry"]) == len(made)
    assert {line.urn for line in reads.agency.account("C-2031", "lakeside")} == {
        m.urn for m in reads.agency.desired("C-2031").made
    }
    reads.agency.put(revoked(case_of("ontario-csp")))
    gone = reads.get(f"Patient/{patient['id']}/$everything")
    assert (gone.status_code, gone.data) == (404, reads.get(f"Patient/{'0' * 32}/$everything").data)


def test_a_plan_can_be_read_as_a_document(reader: Reads) -> None:
    reads = reader()
    reads.agency.put(case_of("ontario-csp"))
    composition = reads.found("Composition")[0]
    bundle = reads.get(f"Composition/{composition['id']}/$document").get_json()
    assert problems(bundle, release="R4") == []
    first, *rest = [e["resource"] for e in bundle["entry"]]
    assert first["id"] == composition["id"]
    there = {f"{r['resourceType']}/{r['id']}" for r in (first, *rest)}
    assert {text for r in (first, *rest) for _, text in references(r)} <= there
    assert reads.get(f"Composition/{'0' * 32}/$document").status_code == 404
