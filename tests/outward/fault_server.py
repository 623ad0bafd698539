"""A partner's server on real sockets that fails in every way a test asks for, and is a small FHIR server otherwise.

    with FaultServer() as partner:
        partner.plan(CutAfter(), Answer(503, {"Retry-After": "7"}))   # the next two requests; then it behaves
        Server(partner.as_partner(), secret=None).transact(...)
        partner.fhir.resources, partner.seen

A fault that happens *after* applying lets the FHIR server do what was asked, and then fails to say so.
"""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from adapter.core.partner import Authorisation, Partner, Trust
from tests.outward.memory_fhir import MemoryFhir

JSON = {"Content-Type": "application/fhir+json"}


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


@dataclass(frozen=True)
class Answer:
    """Answers this, without doing what was asked (or after it, where `applied`)."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    applied: bool = False


@dataclass(frozen=True)
class Changed:
    """Does what was asked, then answers with the body changed: entries reordered or left out, another resource."""

    change: Callable[[Any], Any]
    status: int | None = None


@dataclass(frozen=True)
class Late:
    """Does what was asked (before the wait, or not at all), and answers after `seconds`."""

    seconds: float
    applied: bool = True


@dataclass(frozen=True)
class CutBefore:
    """Closes the connection when the headers have come: nothing is done."""


@dataclass(frozen=True)
class CutAfter:
    """Does what was asked, then resets the connection without a word."""

    applied: bool = True


@dataclass(frozen=True)
class Truncated:
    """Does what was asked, says the whole length, and closes after half of the answer."""


@dataclass(frozen=True)
class Drip:
    """Does what was asked, and answers a byte at a time: the whole answer, its headers too, or only the body."""

    interval: float
    headers_too: bool = False


@dataclass(frozen=True)
class Twice:
    """Does what was asked, and sends the answer two times, the second after `pause` seconds."""

    pause: float = 0.0


@dataclass(frozen=True)
class Flood:
    """Sends `head`, then `piece` without end, for as long as anybody listens; how much it was is in `flooded`."""

    head: bytes
    piece: bytes


Fault = Answer | Changed | Late | CutBefore | CutAfter | Truncated | Drip | Twice | Flood


def redirect(to: str, status: int = 307) -> Answer:
    return Answer(status, {"Location": to})


def gzip_bomb(size: int) -> Answer:
    """An answer of `size` bytes of JSON, packed to about a thousandth."""
    return Answer(200, {**JSON, "Content-Encoding": "gzip"}, gzip.compress(b'["' + b"a" * size + b'"]'))


def nested(levels: int) -> Answer:
    return Answer(200, JSON, b"[" * levels + b"]" * levels)


def page(status: int = 200) -> Answer:
    """What a gateway says: HTML."""
    return Answer(status, {"Content-Type": "text/html"}, b"<html><script>alert(1)</script></html>")


class FaultServer:
    """Listens on loopback; each connection has a thread. `fhir` is the state, `seen` the requests in order.

    `apart`: questions for /metadata have no part in the plan and are kept in `asked`, so that a plan says what happens
    to what is sent; `statement_fault` is what happens to them.
    """

    apart = False
    statement_fault: Fault | None = None

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Seen] = []
        self.fhir = MemoryFhir()
        self.seen: list[Seen] = []
        self.connections = 0
        self.flooded = 0
        self._tls = tls
        self._plan: deque[Fault | None] = deque()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.port: int = self._listener.getsockname()[1]

    @property
    def base_url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/fhir"

    def plan(self, *faults: Fault | None) -> None:
        """The fates of the next requests, one each; None: it is answered well. After them all are."""
        with self._lock:
            self._plan.extend(faults)

    def forget(self) -> None:
        """What was planned and has not happened will not happen."""
        with self._lock:
            self._plan.clear()

    def as_partner(self, *, timeout: float = 5.0, bearer: bool = False, base_url: str = "", trust: str = "") -> Partner:
        authorisation = Authorisation("bearer", "PARTNER_TOKEN") if bearer else Authorisation()
        return Partner(
            id="lakeside",
            name="Lakeside",
            sectors=("education",),
            since=date(2026, 1, 1),
            timeout=timeout,
            base_url=base_url or self.base_url,
            private_addresses=True,
            trust=Trust("their-ca.pem" if trust else "", trust),
            authorisation=authorisation,
        )

    def __enter__(self) -> FaultServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        # A listener that is only closed may keep its accept() waiting.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                connection.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                number = self.connections
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with self._lock:
                self._open.add(connection)
            with connection, connection.makefile("rb") as incoming:
                while self._one(connection, incoming, number):
                    pass
        except (OSError, ValueError):
            pass  # the other side went away, or the test is over
        finally:
            with self._lock:
                self._open.discard(connection)

    def _one(self, connection: socket.socket, incoming: Any, number: int) -> bool:
        """Reads one request and answers it; says whether the connection lives on."""
        line = incoming.readline().decode().split()
        if len(line) != 3:
            return False
        headers = {}
        while (field_ := incoming.readline().decode("latin-1").strip()) != "":
            name, _, value = field_.partition(":")
            headers[name.strip().lower()] = value.strip()
        question = self.apart and line[1].endswith("/metadata")
        with self._lock:
            fault = self.statement_fault if question else self._plan.popleft() if self._plan else None
        if isinstance(fault, CutBefore):
            _reset(connection)
            return False
        body = incoming.read(int(headers.get("content-length", 0)))
        seen = Seen(line[0], line[1], headers, body, number)
        with self._lock:
            (self.asked if question else self.seen).append(seen)
        return self._fate(connection, seen, fault)

    def _fate(self, connection: socket.socket, seen: Seen, fault: Fault | None) -> bool:
        match fault:
            case Answer(status, headers, body, applied):
                if applied:
                    self._apply(seen)
                connection.sendall(_http(status, headers, body))
            case Changed(change, status):
                was, headers, body = self._apply(seen)
                body = json.dumps(change(json.loads(body))).encode()
                connection.sendall(_http(status or was, headers, body))
            case Late(seconds, applied):
                answer = self._apply(seen) if applied else (503, {}, b"")
                self._over.wait(seconds)
                connection.sendall(_http(*answer))
            case CutAfter(applied):
                if applied:
                    self._apply(seen)
                _reset(connection)
                return False
            case Truncated():
                whole = _http(*self._apply(seen))
                connection.sendall(whole[: -max(1, len(whole) // 4)])
                return False
            case Drip(interval, headers_too):
                self._drip(connection, _http(*self._apply(seen)), interval, headers_too)
            case Flood(head, piece):
                connection.sendall(head)
                while not self._over.is_set():
                    connection.sendall(piece)
                    self.flooded += len(piece)
            case Twice(pause):
                whole = _http(*self._apply(seen))
                connection.sendall(whole if pause else whole * 2)
                if pause:
                    self._over.wait(pause)
                    connection.sendall(whole)
            case _:
                connection.sendall(_http(*self._apply(seen)))
        return True

    def _drip(self, connection: socket.socket, whole: bytes, interval: float, headers_too: bool) -> None:
        begin = 0 if headers_too else whole.index(b"\r\n\r\n") + 4
        connection.sendall(whole[:begin])
        for place in range(begin, len(whole)):
            connection.sendall(whole[place : place + 1])
            if self._over.wait(interval):
                return

    def _apply(self, seen: Seen) -> tuple[int, Mapping[str, str], bytes]:
        with self._lock:
            path = seen.path.removeprefix("/fhir").lstrip("/")
            return self.fhir.handle(seen.method, path, seen.headers, seen.body)


def _http(status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
