"""Partners' subscriptions at our /fhir: told are ids of what may be read, in order, at least once; what is withheld
makes no sound when it changes."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from adapter import receive
from adapter.core.fhir import models
from adapter.core.fhir.transaction import ALONE, Step
from adapter.core.partner import Release, Trust
from adapter.core.subscriptions import words
from adapter.core.subscriptions.notices import Notice, counted, read
from adapter.notify import ATTEMPTS, MOST
from adapter.receive.world import World
from adapter.store import tokens
from tests.core.subscriptions.test_theirs import R4, R5
from tests.outward.authority import Authority
from tests.outward.fault_server import Answer, CutAfter, FaultServer, page
from tests.verbs.agency import Agency, case_of, client_of, revoked
from tests.verbs.conftest import Open

NUMBER = "C-2210"
BASE = "http://localhost/fhir"
SHOWN, HIDDEN_GOAL = "g-shown", "g-hidden"


class Endpoint:
    """A partner's endpoint: what it was told, and how it answers."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.status = 200

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Any:
        if self.status < 300:
            self.told.append(json.loads(body))
            self.headers.append(headers)
        return self.status, {}, b""

    def notices(self) -> list[Notice]:
        return [read(each) for each in self.told]

    def numbers(self) -> list[str]:
        return [n for each in self.told for n, _ in events(each)]

    def focused(self) -> list[str]:
        return [focus.removeprefix(f"{BASE}/") for each in self.told for _, focus in events(each) if focus]


