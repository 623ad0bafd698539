"""Asks a partner's server for answers to our referrals, and to our requests to purge, in its turn; only for Tasks of
ours, by their identifiers.

`Task?identifier=…&_lastUpdated=gt…`, from that server's own time on (exchange.md, *Warm referrals*). Where a server
counts versions, those that came and went between two polls are read too, so that each transition comes home.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from adapter import answers, purging
from adapter.core.diff import Holding
from adapter.core.fhir.outcome import of_status
from adapter.core.fhir.outcome import read as said_by
from adapter.core.pace import ASKING, Pace, after
from adapter.core.partner import ASKED as ASKED_BY
from adapter.core.purge import ASKED_FOR
from adapter.core.referral.answer import Hearing
from adapter.core.referral.passed import led
from adapter.core.referral.polling import between, cadence, tasks_of, told, waiting
from adapter.core.retry import Outcome
from adapter.desk import Desk
from adapter.outward.answer import Answer, Answered, NotSent, Unknown
from adapter.outward.server import Server
from adapter.store import alerts, holdings, paces, polls, purges, referrals, shares, subscribed
from adapter.store.database import Tx
from adapter.store.polls import Poll

AT_ONCE = 20
"""Tasks that one search asks for: the address stays short enough for any server."""
UNABLE = (400, 404, 405, 422, 501)
"""How servers say that they do not know this search: then each Task is read by its id."""
SOURCE = "there"


@dataclass(slots=True)
class _Round:
    """One partner's turn: how far it has come, what was learnt so far, and what went wrong first."""

    desk: Desk
    poll: Poll
    server: Server
    hears: Hearing
    place: str
    earliest: str
    outcome: Outcome = "delivered"
    detail: str = ""
    retry_after: timedelta | None = None
    changed: int = 0
    asked: int = 0
    later: datetime | None = None
    """Not to be asked on before."""

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

    def told(self, until: str) -> None:
        """Up to when the partner has told of this piece, by its own clock: of all of them the earliest counts."""
        if not until or self.earliest == polls.UNTOLD:
            self.earliest = polls.UNTOLD
        else:
            self.earliest = min(self.earliest, until) if self.earliest else until

    def may(self, *, at_once: bool) -> bool:
        """One request is to leave: may it, at the pace at which the partner is called? `at_once`: what has begun is not
        left half done, and the next piece waits the longer."""
        partner, now = self.desk.catalogue.partners[self.poll.partner], self.desk.clock()
        until = now + timedelta(seconds=partner.longest)
        with self.desk.store.writing() as tx:
            later = paces.take_to_ask(tx, partner.id, now=now, until=until, rate=partner.rate, at_once=at_once)
        self.later, self.asked = later, self.asked + (later is None)
        return later is None


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
        return min(_times(tx, among, desk.clock()).values(), default=None)


def _times(tx: Tx, partners: Sequence[str], now: datetime) -> dict[str, datetime]:
    """When each of them is to be asked: none that a person has paused, and none before it is to be called at all."""
    held, known = shares.pauses_since(tx), paces.listed(tx)
    due = polls.due(tx, among=[partner for partner in partners if partner not in held])
    return {partner: max(at, known.get(partner, Pace()).until(now) or at) for partner, at in due.items()}


def poll_next(desk: Desk) -> Poll | None:
    """Ask the partner whose turn has been longest. None where it is nobody's."""
    now = desk.clock()
    if not (among := polled(desk)):
        return None
    with desk.store.reading() as tx:
        ready = [partner for partner, at in _times(tx, among, now).items() if at <= now]
    if not ready:
        return None
    longest = max(desk.catalogue.partners[each].timeout for each in ready)
    lease = timedelta(seconds=desk.settings.lease_seconds + longest * AT_ONCE)
    with desk.store.writing() as tx:
        poll = polls.claim(tx, among=ready, now=now, lease=lease)
    if poll is None:
        return None
    # Apart: whoever settles a share holds its partner's pace before its partner's turn to be asked.
    with desk.store.writing() as tx:
        later = paces.may_ask(tx, poll.partner, now=now, until=now + lease)
    if later is not None:
        with desk.store.writing() as tx:
            polls.put_off(tx, poll, until=later)
        return None
    _ask(desk, poll)
    return poll


