# ruff: noqa: E501  a table reads row by row
"""What is wrong in a program's file is told where it stands; what is right is read as it is written."""

from __future__ import annotations

import pytest

from adapter.core.programs import Known, load_program, load_rules
from adapter.core.programs.calendar import Interval
from adapter.core.programs.program import Age, Cover, Must, Repeat
from adapter.errors import Misconfigured

KNOWN = Known(
    each={"case", "child", "goals", "goals.steps", "care_plans"},
    stages={"active", "waitlisted"},
    priorities={"none", "crisis"},
    lists={"domain": ["dental"]},
)
FILE = """\
title: {en: "Program", fr: "Programme"}
age_of_own_consent: 14
let:
  plans: "care_plans.where(status = 'active')"
rules:
  goal-dated:
    must: {each: goals, when: "status = 'active'", holds: due.exists(), from: "on", within: P14D}
    while: [active, waitlisted]
    ahead: P7D
    en: "Date the goal."
    fr: "Dater le but."
    source: "page 3"
  reviewed:
    repeat:
      each: care_plans
      every: [{when: "%plans.exists()", every: P3M}, {every: P6M}]
      last: reviews.last
      around: {days: transitions.date, before: P6M, after: P3M, every: P1M}
    en: "Review."
    fr: "Revoir."
    source: "page 4"
  whole-life:
    cover: {at: goals, codes: goals.domain, lists: [domain], areas: {dental: {codes: [dental], en: "teeth", fr: "les dents"}}}
    en: "{area}"
    fr: "{area}"
    source: "page 5"
  age:
    age: {under: 18, or: {under: 21, when: school.enrolled = true}}
    en: "Age."
    fr: "Âge."
    source: "page 6"
waitlist:
  source: "page 7"
  priorities:
    crisis: {en: "crisis", fr: "crise"}
    none: {en: "none", fr: "aucune"}
"""


