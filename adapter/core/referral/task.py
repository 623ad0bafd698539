"""The Task of a referral is shared property: the receiver moves it, and what is theirs we do not write over.

Once it is there, we write it for two reasons only: to cancel, or to ask for that; and where less may be seen than it
says (exchange.md, *Warm referrals*). Whatever the receiver has set in it then stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapter.core.diff import Made
from adapter.core.fhir.named import named_by
from adapter.core.identity import Identity, Key
from adapter.core.mapping.codes import ConceptMap
from adapter.core.partner import Release
from adapter.core.referral.table import Dialect, State

THEIRS = (
    "text", "status", "statusReason", "businessStatus", "owner", "performer", "executionPeriod", "lastModified",
    "location", "note", "relevantHistory", "output",
)  # fmt: skip
"""Elements of a Task that are the receiver's once it holds it (Santeon's list of what an owner may change; the
narrative, because it tells of them)."""
_OURS_TO_END = ("cancelled", "entered-in-error")
_WITHDRAWN = "The sender has withdrawn the referral."
_SLOT = "cancellation"
_ABORT = {
    "coding": [
        {"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "abort",
         "display": "Mark the focal resource as no longer active"}
    ]
}  # fmt: skip


def is_of_referral(made: Made) -> bool:
    """Is it the Task by which a referral is answered?"""
    return made.type == "Task" and bool(made.theirs) and set(made.theirs) <= set(THEIRS)


def receives(case: Mapping[str, Any], record: Mapping[str, Any], partner: str) -> bool:
    """Does the referral go to this partner? Another that may see it answers nothing."""
    return record.get("direction") == "out" and any(
        f"organizations/{each['id']}" == record.get("to") and each.get("partner") == partner
        for each in case.get("organizations", ())
    )


def shared(
    made: Sequence[Made],
    case: Mapping[str, Any],
    kept: Mapping[str, Any],
    *,
    partner: str,
    dialect: Dialect,
    business: ConceptMap | None,
    identity: Identity,
    number: str,
    release: Release,
) -> tuple[Made, ...]:
    """`made` with the Tasks of referrals as this partner's dialect has them, and what the coordinator asks for."""
    records = {f"referrals/{r['id']}": r for r in case.get("referrals", ())}
    asks: Mapping[str, Mapping[str, Any]] = kept.get("asks", {})
    found: list[Made] = []
    for each in made:
        record = records.get(each.about, {})
        if each.type != "Task" or not receives(case, record, partner):
            found.append(each)
            continue
        ask, at = asks.get(each.about), state_of(record)
        if ask is None or not may_ask(ask, at, dialect):
            ask = _implied(record.get("status"), at, dialect)
        found += _handed_out(each, ask, dialect, business, release)
        if ask is not None and ask["how"] == "task":
            found.append(_request(each, ask, identity, number, release))
    return tuple(found)


def state_of(record: Mapping[str, Any]) -> State:
    """Where a referral is, by its record with the outcome that is kept."""
    state: State = record.get("outcome", {}).get("status", "requested")
    return state


def may_ask(ask: Mapping[str, Any], at: State, dialect: Dialect) -> bool:
    """Is what the coordinator asked for still to be had? Whoever has completed it meanwhile is not written over."""
    if ask["how"] == "status":
        return at == "cancelled" or "cancelled" in dialect.may("requester", at)
    return at == "cancelled" or not dialect.ended(at)


def is_our_word(
    said: State | None, at: State, record: Mapping[str, Any], ask: Mapping[str, Any], dialect: Dialect
) -> bool:
    """Is what a Task says our own end of it, read back before we have settled that it is there? `at`: where it is."""
    if said == "cancelled" and ask.get("how") == "status" and not ask.get("done"):
        return True
    implied = _implied(record.get("status"), at, dialect)
    return said != at and implied is not None and implied["status"] == said


def merged(ours: Mapping[str, Any], there: Mapping[str, Any], theirs: Sequence[str]) -> dict[str, Any]:
    """What is written to a Task that the partner holds: what is ours, and of what is `theirs` what stands there."""
    own = {name: value for name, value in ours.items() if name == "text" or name not in theirs}
    kept = {name: there[name] for name in theirs if name in there and name != "text"}
    return {**own, **kept}


def _handed_out(
    made: Made, ask: Mapping[str, Any] | None, dialect: Dialect, business: ConceptMap | None, release: Release
) -> Iterator[Made]:
    resource, ours = dict(made.resource), set[str]()
    status = resource.get("status")
    resource["status"] = next((instead for state, instead in dialect.says.items() if state == status), status)
    if ask is not None and ask["how"] == "status":
        resource["status"], ours = ask.get("status", "cancelled"), {"status", "statusReason"}
        if ask["reason"]:
            resource["statusReason"] = _reason(ask["reason"], release)
    if ask is not None and ask["how"] == "business-status" and business is not None:
        requested = business.translate("cancellation-requested")
        resource["businessStatus"], ours = requested.concept() if requested else {}, {"businessStatus"}
    yield replace(made, resource=resource, theirs=tuple(name for name in THEIRS if name not in ours))


def _implied(said: Any, at: State, dialect: Dialect) -> Mapping[str, Any] | None:
    """The agency itself says that the referral is cancelled, or was entered in error: so says its Task, as far as the
    dialect lets us; where it knows no error of ours, that it is cancelled."""
    for status in (said, "cancelled") if said in _OURS_TO_END else ():
        if status == at or status in dialect.may("requester", at):
            return {"how": "status", "status": status, "reason": _WITHDRAWN}
    return None


def _request(made: Made, ask: Mapping[str, Any], identity: Identity, number: str, release: Release) -> Made:
    """A Task that asks the receiver to end what it has begun (HL7 Clinical Order Workflows)."""
    key = Key(number, made.about, "Task", _SLOT)
    system, value = identity.identifier(key)
    of: dict[str, Any] = {name: made.resource[name] for name in ("for", "requester", "owner") if name in made.resource}
    resource: dict[str, Any] = {
        "resourceType": "Task",
        "meta": {"security": made.resource.get("meta", {}).get("security", [])},
        **named_by("Task", (system, value), release),
        "status": "requested",
        "intent": "order",
        "code": _ABORT,
        "focus": {"reference": made.urn},
        **of,
        "authoredOn": ask["on"],
        **({"description": ask["reason"]} if ask["reason"] else {}),
    }
    # What it says never changes, and the receiver answers on it: once it is there it is not written again.
    return replace(made, urn=identity.urn(key), identifier=(system, value), resource=resource, theirs=tuple(resource))


def _reason(text: str, release: Release) -> dict[str, Any]:
    return {"concept": {"text": text}} if release == "R5" else {"text": text}