def events(bundle: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(number, focus) of each event of a notification in R4."""
    found = []
    for each in bundle["entry"][0]["resource"]["parameter"]:
        if each["name"] == "notification-event":
            parts = {part["name"]: part for part in each["part"]}
            focus = parts.get("focus", {}).get("valueReference", {}).get("reference", "")
            found.append((parts["event-number"]["valueString"], focus))
    return found


class Scene:
    """An agency whose partner, the school, reads its view here, and has an endpoint of its own."""

    def __init__(self, agency: Agency, hook: FaultServer) -> None:
        self.agency, self.hook = agency, hook
        self.hook.fhir = Endpoint()  # type: ignore[assignment]
        with agency.desk.store.writing() as tx:
            self.token = tokens.new(tx, role="partner", partner="lakeside", now=agency.clock.now)
            self.other = tokens.new(tx, role="partner", partner="riverside", now=agency.clock.now)
        self.client: FlaskClient = client_of(agency.desk)

    @property
    def endpoint(self) -> Endpoint:
        found = self.hook.fhir
        assert isinstance(found, Endpoint)
        return found

    def ask(self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(
            f"/fhir/{path}", method=method, json=body,
            headers={"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/fhir+json", **sent},
        )  # fmt: skip

    def subscription(self, topic: str = words.READABLE, **channel: Any) -> dict[str, Any]:
        made = copy.deepcopy(R4)
        made.pop("_criteria")
        made["criteria"] = topic
        made["channel"] |= {"endpoint": f"http://127.0.0.1:{self.hook.port}/in", "extension": [], **channel}
        made["channel"] = {name: value for name, value in made["channel"].items() if value != []}
        return made

    def subscribed(self, topic: str = words.READABLE, **channel: Any) -> str:
        answer = self.ask("POST", "Subscription", self.subscription(topic, **channel))
        assert answer.status_code == 201, answer.json
        assert answer.json["status"] == "requested"
        self.agency.work()
        id_: str = answer.json["id"]
        assert self.ask("GET", f"Subscription/{id_}").json["status"] == "active"
        self.endpoint.told.clear()
        return id_

    def write(self, task: str, status: str, who: str = "lakeside") -> None:
        """Someone on our side moves a Task in this partner's world."""
        world = World(who, BASE, self.agency.clock.now)
        body = {
            "resourceType": "Task", "id": task, "status": status, "intent": "order",
            "identifier": [{"system": "https://a.example", "value": task}],
        }  # fmt: skip
        receive.interact(self.agency.desk.store, world, Step(ALONE, "PUT", "Task", task), json.dumps(body).encode())

    def pass_on(self, **time_: float) -> None:
        self.agency.clock.pass_(**time_)
        self.agency.work()


def goals(**titles: str) -> dict[str, Any]:
    """A case with two goals, of which the school may see one."""
    made = case_of("minimal")
    made["case"] = NUMBER
    [goal] = made["goals"][:1]
    made["goals"] = [{**copy.deepcopy(goal), "id": id_, "title": title, "rank": n} for n, (id_, title) in enumerate(
        {SHOWN: "Read a whole book", HIDDEN_GOAL: "Sleep through the night", **titles}.items(), 1)]  # fmt: skip
    permit = made["consents"][0]["provisions"][0]
    permit["to"], permit["parts"] = ["partners/lakeside"], ["identity", "goals"]
    permit["purposes"] = ["education-planning", "care-coordination"]
    made["goals"][1]["topics"] = ["mental-health"]
    return made


@pytest.fixture
def scene(open_agency: Open) -> Any:
    with FaultServer() as hook:
        yield opened(open_agency, hook)


def opened(open_agency: Open, hook: FaultServer, trust: str = "") -> Scene:
    agency = open_agency(each={"base_url": "", "reads": True})
    desk = agency.desk
    told = {"base_url": "", "endpoints": (hook.base_url.removesuffix("/fhir"),), "reads": True}
    partners = {
        name: replace(desk.catalogue.partners[name], trust=Trust("ca.pem" if trust else "", trust), **told)
        for name in ("lakeside", "riverside")
    }
    known = {name: desk.bench.rulebook.partners[name] for name in partners}
    agency.desk = replace(
        desk,
        catalogue=replace(desk.catalogue, partners=partners),
        bench=replace(desk.bench, rulebook=replace(desk.bench.rulebook, partners=known)),
    )
    return Scene(agency, hook)


@pytest.mark.parametrize("trusted", [True, False])
def test_an_endpoint_is_known_by_its_partners_own_authority(open_agency: Open, tmp_path: Path, trusted: bool) -> None:
    authority = Authority(tmp_path)
    with FaultServer(authority.server()) as hook:
        scene = opened(open_agency, hook, authority.file.read_text() if trusted else "")
        made = scene.subscription(words.TASKS, endpoint=f"{hook.base_url}/in")
        id_ = scene.ask("POST", "Subscription", made).json["id"]
        scene.agency.work()
        assert scene.ask("GET", f"Subscription/{id_}").json["status"] == ("active" if trusted else "error")
        assert len(scene.endpoint.told) == trusted


def test_it_is_greeted_before_it_is_active_and_told_of_each_change_once(scene: Scene) -> None:
    id_ = scene.ask("POST", "Subscription", scene.subscription(words.TASKS)).json["id"]
    scene.write("t1", "requested")
    scene.agency.work()
    assert [n.kind for n in scene.endpoint.notices()] == ["handshake", "event-notification"]
    assert scene.endpoint.headers[0]["authorization"] == "Bearer s3"
    assert scene.endpoint.headers[0]["content-type"] == "application/fhir+json"
    scene.write("t1", "accepted")
    scene.write("t2", "requested")
    scene.agency.work()
    scene.pass_on(hours=5)
    assert scene.endpoint.numbers() == ["1", "2", "3"]
    assert scene.endpoint.focused() == ["Task/t1", "Task/t1", "Task/t2"]
    told = scene.endpoint.told[-1]
    assert told["type"] == "history"
    assert told["entry"][0]["request"]["url"] == f"{BASE}/Subscription/{id_}/$status"
    assert all("resource" not in entry for entry in told["entry"][1:])
    for bundle in scene.endpoint.told:
        assert models.problems(bundle) == []


@pytest.mark.servers
def test_what_it_may_read_has_changed(scene: Scene) -> None:
    """Each resource that comes into its view, changes in it or leaves it; and each that is named can be read."""
    scene.subscribed()
    scene.agency.put(goals())
    scene.agency.work()
    first = scene.endpoint.focused()
    assert len(first) == len(set(first)) > 2
    assert all(scene.ask("GET", place).status_code == 200 for place in first)
    scene.endpoint.told.clear()
    scene.agency.put(goals(**{SHOWN: "Read a whole library"}))
    scene.agency.work()
    [changed] = scene.endpoint.focused()
    assert changed.startswith("Goal/")
    text = json.dumps(scene.endpoint.told)
    assert "library" not in text
    assert NUMBER not in text


def test_a_withheld_change_makes_no_sound(scene: Scene) -> None:
    """Not an event, not a number, not a request: nor when it comes together with others that are seen."""
    id_ = scene.subscribed()
    scene.agency.put(goals())
    scene.agency.work()
    before, asked = len(scene.endpoint.numbers()), len(scene.hook.seen)
    for title in ("Sleep at all", "Sleep well", "Sleep"):
        scene.agency.put(goals(**{HIDDEN_GOAL: title}))
        scene.pass_on(minutes=10)
    assert len(scene.hook.seen) == asked
    standing = scene.ask("GET", f"Subscription/{id_}/$status").json["entry"][0]["resource"]
    number = {p["name"]: p for p in standing["parameter"]}["events-since-subscription-start"]["valueString"]
    assert number == str(before)
    scene.agency.put(goals(**{SHOWN: "Write a book", HIDDEN_GOAL: "Dream"}))
    scene.agency.work()
    assert len(scene.endpoint.numbers()) == before + 1


def test_ids_of_what_may_no_longer_be_read_are_not_told(scene: Scene) -> None:
    """What happened while its endpoint was away is told by number alone, where consent has ended meanwhile."""
    scene.subscribed()
    scene.endpoint.status = 503
    made = goals()
    scene.agency.put(made)
    scene.agency.work()
    scene.agency.put(revoked(made))
    scene.agency.work()
    scene.endpoint.status = 200
    scene.pass_on(minutes=20)
    assert len(scene.endpoint.numbers()) > 4
    assert all(scene.ask("GET", place).status_code == 200 for place in scene.endpoint.focused())
    assert not [place for place in scene.endpoint.focused() if place.startswith("Goal/")]


@pytest.mark.servers
def test_empty_says_no_more_than_that_something_has(scene: Scene) -> None:
    content = {"extension": [{"url": words.CONTENT, "valueCode": "empty"}]}
    scene.subscribed(_payload=content)
    scene.agency.put(goals())
    scene.agency.work()
    assert scene.endpoint.numbers()
    assert scene.endpoint.focused() == []
    for bundle in scene.endpoint.told:
        assert len(bundle["entry"]) == 1
        assert words.READABLE not in json.dumps(bundle)
    assert [line for line in scene.agency.account(NUMBER) if line.operation == "notify"] == []


def test_ids_that_were_never_told_are_in_the_account_before_they_leave(scene: Scene) -> None:
    """Once: to be told of the same again tells nothing, and what is read has its own line."""
    scene.subscribed()
    scene.endpoint.status = 503
    scene.agency.put(goals())
    scene.agency.work()
    lines = [line for line in scene.agency.account(NUMBER) if line.operation == "notify"]
    assert len({line.urn for line in lines}) == len(lines) > 2
    assert {(line.partner, line.kind) for line in lines} == {("lakeside", "delivered")}
    assert any("goals" in line.parts for line in lines)
    scene.endpoint.status = 200
    scene.pass_on(minutes=20)
    assert len(scene.endpoint.focused()) == len(lines)
    assert len([line for line in scene.agency.account(NUMBER) if line.operation == "notify"]) == len(lines)
    place = next(place for place in scene.endpoint.focused() if place.startswith("Goal/"))
    scene.ask("GET", place)
    assert [line.resource_type for line in scene.agency.account(NUMBER) if line.operation == "read"] == ["Goal"]
    scene.agency.put(goals(**{SHOWN: "Read a whole library"}))
    scene.agency.work()
    assert scene.endpoint.focused()[-1] == place
    assert len([line for line in scene.agency.account(NUMBER) if line.operation == "notify"]) == len(lines)


def texts(value: Any) -> list[str]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value] if isinstance(value, str) else [text for each in inner for text in texts(each)]


