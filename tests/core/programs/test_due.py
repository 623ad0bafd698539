# ruff: noqa: E501  a table reads row by row
"""What holds of every case and every day: never an error, days that only the records set, nothing of a record told."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.core.programs import Known, Program, due, load_program
from adapter.core.programs.calendar import Interval, birthday, day_of
from adapter.core.programs.due import CANNOT
from adapter.core.programs.program import KINDS
from tests.core.consent.proofs.generators import seeds, situation
from tests.core.programs.cases import NOW, ONTARIO, PERSON, WHOLE, WRAP, ZONE, changed, found, read

RANK = {"missing": 0, "due": 1, "overdue": 2, "warning": 3}
TODAY_RULES = {"single-point-of-contact", "team-of-natural-and-formal-supports", "responsibility-6-medical-providers"}
"""Rules that ask who is on the team today: what they find may change with the day by itself."""


def any_case(random: Random, program: str) -> dict[str, Any]:
    return {**situation(random).case, "program": program}


@settings(max_examples=40, deadline=None)
@given(
    seeds(),
    st.sampled_from(sorted(WHOLE)),
    st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)),
    st.integers(0, 4000),
)
def test_any_case_on_any_day_is_answered(random: Random, program: str, now: datetime, days: int) -> None:
    """And each answer is a rule of the program, of a kind, at a place of the case, in the file's own words."""
    case = any_case(random, program)
    rules = {rule.id: rule for rule in read().programs[program].rules}
    told = found(case, now.replace(tzinfo=UTC), days=days)
    assert [f.kind for f in told] == sorted((f.kind for f in told), key=KINDS.index)
    for finding in told:
        assert finding.program == program
        assert finding.source == rules[finding.rule].source
        assert finding.path.split("/")[0] in {*read().schemas.collections}
        assert finding.sentence is not CANNOT
        if "{area}" not in rules[finding.rule].sentence["en"]:
            assert finding.sentence == rules[finding.rule].sentence
        assert (finding.due is None) == (
            finding.kind == "missing" or (finding.kind == "warning" and finding.rule != "eligible-by-age")
        )


@settings(max_examples=40, deadline=None)
@given(seeds(), st.sampled_from(sorted(WHOLE)), st.integers(0, 3000), st.integers(1, 3000))
def test_as_days_pass_what_is_asked_only_grows_more_urgent(
    random: Random, program: str, start: int, later: int
) -> None:
    """A case that nobody touches: what is missing stays, what is due stays due or becomes overdue, on the same day."""
    case = any_case(random, program)
    then = NOW + timedelta(days=start - 1500)
    before = {(f.rule, f.path, f.sentence["en"]): f for f in found(case, then)}
    after = {(f.rule, f.path, f.sentence["en"]): f for f in found(case, then + timedelta(days=later))}
    for mark, finding in before.items():
        if mark[0] not in TODAY_RULES:
            assert mark in after
            assert after[mark].due == finding.due
            assert RANK[after[mark].kind] >= RANK[finding.kind]


@pytest.mark.parametrize("program", WHOLE)
def test_an_empty_case_only_misses_things(program: str) -> None:
    told = found({"case": "C-0", "program": program, "child": {"name": {"given": ["A"]}}})
    assert told
    assert {f.kind for f in told} == {"missing"}
    assert {f.due for f in told} == {None}


