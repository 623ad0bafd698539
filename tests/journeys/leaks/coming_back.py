"""What goes back to whoever came to us: the answer on a partner's own Task, and what it asked to be told of.

Both are read where the partner reads them. The words of an answer are markers that the partner does not see elsewhere:
it may read them on its Task exactly where the family permits it that leaf of the referral. What subscribers are told
holds no marker at all: ids of what is read apart, and numbers.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adapter import answering, notify, serve
from adapter.core.subscriptions import words
from adapter.store import cases
from tests.core.subscriptions.test_theirs import R4, R5
from tests.journeys.leaks.instance import PARTNERS, READERS, TOLD, Instance
from tests.journeys.leaks.search import WORD, found
from tests.journeys.leaks.sight import permitted

_COUNT = itertools.count()
ANSWERS = ("rejected", "completed", "accepted")


def answers(i: Instance, numbers: list[str]) -> Iterator[tuple[str, bytes, Any]]:
    """Each partner refers the child here, somebody adopts that, and the case system answers with words of the case."""
    for number in numbers[:1]:  # each partner in turn: one case of an instance is six answers
        for n, partner in enumerate(PARTNERS):
            with _asked(i, partner) as id_, _answered(i, number, partner, ANSWERS[n % len(ANSWERS)], id_):
                seen = permitted(i, number, partner, i.clock.now)

                def may(token: str, _leaf: Any, seen: set[str] = seen) -> bool:
                    return token in seen

                task = f"/fhir/Task/{id_}"
                for path in (task, f"{task}/_history/1", f"{task}/_history/2", f"/fhir/Task?_id={id_}"):
                    yield f"{partner} GET {path}", _whole(i.ask(partner, "GET", path)), may
                others = [p for p in PARTNERS if p != partner]
                yield f"{others[0]} GET {task}", _whole(i.ask(others[0], "GET", task)), _nothing


@contextmanager
def _asked(i: Instance, partner: str) -> Iterator[str]:
    """The partner writes its request and its Task, under one id; in the end it takes both away."""
    id_ = f"asked{next(_COUNT)}"
    bodies: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": id_},
        {"resourceType": "ServiceRequest", "id": id_, "status": "active", "intent": "order",
         "subject": {"reference": f"Patient/{id_}"}},
        {"resourceType": "Task", "id": id_, "status": "requested", "intent": "order",
         "focus": {"reference": f"ServiceRequest/{id_}"}},
    ]  # fmt: skip
    for body in bodies:
        answer = i.ask(partner, "PUT", f"/fhir/{body['resourceType']}/{id_}", body)
        assert answer.status_code == 201, answer.text
    yield id_
    for body in reversed(bodies):
        assert i.ask(partner, "DELETE", f"/fhir/{body['resourceType']}/{id_}").status_code in (200, 204)


@contextmanager
def _answered(i: Instance, number: str, partner: str, status: str, request: str) -> Iterator[None]:
    """The case system says what it answers, and why, in words of the case that this partner is not to see; in the end
    the case is as it was."""
    before = json.loads(i.ask("source", "GET", f"/api/cases/{number}").data)
    made = copy.deepcopy(before)
    withheld = sorted(_values(made) - permitted(i, number, partner, i.clock.now))
    assert len(withheld) > 1, "all of this case is shared: it can show nothing"
    reason, result = f"For {withheld[0]}", f"Of {withheld[-1]}"
    name = f"from-{partner}"
    made.setdefault("organizations", []).append(
        {"id": name, "name": "The sender", "sector": "community", "partner": partner}
    )
    outcome = {"status": status, "reason": reason, "result": result}
    made.setdefault("referrals", []).append(
        {"id": name, "direction": "in", "kind": "service", "status": status, "from": f"organizations/{name}",
         "services": [{"text": "A place"}], "outcome": outcome}
    )  # fmt: skip
    i.put(made)
    came = {"partner": partner, "type": "ServiceRequest", "id": request, "version": "1", "on": i.clock.now.isoformat(),
            "by": "coordinator", "item": "i", "fields": {}}  # fmt: skip
    with i.desk.store.writing() as tx:
        stored = cases.get(tx, number)
        assert stored is not None
        kept = {**stored.kept, "arrived": {**stored.kept.get("arrived", {}), f"referrals/{name}": came}}
        cases.put(tx, number, stored.body, kept, now=i.clock.now)
    answering.bring_all(i.desk, number)
    yield
    i.put(before)


def _values(case: dict[str, Any]) -> set[str]:
    """The words planted in what people have written: neither in an id, nor in the case's number."""
    said = [case["child"], *(each for name in ("goals", "needs", "strengths", "people") for each in case.get(name, ()))]
    ids = {word for each in said for word in found(json.dumps(each.get("id", "")).encode())}
    return {word for word in found(json.dumps(said).encode()) - ids if WORD.fullmatch(word)}


