"""We subscribe at a partner's server: once; what it tells is a hint; what it does not tell is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from adapter.core.fhir.models import problems
from adapter.core.partner import Referrals
from adapter.core.subscriptions import words
from adapter.store import polls, subscribed
from adapter.store.subscribed import Subscribed
from tests.core.subscriptions.test_notices import r4
from tests.outward.fault_server import CutAfter, page
from tests.verbs.agency import Agency, PartnerFhir, client_of
from tests.verbs.conftest import Open
from tests.verbs.test_answers import NUMBER, case, outcome, say, task, ways

PUBLIC = "https://csp.example.ca"
RULES = Referrals("generic", "subscription", 360.0)


class Telling(PartnerFhir):
    """The small server, which keeps Subscriptions too; `first` is the status that a new one has."""

    def __init__(self) -> None:
        super().__init__()
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.first = "active"
        self.refuses_with = 0
        self.searches = True
        self.made = 0

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Any:
        if not path.startswith("Subscription"):
            return super().handle(method, path, headers, body)
        if self.refuses_with:
            return _answer(self.refuses_with, {"resourceType": "OperationOutcome", "issue": []})
        id_ = path.partition("?")[0].partition("/")[2]
        match method:
            case "GET" if not id_ and self.searches:
                found = [{"resource": each} for each in self.subscriptions.values()]
                return _answer(200, {"resourceType": "Bundle", "type": "searchset", "entry": found})
            case "GET" if id_ in self.subscriptions:
                return _answer(200, self.subscriptions[id_])
            case "DELETE":
                return _answer(204 if self.subscriptions.pop(id_, None) else 404, None)
            case "POST" | "PUT":
                self.made += method == "POST"
                id_ = id_ or f"s{self.made}"
                self.subscriptions[id_] = {**json.loads(body), "id": id_, "status": self.first}
                return _answer(201 if method == "POST" else 200, self.subscriptions[id_])
            case _:
                return _answer(404, {"resourceType": "OperationOutcome", "issue": []})


def _answer(status: int, body: Any) -> Any:
    return status, {"Content-Type": "application/fhir+json"}, json.dumps(body).encode() if body is not None else b""


@pytest.fixture
def agency(open_agency: Open) -> Agency:
    return agency_of(open_agency, RULES)


def agency_of(open_agency: Open, rules: Referrals) -> Agency:
    """An agency with one partner, the school, at whose server we subscribe."""
    agency = open_agency(each={"referrals": rules})
    agency.servers["lakeside"].fhir = Telling()
    desk = agency.desk
    partners = {"lakeside": desk.catalogue.partners["lakeside"]}
    book = replace(desk.bench.rulebook, partners={"lakeside": desk.bench.rulebook.partners["lakeside"]})
    agency.desk = replace(
        desk,
        settings=replace(desk.settings, public_url=PUBLIC),
        catalogue=replace(desk.catalogue, partners=partners),
        bench=replace(desk.bench, rulebook=book),
    )
    return agency


@pytest.fixture
def sent(agency: Agency) -> Agency:
    """A referral is at the school, and we have subscribed there."""
    agency.put(case())
    agency.work()
    return agency


def server(agency: Agency) -> Telling:
    fhir = agency.servers["lakeside"].fhir
    assert isinstance(fhir, Telling)
    return fhir


def there(agency: Agency) -> dict[str, Any]:
    [found] = server(agency).subscriptions.values()
    return found


def ours(agency: Agency) -> Subscribed:
    with agency.desk.store.reading() as tx:
        return subscribed.listed(tx)["lakeside"]


def pass_on(agency: Agency, **time_: float) -> None:
    agency.clock.pass_(**time_)
    agency.work()


def change(agency: Agency, **rules: Any) -> None:
    """The partner file says something else."""
    known = agency.desk.catalogue.partners["lakeside"]
    partner = replace(known, referrals=replace(known.referrals, **rules))
    agency.desk = replace(agency.desk, catalogue=replace(agency.desk.catalogue, partners={"lakeside": partner}))


def tell(agency: Agency, body: Any = None, *, of: Mapping[str, Any] | None = None, task_: str = "") -> int:
    """What the partner's server sends to our endpoint, with the headers that it was given: as HTTP answers."""
    channel = (of or there(agency))["channel"]
    client: FlaskClient = client_of(agency.desk)
    headers = dict(line.split(": ", 1) for line in channel["header"])
    path = channel["endpoint"].removeprefix(PUBLIC) + (f"/Task/{task_}" if task_ else "")
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    answer = client.open(path, method="PUT" if task_ else "POST", data=data, headers=headers)
    assert answer.data == b"" or answer.status_code == 401
    return answer.status_code


