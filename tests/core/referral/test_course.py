"""What a Task says, and what becomes of a referral by it: linear, once each, whatever comes again and in any order."""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.catalogue import concept_maps
from adapter.core.referral import answer as answers
from adapter.core.referral import course as courses
from adapter.core.referral.answer import Answer, Hearing
from adapter.core.referral.course import MOST_FLAGS, MOST_STEPS, Course, Step, heard, set_
from adapter.core.referral.table import STATES, Impossible
from tests.core.referral.test_table import DIALECTS

PROOFS = os.environ.get("CSP_PROOFS") == "1"
NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
BUSINESS = concept_maps()["business-status"]
GENERIC = Hearing(DIALECTS["generic"], BUSINESS)
BSER = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
GRAVITY = "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"
COW = "http://hl7.org/fhir/uv/cow/CodeSystem/temp"
OURS = "https://csp-adapter.example/CodeSystem/business-status"


def task(status: Any, version: int = 1, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Task", "status": status, "meta": {"versionId": str(version)}, **more}


def say(course: Course, *tasks: dict[str, Any], dialect: str = "generic", gaps: bool = False) -> Course:
    hearing = Hearing(DIALECTS[dialect], BUSINESS)
    for each in tasks:
        course = heard(course, hearing.dialect, answers.read(each, hearing, source="there"), NOW, gaps=gaps)
    return course


def ways(course: Course) -> list[tuple[str, str]]:
    return [(step.start, step.end) for step in course.steps]


BUSINESS_CODES = [
    (OURS, "scheduled", "scheduled"), (OURS, "no-show", "no-show"), (OURS, "introduced", "introduced"),
    (BSER, "5.1.1", "scheduled"), (BSER, "5.1.2", "no-show"), (BSER, "5.1.3", "appointment-cancelled"),
    (BSER, "5.1.4", "appointment-held"), (BSER, "5.2", "cancellation-requested"), (BSER, "3.0", ""),
    (GRAVITY, "not-enrolled-on-waitlist", "waitlisted"), (GRAVITY, "no-capacity", "at-capacity"),
    (COW, "visit-scheduled", "scheduled"), (COW, "awaiting-information", "awaiting-information"),
    ("http://elsewhere.example", "scheduled", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("system", "code", "ours"), BUSINESS_CODES, ids=[f"{c[0][-12:]} {c[1]}" for c in BUSINESS_CODES]
)
def test_a_business_status_is_read_in_each_dialects_codes(system: str, code: str, ours: str) -> None:
    concept = {"coding": [{"system": system, "code": code}], "text": "In their words"}
    read = answers.read(task("accepted", businessStatus=concept), GENERIC, source="there")
    assert (read.business, read.words) == (ours, "In their words")


def test_every_business_status_of_ours_that_a_dialect_knows_is_sent_in_its_code() -> None:
    """Both ways: what goes out in a dialect's code comes back as the same."""
    for code, translation in BUSINESS.translations.items():
        for system, theirs, _ in translation.codings:
            assert BUSINESS.backwards[system, theirs] == code


def test_what_a_task_says_is_taken_in_r4_and_in_r5() -> None:
    r4 = task("rejected", statusReason={"text": "No places"}, output=[{"type": {"text": "Result"}, "valueString": "—"}])
    r5 = task("rejected", statusReason={"concept": {"text": "No places"}}, output=[{"valueMarkdown": "—"}])
    for each in (r4, r5):
        read = answers.read(each, GENERIC, source="there")
        assert (read.state, read.reason, read.result) == ("rejected", "No places", "—")


HOSTILE = [
    {}, task(None), task(["accepted"]), task({"a": 1}), task("x" * 1000), task("accepted", businessStatus=[1]),
    task("accepted", businessStatus={"coding": "x", "text": 7}), task("accepted", statusReason={"concept": 5}),
    task("accepted", output={"valueString": "x"}), task("accepted", output=[None, 3, {"valueString": ["x"]}]),
    {"status": "accepted", "meta": 3}, {"status": "accepted", "meta": {"versionId": 4, "lastUpdated": "9999"}},
    task("accepted", lastModified="0001-01-01T00:00:00+23:59"), task("accepted", statusReason={"text": "\ud800"}),
]  # fmt: skip


@pytest.mark.parametrize("resource", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_task_is_read_and_breaks_nothing(resource: Any) -> None:
    course = heard(Course(), GENERIC.dialect, answers.read(resource, GENERIC, source="there"), NOW)
    assert courses.read(json.loads(json.dumps(courses.written(course)))) == course


def test_texts_are_cleaned_and_cut_to_what_a_record_may_hold() -> None:
    read = answers.read(
        task("rejected", statusReason={"text": "\x00 No\x07 \n" + "y" * 50_000}), GENERIC, source="there"
    )
    assert read.reason.startswith("No")
    assert len(read.reason) <= answers.LONGEST


def test_a_whole_life_stands_in_the_history_once() -> None:
    course = say(Course(), task("requested", 1), task("received", 2), task("accepted", 3), task("in-progress", 4),
                 task("completed", 5, output=[{"valueString": "Done"}]))  # fmt: skip
    assert ways(course) == [
        ("requested", "received"), ("received", "accepted"), ("accepted", "in-progress"), ("in-progress", "completed")
    ]  # fmt: skip
    assert (course.state, course.result, course.flags) == ("completed", "Done", ())


def test_a_business_status_in_the_same_state_is_a_step() -> None:
    scheduled = {"coding": [{"system": BSER, "code": "5.1.1"}]}
    unattended = {"coding": [{"system": BSER, "code": "5.1.2"}]}
    course = say(Course(), task("accepted", 2), task("accepted", 3, businessStatus=scheduled),
                 task("accepted", 4, businessStatus=unattended), dialect="bser")  # fmt: skip
    assert [step.business for step in course.steps] == ["", "scheduled", "no-show"]
    assert course.business == "no-show"
    assert say(course, task("in-progress", 5), dialect="bser").business == ""


def test_what_is_impossible_is_kept_and_shown_and_not_applied() -> None:
    course = say(Course(), task("accepted", 2), task("requested", 3), task("entered-in-error", 4), task("nonsense", 5))
    assert course.state == "accepted"
    assert [(flag.asked, flag.why) for flag in course.flags] == [
        ("requested", "not-theirs"), ("entered-in-error", "not-theirs"), ("nonsense", "unknown-state")
    ]  # fmt: skip


def test_a_rejection_without_a_reason_waits_for_one() -> None:
    course = say(Course(), task("rejected", 2))
    assert (course.state, course.flags[0].why) == ("requested", "no-reason")
    course = say(course, task("rejected", 3, statusReason={"text": "Full"}))
    assert (course.state, course.reason) == ("rejected", "Full")


def test_one_who_polls_names_the_states_that_nobody_saw() -> None:
    course = say(Course(), task("completed", 9), dialect="gravity", gaps=True)
    assert course.steps[0].through == ("accepted", "in-progress")


def test_an_older_version_changes_nothing() -> None:
    course = say(Course(), task("accepted", 5))
    assert say(course, task("rejected", 4, statusReason={"text": "x"})) is course


def test_the_coordinator_moves_by_the_same_table() -> None:
    dialect = DIALECTS["generic"]
    cancelled = set_(Course(), dialect, "cancelled", "requester", NOW, reason="The family moved")
    assert isinstance(cancelled, Course)
    assert (cancelled.state, cancelled.reason) == ("cancelled", "The family moved")
    begun = say(Course(), task("accepted", 2), task("in-progress", 3))
    assert set_(begun, dialect, "cancelled", "requester", NOW) == Impossible("not-theirs")


def test_who_writes_without_end_fills_nothing_up() -> None:
    course = Course(state="accepted")
    for version in range(1, 3 * MOST_FLAGS):
        course = say(course, task(STATES[version % 2], version))
    assert len(course.flags) <= MOST_FLAGS
    many = tuple(replace(Step("", "receiver", "accepted", "accepted")) for _ in range(MOST_STEPS - 1))
    course = say(replace(course, steps=many), task("in-progress", 1000), task("on-hold", 1001))
    assert len(course.steps) == MOST_STEPS
    assert course.flags[-1].why == "too-many"


STATUS = st.sampled_from([*STATES, "ready", "nonsense"])
SAID = st.lists(st.tuples(STATUS, st.sampled_from(["", "scheduled", "no-show"]), st.booleans()), max_size=12)


def _tasks(said: list[tuple[str, str, bool]]) -> list[dict[str, Any]]:
    made = []
    for version, (status, business, reason) in enumerate(said, start=2):
        more: dict[str, Any] = {"statusReason": {"text": "why"}} if reason else {}
        if business:
            more["businessStatus"] = {"coding": [{"system": OURS, "code": business}]}
        made.append(task(status, version, **more))
    return made


@settings(max_examples=400 if PROOFS else 40)
@given(said=SAID, dialect=st.sampled_from(sorted(DIALECTS)), gaps=st.booleans(), again=st.lists(st.integers(0, 11)))
def test_a_history_is_linear_and_replays_change_nothing(
    said: list[tuple[str, str, bool]], dialect: str, gaps: bool, again: list[int]
) -> None:
    """Each step begins where the one before ended; what came before, again and in any order, leaves all as it is."""
    tasks = _tasks(said)
    course = say(Course(), *tasks, dialect=dialect, gaps=gaps)
    steps = [("", "requested"), *ways(course)]
    assert all(before[1] == after[0] for before, after in itertools.pairwise(steps))
    assert steps[-1][1] == course.state
    replayed = say(course, *(tasks[place] for place in again if place < len(tasks)), dialect=dialect, gaps=gaps)
    assert replayed == course


@settings(max_examples=400 if PROOFS else 40)
@given(said=SAID, dialect=st.sampled_from(sorted(DIALECTS)))
def test_what_has_ended_has_ended(said: list[tuple[str, str, bool]], dialect: str) -> None:
    course = Course()
    for each in _tasks(said):
        after = say(course, each, dialect=dialect)
        if DIALECTS[dialect].ended(course.state):
            assert after.state == course.state
        course = after


@settings(max_examples=400 if PROOFS else 40)
@given(said=SAID, dialect=st.sampled_from(sorted(DIALECTS)))
def test_a_course_is_written_and_read_as_it_is(said: list[tuple[str, str, bool]], dialect: str) -> None:
    course = say(Course(), *_tasks(said), dialect=dialect)
    assert courses.read(json.loads(json.dumps(courses.written(course)))) == course


def test_an_answer_is_the_same_only_with_the_same_version_and_source() -> None:
    one = answers.read(task("accepted", 2), GENERIC, source="there")
    assert answers.read(task("accepted", 2), GENERIC, source="there") == one
    assert answers.read(task("accepted", 3), GENERIC, source="there").key != one.key
    assert answers.read(task("accepted", 2), GENERIC, source="here").key != one.key
    assert isinstance(one, Answer)


def test_a_time_that_the_partner_gives_is_kept_beside_ours() -> None:
    said = (NOW - timedelta(days=2)).isoformat()
    course = say(Course(), task("accepted", 2, lastModified=said))
    assert (course.steps[0].said_at, course.steps[0].at) == (said, NOW.isoformat())
