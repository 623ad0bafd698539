"""Our moves: from the Task as it is to the answer that is wanted, as far as the dialect lets the receiver go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapter.answering.incoming import Incoming
from adapter.answering.writing import told, write
from adapter.core import strict_json
from adapter.core.consent.last_look import last_look
from adapter.core.keeping import rulebook_for
from adapter.core.referral import inward
from adapter.core.referral.course import Course, flagged, restated, set_
from adapter.core.referral.reply import Reply
from adapter.core.referral.table import Impossible, State
from adapter.store.resources import Received


def answer(at: Incoming, task: Received, wanted: Reply) -> None:
    """Bring the Task to the answer that is wanted, or note why it stays as it is."""
    course = at.row.course
    if wanted.denied:
        at.note(held="denied", because=wanted.denied)
        return
    if wanted.state is None or course.state == "draft" or _ended_by_sender(at):
        at.note(held="", because="")
        return
    state = wanted.state or course.state
    if state == "received" and not at.dialect.ended(course.state) and _moved_by_sender_alone(course):
        state = course.state  # nobody has answered yet: where the sender put it, it stays
    ways, held = inward.steps(course.state, at.dialect, state, reason=wanted.reasoned), ""
    if isinstance(ways, Impossible):
        back = state == "accepted" and course.state == "in-progress"
        if not (back and wanted.begun):
            held = ways.why
            at.went(flagged(course, at.dialect, state, held, "receiver", at.now))
            course = at.row.course
        if not back:
            at.note(held=held, because="")
            return
        # Once the work has begun a yes is not taken back: what else is to be said still is.
        ways, state = (), course.state
    bodies, moved = _moves(at, task.body, ways, wanted)
    if ways and moved.state != state:
        at.went(moved)
        at.note(held="too-many", because="")
        return
    changed = [body for body, earlier in zip(bodies, [task.body, *bodies], strict=False) if body != earlier]
    if changed and _withheld_in(at, changed, wanted):
        at.note(held="last-look", because="")
        return
    write(at, task, changed, wanted)
    at.went(moved)
    own = bool(moved.business) and at.desk.catalogue.codes["business-status"].translate(moved.business) is None
    if moved.reason not in ("", inward.WITHHELD) or moved.result or own:
        at.note(words=True)
    at.note(held=held, because="", asked="" if ways else at.known.asked)


def _moves(
    at: Incoming, task: Mapping[str, Any], ways: tuple[State, ...], wanted: Reply
) -> tuple[list[dict[str, Any]], Course]:
    """The Task after each move, and after what else is to be said; and the course with them."""
    course, bodies, body = at.row.course, list[dict[str, Any]](), dict(task)
    for place, state in enumerate(ways, 1):
        last = place == len(ways)
        reason, code = (wanted.reason, wanted.business) if last else ("", "")
        following = set_(course, at.dialect, state, "receiver", at.now, reason=reason, business=code)
        if isinstance(following, Impossible):
            raise TypeError("a way leads over a move that is none")
        course = following
        if at.dialect.says.get(state, state) != body.get("status") or reason or code:
            body = told(at, body, state=state, moved=True, code=code, reason=reason, result=None)
            bodies.append(body)
    result = wanted.result if wanted.result != course.result else None
    reason_ = wanted.reason if wanted.reason != course.reason else None
    code_ = wanted.business if wanted.business != course.business else None
    if (result, reason_, code_) != (None, None, None):
        state = course.state
        body = told(at, body, state=state, moved=False, code=code_, reason=reason_, result=result)
        bodies = [*bodies[:-1], body] if bodies else [body]
        course = restated(
            course, business=wanted.business, reason=wanted.reason, result=wanted.result, now=at.now, same=bool(ways)
        )
    return bodies, course


def _withheld_in(at: Incoming, bodies: Sequence[Mapping[str, Any]], wanted: Reply) -> bool:
    """The last look, at our own words: what the partner wrote itself tells it nothing."""
    own = [{name: body[name] for name in inward.OURS if name in body} for body in bodies]
    return (
        last_look(
            strict_json.dump({"resourceType": "Bundle", "entry": own}),
            case=dict(wanted.case or {}),
            kept=dict(at.stored.kept),
            rulebook=rulebook_for(at.desk.bench.rulebook, at.stored.kept),
            partner=at.row.partner,
            now=at.now,
        )
        is not None
    )


def _moved_by_sender_alone(course: Course) -> bool:
    """Has it gone beyond what is asked without any answer of ours?"""
    return course.state not in ("requested", "rejected") and not any(step.by == "receiver" for step in course.steps)


def _ended_by_sender(at: Incoming) -> bool:
    course = at.row.course
    over = at.dialect.ended(course.state)
    return over and (not course.steps or course.steps[-1].by == "requester")
