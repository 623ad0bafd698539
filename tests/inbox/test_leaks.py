"""A partner never learns by our answers whether its child is known here; and nothing it said lies about in clear."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from adapter import inbox as verb
from adapter import keep, serve
from adapter.arrived import settle_all
from adapter.web.context import KEY
from tests.inbox.conftest import GOAL, PATIENT, Inbox
from tests.inbox.test_consents import consent
from tests.inbox.test_deciding import say
from tests.inbox.test_items import items
from tests.verbs.agency import case_of
from tests.web.conftest import Web, desk, keys, opened, upgraded  # noqa: F401

CARD = "https://health.example/cards"
ASKS: list[tuple[str, str, Any]] = [
    ("PUT", "/fhir/Patient/p1", PATIENT),
    ("PUT", "/fhir/Patient/p1", PATIENT),
    ("PUT", "/fhir/Goal/g1", GOAL),
    ("PUT", "/fhir/Consent/k1", consent()),
    ("GET", "/fhir/Patient/p1", None),
    ("GET", f"/fhir/Patient?identifier={CARD}|0001-222", None),
    ("GET", f"/fhir/Patient?identifier={CARD}|9", None),
    ("GET", "/fhir/Goal?patient=p1", None),
    ("GET", "/fhir/Patient/p1/$everything", None),
    ("GET", "/fhir/Patient/p2", None),
    ("GET", "/fhir/Provenance?target=Goal/g1", None),
    ("PUT", "/fhir/Goal/g2", {**GOAL, "id": "g2", "subject": {"reference": "Patient/nobody"}}),
    ("DELETE", "/fhir/Goal/g1", None),
    ("DELETE", "/fhir/Patient/p1", None),
]
"""What a partner can ask in a row: it writes, writes again, reads, searches, is refused, deletes."""


def known_case() -> Any:
    case = case_of("minimal")
    case["child"]["identifiers"] = [{"system": CARD, "value": "0001-222", "type": "health-card"}]
    case["child"].pop("birth_date", None)
    return case


@contextmanager
def counted(store: Any) -> Iterator[list[str]]:
    """The statements that are executed meanwhile."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sa.event.listen(store._engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(store._engine, "before_cursor_execute", note)


@pytest.fixture
def two(opened: Callable[[Path], Web], tmp_path: Path) -> tuple[Web, Web]:  # noqa: F811
    """Two instances with the same tokens: one knows the child by a card that both trust, the other knows another."""
    webs = []
    for name in ("known", "unknown"):
        (tmp_path / name).mkdir()
        web = opened(tmp_path / name)
        wired = web.app.extensions[KEY]
        partners = dict(wired.catalogue.partners)
        partners["lakeside"] = replace(partners["lakeside"], identifier_systems=(CARD,))
        trusting = replace(wired, catalogue=replace(wired.catalogue, partners=partners))
        web.app.extensions[KEY] = trusting
        case = known_case()
        if name == "unknown":
            case["child"]["identifiers"][0]["value"] = "0001-333"
        keep.put_case(trusting, case["case"], json.dumps(case).encode())
        webs.append(web)
    return webs[0], webs[1]


def answered(response: TestResponse) -> tuple[int, dict[str, str], Any]:
    """An answer without the clock in it."""
    headers = {name: value for name, value in response.headers if name not in ("Date", "Last-Modified")}

    def timeless(value: Any) -> Any:
        if isinstance(value, dict):
            return {n: timeless(v) for n, v in value.items() if n not in ("lastUpdated", "lastModified", "timestamp")}
        return [timeless(v) for v in value] if isinstance(value, list) else value

    return response.status_code, headers, timeless(response.json) if response.data else None


def test_the_answers_are_the_same_whether_the_child_is_known_or_not(two: tuple[Web, Web]) -> None:
    """Byte for byte but for the clock, each with as many statements: also after the item was matched and looked at."""
    known, unknown = two
    for method, path, body in ASKS:
        answers, statements = [], []
        for web in (known, unknown):
            with counted(web.store) as seen:
                answers.append(answered(web.ask("lakeside", method, path, body)))
            statements.append(seen)
        assert answers[0] == answers[1], path
        assert statements[0] == statements[1], path
        for web in (known, unknown):
            settle_all(web.app.extensions[KEY])
    for web, case in ((known, "C-0001"), (unknown, None)):
        (row,) = web.ask("coordinator", "GET", "/api/inbox").json["items"]
        assert row["case"] == case, "the two differ in what the agency knows"


def test_who_reads_its_view_waits_for_what_others_wrote_whether_it_is_matched_or_not(inbox: Inbox) -> None:
    """What is looked at before anything is served is everybody's: it tells nobody whose it was."""
    inbox.configure(replace(inbox.desk.catalogue.partners["northstar"], reads=True))
    inbox.agency.put(known_case())
    inbox.put(PATIENT, partner="lakeside")
    serve.shelf(inbox.desk, "northstar")
    assert [each["state"] for each in items(inbox)] == ["waiting"]
    with inbox.desk.store.reading() as tx:
        from adapter.store import inbox as rows

        assert rows.stale(tx, limit=1) == []


def test_nothing_that_a_partner_sent_or_a_person_decided_lies_in_the_database_in_clear(
    inbox: Inbox, tmp_path: Path
) -> None:
    marker = "QZMARKQZ"
    patient = {**PATIENT, "id": f"{marker}-id", "identifier": [{"system": CARD, "value": f"{marker}-card"}]}
    goal = {**GOAL, "description": {"text": f"{marker} goal"}, "subject": {"reference": f"Patient/{marker}-id"}}
    inbox.put(patient, goal)
    item = items(inbox)[0]["id"]
    say(inbox, verb.open_case, item, {"case": f"{marker}-case", "program": "wraparound"}, by=f"{marker} by")
    say(inbox, verb.dismiss, item, {"all": True, "reason": f"{marker} reason"}, by=f"{marker} by")
    with inbox.desk.store.reading() as tx:
        for table in ("inbox_items", "case_names"):
            for row in tx.connection.execute(sa.text(f"SELECT * FROM {table}")):
                assert marker not in repr([bytes(v) if isinstance(v, memoryview) else v for v in row])


def test_the_list_holds_no_value_of_anybody(inbox: Inbox) -> None:
    inbox.put(PATIENT, GOAL)
    told = json.dumps(items(inbox))
    assert not any(word in told for word in ("Okoye", "Ada", "2016-05-04", "0001-222", "Walk to school", '"p1"'))


def test_what_goes_wrong_names_no_value(inbox: Inbox) -> None:
    """A refusal of the inbox, and what it says of resources that it cannot read."""
    inbox.put({**PATIENT, "birthDate": "2016-05"}, {**GOAL, "lifecycleStatus": "entered-in-error"})
    found = verb.show(inbox.desk, items(inbox)[0]["id"])
    told = json.dumps([found["refused"], found["findings"]])
    assert found["refused"] and "Walk to school" not in told and "2016-05" not in told
