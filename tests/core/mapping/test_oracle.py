"""The packages `fpml` and `fhirpathpy` as the oracle: same template, same input, same output, but for their faults."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import fhirpathpy
import fpml
import pytest
from fhirpathpy.engine.invocations import invocation_registry
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.core.mapping import compiler, functions, written_out
from adapter.core.mapping.fhirpath import ExpressionError, compile_expression
from adapter.core.mapping.template import compile_template
from adapter.errors import Misconfigured

NAMES = st.sampled_from(["id", "title", "notes", "by", "text", "value"])
LEAVES = (
    st.sampled_from(["a", "b", "goal", "2026-01-01", ""])
    | st.integers(-3, 100)
    | st.sampled_from([1.5, 0.25])
    | st.booleans()
)


def _objects(children: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(NAMES, children, min_size=1, max_size=4)


def _shapes(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(LEAVES | _objects(children), min_size=1, max_size=3) | _objects(children)


# Any field may be missing, or be of a shape that nobody expects; a list in a list is none of JSON as FHIR has it.
RECORDS = _objects(st.recursive(LEAVES, _shapes, max_leaves=8))

EXPRESSIONS = [
    "id", "title", "notes.by", "notes", "value", "notes.where(by = 'a').text", "notes.first().by", "notes.count()",
    "title.exists()", "{}", "notes.exists()", "title.empty()", "notes.text | title", "notes.select(by | text)",
    "notes.all(by.exists())", "notes.by.distinct()", "notes[0]", "notes.last().text", "notes.skip(1)", "notes.tail()",
    "notes.take(1).by", "notes.where($index = 0)", "iif(title.exists(), title, id)", "notes.exists(by = 'a')",
    "title in ('a' | 'b')", "notes.by contains 'a'", "title != text", "notes.by.subsetOf(notes.text)",
    "notes.combine(title)", "notes.where(by.exists()).by.first()", "notes.isDistinct()", "notes.by.intersect('a')",
    "notes.by.exclude('a')", "title.startsWith('a')", "title.upper()", "text.contains('a')", "title.length() > 1",
    "title = 'a' and text = 'b'", "value > 1 or value < 0", "value + 1", "notes.text.join(',')", "%v.by",
    "%context.title", "notes.descendants().count()",
    "coalesce(title, text, 'x')", "notes.select(coalesce(by, text))", "title.substring(0, 1)",
    "value.abs()", "title & 'x'", "value = 1.5",
]  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_gives_what_fhirpathpy_gives(expression: str) -> None:
    """On records of every shape; where one of both refuses the input, so does the other."""
    ours, theirs = compile_expression(expression), fhirpathpy.compile(expression)

    @settings(max_examples=12, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(RECORDS)
    def same(record: dict[str, Any]) -> None:
        variables = {"v": {"by": "z"}}
        assert _outcome(lambda: ours.evaluate(record, variables)) == _outcome(lambda: theirs(record, dict(variables)))

    same()


INSERTED = st.sampled_from([
    "id", "title", "notes.by", "%context.title", "notes", "value", "%v.by", "notes.where(by = 'a').text",
    "notes.first()", "'x'", "1", "notes.count()", "title.exists()", "{}", "%x.by", "%x", "%i",
])  # fmt: skip
IN_TEXT = st.sampled_from(["%v.by", "notes.count()", "'x'", "1", "{}", "notes.where(by = 'a').count()", "%i"])
BARE = st.builds("{{{{ {} }}}}".format, INSERTED)
STRINGS = (
    BARE
    | st.builds("{{{{+ {} +}}}}".format, INSERTED)
    | st.builds("{{[ {} ]}}".format, INSERTED)
    | st.builds("p/{{{{ {} }}}}".format, IN_TEXT)
    | st.builds("{{{{ {} }}}}-{{{{+ {} +}}}}".format, IN_TEXT, IN_TEXT)
    | st.sampled_from(["c", "d"])
)
CONDITIONS = st.sampled_from(["title.exists()", "notes.by = 'a'", "value > 1", "false", "true", "{}"])
FIELDS = st.sampled_from(["a", "b", "c"])


def _blocks(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.dictionaries(FIELDS, children, max_size=3)
    return (
        st.lists(children, max_size=3)
        | objects
        | st.builds(lambda e, b: {f"{{{{ {e} }}}}": b}, INSERTED, children)
        | st.builds(lambda e, b: {f"{{% for x in {e} %}}": b}, INSERTED, children)
        | st.builds(lambda e, b: {f"{{% for i, x in {e} %}}": b}, INSERTED, children)
        | st.builds(lambda c, a, b: {f"{{% if {c} %}}": a, "{% else %}": b}, CONDITIONS, children, children)
        | st.builds(lambda c, a: {f"{{% if {c} %}}": a}, CONDITIONS, children)
        | st.builds(
            lambda o, c, a, b: {**o, f"{{% if {c} %}}": a, "{% else %}": b}, objects, CONDITIONS, objects, objects
        )
        | st.builds(lambda v, o: {"{% assign %}": [{"x": v}], **o}, BARE | objects, objects)
        | st.builds(lambda o, m: {**o, "{% merge %}": m}, objects, st.lists(objects | BARE, max_size=2))
    )


TEMPLATES = st.recursive(STRINGS | LEAVES | st.none(), _blocks, max_leaves=8)
COMPILED: dict[str, Any] = {}


def _evaluate(resource: Any, expression: str, context: dict[str, Any]) -> list[Any]:
    if expression not in COMPILED:
        COMPILED[expression] = fhirpathpy.compile(expression)
    return list(COMPILED[expression](resource, context))


@settings(max_examples=200, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(TEMPLATES, RECORDS, st.booleans())
def test_a_template_makes_what_fpml_makes(body: Any, record: dict[str, Any], strict: bool) -> None:
    """Templates of every construct, nested in every way, strict or not; where one refuses, so does the other."""
    variables = {"v": {"by": "z"}, "x": {"by": "q"}, "i": 5}
    ours = _outcome(lambda: compile_template(body, name="t", strict=strict).render(record, variables))
    if ours != "refused" or not _refused_when_loaded(body, strict):
        theirs = _outcome(
            lambda: fpml.resolve_template(record, body, dict(variables), strict=strict, evaluate=_evaluate)
        )
        assert ours == theirs


def _refused_when_loaded(body: Any, strict: bool) -> bool:
    """Ours refuses a template when it is loaded; theirs only if a record reaches the wrong part."""
    try:
        compile_template(body, name="t", strict=strict)
    except Misconfigured:
        return True
    return False


RECORD = {"id": "r1", "yes": True, "o": {"a": 1}, "list": [{"k": "a", "n": 1}, {"k": "b", "n": 2}], "trap": "{{ id }}",
          "hollow": {"e": []}, "title": "Étape", "n": 2}  # fmt: skip
TEMPLATE_FAULTS: list[tuple[str, Any, Any]] = [
    ("FPML: 'The text inside {{ and }} is a FHIRPath expression': of the template, not of the record",
     "{{ trap }}", "{{ id }}"),
    ("N1 5.5.6: 'If the input is Boolean: true → \"true\"'", "x {{ yes }}", "x true"),
    ("FPML: concatenation follows FHIRPath rules, in which an object has no text", "x {{ o }}", None),
    ("N1 4.5: 'IF the collection contains a single node AND the expected input type is Boolean THEN … true'",
     {"{% if title %}": {"a": 1}}, {"a": 1}),
    ("N1 9: '$this' at the outermost level is the input", "{{ $this.id }}", "r1"),
    ("FPML, merge and implicit merge: both in one object",
     {"{% merge %}": {"a": 1}, "{% if yes %}": {"b": 2}}, {"a": 1, "b": 2}),
    ("FPML: 'to preserve the null value in the final result'", {"a": "{{+ hollow +}}"}, {"a": None}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "wanted"), [f[1:] for f in TEMPLATE_FAULTS], ids=[f[0] for f in TEMPLATE_FAULTS])
def test_a_known_fault_of_fpml_is_not_ours(body: Any, wanted: Any) -> None:
    """Each fault with the specification's sentence; the day that fpml is right, its line goes."""
    assert compile_template(body, name="t").render(RECORD) == wanted
    assert _outcome(lambda: fpml.resolve_template(RECORD, body)) != wanted