def test_no_word_of_a_case_stands_in_what_is_told(scene: Scene) -> None:
    """Of a whole case, permitted or not: not in a body, an address or a header, nor in what is asked for."""
    id_ = scene.subscribed()
    made = case_of("ontario-csp")
    scene.agency.put(made)
    scene.agency.work()
    assert len(scene.endpoint.focused()) > 5
    told = [f"{seen.path} {dict(seen.headers)} {seen.body.decode()}" for seen in scene.hook.seen]
    told += [scene.ask("GET", f"Subscription/{id_}/{what}").text for what in ("$events", "$status", "")]
    # The state of a subscription, and how a request is encoded.
    words_ = {text for text in texts(made) if len(text) > 7} - {"requested", "identity"}
    assert len(words_) > 100
    assert [word for word in words_ if any(word in each for each in told)] == []


@pytest.mark.servers
def test_ids_that_are_asked_for_by_their_numbers_are_in_the_account_too(scene: Scene) -> None:
    """Its endpoint was told nothing: whoever then asks is told as much, and the account says so."""
    id_ = scene.ask("POST", "Subscription", scene.subscription()).json["id"]
    scene.agency.put(goals())
    scene.endpoint.status = 500
    scene.agency.work()
    assert [line for line in scene.agency.account(NUMBER) if line.operation == "notify"] == []
    told = [focus for _, focus in events(scene.ask("GET", f"Subscription/{id_}/$events").json) if focus]
    assert told
    lines = [line for line in scene.agency.account(NUMBER) if line.operation == "notify"]
    assert len(lines) == len(set(told))


