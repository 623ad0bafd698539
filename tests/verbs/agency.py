"""An agency with its partners' servers around it, and a clock that a test sets: what the tests of the verbs act on."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from adapter import keep, show, worker
from adapter.core import strict_json
from adapter.core.desired import Desired, Subject, desire
from adapter.core.diff import ORDER, Holding
from adapter.core.fhir.abilities import not_taken
from adapter.core.fhir.named import names_of
from adapter.desk import Desk
from adapter.reconcile import paused
from adapter.store import abilities, cases, disclosures, holdings, paces, shares
from adapter.store.disclosures import Line
from adapter.web.app import create_app
from adapter.web.context import KEY
from tests.outward.fault_server import FaultServer, Seen
from tests.outward.memory_fhir import MemoryFhir, _Refusal

FIXTURES = Path(__file__).parents[2] / "fixtures"
NAMES = sorted(path.parent.name for path in FIXTURES.glob("*/case.json"))
DIRECTORY = ("Organization", "Practitioner", "PractitionerRole")
NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
"""The moment that every expected.json speaks of."""


class PartnerFhir(MemoryFhir):
    """The small server, which may refuse to delete, and lets a test look on while a request is being answered."""

    def __init__(self) -> None:
        super().__init__()
        self.deletes = True
        self.needed: frozenset[str] = frozenset()
        """Types of which something of its own refers to each: 409 to who would delete one."""
        self.most = 0
        """Entries that it takes in one Bundle at most; 0: any number."""
        self.broken = ""
        """What cannot be read there."""
        self.refuses = ""
        """What stands in a resource that is refused."""
        self.watch: Callable[[str, str, bytes], None] | None = None

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Any:
        if self.watch is not None:
            self.watch(method, path, body)
        if self.most and method == "POST" and not path and len(json.loads(body)["entry"]) > self.most:
            return 413, {"Content-Type": "text/html"}, b"<html>too large</html>"
        if method == "GET" and self.broken and path.startswith(self.broken):
            return 500, {}, b""
        return super().handle(method, path, headers, body)

    def _write(self, request: Mapping[str, str], resource: Any) -> tuple[str, str]:
        if request["method"] == "DELETE" and not self.deletes:
            raise _Refusal(405, "not-supported")
        if request["method"] == "DELETE" and request["url"].partition("/")[0] in self.needed:
            raise _Refusal(409, "conflict")
        if self.refuses and self.refuses in json.dumps(resource, default=str):
            raise _Refusal(422, "business-rule")
        return super()._write(request, resource)

    def of_type(self, type_: str) -> list[dict[str, Any]]:
        return [r for r in self.resources.values() if r["resourceType"] == type_]

    def counted(self) -> Counter[str]:
        return Counter(r["resourceType"] for r in self.resources.values())


@dataclass
class Clock:
    """A clock that stands where a test puts it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time_: float) -> None:
        self.now += timedelta(**time_)


@dataclass
class Agency:
    """One instance, its clock, and the server of each partner."""

    desk: Desk
    clock: Clock
    servers: Mapping[str, FaultServer]
    numbers: set[str] = field(default_factory=set)

    def fhir(self, partner: str = "lakeside") -> PartnerFhir:
        fhir = self.servers[partner].fhir
        assert isinstance(fhir, PartnerFhir)
        return fhir

    def put(self, case: Any, **options: Any) -> keep.Kept:
        self.numbers.add(case["case"])
        return keep.put_case(self.desk, case["case"], body(case), **options)

    def delete(self, number: str) -> keep.Kept:
        return keep.delete_case(self.desk, number)

    def work(self) -> int:
        """Until nothing is due now."""
        return worker.run(self.desk, once=True)

    def work_on(self, *, hours: float = 100) -> None:
        """Until nothing is due within the hours in which failures are tried again; the clock moves as far as needed."""
        until = self.clock.now + timedelta(hours=hours)
        for _ in range(2000):
            self.work()
            with self.desk.store.reading() as tx:
                due = paces.next_due(tx, now=self.clock.now, skip=paused(self.desk))
            if due is None or due > until:
                return
            self.clock.now = max(due, self.clock.now)
        raise AssertionError("the shares never come to rest")

    def share(self, case: str, partner: str = "lakeside") -> dict[str, Any]:
        return next(s for s in show.shares_of(self.desk, case) if s["partner"] == partner)

    def seen(self, partner: str = "lakeside") -> list[Seen]:
        return self.servers[partner].seen

    def asked(self) -> int:
        """How many requests there were at all partners together."""
        return sum(len(server.seen) for server in self.servers.values())

    def stored(self, number: str) -> cases.StoredCase:
        with self.desk.store.reading() as tx:
            stored = cases.get(tx, number)
        assert stored is not None
        return stored

    def held(self, number: str, partner: str = "lakeside") -> dict[str, Holding]:
        with self.desk.store.reading() as tx:
            share = next(s for s in shares.of_case(tx, self.stored(number).id) if s.partner == partner)
            return {h.urn: h for h in holdings.of_share(tx, share.id)}

    def account(self, number: str, partner: str | None = None) -> list[Line]:
        """The lines of the account; that the chain holds is checked each time."""
        with self.desk.store.reading() as tx:
            id_ = self.stored(number).id
            assert disclosures.verify(tx, id_) == []
            return [e.line for e in disclosures.of_case(tx, id_) if partner in (None, e.line.partner)]

    def desired(self, number: str, partner: str = "lakeside") -> Desired:
        stored, file = self.stored(number), self.desk.catalogue.partners[partner]
        with self.desk.store.reading() as tx:
            known = abilities.known(tx, file)
        left_out = not_taken(file, known.told if known else None, ORDER)
        subject = Subject(number, stored.body, stored.kept)
        return desire(self.desk.bench, subject, partner, self.clock.now, not_taken=left_out)

    def assert_equal(self, partner: str = "lakeside") -> None:
        """The partner holds what it should of all cases, once, whole, and besides only a residue that says nothing."""
        there = self.fhir(partner).resources
        place = {_name(r): p for p, r in there.items()}
        assert len(place) == len(there), "doubled"
        wanted = {m.identifier[1]: m for number in self.numbers for m in self.desired(number, partner).made}
        urns = {m.urn: f"{m.type}/{there[place[i]]['id']}" for i, m in wanted.items() if i in place}
        assert {m.type for i, m in wanted.items() if i not in place} == set(), "lost"
        for identifier, made in wanted.items():
            if not made.directory:
                assert _plain(there[place[identifier]]) == _resolved(_json(made.resource), urns)
        for left in (there[place[identifier]] for identifier in place.keys() - wanted.keys()):
            shared = left["resourceType"] in DIRECTORY and not self.fhir(partner).deletes
            assert shared or is_residue(left), left["resourceType"]

    def assert_nothing_withheld(self, name: str, partner: str) -> None:
        """No marker of what is withheld from this partner stands in anything that ever reached its server."""
        for marker in json.loads((FIXTURES / name / "expected.json").read_text("utf-8"))[partner]["markers"]:
            self.assert_never(marker, partner)

    def assert_never(self, marker: str, partner: str = "lakeside") -> None:
        for seen in self.seen(partner):
            whole = f"{seen.path} {dict(seen.headers)} {seen.body.decode()}"
            assert marker not in whole
            assert json.dumps(marker)[1:-1] not in whole

    def sent_after(self, count: int, partner: str = "lakeside") -> list[dict[str, Any]]:
        """The entries of all Bundles that reached the partner after its first `count` requests."""
        bundles = [json.loads(s.body) for s in self.seen(partner)[count:] if s.method == "POST"]
        return [entry for bundle in bundles for entry in bundle["entry"]]


