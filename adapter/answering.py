"""The agency answers a partner that referred a child to it, on the Task in that partner's own world.

Level, not edge: the wanted answer is a function of the record, the enrolment and what consent says now; the Task is
brought to it in moves that the partner's dialect lets the receiver make. One transaction holds the case and the world,
and writes the moves, their lines in the account and the course: whatever is interrupted is done whole, or again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from adapter.core import strict_json
from adapter.core.account.chain import Line
from adapter.core.consent.last_look import last_look
from adapter.core.fhir.search import index
from adapter.core.identity import Key
from adapter.core.keeping import rulebook_for
from adapter.core.referral import inward
from adapter.core.referral import kept as outcomes
from adapter.core.referral.answer import Hearing
from adapter.core.referral.course import Course, begun_again, flagged, restated, set_
from adapter.core.referral.inward import Inward
from adapter.core.referral.reply import Reply, reply
from adapter.core.referral.table import Dialect, Impossible, State, move
from adapter.desk import Desk
from adapter.errors import Unavailable
from adapter.store import cases, disclosures, referrals, resources, shares
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.referrals import Tracked
from adapter.store.resources import Received

SLOT = "answered"
MOST_TASKS = 100
"""Tasks about one request that are looked at."""
REVOKED: Mapping[str, State] = {"revoked": "cancelled", "entered-in-error": "entered-in-error"}
"""States of a ServiceRequest by which its sender ends it."""
ENDED_BY_REQUEST = "The sender has ended the request."


@dataclass(slots=True)
class _At:
    """One referral that came in, while the case and the partner's world are held."""

    desk: Desk
    tx: Tx
    stored: StoredCase
    record: Mapping[str, Any]
    row: Tracked
    dialect: Dialect
    now: datetime
    request_id: str

    @property
    def known(self) -> Inward:
        if self.row.inward is None:
            raise TypeError("not a referral that came in")
        return self.row.inward

    def note(self, **changes: Any) -> None:
        self.row = replace(self.row, inward=replace(self.known, **changes))

    def went(self, course: Course) -> None:
        self.row = replace(self.row, course=course)


def bring_all(desk: Desk, number: str) -> None:
    """Let the answers to all referrals of this case that came in be those of now, once it is saved. Where the database
    cannot be had now, the worker does it: the shares are due."""
    with desk.store.reading() as tx:
        stored = cases.get(tx, number)
    try:
        if stored is not None:
            for partner in _senders(stored):
                bring(desk, stored.id, partner)
    except Unavailable:
        desk.wake.set()


def bring(desk: Desk, case_id: str, partner: str) -> None:
    """Let what this partner reads of the answers to its referrals, in this case, be that of now."""
    whom = desk.catalogue.partners.get(partner)
    with desk.store.reading() as tx:
        known = cases.by_id(tx, case_id)
    if whom is None or whom.paused or known is None or not _came(known, partner):
        return
    with desk.store.writing() as tx:
        # In this order always, as whoever writes in the world does: it first, then the case.
        resources.alone(tx, partner)
        stored = cases.get(tx, known.number)
        if stored is None or stored.deleted or shares.paused(tx, partner):
            return
        for path in sorted(_came(stored, partner)):
            _bring(desk, tx, stored.number, path, partner)


def judged(
    tx: Tx, partner: str, task: Mapping[str, Any], there: Received | None, id_: str, hears: Hearing, now: datetime
) -> dict[str, Any]:
    """What is kept of a partner's own write of a Task: its status is the sender's move, judged by the table, and takes
    the place of no answer of ours. A Task that nothing is answered on is kept as it is."""
    made = dict(task)
    for row in referrals.came_as(tx, partner, "Task", id_):
        if row.inward is None or (at := _held(tx, row)) is None:
            continue
        stored, record = at
        if there is None or there.deleted:
            # It was deleted, and comes again: what is answered on it begins anew.
            referrals.save(tx, _begun(row, row.inward, id_, task, hears.dialect, now), is_open=True, now=now)
            continue
        made, course, asked = _judged(made, there.body, row, hears, now)
        after = replace(row, course=course, inward=replace(row.inward, asked=asked or row.inward.asked))
        referrals.save(tx, after, is_open=not hears.dialect.ended(course.state), now=now)
        _keep(tx, stored, outcomes.ended(stored.kept, row.path, course, outcomes.other(record)), now)
    return made