def asked(agency: Agency) -> list[str]:
    return [seen.path for seen in agency.seen() if "Task" in seen.path and seen.method == "GET"]


def test_one_is_made_and_tells_nothing_of_a_child(sent: Agency) -> None:
    """What others may read there: our address, our identifiers' system, and no record of anybody."""
    made = there(sent)
    system = sent.desk.bench.identity_secret and sent.desk.settings.identifier_system
    assert made["criteria"] == f"Task?identifier={system}|"
    assert problems({k: v for k, v in made.items() if k != "id"}) == []
    told = json.dumps({k: v for k, v in made.items() if k != "channel"})
    assert NUMBER not in told
    assert task(sent)["identifier"][0]["value"] not in told
    assert "lakeside" not in made["channel"]["endpoint"]
    assert (ours(sent).state, ours(sent).id) == ("active", "s1")


def test_an_answer_comes_home_when_its_server_tells_of_it(sent: Agency) -> None:
    """Within a second, where the next poll would be hours away; and once."""
    say(sent, "accepted")
    pass_on(sent, seconds=1)
    assert outcome(sent) == {}
    assert tell(sent) == 200
    pass_on(sent, seconds=1)
    assert outcome(sent)["status"] == "accepted"
    assert tell(sent) == 200
    pass_on(sent, seconds=10)
    assert ways(sent) == [("requested", "accepted")]


FORMS: dict[str, Callable[[Agency], int]] = {
    "nothing": lambda a: tell(a),
    "an empty body": lambda a: tell(a, b""),
    "the Task": lambda a: tell(a, {"resourceType": "Task", "id": task(a)["id"], "status": "completed"}),
    "the Task, in the address": lambda a: tell(a, task(a), task_=task(a)["id"]),
    "an event that names it": lambda a: tell(a, r4("event-notification", "1", ("1", f"Task/{task(a)['id']}"))),
    "an event that names nothing": lambda a: tell(a, r4("event-notification", "2", ("2", ""))),
    "an event of which others were lost": lambda a: tell(a, r4("event-notification", "4", ("4", "Task/unknown"))),
    "a heartbeat that knows of more": lambda a: tell(a, r4("heartbeat", "6")),
    "a count that begins anew": lambda a: tell(a, r4("heartbeat", "1")),
    "no JSON": lambda a: tell(a, b"{"),
    "more than is read": lambda a: tell(a, b" " * 300_000),
    "a nest": lambda a: tell(a, b"[" * 5_000 + b"]" * 5_000),
    "a server that is in error": lambda a: tell(a, r4("heartbeat", "1", status="error")),
}


def test_whatever_is_told_makes_us_ask_and_nothing_in_it_is_believed(sent: Agency) -> None:
    """Each form of a notification brings home what its server says when it is asked, and not what it says itself."""
    say(sent, "accepted")
    for place, (form, told) in enumerate(FORMS.items()):
        status = ("in-progress", "on-hold")[place % 2]
        say(sent, status)
        assert told(sent) == 200
        pass_on(sent, seconds=6)
        assert outcome(sent)["status"] == status, form


QUIET = {"a handshake": r4("handshake", "0"), "a heartbeat that knows no more": r4("heartbeat", "0")}


@pytest.mark.servers
def test_a_sign_of_life_alone_asks_nothing(sent: Agency) -> None:
    before = len(asked(sent))
    for body in QUIET.values():
        assert tell(sent, body) == 200
        pass_on(sent, seconds=10)
    assert len(asked(sent)) == before