def subscribers(i: Instance, numbers: list[str]) -> Iterator[tuple[str, bytes, Any]]:
    """Each partner that reads here asks to be told, in every way that may be asked; then every case changes."""
    for partner in READERS:
        begun, ids = len(i.seen(partner)), []
        for what, body in wishes(i, partner):
            answer = i.ask(partner, "POST", "/fhir/Subscription", body)
            assert answer.status_code == (422 if what.startswith("full") else 201), answer.text
            yield f"{partner} asks for {what}", _whole(answer), _nothing
            ids += [answer.json["id"]] if answer.status_code == 201 else []
        _tell(i)
        with _asked(i, partner):
            for number in numbers:
                _changed(i, number)
                serve.refresh(i.desk, partner, i.stored(number).id)
            _tell(i)
        for id_ in ids:
            own = f"/fhir/Subscription/{id_}"
            for path in (own, f"{own}/$status", f"{own}/$events?eventsSinceNumber=0", "/fhir/Subscription"):
                yield f"{partner} GET {path.rpartition('/')[2]}", _whole(i.ask(partner, "GET", path)), _nothing
        told = [seen for seen in i.seen(partner)[begun:] if seen.path.endswith(f"/{TOLD}")]
        assert any(b"event-notification" in seen.body for seen in told), "nobody is told of anything"
        for seen in told:
            yield f"{partner} is told", f"{seen.path} {dict(seen.headers)}".encode() + b"\n" + seen.body, _nothing
        for id_ in ids:
            assert i.ask(partner, "DELETE", f"/fhir/Subscription/{id_}").status_code == 204


def wishes(i: Instance, partner: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """One Subscription for each topic and content, narrowed and not; whole resources too, which are refused."""
    known = i.desk.catalogue.partners[partner]
    for topic in words.TOPICS:
        for content in ("empty", "id-only", "full-resource"):
            for narrowed in (False, True) if topic == words.TASKS else (False,):
                what = f"{content}, {topic.rpartition('/')[2]}{', narrowed' if narrowed else ''}"
                yield what, _wish(known.release, f"{known.base_url}/{TOLD}", topic, content, narrowed)


def _wish(release: str, endpoint: str, topic: str, content: str, narrowed: bool) -> dict[str, Any]:
    made = copy.deepcopy(R5 if release == "R5" else R4)
    made.pop("end")
    if release == "R5":
        made |= {"topic": topic, "endpoint": endpoint, "content": content}
        made["filterBy"] = made["filterBy"][:1] if narrowed else []
    else:
        made |= {"criteria": topic}
        made["channel"]["endpoint"] = endpoint
        made["channel"]["_payload"]["extension"][0]["valueCode"] = content
        narrow = {"url": words.FILTER, "valueString": "Task?status=requested,accepted"}
        made["_criteria"] = {"extension": [narrow]}
        if not narrowed:
            del made["_criteria"]
    return {name: value for name, value in made.items() if value != []}


def _changed(i: Instance, number: str) -> None:
    """Something changes in every record that has a text for it, shared or not."""
    made = json.loads(i.ask("source", "GET", f"/api/cases/{number}").data)
    made["child"]["name"]["preferred"] = f"{made['child']['name'].get('preferred', '')[:40]} anew".strip()
    for goal in made.get("goals", ()):
        goal["title"] = f"{goal['title'][:200]} anew"
    i.put(made)


def _tell(i: Instance) -> None:
    for _ in range(1000):
        if notify.tell_next(i.desk) is None:
            return
    raise AssertionError("there is always more to tell")


def _nothing(_token: str, _leaf: Any) -> bool:
    return False


def _whole(answer: Any) -> bytes:
    """Status, headers and body."""
    return f"{answer.status} {answer.headers}".encode() + b"\n" + bytes(answer.data)
