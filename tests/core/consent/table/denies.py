"""Rules 3 and 5, exceptions, and what cannot be computed: what a deny reaches, survives, and is lifted by."""

# ruff: noqa: E501  A row is one line, so that the table can be read down its sentences.

from __future__ import annotations

from typing import Any

from tests.core.consent.changes import (
    Change,
    also,
    both,
    capacity,
    consent,
    decides,
    denied,
    deny,
    instead,
    local,
    permission,
    permit,
    put,
)
from tests.core.consent.table.rows import ALL, BOTH_TOPICS, EMPTY, FATHER_NO, G1, G2, G3, LATER, NO, Row

DENIES = [
    Row("A deny that names only the partner denies everything to it", denied(to="partners/lakeside"), (), EMPTY),
    Row("A deny that names nothing denies everything to everyone", denied(), (), EMPTY),
    Row("A deny of a part denies it to everyone, for every purpose", denied(parts=["goals"]), ("child", "needs/words"), ("goals",)),
    Row("A deny of one goal leaves the others", denied(records=["goals/g1"]), G3, G1),
    Row("A deny of one step leaves the goal", denied(records=["goals/g1/steps/s1"]), ("goals/g1/steps/s2",), ("goals/g1/steps/s1",)),
    Row("A deny of all topics hits what has one, and spares what has none", both(permission(topics=["mental-health"]), denied(topics="all")), G1, (*G2, "needs/worry")),
    Row("A deny of one topic hits what has it", both(BOTH_TOPICS, permission(topics=["mental-health", "justice"]), denied(topics=["justice"])), ("needs/worry",), G2),
    Row("A deny for the partner's purpose hits it", denied(purposes=["education-planning"]), (), EMPTY),
    Row("A deny for another purpose does not", denied(purposes=["treatment"]), ALL),
    Row("A deny to another partner does not", denied(to=["partners/riverside"]), ALL),
    Row("A deny to the partner's sector hits it", denied(to="sectors/education"), (), EMPTY),
    Row("A deny to another sector does not", denied(to="sectors/justice"), ALL),
    Row("An empty list in a deny counts as left out", denied(to=[], parts=["goals"], records=[]), ("child",), ("goals",)),
    Row("A deny with a part that nobody knows may mean any part", denied(parts=["hobbies"]), (), EMPTY),
    Row("A deny of a person takes the person away, not the goals", both(permission(parts=["identity", "family", "goals"]), denied(records=["people/father"])), ("people/mother", "goals/g1"), ("people/father",)),
]  # fmt: skip

STANDING_DENIES = [
    Row("A deny stays when its consent is revoked", also("no", deny(), status="revoked", revoked_on="2026-10-01"), (), EMPTY),
    Row("A deny stays when its consent has ended", also("no", deny(), period={"start": "2026-09-10", "end": "2026-10-01"}), (), EMPTY),
    Row("A deny counts though nobody signed it", also("no", deny(), signed_at=None, method=None), (), EMPTY),
    Row("A deny by a father who may not decide counts", also("no", deny(), **FATHER_NO), (), EMPTY),
    Row("A deny without a period counts", also("no", deny(), period=None), (), EMPTY),
    Row("A deny in a superseded consent counts", also("no", deny(), status="superseded"), (), EMPTY),
    Row("A deny in a draft does not count", also("no", deny(), status="draft"), ALL),
    Row("A deny entered in error does not count", also("no", deny(), status="entered-in-error"), ALL),
    Row("A deny counts from the start of its consent, not before", also("no", deny(), period={"start": "2026-11-03", "end": "2027-08-31"}), ALL),
    Row("On the first day of its consent it counts", also("no", deny(), period={"start": "2026-11-02", "end": "2027-08-31"}), (), EMPTY, at=local(2026, 11, 2)),
    Row("A deny ends with its own period", denied(period={"start": "2026-09-10", "end": "2026-11-01"}), ALL),
    Row("On the last day of its own period it still counts", denied(period={"start": "2026-09-10", "end": "2026-11-02"}), (), EMPTY, at=local(2026, 11, 2, 23, 59, 59)),
    Row("A deny in an imported consent counts at once", also("no", deny(), imported=True), (), EMPTY),
]  # fmt: skip


def lifting(name: str = "yes", **fields: Any) -> Change:
    """A later consent that supersedes the deny, and permits goals to the school board."""
    return also(name, permit(), **{"supersedes": ["consents/no"], **LATER, **fields})