@pytest.mark.servers
def test_of_the_tasks_that_are_named_ours_are_asked_for_and_no_other(sent: Agency) -> None:
    made = case()
    made["referrals"].append({**made["referrals"][0], "id": "r2"})
    sent.put(made)
    sent.work()
    tell(sent)
    pass_on(sent, seconds=60)
    tasks = [t for t in sent.fhir().of_type("Task") if "focus" in t]
    assert len(tasks) == 2
    before = len(asked(sent))
    tell(sent, r4("event-notification", "1", ("1", f"Task/{tasks[1]['id']}")))
    pass_on(sent, seconds=6)
    [path] = asked(sent)[before:]
    assert tasks[1]["identifier"][0]["value"] in path
    assert tasks[0]["identifier"][0]["value"] not in path
    tell(sent, r4("event-notification", "2", ("2", "Task/of-somebody-else")))
    pass_on(sent, seconds=6)
    both = " ".join(asked(sent)[before + 1 :])
    assert all(t["identifier"][0]["value"] in both for t in tasks), "none of ours: all that wait"


@pytest.mark.servers
def test_a_flood_of_notifications_is_one_question_each_five_seconds(sent: Agency) -> None:
    before = len(asked(sent))
    for _ in range(20):
        assert tell(sent) == 200
        pass_on(sent, seconds=0.5)
    assert len(asked(sent)) - before <= 3
    pass_on(sent, seconds=30)
    assert len(asked(sent)) - before <= 3, "and none is left over"


def test_named_tasks_do_not_put_off_the_net(sent: Agency) -> None:
    """Its server tells of one Task again and again; of another's answer it never does: the net finds it in its time."""
    made = case()
    made["referrals"].append({**made["referrals"][0], "id": "r2"})
    sent.put(made)
    sent.work()
    tell(sent)
    pass_on(sent, seconds=60)
    tasks = [t for t in sent.fhir().of_type("Task") if "focus" in t]
    sent.fhir()._keep(f"Task/{tasks[0]['id']}", {**tasks[0], "status": "accepted"})
    for number in range(1, 14):
        tell(sent, r4("event-notification", str(number), (str(number), f"Task/{tasks[1]['id']}")))
        pass_on(sent, minutes=30)
    statuses = [r.get("outcome", {}).get("status") for r in _case(sent)["referrals"]]
    assert "accepted" in statuses


def _case(agency: Agency) -> Any:
    from adapter import keep

    return keep.get_case(agency.desk, NUMBER)[0]


def test_what_was_never_told_is_found_by_its_number_and_counted(sent: Agency) -> None:
    tell(sent, r4("event-notification", "1", ("1", f"Task/{task(sent)['id']}")))
    pass_on(sent, seconds=10)
    say(sent, "accepted")
    tell(sent, r4("event-notification", "3", ("3", "Task/of-somebody-else")))
    pass_on(sent, seconds=10)
    assert outcome(sent)["status"] == "accepted"
    assert (ours(sent).seen, ours(sent).missed) == (3, 1)


@pytest.mark.servers
def test_what_is_never_told_at_all_is_found_by_the_net(sent: Agency) -> None:
    """Every six hours all that waits is asked for, whether or not its server says anything."""
    say(sent, "accepted")
    pass_on(sent, hours=5, minutes=50)
    assert outcome(sent) == {}
    pass_on(sent, minutes=11)
    assert outcome(sent)["status"] == "accepted"


@pytest.mark.servers
@pytest.mark.parametrize("state", ["error", "off"])
def test_while_there_is_none_that_tells_us_it_is_asked_each_hour(sent: Agency, state: str) -> None:
    server(sent).first = state
    server(sent).subscriptions["s1"]["status"] = state
    pass_on(sent, hours=1, minutes=1)
    say(sent, "accepted")
    pass_on(sent, minutes=61)
    assert outcome(sent)["status"] == "accepted"


def test_one_that_fell_into_error_is_asked_for_again_with_another_secret(sent: Agency) -> None:
    old = there(sent)
    server(sent).subscriptions["s1"] = {**old, "status": "error"}
    pass_on(sent, hours=1, minutes=1)
    assert there(sent)["status"] == "active"
    assert there(sent)["channel"]["header"] != old["channel"]["header"]
    assert server(sent).made == 1, "the same one"


