"""An answer comes home: the referral's course, the outcome beside the case, and what is then due, in one transaction.

Polling, what partners write to our /fhir, the signed link and the coordinator's own word all end here, so that each
transition is made once, whichever way it comes, and however often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapter.catalogue import Catalogue
from adapter.core.diff import Holding, Made, content
from adapter.core.fhir.named import names_of
from adapter.core.identity import Identity, Key
from adapter.core.referral import answer as answers
from adapter.core.referral import kept as outcomes
from adapter.core.referral.answer import Hearing
from adapter.core.referral.course import Course, begun_again, flagged, heard, moved_by_receiver, set_
from adapter.core.referral.passed import MOST_NAMES, Led, added, led, owner
from adapter.core.referral.table import Dialect, Impossible, State
from adapter.core.referral.task import is_of_referral, is_our_word, may_ask, receives, state_of
from adapter.desk import Desk
from adapter.errors import Conflict, NotFound
from adapter.store import cases, notices, referrals, resources, shares
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.referrals import Names, Tracked


@dataclass(frozen=True, slots=True)
class Place:
    """One referral in a transaction that writes: its case, its record as it is now, and its row."""

    stored: StoredCase
    record: Mapping[str, Any]
    tracked: Tracked
    dialect: Dialect

    @property
    def path(self) -> str:
        return self.tracked.path


def hearing(catalogue: Catalogue, partner: str) -> Hearing:
    """How this partner's answers are read."""
    known = catalogue.partners.get(partner)
    name = known.referrals.dialect if known else ""
    return Hearing(catalogue.dialects.get(name, Dialect(name, {})), catalogue.codes["business-status"])


def _as_it_is(tracked: Tracked, kept: dict[str, Any]) -> dict[str, Any]:
    return kept


def change(
    tx: Tx,
    row_id: int,
    dialect: Dialect,
    how: Callable[[Course, StoredCase], Course],
    *,
    now: datetime,
    kept: Callable[[Tracked, dict[str, Any]], dict[str, Any]] = _as_it_is,
) -> Tracked | None:
    """Let the course of a referral become what `how` makes of it; None where that changes nothing, or the case is gone.

    `kept` may change what is kept beside the case in the same breath. Shares are due where a partner may come to see
    something else.
    """
    found = referrals.by_id(tx, row_id)
    known = cases.by_id(tx, found.case_id) if found else None
    # The case is held first, so that no two change one course at once.
    stored = cases.get(tx, known.number) if known else None
    tracked = referrals.by_id(tx, row_id)
    if stored is None or stored.deleted or tracked is None or _record(tracked, stored) is None:
        return None
    course = how(tracked.course, stored)
    after = replace(tracked, course=course)
    beside = kept(after, _beside(after, stored))
    if course == tracked.course and beside == stored.kept:
        return None
    if course != tracked.course:
        referrals.save(tx, after, is_open=not dialect.ended(course.state), now=now)
        if moved_by_receiver(tracked.course, course):
            about = {"case": stored.id, "partner": tracked.partner, "path": tracked.path}
            notices.note(tx, "referral.answered", about, now=now)
    if beside != stored.kept:
        cases.put(tx, stored.number, stored.body, beside, now=now)
        if outcomes.visible(beside) != outcomes.visible(stored.kept):
            shares.mark_due(tx, case_id=stored.id, now=now)
    return after


def take(tx: Tx, row_id: int, task: Mapping[str, Any], hears: Hearing, *, source: str, now: datetime,
         gaps: bool = False) -> Tracked | None:  # fmt: skip
    """What this Task says of the referral; None where it says nothing new."""
    said = answers.read(task, hears, source=source)

    def how(course: Course, stored: StoredCase) -> Course:
        path = _path(tx, row_id)
        every: Iterable[Mapping[str, Any]] = stored.body.get("referrals", ())
        record = next((r for r in every if f"referrals/{r['id']}" == path), {})
        ask = stored.kept.get("asks", {}).get(path, {})
        if is_our_word(said.state, course.state, record, ask, hears.dialect):
            return course
        return heard(course, hears.dialect, said, now, gaps=gaps)

    return change(tx, row_id, hears.dialect, how, now=now)


