"""A person or the case system decides on an item: which case it is, what is adopted, what is dismissed.

What is decided is worked out on what stood there at one moment, and kept only if it still stands: of two who decide at
once the second is told, or decides anew. Whoever names a version (If-Match) decides on what they saw, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from adapter import arrived
from adapter.arrived import Candidate, Look
from adapter.arrived.settling import state_of
from adapter.core.case import check
from adapter.core.desired import Subject
from adapter.core.inbox import asked, imported, opening, sources
from adapter.core.inbox.adopting import adopted
from adapter.core.inbox.values import Proposal
from adapter.core.keeping import carry
from adapter.desk import Desk
from adapter.errors import Conflict, Forbidden, NotFound, PreconditionFailed, Problem, Refused
from adapter.inbox import choosing
from adapter.saving import Kept, refuse, save, told
from adapter.store import cases, inbox, shares
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.inbox import NOBODY, Item

_DOUBT = (
    "What the partner says of the child speaks against this match (another birth date, other identifiers): match it "
    "again, or undo the match."
)
_CHANGED = "The item has changed: read it again."
PEOPLE = ("coordinator", "privacy", "admin")
"""Roles of people: a case system alone matches by nothing weaker than an identifier."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of an item, and of its case where that was saved."""

    item: str
    version: int
    state: str
    case: str | None
    changed: bool
    kept: Kept | None = None
    warnings: tuple[Problem, ...] = field(default=())

    def told(self) -> dict[str, Any]:
        """As the API and the command line tell it."""
        warnings = (*self.warnings, *(self.kept.warnings if self.kept else ()))
        return {
            "item": self.item, "version": self.version, "state": self.state, "case": self.case,
            "changed": self.changed, "due": list(self.kept.due) if self.kept else [],
            "warnings": [{"pointer": each.pointer, "detail": each.detail} for each in warnings],
        }  # fmt: skip


def match(desk: Desk, id_: str, body: bytes, *, version: int | None, by: str, role: str) -> Decided:
    """Say which case the child is of, or undo it: `{"case": number}`, `{"case": null}`; and which record of the case
    something of theirs is: `"pairs": {"RelatedPerson/x": "people/mother"}`.

    Forbidden: only a person may match by less than an identifier. Conflict: something of it was adopted already.
    """
    wanted = asked.matching(body)
    while True:
        seen = _seen(desk, id_, version)
        item = seen.item
        if item.subject == NOBODY:
            raise Conflict("What belongs to no child is of no case: dismiss it, or ask the partner to name the child.")
        with desk.store.reading() as tx:
            found = arrived.candidates(desk, tx, seen)
            stored = _case(tx, wanted.case) if wanted.case else None
        after = _matched(desk, seen, stored, wanted, by)
        if (
            stored is not None
            and (item.case_id != stored.id or seen.doubt)
            and role not in PEOPLE
            and not _is_sure(found, stored)
        ):
            raise Forbidden("No identifier that both know says so: a person must confirm this match.")
        with desk.store.writing() as tx:
            if not _still(tx, seen, *([stored] if stored else [])):
                _again(version)
                continue
            if seen.stored is not None and after.case_id != seen.stored.id:
                _leave(desk, tx, seen, seen.stored)
            kept = inbox.save(tx, after, now=desk.clock()) if after != item else item
        if kept is None:
            _again(version)
            continue
        return _settled(desk, kept, changed=after != item)


