"""A partner file says how we show who we are: each kind with what it needs, and nothing that is of no use to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.catalogue.files import Found
from adapter.catalogue.partners import read_partners
from adapter.core.partner import Authorisation, Partner

LEAST = """\
name = "Lakeside"
sectors = ["education"]
since = 2026-01-15
base_url = "https://fhir.lakeside.example.ca/fhir"
"""
SMART = 'kind = "smart-backend"\nclient_id = "csp"\nscopes = ["system/*.cruds"]\n'
SECRET = 'kind = "client-secret"\nclient_id = "csp"\nsecret = "LAKESIDE_SECRET"\n'


def read(folder: Path, table: str, above: str = "") -> tuple[Partner, list[str]]:
    (folder / "lakeside.toml").write_text(f"{LEAST}{above}[authorisation]\n{table}", encoding="utf-8")
    found = Found()
    partners = read_partners(folder, found, sectors=["education"], identifier_types=[], dialects=["generic"])
    return partners["lakeside"], [f"{each.line}: {each.detail}" for each in found.errors]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param("", Authorisation(), id="nothing"),
        pytest.param('kind = "bearer"\nsecret = "T"', Authorisation("bearer", "T"), id="a token"),
        pytest.param('kind = "mtls"\ncertificate = "C"', Authorisation("mtls", certificate="C"), id="a certificate"),
        pytest.param(
            SECRET + 'certificate = "C"\nscopes = ["a", "b"]\nclient_authentication = "form"\n'
            'token_url = "https://login.example.ca:8443/oauth2/token/"',
            Authorisation(
                "client-secret",
                "LAKESIDE_SECRET",
                certificate="C",
                token_url="https://login.example.ca:8443/oauth2/token/",
                client_id="csp",
                scopes=("a", "b"),
                client_authentication="form",
            ),
            id="a secret, with a certificate",
        ),
        pytest.param(
            SMART + 'algorithm = "RS384"\nkey = "lakeside-2027"',
            Authorisation(
                "smart-backend",
                client_id="csp",
                scopes=("system/*.cruds",),
                algorithm="RS384",
                key="lakeside-2027",
            ),
            id="a signing key",
        ),
    ],
)
def test_each_kind_is_read_whole(tmp_path: Path, table: str, expected: Authorisation) -> None:
    partner, wrong = read(tmp_path, table)
    assert (partner.authorisation, wrong) == (expected, [])


@pytest.mark.parametrize(
    ("table", "line", "words"),
    [
        pytest.param('kind = "oauth"', 6, "kind: must be one of none, bearer, client-secret", id="no such kind"),
        pytest.param('kind = "bearer"', 5, "secret: is missing; bearer needs", id="a token that nobody names"),
        pytest.param('kind = "mtls"', 5, "certificate: is missing; mtls needs", id="a certificate that nobody names"),
        pytest.param('kind = "smart-backend"', 5, "client_id: is missing", id="no client"),
        pytest.param('kind = "smart-backend"', 5, "scopes: is missing", id="no scopes"),
        pytest.param('kind = "client-secret"', 5, "secret: is missing; client-secret needs", id="no secret"),
        pytest.param(SMART + 'secret = "S"', 9, "secret: is of no use while kind is", id="and a secret"),
        pytest.param(SECRET + 'key = "k"', 9, 'key: is of no use while kind is "client-secret"', id="a key too"),
        pytest.param('secret = "S"', 6, 'secret: is of no use while kind is "none"', id="a secret for nothing"),
        pytest.param('token_url = "https://x.ca/"', 6, "token_url: is of no use", id="an endpoint for nothing"),
        pytest.param(SMART + 'algorithm = "HS256"', 9, "algorithm: must be one of ES384, RS384", id="an algorithm"),
        pytest.param(SMART + 'key = "../x"', 9, "key: must be the name of a key", id="a key by its path"),
        pytest.param(SMART + 'token_url = "http://x.example.ca/token"', 9, "token_url: must be https", id="http"),
        pytest.param(SMART + 'token_url = "https://u:p@x.ca/"', 9, "token_url: must hold no user name", id="a user"),
        pytest.param(SMART + 'token_url = "x.ca/token"', 9, "token_url: must be an https address", id="no address"),
        pytest.param(SMART + 'token_url = "https://x.ca/?p=1"', 9, "token_url: must hold no user name", id="a query"),
        pytest.param(SMART.replace('"system/*.cruds"', ""), 8, "scopes: must be a list of one", id="an empty list"),
        pytest.param(SMART.replace("cruds", "cr uds"), 8, "scopes: must be a list of one", id="a blank in a scope"),
        pytest.param(SMART.replace('["system/*.cruds"]', '["a", "a"]'), 8, "scopes: names one of them", id="twice"),
        pytest.param(SECRET.replace("LAKESIDE_SECRET", "s3cr-t!"), 8, "secret: must be the name of", id="the secret"),
        pytest.param('kind = "mtls"\ncertificate = "-----BEGIN"', 7, "certificate: must be the name", id="a PEM"),
        pytest.param(SMART + 'scope = "x"', 9, "scope: is not a key of this file; did you mean scopes?", id="a typo"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, table: str, line: int, words: str) -> None:
    """And the secret that somebody wrote down by mistake is not repeated."""
    _, wrong = read(tmp_path, table)
    assert [each for each in wrong if each.startswith(f"{line}: {words}")], wrong
    assert not [each for each in wrong if "s3cr-t!" in each or "BEGIN" in each]


def test_a_certificate_needs_tls(tmp_path: Path) -> None:
    above = "private_addresses = true\n"
    text = LEAST.replace("https://", "http://") + above + '[authorisation]\nkind = "mtls"\ncertificate = "C"\n'
    (tmp_path / "lakeside.toml").write_text(text, encoding="utf-8")
    found = Found()
    read_partners(tmp_path, found, sectors=["education"], identifier_types=[], dialects=["generic"])
    assert [(each.line, each.detail) for each in found.errors] == [
        (8, "certificate: is shown in TLS: the addresses must be https")
    ]