def _ask(desk: Desk, poll: Poll) -> None:
    """Piece by piece, in the order of our identifiers; behind the last one where its pace has cut the round off."""
    server = desk.server(poll.partner)
    if not isinstance(server, Server):
        raise TypeError("a folder is not polled")
    with desk.store.reading() as tx:
        questions = [*_of_referrals(tx, poll.partner), *_of_purges(desk, tx, poll.partner)]
    hears = answers.hearing(desk.catalogue, poll.partner)
    missed = poll.hint is not None and poll.hint.missed
    # Where something was missed, all is read again, since any time.
    begun = replace(poll, since="", place="", earliest="") if missed else poll
    round_ = _Round(desk, begun, server, hears, begun.place, begun.earliest)
    named = _named(desk, poll, questions)
    behind = sorted((q for q in questions if q.identifier[1] > round_.place), key=lambda q: q.identifier[1])
    asked = named or behind
    for first in range(0, len(asked), AT_ONCE):
        piece = asked[first : first + AT_ONCE]
        # What was named is asked for in one turn: it is never much.
        if not round_.may(at_once=bool(named and first)):
            break
        _piece(round_, piece, "" if named else begun.since)
        if round_.outcome != "delivered":
            break
        if not named:
            round_.place = piece[-1].identifier[1]
    if desk.catalogue.partners[poll.partner].referrals.passes_on and round_.later is None:
        _parts(round_, [q for q in questions if q.part is not None])
    _settle(round_, waits=bool(questions), whole=not named)
    if round_.changed:
        desk.wake.set()


def _piece(round_: _Round, piece: Sequence[_Question], since: str) -> None:
    # Whose Task has never been read has not been read since any time.
    new, known = [q for q in piece if not q.seen or not since], [q for q in piece if q.seen and since]
    if new:
        _search(round_, new, "")
    if new and known and round_.outcome == "delivered":
        round_.may(at_once=True)
    if known and round_.outcome == "delivered":
        _search(round_, known, since)


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
        round_.told("")
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
    round_.told(said.until)
    if not said.whole:
        _read_each(round_, [each for each in chunk if each.identifier not in said.tasks])


def _read_each(round_: _Round, chunk: Sequence[_Question]) -> None:
    """One by one, by the ids that the partner gave: for servers that cannot search so, or tell only a part."""
    for each in chunk:
        with round_.desk.store.reading() as tx:
            held = _held_there(tx, round_.poll.partner, each)
        if held is None or not held.id:
            continue
        round_.may(at_once=True)
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
        round_.may(at_once=True)
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
    round_.may(at_once=True)
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
    """When it is asked again, and how it is called after this: as after a share's attempt. `whole`: it was asked for
    all that waits. Else when that is next due stays as it was."""
    desk, poll, now = round_.desk, round_.poll, round_.desk.clock()
    opened = _paced(round_, now)
    if round_.later is not None and not round_.asked:
        with desk.store.writing() as tx:
            polls.put_off(tx, poll, until=round_.later)
        return
    rules = desk.catalogue.partners[poll.partner].referrals
    failed = round_.outcome != "delivered"
    attempts = poll.attempts + 1 if failed else 0
    ended = whole and not failed and round_.later is None
    told_until = "" if round_.earliest == polls.UNTOLD else round_.earliest
    with desk.store.writing() as tx:
        every = cadence(rules, subscribed.state(tx, poll.partner))
        whole_at = now if ended else poll.whole_at
        if failed or ended:
            due = now + waiting(rules, every=every, attempts=attempts, retry_after=round_.retry_after)
        elif whole or poll.place:  # a round was cut off: it goes on
            due = round_.later or now
        else:
            due = max((whole_at or now) + every, now + timedelta(seconds=rules.soonest))
        polls.settle(
            tx, poll, due=due if waits else None, attempts=attempts, outcome=round_.outcome,
            since=told_until if ended else poll.since, detail=round_.detail, now=now,
            whole_at=whole_at, soonest=timedelta(seconds=rules.soonest),
            place="" if ended else round_.place,
            earliest="" if ended else round_.earliest if whole else poll.earliest,
        )  # fmt: skip
        if opened:
            gap = timedelta(minutes=desk.settings.alerts.every_minutes)
            alerts.note(
                tx, desk.ways, "circuit", poll.partner, share=None, outcome=round_.outcome, now=now, every=gap
            )  # fmt: skip


def _paced(round_: _Round, now: datetime) -> bool:
    """How the partner is called after this; who was to try and had nothing to ask lets another one try. True: its
    circuit has opened. Each in a transaction of its own, as shares do it."""
    desk, partner = round_.desk, round_.desk.catalogue.partners[round_.poll.partner]
    came_to: Outcome = round_.outcome if round_.asked else "unchanged"

    def by(pace: Pace) -> Pace:
        return after(pace, came_to, share=ASKING, now=now, retry_after=round_.retry_after, rate=partner.rate)

    with desk.store.writing() as tx:
        before, pace = paces.change(tx, partner.id, by)
    if paces.rearranges(before, pace):
        with desk.store.writing() as tx:
            paces.arrange(tx, partner.id, before, pace, now=now)
        desk.wake.set()
    return pace.is_open and not before.is_open


def _held_there(tx: Tx, partner: str, question: _Question) -> Holding | None:
    share = next((s for s in shares.of_case(tx, question.case_id) if s.partner == partner), None)
    return next((h for h in holdings.of_share(tx, share.id) if h.urn == question.urn), None) if share else None