def open_case(desk: Desk, id_: str, body: bytes, *, version: int | None, by: str) -> Decided:
    """Open a case for a child that is unknown here: `{"case": new number, "program": …, "first_contact"?: day}`. The
    child, people, organizations and referrals are in it, referred and in contact from that day; all else waits.

    Conflict: the item is of a case, or there is a case of that number. Refused: what there is makes no case yet.
    """
    wanted = asked.opening(body, desk.catalogue.programs)
    while True:
        seen = _seen(desk, id_, version)
        item, now = seen.item, desk.clock()
        if seen.stored is not None and seen.stored.number == wanted.case and item.matched.get("how") == "opened":
            return Decided(item.id, item.version, item.state, wanted.case, changed=False)
        if seen.stored is not None or item.subject == NOBODY:
            raise Conflict("The item is of a case already." if seen.stored else "It belongs to no child.")
        picked = opening.first_of(seen.proposals)
        if not any(each.path == "child" for each in picked):
            raise Refused(
                "A case needs its child.", [Problem("/child", "the partner's Patient was refused, or not sent")]
            )
        day = wanted.first_contact or now.astimezone(desk.settings.time_zone).date().isoformat()
        begun = opening.begun(wanted.case, wanted.program, first_contact=day)
        case = adopted(begun, picked, desk.catalogue.schemas)
        refuse(check(case, desk.catalogue.schemas))
        with desk.store.writing() as tx:
            there = cases.get(tx, wanted.case)
            if there is not None and not there.deleted:
                raise Conflict("There is a case of this number: match the item to it, or name another one.")
            if not _still(tx, seen):
                _again(version)
                continue
            kept, subject = _save(desk, tx, wanted.case, case, seen, picked, by, version=None)
            opened = _case(tx, wanted.case)
            after = replace(
                item, case_id=opened.id, matched={"how": "opened", "by": by, "on": now.isoformat()},
                decisions={**item.decisions, **choosing.decisions(picked, "adopted", by, now)}, stale=True,
            )  # fmt: skip
            saved = inbox.save(tx, after, now=now)
        return _finished(desk, saved, kept, subject)


def adopt(desk: Desk, id_: str, body: bytes, *, version: int | None, by: str) -> Decided:
    """Take over what is chosen into the case, and nothing else: `{"all": true}`, or `{"paths": [record, or field…]}`;
    `"with": {path: fields}` completes a record that is new. The case with it is checked whole, and saved as a put is.

    Conflict: the item is of no case yet. Refused, with every problem: nothing is changed.
    """
    wanted = asked.adoption(body)
    while True:
        seen = _seen(desk, id_, version)
        if seen.stored is None:
            raise Conflict("The item is of no case yet: match it first, or open a case.")
        if seen.doubt:
            raise Conflict(_DOUBT)
        picked = choosing.picked(seen, wanted, adoptable=True)
        whole = choosing.completed(picked, wanted.with_ or {})
        if not picked:
            return Decided(seen.item.id, seen.item.version, state_of(seen), seen.stored.number, changed=False)
        case = adopted(seen.stored.body, whole, desk.catalogue.schemas)
        refuse(check(case, desk.catalogue.schemas))
        with desk.store.writing() as tx:
            if not _still(tx, seen):
                _again(version)
                continue
            kept, subject = _save(desk, tx, seen.stored.number, case, seen, picked, by, version=seen.stored.version)
            now = desk.clock()
            decisions = {**seen.item.decisions, **choosing.decisions(picked, "adopted", by, now)}
            saved = inbox.save(tx, replace(seen.item, decisions=decisions, stale=True), now=now)
        return _finished(desk, saved, kept, subject)


def dismiss(desk: Desk, id_: str, body: bytes, *, version: int | None, by: str) -> Decided:
    """Leave what is chosen out of the case, with a reason, until the partner says something else of it. What a Consent
    denies goes on to count: only another consent, or that it was an error, ends that (consent.md, rule 3)."""
    wanted = asked.dismissal(body)
    while True:
        seen = _seen(desk, id_, version)
        picked = choosing.picked(seen, wanted, adoptable=False)
        now = desk.clock()
        decisions = {**seen.item.decisions, **choosing.decisions(picked, "dismissed", by, now, wanted.reason)}
        with desk.store.writing() as tx:
            if not _still(tx, seen):
                _again(version)
                continue
            item = seen.item
            saved = inbox.save(tx, replace(item, decisions=decisions, stale=True), now=now) if picked else item
        if saved is None:
            _again(version)
            continue
        return _settled(desk, saved, changed=bool(picked))


def _seen(desk: Desk, id_: str, version: int | None) -> Look:
    """The item as it is now, settled. PreconditionFailed: it is another version than the one that was asked for."""
    with desk.store.reading() as tx:
        item = _item(tx, id_)
    arrived.settle(desk, item)
    with desk.store.reading() as tx:
        item = _item(tx, id_)
        if version is not None and version != item.version:
            raise PreconditionFailed(_CHANGED)
        return arrived.look(desk, tx, item)


def _item(tx: Tx, id_: str) -> Item:
    if (item := inbox.get(tx, id_)) is None:
        raise NotFound("There is no such item.")
    return item


