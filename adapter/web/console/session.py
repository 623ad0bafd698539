"""Who is signed in on the pages, and whether a form came from a page of ours.

A person signs in with a token. The cookie carries it closed, so that a revoked token ends the session at once; scripts
and other sites cannot use it (HttpOnly, SameSite=Strict). A form carries a mark that belongs to this browser alone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from flask import Response, request

from adapter import receive
from adapter.errors import Forbidden, Unauthenticated
from adapter.store.tokens import Principal
from adapter.web import sealed
from adapter.web.auth import ADMISSIONS
from adapter.web.context import wiring

SESSION: Final = "csp_session"
FORM: Final = "csp_form"
LASTS: Final = 8 * 3600  # seconds


def person() -> Principal | None:
    """Who is signed in; None where nobody is, or no longer."""
    token = sealed.open_(wiring(), SESSION, request.cookies.get(SESSION, ""), seconds=LASTS)
    return _welcome(token) if token else None


def sign_in(response: Response, token: str) -> Response:
    """Let the browser be whoever holds this token. Unauthenticated: it opens no page."""
    if not _welcome(token):
        raise Unauthenticated("This token does not open the console.")
    return _set(response, SESSION, sealed.close(wiring(), SESSION, token))


def sign_out(response: Response) -> Response:
    """Let the browser be nobody."""
    response.delete_cookie(SESSION, httponly=True, samesite="Strict", secure=request.is_secure)
    return response


def mark() -> tuple[str, str]:
    """For a page with forms: the browser's own random value, and the mark that its forms carry."""
    own = request.cookies.get(FORM) or secrets.token_urlsafe(16)
    return own, _mark(own)


def remember(response: Response, own: str) -> Response:
    """Let the browser keep its own random value."""
    return _set(response, FORM, own)


def check_form() -> None:
    """Forbidden: the form did not come from a page that this browser got from us."""
    own = request.cookies.get(FORM, "")
    if not own or not hmac.compare_digest(_mark(own).encode(), request.form.get("mark", "").encode()):
        raise Forbidden("This form is too old, or not from this page. Open the page again.")


def _welcome(token: str) -> Principal | None:
    principal = receive.caller(wiring().store, token, now=wiring().clock())
    return principal if principal and principal.role in ADMISSIONS["GET", "/"].roles else None


def _mark(own: str) -> str:
    said = f"{own} {request.cookies.get(SESSION, '')}".encode()
    return hmac.new(receive.secret(wiring().store, FORM), said, hashlib.sha256).hexdigest()


def _set(response: Response, name: str, value: str) -> Response:
    response.set_cookie(name, value, max_age=LASTS, httponly=True, samesite="Strict", secure=request.is_secure)
    return response
