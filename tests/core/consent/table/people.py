"""Rules 6 to 9: the child and those who decide for it, later consents, what is no consent, the moment."""

# ruff: noqa: E501  A row is one line, so that the table can be read down its sentences.

from __future__ import annotations

from typing import Any

from tests.core.consent.changes import (
    Change,
    add,
    also,
    both,
    capacity,
    decides,
    denied,
    deny,
    instead,
    local,
    nothing,
    permit,
    put,
    referral,
)
from tests.core.consent.table.rows import ABLE, ALL, BY_CHILD, EMPTY, FATHER_NO, G1, LATER, NO, TOGETHER, YOUTH, Row

CHILD = [
    Row("The permit of a girl of ten whose capacity nobody assessed does not count", instead(permit(), **BY_CHILD), (), EMPTY),
    Row("It counts with capacity on record", both(ABLE, instead(permit(), **BY_CHILD)), G1),
    Row("Capacity assessed after she signed does not count", both(capacity(("2026-09-11", True)), instead(permit(), **BY_CHILD)), (), EMPTY),
    Row("Capacity assessed on the day she signed counts", both(capacity(("2026-09-10", True)), instead(permit(), **BY_CHILD)), G1),
    Row("Capacity of which nobody says who assessed it does not count", both(put("child", decision_making=[{"capable": True, "assessed_on": "2026-08-01"}]), instead(permit(), **BY_CHILD)), (), EMPTY),
    Row("Capacity of which nobody says when it was assessed does not count", both(put("child", decision_making=[{"capable": True, "assessed_by": "Dr. Desrosiers"}]), instead(permit(), **BY_CHILD)), (), EMPTY),
    Row("The latest assessment decides: she has become incapable", both(capacity(("2026-08-01", True), ("2026-10-01", False)), instead(permit(), **BY_CHILD)), (), EMPTY),
    Row("The latest assessment decides, in whatever order they are written", both(capacity(("2026-08-01", True), ("2026-07-01", False)), instead(permit(), **BY_CHILD)), G1),
    Row("An assessment dated ahead does not decide yet", both(capacity(("2026-08-01", True), ("2026-11-03", False)), instead(permit(), **BY_CHILD)), G1),
    Row("Her deny counts at ten, with presumed capacity, against the mother's permit", also("no", deny(parts=["goals"]), **BY_CHILD), ("child",), G1),
    Row("A capable child's permit prevails over the mother's deny", both(ABLE, NO, also("hers", permit(), **BY_CHILD)), G1),
    Row("A permit without capacity on record does not prevail over the mother's deny", both(NO, also("hers", permit(), **BY_CHILD)), ("child",), G1),
    Row("A capable child's permit prevails only for what it permits", both(ABLE, denied(parts=["goals", "needs"]), also("hers", permit(), **BY_CHILD)), G1, ("needs/words",)),
    Row("A capable child's own deny wins over her own permit", both(ABLE, also("hers", permit(), **BY_CHILD), also("no", deny(parts=["goals"]), **BY_CHILD)), ("child",), G1),
    Row("A deny by a child found incapable still counts", both(capacity(("2026-08-01", False)), also("no", deny(parts=["goals"]), **BY_CHILD)), ("child",), G1),
]  # fmt: skip

OWN_CONSENT_AGE = [
    Row("At sixteen the mother's permit counts no longer", YOUTH, (), EMPTY),
    Row("On the sixteenth birthday it counts no longer, from midnight", put("child", birth_date="2010-11-02"), (), EMPTY, at=local(2026, 11, 2)),
    Row("The day before the sixteenth birthday it still counts", put("child", birth_date="2010-11-03"), ALL, at=local(2026, 11, 2, 23, 59, 59)),
    Row("At sixteen the young person's own permit counts, capacity presumed", both(YOUTH, instead(permit(), **BY_CHILD)), G1),
    Row("At sixteen it prevails over the mother's deny", both(YOUTH, instead(permit(), **BY_CHILD), NO), G1),
    Row("Assessed incapable at sixteen, the mother's permit counts again", both(YOUTH, capacity(("2026-08-01", False))), ALL),
    Row("Assessed incapable at sixteen, the young person's own does not", both(YOUTH, capacity(("2026-08-01", False)), instead(permit(), **BY_CHILD)), (), EMPTY),
    Row("What was signed at fifteen without capacity on record does not count at sixteen", both(put("child", birth_date="2010-10-01"), instead(permit(), **BY_CHILD)), (), EMPTY),
    Row("What was signed at fifteen with capacity on record counts at sixteen", both(put("child", birth_date="2010-10-01"), ABLE, instead(permit(), **BY_CHILD)), G1),
    Row("A program may set another age: at ten, where it says ten", instead(permit(), **BY_CHILD), G1, book={"age_of_own_consent": {"ontario-csp": 10}}),
    Row("Where it says ten, the mother's permit counts no longer at ten", nothing, (), EMPTY, book={"age_of_own_consent": {"ontario-csp": 10}}),
]  # fmt: skip

