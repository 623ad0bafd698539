"""FHIRPath Mapping Language, sentence by sentence of its specification, and what it refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter.core.mapping.fhirpath import ExpressionError
from adapter.core.mapping.positions import read_yaml
from adapter.core.mapping.template import compile_template
from adapter.errors import Misconfigured

RECORD = {
    "id": "r1", "country": "CA", "list": [{"key": "a", "n": 1}, {"key": "b"}, {}],
    "whole": {"x": 1, "gone": [], "y": {}},
    "n": 5, "f": Decimal("1.10"), "yes": True, "trap": "{{ id }}",
}  # fmt: skip

MADE: list[tuple[str, Any, Any]] = [
    ("a constant stays", {"a": "x", "b": 1, "c": False}, {"a": "x", "b": 1, "c": False}),
    ("an expression keeps the type", {"a": "{{ n }}", "b": "{{ yes }}"}, {"a": 5, "b": True}),
    ("a decimal keeps its text", {"a": "{{ f }}"}, {"a": Decimal("1.10")}),
    ("an expression gives its first item", "{{ list.key }}", "a"),
    ("an array template gives all", {"a": "{[ list.key ]}"}, {"a": ["a", "b"]}),
    ("an array template in a list is flattened", ["{[ list.key ]}", "c"], ["a", "b", "c"]),
    ("an absent value drops its key", {"a": "{{ nope }}", "b": 1}, {"b": 1}),
    ("absence reaches up", {"a": [{"b": ["{{ nope }}"]}], "c": 1}, {"c": 1}),
    ("everything absent is nothing", {"a": [{"b": ["{{ nope }}"]}]}, None),
    ("an object of the record comes without its empty parts", "{{ whole }}", {"x": 1}),
    ("a kept null", {"a": "{{+ nope +}}"}, {"a": None}),
    ("a kept null in a list", ["{{+ nope +}}", "{{ n }}"], [None, 5]),
    ("lists in lists are flattened", {"a": [[1, 2], [3, [4]]]}, {"a": [1, 2, 3, 4]}),
    ("text around an expression", "Patient/{{ id }}", "Patient/r1"),
    ("text around several", "{{ id }}-{{ n }}-{{ yes }}", "r1-5-true"),
    ("text around nothing is nothing", {"a": "Practitioner/{{ nope }}", "b": 1}, {"b": 1}),
    ("text around a kept null", {"a": "x{{+ nope +}}"}, {"a": None}),
    ("text around an object is nothing", {"a": "x{{ whole }}", "b": 1}, {"b": 1}),
    ("braces in text", "a{b}c{{ id }}", "a{b}cr1"),
    ("braces in an expression's text", "{{ 'a}}b' }}", "a}}b"),
    ("an empty collection in an expression", "{{ iif(yes, {}, 1)}}", None),
    ("several lines", "{{\n list.where(\n key = 'a').n\n}}", 1),
    ("assign, in order", {"{% assign %}": [{"a": 1}, {"b": "{{ %a + 1 }}"}], "c": "{{ %b }}"}, {"c": 2}),
    ("assign one", {"{% assign %}": {"a": "{{ id }}"}, "c": "{{ %a }}"}, {"c": "r1"}),
    ("assign nothing", {"{% assign %}": {"a": "{{ nope }}"}, "c": "{{ %a }}", "d": 1}, {"d": 1}),
    ("assign an object", {"{% assign %}": {"a": {"x": "{{ id }}"}}, "c": "{{ %a.x }}"}, {"c": "r1"}),
    ("assign is scoped", {"{% assign %}": {"a": 1}, "in": {"{% assign %}": {"a": 2}, "v": "{{ %a }}"}, "v": "{{ %a }}"},
     {"in": {"v": 2}, "v": 1}),
    ("if", {"a": {"{% if country = 'CA' %}": {"b": 1}, "{% else %}": {"b": 2}}}, {"a": {"b": 1}}),
    ("else", {"a": {"{% if country = 'US' %}": {"b": 1}, "{% else %}": "x"}}, {"a": "x"}),
    ("if without else", {"a": {"{% if nope %}": 1}, "b": 1}, {"b": 1}),
    ("if holds for one item", {"{% if country %}": {"b": 1}}, {"b": 1}),
    ("if merges", {"a": 1, "{% if yes %}": {"b": "{{ id }}"}, "{% else %}": {"c": 1}}, {"a": 1, "b": "r1"}),
    ("if in a list", [{"{% if yes %}": [1, 2]}, {"{% if nope %}": 3}], [1, 2]),
    ("if keeps a null", {"a": {"{% if yes %}": "{{+ nope +}}"}}, {"a": None}),
    ("for", {"a": {"{% for i in list %}": {"k": "{{ %i.key }}"}}}, {"a": [{"k": "a"}, {"k": "b"}]}),
    ("for with an index", [{"{% for n, i in list %}": "{{ %n }}"}], [0, 1, 2]),
    ("for over an assigned list",
     {"{% assign %}": {"l": [1, 2]}, "a": [{"{% for i in %l %}": "{{ %i + 1 }}"}]}, {"a": [2, 3]}),
    ("for keeps the input", [{"{% for i in list %}": "{{ id }}"}], ["r1", "r1", "r1"]),
    ("a context block", {"a": {"{{ list }}": {"k": "{{ key }}", "c": "{{ %context.id }}"}}},
     {"a": [{"k": "a", "c": "r1"}, {"k": "b", "c": "r1"}, {"c": "r1"}]}),
    ("a context block over text", ["{{ id }}", {"{{ list.key }}": "{{ $this }}!"}], ["r1", "a!", "b!"]),
    ("merge", {"z": 0, "{% merge %}": [{"a": 1}, {"b": "{{ id }}"}, {"c": "{{ nope }}"}]}, {"z": 0, "a": 1, "b": "r1"}),
    ("merge an object of the record", {"a": 1, "{% merge %}": "{{ whole }}"}, {"a": 1, "x": 1}),
    ("merge nothing", {"a": 1, "{% merge %}": "{{ nope }}"}, {"a": 1}),
    ("merge and if in one object", {"{% merge %}": {"a": 1}, "{% if yes %}": {"b": 2}}, {"a": 1, "b": 2}),
    ("what a record says is no template", {"a": "{{ trap }}", "b": "x {{ trap }}"},
     {"a": "{{ id }}", "b": "x {{ id }}"}),
    ("names that are words of Python", {"class": "{{ id }}", "from": {"import": "{{ n }}", "x": 1}},
     {"class": "r1", "from": {"import": 5, "x": 1}}),
    ("names that the source uses itself", {"{% assign %}": [{"items": 1}, {"one": 2}, {"env": 3}, {"this": 4}],
                                          "record": "{{ id }}", "step": "{{ %items + %one + %env + %this }}"},
     {"record": "r1", "step": 10}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "wanted"), [m[1:] for m in MADE], ids=[m[0] for m in MADE])
def test_a_template_makes(body: Any, wanted: Any) -> None:
    """The value of the specification, with the types of the record, and the same a second time."""
    template = compile_template(body, name="t")
    for _ in range(2):
        made = template.render(RECORD)
        assert made == wanted
        assert repr(made) == repr(wanted)


def test_what_is_made_shares_nothing_with_the_record_or_the_template() -> None:
    """Changing one resource changes neither the record nor the next resource."""
    record = {"o": {"l": [1]}, "l": [{"a": 1}]}
    template = compile_template({"o": "{{ o }}", "l": "{[ l ]}", "c": {"d": [1]}}, name="t")
    first = template.render(record)
    first["o"]["l"].append(2)
    first["l"][0]["a"] = 2
    first["c"]["d"].append(2)
    assert record == {"o": {"l": [1]}, "l": [{"a": 1}]}
    assert template.render(record) == {"o": {"l": [1]}, "l": [{"a": 1}], "c": {"d": [1]}}


@pytest.mark.parametrize(
    "record", ["text", 5, None, [], [[]], {"list": 5}, {"list": {"key": []}}, [{"id": "a"}]], ids=repr
)
def test_no_shape_of_input_leaves_an_empty_part(record: Any) -> None:
    """Never `{}`, `[]` or half a text, whatever the record is."""
    body = {"a": "{{ id }}", "b": {"{{ list }}": {"k": "{{ key }}"}}, "c": "x/{{ list.key }}", "d": [{"e": "{{ n }}"}]}
    made = compile_template(body, name="t").render(record)
    assert made in (None, {"a": "a"})


WRONG = [
    ("two templates in a key", "'{{ a }}x': 1", 1, "a key is a name or one whole"),
    ("a context block beside a key", "'{{ a }}': 1\nb: 2", 1, "must be the only key"),
    ("a for block beside a key", "b: 2\n'{% for x in a %}': 1", 2, "must be the only key"),
    ("a block that is none", "'{% fro x in a %}': 1", 1, "the blocks are"),
    ("else without if", "'{% else %}': 1", 1, "`else` without `if`"),
    ("if twice", "'{% if a %}': {b: 1}\n'{%  if b %}': {b: 1}", 2, "a second `if`"),
    ("if that merges no object", "a: 1\n'{% if a %}': [1]", 2, "put the fields of objects"),
    ("merge of text", "'{% merge %}': x", 1, "put the fields of objects"),
    ("assign of two", "'{% assign %}': {a: 1, b: 2}", 1, "one key each"),
    ("assign of a text", "'{% assign %}': x", 1, "one key each"),
    ("braces that do not close", "a: '{{ b'", 1, "`{{` without `}}`"),
    ("an array in text", "a: '{[ b ]} x'", 1, "`{[` begins the whole text"),
    ("an expression", "a: 1\nb: '{{ c. }}'", 2, "column 10: the expression ends too early"),
    ("an expression in a block", "b:\n  - '{% if c( %}': 1", 2, "column 14: the expression ends too early"),
    ("an expression over lines", "b: |\n  {{ c\n    .d( }}", 3, "the expression ends too early"),
]


@pytest.mark.parametrize(("text", "line", "reason"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_wrong_template_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    """When it is compiled, whether or not a record would ever reach it."""
    document = read_yaml(text, "t.yaml")[0]
    with pytest.raises(Misconfigured) as caught:
        compile_template(document.value, name="t.yaml", positions=document.positions)
    assert [(f.file, f.line) for f in caught.value.findings] == [("t.yaml", line)]
    assert reason in caught.value.findings[0].detail


def test_strict_mode_refuses_to_read_the_input_but_not_variables() -> None:
    """Inside of a context block and of where(), the item is what the template chose, and may be read."""
    body = {
        "a": "{{ %context.id }}",
        "b": {"{{ %context.list }}": "{{ key }}"},
        "c": "{{ %context.list.where(n = 1).key }}",
    }
    assert compile_template(body, name="t", strict=True).render(RECORD) == {"a": "r1", "b": ["a", "b"], "c": "a"}
    for expression in ("id", "$this.id", "Patient.id", "list.key"):
        with pytest.raises(Misconfigured, match="no template") as caught:
            compile_template("{{ " + expression + " }}", name="t", strict=True)
        assert "strict mode" in caught.value.findings[0].detail


def test_an_error_while_running_says_the_line_of_the_file() -> None:
    """A person who reads it finds the expression, and no value of the record."""
    document = read_yaml("a: 1\nb:\n  c: '{{ list.key + 1 }}'\n", "t.yaml")[0]
    template = compile_template(document.value, name="t.yaml", positions=document.positions)
    with pytest.raises(ExpressionError) as caught:
        template.render(RECORD)
    assert (caught.value.file, caught.value.line) == ("t.yaml", 3)
    assert str(caught.value).startswith("t.yaml:3: ")
