"""`trust` of a partner file: its own authority's certificates, in a file beside it, and what may not stand there."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.catalogue.files import Found
from adapter.catalogue.partners import read_partners
from adapter.core.partner import Partner
from tests.outward.authority import Authority

URL = 'base_url = "https://fhir.harbour.example.ca/fhir"\n'
LEAST = 'name = "Harbour"\nsectors = ["education"]\nsince = 2026-01-15\n'


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def read(folder: Path, rest: str) -> tuple[Partner, list[str]]:
    (folder / "harbour.toml").write_text(LEAST + rest, encoding="utf-8")
    found = Found()
    partners = read_partners(folder, found, sectors=["education"], identifier_types=[], dialects=["generic"])
    assert all(each.file == str(folder / "harbour.toml") for each in found.errors)
    return partners["harbour"], [f"{each.line}: {each.detail}" for each in found.errors]


def test_the_certificates_of_the_file_are_read(tmp_path: Path, authority: Authority) -> None:
    """All of them, whatever words stand between them."""
    one, other = authority.file.read_text(), Authority(tmp_path, "other").file.read_text()
    (tmp_path / "hospital-ca.pem").write_text(f"Hôpital, 2019\n{one}\nHôpital, 2026\n{other}", encoding="utf-8")
    partner, wrong = read(tmp_path, URL + 'trust = "hospital-ca.pem"\n')
    assert wrong == [] and partner.trust.file == "hospital-ca.pem"
    assert partner.trust.certificates == one + other


def test_an_old_one_with_a_number_below_nothing_is_read_without_a_word(tmp_path: Path, authority: Authority) -> None:
    """As some made their own; OpenSSL takes it, and a warning of `cryptography` would stand amid a check."""
    pem = authority.file.read_text()
    serial = x509.load_pem_x509_certificate(pem.encode()).serial_number
    number = serial.to_bytes(serial.bit_length() // 8 + 1, "big")  # as DER writes it
    (tmp_path / "ca.pem").write_bytes(changed(pem, number, b"\x80" + number[1:]))
    partner, wrong = read(tmp_path, URL + 'trust = "ca.pem"\n')
    assert wrong == [] and partner.trust.certificates


def test_without_it_the_public_ones_count(tmp_path: Path) -> None:
    partner, wrong = read(tmp_path, URL)
    assert (partner.trust.file, partner.trust.certificates, wrong) == ("", "", [])


def key(authority: Authority) -> str:
    return "-----BEGIN" + authority.certificate("x").rpartition("-----BEGIN")[2]


def changed(pem: str, old: bytes, new: bytes) -> bytes:
    """This certificate with these bytes of the DER in place of those: the signature is not looked at here."""
    der = x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
    assert der.count(old) == 1 and len(old) == len(new)
    text = base64.encodebytes(der.replace(old, new)).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n".encode()


def of_version(number: int, authority: Authority) -> bytes:
    return changed(
        authority.file.read_text(), bytes.fromhex("a003020102"), bytes.fromhex("a0030201") + bytes([number - 1])
    )


def twice_extended(authority: Authority) -> bytes:
    """2.5.29.17 (alternative names) becomes a second 2.5.29.19 (basic constraints)."""
    return changed(authority.certificate("x"), bytes.fromhex("0603551d11"), bytes.fromhex("0603551d13"))


@pytest.mark.parametrize(
    ("holds", "says"),
    [
        pytest.param(None, "which cannot be read beside this file", id="nothing"),
        pytest.param(lambda _: b"", "which is no certificate in PEM", id="an empty file"),
        pytest.param(lambda _: b"our authority\n", "which is no certificate in PEM", id="words"),
        pytest.param(lambda a: a.file.read_bytes()[:200], "which is no certificate in PEM", id="a half"),
        pytest.param(
            lambda a: x509.load_pem_x509_certificate(a.file.read_bytes()).public_bytes(Encoding.DER),
            "which is no certificate in PEM",
            id="DER",
        ),
        pytest.param(
            lambda a: a.file.read_bytes().replace(b"M", b"!", 3), "which is no certificate in PEM", id="a broken one"
        ),
        pytest.param(lambda a: of_version(6, a), "which is no certificate in PEM", id="a certificate of no version"),
        pytest.param(lambda a: twice_extended(a), "which is no certificate in PEM", id="an extension twice"),
        pytest.param(lambda a: a.file.read_bytes() * 2000, "which is no certificate in PEM", id="a megabyte of them"),
        pytest.param(lambda a: key(a).encode(), "which holds a private key", id="a private key"),
        pytest.param(
            lambda a: (a.file.read_text() + key(a)).encode(), "which holds a private key", id="a private key behind it"
        ),
        pytest.param(
            lambda a: a.certificate("x").partition("-----BEGIN PRIVATE")[0].encode(),
            "a certificate is a server's own",
            id="the server's own certificate",
        ),
    ],
)
def test_what_is_no_certificate_of_an_authority_is_said_with_its_line(
    tmp_path: Path, authority: Authority, holds: Callable[[Authority], bytes] | None, says: str
) -> None:
    if holds:
        (tmp_path / "ca.pem").write_bytes(holds(authority))
    partner, wrong = read(tmp_path, URL + 'trust = "ca.pem"\n')
    assert len(wrong) == 1 and wrong[0].startswith("5: trust: names ca.pem, ") and says in wrong[0]
    assert partner.trust.certificates == ""


@pytest.mark.parametrize(
    "name", ['"../ca.pem"', '"/etc/ssl/ca.pem"', '"in/ca.pem"', '"..\\\\ca.pem"', '"ca.crt"', '".pem"', "true", '["a"]']
)
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, authority: Authority, name: str) -> None:
    folder = tmp_path / "partners"
    (folder / "in").mkdir(parents=True)
    for place in (tmp_path, folder / "in"):
        (place / "ca.pem").write_bytes(authority.file.read_bytes())
    _, wrong = read(folder, URL + f"trust = {name}\n")
    assert wrong == ["5: trust: must be the name of a .pem file beside this one"]


FOLDER = 'folder = "sftp://maple@drop.example.ca/in"\n'


@pytest.mark.parametrize(
    ("addresses", "rest", "says"),
    [
        pytest.param(FOLDER, "", "5: trust: is of no use for a folder", id="a folder"),
        pytest.param(
            'base_url = "http://10.1.1.1/fhir"\n',
            "private_addresses = true\n",
            "5: trust: is of no use: no address",
            id="http",
        ),
        pytest.param("reads = true\n", "", "5: trust: is of no use: no address", id="no address"),
        pytest.param(
            "reads = true\n", '[subscriptions]\nendpoints = ["https://hooks.example.ca"]\n', "", id="where it is told"
        ),
        pytest.param(URL, "", "", id="a server"),
    ],
)
def test_it_must_be_of_some_use(tmp_path: Path, authority: Authority, addresses: str, rest: str, says: str) -> None:
    (tmp_path / "ca.pem").write_bytes(authority.file.read_bytes())
    _, wrong = read(tmp_path, f'{addresses}trust = "ca.pem"\n{rest}')
    assert [each for each in wrong if "trust" in each] == [each for each in wrong if says and each.startswith(says)]
    assert bool(says) == any("trust" in each for each in wrong)