def test_a_file_is_read_as_it_is_written() -> None:
    program = load_program(FILE, id_="p", file="p.yaml", known=KNOWN)
    assert (program.title["fr"], program.age_of_own_consent) == ("Programme", 14)
    assert [name for name, _ in program.named] == ["plans"]
    dated, reviewed, life, age = program.rules
    assert (dated.id, dated.each, dated.ahead, dated.stages) == (
        "goal-dated",
        "goals",
        Interval(7, "D"),
        {"active", "waitlisted"},
    )
    assert isinstance(dated.asks, Must) and dated.asks.within == Interval(14, "D")
    assert isinstance(reviewed.asks, Repeat) and [every for _, every in reviewed.asks.every] == [
        Interval(3, "M"),
        Interval(6, "M"),
    ]
    assert isinstance(life.asks, Cover) and life.asks.areas[0].codes == {"dental"}
    assert isinstance(age.asks, Age) and age.each == "child" and age.asks.otherwise is not None
    assert [p.code for p in program.priorities] == ["crisis", "none"]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("fr: \"Dater le but.\"", "de: \"Datieren.\"", "6: column 3: goal-dated: needs en and fr"),
        ("    source: \"page 3\"\n", "", "6: column 3: goal-dated: needs `source`"),
        ("each: goals, when", "each: gaols, when", "7: column 18: each: no record schema has gaols"),
        ("due.exists(), from", "due.exist(), from", "7: column 63: there is no function `exist`"),
        ("within: P14D", "within: 14 days", "within: must be a length of time, such as P14D"),
        (", from: \"on\", within: P14D}", ", within: P14D}", "a day is set `by` a date, or `from` a date `within` a time"),
        (", from: \"on\", within: P14D}", ", says: due}", "says: is missing or warning"),
        ("within: P14D}", "within: P14D, says: warning}", "says: what has its day is due or overdue"),
        ("holds: due.exists(), from: \"on\", within: P14D", "at: goals", "must: needs `holds`"),
        ("must: {each", "should: {each", "goal-dated: is of one kind: must, repeat, cover, age"),
        ("    must: {each", "    age: {under: 3}\n    must: {each", "goal-dated: is of one kind"),
        ("  goal-dated:", "  Goal dated:", "Goal dated: a rule's name is small letters"),
        ("holds: due", "haves: due", "haves: is not known here: each, at, when, holds"),
        ("while: [active, waitlisted]", "while: [active, waiting]", "8: column 21: while: is of active, waitlisted"),
        ("ahead: P7D", "ahead: soon", "9: column 12: ahead: must be a length of time"),
        ("%plans.exists()", "%plan.exists()", "there is no variable %plan"),
        ("  plans: \"care", "  today: \"care", "today: a name of its own"),
        ("last: reviews.last", "latest: reviews.last", "repeat: needs `last`, when it was last done"),
        ("{every: P6M}]", "{each: P6M}]", "every: needs a length of time, such as P6M"),
        ("      every: [{when: \"%plans.exists()\", every: P3M}, {every: P6M}]\n", "", "repeat: needs `every`, or `agreed`"),
        ("after: P3M, every: P1M}", "after: P3M}", "around: needs every"),
        ("codes: [dental]", "codes: [dentl]", "dental: dentl is no code of its lists"),
        ("lists: [domain]", "lists: [domains]", "there is no mappings/codes/domains.json"),
        ("at: goals, codes", "codes", "at: names the collection to tell of"),
        ("codes: goals.domain, ", "", "cover: needs `codes`, an expression"),
        ("areas: {dental: {codes: [dental], en: \"teeth\", fr: \"les dents\"}}", "areas: {}", "cover: needs `areas`"),
        ("under: 18", "under: eighteen", "under: must be years, 0 to 25"),
        ("{under: 21, when", "{when", "or: needs `under`, years, and `when`"),
        ("    crisis: {", "    crises: {", "crises: is no priority of the record schemas"),
        ("    none: {en: \"none\", fr: \"aucune\"}\n", "", "priorities: none is in no order"),
        ("  source: \"page 7\"\n", "", "waitlist: needs `source`"),
        ("age_of_own_consent: 14", "age_of_own_consent: 26", "2: column 21: age_of_own_consent: must be years, 0 to 25"),
        ("title: {en: \"Program\", fr", "title: {fr", "1: column 1: title: needs en and fr"),
        ("rules:\n", "rules: none\nrulez:\n", "rules: must hold keys and values"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_where_it_stands(before: str, after: str, told: str) -> None:
    assert before in FILE
    with pytest.raises(Misconfigured) as caught:
        load_program(FILE.replace(before, after, 1), id_="p", file="p.yaml", known=KNOWN)
    assert any(told in str(finding) for finding in caught.value.findings), [str(f) for f in caught.value.findings]
    assert all(finding.line for finding in caught.value.findings)


def test_every_mistake_is_told_at_once() -> None:
    broken = FILE.replace("ahead: P7D", "ahead: soon").replace("under: 18", "under: 99").replace("P14D", "P0D")
    with pytest.raises(Misconfigured) as caught:
        load_program(broken, id_="p", file="p.yaml", known=KNOWN)
    assert [f.line for f in caught.value.findings] == [7, 9, 28]


@pytest.mark.parametrize("text", ["", "- a\n", "a: [", "a: {b: 1}\na: 2\n"])
def test_what_is_no_program_at_all(text: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        load_program(text, id_="p", file="p.yaml", known=KNOWN)
    assert all(f.file == "p.yaml" for f in caught.value.findings)


def test_rules_of_every_program_are_rules_and_nothing_else() -> None:
    text = "rules:\n  a:\n    must: {at: goals, holds: goals.exists()}\n    en: A\n    fr: A\n    source: a\n"
    assert [rule.id for rule in load_rules(text, file="e.yaml", known=KNOWN)] == ["a"]
    with pytest.raises(Misconfigured):
        load_rules(f"title: x\n{text}", file="e.yaml", known=KNOWN)
