"""Before a child is sent to a partner for the first time: is it there already? By shared identifiers, then `$match`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from adapter.core import strict_json
from adapter.core.diff import Create, Holding, Made, Resource, Update
from adapter.core.fhir.abilities import Abilities
from adapter.core.fhir.outcome import GONE, is_gone, of_status, read
from adapter.core.fhir.results import goes_on
from adapter.core.matching import (
    Candidate,
    Found,
    Nobody,
    Verdict,
    Waits,
    by_identifier,
    matched,
    question,
    shared,
    speaks_nothing_against,
    with_identifier,
)
from adapter.core.partner import Partner
from adapter.desk import Desk
from adapter.outward.answer import Answer, Answered, NotSent
from adapter.reconcile.account import line_of
from adapter.reconcile.looking import prolong
from adapter.reconcile.sending import last_look
from adapter.reconcile.work import Attempt, Work, fhir_server, not_sent, planned_again
from adapter.store import disclosures, holdings, matches, shares

CHILD = "child"
WAITING = Attempt("ambiguous", "the child waits to be matched", ("match",))


def match_first(desk: Desk, work: Work) -> tuple[Work, Attempt | datetime | None]:
    """The work, planned again where the child was found. An attempt: nothing may be created there now, for a person has
    to say who it is, or asking did not tell; then only what takes back is left in the plan."""
    made = next((c.made for c in work.plan.changes if isinstance(c, Create) and _is_child(c.made)), None)
    if made is None or work.plan.desired.wrong or not desk.catalogue.partners[work.share.partner].base_url:
        return work, None
    with desk.store.reading() as tx:
        known = matches.of_share(tx, work.share.id)
    partner, told = desk.catalogue.partners[work.share.partner], work.known.told if work.known else None
    if known is not None and known.state == "create":
        verdict: Verdict | Attempt | datetime = Nobody()
    elif known is not None and known.state == "accepted":
        verdict = _named_by_a_person(desk, work, made, known.candidates[0])
    else:
        verdict = _asked(desk, work, partner, told, made)
        if isinstance(verdict, Nobody) and partner.matching != "create":
            verdict = Waits()
    if isinstance(verdict, Nobody) and told is not None and told.lacks("Patient", "create"):
        verdict = Waits()
    match verdict:
        case Nobody():
            return work, None
        case Found(id_, version):
            return _adopted(desk, work, made, id_, version), None
        case Waits(candidates):
            with desk.store.writing() as tx:
                # A person may have said so while the partner was being asked: that stays.
                if (
                    shares.still_mine(tx, work.share, work.stored.version)
                    and matches.of_share(tx, work.share.id) == known
                ):
                    matches.save(tx, work.share.id, "waiting", candidates, now=desk.clock())
            return _only_taking_back(work), WAITING
    return _only_taking_back(work), verdict


def _is_child(made: Made) -> bool:
    return made.type == "Patient" and made.about == CHILD


def _only_taking_back(work: Work) -> Work:
    left = tuple(c for c in work.plan.changes if not isinstance(c, Create | Update))
    return replace(work, plan=replace(work.plan, changes=left))


def _asked(
    desk: Desk, work: Work, partner: Partner, told: Abilities | None, made: Made
) -> Verdict | Attempt | datetime:
    identifiers = shared(made.resource, partner.identifier_systems)
    found: list[Resource] = []
    more = False
    for identifier in identifiers:
        answer = _ask(desk, work, made, {"identifier": "|".join(identifier)})
        if not isinstance(answer, Answered):
            return answer
        there = with_identifier(answer.body, identifier) if answer.status == 200 else None
        if there is None:
            return _dark(answer)
        found += there
        more = more or goes_on(answer.body)
    verdict = by_identifier(made.resource, found, more=more)
    own = told.types.get("Patient") if told else None
    if not isinstance(verdict, Nobody) or partner.matching == "identifier" or own is None or not own.match:
        return verdict
    answer = _ask(desk, work, made, question(made.resource, identifiers))
    if not isinstance(answer, Answered):
        return answer
    return (matched(answer.body) if answer.status == 200 else None) or _dark(answer)


def _ask(desk: Desk, work: Work, made: Made, asked: dict[str, Any]) -> Answered | Attempt | datetime:
    """One question, accounted for like anything else that tells the partner of the child, and looked at like it."""
    if (dark := prolong(desk, work)) is not None:
        return dark
    whole = strict_json.dump(made.resource)
    if stop := last_look(work, [Create(made)], whole):
        return stop
    if not _account(desk, work, made, "attempted", ""):
        return Attempt("conflict", "the case has changed")
    server = fhir_server(desk, work.share.partner)
    answer: Answer
    if "resourceType" in asked:
        answer = server.match(strict_json.dump(asked), request_id=work.request_id)
    else:
        answer = server.search("Patient", asked, request_id=work.request_id)
    if isinstance(answer, Answered):
        well = answer.status == 200
        _account(desk, work, made, "delivered" if well else "failed", "delivered" if well else "rejected")
        return answer
    lost = not_sent(answer, "matching: ") if isinstance(answer, NotSent) else Attempt("unknown", answer.reason)
    _account(desk, work, made, "failed", lost.outcome)
    return lost


def _account(desk: Desk, work: Work, made: Made, kind: str, outcome: str) -> bool:
    now = desk.clock()
    with desk.store.writing() as tx:
        if kind == "attempted" and not shares.still_mine(tx, work.share, work.stored.version):
            return False
        disclosures.append(tx, work.stored.id, [line_of(desk, work, made, "match", kind, outcome, now)])
    return True


def _dark(answer: Answered) -> Attempt:
    said = of_status(answer.status, read(answer.body), retry_after=answer.retry_after is not None)
    outcome = "rejected" if said == "delivered" else said
    return Attempt(outcome, f"matching: HTTP {answer.status}", retry_after=answer.retry_after)


def _named_by_a_person(desk: Desk, work: Work, made: Made, named: Candidate) -> Verdict | Attempt | datetime:
    """Who a person has named is read first: it must be there, and nothing may speak against it."""
    if (dark := prolong(desk, work)) is not None:
        return dark
    answer = desk.server(work.share.partner).read("Patient", named.id, request_id=work.request_id)
    if not isinstance(answer, Answered):
        return not_sent(answer, "matching: ") if isinstance(answer, NotSent) else Attempt("unavailable", answer.reason)
    if is_gone(answer.status, answer.body):
        return Waits()
    if answer.status in GONE:  # of whom it is not told who says it: what a person has said is not forgotten for that
        return Attempt("unknown", f"matching: HTTP {answer.status}")
    if answer.status != 200 or not isinstance(answer.body, dict):
        return _dark(answer)
    is_it = (answer.body.get("resourceType"), answer.body.get("id")) == ("Patient", named.id)
    if not is_it or not speaks_nothing_against(made.resource, answer.body):
        return Waits((named,))
    return Found(named.id, "")


def _adopted(desk: Desk, work: Work, made: Made, id_: str, version: str) -> Work:
    """The partner's own patient is who this case is about there: never changed, never deleted."""
    held = Holding(
        made.urn, made.type, made.identifier, id_, version, "", ours=False,
        about=made.about, parts=made.parts, topics=made.topics,
    )  # fmt: skip
    with desk.store.writing() as tx:
        if shares.still_mine(tx, work.share, work.stored.version):
            holdings.save(tx, work.share.id, [held], now=desk.clock())
            known = matches.of_share(tx, work.share.id)
            if known is not None and known.state == "waiting":
                matches.forget(tx, work.share.id)
        held_now = tuple(holdings.of_share(tx, work.share.id))
        return planned_again(desk, tx, work, held_now)
