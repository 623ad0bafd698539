"""Tells people of referrals that nobody has answered by the day that they ask for: of each once.

A share of their case is due at that moment anyway, for what goes along with an open referral ends then (consent.md,
*When permission ends*); whichever it is, whoever settles it finds them.
"""

from __future__ import annotations

from dataclasses import replace

from adapter import answers
from adapter.core.referral.kept import with_outcomes
from adapter.core.referral.late import overdue
from adapter.core.referral.task import state_of
from adapter.desk import Desk
from adapter.errors import Conflict, NotFound
from adapter.reconcile.alerting import note
from adapter.reconcile.work import Work
from adapter.store import referrals
from adapter.store.database import Tx


def note_overdue(desk: Desk, tx: Tx, work: Work) -> None:
    """Let people be told of the case's referrals that have become overdue, with the partner that has not answered."""
    if not desk.ways:
        return  # nobody is told: whoever is named later is told of what is overdue then
    now, end_of = desk.clock(), desk.bench.rulebook.end_of
    case = with_outcomes(work.stored.body, work.stored.kept, words=False)
    for record in case.get("referrals", ()):
        if record["direction"] == "out" and overdue(record, state_of(record), now, end_of=end_of):
            _note(desk, tx, work, record["id"])


def _note(desk: Desk, tx: Tx, work: Work, referral: str) -> None:
    """Looked at again as it is now, with its case held: an answer may be coming home at this moment."""
    now = desk.clock()
    try:
        at = answers.sent_to(desk, tx, work.stored.number, referral)
    except (Conflict, NotFound):
        return  # it goes to no partner of this instance, or is gone
    by, row = at.record.get("respond_by", ""), at.tracked
    if not overdue(at.record, row.course.state, now, end_of=desk.bench.rulebook.end_of) or row.late == by:
        return
    referrals.save(tx, replace(row, late=by), is_open=not at.dialect.ended(row.course.state), now=now)
    note(desk, tx, "overdue", row.partner, share=None, outcome="")
