"""The page of a signed link, in English and French: asks for the code, shows the referral, takes the answer.

No account, no cookie, no script.

Whoever opens the address gets the same page, whether it is one of ours or not; whatever does not open gets the same
answer, after the same time.
"""

from __future__ import annotations

import json
import secrets
import time

from flask import Blueprint, Response, make_response, render_template, request

from adapter import link as links
from adapter.core.account.words import LANGUAGES
from adapter.core.referral.words import WORDS
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
    """Open the page with its code, answer on it, or have it in the other language."""
    begun, language = time.monotonic(), _language()
    ticket, turned = request.form.get("ticket", ""), "show" in request.form
    form = {name: request.form.get(name, "") for name in ("do", "reason", "result", "day")}
    if not ticket:
        seen = links.open_(wiring(), token, request.form.get("code", "")[:40], language)
    else:
        link, nonce = _opened(token, ticket)
        if not link:
            seen = None
        elif turned:
            seen = links.again(wiring(), token, link, language)
        else:
            seen = links.reply(wiring(), token, link, nonce, form, language)
    if seen is None:
        time.sleep(max(0.0, SLOWEST - (time.monotonic() - begun)))
        return _page("link_shut.html", status=403)
    fresh = sealed.close(wiring(), _PURPOSE, json.dumps([token, seen.link, secrets.token_urlsafe(12)]))
    filled = form if seen.wrong else {}
    done = bool(ticket) and not seen.wrong and not turned
    return _page(
        "link_referral.html", status=422 if seen.wrong else 200, seen=seen, ticket=fresh, filled=filled, done=done,
        longest=links.LONGEST,
    )  # fmt: skip


def _opened(token: str, ticket: str) -> tuple[int, str]:
    """The link and the mark of a form that we gave out for this address a while ago; 0 for any other."""
    said = sealed.open_(wiring(), _PURPOSE, ticket, seconds=LASTS)
    of_token, link, nonce = json.loads(said) if said else ("", 0, "")
    return (
        (link, nonce)
        if secrets.compare_digest(str(of_token).encode(), token.encode("utf-8", "surrogatepass"))
        else (0, "")
    )


def _language() -> str:
    """The one that was chosen on the page, else the one that the browser asks for; nothing is kept of it."""
    chosen = (request.form.get("show"), request.form.get("language"), request.args.get("language"))
    # In the order of the reader's own wish: fr-CA is French, before an English that is wanted less.
    asked = (tag.split("-")[0].lower() for tag, wish in request.accept_languages if wish > 0)
    return next((each for each in (*chosen, *asked) if each in LANGUAGES), LANGUAGES[0])


def _page(template: str, *, status: int = 200, **values: object) -> Response:
    language = _language()
    other = next(each for each in LANGUAGES if each != language)
    told = render_template(template, say=WORDS[language], language=language, other=other, **values)
    response = make_response(told, status)
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language"
    return response
