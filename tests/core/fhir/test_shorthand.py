"""FHIR Shorthand is read with the line of each keyword and rule, rule sets in the place where they are inserted."""

from __future__ import annotations

from adapter.core.fhir.shorthand import Shorthand, read

TEXT = """// What it is about.
Alias: $kind = https://own.example/CodeSystem/kind

RuleSet: Coded(kind)
* code = $kind#{kind}
* insert Told

RuleSet: Told
* note MS

Profile: OwnGoal
Parent: Goal
Id: own-goal
Title: "A goal, in \\"words\\""
* insert Coded(home)
* extension contains
    OwnKind named kind 0..1 MS and
    OwnRank named rank 0..*
* note 1..*
"""


def test_keywords_and_rules_have_their_lines() -> None:
    shorthand = Shorthand()
    read(TEXT, "goal.fsh", shorthand)
    goal = shorthand.named("Profile", "OwnGoal")
    assert goal is not None and shorthand.aliases == {"$kind": "https://own.example/CodeSystem/kind"}
    assert (goal.line, goal.keyword("Id"), goal.at("Id"), goal.keyword("Title")) == (
        11,
        "own-goal",
        13,
        'A goal, in "words"',
    )
    assert [rule.line for rule in goal.rules] == [15, 16, 19]
    assert goal.rules[1].lines[1] == (17, "OwnKind named kind 0..1 MS and")


def test_rule_sets_stand_where_they_are_inserted_with_what_they_are_given() -> None:
    shorthand = Shorthand()
    read(TEXT, "goal.fsh", shorthand)
    goal = shorthand.named("Profile", "OwnGoal")
    assert goal is not None
    rules = [(rule.line, rule.text) for _, rule in shorthand.rules(goal)]
    assert [rules[0], rules[1], rules[-1]] == [(5, "code = $kind#home"), (9, "note MS"), (19, "note 1..*")]


def test_a_rule_set_that_inserts_itself_ends() -> None:
    shorthand = Shorthand()
    read("RuleSet: A\n* insert A\n\nProfile: P\n* insert A\n", "a.fsh", shorthand)
    goal = shorthand.named("Profile", "P")
    assert goal is not None
    assert [rule.text for _, rule in shorthand.rules(goal)] == ["insert A"]