@pytest.mark.servers
def test_one_that_is_gone_is_made_again(sent: Agency) -> None:
    server(sent).subscriptions.clear()
    pass_on(sent, hours=1, minutes=1)
    assert there(sent)["id"] == ours(sent).id == "s2"
    assert tell(sent) == 200


def test_it_is_renewed_before_it_ends_and_the_secret_before_opens_until_it_is_seen_to_be_active(sent: Agency) -> None:
    old = there(sent)
    pass_on(sent, days=5, hours=1)
    new = there(sent)
    assert new["id"] == old["id"]
    assert new["end"] > old["end"]
    assert new["channel"]["header"] != old["channel"]["header"]
    assert tell(sent, of=new) == tell(sent, of=old) == 200
    pass_on(sent, hours=2)
    assert tell(sent, of=old) == 401
    assert tell(sent, of=new) == 200


@pytest.mark.servers
def test_while_the_new_secret_is_on_its_way_both_open(sent: Agency) -> None:
    old = there(sent)
    held = ours(sent)
    with sent.desk.store.writing() as tx:
        assert subscribed.expect(tx, held, "the next")
    channel = {**old["channel"], "header": ["Authorization: Bearer the next"]}
    assert tell(sent, of=old) == tell(sent, of={"channel": channel}) == 200


@pytest.mark.servers
def test_a_renewal_of_which_no_answer_came_is_made_again(sent: Agency) -> None:
    """Until then the secret that its server may have opens, as the one before does."""
    old = there(sent)
    sent.servers["lakeside"].plan(None, CutAfter())
    pass_on(sent, days=5, hours=1)
    assert ours(sent).state == "unreachable"
    lost = there(sent)
    assert lost["channel"]["header"] != old["channel"]["header"]
    assert tell(sent, of=lost) == tell(sent, of=old) == 200
    pass_on(sent, minutes=5)
    assert there(sent)["channel"]["header"] != lost["channel"]["header"]
    assert tell(sent) == 200
    pass_on(sent, minutes=5)
    assert ours(sent).state == "active"


def test_when_the_file_asks_no_longer_it_is_taken_away_at_once(sent: Agency) -> None:
    old = there(sent)
    change(sent, answers="poll", every=60.0)
    sent.work()
    assert server(sent).subscriptions == {}
    assert tell(sent, of=old) == 401
    with sent.desk.store.reading() as tx:
        assert subscribed.listed(tx) == {}


def test_what_was_made_and_never_known_is_taken_away(agency: Agency) -> None:
    """Its server made it, and the answer was lost: there is one in the end."""
    agency.servers["lakeside"].plan(None, CutAfter())
    agency.work()
    assert len(server(agency).subscriptions) == 1
    assert ours(agency).state == "unreachable"
    for _ in range(4):
        pass_on(agency, minutes=5)
    assert ours(agency).state == "active"
    assert there(agency)["id"] == ours(agency).id == "s2"


@pytest.mark.servers
def test_a_server_that_is_away_is_tried_again(agency: Agency) -> None:
    agency.servers["lakeside"].plan(page(502))
    agency.work()
    assert (ours(agency).state, ours(agency).detail) == ("unreachable", "HTTP 502")
    pass_on(agency, minutes=2)
    assert ours(agency).state == "active"


@pytest.mark.servers
def test_a_server_that_takes_none_is_asked_each_hour_and_tried_again_after_a_day(agency: Agency) -> None:
    server(agency).refuses_with = 422
    agency.put(case())
    agency.work()
    assert (ours(agency).state, ours(agency).detail) == ("unsupported", "HTTP 422")
    tries = len([s for s in agency.seen() if "Subscription" in s.path])
    say(agency, "accepted")
    pass_on(agency, minutes=61)
    assert outcome(agency)["status"] == "accepted"
    pass_on(agency, hours=20)
    assert len([s for s in agency.seen() if "Subscription" in s.path]) == tries
    server(agency).refuses_with = 0
    pass_on(agency, hours=4)
    assert ours(agency).state == "active"