def _case(tx: Tx, number: str) -> StoredCase:
    stored = cases.get(tx, number)
    if stored is None or stored.deleted:
        raise NotFound("There is no such case.")
    return stored


def _still(tx: Tx, seen: Look, *others: StoredCase) -> bool:
    """Do the item, its case and these still stand as they were seen? The cases are held from here on, then the item."""
    for stored in sorted({each.id: each for each in (*others, *([seen.stored] if seen.stored else []))}.items()):
        current = cases.get(tx, stored[1].number)
        if current is None or current.version != stored[1].version:
            return False
    current_item = inbox.get(tx, seen.item.id)
    return current_item is not None and current_item.version == seen.item.version


def _again(version: int | None) -> None:
    """What was seen does not stand any more: who decided on that version is told, anyone else decides anew."""
    if version is not None:
        raise PreconditionFailed(_CHANGED)


def _matched(desk: Desk, seen: Look, stored: StoredCase | None, wanted: asked.Matching, by: str) -> Item:
    item = seen.item
    leaves = seen.stored is not None and (stored is None or stored.id != seen.stored.id)
    if leaves and seen.stored is not None and sources.is_adopted(seen.stored.kept, item.id):
        raise Conflict("Something of it was adopted into its case: what was adopted has to go from there first.")
    if stored is None:
        undone = replace(item, case_id=None, matched={}, pairs={}, alone=True)
        return item if undone == item else replace(undone, stale=True)
    doubt = arrived.doubt_of(desk, item.partner, stored.body, seen.patient)
    said = {"how": "person", "by": by, "on": desk.clock().isoformat(), **({"despite": doubt} if doubt else {})}
    same = item.case_id == stored.id
    pairs = choosing.pairs_of(seen, stored, wanted, {} if not same else item.pairs)
    after = replace(
        item, case_id=stored.id, matched=item.matched if same and not seen.doubt else said, pairs=pairs, alone=False
    )
    return item if after == item else replace(after, stale=True)


def _leave(desk: Desk, tx: Tx, seen: Look, stored: StoredCase) -> None:
    """What the item's Consents denied was never about this child: it denies nothing in this case any more."""
    kept = imported.left(stored.kept, seen.item.id)
    if kept != stored.kept:
        now = desk.clock()
        cases.put(tx, stored.number, stored.body, carry(stored.body, kept, stored.body, now), now=now)
        shares.mark_due(tx, case_id=stored.id, now=now)


def _is_sure(found: Iterable[Candidate], stored: StoredCase | None) -> bool:
    return stored is not None and any(each.case_id == stored.id and each.sure for each in found)


def _save(
    desk: Desk,
    tx: Tx,
    number: str,
    case: dict[str, Any],
    seen: Look,
    picked: list[Proposal],
    by: str,
    *,
    version: int | None,
) -> tuple[Kept, Subject]:
    item = seen.item

    def beside(kept: dict[str, Any]) -> dict[str, Any]:
        taken = {each.path.split("/")[1] for each in picked if each.path.startswith("consents/")}
        kept = imported.adopted(kept, seen.consents, taken)
        kept = sources.arrived(
            kept, picked, partner=item.partner, item=item.id, version_of=seen.version_of, by=by, now=desk.clock()
        )
        return sources.carried(kept, case)  # what a person has completed is no word of the partner's

    # Nobody here has labelled what the partner wrote: its texts wait for a review before anyone else reads them.
    return save(desk, tx, number, case, version=version, source=f"partner {item.partner}", beside=beside)


def _finished(desk: Desk, saved: Item | None, kept: Kept, subject: Subject) -> Decided:
    if saved is None:
        raise LookupError("an item that is held was changed by someone else")
    return _settled(desk, saved, changed=True, kept=told(desk, kept, subject))


def _settled(desk: Desk, item: Item, *, changed: bool, kept: Kept | None = None) -> Decided:
    """What came of it, once what follows has followed."""
    arrived.settle(desk, item)
    with desk.store.reading() as tx:
        now = _item(tx, item.id)
        stored = cases.by_id(tx, now.case_id) if now.case_id else None
    number = stored.number if stored and not stored.deleted else None
    return Decided(now.id, now.version, now.state, number, changed, kept)