EXPRESSION_FAULTS: list[tuple[str, str, list[Any] | str]] = [
    ("N1 5.5.6: 'true → \"true\"'", "yes.toString()", ["true"]),
    ("N1 5.3.4: single() with several items: 'the evaluation … signals an error'", "list.single()", "refused"),
    ("N1 6.9: 'is' binds closer than '|'", "(1 | 1 is Integer).count()", [2]),
    ("N1 6.6.6: 'If either or both arguments are empty, the result is empty' holds for the unary minus", "-nope", []),
    ("N1 5.7.8: round() of empty is empty", "nope.round()", []),
    ("N1 6.5.5: implies with one item that is no boolean", "id implies true", [True]),
    ("The grammar of N1: nothing may follow an expression", "id id", "refused"),
    ("N1 6.5.3: not() of several items is an error", "list.not()", "refused"),
    ("N1 7: 'value.aggregate($this + $total, 0)' is the sum, of fields as of literals", "list.n.sum()", [3]),
    (
        "N1 7: 'value.aggregate(iif($total.empty(), $this, iif($this < $total, $this, $total)))' is min()",
        "list.n.min()",
        [1],
    ),
    ("N1 7: max() likewise", "list.n.max()", [2]),
    ("N1 7: 'value.aggregate($total + $this, 0) / value.count()' is avg()", "list.n.avg()", [1.5]),
]


