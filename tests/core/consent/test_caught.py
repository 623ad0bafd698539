"""What the mutation check found unheld: for each rule that could be broken unseen, one sentence that now holds it."""

# ruff: noqa: E501  A row is one line, so that the table can be read down its sentences.

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from adapter.core.consent.endings import frozen, next_change
from adapter.core.consent.rules import compile_rules
from adapter.core.consent.view import Label, View, view
from tests.core.consent import builders
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
    nothing,
    permission,
    permit,
    put,
    referral,
)
from tests.core.consent.table.rows import ABLE, BOTH_TOPICS, EMPTY, G1, G2, G3, PLAN, RAW, SEAT, Row
from tests.core.consent.test_table import is_there, place, prepared

BOOK = builders.rulebook()


def _changed(change: Change) -> dict[str, Any]:
    case = builders.case()
    change(case)
    assert list(BOOK.schemas.validator.iter_errors(case)) == []
    return case


CONFIRMED = {"confirmed": [{"partner": "northstar", "by": "people/mother", "on": "2026-11-20"}]}
CARVED = permit(**{"except": [deny(parts=["goals"], period={"start": "2026-11-20", "end": "2026-12-31"})]})


@pytest.mark.parametrize(
    ("change", "at"),
    [
        pytest.param(nothing, local(2027, 9, 1), id="the midnight after the last day of a consent"),
        pytest.param(
            consent(period={"start": "2026-11-20", "end": "2027-08-31"}),
            local(2026, 11, 20),
            id="the first day of a consent",
        ),
        pytest.param(
            permission(period={"start": "2026-09-01", "end": "2026-11-19"}),
            local(2026, 11, 20),
            id="the midnight after the last day of a permit's own period",
        ),
        pytest.param(instead(CARVED), local(2026, 11, 20), id="the first day of the period of an exception"),
        pytest.param(consent(signed_at="2026-11-20"), local(2026, 11, 20), id="a signature dated ahead"),
        pytest.param(consent(revoked_on="2026-11-20"), local(2026, 11, 20), id="a revocation dated ahead"),
        pytest.param(permission(to="all", **CONFIRMED), local(2026, 11, 20), id="a confirmation dated ahead"),
        pytest.param(
            decides("mother", until="2026-11-19"), local(2026, 11, 20), id="the day after someone's authority ends"
        ),
        pytest.param(put(SEAT, until="2026-11-19"), local(2026, 11, 20), id="the day after a seat on the team ends"),
        pytest.param(capacity(("2026-11-20", True)), local(2026, 11, 20), id="an assessment of capacity dated ahead"),
        pytest.param(put("child", birth_date="2010-11-20"), local(2026, 11, 20), id="the birthday of own consent"),
        pytest.param(
            referral(respond_by="2026-11-19"), local(2026, 11, 20), id="the deadline of a referral has passed"
        ),
    ],
)
def test_a_share_is_due_again_at_every_instant_at_which_a_steering_leaf_changes_its_meaning(
    change: Change, at: datetime
) -> None:
    """consent.md, *When permission ends*; on 2 November, and the case is otherwise as it is."""
    assert next_change(compile_rules(_changed(change), BOOK), builders.NOW) == at