def noticed(tx: Tx, partner: str, type_: str, id_: str, bodies: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """A partner wrote, or deleted, what may be of a referral that it sent: the share is due, and the rest follows."""
    if type_ not in ("Task", "ServiceRequest"):
        return
    names = {(type_, id_), *(name for body in bodies if type_ == "Task" for name in inward.about(body))}
    rows = [row for name in sorted(names) for row in referrals.came_as(tx, partner, *name)]
    for case_id in sorted({row.case_id for row in rows}):
        shares.mark_due(tx, case_id=case_id, partner=partner, now=now)


def _senders(stored: StoredCase) -> list[str]:
    return sorted({str(each["partner"]) for each in _came(stored).values()})


def _came(stored: StoredCase, partner: str | None = None) -> dict[str, Mapping[str, Any]]:
    """The referrals of this case that were adopted from a partner's resources, by their paths."""
    inwards = {f"referrals/{r['id']}" for r in stored.body.get("referrals", ()) if r["direction"] == "in"}
    every: Mapping[str, Mapping[str, Any]] = stored.kept.get("arrived", {})
    return {p: came for p, came in every.items() if p in inwards and partner in (None, came["partner"])}


def _request(tx: Tx, came: Mapping[str, Any]) -> str:
    """The id of the ServiceRequest that it was adopted from; empty where it is from none."""
    names = [f"{came['type']}/{came['id']}", *came.get("also", ())]
    for name in names:
        if name.startswith("ServiceRequest/"):
            return str(name.partition("/")[2])
    for name in names:
        task = resources.read(tx, came["partner"], *name.split("/", 1)) if name.startswith("Task/") else None
        for type_, id_ in inward.about(task.body) if task is not None else ():
            if type_ == "ServiceRequest":
                return id_
    return ""


def _bring(desk: Desk, tx: Tx, number: str, path: str, partner: str) -> None:
    now, stored = desk.clock(), cases.get(tx, number)
    if stored is None:
        return
    request = _request(tx, stored.kept["arrived"][path])
    if not request:
        return
    record = next(r for r in stored.body["referrals"] if f"referrals/{r['id']}" == path)
    urn = desk.bench.identity(partner).urn(Key(number, path, "Task", SLOT))
    before = referrals.received(tx, stored.id, partner, urn, path, Inward(request=request), now=now)
    at = _At(desk, tx, stored, record, before, desk.bench.dialect(partner), now, secrets.token_hex(16))
    if at.known.request != request:
        at.note(request=request, task="", made=False, heard="")
    if _elsewhere(at):
        at.note(held="twice", because="")
        if at.row != before:
            referrals.save(tx, at.row, is_open=True, now=now)
        return
    wanted = reply(desk.bench, stored.body, stored.kept, path, partner, now, at.dialect)
    task = _task(at, wanted)
    if task is not None:
        _hear(at, task)
        _take_back(at, _again(at, task), wanted)
        _answer(at, _again(at, task), wanted)
    else:
        _take_back(at, None, wanted)
    if at.row != before:
        referrals.save(tx, at.row, is_open=not at.dialect.ended(at.row.course.state), now=now)
    _keep(tx, stored, outcomes.ended(stored.kept, path, at.row.course, outcomes.other(record)), now)


def _elsewhere(at: _At) -> bool:
    """Is the same request answered already as another referral, of this case or another one? Two would gainsay each
    other on one Task."""
    if at.known.task:
        return False
    for other in referrals.came_as(at.tx, at.row.partner, "ServiceRequest", at.known.request):
        known = cases.by_id(at.tx, other.case_id) if other.urn != at.row.urn else None
        answers = other.inward is not None and bool(other.inward.task)
        if known is not None and not known.deleted and answers and other.path in _came(known, at.row.partner):
            return True
    return False


def _task(at: _At, wanted: Reply) -> Received | None:
    """The Task that is answered on: the one that has been, as long as it stands; else the partner's; else one of ours.
    None where there is none, and none is to be made."""
    found = _about(at)
    current = next((t for t in found if t.id == at.known.task), None)
    theirs = [t for t in found if t is not current]
    live = [t for t in theirs if not at.dialect.ended(inward.begins(t.body, at.dialect))]
    if current is not None and at.known.made and theirs:
        # It came without a Task, and has sent its own since: that is answered, and two would say the same.
        resources.delete(at.tx, at.row.partner, "Task", current.id, now=at.now)
        _account(at, "withdraw", wanted)
        return _begin(at, (live or theirs)[-1])
    if current is not None:
        over = at.dialect.ended(at.row.course.state) and wanted.state not in (None, at.row.course.state)
        return _begin(at, live[-1]) if over and live else current
    if at.known.task and not live:
        at.note(held="gone", because="")
        return None
    if theirs:
        return _begin(at, (live or theirs)[-1])
    return _make(at, wanted)


def _about(at: _At) -> list[Received]:
    """The partner's Tasks about its ServiceRequest, in the order in which they came; not those that ask for an end."""
    name = f"ServiceRequest/{at.known.request}"
    found: dict[str, Received] = {}
    for parameter in ("focus", "based-on"):
        terms = [(parameter, [name])]
        found |= {t.id: t for t in resources.search(at.tx, at.row.partner, "Task", terms, limit=MOST_TASKS)}
    return [task for task in found.values() if not inward.is_abort(task.body)]


def _begin(at: _At, task: Received) -> Received:
    """Answer on this Task from now on, from where it is."""
    at.row = _begun(at.row, at.known, task.id, task.body, at.dialect, at.now)
    return task


def _begun(row: Tracked, known: Inward, id_: str, task: Mapping[str, Any], dialect: Dialect, now: datetime) -> Tracked:
    state, course = inward.begins(task, dialect), row.course
    anew = begun_again(course, state, now) if course.steps else replace(course, state=state)
    former = tuple(dict.fromkeys(each for each in (*known.former, known.task) if each not in ("", id_)))
    return replace(
        row,
        course=replace(anew, business="", words="", reason="", result=""),
        inward=replace(known, task=id_, made=False, asked="", held="", because="", former=former),
    )


def _make(at: _At, wanted: Reply) -> Received | None:
    """A Task for a request that came without one, in the partner's world; it says no more than that it was asked."""
    if wanted.denied or wanted.state is None:
        at.note(held="denied" if wanted.denied else "", because=wanted.denied)
        return None
    request = resources.read(at.tx, at.row.partner, "ServiceRequest", at.known.request)
    if request is None or request.deleted or request.body.get("status") in REVOKED:
        at.note(held="gone", because="")
        return None
    identity = at.desk.bench.identity(at.row.partner)
    name = identity.identifier(Key(at.stored.number, at.row.path, "Task", SLOT))
    body = inward.new_task({**request.body, "id": request.id}, name, _instant(at.now))
    id_ = secrets.token_hex(16)
    made = resources.create(
        at.tx, at.row.partner, "Task", {**body, "id": id_}, id=id_, now=at.now, indexed=index(body, base="")
    )
    _account(at, "create", wanted)
    at.note(task=id_, made=True, asked="", held="", because="")
    return made


def _hear(at: _At, task: Received) -> None:
    """What the sender has said in other ways than by its Task: that its request is over; that it asks for an end."""
    request = resources.read(at.tx, at.row.partner, "ServiceRequest", at.known.request)
    status = str(request.body.get("status", "")) if request is not None and not request.deleted else "deleted"
    if status in REVOKED and status != at.known.heard:
        state = REVOKED[status]
        if state not in at.dialect.may("requester", at.row.course.state):
            state = "cancelled"
        _end(at, task, state)
    if status != at.known.heard:
        at.note(heard=status)
    terms = [("focus", [f"Task/{task.id}"])]
    asking = resources.search(at.tx, at.row.partner, "Task", terms, limit=MOST_TASKS)
    if any(inward.is_abort(each.body) and each.body.get("status") in ("requested", "ready") for each in asking):
        at.note(asked="task")
    if at.known.asked and at.dialect.ended(at.row.course.state):
        at.note(asked="")


def _end(at: _At, task: Received, state: State) -> None:
    course = at.row.course
    if course.state == state:
        return
    moved = set_(course, at.dialect, state, "requester", at.now, reason=ENDED_BY_REQUEST)
    if isinstance(moved, Impossible):
        at.went(flagged(course, at.dialect, state, moved.why, "requester", at.now))
        return
    if moved.state == course.state:
        return  # this dialect has another word for where it is
    at.went(moved)
    body = _told(at, task.body, state=state, moved=True, code="", reason=ENDED_BY_REQUEST, result=None)
    _write(at, task, [body], Reply(state))


def _again(at: _At, task: Received) -> Received:
    return resources.read(at.tx, at.row.partner, "Task", task.id) or task


def _take_back(at: _At, task: Received | None, wanted: Reply) -> None:
    """Words of ours that the partner may see no longer go: from the Task, and from what it was before."""
    course, gone = at.row.course, {*inward.WORDS} - wanted.may
    if not at.known.words or not gone:
        return
    known = at.desk.catalogue.codes["business-status"]
    ours = [step for step in course.steps if step.by == "receiver"]
    reasons = {step.reason for step in ours if "reason" in gone} - {"", inward.WITHHELD}
    results = {step.result for step in ours if "result" in gone} - {""}
    codes = {s.business for s in ours if "business_status" in gone and known.translate(s.business) is None} - {""}
    if task is not None:
        _unsay(at, task, wanted, reasons, results, codes)
    for id_ in filter(None, (at.known.task, *at.known.former)):
        current = 1 if task is not None and id_ == task.id else 0
        for version in resources.history(at.tx, at.row.partner, "Task", id_)[current:]:
            less = inward.without_words(version.body, reasons, results, codes)
            if less != version.body:
                resources.reword(at.tx, at.row.partner, "Task", id_, version.version, less)
    if len(gone) == len(inward.WORDS):
        at.note(words=False)


def _unsay(
    at: _At, task: Received, wanted: Reply, reasons: set[str], results: set[str], codes: set[str]
) -> None:  # fmt: skip
    """A version of the Task without these words."""
    course = at.row.course
    needed = inward.WITHHELD if course.state in at.dialect.reasons else ""
    own = course.steps[-1].by == "receiver"
    reason = needed if own and course.reason in reasons else course.reason
    result = "" if course.result in results else course.result
    business = "" if course.business in codes else course.business
    if (reason, result, business) == (course.reason, course.result, course.business):
        return
    body = _told(
        at, task.body, state=course.state, moved=False,
        code=business if business != course.business else None,
        reason=reason if reason != course.reason else None, result=result if result != course.result else None,
    )  # fmt: skip
    _write(at, task, [body], wanted, "withdraw")
    at.went(restated(course, business=business, reason=reason, result=result, now=at.now, same=False))


def _answer(at: _At, task: Received, wanted: Reply) -> None:
    """Bring the Task to the answer that is wanted, or note why it stays as it is."""
    course = at.row.course
    if wanted.denied:
        at.note(held="denied", because=wanted.denied)
        return
    if wanted.state is None or course.state == "draft" or _ended_by_sender(at):
        at.note(held="", because="")
        return
    state = wanted.state or course.state
    if state == "received" and not at.dialect.ended(course.state) and _moved_by_sender_alone(course):
        state = course.state  # nobody has answered yet: where the sender put it, it stays
    ways, held = inward.steps(course.state, at.dialect, state, reason=wanted.reasoned), ""
    if isinstance(ways, Impossible):
        back = state == "accepted" and course.state == "in-progress"
        if not (back and wanted.begun):
            held = ways.why
            at.went(flagged(course, at.dialect, state, held, "receiver", at.now))
            course = at.row.course
        if not back:
            at.note(held=held, because="")
            return
        # Once the work has begun a yes is not taken back: what else is to be said still is.
        ways, state = (), course.state
    bodies, moved = _moves(at, task.body, ways, wanted)
    if ways and moved.state != state:
        at.went(moved)
        at.note(held="too-many", because="")
        return
    changed = [body for body, earlier in zip(bodies, [task.body, *bodies], strict=False) if body != earlier]
    if changed and _withheld_in(at, changed, wanted):
        at.note(held="last-look", because="")
        return
    _write(at, task, changed, wanted)
    at.went(moved)
    own = bool(moved.business) and at.desk.catalogue.codes["business-status"].translate(moved.business) is None
    if moved.reason not in ("", inward.WITHHELD) or moved.result or own:
        at.note(words=True)
    at.note(held=held, because="", asked="" if ways else at.known.asked)


def _moves(
    at: _At, task: Mapping[str, Any], ways: tuple[State, ...], wanted: Reply
) -> tuple[list[dict[str, Any]], Course]:
    """The Task after each move, and after what else is to be said; and the course with them."""
    course, bodies, body = at.row.course, list[dict[str, Any]](), dict(task)
    for place, state in enumerate(ways, 1):
        last = place == len(ways)
        reason, code = (wanted.reason, wanted.business) if last else ("", "")
        following = set_(course, at.dialect, state, "receiver", at.now, reason=reason, business=code)
        if isinstance(following, Impossible):
            raise TypeError("a way leads over a move that is none")
        course = following
        if at.dialect.says.get(state, state) != body.get("status") or reason or code:
            body = _told(at, body, state=state, moved=True, code=code, reason=reason, result=None)
            bodies.append(body)
    result = wanted.result if wanted.result != course.result else None
    reason_ = wanted.reason if wanted.reason != course.reason else None
    code_ = wanted.business if wanted.business != course.business else None
    if (result, reason_, code_) != (None, None, None):
        state = course.state
        body = _told(at, body, state=state, moved=False, code=code_, reason=reason_, result=result)
        bodies = [*bodies[:-1], body] if bodies else [body]
        course = restated(
            course, business=wanted.business, reason=wanted.reason, result=wanted.result, now=at.now, same=bool(ways)
        )
    return bodies, course


def _told(at: _At, task: Mapping[str, Any], **says: Any) -> dict[str, Any]:
    release = at.desk.catalogue.partners[at.row.partner].release
    return inward.told(task, at.dialect, at.desk.catalogue.codes["business-status"], release, **says)


def _write(at: _At, task: Received, bodies: Sequence[dict[str, Any]], wanted: Reply, operation: str = "update") -> None:
    """Each of these as a version of its own, each with its line in the account, in this transaction."""
    before = index(task.body, base="")
    for body in bodies:
        made = inward.dated(body, at.now)
        after = index(made, base="")
        gone, come = _less(before, after), _less(after, before)
        resources.amend(at.tx, at.row.partner, "Task", task.id, made, now=at.now, gone=gone, come=come)
        _account(at, operation, wanted)
        before = after


def _less(some: Mapping[str, Sequence[str]], others: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: [v for v in values if v not in others.get(name, ())] for name, values in some.items()}


def _account(at: _At, operation: str, wanted: Reply) -> None:
    line = Line(
        at=at.now,
        partner=at.row.partner,
        purpose="referral",
        kind="withdrawn" if operation == "withdraw" else "delivered",
        request_id=at.request_id,
        operation=operation,
        resource_type="Task",
        urn=at.row.urn,
        about=at.row.path,
        parts=wanted.parts,
        topics=wanted.topics,
        consents=wanted.consents,
        outcome="delivered",
    )
    disclosures.append(at.tx, at.stored.id, [line])


def _withheld_in(at: _At, bodies: Sequence[Mapping[str, Any]], wanted: Reply) -> bool:
    """The last look, at our own words: what the partner wrote itself tells it nothing."""
    own = [{name: body[name] for name in inward.OURS if name in body} for body in bodies]
    return (
        last_look(
            strict_json.dump({"resourceType": "Bundle", "entry": own}),
            case=dict(wanted.case or {}),
            kept=dict(at.stored.kept),
            rulebook=rulebook_for(at.desk.bench.rulebook, at.stored.kept),
            partner=at.row.partner,
            now=at.now,
        )
        is not None
    )


def _moved_by_sender_alone(course: Course) -> bool:
    """Has it gone beyond what is asked without any answer of ours?"""
    return course.state not in ("requested", "rejected") and not any(step.by == "receiver" for step in course.steps)


def _ended_by_sender(at: _At) -> bool:
    course = at.row.course
    over = at.dialect.ended(course.state)
    return over and (not course.steps or course.steps[-1].by == "requester")


def _judged(
    task: Mapping[str, Any], there: Mapping[str, Any], row: Tracked, hears: Hearing, now: datetime
) -> tuple[dict[str, Any], Course, str]:
    """(what is kept, the course after it, how it asks for an end)."""
    course, dialect = row.course, hears.dialect
    asked = "business-status" if inward.asks_to_end(task, hears.business) else ""
    kept = inward.merged(task, there)
    if asked:
        kept["businessStatus"] = task["businessStatus"]
    if task.get("status") == there.get("status"):
        return kept, course, asked
    state = dialect.state(task.get("status"))
    reason = inward.reason_of(task)
    moved = move(dialect, course.state, state, "requester", reason=bool(reason))
    if isinstance(moved, Impossible):
        said = str(task.get("status"))[:40]
        return kept, flagged(course, dialect, said if state else "", moved.why, "requester", now), asked
    after = set_(course, dialect, state, "requester", now, reason=reason) if state else course
    if isinstance(after, Impossible) or after is course:
        return kept, course, asked
    for name in ("status", "statusReason", "businessStatus", "lastModified"):
        kept.pop(name, None)
        if name in task:
            kept[name] = task[name]
    return kept, after, asked


def _held(tx: Tx, row: Tracked) -> tuple[StoredCase, Mapping[str, Any]] | None:
    """The case of a row, held, with the referral's record; None where either is gone."""
    known = cases.by_id(tx, row.case_id)
    stored = cases.get(tx, known.number) if known is not None else None
    if stored is None or stored.deleted:
        return None
    record = next((r for r in stored.body.get("referrals", ()) if f"referrals/{r['id']}" == row.path), None)
    return (stored, record) if record is not None else None


def _keep(tx: Tx, stored: StoredCase, kept: dict[str, Any], now: datetime) -> None:
    if kept == stored.kept:
        return
    cases.put(tx, stored.number, stored.body, kept, now=now)
    if outcomes.visible(kept) != outcomes.visible(stored.kept):
        shares.mark_due(tx, case_id=stored.id, now=now)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
