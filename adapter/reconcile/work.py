"""What one claimed share is worked on with: all that was read for it in the transaction of its claim, and the plan."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from adapter.core import strict_json
from adapter.core.consent.last_look import Look
from adapter.core.desired import Desired, Plan, Subject, desire, narrows, toward
from adapter.core.diff import ORDER, Change, Create, Delete, Holding, Made, Update, content
from adapter.core.doubt import unclear
from adapter.core.fhir.abilities import Way, not_taken, way
from adapter.core.keeping import rulebook_for
from adapter.core.partner import Partner
from adapter.core.retry import Outcome
from adapter.desk import Desk
from adapter.outward.answer import NotSent
from adapter.outward.server import Server
from adapter.store import abilities, cases, holdings, paces
from adapter.store.abilities import Known
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.shares import Share

OF_ONE = ("rejected", "ambiguous", "conflict", "version")
"""Outcomes that are about one change, or one resource: where each stands apart, the others go on."""


@dataclass(frozen=True, slots=True)
class Work:
    """One claimed share with all that was read for it in the transaction of the claim."""

    share: Share
    stored: StoredCase
    subject: Subject
    held: tuple[Holding, ...]
    plan: Plan
    request_id: str
    now: datetime
    look: Look
    """The last look at what is about to leave."""
    known: Known | None
    """What is known of the partner's server."""
    way: Way
    asked: bool = False
    """Has the partner been asked something in this claim that is of no use unless what follows is sent, too?"""
    away: bool = False
    """Was its circuit open when this was claimed? Then one question in vain is enough."""
    partly: bool = False
    """Does something stay there for now that is to go, because it is not clear what is there of it?"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of the traffic of one claim."""

    outcome: Outcome
    detail: str = ""
    alarms: tuple[str, ...] = ()
    retry_after: timedelta | None = None


def not_sent(answer: NotSent, doing: str = "") -> Attempt:
    """What comes of a request that did not leave: time may heal it, or whoever gives out the partner's tokens."""
    outcome: Outcome = "unauthorised" if answer.reason == "token refused" else "unavailable"
    return Attempt(outcome, f"{doing}{answer.reason} {answer.said}".strip(), retry_after=answer.retry_after)


def fingerprint(tx: Tx, needed: Plan) -> str:
    """What would be sent, as a text that tells nothing: equal while nothing changes that the partner may see. Empty
    where nothing would be."""
    if not needed.changes:
        return ""
    parts = [[type(c).__name__, thing_of(c).urn, *([content(c.made)] if isinstance(c, Create | Update) else [])]
             for c in needed.changes]  # fmt: skip
    return tx.seal.index("what was refused", strict_json.canonical(parts).decode()).hex()


def read_work(desk: Desk, tx: Tx, share: Share, now: datetime) -> Work:
    """Everything about a claimed share, as it is at one moment. LookupError: a share without a case."""
    stored = cases.by_id(tx, share.case_id)
    if stored is None:
        raise LookupError("a share without a case")
    held = tuple(holdings.of_share(tx, share.id))
    return for_server(desk, tx, share, stored, held, now)


def for_server(desk: Desk, tx: Tx, share: Share, stored: StoredCase, held: tuple[Holding, ...], now: datetime) -> Work:
    """The work on this share, for what is known of the partner's server at this moment."""
    subject = Subject.of(stored.number, stored.body, stored.kept)
    partner = desk.catalogue.partners[share.partner]
    known = abilities.known(tx, partner)
    desired = desire(desk.bench, subject, partner.id, now, not_taken=left_out(partner, known))
    needed = plan_of(desk, tx, share, subject, desired, held, now)
    how = way(partner, known.told if known else None)
    away = paces.of_partner(tx, partner.id).is_open
    rules = rulebook_for(desk.bench.rulebook, stored.kept)
    look = Look(subject.case, stored.kept, rules, partner.id, now)
    return Work(share, stored, subject, held, needed, secrets.token_hex(16), now, look, known, how, away=away)