ONLY = {"to": "partners/lakeside", "purposes": None, "parts": None}
"""An exception for the school board, that takes over everything else from its deny."""
FOREIGN = put("organizations/lakeside", sector=["education", "justice"])
MIXED = {"labels_topics": True, "otherwise": frozenset({"goals/g1"})}
REPORT = permission(parts=["identity", "documents"])
HELD = [
    Row("Nobody permits by a court order that they do not hold", consent(authority="court-order"), (), EMPTY),
    Row("Without the birth date nobody can tell whether parents still permit: they do not", put("child", birth_date=None), (), EMPTY),
    Row("A deny of two topics hits what has one of them", both(BOTH_TOPICS, permission(topics=["mental-health", "justice"]), denied(topics=["justice", "hiv"])), G1, G2),
    Row("A deny to a sector hits a partner whom only the case puts there", both(FOREIGN, denied(to="sectors/justice")), (), EMPTY),
    Row("A permit to a sector does not reach a partner whom only the case puts there", both(FOREIGN, permission(to="sectors/justice", topics=["justice"])), (), EMPTY),
    Row("A deny for a purpose that nobody knows may be for any", denied(purposes=["curiosity"], parts=["goals"]), ("child",), G1),
    Row("A deny of a topic that nobody knows may be of any, and of none", denied(topics=["witchcraft"], parts=["goals"]), ("child",), G1),
    Row("A deny of a record that never was may be of any", denied(records=["goals/g11"]), (), EMPTY),
    Row("A deny to a receiver that nobody knows may be to any", denied(to="sectors/astrology", parts=["goals"]), ("child",), G1),
    Row("An exception of a permit has its own period: afterwards the permit is whole", instead(permit(**{"except": [deny(records=["goals/g1"], period={"start": "2026-09-10", "end": "2026-11-01"})]})), (*G1, *G3)),
    Row("On the last day of its period the exception still carves out", instead(permit(**{"except": [deny(records=["goals/g1"], period={"start": "2026-09-10", "end": "2026-11-02"})]})), G3, G1),
    Row("An exception of a deny whose list of records is empty releases nothing", denied(**{"except": [permit(**{**ONLY, "records": []})]}), (), EMPTY),
    Row("An exception of a deny for one topic does not release what has two", both(BOTH_TOPICS, permission(topics=["mental-health", "justice"]), denied(topics=["mental-health", "justice"], **{"except": [permit(**{**ONLY, "topics": ["justice"]})]})), G1, G2),
    Row("An exception of a deny for one part does not release another", denied(parts=["goals", "needs"], **{"except": [permit(**{**ONLY, "parts": ["needs"]})]}), ("needs/words",), G1),
    Row("A label on the plan reaches every service in it, whatever else the service is about", both(permission(topics=["mental-health"]), put(PLAN, topics=["hiv"])), G2, ("care_plans",)),
    Row("Of two sources only the text of the one that does not label waits", nothing, ("goals/g3/title",), G1, book=MIXED),
    Row("A referral that the receiver has refused shows nothing", referral(outcome={"status": "rejected"}), (), EMPTY, to="riverside"),
    Row("A referral shows who the child is and how to reach her, not what she likes", both(referral(), put("consents/ref/provisions/ref-0", parts="all")), ("child/telecoms",), ("child/likes", "child/school"), to="riverside"),
    Row("A document that may not be forwarded is not", both(REPORT, put("documents/report", may_forward=False)), ("child",), ("documents",)),
    Row("But it may go back to where it came from", both(REPORT, put("documents/report", may_forward=False, originator="providers/teacher")), ("documents/report",)),
    Row("A provider who is named brings along the organization", permission(parts=["identity", "goals", "team"]), ("providers/speech/organization", "organizations/birch/name")),
    Row("Its own consent ends with the permit where that ends before it", permission(period={"start": "2026-09-01", "end": "2026-12-24"}), equal={"consents/own/period/end": "2026-12-24"}),
    Row("Its own consent carries the notices that it must keep", consent(notices=["No copies without asking the family"]), equal={"consents/own/notices": ["No copies without asking the family"]}),
    Row("Who is named only in an entry that is gone is not named", both(permission(parts=["identity", "enrolment"]), put("enrolment", coordinator_history=[{"who": "people/mother", "asked_by": "providers/speech"}])), ("enrolment/tier",), ("enrolment/coordinator_history", "providers/speech", "organizations/birch")),
    Row("A referral does not point to a service of which too little is left", both(referral(shares=[f"{PLAN}/services/speech"]), put(f"{PLAN}/services/speech", code=None)), ("referrals/ask",), ("referrals/ask/shares", "care_plans"), to="riverside", book=RAW),
    Row("A permit of all parts does not show how capable she was found", both(permission(parts="all"), ABLE), ("child/name",), ("child/decision_making",)),
    Row("A referral to the hospital gives the school no purpose, even where a permit names it", both(referral(), also("more", permit(purposes=["referral"], parts=["identity", "contact", "referrals"]))), ("child/name",), ("child/telecoms", "referrals")),
    Row("Lifted from a service, the topic stays on the agency that gives it", put(f"{PLAN}/services/talk", topics_lifted=["mental-health"]), (f"{PLAN}/services/talk",), (f"{PLAN}/services/talk/organization", "organizations/northstar")),
]  # fmt: skip


@pytest.mark.parametrize("row", [pytest.param(row, id=row.sentence) for row in HELD])
def test_what_is_seen(row: Row) -> None:
    """Rows like those of the table, each for a rule that could once be broken unseen."""
    _, _, seen = prepared(row)
    assert [path for path in row.sees if not is_there(seen, path)] == []
    assert [path for path in row.not_ if is_there(seen, path)] == []
    assert {path: place(seen, path) for path in row.equal} == row.equal


def _view(change: Change, now: datetime = builders.NOW) -> View:
    case = _changed(change)
    return view(case, compile_rules(case, BOOK), "lakeside", now)


def test_a_record_is_labelled_with_its_topics_and_purposes() -> None:
    """consent.md, *The view*: sensitivity and purpose go along, for what the record holds and for nothing else."""
    labels = _view(permission(topics=["mental-health"])).labels
    assert labels["goals/g2"] == Label(("education-planning",), ("mental-health",), ("goals",))
    assert labels["goals/g1"].topics == ()


def test_a_reference_in_the_enrolment_labels_it_with_the_sector_that_it_tells_of() -> None:
    """consent.md, *Topics*: in `enrolment` the reference itself takes the topic; a record is labelled by what it holds."""
    seen = permission(parts="all", topics=["child-welfare"])
    of_the_society = put("enrolment", coordinator="providers/caseworker")
    assert _view(both(seen, of_the_society)).labels["enrolment"].topics == ("child-welfare",)
    assert _view(seen).labels["enrolment"].topics == ()


