"""The way to one partner's host: an address that was checked, and one limit of time for the whole exchange."""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Mapping
from typing import Any, Literal

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from adapter import log
from adapter.outward.address import allowed
from adapter.outward.answer import Doubt

Stage = Literal["no name", "address not allowed", "no connection", "no TLS", "sent"]
"""How far an exchange came: why nothing was sent, or that something may have been."""

_DOUBTS: Mapping[int, Doubt] = {
    9: "ended", 10: "ended", 62: "another host's", 64: "another host's",
    2: "not signed", 7: "not signed", 18: "not signed", 19: "not signed", 20: "not signed", 21: "not signed",
}  # fmt: skip
"""By OpenSSL's numbers (X509_V_ERR_…, x509_vfy.h); "ended" also where it has not begun, or an authority's has."""


class Exchange(threading.local):
    """The exchange that the current thread has under way: its deadline (monotonic seconds), how far it came, and how
    many bytes may still come."""

    deadline = 0.0
    stage: Stage = "no connection"
    doubt: Doubt = ""
    room = 0

    def begin(self, seconds: float, *, most: int) -> None:
        self.doubt = ""
        self.deadline = time.monotonic() + seconds
        self.stage = "no connection"
        self.room = most

    def came(self, count: int) -> None:
        """OSError where that is more than may come: whatever http.client makes of a length, none is read for ever."""
        self.room -= count
        if self.room < 0:
            raise OSError("more bytes came than are read of an answer")

    def left(self) -> float:
        """Seconds until the deadline; TimeoutError when it has passed."""
        if self.is_over():
            raise TimeoutError("the time for this exchange is over")
        return max(self.deadline - time.monotonic(), 0.001)

    def is_over(self) -> bool:
        return time.monotonic() >= self.deadline


class _Timed(socket.socket):
    """A socket of which every wait ends at the deadline of the exchange: a trickle of bytes does not prolong it."""

    exchange: Exchange | None = None

    def _limit(self) -> None:
        if self.exchange is not None:
            self.settimeout(self.exchange.left())

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self._limit()
        count = super().recv_into(*args, **kwargs)
        if self.exchange is not None:
            self.exchange.came(count)
        return count

    def send(self, *args: Any, **kwargs: Any) -> int:
        self._limit()
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self._limit()
        super().sendall(*args, **kwargs)


class _TimedTLS(_Timed, ssl.SSLSocket):
    pass


class _Way:
    """What plain and TLS connections do alike; mixed in before urllib3's own."""

    host: str
    port: int
    sock: Any
    exchange: Exchange
    private: bool
    encrypted: bool

    def _new_conn(self) -> socket.socket:
        """Resolves once, checks every address, and connects to one of those: no second look-up can lead elsewhere."""
        self.exchange.stage = "no name"
        found = socket.getaddrinfo(self.host.strip("[]"), self.port, type=socket.SOCK_STREAM)
        self.exchange.stage = "address not allowed"
        if not all(allowed(str(place[0]), private=self.private, encrypted=self.encrypted) for *_, place in found):
            raise ConnectionRefusedError("the address is not allowed")
        self.exchange.stage = "no connection"
        connected = self._first(found)
        self.exchange.stage = "no TLS"
        return connected

    def _first(self, found: list[Any]) -> socket.socket:
        refusal: OSError = OSError("the name has no address")
        for family, kind, protocol, _, place in found:
            connection = _Timed(family, kind, protocol)
            try:
                connection.settimeout(self.exchange.left())
                connection.connect(place)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.exchange = self.exchange
                connection.settimeout(self.exchange.left())
            except OSError as error:  # also where the time ran out just now
                connection.close()
                refusal = error
            else:
                return connection
        raise refusal

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        self.exchange.stage = "sent"
        super().send(data)  # type: ignore[misc]


class _Plain(_Way, HTTPConnection):
    def __init__(self, *args: Any, exchange: Exchange, private: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.exchange, self.private, self.encrypted = exchange, private, False


class _Encrypted(_Way, HTTPSConnection):
    def __init__(self, *args: Any, exchange: Exchange, private: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.exchange, self.private, self.encrypted = exchange, private, True

    def connect(self) -> None:
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            self.exchange.doubt = _DOUBTS.get(error.verify_code, "")
            raise
        self.sock.exchange = self.exchange


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _EncryptedPool(HTTPSConnectionPool):
    ConnectionCls = _Encrypted


class Wire(HTTPAdapter):
    """An HTTPAdapter that reaches one host and no other, whatever a request or a proxy setting says.

    `certificate` is what we show of ourselves in TLS: PEM, the certificate with those above it, and its key; `trust`
    those by which the host is known, in place of the public ones: PEM too, each as it stands, so that an authority's
    will do without the one above it. OSError (ssl.SSLError is one) or ValueError where they cannot be used.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        encrypted: bool,
        private: bool,
        exchange: Exchange,
        certificate: str = "",
        trust: str = "",
    ) -> None:
        super().__init__(max_retries=0)
        self._public = not trust
        log.replace_lines_of("urllib3", "requests")
        ways: dict[str, Any] = {"exchange": exchange, "private": private}
        if encrypted:
            context = create_urllib3_context()
            context.sslsocket_class = _TimedTLS
            if certificate:
                present(context, certificate)
            if trust:
                context.load_verify_locations(cadata=trust)
                # As they stand, and under every Python: 3.13 began to ask old authorities for extensions (RFC 5280).
                context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
                context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            self._pool: HTTPConnectionPool = _EncryptedPool(host, port, maxsize=4, ssl_context=context, **ways)
        else:
            self._pool = _PlainPool(host, port, maxsize=4, **ways)

    def get_connection_with_tls_context(self, *_args: Any, **_kwargs: Any) -> HTTPConnectionPool:
        return self._pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Each is verified, whatever was asked. Where `trust` stands alone the public ones are never added to it, not
        for a moment: threads share these."""
        conn.cert_reqs = "CERT_REQUIRED"
        if self._public:
            conn.ca_certs = DEFAULT_CA_BUNDLE_PATH

    def request_url(self, request: PreparedRequest, *_args: Any) -> str:
        """Path and query only: never the form that a proxy is asked with."""
        return request.path_url

    def close(self) -> None:
        self._pool.close()
        super().close()


def present(context: ssl.SSLContext, certificate: str) -> None:
    """Show this certificate (PEM, with those above it and its key). OSError (ssl.SSLError is one) or ValueError where
    it cannot be used.

    OpenSSL reads a certificate with its key from a file only: one that is ours alone, and gone again at once.
    """

    def none_is_asked_for() -> str:
        return ""  # else OpenSSL would ask for the password of a locked key on the terminal

    with tempfile.NamedTemporaryFile("w", prefix="csp-", suffix=".pem", encoding="utf-8") as file:
        file.write(certificate)
        file.flush()
        context.load_cert_chain(file.name, password=none_is_asked_for)
