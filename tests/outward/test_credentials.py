"""What is missing of what partners are shown, or cannot be used, is told in a sentence before anything is sent."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import paramiko
import pytest

from adapter.core.partner import Authorisation, Partner, Trust
from adapter.outward.credentials import lacking
from adapter.outward.signing import SigningKeys
from adapter.wiring import _servers
from tests.outward.authority import Authority
from tests.outward.fault_server import FaultServer

NOW = datetime.now(UTC)
BEARER = Authorisation("bearer", "TOKEN")
MTLS = Authorisation("mtls", certificate="OURS")


def told(
    asked: Authorisation,
    secret: str | None = None,
    *,
    keys: SigningKeys | None = None,
    partner: dict[str, Any] | None = None,
    **changed: Any,
) -> str:
    whom = Partner("school", "A school", ("education",), date(2026, 1, 1), authorisation=asked, **(partner or {}))
    values = {"secret": secret, "certificate": None, "now": NOW, **changed}
    return " ".join(lacking(whom, signing=lambda: keys or SigningKeys(), **values))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize(
    ("asked", "secret", "says"),
    [
        pytest.param(Authorisation("none"), None, "", id="nothing is shown"),
        pytest.param(BEARER, None, "set the variable TOKEN", id="no token"),
        pytest.param(BEARER, "", "set the variable TOKEN", id="an empty one"),
        pytest.param(BEARER, "two words", "What TOKEN holds", id="a token with a blank within"),
        pytest.param(BEARER, "abc.def", "", id="a token"),
        pytest.param(Authorisation("client-secret", "S", client_id="us"), "two words", "", id="a secret with a blank"),
        pytest.param(Authorisation("client-secret", "S", client_id="us"), "two\nlines", "What S holds", id="two lines"),
        pytest.param(Authorisation("ssh-key", "K"), "no key", "no private key", id="no private key"),
        pytest.param(Authorisation("password", "P"), "two words", "", id="a password"),
    ],
)
def test_a_secret_that_is_missing_or_cannot_be_shown_is_told(
    asked: Authorisation, secret: str | None, says: str
) -> None:
    sentence = told(asked, secret)
    assert says in sentence and bool(says) == bool(sentence)
    assert not secret or secret not in sentence


def test_a_private_key_is_one() -> None:
    text = io.StringIO()
    paramiko.ECDSAKey.generate().write_private_key(text)
    assert told(Authorisation("ssh-key", "K"), text.getvalue()) == ""


def test_a_certificate_that_cannot_be_shown_is_told(authority: Authority) -> None:
    """Missing, without its key, with another's, locked, over or not begun: each as it is."""
    ours, other = authority.certificate("us"), authority.certificate("others")
    key = ours.index("-----BEGIN PRIVATE KEY")
    anothers = ours[:key] + other[other.index("-----BEGIN PRIVATE KEY") :]
    assert "set the variable OURS" in told(MTLS)
    for wrong in ("garbage", ours[:key], ours[key:], anothers, authority.certificate("us", password=b"x")):
        assert "What OURS holds is no certificate" in told(MTLS, certificate=wrong)
    assert told(MTLS, certificate=ours) == ""
    assert "ended on" in told(MTLS, certificate=ours, now=NOW + timedelta(days=2))
    assert "begins on" in told(MTLS, certificate=ours, now=NOW - timedelta(days=30))


def test_an_authority_that_has_ended_is_told_unless_another_is_in_force(tmp_path: Path) -> None:
    ended, sound = (Authority(tmp_path, name, days=days).file.read_text() for name, days in (("old", -2), ("new", 1)))
    trusted = {"trust": Trust("ca.pem", ended)}
    day = (NOW - timedelta(days=2)).date().isoformat()
    said = told(Authorisation(), partner=trusted)
    assert f"in ca.pem (trust) ended on {day}" in said
    assert "has not begun" in told(Authorisation(), partner=trusted, now=NOW - timedelta(days=30))
    for certificates in (sound, ended + sound, sound + ended):
        assert told(Authorisation(), partner={"trust": Trust("ca.pem", certificates)}) == ""


def test_a_signing_key_that_is_not_there_is_told() -> None:
    asked = Authorisation("smart-backend", client_id="us")
    keys = SigningKeys().with_new("es", "ES384", NOW)
    assert "`adapter key new --algorithm ES384`" in told(asked)
    assert told(asked, keys=keys) == ""
    assert "signing key other" in told(Authorisation("smart-backend", client_id="us", key="other"), keys=keys)


def test_a_file_with_a_secret_that_comes_later_is_used_without_a_restart(tmp_path: Path) -> None:
    """Until then nothing is sent, and no share is stopped by it: whoever hands out secrets may be late."""
    file = tmp_path / "token"
    with FaultServer() as there:
        partner = there.as_partner(bearer=True)
        name = partner.authorisation.secret
        catalogue: Any = type("Catalogue", (), {"partners": {partner.id: partner}})
        server = _servers(catalogue, {f"{name}_FILE": str(file)}, SigningKeys)
        for content in (None, b"", b"\xff\xfe"):
            if content is not None:
                file.write_bytes(content)
            assert server(partner.id).find("Goal", ("urn:x", "y")).reason == "not configured"  # type: ignore[union-attr]
        file.write_text("abc\n")
        server(partner.id).find("Goal", ("urn:x", "y"))
        assert [seen.headers["authorization"] for seen in there.seen] == ["Bearer abc"]
        assert server(partner.id) is server(partner.id)
