"""What the outward edge makes of a partner's server that fails: the real client, real sockets."""

from __future__ import annotations

import gc
import json
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.core.partner import Authorisation
from adapter.outward.answer import Answered, NotSent, Unknown
from adapter.outward.server import Server
from adapter.outward.wire import Exchange
from tests.outward import fault_server as faults
from tests.outward.fault_server import JSON, FaultServer

SECRET = "s3cret-t0ken-of-the-school-board"
BUNDLE = json.dumps(
    {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:1",
                "resource": {"resourceType": "Goal", "identifier": [{"system": "https://s", "value": "a|b"}]},
                "request": {"method": "POST", "url": "Goal", "ifNoneExist": "identifier=https://s%7Ca%5C%7Cb"},
            }
        ],
    }
).encode()


@pytest.fixture
def partner() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def _transact(partner: FaultServer, *, timeout: float = 5.0) -> Any:
    return Server(partner.as_partner(timeout=timeout), secret=None).transact(BUNDLE, request_id="r-1")


@pytest.mark.parametrize(
    ("fault", "expected", "applied"),
    [
        pytest.param(None, Answered(200), True, id="a server that behaves has answered"),
        pytest.param(faults.Answer(500, JSON, b"{}"), Answered(500), False, id="an error is an answer"),
        pytest.param(faults.Answer(503, {}, b""), Answered(503), False, id="an answer may have no body"),
        pytest.param(faults.CutBefore(), Unknown("connection lost"), False, id="cut before reading is unknown"),
        pytest.param(faults.CutAfter(), Unknown("connection lost"), True, id="cut after applying is unknown"),
        pytest.param(faults.Truncated(), Unknown("connection lost"), True, id="half an answer is unknown"),
        pytest.param(faults.Late(5), Unknown("time ran out"), True, id="an answer that comes too late is unknown"),
        pytest.param(faults.Drip(0.1), Unknown("time ran out"), True, id="a body that drips does not prolong the time"),
        pytest.param(
            faults.Drip(0.1, headers_too=True), Unknown("time ran out"), True, id="headers that drip do not either"
        ),
        pytest.param(faults.page(), Answered(200, unreadable="content type"), False, id="HTML is not read"),
        pytest.param(
            faults.Answer(200, {"Content-Type": "application/fhir+json; charset=latin-1"}, b"{}"),
            Answered(200, unreadable="content type"),
            False,
            id="another charset is not read",
        ),
        pytest.param(faults.nested(100_000), Answered(200, unreadable="too large"), False, id="depth is not read"),
        pytest.param(
            faults.gzip_bomb(200_000_000), Answered(200, unreadable="too large"), False, id="a gzip bomb stays packed"
        ),
        pytest.param(
            faults.Answer(200, JSON, b'"' + b"a" * 10_000_000 + b'"'),
            Answered(200, unreadable="too large"),
            False,
            id="ten megabytes are too many",
        ),
        pytest.param(
            faults.Answer(200, {**JSON, "Content-Encoding": "br"}, b"{}"),
            Answered(200, unreadable="encoding"),
            False,
            id="an encoding that was not offered is not read",
        ),
        pytest.param(
            faults.Answer(200, {**JSON, "Content-Encoding": "gzip"}, b"{}"),
            Answered(200, unreadable="encoding"),
            False,
            id="gzip that is none is not read",
        ),
        pytest.param(
            faults.Answer(200, JSON, b'{"a": 1, "a": 2}'),
            Answered(200, unreadable="not JSON"),
            False,
            id="a key that is there twice is not read",
        ),
        pytest.param(faults.Answer(204), Answered(204), False, id="no content is no content"),
        pytest.param(
            faults.Answer(200, {"Content-Type": f"{JSON['Content-Type']}; charset*{'9' * 5000}*=x"}, b"{}"),
            Answered(200, unreadable="content type"),
            False,
            id="a charset in more pieces than can be counted is not read",
        ),
        pytest.param(
            faults.Answer(200, JSON, b"\xef\xbb\xbf{}"), Answered(200), False, id="a mark before UTF-8 is passed over"
        ),
    ],
)
def test_a_fault_has_its_answer(partner: FaultServer, fault: Any, expected: Any, applied: bool) -> None:
    """Each fault is the value that says whether it may have been done; and it never takes longer than the limit."""
    partner.plan(fault)
    begun = time.monotonic()
    answer = _transact(partner, timeout=1.0)
    assert time.monotonic() - begun < 3.0
    if isinstance(answer, Answered):
        answer = replace(answer, body=None, headers={})
    assert answer == expected
    assert bool(partner.fhir.resources) is applied


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.Flood(CHUNKED + b"-1\r\n", b"a" * 65_536), id="in a chunk of less than no length"),
        pytest.param(faults.Flood(HEAD + b"\r\n", b"a" * 65_536), id="in a body without a length"),
    ],
)
def test_what_comes_without_end_is_not_kept(partner: FaultServer, fault: faults.Flood) -> None:
    """However long a partner may take, no more than a measure of bytes is read of what it says."""
    partner.plan(fault)
    answer = _transact(partner, timeout=60.0)
    assert answer == Unknown("connection lost") or getattr(answer, "unreadable", "") == "too large"
    assert partner.flooded < 50_000_000


