"""What a case file that is about to be put would take back from partners, before anything is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapter.core.consent.review import still_reviewed
from adapter.core.desired import Subject, desire, stays
from adapter.core.diff import Holding
from adapter.core.keeping import carry, carry_over_deletion
from adapter.desk import Desk
from adapter.store import cases, holdings
from adapter.store import shares as share_rows
from adapter.store.cases import StoredCase
from adapter.store.shares import Share


@dataclass(frozen=True, slots=True)
class Standing:
    """A case as it is stored; `came`: each record's path and the source that put it last ("" for none named)."""

    body: dict[str, Any]
    version: int
    came: Mapping[str, str]


@dataclass(frozen=True, slots=True, order=True)
class TakenBack:
    """What one partner would lose of one case, in counts; `plans` of them are plans. `whole`: nothing would be left."""

    case: str
    partner: str
    resources: int
    plans: int
    held: int

    @property
    def whole(self) -> bool:
        return self.resources == self.held


def standing(desk: Desk, number: str) -> Standing | None:
    """The case as it is; None where there is none, or where it was deleted."""
    with desk.store.reading() as tx:
        stored = cases.get(tx, number)
    return None if stored is None or stored.deleted else _standing(stored)


def put_by(desk: Desk, source: str) -> list[str]:
    """The cases of which every record came from this source: a file of it that is complete can let them go."""
    numbers: list[str] = []
    after: str | None = None
    with desk.store.reading() as tx:
        while page := cases.listed(tx, after=after, limit=200):
            numbers += [s.number for s in page if (came := _standing(s).came) and set(came.values()) == {source}]
            after = page[-1].id
    return numbers


def held(desk: Desk) -> int:
    """How many resources all partners together hold from us, those that cases share left out."""
    with desk.store.reading() as tx:
        return holdings.count(tx)


def taken_back(desk: Desk, number: str, body: Mapping[str, Any] | None, *, source: str) -> list[TakenBack]:
    """What each partner would lose if this body were put now in place of the case; None: if the case were deleted.

    What it would lose anyhow, by a date or by what is already saved, is not counted.
    """
    now = desk.clock()
    with desk.store.reading() as tx:
        stored = cases.get(tx, number)
        if stored is None:
            return []
        shares = [(share, holdings.of_share(tx, share.id)) for share in share_rows.of_case(tx, stored.id)]
    before = Subject.of(number, stored.body, stored.kept)
    if body is None:
        after = Subject(number, {}, carry_over_deletion(stored.body, stored.kept, now))
    else:
        kept = carry(stored.body, stored.kept, body, now, source=source)
        kept = still_reviewed(kept, stored.body, body, desk.catalogue.schemas)
        after = Subject.of(number, body, kept)
    found = []
    for share, every in shares:
        there = [h for h in every if h.state != "withdrawn" and not h.directory]
        if not there or share.partner not in desk.catalogue.partners:
            continue
        lost = _lost(desk, after, share, there)
        if lost := lost - _lost(desk, before, share, there) if lost else lost:
            plans = sum(h.type == "CarePlan" for h in there if h.urn in lost)
            found.append(TakenBack(number, share.partner, len(lost), plans, len(there)))
    return sorted(found)


def _lost(desk: Desk, subject: Subject, share: Share, there: list[Holding]) -> set[str]:
    """The urns that the partner holds and should not, were this the case."""
    now = desk.clock()
    wanted = {made.urn for made in desire(desk.bench, subject, share.partner, now).made}
    unwanted = [h for h in there if h.urn not in wanted]
    return {h.urn for h in unwanted} - stays(desk.bench, subject, share.partner, now, unwanted, share.equal_at)


def _standing(stored: StoredCase) -> Standing:
    came = {path: source for path, (source, _) in stored.kept.get("came", {}).items()}
    return Standing(stored.body, stored.version, came)
