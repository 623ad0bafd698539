"""Asks a partner's server what it can do where that is not known, may have changed, or an answer puts it in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from adapter.core.diff import Create, Delete, Update
from adapter.core.fhir.abilities import Abilities, Mode, again, read
from adapter.core.fhir.bundle import Sent
from adapter.core.fhir.results import Result
from adapter.core.partner import Partner
from adapter.desk import Desk
from adapter.outward.answer import Answered
from adapter.reconcile.lease import lease
from adapter.reconcile.work import Work, fhir_server, for_server
from adapter.store import abilities, holdings, paces, shares
from adapter.store.abilities import SOON, Known


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking: what is known now, and, where the statement could not be read, why."""

    known: Known
    trouble: str = ""


def ask(desk: Desk, partner: Partner, *, request_id: str) -> Asked:
    """Read /metadata and keep it. Where it cannot be read, what was known stays, and it is asked again in an hour."""
    answer = fhir_server(desk, partner.id).capability(request_id=request_id)
    told, trouble = None, ""
    if isinstance(answer, Answered):
        told = read(answer.body) if answer.status == 200 else None
        if told is None:
            about = answer.unreadable or ("no CapabilityStatement" if answer.status == 200 else "")
            trouble = f"HTTP {answer.status}" + (f", {about}" if about else "")
    else:
        trouble = answer.reason
    now = desk.clock()
    with desk.store.writing() as tx:
        before = abilities.known(tx, partner)
        kept = before.told if before else None
        if told is None:
            found = Known(kept, before.read_at if before else None, now)
        else:
            found = Known(again(kept, told), now, now)
        abilities.keep(tx, partner, found)
    return Asked(found, trouble)


def knowing(desk: Desk, work: Work) -> Work:
    """The same work, planned for what the server can do now: asked where something is to be sent to it, else not."""
    partner = desk.catalogue.partners[work.share.partner]
    needed = any(isinstance(change, Create | Update | Delete) for change in work.plan.changes)
    if not partner.base_url or not needed or (work.known is not None and work.known.is_fresh(work.now)):
        return work
    now = desk.clock()
    with desk.store.writing() as tx:
        if not shares.renew(tx, work.share, now=now, lease=lease(desk)):
            return work
        until = now + lease(desk) + timedelta(seconds=partner.longest)
        paces.take(tx, work.share, now=now, until=until, rate=partner.rate, at_once=True)
    ask(desk, partner, request_id=work.request_id)
    with desk.store.writing() as tx:
        held = tuple(holdings.of_share(tx, work.share.id))
        return for_server(desk, tx, work.share, work.stored, held, work.now)


Shown = Mode | Literal["something"] | None
"""What an answer has shown that the server cannot: a way of sending, something else, or nothing."""


def shown(work: Work, partner: Partner, chunk: Sequence[Sent], results: Sequence[Result], status: int) -> Shown:
    """What an answer tells of the server. A way is refused where a whole Bundle is, and a lesser way is left to try.

    Where the statement offers that way, a refusal may be about what was in it: of one entry that may not be deleted.
    """
    if not any(r.status in (405, 501) or says_unsupported(r.said) or status == 404 for r in results):
        return None
    told = work.known.told if work.known else None
    offered = told is not None and work.way.mode in told.system
    way_refused = {
        405: not (offered and any(isinstance(change, Delete) for change in chunk)),
        501: not (offered and any(isinstance(change, Delete) for change in chunk)),
        400: not offered,
        404: told is None or not (told.system or told.types),
    }.get(status, False)
    if way_refused and partner.mode == "auto" and work.way.lesser() is not None:
        return work.way.mode
    return "something" if status != 404 else None


def says_unsupported(said: Sequence[str]) -> bool:
    """Is `not-supported` among the codes of an answer (outcome.read)?"""
    return any("not-supported" in line.split(" at ")[0].split() for line in said)


def learn(desk: Desk, work: Work, has_shown: Shown) -> None:
    """What the server cannot do, as an answer has shown, is remembered; and it is asked anew before anything else is
    sent."""
    if has_shown is None:
        return
    partner = desk.catalogue.partners[work.share.partner]
    with desk.store.writing() as tx:
        before = abilities.known(tx, partner)
        told = before.told if before else None
        if has_shown != "something":
            told = told or Abilities()
            told = replace(told, refused=told.refused | {has_shown})
        abilities.keep(tx, partner, Known(told, None, work.now - SOON))
