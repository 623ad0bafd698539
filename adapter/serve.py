"""A partner reads its view here: bring it up to what consent allows now, serve it, account for it.

What is served stands in a world of its own (`view/P`), beside the one of what the partner wrote. It is made of the case
as what is pushed is made: view, map, check, last look. Before anything is read it is the view of that moment: until it
is, nothing is answered (exchange.md, *What can be read*).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapter import log
from adapter.arrived import settle_all, settle_case
from adapter.core import strict_json
from adapter.core.consent.last_look import last_look
from adapter.core.desired import Desired, Subject, desire
from adapter.core.diff import Made
from adapter.core.fhir.bundle import led
from adapter.core.fhir.search import PARAMETERS, index
from adapter.core.keeping import rulebook_for, version_of
from adapter.desk import Desk
from adapter.errors import Unavailable
from adapter.store import cases, disclosures, inbox, resources, shares, views
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.disclosures import Line
from adapter.store.resources import Received
from adapter.store.subscriptions import VIEW
from adapter.store.views import Name, Shown


class NotYet(Unavailable):
    """What is asked for is being made, or was just changed."""

    title = "Not ready yet"


_AT_ONCE = 50
"""Cases that are brought up to date while a partner waits for its answer."""
_EVERY = 2**31 - 1


_NEVER = -1
"""No case has this version: what is served of it is made anew each time."""


def world_of(partner: str) -> str:
    """The world in which the view of a partner stands: no partner's id holds a slash."""
    return f"{VIEW}{partner}"


@dataclass(frozen=True, slots=True)
class Served:
    """The view of one case: the resources as they are read, by name, and what each tells of the case."""

    bodies: Mapping[Name, dict[str, Any]]
    shown: Mapping[Name, Shown]
    directory: frozenset[Name]
    until: datetime | None
    fault: str = ""


def shelf(desk: Desk, partner: str) -> str:
    """The world that this partner may read besides its own, up to date; "" where it may read none.

    Unavailable: more has changed than can be worked through now.
    """
    if not _reads(desk, partner):
        return ""
    _count_denials(desk, partner)
    with desk.store.reading() as tx:
        stale = views.stale(tx, partner, now=desk.clock(), limit=_AT_ONCE + 1)
    for case_id in stale[:_AT_ONCE]:
        refresh(desk, partner, case_id)
    if len(stale) > _AT_ONCE:
        raise NotYet("The view is being brought up to date: ask again in a moment.")
    return world_of(partner)


def shelf_with(desk: Desk, partner: str, names: Collection[Name]) -> str:
    """As `shelf`, up to date as far as these resources tell of anything: what else waits to be brought up to date, a
    save that is withheld too, holds nobody up."""
    if not _reads(desk, partner):
        return ""
    _count_denials(desk, partner)
    with desk.store.reading() as tx:
        of_them = {case_id for case_id, *_ in views.untold(tx, partner, dict.fromkeys(names, _EVERY))}
        stale = of_them & set(views.stale(tx, partner, now=desk.clock(), limit=_EVERY))
    for case_id in sorted(stale):
        refresh(desk, partner, case_id)
    return world_of(partner)


def _reads(desk: Desk, partner: str) -> bool:
    """May this partner read its view here, now?"""
    whom = desk.catalogue.partners.get(partner)
    if whom is None or not whom.reads or whom.paused:
        return False
    with desk.store.reading() as tx:
        return not shares.paused(tx, partner)


def _count_denials(desk: Desk, partner: str) -> None:
    """Whoever wrote it, and whether or not its child is known: a denial counts before anything is read. A case in which
    it cannot be counted is served as empty; the others are served."""
    settle_all(desk, limit=_AT_ONCE)
    with desk.store.reading() as tx:
        waiting = inbox.stale(tx, limit=_AT_ONCE + 1, matched=True)
    if len(waiting) > _AT_ONCE:
        raise NotYet("The view is being brought up to date: ask again in a moment.")
    for case_id in sorted({item.case_id for item in waiting if item.case_id is not None}):
        refresh(desk, partner, case_id)


def _heard(desk: Desk, case_id: str) -> bool:
    """Does what partners deny of this case's child count by now? Where a fault of ours is in the way, it does not."""
    try:
        settle_case(desk, case_id)
    except Unavailable:
        raise
    except Exception as bug:  # noqa: BLE001  Nothing of that case is served, and the others are.
        log.logger().error("failed", error=bug)
        return False
    return True


def refresh(desk: Desk, partner: str, case_id: str) -> str:
    """Let the view of one case be the one of now. Why nothing of it is served: "" or the check that stopped it."""
    while True:
        now = desk.clock()
        with desk.store.reading() as tx:
            stored = cases.by_id(tx, case_id)
        if stored is None:
            return ""
        heard = _heard(desk, case_id)
        served = _served(desk, stored, partner, now) if heard else Served({}, {}, frozenset(), None, "fault")
        with desk.store.writing() as tx:
            resources.alone(tx, world_of(partner))
            current = cases.by_id(tx, case_id)
            if current is not None and current.version == stored.version:
                _put(tx, desk, partner, stored, served, now, version=stored.version if heard else _NEVER)
                return served.fault


