"""The sender's moves: what is kept of what a partner itself writes on the Task, judged by the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapter.answering.finding import begun
from adapter.answering.incoming import keep_outcome
from adapter.core.referral import inward
from adapter.core.referral import kept as outcomes
from adapter.core.referral.answer import Hearing
from adapter.core.referral.course import Course, flagged, set_
from adapter.core.referral.table import Impossible, move
from adapter.store import cases, referrals, shares
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.referrals import Tracked
from adapter.store.resources import Received


def judged(
    tx: Tx, partner: str, task: Mapping[str, Any], there: Received | None, id_: str, hears: Hearing, now: datetime
) -> dict[str, Any]:
    """What is kept of a partner's own write of a Task: its status is the sender's move, judged by the table, and takes
    the place of no answer of ours. A Task that nothing is answered on is kept as it is."""
    made = dict(task)
    for row in referrals.came_as(tx, partner, "Task", id_):
        if row.inward is None or (at := _held(tx, row)) is None:
            continue
        stored, record = at
        if there is None or there.deleted:
            # It was deleted, and comes again: what is answered on it begins anew.
            referrals.save(tx, begun(row, row.inward, id_, task, hears.dialect, now), is_open=True, now=now)
            continue
        made, course, asked = _judged(made, there.body, row, hears, now)
        after = replace(row, course=course, inward=replace(row.inward, asked=asked or row.inward.asked))
        referrals.save(tx, after, is_open=not hears.dialect.ended(course.state), now=now)
        keep_outcome(tx, stored, outcomes.ended(stored.kept, row.path, course, outcomes.other(record)), now)
    return made


def noticed(tx: Tx, partner: str, type_: str, id_: str, bodies: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """A partner wrote, or deleted, what may be of a referral that it sent: the share is due, and the rest follows."""
    if type_ not in ("Task", "ServiceRequest"):
        return
    names = {(type_, id_), *(name for body in bodies if type_ == "Task" for name in inward.about(body))}
    rows = [row for name in sorted(names) for row in referrals.came_as(tx, partner, *name)]
    for case_id in sorted({row.case_id for row in rows}):
        shares.mark_due(tx, case_id=case_id, partner=partner, now=now)


def _judged(
    task: Mapping[str, Any], there: Mapping[str, Any], row: Tracked, hears: Hearing, now: datetime
) -> tuple[dict[str, Any], Course, str]:
    """(what is kept, the course after it, how it asks for an end)."""
    course, dialect = row.course, hears.dialect
    asked = "business-status" if inward.asks_to_end(task, hears.business) else ""
    kept = inward.merged(task, there)
    if asked:
        kept["businessStatus"] = task["businessStatus"]
    if task.get("status") == there.get("status"):
        return kept, course, asked
    state = dialect.state(task.get("status"))
    reason = inward.reason_of(task)
    moved = move(dialect, course.state, state, "requester", reason=bool(reason))
    if isinstance(moved, Impossible):
        said = str(task.get("status"))[:40]
        return kept, flagged(course, dialect, said if state else "", moved.why, "requester", now), asked
    after = set_(course, dialect, state, "requester", now, reason=reason) if state else course
    if isinstance(after, Impossible) or after is course:
        return kept, course, asked
    for name in ("status", "statusReason", "businessStatus", "lastModified"):
        kept.pop(name, None)
        if name in task:
            kept[name] = task[name]
    return kept, after, asked


def _held(tx: Tx, row: Tracked) -> tuple[StoredCase, Mapping[str, Any]] | None:
    """The case of a row, held, with the referral's record; None where either is gone."""
    known = cases.by_id(tx, row.case_id)
    stored = cases.get(tx, known.number) if known is not None else None
    if stored is None or stored.deleted:
        return None
    record = next((r for r in stored.body.get("referrals", ()) if f"referrals/{r['id']}" == row.path), None)
    return (stored, record) if record is not None else None
