"""One whole instance in a folder: its files, database, web, worker and command, partners' servers that keep each byte,
and everything that it and its libraries log, down to DEBUG."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from flask import Flask
from werkzeug.test import TestResponse

from adapter import wiring, worker
from adapter.cli import main
from adapter.core.diff import Holding
from adapter.desk import Desk
from adapter.reconcile import paused
from adapter.store import cases, holdings, paces, shares, tokens
from adapter.store.cases import StoredCase
from adapter.store.seal import Keys
from adapter.web.app import create_app
from tests.journeys.leaks.search import WORD
from tests.outward.fault_server import JSON, FaultServer, Seen
from tests.read_once import read_once
from tests.verbs.agency import Clock, PartnerFhir

FIXTURES = Path(__file__).parents[3] / "fixtures"
PARTNERS = sorted(path.stem for path in (FIXTURES / "partners").glob("*.toml"))
READERS = ("lakeside", "riverside")
"""Partners that also read their view here."""
TOLD = "told"
"""Where on its server a partner wants to be told that something has changed here."""
ROLES = ("source", "coordinator", "privacy", "engineer", "admin")
AFTERNOON = datetime(2026, 11, 2, 20, tzinfo=UTC)
"""The afternoon of the day that the generators' cases speak of."""
FHIR = "application/fhir+json"


class Hostile(PartnerFhir):
    """A partner's server that repeats what it was told wherever it may speak.

    `refuses`: how many of the next transactions it answers with an error that repeats them. `names`: the ids that it
    gives are words of what it was sent; `given`: those words, which then stand in addresses there because it says so.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refuses = 0
        self.names = False
        self.given: set[str] = set()

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Any:
        if path.startswith(TOLD):
            return 200, {}, b""
        if method == "POST" and self.refuses > 0:
            self.refuses -= 1
            word = _words(body)[0]
            # The line without a colon is no header: urllib3 warns of it, with all that it could not read.
            broken = f"{word}\r\n{word} is no header\r\nX-More: {word}"
            headers = {**JSON, "ETag": f'W/"{word}"', "Location": path + word}
            # What follows a broken line is lost, the type of the content too: every other answer has none.
            return 422, headers | ({"X-Broken": broken} if self.refuses % 2 else {}), _echo(body)
        return super().handle(method, path, headers, body)

    def _keep(self, place: str, resource: Any) -> str:
        if self.names and place not in self.resources:
            type_, _, id_ = place.partition("/")
            word = _words(json.dumps(resource, default=str).encode())[0]
            place = f"{type_}/{id_}-{word}"
            self.given.add(word)
        return super()._keep(place, resource)


def _words(body: bytes) -> list[str]:
    return WORD.findall(body.decode("utf-8", "ignore").casefold()) or ["nothing"]


def _echo(body: bytes) -> bytes:
    """An OperationOutcome that says what was sent in every element that can hold a word."""
    words = _words(body)
    issues = [
        {
            "severity": word,
            "code": word,
            "details": {"text": word, "coding": [{"system": f"urn:{word}", "code": word, "display": word}]},
            "diagnostics": f"HAPI-1234: {body.decode('utf-8', 'ignore')[:2000]}",
            "expression": [f"Patient.{word}", f"{word.capitalize()}.name[0].{word}"],
            "location": [f"/f:{word}"],
        }
        for word in words[:10]
    ]
    capital = [
        {**issue, "expression": [f"{word.capitalize()}.{word}"]} for issue, word in zip(issues, words, strict=False)
    ]
    return json.dumps({"resourceType": "OperationOutcome", "issue": [*issues, *capital]}).encode()


@dataclass
class Instance:
    """The instance, as a test acts on it. `log` is all that was written to logs and to standard error."""

    folder: Path
    desk: Desk
    app: Flask
    clock: Clock
    servers: Mapping[str, FaultServer]
    tokens: Mapping[str, str]
    log: io.StringIO
    searched: int = 0
    """How much of the log was searched already."""
    answers: list[tuple[str, TestResponse]] = field(default_factory=list)

    def ask(self, who: str, method: str, path: str, body: Any = None, /, **headers: str) -> TestResponse:
        """One request as this role or partner, over WSGI; a body that is no bytes goes as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who:
            sent["Authorization"] = f"Bearer {self.tokens[who]}"
        if body is not None:
            sent.setdefault("Content-Type", FHIR if path.startswith("/fhir") else "application/json")
        data = body if isinstance(body, bytes | None) else json.dumps(body, ensure_ascii=False).encode()
        answer = self.app.test_client().open(path, method=method, data=data, headers=sent, buffered=True)
        self.answers.append((who, answer))
        return answer

    def page(self, who: str, path: str) -> TestResponse:
        """A page of the console as this role, signed in as a browser would be."""
        browser = self.app.test_client()
        mark = re.search(r'name="mark" value="([^"]+)"', browser.get("/").text)
        assert mark is not None
        answer = browser.post("/sign-in", data={"mark": mark[1], "token": self.tokens[who]})
        assert answer.status_code == 303
        return browser.get(path)

    def put(self, case: Mapping[str, Any]) -> TestResponse:
        answer = self.ask("source", "PUT", f"/api/cases/{case['case']}", case)
        assert answer.status_code == 202, answer.text
        return answer

    def work(self) -> int:
        """The worker, until nothing is due now; its requests go through real sockets."""
        return worker.run(self.desk, once=True)

    def next_due(self) -> datetime | None:
        with self.desk.store.reading() as tx:
            return paces.next_due(tx, now=self.clock.now, skip=paused(self.desk))

    def stored(self, number: str) -> StoredCase:
        with self.desk.store.reading() as tx:
            found = cases.get(tx, number)
        assert found is not None
        return found

    def share(self, number: str, partner: str) -> shares.Share:
        with self.desk.store.reading() as tx:
            return next(s for s in shares.of_case(tx, self.stored(number).id) if s.partner == partner)

    def held(self, number: str, partner: str) -> list[Holding]:
        with self.desk.store.reading() as tx:
            return holdings.of_share(tx, self.share(number, partner).id)

    def fhir(self, partner: str) -> Hostile:
        fhir = self.servers[partner].fhir
        assert isinstance(fhir, Hostile)
        return fhir

    def seen(self, partner: str) -> list[Seen]:
        return self.servers[partner].seen

    def files(self) -> bytes:
        """Every byte of the instance's folder but its keys: the database with what SQLite writes beside it."""
        return b"\0".join(p.read_bytes() for p in sorted(self.folder.rglob("*")) if p.is_file() and p.name != "keys")

    def command(self, *arguments: object, given: bytes | None = None) -> Result:
        """`adapter …` on this instance, as an administrator would run it."""
        line = ["--instance", str(self.folder), *(str(each) for each in arguments)]
        return CliRunner().invoke(main, line, input=given, env={"ADAPTER_INSTANCE": None})


