"""The whole loop on one board: each referral that goes out, where it is, what it waits for; and one in full."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from adapter.core.referral.course import HANDOVER, Course, Step, handover
from adapter.core.referral.kept import OVER, with_outcomes
from adapter.core.referral.table import STATES, WHYS
from adapter.core.referral.task import receives, state_of
from adapter.desk import Desk
from adapter.errors import Malformed, NotFound, Problem
from adapter.show.found import known_case, stored_case
from adapter.store import cases, referrals
from adapter.store.cases import StoredCase
from adapter.store.referrals import Tracked

FIRST_PAGE = 50
UNANSWERED = ("requested", "received")


def board(
    desk: Desk,
    number: str | None = None,
    *,
    state: str | None = None,
    after: str | None = None,
    limit: int = FIRST_PAGE,
) -> dict[str, Any]:
    """`{"referrals": […], "next"}`: by case; in one state only where it is given. No name and no text of a record:
    paths, states and days. `next`: the case behind which the next page begins, None on the last."""
    if state is not None and state not in STATES:
        raise Malformed(
            "A parameter of the address cannot be read.", [Problem("/state", "must be a state of a referral")]
        )
    with desk.store.reading() as tx:
        if number is not None:
            found, next_ = [stored_case(tx, number)], None
        else:
            behind = known_case(tx, after).id if after else None
            found = cases.listed(tx, after=behind, limit=limit)
            next_ = found[-1].number if len(found) == limit else None
        rows = {stored.id: {t.path: t for t in referrals.of_case(tx, stored.id)} for stored in found}
    every = [row for stored in found for row in _rows(desk, stored, rows[stored.id])]
    return {"referrals": [row for row in every if state in (None, row["state"])], "next": next_}


def referral(desk: Desk, number: str, id_: str) -> dict[str, Any]:
    """One referral in full: where it is, how it came there, what could not be, in the receiver's words too."""
    with desk.store.reading() as tx:
        stored = stored_case(tx, number)
        rows = {t.path: t for t in referrals.of_case(tx, stored.id)}
    row = next((r for r in _rows(desk, stored, rows) if r["referral"] == id_), None)
    if row is None:
        raise NotFound("There is no such referral.")
    tracked = rows.get(f"referrals/{id_}")
    course = tracked.course if tracked else Course()
    return {
        **row,
        "reason": course.reason,
        "result": course.result,
        "words": course.words,
        "history": [_step(step) for step in course.steps],
        "flags": [
            {"at": f.at, "by": f.by, "state": f.state, "asked": f.asked, "why": f.why, "sentence": WHYS[f.why]}
            for f in course.flags
        ],
    }


def overdue(desk: Desk, record: Mapping[str, Any], state: str, now: datetime) -> bool:
    """Has nobody answered by the day that the referral asks for?"""
    by = record.get("respond_by")
    if by is None or state not in UNANSWERED or record["status"] in (*OVER, "draft"):
        return False
    return now >= desk.bench.rulebook.end_of(date.fromisoformat(by))


def troubles(desk: Desk, stored: StoredCase, tracked: Mapping[str, Tracked]) -> list[tuple[str, str]]:
    """(path, code) of what a person should look at: a referral that nobody answered in time, or a move that could not
    be."""
    rows = _rows(desk, stored, tracked)
    late = [(f"referrals/{row['referral']}", "referral-overdue") for row in rows if row["overdue"]]
    return late + [(f"referrals/{row['referral']}", "referral-flagged") for row in rows if row["flags"]]


def _rows(desk: Desk, stored: StoredCase, tracked: Mapping[str, Tracked]) -> list[dict[str, Any]]:
    now = desk.clock()
    body = with_outcomes(stored.body, stored.kept, words=False)
    asks: Mapping[str, Any] = stored.kept.get("asks", {})
    return [
        _row(desk, stored.number, body, record, tracked.get(f"referrals/{record['id']}"), asks, now)
        for record in body.get("referrals", ())
        if record["direction"] == "out"
    ]


def _row(
    desk: Desk,
    number: str,
    body: Mapping[str, Any],
    record: Mapping[str, Any],
    tracked: Tracked | None,
    asks: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    partner = next((p for p in desk.catalogue.partners if receives(body, record, p)), None)
    course = tracked.course if tracked is not None and tracked.partner == partner else None
    state = course.state if course else state_of(record) if "outcome" in record else record["status"]
    ask = asks.get(f"referrals/{record['id']}")
    return {
        "case": number,
        "referral": record["id"],
        "to": record.get("to", ""),
        "partner": partner,
        "state": state,
        "business_status": (course.business if course else record.get("outcome", {}).get("business_status")) or None,
        "since": (course.on if course else record.get("outcome", {}).get("on")) or None,
        "request": record["status"],
        "respond_by": record.get("respond_by"),
        "overdue": overdue(desk, record, state, now),
        "asked_to_end": ask["how"] if ask is not None and not ask.get("done") and state not in OVER else None,
        "handover": _handover(record, tracked),
        "flags": len(course.flags) if course else 0,
    }


def _handover(record: Mapping[str, Any], tracked: Tracked | None) -> dict[str, str | None] | None:
    """Each step of a warm hand-over with its day; None for a referral that is not warm."""
    if not record.get("warm"):
        return None
    said = {step: at[:10] for step, at in handover(tracked.course).items()} if tracked else {}
    entered = {step: each["on"] for step, each in tracked.handover.items()} if tracked else {}
    return {step: entered.get(step) or said.get(step) for step in HANDOVER}


def _step(step: Step) -> dict[str, Any]:
    plain = {
        "at": step.at, "by": step.by, "from": step.start, "to": step.end, "business_status": step.business,
        "words": step.words, "reason": step.reason, "result": step.result, "said_at": step.said_at,
        "unseen": list(step.through),
    }  # fmt: skip
    return {name: value for name, value in plain.items() if value}