LIFTING = [
    Row("The mother lifts her own deny by a later consent that supersedes it", both(NO, lifting()), G1),
    Row("A later consent that supersedes nothing lifts nothing", both(NO, lifting(supersedes=None)), (), G1),
    Row("A consent of the same day lifts nothing", both(NO, lifting(signed_at="2026-09-10")), (), G1),
    Row("A consent of the same day with a clock time lifts nothing either", both(NO, lifting(signed_at="2026-09-10T23:00:00-04:00")), (), G1),
    Row("A consent signed before the deny lifts nothing", both(NO, lifting(signed_at="2026-09-05")), (), G1),
    Row("A consent that nobody signed lifts nothing", both(NO, lifting(signed_at=None)), (), G1),
    Row("A draft lifts nothing", both(NO, lifting(status="draft")), (), G1),
    Row("A consent entered in error lifts nothing", both(NO, lifting(status="entered-in-error")), (), G1),
    Row("An imported consent lifts nothing", both(NO, lifting(imported=True)), (), G1),
    Row("A consent that begins tomorrow lifts nothing today", both(NO, lifting(period={"start": "2026-11-03", "end": "2027-08-31"})), (), G1),
    Row("The father cannot lift the mother's deny", both(NO, decides("father"), lifting(granted_by="people/father")), (), G1),
    Row("Somebody who acts with a court order can", both(NO, decides("father", authority="court-order"), lifting(granted_by="people/father", authority="court-order")), G1),
    Row("The capable child can", both(NO, capacity(("2026-08-01", True)), lifting(granted_by="child", authority="self")), G1),
    Row("A child whose capacity nobody has assessed cannot lift what the mother denied", both(NO, lifting(granted_by="child", authority="self")), (), G1),
    Row("The child lifts what it denied itself, also with presumed capacity", both(also("no", deny(parts=["goals"]), granted_by="child"), lifting(granted_by="child")), G1),
    Row("What was lifted stays lifted when the later consent is revoked", both(NO, lifting(status="revoked", revoked_on="2026-10-20")), G1),
    Row("What was lifted stays lifted when the later consent has ended", both(NO, lifting(period={"start": "2026-10-05", "end": "2026-10-20"})), G1),
    Row("For a deny without a signature the day of its entry stands in", both(also("no", deny(parts=["goals"]), signed_at=None), lifting()), G1, kept={"entered": {"consents/no": "2026-09-12T12:00:00-04:00"}}),
    Row("A later consent that began when its author no longer decided lifts nothing", both(NO, decides("mother", until="2026-10-15"), decides("father"), lifting(period={"start": "2026-10-20", "end": "2027-08-31"}), also("his", permit(), granted_by="people/father")), ("child",), G1),
    Row("While its author still decided when it began, what it lifted stays lifted", both(NO, decides("mother", until="2026-10-25"), decides("father"), lifting(period={"start": "2026-10-20", "end": "2027-08-31"}), also("his", permit(), granted_by="people/father")), G1),
    Row("A later consent that was revoked before it began lifts nothing, whatever its status says", both(NO, lifting(revoked_on="2026-10-10", period={"start": "2026-10-20", "end": "2027-08-31"})), ("child",), G1),
    Row("A later consent that another had superseded before it began lifts nothing", both(NO, lifting(period={"start": "2026-10-20", "end": "2027-08-31"}), also("third", supersedes=["consents/yes"], signed_at="2026-10-06", period={"start": "2026-10-08", "end": "2027-08-31"})), ("child",), G1),
    Row("A later consent that cannot be computed lifts nothing", both(NO, lifting(), also("more", permit()), put("consents/yes/provisions/yes-0", parts=["hobbies"])), ("child",), G1),
    Row("A child who was found incapable when its later consent began lifts not even its own deny", both(also("no", deny(parts=["goals"]), granted_by="child"), capacity(("2026-10-10", False)), lifting(granted_by="child", period={"start": "2026-10-20", "end": "2027-08-31"})), ("child",), G1),
    Row("A deny entered after the later consent was signed is not lifted by it", both(also("no", deny(parts=["goals"]), signed_at=None), lifting()), (), G1, kept={"entered": {"consents/no": "2026-10-12T12:00:00-04:00"}}),
]  # fmt: skip

DENY_WINS = [
    Row("A deny wins within one consent", consent(provisions=[permit(), deny(parts=["goals"])]), ("child",), G1),
    Row("A deny wins whichever is written first", consent(provisions=[deny(parts=["goals"]), permit()]), ("child",), G1),
    Row("An older deny wins over a newer permit that does not supersede it", also("no", deny(parts=["goals"]), signed_at="2026-01-20", period={"start": "2026-01-20", "end": "2026-02-20"}), ("child",), G1),
    Row("A newer deny wins over an older permit", also("no", deny(parts=["goals"]), signed_at="2026-11-01"), ("child",), G1),
    Row("A father who decides denies, and his deny wins over the mother's permit", both(decides("father"), also("no", deny(parts=["goals"]), **FATHER_NO)), ("child",), G1),
    Row("A broad deny wins over a permit of a single goal", both(permission(records=["child", "goals/g1"]), NO), ("child",), G1),
]  # fmt: skip

