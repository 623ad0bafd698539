"""What a partner says of our request to purge comes home: what has become of it, and its line in the account.

Polling, what partners write to our /fhir, what stands there before it is written again, and what a person enters all
end here, so that each answer counts once, whichever way it comes. It needs the case no more: one that is deleted is
what most is to be purged of.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapter.core import purge as purges_of
from adapter.core.account.chain import PURGED, Line
from adapter.core.diff import Holding
from adapter.core.doubt import LOOKED
from adapter.core.purge import Purge, Told
from adapter.core.referral.answer import Hearing, names_in, read
from adapter.core.residue import PURGE, Residue
from adapter.desk import Desk
from adapter.store import disclosures, notices, purges
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.purges import Requested
from adapter.store.shares import Share


def task_of(held: Mapping[str, Holding]) -> Holding | None:
    """The Task that asks to purge, among what a share holds."""
    return next((h for h in held.values() if h.about == PURGE and h.type == "Task"), None)


def track(desk: Desk, tx: Tx, share: Share, stored: StoredCase, held: Mapping[str, Holding], *, now: datetime) -> bool:
    """After a share is settled: what it has been asked to purge has its row, and another list is another request.
    True while the partner may still answer."""
    task = task_of(held)
    before = purges.of_share(tx, share.id)
    arrived = task is not None and task.state == "active" and bool(task.id) and task.hash not in ("", LOOKED)
    if task is None or not arrived:
        return False
    partner = desk.catalogue.partners[share.partner]
    residue = Residue(desk.bench.identity(partner.id), stored.number, partner.release)
    after = purges_of.asked(before.purge if before else None, task.hash, now, over=residue.is_over(task))
    if after is None:
        return False
    if before is None:
        purges.begin(tx, share.id, task, after, now=now)
    elif after != before.purge:
        purges.save(tx, before, after, asked_at=now, now=now)
        if after.state == "called-off":
            _enter(tx, before, after, "called-off", now=now)
    return after.state in purges_of.WAITS


def is_as_asked(tx: Tx, share_id: int, content: str) -> bool:
    """Would this content be the request that the partner holds already? Then what it has answered stays in it."""
    row = purges.of_share(tx, share_id)
    return row is not None and row.purge.asked == content


def take(tx: Tx, share_id: int, task: Mapping[str, Any], hears: Hearing, *, source: str, now: datetime) -> bool:
    """What this Task says of the request; False where it says nothing new. `source` as in answers.take."""
    before = purges.of_share(tx, share_id)
    if before is None:
        return False
    after = purges_of.heard(before.purge, read(task, hears, source=source), now)
    if after == before.purge:
        return False
    purges.save(tx, before, after, asked_at=before.asked_at, now=now)
    if (after.state, after.reason) == (before.purge.state, before.purge.reason):
        return False
    _enter(tx, before, after, "answered", now=now)
    notices.note(tx, "purge.answered", {"case": before.case_id, "partner": before.partner}, now=now)
    return True


def written(
    tx: Tx, partner: str, task: Mapping[str, Any], hears: Hearing, *, place: str, version: int, now: datetime
) -> bool:
    """A partner wrote a Task to our /fhir: where it bears, or is about, the identifier of our request, it is an answer.
    `place`: which Task of its world it is; its versions are ours."""
    for identifier in names_in(task):
        if (row := purges.named(tx, partner, identifier)) is not None:
            dated = {**task, "meta": {"versionId": str(version)}}
            return take(tx, row.share_id, dated, hears, source=f"here {place}", now=now)
    return False


def entered(desk: Desk, tx: Tx, row: Requested, told: Told, *, role: str, label: str, now: datetime) -> None:
    """A person enters what the partner said in another way; what is known already is not entered again."""
    after = purges_of.entered(row.purge, told, desk.settings.time_zone, now)
    if after == row.purge:
        return
    purges.save(tx, row, after, asked_at=row.asked_at, now=now)
    _enter(tx, row, after, "entered", role=role, label=label, told=told, now=now)


def _enter(
    tx: Tx, row: Requested, after: Purge, how: str, *, now: datetime, role: str = "", label: str = "",
    told: Told | None = None,
) -> None:  # fmt: skip
    """The line of the account: that it answered, and what; its own words are for the agency, and stand apart."""
    line = Line(
        at=now,
        partner=row.partner,
        purpose="",
        kind=PURGED,
        request_id="",
        operation=how,
        resource_type="Task",
        urn=row.urn,
        about=PURGE,
        parts=(),
        topics=(),
        consents=(),
        outcome=after.state,
        role=role,
        label=label,
        happened=told.at if told else None,
        how=told.how if told else "",
    )
    disclosures.append(tx, row.case_id, [line])
