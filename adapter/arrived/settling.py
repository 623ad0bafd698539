"""What follows of itself from what a partner has written: whose child it is, where an identifier that both know says,
and whether anything waits for a person. Repeated at will; the partner that wrote does not wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapter.arrived.looking import Look, denials_of, look
from adapter.core.fhir.called import child_of
from adapter.core.inbox import imported, names
from adapter.core.inbox.names import Proof
from adapter.core.keeping import carry
from adapter.core.matching import speaks_nothing_against
from adapter.core.notice import Kind
from adapter.desk import Desk
from adapter.errors import Unavailable
from adapter.store import cases, inbox, notices, shares, views
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.inbox import NOBODY, Item

Consents = Mapping[str, tuple[str, dict[str, Any]]]
"""Id of a consent → (`Consent/id`, its record)."""
_Named = tuple[StoredCase, dict[str, tuple[str, dict[str, Any]]], dict[str, int]]

_AT_ONCE = 100
_PROOFS: tuple[Proof, ...] = ("ours", "identifier", "name")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Which case the child may be of, and what says so. `sure`: an identifier that both know, nothing against it."""

    case_id: str
    number: str
    proof: Proof
    sure: bool


def settle_all(desk: Desk, *, limit: int = _AT_ONCE) -> tuple[int, list[Exception]]:
    """Look at what partners have written of since it was last looked at: how many items that were, and what went wrong.

    A fault of our own with one item is not the next one's. It stays to be looked at, and its case's shares stop.
    """
    with desk.store.reading() as tx:
        waiting = inbox.stale(tx, limit=limit)
    faults: list[Exception] = []
    for item in waiting:
        try:
            settle(desk, item)
        except Unavailable:
            raise
        except Exception as bug:  # noqa: BLE001  told to the caller, who logs it
            faults.append(bug)
    return len(waiting) - len(faults), faults


def settle_case(desk: Desk, case_id: str) -> None:
    """Let what partners have said of this case's child count before anything is decided by its consents."""
    with desk.store.reading() as tx:
        waiting = [item for item in inbox.of_case(tx, case_id) if item.stale]
        waiting += inbox.of_nobody(tx, desk.catalogue.partners)  # some of it may name this child
    for item in waiting:
        settle(desk, item)


def settle(desk: Desk, item: Item) -> None:
    """Match the item where it is certain, let its denials count in its case, and keep whether it waits for a person."""
    while True:
        with desk.store.reading() as tx:
            current = inbox.get(tx, item.id)
            if current is None or not current.stale:
                return
            seen = look(desk, tx, current)
            found = candidates(desk, tx, seen)
            named = _named(desk, tx, seen)
        matched = _matched(desk, seen, found)
        with desk.store.writing() as tx:
            if matched is not current:
                inbox.save(tx, matched, now=desk.clock())  # as an item of that case it is another one: look again
                continue
            if not _stands(tx, seen.stored) or not _is_as(tx, current):
                continue
            if not all(_stands(tx, stored) for stored, *_ in named):
                continue
            due = seen.stored is not None and _let_count(desk, tx, seen, seen.stored)
            for stored, denied, versions in named:
                due = _joined(desk, tx, current, stored, denied, versions) or due
            inbox.looked_at(tx, _noted(desk, tx, replace(current, state=state_of(seen))))
        if due:
            desk.wake.set()
        return


def _noted(desk: Desk, tx: Tx, item: Item) -> Item:
    """The case system is told that something waits in an item that has changed, and that nothing does any more."""
    now_noted = f"{item.state} {item.version}"
    kind: Kind | None = None
    if item.state == "waiting" and item.noted != now_noted:
        kind = "inbox.changed"
    elif item.state == "settled" and item.noted.startswith("waiting"):
        kind = "inbox.settled"
    if kind is not None:
        about = {"item": item.id, "partner": item.partner, **({"case": item.case_id} if item.case_id else {})}
        notices.note(tx, kind, about, now=desk.clock())
    return replace(item, noted=now_noted)


