"""How answers reach the record: `outcome` of a referral, kept beside the case and laid over what the agency put.

`kept["outcomes"]`: path → what the receiver `by` answered: {"by", "status", "on", "business_status"?, "reason"?,
"result"?, "closed"?}; `closed` is the status with which the coordinator ended the referral. `kept["asks"]`: path → how
the coordinator asked for an end: {"how", "reason", "by", "on", "done"?}. Of a referral that came in, `outcomes` holds
how the partner that sent it has ended it (`by`: whom it came from), and `answers` what was answered here (inward.py).

A receiver's own words are for the agency: no consent rule has read them, so that nobody else is sent them unless the
agency says them itself (consent.md, *Unreviewed text*).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.core.referral.course import Course
from adapter.core.referral.inward import over, stands

Kept = dict[str, Any]

_STATED = ("status", "business_status", "by", "on")
_WORDS = ("reason", "result")
OVER = ("completed", "rejected", "cancelled", "failed", "entered-in-error")


def with_outcomes(body: Mapping[str, Any], kept: Mapping[str, Any], *, words: bool) -> dict[str, Any]:
    """The case with the outcomes that were answered; `words`: also what receivers wrote, for people of the agency."""
    if not (kept.get("outcomes") or kept.get("answers")) or "referrals" not in body:
        return dict(body)
    return {**body, "referrals": [_with(r, _said(kept, r), words=words) for r in body["referrals"]]}


def without_echo(case: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """A case that is put, without outcomes that say what we keep anyway: who reads and puts back has said nothing."""
    if not (kept.get("outcomes") or kept.get("answers")) or "referrals" not in case:
        return dict(case)
    given = kept.get("answers", {})
    records = [
        _heard(_heard(r, _said(kept, r)), _outcome(given.get(f"referrals/{r['id']}"))) for r in case["referrals"]
    ]
    return {**case, "referrals": records}


def carried(kept: Mapping[str, Any], after: Mapping[str, Any]) -> Kept:
    """What to keep of answers once the case is `after`: of its referrals, as long as they go to whoever answered, and
    while what was answered here is the last word."""
    records = {f"referrals/{r['id']}": r for r in after.get("referrals", ())}
    outcomes = {p: s for p, s in kept.get("outcomes", {}).items() if p in records and other(records[p]) == s["by"]}
    asks = {path: ask for path, ask in kept.get("asks", {}).items() if path in records}
    given = kept.get("answers", {})
    answers = {p: {**a, **over(records[p])} for p, a in given.items() if p in records and _answers(records[p], a)}
    rest = {name: value for name, value in kept.items() if name not in ("outcomes", "asks", "answers")}
    some = {"outcomes": outcomes, "asks": asks, "answers": answers}
    return {**rest, **{name: value for name, value in some.items() if value}}


def other(record: Mapping[str, Any]) -> str:
    """Who is on the other side of a referral: whom it goes to, or whom it came from; empty where that is not said."""
    side: str = record.get("to" if record["direction"] == "out" else "from", "")
    return side


def given(kept: Mapping[str, Any], path: str, answer: Mapping[str, Any], record: Mapping[str, Any]) -> Kept:
    """What to keep once a coordinator has answered a referral that came in; `record` as the agency has it."""
    return {**kept, "answers": {**kept.get("answers", {}), path: {**answer, **over(record)}}}


def ended(kept: Mapping[str, Any], path: str, course: Course, by: str) -> Kept:
    """What to keep once the partner that sent a referral has ended it; or, where it goes on, has not."""
    before = kept.get("outcomes", {})
    outcomes = {each: said for each, said in before.items() if each != path}
    if course.steps and course.steps[-1].by == "requester" and course.state in OVER:
        told = {"by": by, "status": course.state, "on": course.on, "reason": course.reason}
        outcomes[path] = {name: value for name, value in told.items() if value or name == "by"}
    rest = {name: value for name, value in kept.items() if name != "outcomes"}
    return {**rest, **({"outcomes": outcomes} if outcomes else {})}


def answered(kept: Mapping[str, Any], path: str, course: Course, by: str) -> Kept:
    """What to keep after an answer. Nothing, where the referral is as it was sent."""
    before = kept.get("outcomes", {})
    outcomes = {each: said for each, said in before.items() if each != path}
    closed = before.get(path, {}).get("closed", "")
    if course.steps and (course.state != "requested" or course.business or closed):
        told = {
            "by": by, "status": course.state, "on": course.on, "business_status": course.business,
            "reason": course.reason, "result": course.result, "closed": closed,
        }  # fmt: skip
        outcomes[path] = {name: value for name, value in told.items() if value}
    rest = {name: value for name, value in kept.items() if name != "outcomes"}
    return {**rest, **({"outcomes": outcomes} if outcomes else {})}


def closed(kept: Mapping[str, Any], path: str, status: str, by: str, on: str) -> Kept:
    """What to keep once the coordinator has ended the referral with this status."""
    outcomes = kept.get("outcomes", {})
    said = outcomes.get(path, {"by": by, "status": status, "on": on})
    return {**kept, "outcomes": {**outcomes, path: {**said, "closed": status}}}


def asking(kept: Mapping[str, Any], path: str, ask: Mapping[str, Any] | None) -> Kept:
    """What to keep once an end is asked for; None: it is asked for no more."""
    asks = {each: one for each, one in kept.get("asks", {}).items() if each != path}
    if ask is not None:
        asks[path] = dict(ask)
    rest = {name: value for name, value in kept.items() if name != "asks"}
    return {**rest, **({"asks": asks} if asks else {})}


def visible(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What a partner may come to see of it: without the receivers' words, and who asked for an end and when."""
    outcomes = {
        path: {name: said[name] for name in (*_STATED, "closed") if name in said}
        for path, said in kept.get("outcomes", {}).items()
    }
    asks = {path: (ask["how"], ask["reason"]) for path, ask in kept.get("asks", {}).items()}
    answers = {
        path: [said.get(name) for name in ("status", "business_status", "on")]
        for path, said in kept.get("answers", {}).items()
    }
    return {"outcomes": outcomes, "asks": asks, "answers": answers}