@pytest.mark.servers
def test_one_that_never_becomes_active_is_asked_for_again(agency: Agency) -> None:
    server(agency).first = "requested"
    agency.work()
    assert ours(agency).state == "requested"
    header = there(agency)["channel"]["header"]
    for _ in range(4):
        pass_on(agency, minutes=20)
    assert there(agency)["channel"]["header"] != header
    server(agency).first = "active"
    server(agency).subscriptions[ours(agency).id]["status"] = "active"
    for _ in range(4):
        pass_on(agency, minutes=20)
    assert ours(agency).state == "active"


@pytest.mark.servers
def test_without_an_address_of_ours_there_is_none(open_agency: Open) -> None:
    agency = agency_of(open_agency, RULES)
    agency.desk = replace(agency.desk, settings=replace(agency.desk.settings, public_url=""))
    agency.put(case())
    agency.work()
    assert server(agency).subscriptions == {}
    say(agency, "accepted")
    pass_on(agency, minutes=61)
    assert outcome(agency)["status"] == "accepted", "it is asked as who has none"


@pytest.mark.servers
def test_a_topic_of_its_server_is_subscribed_to(open_agency: Open) -> None:
    agency = agency_of(open_agency, replace(RULES, topic=words.GRAVITY, criteria="Task?owner=Organization/7"))
    agency.work()
    made = there(agency)
    assert made["criteria"] == words.GRAVITY
    assert made["_criteria"]["extension"][0]["valueString"] == "Task?owner=Organization/7"


def test_whoever_shows_no_secret_of_ours_gets_one_answer(sent: Agency) -> None:
    """Wrong secret, wrong address, no header, whatever the body: the same bytes, and nothing is asked."""
    client = client_of(sent.desk)
    path = there(sent)["channel"]["endpoint"].removeprefix(PUBLIC)
    right = dict(line.split(": ", 1) for line in there(sent)["channel"]["header"])
    before = len(asked(sent))
    answers = [
        client.post(path),
        client.post(path, headers={"Authorization": "Bearer x"}),
        client.post(path, headers={"Authorization": f"Basic {right['Authorization'].split()[1]}"}),
        client.post("/notify/unknown", headers=right),
        client.post("/notify/ünknown", headers=right),
        client.post(path, headers={"Authorization": "Bearer x"}, data=b"x" * 1_000_000),
        client.put(f"{path}/Task/{task(sent)['id']}", headers={"Authorization": "Bearer x"}),
        client.put(f"{path}/Task/none", headers={"Authorization": "Bearer x"}),
    ]
    assert {(a.status_code, a.data) for a in answers} == {(401, answers[0].data)}
    pass_on(sent, seconds=30)
    assert len(asked(sent)) == before


def test_a_hint_that_comes_while_it_is_asked_is_not_lost(sent: Agency) -> None:
    """The answer is written, and told, after its server has been read: it is read again soon."""

    def watch(method: str, path: str, body: bytes) -> None:
        if "Task?" in path:
            server(sent).watch = None
            told.append(tell(sent))

    told: list[int] = []
    server(sent).watch = watch
    tell(sent)
    pass_on(sent, seconds=1)
    assert told == [200]
    say(sent, "accepted")
    pass_on(sent, seconds=6)
    assert outcome(sent)["status"] == "accepted"


@pytest.mark.servers
def test_a_server_that_tells_and_then_cannot_be_asked_is_asked_again_soon(sent: Agency) -> None:
    say(sent, "accepted")
    sent.servers["lakeside"].plan(page(502))
    tell(sent)
    pass_on(sent, seconds=1)
    assert outcome(sent) == {}
    before = len(sent.seen())
    for _ in range(5):
        tell(sent)
        pass_on(sent, seconds=5)
    assert len(sent.seen()) == before, "no busy loop"
    pass_on(sent, minutes=2)
    assert outcome(sent)["status"] == "accepted"


@pytest.mark.servers
def test_only_digests_of_the_secret_are_kept(sent: Agency) -> None:
    secret = there(sent)["channel"]["header"][0].removeprefix("Authorization: Bearer ")
    with sent.desk.store.reading() as tx:
        rows = [*tx.connection.execute(subscribed.LISTED), *tx.connection.execute(polls.LISTED)]
    assert secret not in repr(rows)
