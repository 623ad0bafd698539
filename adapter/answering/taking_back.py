"""Words of ours that the partner may see no longer: they go, from the Task and from all that it was before."""

from __future__ import annotations

from adapter.answering.incoming import Incoming
from adapter.answering.writing import told, write
from adapter.core.referral import inward
from adapter.core.referral.course import restated
from adapter.core.referral.reply import Reply
from adapter.store import resources
from adapter.store.resources import Received


def take_back(at: Incoming, task: Received | None, wanted: Reply) -> None:
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
    at: Incoming, task: Received, wanted: Reply, reasons: set[str], results: set[str], codes: set[str]
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
    body = told(
        at, task.body, state=course.state, moved=False,
        code=business if business != course.business else None,
        reason=reason if reason != course.reason else None, result=result if result != course.result else None,
    )  # fmt: skip
    write(at, task, [body], wanted, "withdraw")
    at.went(restated(course, business=business, reason=reason, result=result, now=at.now, same=False))
