"""Renders a page with the mark that its forms carry."""

from __future__ import annotations

from flask import Response, make_response, render_template

from adapter.web.console import session


def page(template: str, *, status: int = 200, **values: object) -> Response:
    """The page; the browser keeps its own random value, to which the forms' mark belongs."""
    own, mark = session.mark()
    return session.remember(make_response(render_template(template, mark=mark, **values), status), own)