def written(tx: Tx, partner: str, task: Mapping[str, Any], hears: Hearing, *, place: str, version: int,
            now: datetime, shelf: str = "") -> Tracked | None:  # fmt: skip
    """A partner wrote a Task to our /fhir: where it bears, or is about, what we know it by, it is an answer. Where it
    is a part of ours, or is about an order of theirs that is based on ours, the referral has been passed on.

    `place`: which Task of its world it is; its versions are ours. `shelf`: the world of what we serve it.
    """
    dated = {**task, "meta": {"versionId": str(version)}}
    reads = _Reads(tx, partner, shelf)
    if (row := reads.passed_on(task)) is not None:
        return pass_on(tx, row.id, dated, hears, place=f"here {place}", now=now)
    for identifier in answers.names_in(task):
        if (row := referrals.named(tx, partner, identifier)) is not None:
            return take(tx, row.id, dated, hears, source=f"here {place}", now=now)
    if (row := reads.filled(task)) is not None:
        return pass_on(tx, row.id, dated, hears, place=f"here {place}", now=now)
    return None


def pass_on(tx: Tx, row_id: int, task: Mapping[str, Any], hears: Hearing, *, place: str,
            now: datetime) -> Tracked | None:  # fmt: skip
    """What a Task says by which the receiver has passed the referral on: kept beside, and never applied to ours."""
    said = answers.read(task, hears, source=place)

    def how(course: Course, stored: StoredCase) -> Course:
        return replace(course, passed=added(course.passed, place, owner(task), said, now))

    return change(tx, row_id, hears.dialect, how, now=now)


@dataclass(frozen=True, slots=True)
class _Reads:
    """What a partner has written to us, and what we serve it, read to see where its references lead."""

    tx: Tx
    partner: str
    shelf: str

    def passed_on(self, task: Mapping[str, Any]) -> Tracked | None:
        """The referral whose Task this one is a part of, or a part of a part of."""
        waiting = list(led(task.get("partOf")))
        for each in waiting:
            if (row := self._ours(each, "Task")) is not None:
                return row
            whole = self._body(each, "Task")
            if whole is not None and len(waiting) < MOST_NAMES:
                waiting += led(whole.get("partOf"))
        return None

    def filled(self, task: Mapping[str, Any]) -> Tracked | None:
        """The referral on which an order of theirs is based that this Task is about."""
        based = task.get("basedOn")
        about = [task.get("focus"), *(based if isinstance(based, list) else [])]
        orders = (self._body(each, "ServiceRequest") for each in led(about))
        of = (each for order in orders if order is not None for each in led(order.get("basedOn")))
        return next((row for each in of if (row := self._ours(each, "ServiceRequest"))), None)

    def _ours(self, to: Led, type_: str) -> Tracked | None:
        if to.identifier is not None:
            return referrals.named(self.tx, self.partner, to.identifier)
        body = self._body(to, type_)
        names = [n for n in names_of(body) if all(isinstance(each, str) for each in n)] if body is not None else []
        known = (referrals.named(self.tx, self.partner, name) for name in names[:MOST_NAMES])
        return next((row for row in known if row is not None), None)

    def _body(self, to: Led, type_: str) -> Mapping[str, Any] | None:
        if to.place is None or to.place[0] != type_:
            return None
        for world in filter(None, (self.partner, self.shelf)):
            found = resources.read(self.tx, world, *to.place)
            if found is not None and not found.deleted:
                return found.body
        return None


def track(
    tx: Tx,
    stored: StoredCase,
    identity: Identity,
    desired: Iterable[Made],
    held: Mapping[str, Holding] | None,
    dialect: Dialect,
    *,
    now: datetime,
) -> list[Tracked]:
    """After a share is settled: each referral that the partner now holds a Task of has its row, and a cancellation that
    has arrived there is done. `held` is None for a partner that holds nothing and reads its view here."""
    known: Mapping[str, Any] = stored.kept.get("outcomes", {})
    tracked = []
    for made in desired:
        holding = held.get(made.urn) if held is not None else None
        there = held is None or (holding is not None and bool(holding.id) and holding.state == "active")
        if not is_of_referral(made) or not there:
            continue
        state = dialect.state(made.resource.get("status")) or "requested"
        names = names_at(identity, stored.number, made.about)
        row = referrals.ensure(tx, stored.id, identity.partner, names, made.about, Course(state=state), now=now)
        if row.course.steps and row.course.state != "requested" and made.about not in known:
            # The record was taken away and came again: what is kept of its answers had gone with it.
            row = _sent_again(tx, row, state, dialect, now) or row
        tracked.append(_settled(tx, row, made, holding, dialect, now) or row)
    return tracked


