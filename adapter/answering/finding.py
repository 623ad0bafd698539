"""Which Task a referral is answered on: the partner's own, or one of ours in its world where it sent none."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapter.answering.incoming import MOST_TASKS, REVOKED, SLOT, Incoming
from adapter.answering.writing import account
from adapter.core.fhir.instants import instant
from adapter.core.fhir.search import index
from adapter.core.identity import Key
from adapter.core.referral import inward
from adapter.core.referral.course import begun_again
from adapter.core.referral.inward import Inward
from adapter.core.referral.reply import Reply
from adapter.core.referral.table import Dialect
from adapter.store import resources
from adapter.store.referrals import Tracked
from adapter.store.resources import Received


def answered_on(at: Incoming, wanted: Reply) -> Received | None:
    """The Task that is answered on: the one that has been, as long as it stands; else the partner's; else one of ours.
    None where there is none, and none is to be made."""
    found = _about(at)
    current = next((t for t in found if t.id == at.known.task), None)
    theirs = [t for t in found if t is not current]
    live = [t for t in theirs if not at.dialect.ended(inward.begins(t.body, at.dialect))]
    if current is not None and at.known.made and theirs:
        # It came without a Task, and has sent its own since: that is answered, and two would say the same.
        resources.delete(at.tx, at.row.partner, "Task", current.id, now=at.now)
        account(at, "withdraw", wanted)
        return _begin(at, (live or theirs)[-1])
    if current is not None:
        over = at.dialect.ended(at.row.course.state) and wanted.state not in (None, at.row.course.state)
        return _begin(at, live[-1]) if over and live else current
    if at.known.task and not live:
        at.note(held="gone", because="")
        return None
    if theirs:
        return _begin(at, (live or theirs)[-1])
    return _make(at, wanted)


def _about(at: Incoming) -> list[Received]:
    """The partner's Tasks about its ServiceRequest, in the order in which they came; not those that ask for an end."""
    name = f"ServiceRequest/{at.known.request}"
    found: dict[str, Received] = {}
    for parameter in ("focus", "based-on"):
        terms = [(parameter, [name])]
        found |= {t.id: t for t in resources.search(at.tx, at.row.partner, "Task", terms, limit=MOST_TASKS)}
    return [task for task in found.values() if not inward.is_abort(task.body)]


def _make(at: Incoming, wanted: Reply) -> Received | None:
    """A Task for a request that came without one, in the partner's world; it says no more than that it was asked."""
    if wanted.denied or wanted.state is None:
        at.note(held="denied" if wanted.denied else "", because=wanted.denied)
        return None
    request = resources.read(at.tx, at.row.partner, "ServiceRequest", at.known.request)
    if request is None or request.deleted or request.body.get("status") in REVOKED:
        at.note(held="gone", because="")
        return None
    identity = at.desk.bench.identity(at.row.partner)
    name = identity.identifier(Key(at.stored.number, at.row.path, "Task", SLOT))
    body = inward.new_task({**request.body, "id": request.id}, name, instant(at.now))
    id_ = secrets.token_hex(16)
    made = resources.create(
        at.tx, at.row.partner, "Task", {**body, "id": id_}, id=id_, now=at.now, indexed=index(body, base="")
    )
    account(at, "create", wanted)
    at.note(task=id_, made=True, asked="", held="", because="")
    return made


def _begin(at: Incoming, task: Received) -> Received:
    """Answer on this Task from now on, from where it is."""
    at.row = begun(at.row, at.known, task.id, task.body, at.dialect, at.now)
    return task


def begun(row: Tracked, known: Inward, id_: str, task: Mapping[str, Any], dialect: Dialect, now: datetime) -> Tracked:
    """The row once it is answered on this Task, from where that is: what was said on an earlier one counts no more."""
    state, course = inward.begins(task, dialect), row.course
    anew = begun_again(course, state, now) if course.steps else replace(course, state=state)
    former = tuple(dict.fromkeys(each for each in (*known.former, known.task) if each not in ("", id_)))
    return replace(
        row,
        course=replace(anew, business="", words="", reason="", result=""),
        inward=replace(known, task=id_, made=False, asked="", held="", because="", former=former),
    )
