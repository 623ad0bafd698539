"""Asks a partner's server for answers to our referrals, and to our requests to purge, in its turn; only for Tasks of
ours, by their identifiers.

`Task?identifier=…&_lastUpdated=gt…`, from that server's own time on (exchange.md, *Warm referrals*). Where a server
counts versions, those that came and went between two polls are read too, so that each transition comes home.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from adapter import answers, purging
from adapter.core.diff import Holding
from adapter.core.fhir.outcome import of_status
from adapter.core.fhir.outcome import read as said_by
from adapter.core.partner import ASKED as ASKED_BY
from adapter.core.purge import ASKED_FOR
from adapter.core.referral.answer import Hearing
from adapter.core.referral.passed import led
from adapter.core.referral.polling import between, cadence, tasks_of, told, waiting
from adapter.desk import Desk
from adapter.outward.answer import Answer, Answered, NotSent, Unknown
from adapter.outward.server import Server
from adapter.store import holdings, polls, purges, referrals, shares, subscribed
from adapter.store.database import Tx
from adapter.store.polls import Poll

AT_ONCE = 20
"""Tasks that one search asks for: the address stays short enough for any server."""
UNABLE = (400, 404, 405, 422, 501)
"""How servers say that they do not know this search: then each Task is read by its id."""
SOURCE = "there"


@dataclass(slots=True)
class _Round:
    """One partner's turn: what was learnt so far, and what went wrong first."""

    desk: Desk
    poll: Poll
    server: Server
    hears: Hearing
    until: list[str] = field(default_factory=list)
    outcome: str = "delivered"
    detail: str = ""
    retry_after: timedelta | None = None
    changed: int = 0

    def fail(self, answer: Answer) -> None:
        match answer:
            case Answered(status=status, body=body, retry_after=retry_after):
                said = of_status(status, said_by(body), retry_after=retry_after is not None)
                self.outcome = "unknown" if said == "delivered" else said
                self.detail, self.retry_after = f"HTTP {status}", retry_after
            case NotSent(reason):
                self.outcome, self.detail = "unavailable", reason
            case Unknown(reason):
                self.outcome, self.detail = "unknown", reason


@dataclass(frozen=True, slots=True)
class _Question:
    """One Task of ours that is asked for, by its identifier there. `seen`: has it been read before?; `newest`: the
    newest version that was; `each_version`: do those in between count?; `hear` keeps what it says: is it news?"""

    identifier: tuple[str, str]
    urn: str
    case_id: str
    seen: bool
    newest: int | None
    each_version: bool
    hear: Callable[[Tx, Mapping[str, Any], _Round, bool], bool]
    part: Callable[[Tx, Mapping[str, Any], _Round, str], object] | None = None
    """Keeps what a Task says that is a part of it, by its id there; None: it has none that count."""


def polled(desk: Desk) -> list[str]:
    """The partners whose servers are asked."""
    return [
        p.id
        for p in desk.catalogue.partners.values()
        if p.referrals.answers in ASKED_BY and p.base_url and not p.paused
    ]


def next_due(desk: Desk) -> datetime | None:
    """When a partner is next to be asked; None if none is."""
    if not (among := polled(desk)):
        return None
    with desk.store.reading() as tx:
        return polls.next_due(tx, among=_called(tx, among))


def _called(tx: Tx, partners: Sequence[str]) -> list[str]:
    """Those of them that no person has paused."""
    held = shares.pauses_since(tx)
    return [partner for partner in partners if partner not in held]


def poll_next(desk: Desk) -> Poll | None:
    """Ask the partner whose turn has been longest. None where it is nobody's."""
    now = desk.clock()
    due = next_due(desk)
    if due is None or due > now:
        return None
    with desk.store.writing() as tx:
        longest = max(desk.catalogue.partners[each].timeout for each in polled(desk))
        lease = timedelta(seconds=desk.settings.lease_seconds + longest * AT_ONCE)
        poll = polls.claim(tx, among=_called(tx, polled(desk)), now=now, lease=lease)
    if poll is not None:
        _ask(desk, poll)
    return poll