def test_the_body_is_read_exactly(partner: FaultServer) -> None:
    """Headers that matter are kept, others are not; a body that is packed is unpacked."""
    import gzip

    packed = gzip.compress(b'{"value": 1.50}')
    headers = {**JSON, "Content-Encoding": "gzip", "ETag": 'W/"3"', "X-Other": "x", "Retry-After": "7"}
    partner.plan(faults.Answer(200, headers, packed))
    answer = _transact(partner)
    assert isinstance(answer, Answered)
    assert str(answer.body["value"]) == "1.50"
    assert (dict(answer.headers), answer.retry_after) == ({"etag": 'W/"3"'}, timedelta(seconds=7))


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        pytest.param("120", 120, 120, id="seconds"),
        pytest.param("Wed, 21 Oct 2099 07:28:00 GMT", 10**9, 10**10, id="a date to come"),
        pytest.param("9" * 400, 0, 10**9, id="a number without end is cut"),
        pytest.param("Wed, 21 Oct 2015 07:28:00 GMT", None, None, id="a date that has passed is none"),
        pytest.param("soon", None, None, id="a word is none"),
        pytest.param("-5", None, None, id="less than nothing is none"),
    ],
)
def test_retry_after_is_read(partner: FaultServer, value: str, least: int | None, most: int | None) -> None:
    """RFC 9110: seconds or a date."""
    partner.plan(faults.Answer(429, {"Retry-After": value}))
    wait = _transact(partner).retry_after
    assert (wait is None) if least is None else least <= wait.total_seconds() <= most


def test_headers_say_who_asks_and_what_is_wanted(partner: FaultServer) -> None:
    """Token, content type, request id and the wish for a short answer go along; and nothing of the library's own."""
    server = Server(partner.as_partner(bearer=True), secret=SECRET)
    server.transact(BUNDLE, request_id="r-7")
    sent = partner.seen[0].headers
    assert sent["authorization"] == f"Bearer {SECRET}"
    assert sent["content-type"] == sent["accept"] == "application/fhir+json"
    assert (sent["x-request-id"], sent["prefer"]) == ("r-7", "return=minimal")
    assert sent["x-meta-snapshot-mode"] == "TAG, PROFILE, SECURITY_LABEL"
    assert sent["user-agent"] == "csp-fhir-adapter"
    assert partner.seen[0].path == "/fhir"


def test_looking_by_identifier_and_reading(partner: FaultServer) -> None:
    """After an unknown outcome the resource is found by its identifier, whatever characters that holds."""
    partner.plan(faults.CutAfter())
    server = Server(partner.as_partner(), secret=None)
    assert server.transact(BUNDLE, request_id="r") == Unknown("connection lost")
    found = server.find("Goal", ("https://s", "a|b"))
    assert isinstance(found, Answered)
    assert [entry["resource"]["id"] for entry in found.body["entry"]] == ["1"]
    assert partner.seen[-1].headers["cache-control"] == "no-cache"
    read = server.read("Goal", "1")
    assert isinstance(read, Answered) and read.body["resourceType"] == "Goal"
    metadata = server.capability()
    assert isinstance(metadata, Answered) and metadata.body["resourceType"] == "CapabilityStatement"


@pytest.mark.parametrize("id_", ["../Patient/1", "a/b", "", "a?b", "a" * 65])
def test_an_id_that_is_none_is_never_asked_for(partner: FaultServer, id_: str) -> None:
    """Ids come from partners; one that leads elsewhere is refused before a request is made of it."""
    with pytest.raises(ValueError, match="not a FHIR type or id"):
        Server(partner.as_partner(), secret=None).read("Goal", id_)


def test_connections_are_kept(partner: FaultServer) -> None:
    """Twenty requests use one connection."""
    server = Server(partner.as_partner(), secret=None)
    for number in range(20):
        assert isinstance(server.transact(BUNDLE, request_id=str(number)), Answered)
    assert partner.connections == 1