def sent_to(desk: Desk, tx: Tx, number: str, referral: str) -> Place:
    """The referral with its row, made where there is none. NotFound: no such one. Conflict: it goes to no partner."""
    stored = cases.get(tx, number)
    if stored is None or stored.deleted:
        raise NotFound("There is no such case.")
    body = outcomes.with_outcomes(stored.body, stored.kept, words=False)
    record = next((r for r in body.get("referrals", ()) if r["id"] == referral), None)
    if record is None or record["direction"] != "out":
        raise NotFound("There is no such referral.")
    partner = next((p for p in desk.catalogue.partners if receives(body, record, p)), None)
    if partner is None:
        raise Conflict("This referral goes to no partner of this instance: its record says what becomes of it.")
    path = f"referrals/{referral}"
    names = names_at(desk.bench.identity(partner), number, path)
    begun: State = record["status"] if record["status"] == "draft" else state_of(record)
    tracked = referrals.ensure(tx, stored.id, partner, names, path, Course(state=begun), now=desk.clock())
    return Place(stored, record, tracked, desk.bench.dialect(partner))


def names_at(identity: Identity, number: str, path: str) -> Names:
    """Under which names of ours a partner knows a referral."""
    task, request = Key(number, path, "Task"), Key(number, path, "ServiceRequest")
    system, value = identity.identifier(task)
    return Names(identity.urn(task), system, value, identity.identifier(request)[1])


def _sent_again(tx: Tx, row: Tracked, state: State, dialect: Dialect, now: datetime) -> Tracked | None:
    return change(tx, row.id, dialect, lambda course, stored: begun_again(course, state, now), now=now)


def end_asking(
    tx: Tx, stored: StoredCase, partner: str, held: Mapping[str, Holding], dialect: Dialect, *, now: datetime
) -> None:
    """What is asked of a Task that the partner does not hold any more is done; what its answer has overtaken cannot be.
    The first is cancelled, the second flagged."""
    asks: Mapping[str, Any] = stored.kept.get("asks", {})
    waiting = {path: ask for path, ask in asks.items() if not ask.get("done")}
    for row in referrals.of_case(tx, stored.id) if waiting else ():
        if row.partner != partner or row.path not in waiting:
            continue
        ask, holding = waiting[row.path], held.get(row.urn)
        gone = ask["how"] == "status" and (holding is None or holding.state == "withdrawn")
        if gone or not may_ask(ask, row.course.state, dialect):
            cancelled(tx, row, dialect, str(ask["reason"]), now=now)


def _settled(
    tx: Tx, row: Tracked, made: Made, holding: Holding | None, dialect: Dialect, now: datetime
) -> Tracked | None:
    """Our word to end it, where it stands in what the partner holds, or reads."""
    arrived, state = holding is None or holding.hash == content(made), dialect.state(made.resource.get("status"))
    if "status" in made.theirs or not arrived or state is None or row.course.state == state:
        return None
    words = made.resource.get("statusReason", {})
    reason = str(words.get("text") or words.get("concept", {}).get("text") or "")
    return cancelled(tx, row, dialect, reason, now=now, state=state)


def cancelled(
    tx: Tx, row: Tracked, dialect: Dialect, reason: str, *, now: datetime, state: State = "cancelled"
) -> Tracked | None:
    """The cancellation that was asked for (or that it was entered in error, which is another `state`) stands in the
    Task, or the Task is gone: so it is."""

    def how(course: Course, stored: StoredCase) -> Course:
        moved = set_(course, dialect, state, "requester", now, reason=reason)
        if isinstance(moved, Impossible):
            return flagged(course, dialect, state, moved.why, "requester", now)
        return moved

    def beside(tracked: Tracked, kept: dict[str, Any]) -> dict[str, Any]:
        ask = kept.get("asks", {}).get(tracked.path)
        if tracked.course.state != state:
            return outcomes.asking(kept, tracked.path, None)
        if ask is not None:
            kept = outcomes.asking(kept, tracked.path, {**ask, "done": True})
        by = kept.get("outcomes", {}).get(tracked.path, {}).get("by", "")
        return outcomes.closed(kept, tracked.path, state, by, tracked.course.on) if by else kept

    return change(tx, row.id, dialect, how, now=now, kept=beside)


def _beside(tracked: Tracked, stored: StoredCase) -> dict[str, Any]:
    """What is kept beside the case with this course in it."""
    record = _record(tracked, stored)
    return outcomes.answered(stored.kept, tracked.path, tracked.course, record["to"]) if record else stored.kept


def _record(tracked: Tracked, stored: StoredCase) -> Mapping[str, Any] | None:
    """The referral's record, while it goes to this partner."""
    every: Iterable[Mapping[str, Any]] = stored.body.get("referrals", ())
    found = next((r for r in every if f"referrals/{r['id']}" == tracked.path), None)
    return found if found is not None and receives(stored.body, found, tracked.partner) else None


def _path(tx: Tx, row_id: int) -> str:
    found = referrals.by_id(tx, row_id)
    return found.path if found else ""