@pytest.mark.parametrize(
    ("expression", "wanted"), [f[1:] for f in EXPRESSION_FAULTS], ids=[f[0] for f in EXPRESSION_FAULTS]
)
def test_a_known_fault_of_fhirpathpy_is_not_ours(expression: str, wanted: Any) -> None:
    """Each fault with the specification's sentence; the day that fhirpathpy is right, its line goes."""
    assert _outcome(lambda: compile_expression(expression).evaluate(RECORD)) == wanted
    assert _outcome(lambda: fhirpathpy.evaluate(RECORD, expression, {})) != wanted


REFUSED = {"trace": "it would write values to a log"}
"""What fhirpathpy has and the compiler does not, each with its reason."""


def test_every_expression_is_compiled_and_none_needs_another_engine() -> None:
    """Every function of fhirpathpy is compiled, or refused with a reason; so no expression falls back to it."""
    table = dict.fromkeys([*functions.FUNCTIONS, *written_out.WRITTEN])
    operators = {"asOp", "isOp", "containsOp", "inOp"}
    theirs = {name for name in invocation_registry if name.isalpha() and name not in operators}
    words = {name for name in theirs if name in compiler._OPERATORS}
    assert theirs - set(table) - words == set(REFUSED)
    for name in REFUSED:
        with pytest.raises(ExpressionError, match=REFUSED[name]):
            compile_expression(f"id.{name}('x')")


# One expression for each alternative of the grammar's rules, by the names of its parser.
GRAMMAR = [
    ("TermExpression", "id"), ("InvocationExpression", "notes.by"), ("IndexerExpression", "notes[0]"),
    ("PolarityExpression", "-(1)"), ("MultiplicativeExpression", "2 * 3"), ("AdditiveExpression", "1 + 2"),
    ("UnionExpression", "1 | 2"), ("InequalityExpression", "1 < 2"), ("TypeExpression", "1 is Integer"),
    ("EqualityExpression", "1 = 1"), ("MembershipExpression", "1 in (1 | 2)"), ("AndExpression", "true and false"),
    ("OrExpression", "true xor false"), ("ImpliesExpression", "true implies false"),
    ("ExternalConstantTerm", "%v"), ("ParenthesizedTerm", "(1)"), ("LiteralTerm", "1"), ("InvocationTerm", "id"),
    ("NullLiteral", "{}"), ("BooleanLiteral", "true"), ("StringLiteral", "'x'"), ("NumberLiteral", "1.5"),
    ("DateTimeLiteral", "@2026-01-01T10:00Z"), ("TimeLiteral", "@T10:00"), ("QuantityLiteral", "4 days"),
    ("ThisInvocation", "notes.where($this.by = 'a')"), ("IndexInvocation", "notes.where($index = 0)"),
    ("TotalInvocation", "(1 | 2).aggregate($total + $this, 0)"), ("FunctionInvocation", "id.count()"),
    ("MemberInvocation", "id"),
]  # fmt: skip


def test_every_alternative_of_the_grammar_has_a_python_form() -> None:
    rules = {name.removesuffix("Context") for name in dir(FHIRPathParser) if re.fullmatch("[A-Z].*Context", name)}
    shells = {"EntireExpression", "Expression", "Term", "Literal", "ExternalConstant", "Invocation", "Functn",
              "ParamList", "Quantity", "Unit", "DateTimePrecision", "PluralDateTimePrecision", "TypeSpecifier",
              "QualifiedIdentifier", "Identifier"}  # fmt: skip
    assert {name for name, _ in GRAMMAR} == rules - shells
    for _, expression in GRAMMAR:
        compile_expression(expression).evaluate({"id": "a", "notes": [{"by": "a"}]}, {"v": 1})


def _outcome(work: Any) -> Any:
    """What it gives, numbers compared by their value; `refused` for an error of its own kind."""
    try:
        return _compared(work())
    except (ExpressionError, Misconfigured):
        return "refused"
    except (AssertionError, NameError, SyntaxError):
        raise
    except Exception:  # noqa: BLE001  # theirs raises whatever its parts raise
        return "refused"


def _compared(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _compared(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_compared(v) for v in value]
    return float(value) if isinstance(value, Decimal | float) else value
