"""A certificate authority of the tests: certificates for a server on loopback, and for clients of it."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)


class Authority:
    """Signs with a key of its own; `file` holds its certificate, signed by the one `above` it or by itself."""

    def __init__(self, folder: Path, name: str = "authority", *, days: int = 1, above: Authority | None = None) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.pem"
        self.file.write_bytes((above or self)._signed(name, self._key, ca=True, days=days).public_bytes(Encoding.PEM))

    def certificate(self, name: str, *, password: bytes | None = None, days: int = 1) -> str:
        """A certificate for `name` and 127.0.0.1 with its key, as one PEM; over already where `days` are negative."""
        key = ec.generate_private_key(ec.SECP256R1())
        locked: KeySerializationEncryption = BestAvailableEncryption(password) if password else NoEncryption()
        made = self._signed(name, key, days=days).public_bytes(Encoding.PEM)
        return (made + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)).decode()

    def server(self, *, wants_clients_of: Path | None = None, days: int = 1) -> ssl.SSLContext:
        """What a server speaks that shows a certificate of ours, and wants one that this file has signed."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        shown = self._folder / "server.pem"
        shown.write_text(self.certificate("server", days=days))
        context.load_cert_chain(shown)
        if wants_clients_of is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(wants_clients_of)
        return context

    def _signed(
        self, name: str, key: ec.EllipticCurvePrivateKey, *, ca: bool = False, days: int = 1
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .issuer_name(self._name)
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
