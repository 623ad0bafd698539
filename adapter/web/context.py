"""What a view may reach: the wiring of this application, the bytes of the request, and our own address."""

from __future__ import annotations

from flask import current_app, request

from adapter.errors import Misconfigured, TooLarge, Unavailable, UnsupportedMedia
from adapter.wiring import Wiring

MOST_BYTES = 5_000_000
KEY = "adapter"


def wiring() -> Wiring:
    """The one wiring of this application."""
    found: Wiring = current_app.extensions[KEY]
    return found


def body() -> bytes:
    """The bytes of the request. TooLarge: more than MOST_BYTES, with a Content-Length or without.

    Of a body without a length, werkzeug cuts off silently what is beyond its limit: that is one byte above ours.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("Compressed bodies are not accepted.")
    if len(data := request.get_data(cache=False)) > MOST_BYTES:
        raise TooLarge(f"The body is larger than {MOST_BYTES} bytes.")
    return data


def address() -> str:
    """Our own address without a slash at the end: the configured one, else as the request says."""
    return (wiring().settings.public_url or request.url_root).rstrip("/")


def check_database() -> None:
    """Unavailable: the database cannot be reached, not be written, or not be used as it is (another version, other
    keys)."""
    try:
        wiring().store.check()
        wiring().store.check_writable()
    except Misconfigured as error:
        raise Unavailable("The database cannot be used as it is: `adapter check` says why.") from error
