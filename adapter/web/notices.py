"""Where partners' servers tell us that something has changed there. Whoever asks, and whatever is said, learns nothing.

Who shows a secret that we gave out gets an empty 200, whatever the body was; everybody else the same 401.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from adapter import subscribe
from adapter.errors import Unauthenticated
from adapter.web.context import wiring

notices = Blueprint("notices", __name__, url_prefix=subscribe.PATH)


@notices.post("/<mark>")
def tell(mark: str) -> Response:
    """A partner's server says that something has changed there: with the secret that we gave it."""
    return _taken(mark)


@notices.put("/<mark>/Task/<id_>")
def tell_task(mark: str, id_: str) -> Response:
    """The same, with the Task in the address, as plain R4 subscriptions are told."""
    return _taken(mark, id_)


def _taken(mark: str, task: str = "") -> Response:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    shown = secret.strip() if scheme.lower() == "bearer" else ""
    if not shown or not subscribe.heard(wiring(), mark, shown, _body(), task=task):
        raise Unauthenticated("What is told here needs the secret that goes with this address.")
    return Response(status=200)


def _body() -> bytes:
    """What is read of it: nothing of what is longer than a notification, or has no length."""
    length = request.content_length
    return request.get_data(cache=False) if length is not None and length <= subscribe.LARGEST else b""