def _ask(desk: Desk, poll: Poll) -> None:
    server = desk.server(poll.partner)
    if not isinstance(server, Server):
        raise TypeError("a folder is not polled")
    with desk.store.reading() as tx:
        questions = [*_of_referrals(tx, poll.partner), *_of_purges(desk, tx, poll.partner)]
    round_ = _Round(desk, poll, server, answers.hearing(desk.catalogue, poll.partner))
    named = _named(desk, poll, questions)
    at_once = named or (questions if poll.hint is not None and poll.hint.missed else [])
    new, known = [q for q in questions if not q.seen], [q for q in questions if q.seen]
    # Whose Task has never been read has not been read since any time; nor is that trusted where something was missed.
    for some, since in ((at_once, ""),) if at_once else ((new, ""), (known, poll.since)):
        for first in range(0, len(some), AT_ONCE):
            if round_.outcome == "delivered":
                _search(round_, some[first : first + AT_ONCE], since)
    if desk.catalogue.partners[poll.partner].referrals.passes_on:
        _parts(round_, [q for q in questions if q.part is not None])
    _settle(round_, waits=bool(questions), whole=not named)
    if round_.changed:
        desk.wake.set()


def _of_referrals(tx: Tx, partner: str) -> Iterator[_Question]:
    """The Tasks of referrals that it may still answer. Each version of one is a transition that counts."""
    for each in referrals.asked(tx, partner):
        row = referrals.by_id(tx, each.id)
        if row is None:
            continue
        newest = dict(row.course.newest).get(SOURCE)

        def hear(tx: Tx, task: Mapping[str, Any], round_: _Round, gaps: bool, row_id: int = each.id) -> bool:
            now = round_.desk.clock()
            return answers.take(tx, row_id, task, round_.hears, source=SOURCE, now=now, gaps=gaps) is not None

        def part(tx: Tx, task: Mapping[str, Any], round_: _Round, id_: str, row_id: int = each.id) -> object:
            place, now = f"{SOURCE} Task/{id_}", round_.desk.clock()
            return answers.pass_on(tx, row_id, task, round_.hears, place=place, now=now)

        yield _Question(each.identifier, row.urn, row.case_id, bool(row.course.keys), newest, True, hear, part)


def _of_purges(desk: Desk, tx: Tx, partner: str) -> Iterator[_Question]:
    """The Task by which each of its shares was asked to purge; of it the last word counts."""
    for row in purges.asked(tx, partner, later_than=desk.clock() - ASKED_FOR):

        def hear(tx: Tx, task: Mapping[str, Any], round_: _Round, gaps: bool, share: int = row.share_id) -> bool:
            return purging.take(tx, share, task, round_.hears, source=SOURCE, now=round_.desk.clock())

        yield _Question(row.identifier, row.urn, row.case_id, row.purge.seen, None, False, hear)


def _search(round_: _Round, chunk: Sequence[_Question], since: str) -> None:
    answer = round_.server.find_any("Task", [each.identifier for each in chunk], since=since)
    if isinstance(answer, Answered) and answer.status in UNABLE:
        round_.until.append("")
        _read_each(round_, chunk)
        return
    said = None
    if isinstance(answer, Answered) and answer.status == 200 and not answer.unreadable:
        said = told(answer.body, answer.headers, [each.identifier for each in chunk])
    if said is None:
        round_.fail(answer)
        return
    for each in chunk:
        if (task := said.tasks.get(each.identifier)) is not None:
            _take(round_, each, task)
    round_.until.append(said.until)
    if not said.whole:
        _read_each(round_, [each for each in chunk if each.identifier not in said.tasks])


def _read_each(round_: _Round, chunk: Sequence[_Question]) -> None:
    """One by one, by the ids that the partner gave: for servers that cannot search so, or tell only a part."""
    for each in chunk:
        with round_.desk.store.reading() as tx:
            held = _held_there(tx, round_.poll.partner, each)
        if held is None or not held.id:
            continue
        answer = round_.server.read("Task", held.id)
        if isinstance(answer, Answered) and answer.status == 200 and isinstance(answer.body, Mapping):
            _take(round_, each, answer.body)
        elif not (isinstance(answer, Answered) and answer.status in (404, 410)):
            round_.fail(answer)
            return


def _take(round_: _Round, question: _Question, task: Mapping[str, Any]) -> None:
    """This Task, if it is the one that we know, and what it said in between."""
    with round_.desk.store.reading() as tx:
        held = _held_there(tx, round_.poll.partner, question)
    id_ = held.id if held is not None and held.state == "active" else ""
    if not id_ or held is None or task.get("id") != id_ or task.get("resourceType") != "Task":
        return
    ours = int(held.version) if held.version.isascii() and held.version.isdigit() else None
    newest = ours if question.newest is None else question.newest
    for number in between(newest, task) if question.each_version else ():
        answer = round_.server.version("Task", id_, number)
        if not isinstance(answer, Answered) or answer.status != 200 or not isinstance(answer.body, Mapping):
            break
        version = answer.body.get("meta", {})
        stated = version.get("versionId") if isinstance(version, Mapping) else None
        if answer.body.get("id") != id_ or stated != str(number):
            break
        _hear(round_, question, answer.body, gaps=False)
    _hear(round_, question, task, gaps=True)


