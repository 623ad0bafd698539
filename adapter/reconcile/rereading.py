"""What was refused because somebody at the partner has changed our copy: read, merged where it may be, else left."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapter.core.desired import narrows
from adapter.core.diff import Create, Holding, Update
from adapter.core.fhir.bundle import Sent
from adapter.core.merging import merged
from adapter.core.residue import PURGE
from adapter.core.retry import Outcome
from adapter.desk import Desk
from adapter.outward.answer import Answered
from adapter.reconcile.looking import prolong, read_there
from adapter.reconcile.sending import Sending
from adapter.reconcile.shared import hear_purge
from adapter.reconcile.work import Attempt, Work, fhir_server
from adapter.store import holdings, shares

REFUSED: tuple[Outcome, ...] = ("version", "conflict")
"""412, and 409, by which some servers mean the same (reference/servers.md)."""


@dataclass(frozen=True, slots=True)
class Reread:
    """`again`: what of the group is sent once more. `stays`: what the claim comes to at its end because something is
    contested; `attempt`: because reading has not helped."""

    again: tuple[Sent, ...] = ()
    stays: Attempt | None = None
    attempt: Attempt | None = None


def reread(desk: Desk, work: Work, sending: Sending, known: Mapping[str, Holding], seen: Collection[str]) -> Reread:
    """Read each copy that may be why the group was refused. `seen`: urns that were read in this claim already.

    What they may keep is kept, what they deleted is made again; anything else is contested: it stays as it is there
    until a person has said whose it is. What takes something back asks nobody, also where the rest is still shared.
    """
    refused = [r.change for r in sending.results if r.outcome in REFUSED]
    wanted = {made.urn for made in work.plan.desired.made}
    places = {f"{h.type}/{h.id}": h.urn for h in known.values() if h.id}
    again: list[Sent] = []
    contested: list[Holding] = []
    moved = False
    for change in refused:
        if not isinstance(change, Update) or change.made.urn in seen:
            again.append(change)
            continue
        if prolong(desk, work, at_once=True) is not None:
            return Reread(attempt=Attempt("conflict"))
        theirs, now = read_there(desk, work, change.holding, "reading what is there now")
        if isinstance(now, Attempt):
            return Reread(attempt=now)
        if now.state == "withdrawn":
            moved = True
            again.append(Create(change.made))
        elif now.version == change.holding.version:
            again.append(change)
        elif change.made.urn not in wanted:
            moved = True
            if change.made.about == PURGE and isinstance(theirs, Mapping):
                hear_purge(desk, work, theirs)
            again.append(Update(change.made, now))
        else:
            moved = True
            ours = _merged(desk, work, change, theirs, places)
            if ours is None and narrows([change]):
                again.append(Update(change.made, now))  # it tells too much as it stands there
            elif ours is None:
                contested.append(replace(change.holding, contested=now.version))
            else:
                again.append(Update(change.made, now, ours))
    if contested:
        with desk.store.writing() as tx:
            if shares.still_mine(tx, work.share):
                holdings.save(tx, work.share.id, contested, now=desk.clock())
    if not moved:
        return Reread(attempt=Attempt("conflict", sending.attempt.detail, retry_after=sending.attempt.retry_after))
    types = ", ".join(sorted({held.type for held in contested}))
    stays = Attempt("version", f"changed there: {types}", ("conflict",)) if contested else None
    return Reread(tuple(again), stays=stays)


def _merged(
    desk: Desk, work: Work, change: Update, theirs: Mapping[str, Any], places: Mapping[str, str]
) -> dict[str, Any] | None:
    held = change.holding
    answer = fhir_server(desk, work.share.partner).read(
        held.type, held.id, version=held.version, request_id=work.request_id
    )
    base = answer.body if isinstance(answer, Answered) and answer.status == 200 else None
    if not isinstance(base, dict) or (base.get("resourceType"), base.get("id")) != (held.type, held.id):
        base = None
    keeps = desk.catalogue.partners[work.share.partner].keeps
    return merged(change.made.resource, base=base, theirs=theirs, keeps=keeps, places=places)