def test_the_one_bit_says_whether_something_was_withheld() -> None:
    """consent.md, *withheld_notice*: a view of a case of which everything may be seen does not set it."""

    def only_the_child(case: dict[str, Any]) -> None:
        kept = {name: case[name] for name in ("case", "program", "people", "consents")}
        child = {name: case["child"][name] for name in ("name", "birth_date")}
        case.clear()
        case.update(kept, child=child)

    whole = permission(parts=["identity", "family", "contact"])
    form = consent(document=None)
    assert not _view(both(only_the_child, form, whole)).withheld
    assert _view(both(only_the_child, form)).withheld


AFTER = local(2026, 11, 21)
ENDED = {"signed_at": "2026-09-01", "period": {"start": "2026-09-01", "end": "2026-11-20"}}
EARLIER = {"start": "2026-09-10", "end": "2026-11-10"}
NEEDS = permit(parts=["identity", "needs"])


def _frozen(change: Change, partner: str = "lakeside", now: datetime = AFTER) -> frozenset[str]:
    case = _changed(change)
    return frozen(case, compile_rules(case, BOOK), partner, now)


def _harbours(**fields: Any) -> Change:
    return instead(permit(to="partners/harbour", purposes="care-coordination"), **fields)


@pytest.mark.parametrize(
    ("change", "partner", "kept"),
    [
        pytest.param(consent(**ENDED), "lakeside", True, id="a consent ran out by date"),
        pytest.param(
            permission(period=ENDED["period"]), "lakeside", True, id="a permit ran out by date, its consent did not"
        ),
        pytest.param(
            put("child", birth_date="2010-11-21"),
            "lakeside",
            True,
            id="the young person reached the age of own consent",
        ),
        pytest.param(_harbours(**ENDED), "harbour", False, id="it ran out, and the partner file says withdraw"),
        pytest.param(
            consent(**ENDED, status="revoked", revoked_on="2026-11-21"),
            "lakeside",
            False,
            id="it was revoked after it ran out",
        ),
        pytest.param(consent(**ENDED, status="entered-in-error"), "lakeside", False, id="it was entered in error"),
        pytest.param(
            both(consent(**ENDED), denied(records=["goals/g1"])), "lakeside", False, id="the goal was denied as well"
        ),
        pytest.param(
            both(
                consent(**ENDED),
                also(
                    "no",
                    deny(records=["goals/g1"]),
                    signed_at="2026-11-21",
                    period={"start": "2026-11-21", "end": "2027-08-31"},
                ),
            ),
            "lakeside",
            False,
            id="the goal was denied on the day after it ran out",
        ),
        pytest.param(
            both(
                consent(signed_at="2026-09-01", period={**EARLIER, "start": "2026-09-01"}),
                also(
                    "no",
                    deny(records=["goals/g1"]),
                    signed_at="2026-11-15",
                    period={"start": "2026-11-15", "end": "2027-08-31"},
                ),
            ),
            "lakeside",
            False,
            id="the goal was denied some days after it ran out",
        ),
        pytest.param(
            both(
                consent(**ENDED),
                also("c2", permit(), status="revoked", signed_at="2026-09-10", revoked_on="2026-11-01"),
            ),
            "lakeside",
            False,
            id="a second consent that would have lasted longer was revoked",
        ),
        pytest.param(decides("mother", until="2026-11-20"), "lakeside", False, id="the mother's authority ended"),
        pytest.param(
            both(decides("mother", until="2026-11-20"), consent(**ENDED)),
            "lakeside",
            False,
            id="the mother's authority ended on the day on which her consent ran out",
        ),
        pytest.param(
            both(decides("mother", until="2026-11-20"), put("child", birth_date="2010-11-21")),
            "lakeside",
            False,
            id="the mother's authority ended on the day before the birthday",
        ),
        pytest.param(
            both(decides("father", until="2026-11-20"), consent(**ENDED)),
            "lakeside",
            True,
            id="the authority of another ended on the day on which her consent ran out",
        ),
        pytest.param(
            both(decides("mother", until="2026-11-20"), also("c0", NEEDS, period=EARLIER)),
            "lakeside",
            False,
            id="the mother's authority ended, and another consent of hers had run out before",
        ),
        pytest.param(
            both(decides("mother", until="2026-11-20"), also("c0", permit(), period=EARLIER)),
            "lakeside",
            False,
            id="the mother's authority ended, and an older consent to the same had run out before",
        ),
        pytest.param(
            both(decides("mother", until="2026-11-20"), also("c0", NEEDS, period=EARLIER, status="revoked")),
            "lakeside",
            False,
            id="the mother's authority ended, and a consent that she had revoked would have run out before",
        ),
    ],
)
def test_a_goal_is_frozen_only_where_nothing_but_a_date_ran_out(change: Change, partner: str, kept: bool) -> None:
    """consent.md, *When permission ends*, the table, on 21 November."""
    assert ("goals/g1" in _frozen(change, partner)) is kept


def test_who_is_named_in_what_is_frozen_stays_though_it_is_still_named_elsewhere() -> None:
    """What is frozen refers to the therapist; when nothing else does any more, she must not be taken from under it."""
    still = permit(parts=["identity", "services"])
    named = put("care_plans/plan/services/speech", provider="providers/speech")
    assert {"goals/g1", "providers/speech"} <= _frozen(both(consent(**ENDED), also("c2", still), named))
