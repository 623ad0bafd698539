"""A connection to a partner's SFTP server: an address that was checked, a host that is known, one limit of time."""

from __future__ import annotations

import base64
import binascii
import io
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

import paramiko
from paramiko.ssh_exception import AuthenticationException, SSHException

from adapter import log
from adapter.core.partner import Partner
from adapter.outward.address import allowed

Reason = Literal["no name", "address not allowed", "no connection", "no TLS", "not configured"]
_KEY = re.compile(r"(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa) ([A-Za-z0-9+/]+={0,2})(?: .*)?\Z")
_SIGNED_BY = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
"""How a host proves a key; ssh-rsa itself signs with SHA-1."""


class Unreached(Exception):
    """Surely nothing was done there, and why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Refused(Exception):
    """The host is the right one, and does not let us in."""


@dataclass(frozen=True, slots=True)
class Session:
    """An open session: its files, and whether it still lives."""

    files: paramiko.SFTPClient
    transport: paramiko.Transport
    deadline: float

    @property
    def lives(self) -> bool:
        return bool(self.transport.is_active()) and not self.is_over

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self.deadline


@contextmanager
def session(partner: Partner, secret: str | None) -> Iterator[Session]:
    """Raises Unreached or Refused before anything was done. What lasts longer than the partner's timeout is cut.

    The host must prove the key that the partner's file pins: no key is taken on trust, none is learnt.
    """
    log.replace_lines_of("paramiko")
    # Every failure is an answer: paramiko would have a line for each line of a traceback besides.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    url, key = urlsplit(partner.folder), _KEY.match(partner.host_key)
    ours = private_key(secret) if secret and partner.authorisation.kind == "ssh-key" else None
    if not url.hostname or not url.username or key is None or not secret:
        raise Unreached("not configured")
    if ours is None and partner.authorisation.kind == "ssh-key":
        raise Unreached("not configured")
    deadline = time.monotonic() + partner.timeout
    line = _line(url.hostname, url.port or 22, partner.private_addresses, deadline)
    try:
        transport = paramiko.Transport(line)
    except (SSHException, OSError, EOFError):
        line.close()
        raise Unreached("no connection") from None
    watch = threading.Timer(max(deadline - time.monotonic(), 0), transport.close)
    watch.daemon = True
    watch.start()
    try:
        yield Session(_files(transport, unquote(url.username), ours or secret, key, deadline), transport, deadline)
    finally:
        watch.cancel()
        transport.close()
        line.close()


def _line(host: str, port: int, private: bool, deadline: float) -> socket.socket:
    """Resolves once, checks every address, and connects to one of those (as wire.py does for HTTP)."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreached("no name") from None
    if not all(allowed(str(place[0]), private=private, encrypted=True) for *_, place in found):
        raise Unreached("address not allowed")
    for family, kind, protocol, _, place in found:
        line = socket.socket(family, kind, protocol)
        try:
            line.settimeout(max(deadline - time.monotonic(), 0.001))
            line.connect(place)
        except OSError:
            line.close()
            continue
        return line
    raise Unreached("no connection")


def _files(
    transport: paramiko.Transport, user: str, shown: paramiko.PKey | str, key: re.Match[str], deadline: float
) -> paramiko.SFTPClient:
    left = max(deadline - time.monotonic(), 0.001)
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = left
    transport.get_security_options().key_types = _SIGNED_BY.get(key[1], (key[1],))
    try:
        transport.start_client(timeout=left)
        if transport.get_remote_server_key().asbytes() != base64.b64decode(key[2], validate=True):
            raise Unreached("no TLS")
    except (SSHException, OSError, EOFError, binascii.Error):
        raise Unreached("no TLS") from None
    try:
        if isinstance(shown, paramiko.PKey):
            transport.auth_publickey(user, shown)
        else:
            transport.auth_password(user, shown, fallback=False)
        files = paramiko.SFTPClient.from_transport(transport)
    except AuthenticationException:
        raise Refused from None
    except (SSHException, OSError, EOFError):
        raise Unreached("no connection") from None
    if files is None:
        raise Unreached("no connection")
    channel = files.get_channel()
    if channel is not None:
        channel.settimeout(left)
    return files


def private_key(text: str) -> paramiko.PKey | None:
    """The private key in this text; None where there is none, or one with a passphrase."""
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            key: paramiko.PKey = kind.from_private_key(io.StringIO(text + "\n"))
        except (SSHException, ValueError, IndexError):
            continue
        return key
    return None
