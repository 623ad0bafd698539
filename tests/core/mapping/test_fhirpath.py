"""FHIRPath on plain records: what expressions give, and how wrong ones are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapter.core.mapping.fhirpath import Env, ExpressionError, compile_expression

GOAL = {
    "path": "goals/g1",
    "title": "Marcher seul à l'école",
    "rank": 2,
    "weight": 1.10,
    "exact": Decimal("1.10"),
    "due": "2026-12-01",
    "open": True,
    "target": {"value": 4, "unit": "d"},
    "notes": [{"by": "p1", "text": "seul"}, {"by": "p2"}, {"text": "three"}],
    "tags": ["b", None, "a"],
    "nothing": None,
    "empty": [],
    "week": "third",
    "huge": Decimal("1E+999999999"),
    "digits": "9" * 5000,
}
NOW = datetime(2026, 11, 21, 22, 10, 5, 123000, tzinfo=UTC)

RESULTS = [
    ("a field", "title", ["Marcher seul à l'école"]),
    ("a field that is not there", "titel", []),
    ("a null field is nothing", "nothing", []),
    ("an empty list is nothing", "empty", []),
    ("a null in a list is no item", "tags", ["b", "a"]),
    ("a path through a list", "notes.by", ["p1", "p2"]),
    ("a path through text ends", "title.x.y", []),
    ("a field named like a word, in backticks", "`week`", ["third"]),
    ("$this at the outermost level is the input", "$this.rank", [2]),
    ("where", "notes.where(by = 'p1').text", ["seul"]),
    ("where is not met by an empty answer", "notes.where(text != 'seul').by", []),
    ("$index", "notes.where($index > 0).by", ["p2"]),
    ("nested $this", "notes.where(by.select($this = 'p2')).by", ["p2"]),
    ("select flattens", "notes.select(by | text)", ["p1", "seul", "p2", "three"]),
    ("exists with a criterion", "notes.exists(by = 'p3')", [False]),
    ("all", "notes.all(by.exists() or text.exists())", [True]),
    ("aggregate", "(1 | 2 | 3).aggregate($this + $total, 0)", [6]),
    ("repeat comes to an end", "notes.repeat($this)", GOAL["notes"]),
    ("iif without otherwise", "iif(open.not(), 'closed')", []),
    ("iif takes one item as true", "iif(title, 'yes', 'no')", ["yes"]),
    ("an index outside", "notes[7]", []),
    ("sort, descending", "tags.sort(-$this)", ["b", "a"]),
    ("and with an empty side", "open and {}", []),
    ("and that is false anyway", "false and {}", [False]),
    ("or that is true anyway", "{} or open", [True]),
    ("xor", "open xor false", [True]),
    ("implies from false", "false implies {}", [True]),
    ("equality with nothing is nothing", "titel = 'x'", []),
    ("a number and a text are not equal", "rank = '2'", [False]),
    ("true is not one", "open = 1", [False]),
    ("a decimal equals its longer form", "exact = 1.1000", [True]),
    ("a JSON float equals its decimal", "weight = 1.1", [True]),
    ("equivalent text", "'Marcher  SEUL' ~ 'marcher seul'", [True]),
    ("nothing is equivalent to nothing", "titel ~ {}", [True]),
    ("in", "'a' in tags", [True]),
    ("& joins nothing as an empty text", "titel & 'x'", ["x"]),
    ("+ with nothing is nothing", "titel + 'x'", []),
    ("whole numbers stay whole", "rank + 1", [3]),
    ("division gives a decimal", "rank / 4", [Decimal("0.5")]),
    ("division by zero is nothing", "1 / 0", []),
    ("div goes towards zero", "(-7) div 2", [-3]),
    ("mod keeps the sign", "(-7) mod 2", [-1]),
    ("a date in a record, compared with a date", "due > @2026-11-30", [True]),
    ("a date in a record, compared with today", "due < today()", [False]),
    ("a date of less precision is undecided", "due = @2026-12", []),
    ("a date in a record, moved", "due + 1 month", ["2027-01-01"]),
    ("the last day of a shorter month", "@2024-01-31 + 1 month", ["2024-02-29"]),
    ("now is what was given", "now()", ["2026-11-21T22:10:05.123Z"]),
    ("today is what was given", "today()", ["2026-11-21"]),
    ("the time of day is what was given", "timeOfDay()", ["22:10:05.123"]),
    ("a quantity in a record, compared", "target < 1 week", [True]),
    ("units that have nothing in common", "target = 4 'kg'", []),
    ("a quantity goes out as FHIR", "5 'mg'",
     [{"value": 5, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}]),
    ("substring outside", "title.substring(99)", []),
    ("a text with a quotation mark", "'l\\'école'", ["l'école"]),
    ("replaceMatches with a group", "'P2W'.replaceMatches('P(\\\\d)W', '$1')", ["2"]),
    ("toInteger of a decimal text", "'1.0'.toInteger()", []),
    ("toInteger of a text with more digits than an integer has", "digits.toInteger()", []),
    ("an unprintable character in an expression", "'\x00\x0b' & 'a'", ["\x00\x0ba"]),
    ("toString of a boolean", "open.toString()", ["true"]),
    ("toString of a decimal keeps its digits", "exact.toString()", ["1.10"]),
    ("toDate", "'2026-11-21T10:00:00Z'.toDate()", ["2026-11-21"]),
    ("convertsToDate of the thirtieth of February", "'2026-02-30'.convertsToDate()", [False]),
    ("type", "title.type().name", ["String"]),
    ("is", "rank is Integer", [True]),
    ("is binds closer than |", "(1 | 1 is Integer).count()", [2]),
    ("ofType", "(1 | 'a' | 2.0).ofType(Integer)", [1]),
    ("descendants", "target.descendants()", [4, "d"]),
    ("a variable", "%child.path", ["child"]),
    ("a variable shadows nothing of the input", "%child.title", []),
    ("an environment constant", "%ucum", ["http://unitsofmeasure.org"]),
    ("lowBoundary", "1.587.lowBoundary(2)", [Decimal("1.58")]),
    ("unicode survives", "'\\u00e9'", ["é"]),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "wanted"), [r[1:] for r in RESULTS], ids=[r[0] for r in RESULTS])
def test_an_expression_gives(expression: str, wanted: list[Any]) -> None:
    """The answer of N1, on a record of plain JSON."""
    got = compile_expression(expression).evaluate(GOAL, {"child": {"path": "child"}}, now=NOW)
    assert got == wanted
    assert [type(g) for g in got] == [type(w) for w in wanted]


WRONG = [
    ("trailing words", "title title", (1, 7), "`title` is not expected here"),
    ("an end that comes too early", "notes.where(", (1, 13), "the expression ends too early"),
    ("a text that is not closed", "'abc", (1, 1), "this is no FHIRPath"),
    ("nothing at all", "  ", (1, 1), "the expression is empty"),
    ("the second line", "title\n  &", (2, 4), "the expression ends too early"),
    ("an unknown function", "title.uper()", (1, 7), "there is no function `uper`"),
    ("too many arguments", "title.first(1)", (1, 7), "`first` takes 0 arguments, not 1"),
    ("trace", "title.trace('t')", (1, 7), "`trace` is refused"),
    ("an unknown variable", "%chidl.path", (1, 1), "there is no variable %chidl"),
    ("a keyword as a field", "a.hours", (1, 3), "`hours` is a word of FHIRPath"),
    ("$total outside of aggregate", "$total", (1, 1), "$total has no meaning here"),
    ("a month that is none", "@2026-13", (1, 1), "`@2026-13` is no date"),
    ("a type that is none", "title is string1", (1, 1), "there is no type `string1`"),
    ("a condition that is text", "iif('a', 1, 2)", (1, 5), "the condition is not a boolean"),
    ("a number without end", "1" * 5000, (1, 1), "at most 40 digits"),
    ("parentheses without end", "(" * 500 + "1" + ")" * 500, (1, 1), "nested too deep"),
]


@pytest.mark.parametrize(("expression", "place", "reason"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_wrong_expression_is_refused_with_its_place(expression: str, place: tuple[int, int], reason: str) -> None:
    """Line, column and a reason, when it is compiled and not when it runs."""
    with pytest.raises(ExpressionError) as caught:
        compile_expression(expression, variables=["child"])
    assert (caught.value.line, caught.value.column) == place
    assert reason in caught.value.reason


FAILING = [
    ("several items where one is wanted", "notes.by + 'x'"),
    ("single() of several", "notes.single()"),
    ("text of a number", "rank.upper()"),
    ("an order of text and number", "title > 1"),
    ("a variable that was not given", "%nobody"),
    ("now without a time", "now()"),
    ("a number with a huge exponent", "huge.toString()"),
]


@pytest.mark.parametrize("expression", [f[1] for f in FAILING], ids=[f[0] for f in FAILING])
def test_an_error_while_running_names_no_value(expression: str) -> None:
    """The reason holds rules and names only: nothing of the record."""
    with pytest.raises(ExpressionError) as caught:
        compile_expression(expression).evaluate(GOAL)
    assert not [value for value in ("Marcher", "p1", "seul", "goals/g1") if value in str(caught.value)]


def test_the_record_is_never_changed() -> None:
    """What an expression gives may be the record's own lists: evaluating leaves them as they were."""
    before = repr(GOAL)
    for expression in ("notes.combine(tags)", "notes.by | tags", "notes.tail()", "tags.sort()", "notes.exclude({})"):
        compile_expression(expression).evaluate(GOAL)
    assert repr(GOAL) == before


