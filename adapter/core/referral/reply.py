"""What one partner is answered now to a referral that it sent, as far as consent lets it be told.

State and business status answer its own request, and go unless the family has said no to it. Everything else (why, what
came of it, how far the enrolment is) goes where the partner's view holds that leaf; what is withheld changes nothing:
not the answer, not its version, not its time (consent.md, *Non-interference*).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapter.core.consent.decide import Element, decide
from adapter.core.consent.rules import Rules, Standing, compile_rules, standing_of
from adapter.core.consent.sight import Sight
from adapter.core.consent.topics import Place
from adapter.core.consent.view import view_of
from adapter.core.desired import Bench
from adapter.core.keeping import effective, rulebook_for, version_of
from adapter.core.referral.inward import WITHHELD, Said, says, wanted
from adapter.core.referral.table import Dialect, State

_UNSAID = "-"
"""Stands for a reason, or a result, where there is none: the view then says whether there might be one."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer that is wanted, and what the account says of it. `state` is None where nothing is to be said yet;
    `denied` is the provision by which the family said no; `reasoned`: does it give the reason that its state needs?
    `may`: which of the agency's own words the partner may see at all (inward.WORDS). For the coordinator alone:
    `begun`, it says yes, and the enrolment may have said once that the work has begun; `unsaid`, what of the answer is
    withheld."""

    state: State | None
    business: str = ""
    reason: str = ""
    result: str = ""
    reasoned: bool = True
    denied: str = ""
    topics: tuple[str, ...] = ()
    parts: tuple[str, ...] = ("referrals",)
    consents: tuple[str, ...] = ()
    begun: bool = False
    may: frozenset[str] = frozenset()
    unsaid: tuple[str, ...] = ()
    case: Mapping[str, Any] | None = None
    """The case with this answer in it, as the last look is to read it."""


def reply(
    bench: Bench, body: Mapping[str, Any], kept: Mapping[str, Any], path: str, partner: str, now: datetime,
    dialect: Dialect,
) -> Reply:  # fmt: skip
    """The answer of now. `body`, `kept`: the case as it is stored; `path`: its referral, which is there."""
    own = next(r for r in body["referrals"] if f"referrals/{r['id']}" == path)
    said = says(own, kept.get("answers", {}).get(path))
    case = _with(effective(body, kept), path, said)
    rules = compile_rules(case, rulebook_for(bench.rulebook, kept), kept)
    standing = standing_of(rules, partner, now)
    topics, denied = _denied(case, rules, standing, path)
    if denied:
        return Reply(None, denied=denied, topics=topics)
    shown = view_of(case, rules, standing)
    seen = _seen(shown.case, path)
    may, kind = seen.get("outcome", {}), seen.get("kind", "")
    unsaid = [name for name, text in (("reason", said.reason), ("result", said.result)) if text and name not in may]
    if said.business and "business_status" not in may and not _is_known(bench, standing, said.business):
        # A code of the agency's own is its words, and no rule has said what it tells: of a place in a row, perhaps.
        said = replace(said, business="")
        unsaid.append("business_status")
    enrolment = shown.case.get("enrolment", {}).get("status", "")
    state, business = wanted(said, kind=kind, enrolment=enrolment)
    follows = (state, business) != wanted(said, kind=kind, enrolment="")
    reason = said.reason if "reason" in may else ""
    result = said.result if "result" in may else ""
    needs = state in dialect.reasons
    if needs and "reason" not in may:
        reason = WITHHELD
    whole = body.get("enrolment", {}).get("status", "")
    if whole != enrolment and wanted(said, kind=own["kind"], enrolment=whole) != (state, business):
        unsaid.append("enrolment")
    return Reply(
        state, business, reason, result,
        reasoned=bool(reason) or not needs,
        topics=topics,
        parts=("enrolment", "referrals") if follows else ("referrals",),
        consents=_consents(kept, shown.consents) if follows or (reason and "reason" in may) or result else (),
        begun=own["kind"] == "coordination" and said.state == "accepted",
        may=frozenset(name for name in ("reason", "result", "business_status") if name in may),
        unsaid=tuple(unsaid),
        case=case,
    )  # fmt: skip


def _is_known(bench: Bench, standing: Standing, business: str) -> bool:
    codes = bench.mappings[standing.partner.release].codes.get("business-status")
    return codes is not None and codes.translate(business) is not None


def _with(case: dict[str, Any], path: str, said: Said) -> dict[str, Any]:
    """The case with the whole of the answer as the outcome of its referral, for the rules to judge each leaf of it."""
    own = next(r for r in case["referrals"] if f"referrals/{r['id']}" == path)
    told = {
        "status": said.state, "business_status": said.business, "reason": said.reason or _UNSAID,
        "result": said.result or _UNSAID,
        "by": own.get("outcome", {}).get("by", ""),  # whoever said it may make it sensitive
    }  # fmt: skip
    outcome = {name: value for name, value in told.items() if value}
    return {**case, "referrals": [{**r, "outcome": outcome} if r is own else r for r in case["referrals"]]}


def _denied(case: Mapping[str, Any], rules: Rules, standing: Standing, path: str) -> tuple[tuple[str, ...], str]:
    """The topics of the referral towards the partner, and the provision that says no to telling it of this one."""
    record = next(r for r in case["referrals"] if f"referrals/{r['id']}" == path)
    sight = Sight.of(case, rules, standing)
    place = sight.topics.enter(Place("referrals", (path,)), record, rules.rulebook.schemas.collections["referrals"])
    named = (path,) if path in standing.named else ()
    topics = tuple(sorted(place.topics))
    for purpose in dict.fromkeys((standing.partner.purpose, "referral")):
        decision = decide(standing, Element("referrals", place.topics, named), purpose)
        if decision.why == "denied":
            return topics, decision.because
    return topics, ""


def _seen(view: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """The referral as far as the partner may see it."""
    found: Iterable[Mapping[str, Any]] = view.get("referrals", ())
    return next((each for each in found if f"referrals/{each['id']}" == path), {})


def _consents(kept: Mapping[str, Any], consents: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(version_of(kept, each) for each in consents)
