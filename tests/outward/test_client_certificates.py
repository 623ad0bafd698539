"""Our certificate in TLS: shown where the partner file names one, alone or beside a token; never asked of a person."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapter.core.partner import Authorisation, Partner
from adapter.outward.answer import Answered, NotSent, Unknown
from adapter.outward.server import Server
from adapter.outward.signing import SigningKeys
from tests.outward.authority import Authority
from tests.outward.fault_server import FaultServer
from tests.outward.token_server import CLIENT, PASSWORD, Guarded

MTLS = Authorisation("mtls", certificate="CERTIFICATE")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def partner(authority: Authority) -> Iterator[FaultServer]:
    """A server that speaks only to clients whose certificate the authority has signed."""
    with FaultServer(authority.server(wants_clients_of=authority.file)) as server:
        yield server


@pytest.fixture
def asked(authority: Authority) -> Callable[..., Partner]:
    """The partner's file, by which that authority is trusted."""

    def of(partner: FaultServer, authorisation: Authorisation = MTLS) -> Partner:
        there = partner.as_partner(timeout=3, trust=authority.file.read_text())
        return replace(there, authorisation=authorisation)

    return of


def test_a_certificate_opens(partner: FaultServer, asked: Callable[..., Partner], authority: Authority) -> None:
    server = Server(asked(partner), secret=None, certificate=authority.certificate("us"))
    for _ in range(2):
        answer = server.capability()
        assert isinstance(answer, Answered) and answer.status == 200
    assert partner.connections == 1
    assert "authorization" not in partner.seen[0].headers


@pytest.mark.parametrize("who", ["nobody", "a stranger", "one whose time is over"])
def test_another_certificate_or_none_opens_nothing(
    partner: FaultServer, asked: Callable[..., Partner], authority: Authority, tmp_path: Path, who: str
) -> None:
    shown = {
        "nobody": None,
        "a stranger": Authority(tmp_path, "another").certificate("us"),
        "one whose time is over": authority.certificate("us", days=-1),
    }[who]
    there = asked(partner, Authorisation() if shown is None else MTLS)
    answer = Server(there, secret=None, certificate=shown).capability()
    # In TLS 1.3 a server refuses what the client showed only after the client may send.
    assert answer in (NotSent("no TLS"), Unknown("connection lost"))
    assert partner.seen == []


@pytest.mark.parametrize("kind", ["client-secret", "smart-backend"])
def test_a_certificate_goes_with_a_token(
    partner: FaultServer, asked: Callable[..., Partner], authority: Authority, kind: str
) -> None:
    """To the server and to the token endpoint alike, which is found through it, too."""
    keys = SigningKeys().with_new("es", "ES384", datetime(2026, 1, 1, tzinfo=UTC))
    partner.fhir = Guarded(lambda: f"{partner.base_url}/token", keys.public)
    authorisation = Authorisation(
        kind,  # type: ignore[arg-type]
        secret="SECRET",
        certificate="CERTIFICATE",
        client_id=CLIENT,
        scopes=("system/*.cruds",),
    )
    answer = Server(
        asked(partner, authorisation),
        secret=PASSWORD,
        certificate=authority.certificate("us"),
        signing=lambda: keys,
    ).capability()
    assert isinstance(answer, Answered) and answer.status == 200
    assert [seen.path for seen in partner.seen][1:] == ["/fhir/token", "/fhir/metadata"]


@pytest.mark.parametrize("what", ["locked", "words", "half", "without a key", "of others"])
def test_a_certificate_that_cannot_be_used_is_said_and_no_password_asked_for(
    partner: FaultServer,
    asked: Callable[..., Partner],
    authority: Authority,
    what: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    whole, other = authority.certificate("us"), authority.certificate("them")
    certificate = {
        "locked": authority.certificate("us", password=b"secret"),
        "words": "not a certificate",
        "half": whole[: len(whole) // 3],
        "without a key": whole.partition("-----BEGIN PRIVATE")[0],
        "of others": whole.partition("-----BEGIN PRIVATE")[0] + other[other.index("-----BEGIN PRIVATE") :],
    }[what]
    server = Server(asked(partner), secret=None, certificate=certificate)
    assert server.capability() == NotSent("not configured")
    assert partner.connections == 0
    assert "".join(capfd.readouterr()) == ""


def test_no_certificate_stays_in_a_file(
    partner: FaultServer,
    asked: Callable[..., Partner],
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    Server(asked(partner), secret=None, certificate=authority.certificate("us")).capability()
    assert list(tmp_path.iterdir()) == []


def test_a_certificate_is_not_shown_in_clear(asked: Callable[..., Partner], authority: Authority) -> None:
    with FaultServer() as plain:
        server = Server(asked(plain), secret=None, certificate=authority.certificate("us"))
        assert server.capability() == NotSent("not configured")
        assert plain.connections == 0