def is_residue(resource: Mapping[str, Any]) -> bool:
    """An inactive Consent, the request to purge, a stub: nothing of the case in it, no reference to anything there."""
    words = json.dumps({**resource, "meta": None})
    if '"reference"' in words or '"text": {' in words:
        return False
    match resource["resourceType"]:
        case "Consent":
            return resource["status"] == "inactive" and set(resource) <= _STATED | {"scope", "category", "policyRule"}
        case "Task" if resource.get("code") == {"text": "Purge what is no longer permitted"}:
            return True
    return set(resource) <= _STATED and {*_texts(resource)} <= {"No longer shared", "The coordinating agency"}


_STATED = {
    *("resourceType", "id", "meta", "identifier", "status", "active", "lifecycleStatus", "clinicalStatus"),
    *("intent", "code", "description", "subject", "patient", "for"),
    *("class", "content", "contentType", "participant", "target", "agent", "author", "title", "type"),
    *("_date", "_recorded"),
}


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if not isinstance(value, dict):
        return []
    own = [value[name] for name in ("text", "description", "display", "title") if isinstance(value.get(name), str)]
    return own + [text for inner in value.values() for text in _texts(inner)]


def body(case: Any) -> bytes:
    return json.dumps(case, ensure_ascii=False).encode()


@cache
def _routes() -> list[Flask]:
    return []


def client_of(desk: Desk) -> FlaskClient:
    """The web of this desk, as a client asks it; its routes are compiled once for all tests."""
    made = _routes()
    if not made:
        made.append(create_app(desk))
    app = copy.copy(made[0])
    app.extensions = {KEY: desk}
    return app.test_client()


@cache
def _file(name: str) -> Any:
    return strict_json.parse((FIXTURES / name / "case.json").read_bytes())


def case_of(name: str = "minimal") -> Any:
    """A fixture's case, to change as one likes."""
    return copy.deepcopy(_file(name))


def record(case: Any, path: str) -> Any:
    """The record or entry at a path of ids: `goals/g1`."""
    found: Any = case
    for step in path.split("/"):
        found = next(r for r in found if r["id"] == step) if isinstance(found, list) else found[step]
    return found


def revoked(case: Any) -> Any:
    """Every consent in force is revoked."""
    for consent in case["consents"]:
        if consent["status"] == "active":
            consent["status"] = "revoked"
    return case


def kinds(lines: Iterable[Line]) -> Counter[str]:
    return Counter(line.kind for line in lines)


def _name(resource: Mapping[str, Any]) -> str:
    return str(next(names_of(resource))[1])


def _json(value: Any) -> Any:
    return json.loads(strict_json.dump(value), parse_float=Decimal)


def _plain(resource: Mapping[str, Any]) -> Any:
    meta = {name: value for name, value in resource["meta"].items() if name != "versionId"}
    rest = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    return {**rest, "meta": meta} if meta else rest


def _resolved(value: Any, urns: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_resolved(v, urns) for v in value]
    if not isinstance(value, dict):
        return value
    plain = {name: _resolved(v, urns) for name, v in value.items()}
    if isinstance(plain.get("reference"), str):
        plain["reference"] = urns[plain["reference"]]
    if isinstance(plain.get("url"), str):
        plain["url"] = urns.get(plain["url"], plain["url"])
    return plain
