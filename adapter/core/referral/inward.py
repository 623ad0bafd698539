"""What the agency answers to a partner that referred a child to it: the answer wanted, and the Task that says it.

A referral of direction `in` that was adopted from a partner's ServiceRequest stands in `kept["arrived"]`: path →
{"partner", "type", "id", "version", "on", "by"}. `kept["answers"]`: path → what a coordinator answered here: {"status",
"business_status"?, "reason"?, "result"?, "by", "on", "over", "own"}; it stands until the case system's own record says
something else than it did then (`over`: its state, `own`: its outcome).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapter.core.fhir.instants import instant
from adapter.core.mapping.codes import ConceptMap
from adapter.core.partner import Release
from adapter.core.referral.answer import words_of
from adapter.core.referral.table import Dialect, Impossible, State, move, way
from adapter.core.strict_json import digest

ABORT = "abort"
"""Code of a Task that asks to end another one (HL7 Clinical Order Workflows)."""
ASKS = "cancellation-requested"
WITHHELD = "The agency gives its reason by another way."
"""Stands where a dialect needs a reason and the partner may be told none: the same, whether there is one or not."""
OURS = ("status", "statusReason", "businessStatus", "output", "lastModified")
"""Elements of the Task that are the receiver's: a partner's own write of it does not take their place."""
ANSWERS: tuple[State, ...] = (
    "received", "accepted", "rejected", "in-progress", "on-hold", "completed", "failed", "cancelled"
)  # fmt: skip
"""What can be answered to a referral that came in, as far as the partner's dialect lets the receiver."""
_FULFIL = {
    "coding": [
        {"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill",
         "display": "Fulfill the focal request"}
    ]
}  # fmt: skip
_RESULT = {"text": "Result"}
_ON_THE_WAY: tuple[State, ...] = ("received", "accepted", "in-progress")
_OVER = ("completed", "rejected", "cancelled", "failed", "entered-in-error")


@dataclass(frozen=True, slots=True)
class Inward:
    """What is known of the partner's side. `request`, `task`: the ids there; `made`: the Task is one of our making;
    `asked`: how the partner asks for an end; `held`: why nothing is answered now, `because` of which provision;
    `heard`: the status of its ServiceRequest that was heard last; `words`: the Task holds words of the agency;
    `former`: Tasks that were answered on before."""

    request: str
    task: str = ""
    made: bool = False
    asked: str = ""
    held: str = ""
    because: str = ""
    heard: str = ""
    words: bool = False
    former: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What the agency says of a referral, wherever it says it."""

    state: State
    business: str = ""
    reason: str = ""
    result: str = ""


def says(record: Mapping[str, Any], answer: Mapping[str, Any] | None) -> Said:
    """The agency's answer: what was answered here, while that stands; else what its own record says."""
    if answer is not None and stands(record, answer):
        told = {"business": "business_status", "reason": "reason", "result": "result"}
        return Said(answer["status"], **{ours: answer.get(theirs, "") for ours, theirs in told.items()})
    outcome: Mapping[str, Any] = record.get("outcome", {})
    state = _state(record)
    if outcome.get("status", state) != state:
        return Said(state)  # a reason belongs to the state that it came with
    return Said(state, outcome.get("business_status", ""), outcome.get("reason", ""), outcome.get("result", ""))