def account(desk: Desk, partner: str, read: Iterable[Received]) -> None:
    """Enter what the partner reads now, and has not read before in this version, into the accounts of its cases.

    Done before the bytes leave. To read the same again tells nothing, and has no line.
    """
    wanted = {(kept.type, kept.id): kept.version for kept in read if kept.partner == world_of(partner)}
    if not wanted:
        return
    with desk.store.reading() as tx:
        if not views.untold(tx, partner, wanted):
            return
    now, request_id = desk.clock(), secrets.token_hex(16)
    with desk.store.writing() as tx:
        by_case: dict[str, list[Line]] = {}
        told = []
        for case_id, share_id, name, shown in views.untold(tx, partner, wanted):
            by_case.setdefault(case_id, []).append(line(partner, name, shown, request_id, now))
            told.append((share_id, name, wanted[name]))
        for case_id, lines in sorted(by_case.items()):
            disclosures.append(tx, case_id, lines)
        views.tell(tx, told)


def _served(desk: Desk, stored: StoredCase, partner: str, now: datetime) -> Served:
    """What of the case may be read now. Where a check finds a mistake, or fails, nothing of it."""
    try:
        subject = Subject.of(stored.number, stored.body, stored.kept)
        desired = desire(desk.bench, subject, partner, now)
        if desired.wrong:
            return Served({}, {}, frozenset(), desired.next_change, "check")
        served = _bodies(desired, stored)
        payload = strict_json.dump({"resourceType": "Bundle", "entry": list(served.bodies.values())})
        if desired.made and _withheld_in(desk, subject, stored, partner, payload, served, now):
            return Served({}, {}, frozenset(), desired.next_change, "last-look")
        return served
    except Exception as bug:  # noqa: BLE001  A fault of ours in one case: nothing of it is served, and the others are.
        log.logger().error("failed", partner=partner, error=bug)
        return Served({}, {}, frozenset(), None, "fault")


def _bodies(desired: Desired, stored: StoredCase) -> Served:
    made = {(m.type, m.identifier[1]): m for m in desired.made if m.type in PARAMETERS}
    places = {m.urn: f"{type_}/{id_}" for (type_, id_), m in made.items()}
    consents = tuple(version_of(stored.kept, c) for c in desired.view.consents)
    return Served(
        {name: {**led(m.resource, places), "id": name[1]} for name, m in made.items()},
        {name: _shown(desired, m, consents) for name, m in made.items()},
        frozenset(name for name, m in made.items() if m.directory),
        desired.next_change,
    )


def _shown(desired: Desired, made: Made, consents: tuple[str, ...]) -> Shown:
    labels = desired.view.labels
    purposes = {purpose for path in made.about.split() if path in labels for purpose in labels[path].purposes}
    return Shown(made.urn, made.about, made.parts, made.topics, tuple(sorted(purposes)), consents)


def _withheld_in(
    desk: Desk, subject: Subject, stored: StoredCase, partner: str, payload: bytes, served: Served, now: datetime
) -> bool:
    return (
        last_look(
            payload,
            case=subject.case,
            kept=dict(stored.kept),
            rulebook=rulebook_for(desk.bench.rulebook, stored.kept),
            partner=partner,
            now=now,
            given={id_ for _, id_ in served.bodies},
        )
        is not None
    )


def _put(tx: Tx, desk: Desk, partner: str, stored: StoredCase, served: Served, now: datetime, *, version: int) -> None:
    """Write what differs; take away what is no longer in the view, unless the view of another case holds it too. From
    now on it is the view of this version of the case."""
    world = world_of(partner)
    share = shares.between(tx, stored.id, partner)
    if share is None:
        return
    before = views.of_share(tx, share.id)
    gone = before.keys() - served.bodies.keys()
    for type_, id_ in sorted(gone - views.elsewhere(tx, partner, gone, share_id=share.id)):
        resources.delete(tx, world, type_, id_, now=now)
        resources.forget_earlier(tx, world, type_, id_)
    for name, body in served.bodies.items():
        _write(tx, world, name, body, name in served.directory, now)
    shown = {n: replace(s, told=before[n].told if n in before else 0) for n, s in served.shown.items()}
    views.keep(tx, share.id, shown, case_version=version, until=served.until, fault=served.fault)


def _write(tx: Tx, world: str, name: Name, body: dict[str, Any], directory: bool, now: datetime) -> None:
    type_, id_ = name
    there = resources.read(tx, world, type_, id_)
    if there is not None and not there.deleted and (directory or there.body == body):
        return  # what cases share is never changed: its words may differ from one to the next
    indexed = index(body, base="")
    if there is None:
        resources.create(tx, world, type_, body, id=id_, now=now, indexed=indexed)
    else:
        resources.update(tx, world, type_, id_, body, now=now, indexed=indexed)
        resources.forget_earlier(tx, world, type_, id_)  # nobody can read it, and it may be withheld by now


def line(partner: str, name: Name, shown: Shown, request_id: str, now: datetime, operation: str = "read") -> Line:
    """What the account says of one resource that a partner reads here, or is told of."""
    return Line(
        at=now,
        partner=partner,
        purpose=" ".join(shown.purposes),
        kind="delivered",
        request_id=request_id,
        operation=operation,
        resource_type=name[0],
        urn=shown.urn,
        about=shown.about,
        parts=shown.parts,
        topics=shown.topics,
        consents=shown.consents,
        outcome="delivered",
    )
