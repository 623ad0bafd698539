"""The whole loop on one board: each referral that goes out or came in, where it is, what it waits for; one in full."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapter.core.referral.course import HANDOVER, Course, Step, handover
from adapter.core.referral.inward import ANSWERS, says, steps
from adapter.core.referral.kept import OVER, with_outcomes
from adapter.core.referral.late import overdue
from adapter.core.referral.parallel import standing, still_asked
from adapter.core.referral.passed import Passed
from adapter.core.referral.reply import reply
from adapter.core.referral.table import STATES, WHYS, Impossible
from adapter.core.referral.task import receives
from adapter.desk import Desk
from adapter.errors import Malformed, NotFound, Problem
from adapter.show.found import known_case, stored_case
from adapter.store import cases, referrals
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.referrals import Tracked

FIRST_PAGE = 50
HELD: dict[str, str] = {
    "denied": "The family has said no to telling this partner of the referral: its Task stays as it is.",
    "last-look": "The last look found withheld content in the answer: it was not given.",
    "gone": "The partner has taken its request or its Task away: there is nothing to answer on.",
    "twice": "The same request is answered as another referral, which was adopted from it before.",
    **dict(WHYS.items()),
}
"""Why an answer to a referral that came in is not given as it stands."""


def board(
    desk: Desk,
    number: str | None = None,
    *,
    state: str | None = None,
    after: str | None = None,
    limit: int = FIRST_PAGE,
) -> dict[str, Any]:
    """`{"referrals": […], "next"}`: by case; in one state only where it is given. No name and no text of a record:
    paths, states and days. `others`: those made in parallel that are still open once this one is taken on. `next`: the
    case behind which the next page begins, None on the last."""
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
        rows = {stored.id: tracked(tx, stored.id) for stored in found}
    every = [row for stored in found for row in _rows(desk, stored, rows[stored.id])]
    return {"referrals": [row for row in every if state in (None, row["state"])], "next": next_}


def referral(desk: Desk, number: str, id_: str) -> dict[str, Any]:
    """One referral in full: where it is, how it came there, what could not be, in the receiver's words too."""
    with desk.store.reading() as tx:
        stored = stored_case(tx, number)
        rows = tracked(tx, stored.id)
    row = next((r for r in _rows(desk, stored, rows) if r["referral"] == id_), None)
    if row is None:
        raise NotFound("There is no such referral.")
    followed = rows.get(f"referrals/{id_}")
    course = followed.course if followed else Course()
    return {
        **row,
        **(_inward(desk, stored, id_, followed) if row["direction"] == "in" else {}),
        "reason": course.reason,
        "result": course.result,
        "words": course.words,
        "history": [_step(step) for step in course.steps],
        "passed_on": [_passed(each) for each in course.passed],
        "flags": [
            {"at": f.at, "by": f.by, "state": f.state, "asked": f.asked, "why": f.why, "sentence": WHYS[f.why]}
            for f in course.flags
        ],
    }


def tracked(tx: Tx, case_id: str) -> dict[str, Tracked]:
    """Path → what is followed of a referral, whichever way it goes."""
    return {t.path: t for way in (False, True) for t in referrals.of_case(tx, case_id, inward=way)}


def troubles(desk: Desk, stored: StoredCase, followed: Mapping[str, Tracked]) -> list[tuple[str, str]]:
    """(path, code) of what a person should look at: a referral that nobody answered in time, a move that could not be,
    an answer that is held, an end that is asked for."""
    found: list[tuple[str, str]] = []
    for row in _rows(desk, stored, followed):
        path, out = f"referrals/{row['referral']}", row["direction"] == "out"
        codes = ("referral-overdue", "referral-flagged") if out else ("answer-overdue", "answer-flagged")
        found += [(path, code) for code, is_so in zip(codes, (row["overdue"], row["flags"]), strict=True) if is_so]
        if not out:
            found += [(path, "answer-held")] if row["held"] else []
            found += [(path, "end-asked")] if row["asked_to_end"] else []
    return sorted(found, key=lambda each: ("overdue" not in each[1], each[1]))


def _rows(desk: Desk, stored: StoredCase, followed: Mapping[str, Tracked]) -> list[dict[str, Any]]:
    now = desk.clock()
    body = with_outcomes(stored.body, stored.kept, words=False)
    asks: Mapping[str, Any] = stored.kept.get("asks", {})
    records, rows = body.get("referrals", ()), []
    courses = {path: known.course for path, known in followed.items()}
    for record in records:
        known = followed.get(f"referrals/{record['id']}")
        if record["direction"] == "out":
            others = list(still_asked(records, courses, asks, record["id"]))
            rows.append({**_row(desk, stored.number, body, record, known, asks, now), "others": others})
        else:
            rows.append(_row_in(desk, stored, record, known, now))
    return rows


