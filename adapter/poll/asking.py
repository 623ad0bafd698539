"""Asks for one piece, by a search or one by one, and hears what the Tasks say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapter.core.fhir.outcome import GONE
from adapter.core.referral.polling import between, told
from adapter.outward.answer import Answered
from adapter.poll.questions import Question, held_there
from adapter.poll.round import UNABLE, Round


def ask(round_: Round, piece: Sequence[Question], since: str) -> None:
    """Ask for these Tasks: what has changed `since` that moment of the partner's clock; empty: since any time."""
    # Whose Task has never been read has not been read since any time.
    new, known = [q for q in piece if not q.seen or not since], [q for q in piece if q.seen and since]
    if new:
        _search(round_, new, "")
    if new and known and round_.outcome == "delivered":
        round_.may(at_once=True)
    if known and round_.outcome == "delivered":
        _search(round_, known, since)


def _search(round_: Round, chunk: Sequence[Question], since: str) -> None:
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


def _read_each(round_: Round, chunk: Sequence[Question]) -> None:
    """One by one, by the ids that the partner gave: for servers that cannot search so, or tell only a part."""
    for each in chunk:
        with round_.desk.store.reading() as tx:
            held = held_there(tx, round_.poll.partner, each)
        if held is None or not held.id:
            continue
        round_.may(at_once=True)
        answer = round_.server.read("Task", held.id)
        if isinstance(answer, Answered) and answer.status == 200 and isinstance(answer.body, Mapping):
            _take(round_, each, answer.body)
        elif not (isinstance(answer, Answered) and answer.status in GONE):
            round_.fail(answer)
            return


def _take(round_: Round, question: Question, task: Mapping[str, Any]) -> None:
    """This Task, if it is the one that we know, and what it said in between."""
    with round_.desk.store.reading() as tx:
        held = held_there(tx, round_.poll.partner, question)
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


def _hear(round_: Round, question: Question, task: Mapping[str, Any], *, gaps: bool) -> None:
    with round_.desk.store.writing() as tx:
        round_.changed += question.hear(tx, task, round_, gaps)