def test_a_custom_function_gets_its_input_and_arguments_as_lists() -> None:
    """`x.f('a')` is `f(env, [x], ['a'])`, and `extra` reaches it."""
    seen: list[Any] = []

    def reference(env: Env, items: list[Any], *types: list[Any]) -> list[Any]:
        seen.append((env.extra, items, types))
        return [f"{types[0][0]}/{i}" for i in items]

    expression = compile_expression("notes.by.reference('Practitioner', 'Patient')", functions={"reference": reference})
    assert expression.evaluate(GOAL, extra="mine") == ["Practitioner/p1", "Practitioner/p2"]
    assert seen == [("mine", ["p1", "p2"], (["Practitioner"], ["Patient"]))]
    assert compile_expression("reference('X')", functions={"reference": reference}).evaluate("a") == ["X/a"]


def test_holds_is_true_only_for_true() -> None:
    """`when` needs one answer: nothing and false are the same there."""
    assert compile_expression("open and rank > 1").holds(GOAL)
    assert not compile_expression("titel = 'x'").holds(GOAL)
    assert not compile_expression("rank > 5").holds(GOAL)


def test_the_source_is_python_that_a_person_can_read() -> None:
    """A field is one look into a dict, a function is one call of its name; of one object a field is no call at all."""
    assert compile_expression("notes.where(by = 'p1').text.first()").source == (
        "# notes.where(by = 'p1').text.first()\n"
        "def evaluate(this, env):\n"
        "    record = this if this.__class__ is dict else fields(this)\n"
        "    return first(step([item for item in items(record.get('notes')) if equal((item.get('by') if"
        " item.__class__ is dict else step(item, 'by')), 'p1')], 'text'))\n"
    )