def _row(
    desk: Desk,
    number: str,
    body: Mapping[str, Any],
    record: Mapping[str, Any],
    known: Tracked | None,
    asks: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    partner = next((p for p in desk.catalogue.partners if receives(body, record, p)), None)
    course = known.course if known is not None and known.partner == partner else None
    state = standing(record, course)
    ask = asks.get(f"referrals/{record['id']}")
    return {
        "case": number,
        "referral": record["id"],
        "direction": "out",
        "to": record.get("to", ""),
        "partner": partner,
        "state": state,
        "business_status": (course.business if course else record.get("outcome", {}).get("business_status")) or None,
        "since": (course.on if course else record.get("outcome", {}).get("on")) or None,
        "request": record["status"],
        "respond_by": record.get("respond_by"),
        "overdue": overdue(record, state, now, end_of=desk.bench.rulebook.end_of),
        "asked_to_end": ask["how"] if ask is not None and not ask.get("done") and state not in OVER else None,
        "handover": _handover(record, known),
        "flags": len(course.flags) if course else 0,
        "passed_on": len(course.passed) if course else 0,
    }


def _row_in(
    desk: Desk, stored: StoredCase, record: Mapping[str, Any], known: Tracked | None, now: datetime
) -> dict[str, Any]:
    """A referral that came in: by FHIR from a partner, or by telephone or fax, which nobody answers here. `flags`: what
    the sender set since our last answer and could not be."""
    path = f"referrals/{record['id']}"
    came = stored.kept.get("arrived", {}).get(path)
    followed = known if known is not None and came is not None and known.partner == came["partner"] else None
    inward, course = (followed.inward, followed.course) if followed else (None, None)
    own = next(r for r in stored.body["referrals"] if r["id"] == record["id"])
    said = says(own, stored.kept.get("answers", {}).get(path))
    state = course.state if course else said.state
    last = course.steps[-1].at if course and course.steps else ""
    return {
        "case": stored.number,
        "referral": record["id"],
        "direction": "in",
        "from": record.get("from", ""),
        "to": record.get("to", ""),
        "partner": came["partner"] if came else None,
        "state": state,
        "business_status": (course.business if course else said.business) or None,
        "since": (course.on if course else record.get("outcome", {}).get("on")) or None,
        "request": record["status"],
        "answer": said.state,
        "respond_by": record.get("respond_by"),
        "overdue": overdue(record, state, now, end_of=desk.bench.rulebook.end_of),
        "asked_to_end": (inward.asked if inward and state not in OVER else "") or None,
        "handover": _handover(record, followed),
        "held": (inward.held if inward else "") or None,
        "flags": sum(flag.by == "requester" and flag.at >= last for flag in course.flags) if course else 0,
    }


def _inward(desk: Desk, stored: StoredCase, id_: str, followed: Tracked | None) -> dict[str, Any]:
    """Of one that came in: why its answer is held, what of it is withheld, and what may be answered now."""
    path, inward = f"referrals/{id_}", followed.inward if followed else None
    if followed is None or inward is None or followed.partner not in desk.catalogue.partners:
        return {"sentence": None, "because": None, "withheld": [], "may": list(ANSWERS)}
    dialect = desk.bench.dialect(followed.partner)
    told = reply(desk.bench, stored.body, stored.kept, path, followed.partner, desk.clock(), dialect)
    at = followed.course.state
    return {
        "sentence": HELD.get(inward.held),
        "because": inward.because or None,
        "withheld": list(told.unsaid),
        "may": [s for s in ANSWERS if not isinstance(steps(at, dialect, s, reason=True), Impossible)],
    }


def _handover(record: Mapping[str, Any], known: Tracked | None) -> dict[str, str | None] | None:
    """Each step of a warm hand-over with its day; None for a referral that is not warm."""
    if not record.get("warm"):
        return None
    said = {step: at[:10] for step, at in handover(known.course).items()} if known else {}
    entered = {step: each["on"] for step, each in known.handover.items()} if known else {}
    return {step: entered.get(step) or said.get(step) for step in HANDOVER}


def _passed(each: Passed) -> dict[str, Any]:
    plain = {
        "to": each.to, "state": each.said, "business_status": each.business, "words": each.words,
        "reason": each.reason, "result": each.result, "since": each.since, "at": each.at, "said_at": each.said_at,
    }  # fmt: skip
    return {name: value for name, value in plain.items() if value}


def _step(step: Step) -> dict[str, Any]:
    plain = {
        "at": step.at, "by": step.by, "from": step.start, "to": step.end, "business_status": step.business,
        "words": step.words, "reason": step.reason, "result": step.result, "said_at": step.said_at,
        "unseen": list(step.through),
    }  # fmt: skip
    return {name: value for name, value in plain.items() if value}