@pytest.mark.servers
def test_what_is_not_taken_is_told_again_in_order(scene: Scene) -> None:
    scene.subscribed(words.TASKS)
    scene.hook.plan(page(502), CutAfter(), Answer(429), None)
    for number in range(1, 5):
        scene.write(f"t{number}", "requested")
        scene.agency.work()
        scene.pass_on(seconds=1)
    for _ in range(8):
        scene.pass_on(seconds=30)
    told = list(dict.fromkeys(scene.endpoint.numbers()))
    assert told == ["1", "2", "3", "4"]
    seen = 0
    for notice in scene.endpoint.notices():
        seen, found = counted(seen, notice)
        assert found in ("next", "again", "restarted")


def test_one_that_takes_nothing_is_in_error_and_goes_on_where_it_was_when_it_is_asked_for_again(scene: Scene) -> None:
    id_ = scene.subscribed(words.TASKS)
    scene.endpoint.status = 500
    scene.write("t1", "requested")
    for _ in range(ATTEMPTS + 2):
        scene.pass_on(hours=1)
    there = scene.ask("GET", f"Subscription/{id_}").json
    assert (there["status"], there["error"]) == ("error", "HTTP 500")
    tries = len(scene.hook.seen)
    scene.write("t2", "requested")
    scene.pass_on(hours=10)
    assert len(scene.hook.seen) == tries, "it is told nothing more"
    found = scene.ask("GET", f"Subscription/{id_}/$events").json
    assert [n for n, _ in events(found)] == ["1", "2"]
    scene.endpoint.status = 200
    again = scene.ask("PUT", f"Subscription/{id_}", {**there, "status": "requested"})
    assert again.status_code == 200
    scene.agency.work()
    assert [n.kind for n in scene.endpoint.notices()] == ["handshake", "event-notification"]
    assert scene.endpoint.headers[-1]["authorization"] == "Bearer s3", "what could not be read was not lost"
    assert scene.endpoint.numbers() == ["1", "2"]


@pytest.mark.servers
def test_one_that_does_not_take_the_greeting_is_in_error(scene: Scene) -> None:
    scene.endpoint.status = 404
    id_ = scene.ask("POST", "Subscription", scene.subscription()).json["id"]
    scene.agency.work()
    assert scene.ask("GET", f"Subscription/{id_}").json["status"] == "error"


@pytest.mark.servers
def test_a_sign_of_life_is_given_where_it_is_asked_for(scene: Scene) -> None:
    beat = [{"url": words.HEARTBEAT, "valueUnsignedInt": 3600}]
    scene.subscribed(words.TASKS, extension=beat)
    scene.write("t1", "requested")
    scene.agency.work()
    for _ in range(4):
        scene.pass_on(minutes=31)
    assert [(n.kind, n.since) for n in scene.endpoint.notices()] == [
        ("event-notification", 1), ("heartbeat", 1), ("heartbeat", 1),
    ]  # fmt: skip


@pytest.mark.servers
def test_after_its_end_nothing_is_told(scene: Scene) -> None:
    id_ = scene.subscribed(words.TASKS)
    scene.pass_on(days=30)
    scene.write("t1", "requested")
    scene.pass_on(hours=1)
    assert scene.endpoint.told == []
    assert scene.ask("GET", f"Subscription/{id_}").json["status"] == "off"


