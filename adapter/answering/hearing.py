"""What the sender says beside its Task: that its request is over, and that it asks for an end."""

from __future__ import annotations

from adapter.answering.incoming import MOST_TASKS, REVOKED, Incoming
from adapter.answering.writing import told, write
from adapter.core.referral import inward
from adapter.core.referral.course import flagged, set_
from adapter.core.referral.reply import Reply
from adapter.core.referral.table import Impossible, State
from adapter.store import resources
from adapter.store.resources import Received

ENDED_BY_REQUEST = "The sender has ended the request."


def hear(at: Incoming, task: Received) -> None:
    """What the sender has said in other ways than by its Task: that its request is over; that it asks for an end."""
    request = resources.read(at.tx, at.row.partner, "ServiceRequest", at.known.request)
    status = str(request.body.get("status", "")) if request is not None and not request.deleted else "deleted"
    if status in REVOKED and status != at.known.heard:
        state = REVOKED[status]
        if state not in at.dialect.may("requester", at.row.course.state):
            state = "cancelled"
        _end(at, task, state)
    if status != at.known.heard:
        at.note(heard=status)
    terms = [("focus", [f"Task/{task.id}"])]
    asking = resources.search(at.tx, at.row.partner, "Task", terms, limit=MOST_TASKS)
    if any(inward.is_abort(each.body) and each.body.get("status") in ("requested", "ready") for each in asking):
        at.note(asked="task")
    if at.known.asked and at.dialect.ended(at.row.course.state):
        at.note(asked="")


def _end(at: Incoming, task: Received, state: State) -> None:
    course = at.row.course
    if course.state == state:
        return
    moved = set_(course, at.dialect, state, "requester", at.now, reason=ENDED_BY_REQUEST)
    if isinstance(moved, Impossible):
        at.went(flagged(course, at.dialect, state, moved.why, "requester", at.now))
        return
    if moved.state == course.state:
        return  # this dialect has another word for where it is
    at.went(moved)
    body = told(at, task.body, state=state, moved=True, code="", reason=ENDED_BY_REQUEST, result=None)
    write(at, task, [body], Reply(state))
