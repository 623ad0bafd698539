"""Looks at a partner for what is not clear, before anything is sent again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from adapter.core.diff import Create, Delete, Holding, Update
from adapter.core.doubt import looked_up, lost_from_sight, missed, sent, unclear
from adapter.core.fhir.abilities import found_by_name
from adapter.core.fhir.bundle import Sent, unconditional
from adapter.core.fhir.outcome import GONE, of_status, read
from adapter.core.fhir.results import Result, found, untold
from adapter.desk import Desk
from adapter.outward.answer import Answer, Answered, NotSent, Unknown
from adapter.reconcile.account import line_of
from adapter.reconcile.lease import lease
from adapter.reconcile.sending import Sending
from adapter.reconcile.work import OF_ONE, Attempt, Work, fhir_server, is_of_one, not_sent, planned_again, thing_of
from adapter.store import disclosures, holdings, paces, shares
from adapter.store.disclosures import Line

_IN_VAIN = 3
"""So many questions may get no answer before no more are asked in one claim."""
_AT_ONCE = 20
"""Identifiers in one question: an address is not to grow without end."""


def look_first(desk: Desk, work: Work) -> tuple[Work, Attempt | datetime | None]:
    """Find what the partner holds of what is not clear, and plan again. An attempt, where looking did not tell: then
    nothing may be sent (exchange.md, *Delivery*: unknown outcome). A time, where it is not to be asked again before."""
    wanted = {made.urn for made in work.plan.desired.made}
    questions = [*unclear(work.held, work.plan.changes), *lost_from_sight(work.held, wanted, work.now)]
    if not questions:
        return work, None
    refused = work.share.outcome == "conflict"
    before = {held.urn: held for held in work.held}
    learnt: list[Holding] = []
    dark: Attempt | None = None
    vain = 0
    later: Attempt | datetime | None = None
    for held in questions:
        if (later := prolong(desk, work)) is not None:
            break
        work = replace(work, asked=True)
        found = _look(desk, work, held)
        if isinstance(found, Attempt):
            # Until one has seen what a refused update met, that stays the question.
            stays = refused and found.outcome not in OF_ONE
            dark = dark or (replace(found, outcome="conflict") if stays else found)
            vain += found.outcome not in OF_ONE  # each may have taken all the time that there is
            if not is_of_one(work, found) or vain == _IN_VAIN:
                break
            continue
        learnt.append(found)
        if refused and _changed_there(work, found):
            dark = dark or Attempt("version", "somebody there has changed our copy", ("conflict",))
    open_ = _open_attempts(desk, work, learnt) if learnt else {}
    lines = _lines_of_looking(desk, work, learnt, open_)
    back = {urn for urn, (operation, _) in open_.items() if operation == "withdraw"} & wanted
    kept = [missed(h, before[h.urn], work.now, leaving=h.urn in back) for h in learnt]
    with desk.store.writing() as tx:
        if shares.still_mine(tx, work.share):
            holdings.save(tx, work.share.id, kept, now=work.now)
            disclosures.append(tx, work.stored.id, lines)
        held_now = tuple(holdings.of_share(tx, work.share.id))
        return replace(planned_again(desk, tx, work, held_now), asked=work.asked), later or dark


def _changed_there(work: Work, found: Holding) -> bool:
    """Is it another version than the one that we left there, of what we are to update? Then an update that was refused
    with 409 met what FHIR has 412 for (HAPI FHIR answers so): a person decides. What is taken back is taken back."""
    left = {c.holding.urn: c.holding.version for c in work.plan.changes if isinstance(c, Update)}
    return found.state != "withdrawn" and left.get(found.urn, "") not in ("", found.version)


@dataclass(frozen=True, slots=True)
class Met:
    """A chunk with what is there already no longer to be created; what was found; and whether anything was asked."""

    chunk: list[Sent]
    found: list[Holding]
    asked: bool


def meet(desk: Desk, work: Work, chunk: Sequence[Sent], *, at_once: bool) -> Met | Attempt | datetime:
    """Where the server takes no condition, each resource is looked for by our identifier before it is created.

    An attempt, where looking did not tell; a time, where the partner is not to be asked before. What is asked for one
    chunk, and the chunk, leave one after the other: else a slow pace would look for ever and send nothing.
    """
    told = work.known.told if work.known else None
    there: dict[str, Holding] = {}
    unsure = [change for change in unconditional(chunk, work.way) if found_by_name(told, change.made.type)]
    for place, change in enumerate(unsure):
        if (dark := prolong(desk, work, at_once=at_once or place > 0)) is not None:
            return dark
        found = _look(desk, work, sent(change))
        if isinstance(found, Attempt):
            return found
        if found.state != "withdrawn":
            there[found.urn] = found
    rest = [_met(change, there) for change in chunk]
    if there:
        with desk.store.writing() as tx:
            if shares.still_mine(tx, work.share):
                holdings.save(tx, work.share.id, there.values(), now=work.now)
                lines = [line_of(desk, work, h, "create", "delivered", "existing", work.now) for h in there.values()]
                disclosures.append(tx, work.stored.id, lines)
    return Met([change for change in rest if change is not None], list(there.values()), asked=bool(unsure))


def told_apart(desk: Desk, work: Work, sending: Sending) -> Sending:
    """The same, with each created resource where it is: some servers answer in an order of their own, and where the
    resources did not come back two of one type may have changed places. Then one would be taken back for the other.

    What cannot be found, or not yet, is where the order says that it is.
    """
    told = work.known.told if work.known else None
    there: dict[str, tuple[str, str]] = {}
    for type_, several in untold(sending.results).items():
        if not found_by_name(told, type_):
            continue
        for some in (several[at : at + _AT_ONCE] for at in range(0, len(several), _AT_ONCE)):
            if prolong(desk, work, at_once=True) is not None:
                return sending
            names = {thing_of(result.change).urn: thing_of(result.change).identifier for result in some}
            server = fhir_server(desk, work.share.partner)
            answer = server.find_any(type_, list(names.values()), request_id=work.request_id)
            body = answer.body if isinstance(answer, Answered) and answer.status == 200 else None
            places = {urn: found(body, type_, identifier) for urn, identifier in names.items()}
            there |= {urn: each[0] for urn, each in places.items() if each is not None and len(each) == 1}
    moved = [_placed(result, there.get(thing_of(result.change).urn)) for result in sending.results]
    return replace(sending, results=tuple(moved))


def _placed(result: Result, place: tuple[str, str] | None) -> Result:
    return result if place is None or place[0] == result.id else replace(result, id=place[0], version=place[1])


def _met(change: Sent, there: Mapping[str, Holding]) -> Sent | None:
    """What remains to be done: what is ours and there is written over, a directory resource left as it is."""
    if not isinstance(change, Create) or (found := there.get(change.made.urn)) is None:
        return change
    return None if change.made.directory else Update(change.made, replace(found, hash=""))


def _look(desk: Desk, work: Work, held: Holding) -> Holding | Attempt:
    if held.id:
        return read_there(desk, work, held, "looking")[1]
    found = desk.server(work.share.partner).find(held.type, held.identifier, request_id=work.request_id)
    return _seen(held, found, "looking")


def read_there(desk: Desk, work: Work, held: Holding, doing: str) -> tuple[Any, Holding | Attempt]:
    """What its server answers to a read of `held`, and what that says of it; an attempt where it does not tell, with
    what it was read for (`doing`).

    A bare 404 is a gateway's as often as the server's: then it is believed only where a search finds nothing either.
    """
    server = desk.server(work.share.partner)
    answer = server.read(held.type, held.id, request_id=work.request_id)
    seen = _seen(held, answer, doing)
    told = work.known.told if work.known else None
    bare = isinstance(answer, Answered) and answer.status in GONE and isinstance(seen, Attempt)
    if bare and found_by_name(told, held.type) and prolong(desk, work, at_once=True) is None:
        named = replace(held, id="")
        found = _seen(named, server.find(held.type, held.identifier, request_id=work.request_id), doing)
        if isinstance(found, Holding) and found.state == "withdrawn":
            seen = replace(found, id=held.id)
    return answer.body if isinstance(answer, Answered) else None, seen


def _seen(held: Holding, answer: Answer, doing: str) -> Holding | Attempt:
    match answer:
        case Answered(status=status, body=body, retry_after=retry_after):
            found = looked_up(held, status, body)
            if isinstance(found, Holding):
                return found
            codes = read(body)
            said = of_status(status, codes, retry_after=retry_after is not None)
            outcome = found if said == "delivered" or (status in GONE and not codes) else said
            return Attempt(outcome, f"{doing}: HTTP {status}", retry_after=retry_after)
        case NotSent() as unsent:
            return not_sent(unsent, f"{doing}: ")
        case Unknown(reason):
            return Attempt("unknown", f"{doing}: {reason}")


def _lines_of_looking(
    desk: Desk, work: Work, learnt: Sequence[Holding], open_: Mapping[str, tuple[str, str]]
) -> list[Line]:
    """What was done without our knowing, or was not, has its line too: no attempt stays open in the account."""
    before = {h.urn: h for h in work.held}
    leaving = {c.holding.urn for c in work.plan.changes if isinstance(c, Delete)}
    lines = []
    for held in learnt:
        gone = held.state == "withdrawn"
        match open_.get(held.urn, ("", "")):
            case ("create", _) if not gone:
                found = ("create", "delivered", "existing")
            case ("withdraw", _) if gone:
                found = ("withdraw", "withdrawn", "delivered")
            case ("create" | "withdraw" | "update" as operation, "attempted"):
                found = (operation, "failed", "unavailable" if gone or operation == "withdraw" else "unknown")
            case _ if gone and held.urn in leaving and before[held.urn].id:
                found = ("withdraw", "withdrawn", "delivered")
            case _ if not gone and before[held.urn].state == "withdrawn":
                found = ("create", "delivered", "existing")
            case _:
                continue
        lines.append(line_of(desk, work, held, *found, work.now))
    return lines


def _open_attempts(desk: Desk, work: Work, learnt: Iterable[Holding]) -> dict[str, tuple[str, str]]:
    """urn → (create, update or withdraw, attempted or failed) of the last attempt, where it is not known to be done.

    Of these alone, and from where on they are kept as they were before they were looked up: an attempt is accounted for
    in the transaction that keeps what it is about (`announce`), so that no earlier line is of an open one.
    """
    with desk.store.reading() as tx:
        since = holdings.saved_since(tx, work.share.id, [held.urn for held in learnt])
        if since is None:
            return {}
        lines = disclosures.changes_since(tx, work.stored.id, work.share.partner, since)
    last = {line.urn: line for line in lines if line.urn}
    return {urn: (line.operation, line.kind) for urn, line in last.items() if line.kind in ("attempted", "failed")}


def prolong(desk: Desk, work: Work, *, at_once: bool = False) -> Attempt | datetime | None:
    """Hold the share for one more question. An attempt: it is another's by now; a time: the partner is not to be asked
    again before. `at_once`: what follows waits for it, and it is only counted."""
    partner, now = desk.catalogue.partners[work.share.partner], desk.clock()
    with desk.store.writing() as tx:
        if not shares.renew(tx, work.share, now=now, lease=lease(desk)):
            return Attempt("unknown")
        until = now + lease(desk) + timedelta(seconds=partner.longest)
        return paces.take(tx, work.share, now=now, until=until, rate=partner.rate, at_once=at_once or work.asked)