def test_a_task_is_narrowed_by_what_it_is(scene: Scene) -> None:
    made = scene.subscription(words.TASKS)
    made["_criteria"] = {"extension": [{"url": words.FILTER, "valueString": "Task?status=accepted"}]}
    scene.ask("POST", "Subscription", made)
    scene.agency.work()
    scene.write("t1", "requested")
    scene.write("t1", "accepted")
    scene.agency.work()
    assert scene.endpoint.numbers() == ["1"]
    scene.ask("DELETE", "Task/t1")
    scene.agency.work()
    assert events(scene.endpoint.told[-1]) == [("2", "")], "what is gone is told by number"


def test_a_partner_is_told_of_its_own_world_and_reaches_no_other_subscription(scene: Scene) -> None:
    id_ = scene.subscribed(words.TASKS)
    scene.write("t1", "requested", who="riverside")
    scene.agency.work()
    assert scene.endpoint.told == []
    for method, path in (("GET", ""), ("GET", "/$status"), ("GET", "/$events")):
        mine = scene.ask(method, f"Subscription/{id_}{path}", token=scene.other)
        none = scene.ask(method, f"Subscription/none{path}", token=scene.other)
        assert (mine.status_code, mine.data) == (none.status_code, none.data) == (404, none.data)
    assert scene.ask("PUT", f"Subscription/{id_}", scene.subscription(), token=scene.other).status_code == 404
    assert scene.ask("DELETE", f"Subscription/{id_}", token=scene.other).status_code == 204
    assert scene.ask("GET", "Subscription", token=scene.other).json["total"] == 0
    assert scene.ask("GET", f"Subscription/{id_}").status_code == 200
    assert scene.ask("DELETE", f"Subscription/{id_}").status_code == 204
    assert scene.ask("GET", f"Subscription/{id_}").status_code == 404
    scene.write("t2", "requested")
    scene.agency.work()
    assert scene.endpoint.told == []


def test_secrets_are_shown_nowhere_and_sealed(scene: Scene) -> None:
    id_ = scene.subscribed(words.TASKS)
    found = scene.ask("GET", f"Subscription?url=http://127.0.0.1:{scene.hook.port}/in&status=active").json
    assert [entry["resource"]["id"] for entry in found["entry"]] == [id_]
    assert found["entry"][0]["resource"]["channel"]["header"] == ["Authorization: ***", "X-Way: ***"]
    assert scene.ask("GET", "Subscription?status=off").json["total"] == 0
    assert scene.ask("GET", "Subscription?colour=red").status_code == 400
    with scene.agency.desk.store.reading() as tx:
        rows = tx.connection.exec_driver_sql("SELECT * FROM subscriptions").all()
    assert "Bearer s3" not in repr(rows)


@pytest.mark.servers
def test_events_are_told_again_by_their_numbers(scene: Scene) -> None:
    id_ = scene.subscribed(words.TASKS)
    for number in range(1, 5):
        scene.write(f"t{number}", "requested")
    asked = scene.ask("GET", f"Subscription/{id_}/$events?eventsSinceNumber=2&eventsUntilNumber=3").json
    assert events(asked) == [("2", f"{BASE}/Task/t2"), ("3", f"{BASE}/Task/t3")]
    assert models.problems(asked) == []
    assert scene.ask("GET", f"Subscription/{id_}/$events?eventsSinceNumber=x").status_code == 400


def test_what_cannot_be_kept_is_refused_and_changes_nothing(scene: Scene) -> None:
    elsewhere = scene.subscription(endpoint="http://127.0.0.2:9/in")
    assert scene.ask("POST", "Subscription", elsewhere).status_code == 422
    assert scene.ask("POST", "Subscription", {"resourceType": "Patient"}).status_code == 400
    assert scene.ask("POST", "Subscription", {**scene.subscription(), "colour": "red"}).status_code == 422
    assert scene.ask("POST", "Subscription", {**scene.subscription(), "reason": "x" * 60_000}).status_code == 413
    assert scene.ask("GET", "Subscription").json["total"] == 0
    for _ in range(MOST):
        assert scene.ask("POST", "Subscription", scene.subscription(words.TASKS)).status_code == 201
    assert scene.ask("POST", "Subscription", scene.subscription(words.TASKS)).status_code == 422
    id_ = scene.ask("GET", "Subscription").json["entry"][0]["resource"]["id"]
    wrong = scene.ask("PUT", f"Subscription/{id_}", scene.subscription(), If_Match='W/"7"')
    assert wrong.status_code == 412
    assert scene.ask("GET", f"Subscription/{id_}").headers["ETag"] == 'W/"1"'


