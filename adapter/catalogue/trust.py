"""Reads whose certificates a partner's server is known by, in place of the public authorities: `trust` of its file."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning

from adapter.core.partner import Trust
from adapter.core.toml_form import Form
from adapter.core.toml_values import WrongError, matching

_file = matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.pem", "must be the name of a .pem file beside this one")
_LARGEST = 1_000_000


def trust(form: Form, folder: Path) -> Trust:
    """What the file named there holds; a finding where it is missing, is none, or holds what must stay elsewhere."""
    return form.take("trust", lambda value: _read(_file(value), folder), Trust())


def _read(name: str, folder: Path) -> Trust:
    try:
        with (folder / name).open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError:
        raise WrongError(f"names {name}, which cannot be read beside this file") from None
    if b"PRIVATE KEY-----" in content:
        raise WrongError(
            f"names {name}, which holds a private key: take it away, let its owner make a new one, and put the"
            " authority's certificate alone there"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)  # of old numbers, which OpenSSL takes
            found = x509.load_pem_x509_certificates(content) if len(content) <= _LARGEST else []
        certificates = "".join(each.public_bytes(Encoding.PEM).decode("ascii") for each in found)
        signing = all(_may_sign(each) for each in found)
        if found:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=certificates)
    except (ValueError, ssl.SSLError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        found = []
    if not found:
        raise WrongError(f"names {name}, which is no certificate in PEM (-----BEGIN CERTIFICATE-----)")
    if not signing:
        raise WrongError(
            f"names {name}, of which a certificate is a server's own: its successor would not be known; put that of the"
            " authority which signed it there"
        )
    return Trust(name, certificates)


def _may_sign(certificate: x509.Certificate) -> bool:
    """An authority's, or one that nobody else has signed: there is no other to be known by."""
    if certificate.issuer == certificate.subject:
        return True
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