@contextmanager
def instance(
    folder: Path, *, timeout: float = 5.0, labels_topics: bool = True, deep: bool = True
) -> Iterator[Instance]:
    """A new instance in `folder`, its partners' servers listening, until the end of the block.

    `deep`: libraries log all that they can; else their warnings, which is faster.
    """
    with ExitStack() as stack:
        servers = {partner: stack.enter_context(FaultServer()) for partner in PARTNERS}
        for server in servers.values():
            server.fhir, server.apart = Hostile(), True
        _write(folder, servers, timeout, labels_topics)
        log = stack.enter_context(_everything_logged(logging.DEBUG if deep else logging.WARNING))
        stack.enter_context(read_once())
        clock = Clock(AFTERNOON)
        desk = wiring.wire(folder, clock=clock, environ={})
        stack.callback(desk.store.close)
        desk.store.upgrade()
        for partner in PARTNERS:
            stack.callback(desk.server(partner).close)
        with desk.store.writing() as tx:
            given = {role: tokens.new(tx, role=role, now=AFTERNOON) for role in ROLES}
            given |= {p: tokens.new(tx, role="partner", partner=p, now=AFTERNOON) for p in PARTNERS}
        yield Instance(folder, desk, create_app(desk), clock, servers, given, log)


def _write(folder: Path, servers: Mapping[str, FaultServer], timeout: float, labels_topics: bool) -> None:
    """Settings, keys and partner files as they would stand in a folder; each partner at the address of its server."""
    (folder / "partners").mkdir(parents=True)
    said = (FIXTURES / "adapter.toml").read_text("utf-8")
    (folder / "adapter.toml").write_text(f"labels_topics = {str(labels_topics).lower()}\n{said}", "utf-8")
    (folder / "keys").touch(0o600)
    (folder / "keys").write_text(Keys.generate().text(), "utf-8")
    for partner, server in servers.items():
        text = (FIXTURES / "partners" / f"{partner}.toml").read_text("utf-8")
        text = re.sub(
            r'^base_url = ".*?"', f'base_url = "{server.base_url}"\nprivate_addresses = true', text, flags=re.M
        )
        text = re.sub(r"^(timeout|quiet_seconds) = .*$", "", text, flags=re.M)
        text = text.replace("base_url", f"timeout = {timeout}\nbase_url", 1)
        if partner in READERS:
            text = text.replace("timeout", "reads = true\ntimeout", 1)
        text = re.sub(r"^\[authorisation\].*?(?=^\[|\Z)", "", text, flags=re.M | re.S)
        (folder / "partners" / f"{partner}.toml").write_text(text, "utf-8")


@contextmanager
def _everything_logged(level: int) -> Iterator[io.StringIO]:
    """What our own logger and every library's write from this level on, with tracebacks and parameters of messages."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(pathname)s %(message)s"))
    root = logging.getLogger()
    before, levels = root.level, {name: logging.getLogger(name).level for name in _LIBRARIES}
    root.addHandler(handler)
    root.setLevel(level)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(level)
    try:
        with redirect_stderr(stream):
            yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


# Set one by one: some of them set a level of their own.
_LIBRARIES = ("sqlalchemy.engine", "sqlalchemy.pool", "alembic", "urllib3", "requests", "werkzeug", "flask", "waitress",
              "fontTools", "fpdf", "adapter")  # fmt: skip
