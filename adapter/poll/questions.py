"""The Tasks of ours that a partner is asked for: of referrals, and of requests to purge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapter import answers, purging
from adapter.core.diff import Holding
from adapter.core.purge import ASKED_FOR
from adapter.core.referral.polling import cadence
from adapter.desk import Desk
from adapter.poll.round import SOURCE, Round
from adapter.store import holdings, purges, referrals, shares, subscribed
from adapter.store.database import Tx
from adapter.store.polls import Poll


@dataclass(frozen=True, slots=True)
class Question:
    """One Task of ours that is asked for, by its identifier there. `seen`: has it been read before?; `newest`: the
    newest version that was; `each_version`: do those in between count?; `hear` keeps what it says: is it news?"""

    identifier: tuple[str, str]
    urn: str
    case_id: str
    seen: bool
    newest: int | None
    each_version: bool
    hear: Callable[[Tx, Mapping[str, Any], Round, bool], bool]
    part: Callable[[Tx, Mapping[str, Any], Round, str], object] | None = None
    """Keeps what a Task says that is a part of it, by its id there; None: it has none that count."""


def of_referrals(tx: Tx, partner: str) -> Iterator[Question]:
    """The Tasks of referrals that it may still answer. Each version of one is a transition that counts."""
    for each in referrals.asked(tx, partner):
        row = referrals.by_id(tx, each.id)
        if row is None:
            continue
        newest = dict(row.course.newest).get(SOURCE)

        def hear(tx: Tx, task: Mapping[str, Any], round_: Round, gaps: bool, row_id: int = each.id) -> bool:
            now = round_.desk.clock()
            return answers.take(tx, row_id, task, round_.hears, source=SOURCE, now=now, gaps=gaps) is not None

        def part(tx: Tx, task: Mapping[str, Any], round_: Round, id_: str, row_id: int = each.id) -> object:
            place, now = f"{SOURCE} Task/{id_}", round_.desk.clock()
            return answers.pass_on(tx, row_id, task, round_.hears, place=place, now=now)

        yield Question(each.identifier, row.urn, row.case_id, bool(row.course.keys), newest, True, hear, part)


def of_purges(desk: Desk, tx: Tx, partner: str) -> Iterator[Question]:
    """The Task by which each of its shares was asked to purge; of it the last word counts."""
    for row in purges.asked(tx, partner, later_than=desk.clock() - ASKED_FOR):

        def hear(tx: Tx, task: Mapping[str, Any], round_: Round, gaps: bool, share: int = row.share_id) -> bool:
            return purging.take(tx, share, task, round_.hears, source=SOURCE, now=round_.desk.clock())

        yield Question(row.identifier, row.urn, row.case_id, row.purge.seen, None, False, hear)


def named_in_hint(desk: Desk, poll: Poll, questions: Sequence[Question]) -> list[Question]:
    """Those whose Tasks the partner's server has named, where these alone are to be asked for: none where it named none
    of ours, where some were never named, and where all that waits would be asked for anyway."""
    hint = poll.hint
    if hint is None or hint.missed or not hint.tasks or poll.whole_at is None:
        return []
    with desk.store.reading() as tx:
        every = cadence(desk.catalogue.partners[poll.partner].referrals, subscribed.state(tx, poll.partner))
        if poll.whole_at + every <= desk.clock():
            return []
        held = [(each, held_there(tx, poll.partner, each)) for each in questions]
    return [each for each, holding in held if holding is not None and holding.id in hint.tasks]


def held_there(tx: Tx, partner: str, question: Question) -> Holding | None:
    """The Task as the partner holds it."""
    share = shares.between(tx, question.case_id, partner)
    return next((h for h in holdings.of_share(tx, share.id) if h.urn == question.urn), None) if share else None