def _said(kept: Mapping[str, Any], record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What is kept of this referral's outcome, while it is of who is on its other side, or the last word here."""
    path = f"referrals/{record['id']}"
    said: Mapping[str, Any] | None = kept.get("outcomes", {}).get(path)
    if said is not None and other(record) == said["by"]:
        return said
    answer = kept.get("answers", {}).get(path)
    return _outcome(answer) if answer is not None and _answers(record, answer) else None


def _outcome(answer: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """An answer that was given here, as an outcome says it."""
    return {n: value for n, value in answer.items() if n not in ("by", "over", "own")} if answer is not None else None


def _answers(record: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    return record["direction"] == "in" and stands(record, answer)


def _with(record: dict[str, Any], said: Mapping[str, Any] | None, *, words: bool) -> dict[str, Any]:
    if said is None:
        return record
    own = record.get("outcome", {})
    told = {name: said[name] for name in (*_STATED, *(_WORDS if words else ())) if said.get(name)}
    if own.get("status") == said["status"]:
        # What the agency itself says of this answer stays; of an earlier one it would be of another state.
        told = {**{name: own[name] for name in _WORDS if name in own}, **told}
    status = said["closed"] if "closed" in said and record["status"] not in OVER else record["status"]
    return {**record, "status": status, "outcome": told}


def _heard(record: dict[str, Any], said: Mapping[str, Any] | None) -> dict[str, Any]:
    if said is None or "outcome" not in record:
        return record
    plain = {name: value for name, value in record.items() if name != "outcome"}
    return plain if _with(plain, said, words=True)["outcome"] == record["outcome"] else record
