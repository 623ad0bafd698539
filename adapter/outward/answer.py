"""What comes of asking a partner's server, as one of three values, and the reading of its bytes within limits."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from requests import Response

from adapter.core.strict_json import parse
from adapter.errors import Malformed, TooLarge

LARGEST = 10_000_000
"""Bytes of an answer that are read at most, before and after it is unpacked."""

_PIECE = 65_536
_KEPT = ("date", "etag", "location", "last-modified", "www-authenticate", "x-request-id")
_JSON = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})
_MARK = b"\xef\xbb\xbf"
"""Which some servers put before all that they say, and whoever reads may leave out (RFC 8259, 8.1)."""
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})

Doubt = Literal["", "ended", "another host's", "not signed"]
"""What is wrong with the certificate that a server showed, as far as OpenSSL tells."""
Unreadable = Literal["", "content type", "encoding", "too large", "not JSON"]


@dataclass(frozen=True, slots=True)
class Answered:
    """The server answered with `status`. `body` is the JSON of it, None if there is none or it is `unreadable`.

    An unreadable success is no success: what was done is not known.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)
    unreadable: Unreadable = ""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely not done: no byte of the request left.

    "no token": none could be had to show; "token refused": whoever gives out tokens refused us one, and `said` is its
    word (RFC 6749, 5.2). `retry_after` is what it asked for. `doubt`: what "no TLS" finds wrong with the certificate;
    for a person to read, and no part of what became of the request.
    """

    reason: Literal[
        "no name", "address not allowed", "no connection", "no TLS", "not configured", "no token", "token refused"
    ]
    said: str = ""
    retry_after: timedelta | None = None
    doubt: Doubt = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request left, at least in part, and no whole answer came: it may have been done."""

    reason: Literal["time ran out", "connection lost"]


Answer = Answered | NotSent | Unknown


def read(response: Response, *, now: datetime, largest: int = LARGEST) -> Answered:
    """Reads at most `largest` bytes; raises what the socket raises when the answer is cut or takes too long."""
    sent, complete = _bytes(response, largest)
    unreadable: Unreadable = "too large"
    body = None
    if complete:
        body, unreadable = _body(response, sent, largest)
    return Answered(
        response.status_code,
        {name: response.headers[name][:500] for name in _KEPT if name in response.headers},
        body,
        unreadable,
        _wait(response.headers.get("Retry-After", ""), now),
    )


def _bytes(response: Response, largest: int) -> tuple[bytes, bool]:
    pieces = bytearray()
    while piece := response.raw.read(_PIECE, decode_content=False):
        pieces += piece
        if len(pieces) > largest:
            return b"", False
    return bytes(pieces), True


def _body(response: Response, sent: bytes, largest: int) -> tuple[Any, Unreadable]:
    if not sent:
        return None, ""
    if not _is_json(response.headers.get("Content-Type", "")):
        return None, "content type"
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    try:
        if encoding not in ("identity", "gzip", "x-gzip"):
            return None, "encoding"
        plain = sent if encoding == "identity" else _gunzip(sent, largest)
        return parse(plain.removeprefix(_MARK), max_bytes=largest), ""
    except zlib.error:
        return None, "encoding"
    except TooLarge:
        return None, "too large"
    except Malformed:
        return None, "not JSON"


def _gunzip(packed: bytes, largest: int) -> bytes:
    """Unpacks no more than `largest` bytes, however small the packed form of more is."""
    unpacking = zlib.decompressobj(wbits=31)
    plain = unpacking.decompress(packed, largest + 1)
    if len(plain) > largest:
        raise TooLarge("The answer is too large when unpacked.")
    if not unpacking.eof or unpacking.unused_data:
        raise zlib.error("not one whole gzip member")
    return plain


def _is_json(content_type: str) -> bool:
    header = Message()
    header["Content-Type"] = content_type
    try:
        charset = str(header.get_param("charset", "utf-8"))
    except ValueError:
        return False  # its pieces (RFC 2231) have numbers that are too long to be any
    return header.get_content_type() in _JSON and charset.lower() in _CHARSETS


def _wait(value: str, now: datetime) -> timedelta | None:
    """Retry-After (RFC 9110, 10.2.3): seconds or a date; None where it is neither, or in the past."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=int(value[:9]))
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return wait if wait > timedelta(0) else None