@pytest.mark.parametrize("pause", [0.0, 0.05], ids=["at once", "later"])
def test_an_answer_sent_twice_is_no_answer_to_the_next_request(partner: FaultServer, pause: float) -> None:
    """What is left over on a kept connection is never read as the answer to something else."""
    server = Server(partner.as_partner(), secret=None)
    server.transact(BUNDLE, request_id="r")
    partner.plan(faults.Twice(pause))
    assert isinstance(server.capability(), Answered)
    time.sleep(0.1)
    answer = server.read("Goal", "1")
    assert isinstance(answer, Answered) and answer.body["resourceType"] == "Goal"


@pytest.mark.parametrize("ask", ["transact", "read"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(partner: FaultServer, status: int, ask: str) -> None:
    """Neither a token nor a plan goes where an answer points."""
    with FaultServer() as elsewhere:
        partner.plan(faults.redirect(elsewhere.base_url + "/Goal/1", status))
        server = Server(partner.as_partner(bearer=True), secret=SECRET)
        answer = server.transact(BUNDLE, request_id="r") if ask == "transact" else server.read("Goal", "1")
        assert isinstance(answer, Answered) and answer.status == status
        assert (elsewhere.connections, len(partner.seen)) == (0, 1)


def test_proxies_passwords_and_cookies_of_the_environment_stay_out(
    partner: FaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither HTTP_PROXY nor .netrc changes a request, and no cookie is brought back."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with FaultServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        server = Server(partner.as_partner(), secret=None)
        partner.plan(faults.Answer(200, {**JSON, "Set-Cookie": "a=b"}, b"{}"))
        assert isinstance(server.capability(), Answered)
        assert isinstance(server.capability(), Answered)
        assert proxy.connections == 0
    assert not {"authorization", "cookie"} & {name for seen in partner.seen for name in seen.headers}


@pytest.mark.parametrize(
    ("url", "private", "expected"),
    [
        pytest.param("http://127.0.0.1:{port}/fhir", False, "not configured", id="http without private addresses"),
        pytest.param("https://127.0.0.1:{port}/fhir", False, "address not allowed", id="loopback"),
        pytest.param("https://localhost:{port}/fhir", False, "address not allowed", id="a name of loopback"),
        pytest.param("https://2130706433:{port}/fhir", False, "address not allowed", id="loopback as a number"),
        pytest.param("https://0x7f.1:{port}/fhir", False, "address not allowed", id="loopback in hexadecimal"),
        pytest.param("https://[::1]:{port}/fhir", False, "address not allowed", id="loopback over IPv6"),
        pytest.param("https://[::ffff:127.0.0.1]:{port}/", False, "address not allowed", id="loopback mapped to IPv6"),
        pytest.param("https://10.0.0.1/fhir", False, "address not allowed", id="a private address"),
        pytest.param("https://169.254.169.254/", True, "address not allowed", id="metadata, always"),
        pytest.param("http://8.8.8.8/fhir", True, "address not allowed", id="a public address in clear"),
        pytest.param("http://127.0.0.1:1/fhir", True, "no connection", id="a port where nobody listens"),
        pytest.param("https://127.0.0.1:{port}/fhir", True, "no TLS", id="a server that speaks no TLS"),
        pytest.param("https://partner.invalid/fhir", True, "no name", id="a name that leads nowhere"),
        pytest.param(f"https://{'a' * 64}.org/fhir", True, "no name", id="a label that is too long"),
        pytest.param("ftp://127.0.0.1/", True, "not configured", id="another protocol"),
        pytest.param("https://user:pw@127.0.0.1/", True, "not configured", id="a password in the address"),
        pytest.param("https://127.0.0.1/fhir?x=1", True, "not configured", id="a query in the address"),
        pytest.param("https://127.0.0.1:99999/", True, "not configured", id="a port that is none"),
        pytest.param("https://[::1/", True, "not configured", id="half an address"),
        pytest.param("https://*.partner.invalid/fhir", True, "not configured", id="a host that stands for many"),
        pytest.param("https://.partner.invalid/fhir", True, "not configured", id="a host that begins with a dot"),
        pytest.param("", True, "not configured", id="no address"),
    ],
)
def test_what_is_surely_not_sent(partner: FaultServer, url: str, private: bool, expected: str) -> None:
    """Where no byte of the request leaves, the answer says so, and why."""
    there = replace(partner.as_partner(timeout=3), base_url=url.format(port=partner.port), private_addresses=private)
    assert Server(there, secret=None).transact(BUNDLE, request_id="r") == NotSent(expected)  # type: ignore[arg-type]
    assert partner.seen == []


def test_a_name_is_resolved_once(partner: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that gives an allowed address first and another one next is asked once: there is no second look."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "169.254.169.254", port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    there = partner.as_partner(base_url=f"http://rebinding.example:{partner.port}/fhir")
    assert isinstance(Server(there, secret=None).capability(), Answered)
    assert asked == ["rebinding.example"]
    assert partner.seen[0].headers["host"] == f"rebinding.example:{partner.port}"


def test_where_the_time_runs_out_once_it_is_connected_the_connection_is_closed(
    partner: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sent. (A socket that nobody closes is a warning, and a warning is an error here.)"""
    left = iter((1.0, TimeoutError("over")))

    def passing(_: Exchange) -> float:
        seconds = next(left)
        if isinstance(seconds, float):
            return seconds
        raise seconds

    monkeypatch.setattr(Exchange, "left", passing)
    assert isinstance(_transact(partner), NotSent)
    gc.collect()
    assert not partner.seen


def test_one_forbidden_address_among_several_is_enough(partner: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads to an allowed and to a forbidden address is not tried at all."""
    places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, partner.port)) for ip in ("127.0.0.1", "169.254.1.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: places)
    assert Server(partner.as_partner(), secret=None).capability() == NotSent("address not allowed")
    assert partner.connections == 0


@pytest.mark.parametrize(
    "secret", [None, "", "two\r\nX-Injected: 1", "a b", "clé"], ids=["none", "empty", "line break", "blank", "accent"]
)
def test_without_a_usable_token_nothing_is_sent(partner: FaultServer, secret: str | None) -> None:
    """A partner that asks for a token is not asked without one."""
    server = Server(partner.as_partner(bearer=True), secret=secret)
    assert server.transact(BUNDLE, request_id="r") == NotSent("not configured")
    assert partner.connections == 0


def test_a_secret_is_not_sent_where_none_is_asked_for(partner: FaultServer) -> None:
    """`none` means none, even if a secret is at hand."""
    there = replace(partner.as_partner(), authorisation=Authorisation("none"))
    Server(there, secret=SECRET).capability()
    assert "authorization" not in partner.seen[0].headers


def test_no_value_shows_the_token_or_a_body(partner: FaultServer) -> None:
    """What may be printed or logged by accident holds neither."""
    server = Server(partner.as_partner(bearer=True), secret=SECRET)
    partner.plan(faults.Answer(400, JSON, b'{"name": "Ama Example"}'))
    shown = repr(server) + repr(server.transact(BUNDLE, request_id="r"))
    assert SECRET not in shown and "Ama" not in shown and "status=400" in shown


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ssl.SSLContext]:
    """One that a server has signed for itself, and the TLS that shows it."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
    _make_certificate(key, certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return Path(certificate).read_text("ascii"), context


class TestTLS:
    """Certificates are checked against the name, and the limits hold inside of TLS."""

    def test_a_trusted_server_is_spoken_to(self, certificate: tuple[str, ssl.SSLContext]) -> None:
        with FaultServer(certificate[1]) as partner:
            server = Server(partner.as_partner(trust=certificate[0]), secret=None)
            assert isinstance(server.transact(BUNDLE, request_id="r"), Answered)
            assert isinstance(server.transact(BUNDLE, request_id="r"), Answered)
            assert partner.connections == 1

    def test_an_unknown_certificate_is_refused(self, certificate: tuple[str, ssl.SSLContext]) -> None:
        with FaultServer(certificate[1]) as partner:
            assert Server(partner.as_partner(), secret=None).capability() == NotSent("no TLS")
            assert partner.seen == []

    def test_another_name_is_refused(self, certificate: tuple[str, ssl.SSLContext]) -> None:
        with FaultServer(certificate[1]) as partner:
            there = partner.as_partner(base_url=f"https://localhost:{partner.port}/fhir", trust=certificate[0])
            assert Server(there, secret=None).capability() == NotSent("no TLS")

    @pytest.mark.parametrize("fault", [faults.Drip(0.1), faults.Drip(0.1, headers_too=True), faults.Late(5)])
    def test_time_ends_inside_of_tls(self, certificate: tuple[str, ssl.SSLContext], fault: Any) -> None:
        with FaultServer(certificate[1]) as partner:
            partner.plan(fault)
            begun = time.monotonic()
            server = Server(partner.as_partner(timeout=0.6, trust=certificate[0]), secret=None)
            assert server.transact(BUNDLE, request_id="r") == Unknown("time ran out")
            assert time.monotonic() - begun < 2

    def test_a_handshake_that_never_ends_is_not_sent(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent, FaultServer() as partner:
            there = partner.as_partner(base_url=f"https://127.0.0.1:{silent.getsockname()[1]}/", timeout=0.5)
            begun = time.monotonic()
            assert Server(there, secret=None).capability() == NotSent("no TLS")
            assert time.monotonic() - begun < 2


def _make_certificate(key_file: str, certificate_file: str) -> None:
    from datetime import UTC, datetime
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "partner")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    Path(certificate_file).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    Path(key_file).write_bytes(key.private_bytes(*form))
