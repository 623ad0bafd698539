"""Names in expressions and elements in templates are followed as far as their types are known, and no farther."""

from __future__ import annotations

import pytest
from fhirpathpy.models import models

from adapter.core.mapping.elements import Model
from adapter.core.mapping.positions import read_yaml
from adapter.core.mapping.reads import elements, reads
from adapter.core.schema import Group, Leaf, Listing

STEP = Group({"text": Leaf(""), "due": Leaf("")})
GOAL = Group(
    {
        "title": Leaf(""),
        "status": Leaf("", codes="goal-status"),
        "steps": Listing(STEP),
        "target": Group({"unit": Leaf("")}),
    }
)
CASE = Group({"goals": Listing(GOAL)})
MODEL = Model(models["r4"])


def told(text: str) -> list[str]:
    document = read_yaml(text, "t.yaml")[0]
    found = reads(
        document.value, document.positions, record=GOAL, variables={"case": CASE, "partner": None}, types=MODEL.names
    )
    return [f"{line}:{column}: {reason}" for line, column, reason in found.problems]


@pytest.mark.parametrize(
    "expression",
    [
        "title", "path",
        "steps.text", "steps.where(due > today()).text", "steps.select(text)", "%case.goals.title",
        "steps.first().due", "steps[0].text", "%partner.anything.at.all", "title.upper().length()",
        "steps.text | title",
        "iif(title.exists(), steps.first(), {}).text", "%case.goals.where(title = %context.title).steps.text",
        "steps.all(text.exists())", "title.reference('Patient', 'Task#slot')", "Goal.title",
        "%case.consents.provisions",
    ],
)  # fmt: skip
def test_what_is_right_or_not_known_is_not_told(expression: str) -> None:
    assert told(f'a: "{{{{ {expression} }}}}"') == []


@pytest.mark.parametrize(
    ("text", "line", "name"),
    [
        ("a: '{{ titel }}'", "1:8", "`titel`"),
        ("a: 1\nb: 'x {{ title }} {{ steps.txt }}'", "2:28", "`txt`"),
        ("a: '{{ steps.where(do > today()) }}'", "1:20", "`do`"),
        ("a: '{{ steps.select(txt) }}'", "1:21", "`txt`"),
        ("a: '{{ title.text }}'", "1:14", "single value"),
        ("a: '{{ %case.gaols }}'", "1:14", "`gaols`"),
        ("- '{{ steps }}': {b: '{{ title }}'}", "1:26", "`title`"),
        ("- '{% for s in steps %}': {b: '{{ %s.txt }}'}", "1:38", "`txt`"),
        ("'{% assign %}': [{s: '{{ steps.first() }}'}]\nb: '{{ %s.txt }}'", "2:11", "`txt`"),
        ("'{% if steps.txt.exists() %}': {b: 1}", "1:14", "`txt`"),
        ("a: '{[ steps.txt ]}'", "1:14", "`txt`"),
        ("a: '{{ target.units }}'", "1:15", "`units`"),
        ("a: \"{{ title.reference('Patience') }}\"", "1:24", "no such type"),
        ("a: '{{ titel.sum() + steps.count() }}'", "1:8", "`titel`"),
    ],
)
def test_a_name_that_nothing_has_is_told_with_its_place(text: str, line: str, name: str) -> None:
    (found,) = told(text)
    assert found.startswith(f"{line}: ") and name in found


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{resourceType: Goal, description: {text: x}, target: [{detailQuantity: {value: 1}}], _startDate: {}}", []),
        ("{resourceType: Goal, contained: [{resourceType: Patient, birthDate: x, id: p}], meta: {tag: [{code: x}]}}",
         []),
        ("{resourceType: Goal, '{% merge %}': {note: [{text: x}]}, '{% if a %}': {startDate: x}}", []),
        ("{resourceType: Goal, extension: [{url: u, valuePeriod: {start: x}, extension: [{url: v}]}]}", []),
        ("{resourceType: Goal, descripton: {text: x}}", ["Goal has no element `descripton`"]),
        ("{resourceType: Goal, start: x}", ["Goal has no element `start`"]),
        ("{resourceType: Goal, target: [{detail: 1}]}", ["Goal.target has no element `detail`"]),
        ("{resourceType: Goal, '{{ a }}': {note: [{txt: x}]}}", ["Annotation has no element `txt`"]),
        ("{resourceType: Goal, contained: [{resourceType: Patient, birthday: x}]}",
         ["Patient has no element `birthday`"]),
        ("{resourceType: Gaol}", ["there is no type Gaol in FHIR"]),
    ],
)  # fmt: skip
def test_elements_are_those_of_the_type(text: str, wrong: list[str]) -> None:
    document = read_yaml(text, "t.yaml")[0]
    found = elements(document.value, document.positions, MODEL, document.value["resourceType"])
    assert [reason for _, _, reason in found] == wrong