FATHER_YES = also("his", permit(), granted_by="people/father")
DECIDERS = [
    Row("Of two decision makers any one may permit", both(decides("father"), instead(permit(), granted_by="people/father")), G1),
    Row("Where they decide together, one permit is not enough", TOGETHER, (), EMPTY),
    Row("Where they decide together, both permits are", both(TOGETHER, FATHER_YES), G1),
    Row("Where they decide together, only what both permit is seen", both(TOGETHER, FATHER_YES), G1, ("needs/words",)),
    Row("The mark binds whoever bears it: it is enough that the father is marked", decides("father", shared=True), (), EMPTY),
    Row("A decision maker whose authority has ended need not agree", both(TOGETHER, decides("father", until="2026-10-01")), ALL),
    Row("The mark of somebody whose authority has ended binds nobody", decides("father", shared=True, until="2026-10-01"), ALL),
    Row("The mark of somebody who does not decide binds nobody", put("people/grandmother", shared=True), ALL),
    Row("A third decision maker must agree as well", both(TOGETHER, FATHER_YES, decides("grandmother")), (), EMPTY),
    Row("A capable child's permit needs nobody beside it", both(TOGETHER, ABLE, instead(permit(), **BY_CHILD)), G1),
    Row("Somebody whose authority ended no longer permits", both(decides("father", until="2026-10-01"), instead(permit(), granted_by="people/father")), (), EMPTY),
    Row("What somebody denied stands when their authority has ended", both(decides("father", until="2026-10-01"), also("no", deny(parts=["goals"]), **FATHER_NO)), ("child",), G1),
]  # fmt: skip


def successor(**fields: Any) -> Change:
    """A later consent that supersedes c1, and permits identity only."""
    return also("c2", permit(parts=["identity"]), **{"supersedes": ["consents/c1"], **LATER, **fields})


SUPERSESSION = [
    Row("A consent that is superseded permits nothing any more", successor(), ("child",), G1),
    Row("A successor in draft supersedes nothing", successor(status="draft"), G1),
    Row("A successor that begins tomorrow supersedes nothing today", successor(period={"start": "2026-11-03", "end": "2027-08-31"}), G1),
    Row("A successor supersedes from the first moment of its first day", successor(period={"start": "2026-11-02", "end": "2027-08-31"}), ("child",), G1, at=local(2026, 11, 2)),
    Row("A successor that was revoked leaves nothing permitted", successor(status="revoked", revoked_on="2026-10-20"), (), EMPTY),
    Row("A successor that has ended leaves nothing permitted", successor(period={"start": "2026-10-05", "end": "2026-10-20"}), (), EMPTY),
    Row("A successor that nobody signed supersedes all the same", successor(signed_at=None), (), EMPTY),
    Row("A successor by somebody who may not decide supersedes all the same", successor(granted_by="people/father"), (), EMPTY),
    Row("A successor entered in error never superseded anything", successor(status="entered-in-error"), G1),
    Row("An imported successor supersedes nothing until it is adopted", successor(imported=True), G1),
    Row("What a superseded consent denied stays, where the successor is somebody else's", both(NO, also("c2", permit(), supersedes=["consents/no"], granted_by="people/father", **LATER)), ("child",), G1),
    Row("A consent entered in error permits nothing and denies nothing", both(NO, put("consents/no", status="entered-in-error")), G1),
]  # fmt: skip

NOT_CONSENT = [
    Row("A court order among the documents opens nothing", both(add("documents", id="order", type="court-order", title="Order"), lambda case: case.update(consents=[])), (), EMPTY, to="harbour"),
    Row("A seat on the team opens nothing", nothing, (), EMPTY, to="harbour"),
    Row("A risk that is high opens nothing", put("risks/runs", likelihood="high"), (), ("risks",)),
    Row("A referral opens nothing by itself", both(referral(), lambda case: case["consents"].pop()), (), EMPTY, to="riverside"),
    Row("A guardian with a court order permits by consent, like anyone who decides", both(decides("father", authority="court-order"), instead(permit(), granted_by="people/father", authority="court-order")), G1),
]  # fmt: skip

AT_THE_MOMENT = [
    Row("In August nothing had been signed", nothing, (), EMPTY, at=local(2026, 8, 31, 12)),
    Row("In September it was", nothing, ALL, at=local(2026, 9, 30, 12)),
    Row("On the last day of August 2027 it still is", nothing, ALL, at=local(2027, 8, 31, 23, 59, 59)),
    Row("In September 2027 it is over", nothing, (), EMPTY, at=local(2027, 9, 1)),
    Row("Before the deny of 10 September the goals were seen", NO, G1, at=local(2026, 9, 9, 23, 59, 59)),
    Row("From 10 September on they were not", NO, ("child",), G1, at=local(2026, 9, 10)),
]  # fmt: skip
