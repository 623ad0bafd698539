"""Asks for the Tasks that are part of ours: by them a receiver passes a referral on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapter.core.referral.passed import led
from adapter.core.referral.polling import tasks_of
from adapter.outward.answer import Answered
from adapter.poll.questions import Question, held_there
from adapter.poll.round import AT_ONCE, UNABLE, Round


def ask_for_parts(round_: Round, questions: Sequence[Question]) -> None:
    """The Tasks that are part of these: by them the receiver has passed referrals on. Who cannot search so has none."""
    held: dict[str, Question] = {}
    with round_.desk.store.reading() as tx:
        for each in questions:
            holding = held_there(tx, round_.poll.partner, each)
            if holding is not None and holding.id and holding.state == "active":
                held[holding.id] = each
    for first in range(0, len(held), AT_ONCE):
        if round_.outcome == "delivered":
            _search_parts(round_, list(held)[first : first + AT_ONCE], held)


def _search_parts(round_: Round, ids: Sequence[str], held: Mapping[str, Question]) -> None:
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