@pytest.mark.servers
def test_a_token_subscribes_to_what_it_may_read(scene: Scene) -> None:
    def lent(scopes: str) -> str:
        now = scene.agency.clock.now
        with scene.agency.desk.store.writing() as tx:
            return tokens.lend(tx, partner="lakeside", scopes=scopes, until=now.replace(year=2027), now=now)

    both = {topic: scene.subscription(topic) for topic in words.TOPICS}
    narrow, wide = lent("system/Subscription.cruds system/Task.rs"), lent("system/*.cruds")
    assert scene.ask("POST", "Subscription", both[words.TASKS], token=lent("system/Task.rs")).status_code == 403
    assert scene.ask("POST", "Subscription", both[words.TASKS], token=narrow).status_code == 201
    assert scene.ask("POST", "Subscription", both[words.READABLE], token=narrow).status_code == 403
    wider = scene.ask("POST", "Subscription", both[words.READABLE], token=wide)
    assert wider.status_code == 201
    assert scene.ask("GET", f"Subscription/{wider.json['id']}/$events", token=wide).status_code == 200
    assert scene.ask("GET", f"Subscription/{wider.json['id']}/$events", token=narrow).status_code == 403


@pytest.mark.servers
def test_an_endpoint_that_the_file_allows_no_longer_is_told_nothing(scene: Scene) -> None:
    id_ = scene.subscribed(words.TASKS)
    known = scene.agency.desk.catalogue.partners
    partners = {**known, "lakeside": replace(known["lakeside"], endpoints=())}
    scene.agency.desk = replace(scene.agency.desk, catalogue=replace(scene.agency.desk.catalogue, partners=partners))
    scene.write("t1", "requested")
    scene.agency.work()
    assert scene.endpoint.told == []
    assert scene.ask("GET", f"Subscription/{id_}").json["status"] == "error"


@pytest.mark.servers
def test_a_partner_of_r5_is_told_in_r5(scene: Scene) -> None:
    release: Release = "R5"
    known = scene.agency.desk.catalogue.partners
    partners = {**known, "lakeside": replace(known["lakeside"], release=release)}
    scene.agency.desk = replace(scene.agency.desk, catalogue=replace(scene.agency.desk.catalogue, partners=partners))
    scene.client = client_of(scene.agency.desk)
    made = {
        **R5,
        "endpoint": f"http://127.0.0.1:{scene.hook.port}/in",
        "filterBy": [{"filterParameter": "status", "value": "accepted"}],
    }
    answer = scene.ask("POST", "Subscription", made, Content_Type="application/fhir+json; fhirVersion=5.0")
    assert answer.status_code == 201, answer.json
    assert answer.json["parameter"][0]["value"] == "***"
    scene.agency.work()
    scene.write("t1", "accepted")
    scene.agency.work()
    assert [bundle["type"] for bundle in scene.endpoint.told] == ["subscription-notification"] * 2
    assert [(n.kind, n.since, n.tasks) for n in scene.endpoint.notices()] == [
        ("handshake", 0, ()), ("event-notification", 1, ("t1",)),
    ]  # fmt: skip
    for bundle in scene.endpoint.told:
        assert models.problems(bundle["entry"][0]["resource"], release="R5") == []


@pytest.mark.servers
def test_secrets_are_hidden_also_where_the_file_names_another_release_since(scene: Scene) -> None:
    id_ = scene.subscribed(words.TASKS)
    known = scene.agency.desk.catalogue.partners
    release: Release = "R5"
    partners = {**known, "lakeside": replace(known["lakeside"], release=release)}
    scene.agency.desk = replace(scene.agency.desk, catalogue=replace(scene.agency.desk.catalogue, partners=partners))
    scene.client = client_of(scene.agency.desk)
    for path in (f"Subscription/{id_}", "Subscription", f"Subscription/{id_}/$status"):
        answer = scene.ask("GET", path)
        assert answer.status_code == 200
        assert "s3" not in answer.text
    scene.write("t1", "requested")
    scene.agency.work()
    assert scene.endpoint.told == [], "it is asked for again, in the new release"


@pytest.mark.servers
def test_the_statement_tells_of_the_topics(scene: Scene) -> None:
    from adapter.core.fhir.abilities import read as abilities

    told = abilities(scene.client.get("/fhir/metadata").json)
    assert told is not None
    assert set(told.topics) == set(words.TOPICS)