def _parts(round_: _Round, questions: Sequence[_Question]) -> None:
    """The Tasks that are part of these: by them the receiver has passed referrals on. Who cannot search so has none."""
    held: dict[str, _Question] = {}
    with round_.desk.store.reading() as tx:
        for each in questions:
            holding = _held_there(tx, round_.poll.partner, each)
            if holding is not None and holding.id and holding.state == "active":
                held[holding.id] = each
    for first in range(0, len(held), AT_ONCE):
        if round_.outcome == "delivered":
            _search_parts(round_, list(held)[first : first + AT_ONCE], held)


def _search_parts(round_: _Round, ids: Sequence[str], held: Mapping[str, _Question]) -> None:
    answer = round_.server.find_parts("Task", ids)
    if isinstance(answer, Answered) and answer.status in UNABLE:
        return
    if not isinstance(answer, Answered) or answer.status != 200 or answer.unreadable:
        round_.fail(answer)
        return
    base = round_.desk.catalogue.partners[round_.poll.partner].base_url
    for task in tasks_of(answer.body):
        of = (held.get(to.place[1]) for to in led(task.get("partOf"), base) if to.place and to.place[0] == "Task")
        question, id_ = next((each for each in of if each is not None), None), task.get("id")
        if question is None or question.part is None or not isinstance(id_, str) or id_ in held:
            continue
        with round_.desk.store.writing() as tx:
            question.part(tx, task, round_, id_)


def _hear(round_: _Round, question: _Question, task: Mapping[str, Any], *, gaps: bool) -> None:
    with round_.desk.store.writing() as tx:
        round_.changed += question.hear(tx, task, round_, gaps)


def _named(desk: Desk, poll: Poll, questions: Sequence[_Question]) -> list[_Question]:
    """Those whose Tasks the partner's server has named, where these alone are to be asked for: none where it named none
    of ours, where some were never named, and where all that waits would be asked for anyway."""
    hint = poll.hint
    if hint is None or hint.missed or not hint.tasks or poll.whole_at is None:
        return []
    with desk.store.reading() as tx:
        every = cadence(desk.catalogue.partners[poll.partner].referrals, subscribed.state(tx, poll.partner))
        if poll.whole_at + every <= desk.clock():
            return []
        held = [(each, _held_there(tx, poll.partner, each)) for each in questions]
    return [each for each, holding in held if holding is not None and holding.id in hint.tasks]


def _settle(round_: _Round, *, waits: bool, whole: bool) -> None:
    """`whole`: it was asked for all that waits. Else when that is next due stays as it was."""
    desk, poll = round_.desk, round_.poll
    rules = desk.catalogue.partners[poll.partner].referrals
    failed = round_.outcome != "delivered"
    attempts = poll.attempts + 1 if failed else 0
    # The earliest of the times that its searches told, so that nothing between two of them is missed.
    told_until = min(round_.until) if round_.until and all(round_.until) else ""
    now = desk.clock()
    with desk.store.writing() as tx:
        every = cadence(rules, subscribed.state(tx, poll.partner))
        wait = waiting(rules, every=every, attempts=attempts, retry_after=round_.retry_after)
        whole_at = now if whole and not failed else poll.whole_at
        since_whole = (whole_at or now) + every - now
        due = now + (wait if failed or whole else max(since_whole, timedelta(seconds=rules.soonest)))
        polls.settle(
            tx, poll, due=due if waits else None, attempts=attempts, outcome=round_.outcome,
            since=poll.since if failed or not whole else told_until, detail=round_.detail, now=now,
            whole_at=whole_at, soonest=timedelta(seconds=rules.soonest),
        )  # fmt: skip


def _held_there(tx: Tx, partner: str, question: _Question) -> Holding | None:
    share = next((s for s in shares.of_case(tx, question.case_id) if s.partner == partner), None)
    return next((h for h in holdings.of_share(tx, share.id) if h.urn == question.urn), None) if share else None
