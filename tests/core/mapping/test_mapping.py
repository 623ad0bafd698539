"""Mapping files: the wrapper, and every problem of a file at once with its line."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.core.mapping.mapping import load_mapping
from adapter.errors import Misconfigured

GOAL = """
each: goals
when: status != 'proposed'
make:
  resourceType: Goal
  lifecycleStatus: "{{ status }}"
  description: {text: "{{ title }}"}
  subject: "{{ 'child'.reference('Patient') }}"
  target:
    - "{{ target }}":
        measure: {text: "{{ %record.measure }}"}
        detailQuantity: {value: "{{ value }}", unit: "{{ unit }}"}
"""


def reference(env: Any, items: list[Any], *types: list[Any]) -> list[Any]:
    return [{"reference": f"urn:{types[0][0]}:{i}"} for i in items]


def test_a_mapping_is_its_wrapper_and_its_template() -> None:
    """The sample of style.md: what it says, and what it makes of a record with and without a target."""
    (goal,) = load_mapping(GOAL, file="r4/goal.yaml", functions={"reference": reference})
    assert (goal.name, goal.each, goal.type, goal.slot, goal.directory) == ("goal", "goals", "Goal", "", False)
    record = {"status": "active", "title": "Walk", "measure": "days", "target": {"value": 4, "unit": "d"}}
    assert goal.when is not None
    assert goal.when.holds(record)
    made = goal.template.render(record, {"record": record})
    assert made == {
        "resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "Walk"},
        "subject": {"reference": "urn:Patient:child"},
        "target": [{"measure": {"text": "days"}, "detailQuantity": {"value": 4, "unit": "d"}}],
    }  # fmt: skip
    assert "target" not in goal.template.render({"status": "active"}, {"record": {}})


def test_a_file_may_hold_several_mappings() -> None:
    """Slots tell them apart; directory resources are marked."""
    text = ("each: people\nslot: a\ndirectory: true\nmake: {resourceType: Organization}\n---\n"
            "each: people\nslot: b\nmake: {resourceType: Organization}\n")  # fmt: skip
    a, b = load_mapping(text, file="r4/organization.yaml", functions={})
    assert (a.name, a.slot, a.directory) == ("organization Organization a", "a", True)
    assert (b.name, b.slot, b.directory) == ("organization Organization b", "b", False)
    with pytest.raises(Misconfigured) as caught:
        load_mapping(text.replace("slot: b", "slot: a"), file="r4/organization.yaml", functions={})
    assert "give them a `slot` each" in caught.value.findings[0].detail


MAKE = "each: goals\nmake:\n  resourceType: Goal\n"
WRONG = [
    ("an unknown key", "each: goals\nwehn: x\nmake: {resourceType: Goal}", 2, "`wehn` is no key of a mapping"),
    ("no each", "make: {resourceType: Goal}", 1, "`each` is missing"),
    ("an each that is no path", "each: goals[0]\nmake: {resourceType: Goal}", 1, "`each` is"),
    ("no make", "each: goals", 1, "`make` is missing"),
    ("no resourceType", "each: goals\nmake:\n  status: x", 3, "`make` needs a `resourceType`"),
    ("a resourceType that is computed", "each: goals\nmake:\n  resourceType: '{{ type }}'", 3, "written out"),
    ("an id", MAKE + "  id: '{{ path }}'", 4, "a mapping makes no `id`"),
    ("a key without a value", MAKE + "  status:\n  x: 1", 4, "`status` has no value"),
    ("a reference by hand", MAKE + "  subject:\n    reference: 'Patient/{{ id }}'", 5, "not written by hand"),
    ("a slot of capital letters", "slot: B\n" + MAKE, 1, "`slot` is"),
    ("a directory of text", "directory: 'yes'\n" + MAKE, 1, "`directory` is true or false"),
    ("a when with braces", "when: '{{ a }}'\n" + MAKE, 1, "without braces"),
    ("a when that is no expression", "when: a and\n" + MAKE, 1, "column 12: the expression ends too early"),
    ("trace", MAKE + "  status: \"{{ a.trace('x') }}\"", 4, "`trace` is refused"),
    ("an unknown variable", MAKE + "  status: '{{ %recrod.a }}'", 4, "column 15: there is no variable %recrod"),
    ("an unknown function", MAKE + "  status: \"{{ a.reference('X') }}\"", 4, "there is no function `reference`"),
    ("a key twice", MAKE + "  status: a\n  status: b", 5, "the key `status` is there twice"),
    ("a list", "- a", 1, "a mapping is an object"),
    ("an empty file", "# nothing", 1, "there is no mapping in this file"),
    ("no YAML", "each: [", 1, "column"),
]


@pytest.mark.parametrize(("text", "line", "reason"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_wrong_file_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    """One mistake, one finding, on the line where a person would mend it."""
    with pytest.raises(Misconfigured) as caught:
        load_mapping(text, file="r4/goal.yaml", functions={})
    (finding,) = caught.value.findings
    assert (finding.file, finding.line) == ("r4/goal.yaml", line)
    assert reason in finding.detail


def test_every_problem_of_a_file_is_found_at_once() -> None:
    """In every document, in the wrapper and in the template, ordered by line."""
    text = MAKE + "  a: '{{ b. }}'\n  c: '{{ %d }}'\n---\nwhen: x y\nmake: {id: x}\n"
    with pytest.raises(Misconfigured) as caught:
        load_mapping(text, file="f.yaml", functions={})
    assert [f.line for f in caught.value.findings] == [4, 5, 7, 7, 8, 8]