def _named(desk: Desk, tx: Tx, seen: Look) -> list[_Named]:
    """The cases whose children are named by Consents that refer to no child, and what those come to in each of them.

    By an identifier that both know, with nothing against it; where two cases bear it, in both: who is denied too much
    is told so, and can be put right.
    """
    if seen.item.subject != NOBODY:
        return []
    found: dict[str, _Named] = {}
    for consent in seen.sent.resources:
        patient = child_of(consent.body)
        for each in _bearing(desk, tx, seen.item.partner, patient) if patient else ():
            stored = cases.by_id(tx, each.case_id)
            if each.sure and stored is not None:
                _, denied, versions = found.setdefault(stored.id, (stored, {}, {}))
                denied |= denials_of(desk, tx, seen.item, consent, stored)
                versions[f"{consent.type}/{consent.id}"] = consent.version
    return list(found.values())


def _let_count(desk: Desk, tx: Tx, seen: Look, stored: StoredCase) -> bool:
    """Keep what the item's Consents deny and revoke beside its case, and make its shares due; False: it is known."""
    return _joined(desk, tx, seen.item, stored, seen.consents, seen.versions)


def _joined(
    desk: Desk, tx: Tx, item: Item, stored: StoredCase, consents: Consents, versions: Mapping[str, int]
) -> bool:
    kept = imported.joined(stored.kept, consents, versions, partner=item.partner, item=item.id)
    if kept == stored.kept:
        return False
    now = desk.clock()
    cases.put(tx, stored.number, stored.body, carry(stored.body, kept, stored.body, now), now=now)
    shares.mark_due(tx, case_id=stored.id, now=now)
    return True


def state_of(seen: Look) -> inbox.State:
    """Does anything of it wait?"""
    return "waiting" if seen.open or seen.doubt else "settled"


def candidates(desk: Desk, tx: Tx, seen: Look) -> tuple[Candidate, ...]:
    """The cases whose child this may be, the surest first; none where it is matched already."""
    item = seen.item
    if item.subject == NOBODY or seen.stored is not None:
        return ()
    ours = views.cases_of(tx, item.partner, ("Patient", item.subject))
    return _bearing(desk, tx, item.partner, seen.patient, ours=ours)


def _bearing(
    desk: Desk, tx: Tx, partner: str, patient: Mapping[str, Any], *, ours: Iterable[str] = ()
) -> tuple[Candidate, ...]:
    """The cases that this Patient's identifiers, or its name, may mean; `ours`: those that we told it of by its id."""
    known = names.of_patient(partner, desk.bench.identifier_system, patient)
    whom = desk.catalogue.partners.get(partner)
    trusted = names.shared(partner, whom.identifier_systems if whom else (), patient)
    found: dict[str, Candidate] = {}
    for case_id in ours:
        _add(tx, found, case_id, "ours", patient, sure=True)
    for proof in _PROOFS:
        for name in sorted(known[proof]):
            for case_id in inbox.named(tx, name):
                _add(tx, found, case_id, proof, patient, sure=proof == "ours" or name in trusted)
    return tuple(sorted(found.values(), key=lambda each: (not each.sure, _PROOFS.index(each.proof), each.number)))


def _add(
    tx: Tx, found: dict[str, Candidate], case_id: str, proof: Proof, patient: Mapping[str, Any], *, sure: bool
) -> None:
    stored = cases.by_id(tx, case_id)
    if stored is None or stored.deleted:
        return
    born = stored.body["child"].get("birth_date")
    fits = speaks_nothing_against({"birthDate": born} if born else {}, patient)
    before = found.get(case_id)
    if before is None or (sure and fits and not before.sure):
        found[case_id] = Candidate(case_id, stored.number, before.proof if before else proof, sure and fits)


def _matched(desk: Desk, seen: Look, found: tuple[Candidate, ...]) -> Item:
    """The item with the one case that an identifier names; two that could be meant are for a person to tell apart."""
    strong = [each for each in found if each.proof != "name"]
    if seen.item.case_id or seen.item.alone or len(strong) != 1 or not strong[0].sure:
        return seen.item
    on = desk.clock().isoformat()
    return replace(seen.item, case_id=strong[0].case_id, matched={"how": "identifier", "by": "", "on": on})


def _is_as(tx: Tx, item: Item) -> bool:
    """Is the item still the one that was looked at? It is held from here on."""
    held = inbox.get(tx, item.id)
    return held is not None and held.version == item.version


def _stands(tx: Tx, stored: StoredCase | None) -> bool:
    """Is the case still the one that was looked at? It is held from here on."""
    if stored is None:
        return True
    current = cases.get(tx, stored.number)
    return current is not None and current.version == stored.version
