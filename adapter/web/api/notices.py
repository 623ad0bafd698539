"""What the case system is told of: to be fetched by it, and to be told once more."""

from __future__ import annotations

from flask import Blueprint, Response

from adapter import tell
from adapter.web import context
from adapter.web.api import asked
from adapter.web.context import wiring
from adapter.web.replies import reply

notices = Blueprint("notices", __name__)


@notices.get("/api/notices")
def listed() -> Response:
    """What has happened behind notice number `after`, oldest first, and what it is about; how far telling has come."""
    return reply(tell.listed(wiring(), after=asked.behind(), limit=asked.limit()))


@notices.post("/api/notices/replay")
def replay() -> Response:
    """Tell the webhook everything behind number `after` once more; without it, go on where telling had stopped."""
    return reply(tell.replay(wiring(), context.body()), status=202)