@settings(max_examples=15, deadline=None)
@given(seeds(), st.sampled_from(sorted(WHOLE)))
def test_no_word_of_a_record_is_told(random: Random, program: str) -> None:
    """Every text of the case is replaced by a marker: none of them is in what is told."""
    case = any_case(random, program)
    texts = {"text", "title", "what", "note", "vision", "about_me", "story", "barrier", "reason", "measure", "region"}

    def marked(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {k: marked(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [marked(v, name) for v in value]
        return "Wickenbrook" if name in texts and isinstance(value, str) else value

    told = found(marked(case))
    assert "Wickenbrook" not in json.dumps([[*f[:6], dict(f.sentence), f.source] for f in told], default=str)


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        pytest.param("2026-05-22", "due", id="six months are over tomorrow: due"),
        pytest.param("2026-05-21", "due", id="today is the last day: still due"),
        pytest.param("2026-05-20", "overdue", id="yesterday was the last day: overdue"),
        pytest.param("2026-06-21", "due", id="in thirty days: due"),
        pytest.param("2026-06-22", None, id="in thirty-one days: nothing yet"),
    ],
)
def test_the_last_day_is_a_whole_day(last: str, kind: str | None) -> None:
    case = changed(ONTARIO, {"care_plans/0/reviews/last": last, "care_plans/0/services": [], "needs/0/status": "met"})
    told = [f for f in found(case) if f.rule == "plan-reviewed-every-six-months"]
    assert [f.kind for f in told] == ([kind] if kind else [])
    if kind == "overdue":
        assert (told[0].due, told[0].since) == (date(2026, 11, 20), date(2026, 11, 21))


def test_a_day_begins_at_midnight_where_the_agency_is() -> None:
    """03:30 UTC is still the day before in Toronto; and a date-time counts as the day that it is there."""
    case = changed(WRAP, {"goals/0/due": "2026-11-20"})
    at = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
    assert [f.kind for f in found(case, at) if f.rule == "goal-day-kept"] == ["due"]
    assert [f.kind for f in found(case, at + timedelta(hours=2)) if f.rule == "goal-day-kept"] == ["overdue"]
    assert day_of("2026-11-21T03:30:00Z", ZONE) == date(2026, 11, 20)
    assert day_of("2026-06-30T23:59:60Z", ZONE) == date(2026, 6, 30)
    assert day_of("tomorrow", ZONE) is None


@pytest.mark.parametrize(
    ("changes", "on"),
    [
        pytest.param({}, "2027-05-10", id="every six months"),
        pytest.param({"reviews/every": "P2M"}, "2027-01-10", id="more often where it was agreed"),
        pytest.param({"reviews/every": "P1Y"}, "2027-05-10", id="never less often than the program says"),
        pytest.param({"reviews/next": "2026-12-24"}, "2026-12-24", id="on the day that was set, if it is earlier"),
        pytest.param({"reviews/next": "2027-08-01"}, "2027-05-10", id="not later because a later day was set"),
        pytest.param({"reviews/next": "2026-10-01"}, "2027-05-10", id="a day that was kept already says nothing"),
        pytest.param({"transitions": [{"id": "t", "kind": "adulthood", "date": "2027-06-01"}]}, "2027-02-10", id="in three months near a transition"),
        pytest.param({"transitions": [{"id": "t", "kind": "other", "date": "2027-10-01"}]}, "2027-04-01", id="when the time around a transition begins"),
        pytest.param({"transitions": [{"id": "t", "kind": "other", "date": "2026-11-12"}]}, "2027-02-10", id="once more after a transition"),
        pytest.param({"transitions": [{"id": "t", "kind": "other", "date": "2026-10-12"}]}, "2027-05-10", id="no more when it is long past"),
    ],
)  # fmt: skip
def test_when_the_next_review_is(changes: dict[str, Any], on: str) -> None:
    case = changed(ONTARIO, {f"care_plans/0/{path}": value for path, value in changes.items()})
    (review,) = [f for f in found(case, days=400) if f.rule == "plan-reviewed-every-six-months"]
    assert (review.kind, review.due) == ("due", date.fromisoformat(on))


@pytest.mark.parametrize(
    ("born", "enrolled", "told"),
    [
        pytest.param("2008-11-22", False, ("due", "2026-11-21"), id="eighteen tomorrow: today is the last day"),
        pytest.param("2008-11-21", False, ("warning", "2026-11-20"), id="eighteen today"),
        pytest.param("2008-11-21", True, None, id="eighteen today, and at school"),
        pytest.param("2005-11-21", True, ("warning", "2026-11-20"), id="twenty-one today, and at school"),
        pytest.param("2009-06-21", False, None, id="far from eighteen"),
    ],
)
def test_until_which_age(born: str, enrolled: bool, told: tuple[str, str] | None) -> None:
    case = changed(ONTARIO, {"child/birth_date": born, "child/school/enrolled": enrolled})
    ages = [(f.kind, str(f.due)) for f in found(case) if f.rule == "eligible-by-age"]
    assert ages == ([told] if told else [])


def test_born_on_a_leap_day() -> None:
    assert birthday(date(2008, 2, 29), 18) == date(2026, 3, 1)
    assert birthday(date(2008, 2, 29), 20) == date(2028, 2, 29)
    assert birthday(date(9990, 1, 1), 20) is None
    assert birthday(date(9980, 2, 29), 19) == date(9999, 3, 1)


@pytest.mark.parametrize(
    ("length", "after", "before"),
    [
        ("P14D", "2024-02-14", "2024-01-17"),
        ("P2W", "2024-02-14", "2024-01-17"),
        ("P1M", "2024-02-29", "2023-12-31"),
        ("P13M", "2025-02-28", "2022-12-31"),
        ("P1Y", "2025-01-31", "2023-01-31"),
        ("P9999Y", None, None),
        ("P9999W", "2215-09-20", "1832-06-13"),
    ],
)
def test_a_length_of_time_moves_a_day(length: str, after: str | None, before: str | None) -> None:
    interval = Interval.of(length)
    assert interval is not None
    moved = interval.after(date(2024, 1, 31)), interval.before(date(2024, 1, 31))
    assert [str(day) if day else None for day in moved] == [after, before]


@pytest.mark.parametrize("text", ["P0D", "P14", "14D", "P1M2D", "P10000D", "p1d", None, 14])
def test_what_is_no_length_of_time(text: Any) -> None:
    assert Interval.of(text) is None


def test_each_area_of_life_that_nobody_spoke_of_is_told_by_its_name() -> None:
    told = found(changed(PERSON, {"strengths/0/domain": "culture", "strengths/4/domain": "culture"}))
    assert [f.sentence["en"].split(":")[0] for f in told] == [
        "Ask the person about dental services",
        "Ask the person about work",
    ]
    assert [f.sentence["fr"] for f in told] == [
        "Parler avec la personne de ceci : les soins dentaires. Rien dans le dossier n'en parle.",
        "Parler avec la personne de ceci : le travail. Rien dans le dossier n'en parle.",
    ]


@pytest.mark.parametrize(
    ("status", "asked"),
    [("active", True), ("waitlisted", False), ("inactive", False), ("discharged", False), (None, True)],
)
def test_a_rule_is_asked_in_its_stage_and_where_the_stage_is_not_known(status: str | None, asked: bool) -> None:
    case = changed(ONTARIO, {"strengths": [], **({"enrolment/status": status} if status else {"enrolment": None})})
    assert ("cycle-3-strengths-identified" in {f.rule for f in found(case)}) is asked


KNOWN = Known(each={"case", "goals"}, stages={"active"}, priorities=set(), lists={})


def one_rule(must: str) -> Program:
    text = (
        f"title: {{en: A, fr: A}}\nrules:\n  one:\n    must: {must}\n    en: Look.\n    fr: Voir.\n    source: here\n"
    )
    return load_program(text, id_="a", file="a.yaml", known=KNOWN)


def test_an_expression_that_a_record_cannot_answer_is_told_and_hides_nothing() -> None:
    """Two items where one is needed: FHIRPath's error becomes a finding at that record, and the others are answered."""
    goals = [{"id": "g1", "steps": [{"status": "done"}, {"status": "done"}]}, {"id": "g2", "steps": []}]
    case = {"case": "C", "program": "a", "child": {}, "goals": goals}
    broken = one_rule("{each: goals, holds: \"steps.status.single() = 'done'\"}")
    assert [(f.kind, f.path) for f in due(case, broken, NOW, ZONE)] == [
        ("missing", "goals/g2"),
        ("warning", "goals/g1"),
    ]


def test_a_name_that_cannot_be_worked_out_is_told_by_each_rule_that_uses_it() -> None:
    text = (
        'title: {en: A, fr: A}\nlet:\n  done: "goals.status.single()"\nrules:\n'
        "  one:\n    must: {at: goals, when: \"%done = 'active'\", holds: goals.exists()}\n"
        "    en: Look.\n    fr: Voir.\n    source: here\n"
    )
    program = load_program(text, id_="a", file="a.yaml", known=KNOWN)
    case = {
        "case": "C",
        "program": "a",
        "child": {},
        "goals": [{"id": "g1", "status": "x"}, {"id": "g2", "status": "y"}],
    }
    assert [(f.kind, f.rule, f.sentence) for f in due(case, program, NOW, ZONE)] == [("warning", "one", CANNOT)]
