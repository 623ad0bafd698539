"""Puts the web together: the API for case systems, /fhir for partners, the console for people."""

from __future__ import annotations

from flask import Flask, Response, request

from adapter.web import auth, errors
from adapter.web.api.routes import api
from adapter.web.console.pages import console
from adapter.web.context import KEY, MOST_BYTES
from adapter.web.fhir.routes import fhir
from adapter.web.fhir.smart import smart
from adapter.web.link import pages as link_pages
from adapter.web.notices import notices
from adapter.wiring import Wiring

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


_CACHEABLE = ("static", "api.jwks")
"""Whose answers tell nothing of anybody: these say themselves how long they are good."""


def create_app(wiring: Wiring) -> Flask:
    """The whole web of one instance, as a WSGI application."""
    app = Flask(
        "adapter.web", template_folder="console/templates", static_folder="console/static", static_url_path="/static"
    )
    app.config.update(
        MAX_CONTENT_LENGTH=MOST_BYTES + 1, MAX_FORM_MEMORY_SIZE=MOST_BYTES, PROVIDE_AUTOMATIC_OPTIONS=False
    )
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    app.extensions[KEY] = wiring
    errors.install(app)
    auth.guard(app)
    app.register_blueprint(api)
    app.register_blueprint(fhir)
    app.register_blueprint(smart)
    app.register_blueprint(console)
    app.register_blueprint(link_pages)
    app.register_blueprint(notices)
    app.after_request(_protect)
    return app


def _protect(response: Response) -> Response:
    """What browsers and caches on the way are told with every answer."""
    response.headers.update(_HEADERS)
    if request.endpoint not in _CACHEABLE or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
    return response