TWICE = [permit(**{"except": [deny(records=["goals/g1"], **{"except": [permit(records=["goals/g1/steps/s1"])]})]})]
NOT_COMPUTABLE = [
    Row("An exception to an exception cannot be computed: nothing is permitted", consent(provisions=TWICE), (), EMPTY),
    Row("A permit inside a permit cannot be computed: nothing is permitted", consent(provisions=[permit(**{"except": [permit(parts=["needs"])]})]), (), EMPTY),
    Row("One such provision spoils all permits of its consent", consent(provisions=[permit(), permit(**{"except": [permit(parts=["needs"])]})]), (), EMPTY),
    Row("It does not spoil those of another consent", also("odd", permit(**{"except": [permit(parts=["needs"])]})), ALL),
    Row("What such a consent may deny is denied, its exceptions unheard", denied(parts=["goals"], **{"except": [permit(to="partners/lakeside", **{"except": [deny(records=["goals/g3"])]})]}), ("child",), ("goals",)),
    Row("A deny of a goal that never was: its consent permits nothing", consent(provisions=[permit(), deny(records=["goals/g11"])]), (), EMPTY),
    Row("A deny of a goal that was once there is understood", consent(provisions=[permit(), deny(records=["goals/old"])]), G1, kept={"tombstones": ["goals/old"]}),
    Row("A goal added since may be the denied one come back: it waits", consent(provisions=[permit(), deny(records=["goals/old"])]), G1, G3, kept={"tombstones": ["goals/old"], "waiting": {"goals/g3": ["goals/old"]}}),
    Row("Once a person has said that it is another, it is seen", consent(provisions=[permit(), deny(records=["goals/old"])]), (*G1, *G3), kept={"tombstones": ["goals/old"], "waiting": {}}),
    Row("A step added where a denied step was removed waits too", consent(provisions=[permit(), deny(records=["goals/g1/steps/s0"])]), ("goals/g1/steps/s1",), ("goals/g1/steps/s2",), kept={"tombstones": ["goals/g1/steps/s0"], "waiting": {"goals/g1/steps/s2": ["goals/g1/steps/s0"]}}),
    Row("What waits for one partner's deny is seen by another", consent(provisions=[permit(to="all", purposes="all"), deny(to="partners/riverside", records=["goals/old"])]), G3, kept={"tombstones": ["goals/old"], "waiting": {"goals/g3": ["goals/old"]}}),
]  # fmt: skip

EXCEPTIONS = [
    Row("All goals but one", instead(permit(**{"except": [deny(records=["goals/g1"])]})), G3, G1),
    Row("An exception takes over what it leaves out: all but the needs, for the same partner", instead(permit(parts=["identity", "goals", "needs"], **{"except": [deny(parts=["needs"])]})), G1, ("needs",)),
    Row("An exception only carves out of its own permit: another may show it", instead(permit(**{"except": [deny(records=["goals/g1"])]}), permit(records=["child", "goals/g1"])), (*G1, *G3)),
    Row("An exception for another partner changes nothing here", instead(permit(to="all", purposes="all", **{"except": [deny(to="partners/riverside")]})), G1),
    Row("An exception for this partner does", instead(permit(to="all", purposes="all", **{"except": [deny(to="partners/lakeside")]})), (), EMPTY),
    Row("Nobody but the school: a deny with an exception", both(permission(to="all", purposes="all"), denied(**{"except": [permit(to="partners/lakeside", purposes=None, parts=None)]})), ALL),
    Row("Nobody but the school: the hospital sees nothing", both(permission(to="all", purposes="all"), denied(**{"except": [permit(to="partners/lakeside", purposes=None, parts=None)]})), (), EMPTY, to="riverside"),
    Row("The exception of a deny permits nothing by itself", instead(deny(**{"except": [permit(to="partners/lakeside", purposes=None, parts=None)]})), (), EMPTY),
    Row("The exception of a deny has its own period: afterwards the deny stands", denied(**{"except": [permit(to="partners/lakeside", purposes=None, parts=None, period={"start": "2026-09-10", "end": "2026-11-01"})]}), (), EMPTY),
    Row("An exception to a deny of a topic spares that topic", both(permission(topics=["mental-health"]), denied(topics=["mental-health"], **{"except": [permit(to="partners/lakeside", purposes=None, parts=None)]})), G2),
]  # fmt: skip
