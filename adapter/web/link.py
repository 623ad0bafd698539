"""The page of a signed link: asks for the code, shows the referral, takes the answer. No account, no cookie, no script.

Whoever opens the address gets the same page, whether it is one of ours or not; whatever does not open gets the same
answer, after the same time.
"""

from __future__ import annotations

import json
import secrets
import time

from flask import Blueprint, Response, make_response, render_template, request

from adapter import link as links
from adapter.errors import Refused
from adapter.web import sealed
from adapter.web.context import wiring

pages = Blueprint("link", __name__)

LASTS = 30 * 60
"""Seconds that an opened page can be answered."""
SLOWEST = 0.3
"""Seconds after which a refusal is given, however soon it was known: longer than any of its ways takes."""
_PURPOSE = "link"


@pages.get("/r/<token>")
def ask(token: str) -> Response:
    """The way in: asks for the code, and looks nothing up."""
    return _page("link_code.html")


@pages.post("/r/<token>")
def answer(token: str) -> Response:
    """Open the page with its code, or answer on it."""
    begun = time.monotonic()
    ticket = request.form.get("ticket", "")
    wrong: Refused | None = None
    try:
        if ticket:
            link, nonce = _opened(token, ticket)
            form = {name: request.form.get(name, "") for name in ("do", "reason", "result", "day")}
            seen = links.reply(wiring(), token, link, nonce, form) if link else None
        else:
            seen = links.open_(wiring(), token, request.form.get("code", "")[:40])
    except Refused as refused:
        wrong = refused
        seen = links.again(wiring(), token, link)
    if seen is None:
        time.sleep(max(0.0, SLOWEST - (time.monotonic() - begun)))
        return _page("link_shut.html", status=403)
    fresh = sealed.close(wiring(), _PURPOSE, json.dumps([token, seen.link, secrets.token_urlsafe(12)]))
    status = 422 if wrong else 200
    return _page(
        "link_referral.html", status=status, seen=seen, ticket=fresh, wrong=wrong, done=bool(ticket) and not wrong
    )


def _opened(token: str, ticket: str) -> tuple[int, str]:
    """The link and the mark of a form that we gave out for this address a while ago; 0 for any other."""
    said = sealed.open_(wiring(), _PURPOSE, ticket, seconds=LASTS)
    of_token, link, nonce = json.loads(said) if said else ("", 0, "")
    return (
        (link, nonce)
        if secrets.compare_digest(str(of_token).encode(), token.encode("utf-8", "surrogatepass"))
        else (0, "")
    )


def _page(template: str, *, status: int = 200, **values: object) -> Response:
    return make_response(render_template(template, **values), status)
