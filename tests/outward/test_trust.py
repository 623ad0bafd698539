"""A partner known by its own authority: that one alone, for all that it is asked and told. Real sockets and TLS."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from urllib3.util.ssl_ import create_urllib3_context

from adapter.core.partner import Authorisation, Partner, Trust
from adapter.outward import subscriber
from adapter.outward.answer import Answered, NotSent
from adapter.outward.server import Server
from adapter.outward.signing import SigningKeys
from tests.outward.authority import Authority
from tests.outward.fault_server import Answer, FaultServer
from tests.outward.token_server import CLIENT, PASSWORD, Guarded


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"), "hospital")


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One that everybody trusts."""
    return Authority(tmp_path_factory.mktemp("public"), "public")


@pytest.fixture(autouse=True)
def everybody_trusts(public: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapter.outward.wire.DEFAULT_CA_BUNDLE_PATH", str(public.file))


def asked(partner: Partner) -> object:
    server = Server(partner, secret=None)
    try:
        answer = server.capability()
    finally:
        server.close()
    return (answer.reason, answer.doubt) if isinstance(answer, NotSent) else getattr(answer, "status", answer)


def test_the_public_ones_count_until_another_stands_in_their_place(ours: Authority, public: Authority) -> None:
    with FaultServer(public.server()) as server:
        assert asked(server.as_partner()) == 200
        assert asked(server.as_partner(trust=ours.file.read_text())) == ("no TLS", "not signed")
        assert asked(server.as_partner(trust=ours.file.read_text() + public.file.read_text())) == 200


def test_its_own_counts_for_this_partner_alone(ours: Authority) -> None:
    with FaultServer(ours.server()) as server:
        assert asked(server.as_partner(trust=ours.file.read_text())) == 200
        assert asked(server.as_partner()) == ("no TLS", "not signed")


def test_the_public_ones_are_not_added_while_others_are_asked(ours: Authority, public: Authority) -> None:
    """The same server, after exchanges that went well: nothing was learnt."""
    with FaultServer(ours.server()) as first, FaultServer(public.server()) as second:
        ways = [
            Server(each.as_partner(trust=ours.file.read_text()), secret=None) for each in (first, second, first, second)
        ]
        answers = [way.capability() for _ in range(2) for way in ways]
        assert [isinstance(each, Answered) for each in answers] == [True, False] * 4
        assert second.seen == []


def a_name(server: FaultServer) -> str:
    return f"https://localhost:{server.port}/fhir"


@pytest.mark.parametrize(
    ("days", "elsewhere", "doubt"),
    [
        pytest.param(-1, False, "ended", id="a certificate that has ended"),
        pytest.param(1, True, "another host's", id="a certificate of another host"),
    ],
)
def test_its_own_is_verified_as_any_is(ours: Authority, days: int, elsewhere: bool, doubt: str) -> None:
    with FaultServer(ours.server(days=days)) as server:
        url = a_name(server) if elsewhere else ""
        assert asked(server.as_partner(base_url=url, trust=ours.file.read_text())) == ("no TLS", doubt)
        assert server.seen == []


def test_an_authority_that_has_ended_vouches_for_nobody(tmp_path: Path) -> None:
    ended = Authority(tmp_path, days=-1)
    with FaultServer(ended.server()) as server:
        assert asked(server.as_partner(trust=ended.file.read_text())) == ("no TLS", "ended")


def test_an_issuing_authority_is_enough_without_the_one_above(tmp_path: Path, ours: Authority) -> None:
    issuing = Authority(tmp_path, "issuing", above=ours)
    with FaultServer(issuing.server()) as server:
        assert asked(server.as_partner(trust=issuing.file.read_text())) == 200


def test_an_old_authority_serves_under_every_python(ours: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 3.13 on a context is strict with extensions (RFC 5280), which authorities that people make often lack."""

    def strict() -> ssl.SSLContext:
        context = create_urllib3_context()
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr("adapter.outward.wire.create_urllib3_context", strict)
    with FaultServer(ours.server()) as server:
        assert asked(server.as_partner(trust=ours.file.read_text())) == 200


def test_what_is_no_certificate_lets_nothing_out(ours: Authority) -> None:
    with FaultServer(ours.server()) as server:
        there = replace(server.as_partner(), trust=Trust("ca.pem", "no certificate"))
        assert asked(there) == ("not configured", "")
        assert server.connections == 0


def test_a_server_without_tls_has_no_certificate_to_doubt() -> None:
    with FaultServer() as server:
        encrypted = server.base_url.replace("http:", "https:")
        assert asked(server.as_partner(base_url=encrypted)) == ("no TLS", "")


@pytest.mark.parametrize("elsewhere", [False, True], ids=["beside the server", "at another address"])
@pytest.mark.parametrize("kind", ["client-secret", "smart-backend"])
def test_it_counts_for_the_token_endpoint(ours: Authority, public: Authority, kind: str, elsewhere: bool) -> None:
    """One with a public certificate is not spoken to: no secret and no assertion leaves."""
    keys = SigningKeys().with_new("es", "ES384", datetime(2026, 1, 1, tzinfo=UTC))
    with FaultServer(ours.server()) as server, FaultServer(public.server()) as login:
        tokens = login if elsewhere else server
        server.fhir = login.fhir = Guarded(lambda: f"{tokens.base_url}/token", keys.public)
        url = f"{login.base_url}/token" if elsewhere else ""
        shown = Authorisation(kind, secret="S", token_url=url, client_id=CLIENT, scopes=("system/*.cruds",))  # type: ignore[arg-type]

        def answer(trust: str) -> object:
            there = replace(server.as_partner(trust=trust), authorisation=shown)
            way = Server(there, secret=PASSWORD, signing=lambda: keys)
            found = way.capability()
            way.close()
            return found

        own = ours.file.read_text()
        if elsewhere:
            assert answer(own) == NotSent("no TLS")
            assert login.seen == [] and server.seen == []
            own += public.file.read_text()
        assert isinstance(answer(own), Answered)


@pytest.mark.parametrize("trusted", [True, False])
def test_it_counts_where_a_subscriber_is_told(ours: Authority, public: Authority, trusted: bool) -> None:
    signed: Callable[[], str] = (ours if trusted else public).file.read_text
    with FaultServer(ours.server()) as server:
        server.plan(Answer(204))
        answer = subscriber.post(server.base_url, b"{}", (), timeout=3, private=True, trust=signed())
        assert isinstance(answer, Answered) == trusted
        assert len(server.seen) == trusted
