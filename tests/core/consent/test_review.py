"""What waits for a person's word, what a release does, and what makes it wait again (*Unreviewed text*)."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from typing import Any

import pytest

from adapter.core.consent.review import Waiting, intake, not_the_denied, pointer, released, still_reviewed, waiting
from adapter.core.consent.rulebook import Rulebook
from adapter.core.consent.rules import compile_rules
from adapter.core.consent.texts import may_be_reviewed, of_place, texts
from adapter.core.consent.view import view
from adapter.core.keeping import carry, effective, rulebook_for
from adapter.errors import NotFound, Refused
from tests.core.consent.builders import NOW, case, rulebook

RAW = rulebook(labels_topics=False)
TRUSTED = rulebook()
DAY = date(2026, 11, 2)
BY = {"by": "D. Roy", "on": DAY}
SECTION = "care_plans/plan/sections/about"
SERVICE = "care_plans/plan/services/speech"


def listed(body: Any, kept: Any, book: Rulebook, now: datetime = NOW) -> tuple[Waiting, ...]:
    whole = effective(body, kept)
    return waiting(whole, kept, compile_rules(whole, rulebook_for(book, kept), kept), now)


def of_kind(kind: str, found: tuple[Waiting, ...]) -> dict[str, Waiting]:
    return {w.path: w for w in found if w.kind == kind}


def seen(body: Any, kept: Any, book: Rulebook = RAW, partner: str = "lakeside") -> set[str]:
    whole = effective(body, kept)
    return set(view(whole, compile_rules(whole, rulebook_for(book, kept), kept), partner, NOW).labels)


def everywhere(body: Any) -> set[str]:
    return {t.place for t in texts(body, RAW.schemas)}


def test_every_place_with_a_text_waits_and_no_other() -> None:
    """Records, sections of plans and services each for themselves; of a source that labels none at all."""
    body = case()
    found = of_kind("unreviewed", listed(body, {}, RAW))
    assert set(found) == everywhere(body)
    assert {"child", "goals/g1", "care_plans/plan", SECTION, SERVICE, "documents/report"} <= set(found)
    assert not any(path.startswith(("consents", "organizations")) for path in found)
    assert of_kind("unreviewed", listed(body, {}, TRUSTED)) == {}


def test_it_waits_since_the_record_says_what_it_says() -> None:
    """A goal that is put again as it was is no younger; one that changed is."""
    earlier, later = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
    body, changed = case(), case()
    changed["goals"][2]["title"] = "Swim two lengths of the pool by summer"
    kept = carry(body, carry({}, {}, body, earlier), changed, later)
    found = of_kind("unreviewed", listed(changed, kept, RAW))
    assert (found["goals/g1"].since, found["goals/g3"].since) == (earlier.isoformat(), later.isoformat())


@pytest.mark.parametrize("path", ["goals/g1", "goals/g3", SECTION, SERVICE, "child"])
def test_what_is_released_waits_no_longer_and_is_shared_as_far_as_consent_goes(path: str) -> None:
    body = case()
    kept = released(body, {}, path, RAW.schemas, **BY)
    assert path not in of_kind("unreviewed", listed(body, kept, RAW))
    assert path in seen(body, kept)
    assert len(of_kind("unreviewed", listed(body, kept, RAW))) == len(everywhere(body)) - 1


def test_before_it_is_released_nobody_sees_it() -> None:
    assert "goals/g1" not in seen(case(), {})


def test_a_plan_that_was_read_was_read_with_its_sections() -> None:
    """`reviewed` on a record is for all in it; and a section's own review does not undo its plan's."""
    body = case()
    kept = released(body, released(body, {}, SECTION, RAW.schemas, **BY), "care_plans/plan", RAW.schemas, **BY)
    assert not [path for path in of_kind("unreviewed", listed(body, kept, RAW)) if path.startswith("care_plans/")]


@pytest.mark.parametrize("order", [1, -1], ids=["the section first", "the plan first"])
def test_the_order_of_reviews_does_not_matter(order: int) -> None:
    body, kept = case(), {}
    for path in [SECTION, "care_plans/plan"][::order]:
        kept = released(body, kept, path, RAW.schemas, **BY)
    reviewed = {t.place for t in texts(effective(body, kept), RAW.schemas) if t.reviewed}
    assert {SECTION, "care_plans/plan", SERVICE} <= reviewed


def test_another_text_waits_again() -> None:
    body = case()
    kept = released(body, {}, "goals/g1", RAW.schemas, **BY)
    changed = copy.deepcopy(body)
    changed["goals"][0]["steps"][0]["text"] = "She told us about the voices"
    kept = still_reviewed(carry(body, kept, changed, NOW), body, changed, RAW.schemas)
    assert "goals/g1" in of_kind("unreviewed", listed(changed, kept, RAW))
    assert "goals/g1" not in seen(changed, kept)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"note": "More"}, id="a text where there was none"),
        pytest.param({"title": "ask for a break with my tablet at school"}, id="a capital made small"),
    ],
)
def test_any_difference_in_a_text_is_another_text(change: dict[str, str]) -> None:
    body, changed = case(), case()
    kept = released(body, {}, "goals/g1", RAW.schemas, **BY)
    changed["goals"][0]["steps"][0].update({"note": change["note"]} if "note" in change else {})
    changed["goals"][0].update({"title": change["title"]} if "title" in change else {})
    kept = still_reviewed(carry(body, kept, changed, NOW), body, changed, RAW.schemas)
    assert "goals/g1" in of_kind("unreviewed", listed(changed, kept, RAW))


def test_a_goal_that_is_achieved_need_not_be_read_again() -> None:
    """The review is of text: it goes on while not one text of the record changes, from save to save."""
    body = case()
    kept = released(body, {}, "goals/g1", RAW.schemas, **BY)
    for status in ("on-hold", "achieved"):
        changed = copy.deepcopy(body)
        changed["goals"][0]["status"] = status
        kept = still_reviewed(carry(body, kept, changed, NOW), body, changed, RAW.schemas)
        body = changed
        assert "goals/g1" in seen(body, kept)


def test_a_text_that_changes_and_changes_back_unread_was_read_once() -> None:
    """The review is bound to the text: what was read is what stands there again."""
    body, other = case(), case()
    other["goals"][0]["title"] = "Something else"
    kept = released(body, {}, "goals/g1", RAW.schemas, **BY)
    away = still_reviewed(carry(body, kept, other, NOW), body, other, RAW.schemas)
    back = still_reviewed(carry(other, away, body, NOW), other, body, RAW.schemas)
    assert "goals/g1" not in seen(other, away)
    assert "goals/g1" in seen(body, back)


def test_topics_that_the_reviewer_gives_are_labels() -> None:
    """A school without mental health in its consent does not see the goal that was read and labelled so."""
    body = case()
    kept = released(body, {}, "goals/g3", RAW.schemas, **BY, topics=["mental-health"])
    assert "goals/g3" not in seen(body, kept)
    assert "goals/g3" not in of_kind("unreviewed", listed(body, kept, RAW))


def test_labels_stay_when_the_text_changes() -> None:
    """Of a source that labels too: what a person called sensitive is not let go by another word in it."""
    body, changed = case(), case()
    kept = released(body, {}, "goals/g3", TRUSTED.schemas, **BY, topics=["justice"])
    changed["goals"][2]["title"] = "Swim two lengths before the hearing"
    kept = still_reviewed(carry(body, kept, changed, NOW), body, changed, TRUSTED.schemas)
    assert "goals/g3" not in seen(changed, kept, TRUSTED)
    assert "goals/g3" in seen(changed, {}, TRUSTED)
    again = released(changed, kept, "goals/g3", TRUSTED.schemas, **BY)
    assert "goals/g3" in seen(changed, again, TRUSTED), "another review, that gives none"


@pytest.mark.parametrize(
    ("path", "options", "pointer_"),
    [
        pytest.param("goals/g1", {"topics": ["weather"]}, "/topics", id="an unknown topic"),
        pytest.param("goals/g1", {"topics": ["unreviewed"]}, "/topics", id="the topic that says nobody has read it"),
        pytest.param("child", {"topics": ["justice"]}, "/topics", id="a topic for the child, whose leaves have theirs"),
        pytest.param("goals/g1", {"by": "  "}, "/by", id="nobody's name"),
        pytest.param("goals/g1", {"by": "a\nb"}, "/by", id="a name on two lines"),
    ],
)
def test_what_is_no_review_is_refused(path: str, options: dict[str, Any], pointer_: str) -> None:
    with pytest.raises(Refused) as refused:
        released(case(), {}, path, RAW.schemas, **{**BY, **options})
    assert [p.pointer for p in refused.value.problems] == [pointer_]


@pytest.mark.parametrize(
    "path",
    ["goals/none", "goals", "", "nothing/at", "consents/c1", "child/name", "goals/g1/steps/s1", "case",
     "care_plans/plan/sections", "care_plans/plan/sections/about/text", "goals/g1/", "/", "people/mother/telecoms/0"],
)  # fmt: skip
def test_what_cannot_be_reviewed_is_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        released(case(), {}, path, RAW.schemas, **BY)
    assert not may_be_reviewed(path, RAW.schemas) or path == "goals/none"


def test_the_texts_of_a_place_are_all_that_its_review_speaks_of() -> None:
    found = of_place(case(), "care_plans/plan", RAW.schemas)
    assert found["vision"] == "Ama has friends who wait for her to finish a sentence"
    assert found["sections/about/text"] == "I like it when people say what happens next"
    assert of_place(case(), SECTION, RAW.schemas) == {"text": "I like it when people say what happens next"}
    assert of_place(case(), "goals/none", RAW.schemas) == {}


# Names of the withheld.


def named(body: Any, book: Rulebook = TRUSTED, kept: Any = None) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(w.path, w.about, w.partners) for w in listed(body, kept or {}, book) if w.kind == "named"}


@pytest.mark.parametrize(
    ("text", "about"),
    [
        pytest.param("Bartholomew takes her to swim", "people/father", id="a father by his given name"),
        pytest.param("As bartholomew said", "", id="not where it is written small, as a word would be"),
        pytest.param("BARTHOLOMEW takes her", "people/father", id="in capitals"),
        pytest.param("The Tremblay-Ouellettes live far away", "", id="not inside another word"),
        pytest.param("With Tremblay-Ouellette on Sundays", "people/father", id="by the family name"),
        pytest.param("Ask at Harbour Children's Aid Society", "organizations/harbour", id="an agency by its name"),
        pytest.param("Ask at  harbour children's   aid society", "", id="not where no capital says that it is a name"),
        pytest.param("Ms. Fitzgibbon will help", "providers/counsellor", id="a worker of a withheld agency"),
        pytest.param("Ms. Montgomery will help", "", id="not a worker who may be seen"),
        pytest.param("Ask at Lakeside District School Board", "", id="not the partner itself"),
        pytest.param(
            "Ama swims with the Wickenbrook cousins", "", id="not the child's own names, whoever has them too"
        ),
        pytest.param("Josephine swims too", "people/mother", id="a mother where family is not permitted"),
    ],
)
def test_a_permitted_text_that_names_someone_withheld_is_listed(text: str, about: str) -> None:
    body = case()
    body["goals"][2]["title"] = text
    assert named(body) == ({("goals/g3", about, ("lakeside",))} if about else set())


def test_an_accent_that_was_left_out_hides_no_name() -> None:
    body = case()
    body["people"][1]["name"] = {"given": ["Zoé"], "family": "Lafrenière"}
    body["goals"][2]["title"] = "Swim with Zoe Lafreniere"
    assert named(body) == {("goals/g3", "people/father", ("lakeside",))}


def test_a_name_in_a_text_that_is_withheld_itself_is_not_listed() -> None:
    """It is about what a partner may read."""
    body = case()
    body["goals"][1]["title"] = "Bartholomew stays the night"
    assert named(body) == set()


def test_a_text_with_a_name_that_somebody_has_read_is_not_listed_again() -> None:
    body = case()
    body["goals"][2]["title"] = "Swim with Bartholomew"
    kept = released(body, {}, "goals/g3", TRUSTED.schemas, **BY)
    assert named(body, kept=kept) == set()
    assert "goals/g3" in seen(body, kept, TRUSTED)


def test_intake_says_where_and_never_what() -> None:
    body = case()
    body["goals"][2]["title"] = "Swim with Bartholomew"
    body["care_plans"][0]["sections"][0]["text"] = "Bartholomew knows"
    found = list(intake(body, listed(body, {}, TRUSTED)))
    assert [p.pointer for p in found] == ["/care_plans/0/sections/0", "/goals/2"]
    assert not any("Bartholomew" in p.detail or "Swim" in p.detail for p in found)
    raw = list(intake(body, listed(body, {}, RAW)))
    assert raw[0].pointer == ""
    assert f"{len(everywhere(body))} places" in raw[0].detail


@pytest.mark.parametrize(
    ("path", "is_"),
    [
        ("goals/g2", "/goals/1"),
        ("child", "/child"),
        ("care_plans/plan/services/talk", "/care_plans/0/services/1"),
        ("goals/none", "/goals/none"),
        ("goals/g1/acceptance", "/goals/0/acceptance"),
        ("enrolment/coordinator", "/enrolment/coordinator"),
        ("child/identifiers", "/child/identifiers"),
        ("child/likes/none", "/child/likes/none"),
        ("child/nothing/at/all", "/child/nothing/at/all"),
        ("nothing", "/nothing"),
    ],
)
def test_a_path_of_ids_has_its_pointer(path: str, is_: str) -> None:
    assert pointer(case(), path) == is_


# Tombstones and confirmations.


def test_what_was_added_where_a_denied_goal_was_waits_until_a_person_has_said_that_it_is_another() -> None:
    body = case()
    body["consents"][0]["provisions"].append({"id": "no", "effect": "deny", "records": ["goals/g3"]})
    after = copy.deepcopy(body)
    after["goals"][2]["id"] = "g9"
    kept = carry(body, carry({}, {}, body, NOW), after, NOW)
    assert of_kind("tombstone", listed(after, kept, TRUSTED))["goals/g9"].about == "goals/g3"
    assert "goals/g9" not in seen(after, kept, TRUSTED)
    read = released(after, kept, "goals/g9", TRUSTED.schemas, **BY)
    assert "goals/g9" not in seen(after, read, TRUSTED), "having read it does not say that it is another"
    said = not_the_denied(kept, "goals/g9")
    assert "goals/g9" in seen(after, said, TRUSTED)
    assert of_kind("tombstone", listed(after, said, TRUSTED)) == {}
    assert carry(after, said, after, NOW)["waiting"] == {}, "and it does not wait anew with the next save"
    assert said["tombstones"] == ["goals/g3"], "the next one that is added waits again"


def test_nobody_says_of_what_does_not_wait_that_it_is_not_denied() -> None:
    with pytest.raises(NotFound):
        not_the_denied({}, "goals/g1")


def test_a_partner_that_came_after_the_signature_is_listed_until_it_is_confirmed() -> None:
    """It is only listed: confirming is the family's, in a consent. Northstar was connected on 2026-10-01."""
    body = case()
    provision = body["consents"][0]["provisions"][0]
    provision["to"] = "all"
    (found,) = [w for w in listed(body, {}, TRUSTED) if w.kind == "confirmation"]
    assert (found.path, found.partners) == ("consents/c1/provisions/p1", ("northstar",))
    provision["confirmed"] = [{"partner": "partners/northstar", "by": "people/mother", "on": "2026-10-20"}]
    assert of_kind("confirmation", listed(body, {}, TRUSTED)) == {}
    provision.pop("confirmed")
    body["consents"][0]["status"] = "revoked"
    assert of_kind("confirmation", listed(body, {}, TRUSTED)) == {}


def test_a_name_that_is_too_short_to_mean_anybody_is_not_looked_for() -> None:
    body = case()
    body["people"][1]["name"] = {"given": ["Bo"], "family": "Li"}
    body["goals"][2]["title"] = "Li Bo and Bo Li"
    assert named(body) == set()