def stands(record: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    """Is what was answered here still the last word? The record has come to say the same, or nothing new."""
    same = "outcome" not in record or digest(record["outcome"]) == answer["own"]
    return same and _state(record) in (answer["over"], answer["status"])


def over(record: Mapping[str, Any]) -> dict[str, str]:
    """What an answer that is given here is said over."""
    return {"over": _state(record), "own": digest(record.get("outcome", {}))}


def _state(record: Mapping[str, Any]) -> State:
    """Of the request's own status and its outcome's the one that is further on: many keep but one of them. The status,
    where they are as far."""
    status: State = record["status"]
    answered: State = record.get("outcome", {}).get("status", status)
    return answered if _far(answered) > _far(status) else status


def _far(state: State) -> int:
    return 3 if state in _OVER else {"accepted": 1, "in-progress": 2, "on-hold": 2}.get(state, 0)


def wanted(said: Said, *, kind: str, enrolment: str) -> tuple[State | None, str]:
    """(state, business status) that the Task is to have; no state where nothing is to be said yet.

    What was adopted has been received. Where coordination was asked for and the answer is yes, the enrolment says how
    far it is (records.md: the waitlist, then active), as far as the record says no more. `enrolment`: its status where
    this partner may see it; else empty, and the Task tells nothing of it.
    """
    if said.state == "draft":
        return None, ""
    state: State = "received" if said.state == "requested" else said.state
    if kind != "coordination":
        return state, said.business
    if state == "accepted" and enrolment == "active":
        state = "in-progress"
    waits = state in ("accepted", "in-progress", "on-hold") and enrolment == "waitlisted"
    return state, said.business or ("waitlisted" if waits else "")


def lags(record: Mapping[str, Any], answer: Mapping[str, Any] | None, enrolment: str) -> str:
    """What does not go together in the answer to a referral into coordination and the enrolment; empty if it does."""
    if record.get("direction") != "in" or record.get("kind") != "coordination" or not enrolment:
        return ""
    state = says(record, answer).state
    if state in ("accepted", "in-progress") and enrolment == "referred":
        return "A referral into coordination is accepted, and the enrolment still says referred: let the intake begin."
    if state in ("requested", "received") and enrolment in ("waitlisted", "active"):
        return "The enrolment says that the child waits or is served, and a referral into coordination is not answered."
    return ""


def steps(at: State, dialect: Dialect, to: State, *, reason: bool) -> tuple[State, ...] | Impossible:
    """The states from `at` to `to`, in moves that this partner's dialect lets the receiver make; by way of none that
    would tell of something that has not been, such as a rest."""
    if to == at:
        return ()
    if not reason and to in dialect.reasons:
        found = move(dialect, at, to, "receiver", reason=False, gaps=True)
        return found if isinstance(found, Impossible) else Impossible("no-reason")
    between = way(dialect, at, to, "receiver", through=_ON_THE_WAY)
    if between is not None:
        return (*between, to)
    found = move(dialect, at, to, "receiver", reason=True)
    return found if isinstance(found, Impossible) else Impossible("no-such-move")


def begins(task: Mapping[str, Any], dialect: Dialect) -> State:
    """Where a Task is that a partner has sent. `ready` is one that may be begun: nobody has accepted it; and a draft is
    one that was asked for, where the dialect knows none."""
    code = task.get("status")
    state = dialect.state(code)
    if state is None or code == "ready" or (state == "draft" and dialect.ended(state)):
        return "requested"
    return state


def new_task(request: Mapping[str, Any], identifier: tuple[str, str], authored: str) -> dict[str, Any]:
    """The Task of a partner's ServiceRequest that came without one: made in its own world, for it to read the answer
    (CA:eReC: the performer answers a new request with a process-request Task)."""
    about = {"reference": f"ServiceRequest/{request['id']}"}
    asks = {name: request[of] for name, of in (("for", "subject"), ("requester", "requester")) if of in request}
    system, value = identifier
    return {
        "resourceType": "Task",
        "identifier": [{"system": system, "value": value}],
        "basedOn": [about],
        "status": "requested",
        "intent": "order",
        "code": _FULFIL,
        "focus": about,
        **asks,
        "authoredOn": authored,
    }


def told(
    task: Mapping[str, Any],
    dialect: Dialect,
    business: ConceptMap,
    release: Release,
    *,
    state: State,
    moved: bool,
    code: str | None,
    reason: str | None,
    result: str | None,
) -> dict[str, Any]:
    """The Task as it says our answer. `moved`: it comes to this state by it. `code`: our business status, `reason`,
    `result`: "" for none, None to leave what stands there."""
    made = dict(task)
    if moved:
        made["status"] = dialect.says.get(state, state)
    if reason is not None:
        _put(made, "statusReason", _concept({"text": reason}, release) if reason else None)
    if code is not None:
        found = business.translate(code) if code else None
        _put(made, "businessStatus", found.concept() if found else {"text": code} if code else None)
    if result is not None:
        output = made.get("output")
        kept = [each for each in output if each not in _results(made)] if isinstance(output, list) else []
        said = [{"type": _RESULT, "valueString": result}] if result else []
        _put(made, "output", [*kept, *said])
    return made


def dated(task: dict[str, Any], now: datetime) -> dict[str, Any]:
    """With the time of its change; without one where that is not later than when it says that it was written (inv-1 of
    FHIR R4; a day is over before what comes after it)."""
    authored = task.get("authoredOn")
    try:
        written = datetime.fromisoformat(authored) if isinstance(authored, str) else None
    except ValueError:
        written = None  # a year, or a month
    moment = instant(now)
    if written is not None and written.tzinfo is not None and "T" in str(authored):
        later = now >= written
    else:
        later = not isinstance(authored, str) or authored < moment[: len(authored)]
    rest = {name: value for name, value in task.items() if name != "lastModified"}
    return {**rest, "lastModified": moment} if later else rest


def merged(theirs: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """A partner's write of the Task that we answer on: all of it, but for what is the receiver's, which stays."""
    rest = {name: value for name, value in theirs.items() if name not in OURS}
    return {**rest, **{name: there[name] for name in OURS if name in there}}


WORDS = ("reason", "result", "business_status")
"""What of an answer is the agency's own words; a business status only where it is a code of its own."""


def without_words(
    task: Mapping[str, Any], reasons: Collection[str], results: Collection[str], codes: Collection[str]
) -> dict[str, Any]:
    """A version of the Task without these words of ours."""
    made = dict(task)
    if made.get("businessStatus") in [{"text": code} for code in codes]:
        made.pop("businessStatus")
    if reason_of(made) in reasons:
        made.pop("statusReason")
    gone = [each for each in _results(made) if each.get("valueString") in results]
    if gone:
        _put(made, "output", [each for each in made["output"] if each not in gone])
    return made


def asks_to_end(task: Mapping[str, Any], business: ConceptMap) -> bool:
    """Does its business status say that the sender asks for an end (BSeR 5.2)?"""
    codings = _of(task.get("businessStatus")).get("coding")
    found = [_of(each) for each in codings] if isinstance(codings, list) else []
    return any(business.backwards.get((str(c.get("system")), str(c.get("code")))) == ASKS for c in found)


def about(task: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(type, id) of what a Task says that it is about, and is based on."""
    based = task.get("basedOn")
    for each in (task.get("focus"), *(based if isinstance(based, list) else ())):
        words = _of(each).get("reference")
        if isinstance(words, str) and len(parts := words.split("/_history/")[0].rsplit("/", 2)) > 1:
            yield parts[-2], parts[-1]


def is_abort(task: Mapping[str, Any]) -> bool:
    """Is it a Task that asks to end another?"""
    codings = _of(task.get("code")).get("coding")
    return isinstance(codings, list) and any(_of(each).get("code") == ABORT for each in codings)


def reason_of(task: Mapping[str, Any]) -> str:
    """The words of a Task's reason."""
    return words_of(task.get("statusReason"))


def _put(made: dict[str, Any], name: str, value: Any) -> None:
    if value:
        made[name] = value
    else:
        made.pop(name, None)


def _results(task: Mapping[str, Any]) -> list[Any]:
    output = task.get("output")
    return [e for e in output if _of(e).get("type") == _RESULT] if isinstance(output, list) else []


def _concept(concept: dict[str, Any], release: Release) -> dict[str, Any]:
    return {"concept": concept} if release == "R5" else concept


def _of(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