def left_out(partner: Partner, known: Known | None) -> frozenset[str]:
    """The types that are not sent to it, as its file says and as is known of its server."""
    return not_taken(partner, known.told if known else None, ORDER)


def planned_again(desk: Desk, tx: Tx, work: Work, held: tuple[Holding, ...]) -> Work:
    """The same work against what is held as it has become known anew: what is desired stays."""
    needed = plan_of(desk, tx, work.share, work.subject, work.plan.desired, held, work.now)
    return replace(work, held=held, plan=needed)


def plan_of(
    desk: Desk, tx: Tx, share: Share, subject: Subject, desired: Desired, held: Sequence[Holding], now: datetime
) -> Plan:
    """What makes the partner's copy equal to what is desired, with what its other shares hold of the directory."""
    known = holdings.directory(tx, share.partner, [made.urn for made in desired.made if made.directory])
    # What has no id is on its way there, or back: nobody may count on it.
    directory = {urn: h for urn, h in known.items() if h.id}
    elsewhere = holdings.used_elsewhere(tx, share.partner, [h.urn for h in held if h.directory], share_id=share.id)
    partner = desk.catalogue.partners[share.partner]
    return toward(
        desk.bench, subject, partner.id, now, desired, held,
        directory=directory, kept_elsewhere=elsewhere, not_taken=left_out(partner, abilities.known(tx, partner)),
        equal_at=share.equal_at,
    )  # fmt: skip


def taking_back(desk: Desk, work: Work) -> Work:
    """The same work where nothing of the case may be sent: none, or, where something must be taken back, all of it.

    What is stopped would have corrected what stays; uncorrected, it may tell of what goes, and refer to it.
    """
    if not narrows(work.plan.changes):
        return replace(work, plan=replace(work.plan, changes=()))
    with desk.store.reading() as tx:
        held = tuple(holdings.of_share(tx, work.share.id))
        empty = replace(work.subject, case={})
        nothing = desire(desk.bench, empty, work.share.partner, work.now)
        needed = plan_of(desk, tx, work.share, empty, nothing, held, work.now)
    placed = tuple(c for c in needed.changes if not isinstance(c, Update | Delete) or c.holding.id)
    return replace(work, held=held, plan=replace(work.plan, changes=placed))


_VAIN = 5
"""So many attempts may fail before one resource that cannot be read is taken for the only one."""


def going_all_the_same(work: Work, dark: Attempt) -> Work:
    """The same work where looking at something did not tell: nothing of the case may be sent then. What is taken back
    waits for nobody's word on another resource: it goes, if it is known where it is, and what says that it is gone.

    Unless it seems that the partner is away: then nothing does, until it has been so for a while.
    """
    wanted = {made.urn for made in work.plan.desired.made}
    unsure = {held.urn for held in unclear(work.held, work.plan.changes)}
    goes = [
        change
        for change in work.plan.changes
        if (isinstance(change, Delete) and change.holding.id)
        or (isinstance(change, Create | Update) and change.made.urn not in wanted | unsure)
    ]
    return replace(work, plan=replace(work.plan, changes=tuple(goes) if is_of_one(work, dark) else ()), partly=True)


def is_of_one(work: Work, dark: Attempt) -> bool:
    """Is it about one resource alone that looking did not tell? Not where other shares fail as well."""
    return dark.outcome in OF_ONE or (dark.outcome == "unknown" and not work.away and work.share.attempts >= _VAIN)


def thing_of(change: Change) -> Made | Holding:
    """What a change is about: the resource to be made, or the one that is held."""
    return change.made if isinstance(change, Create | Update) else change.holding


def fhir_server(desk: Desk, partner: str) -> Server:
    """The way to a partner that has a FHIR server, and no folder: only of such a one is more asked than of any."""
    return cast(Server, desk.server(partner))
