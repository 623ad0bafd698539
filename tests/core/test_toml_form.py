"""A TOML file that people write by hand is told every mistake at once, on the line where it stands."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.toml_form import Form, parse
from adapter.core.toml_values import (
    WrongError,
    day,
    flag,
    many_of,
    number,
    one_of,
    text,
    uri,
    variable,
    web_address,
    whole,
    words,
)
from adapter.errors import Misconfigured

TEXT = '''\
name = "Lakeside"
long = """
[not.a.table]
"""
sectors = [
  "education",  # a comment with = in it
]

[agency]
zone.name = "America/Toronto"

[[agency.identifiers]]
system = "https://a.example"
[[agency.identifiers]]
"value" = "2"
inline = {a = 1, b = [1, 2]}
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        pytest.param(("name",), 1, id="a plain key"),
        pytest.param(("long",), 2, id="a text of several lines stands where it begins"),
        pytest.param(("sectors", 0), 5, id="an item of a list stands with its list"),
        pytest.param(("agency",), 9, id="a table stands at its header"),
        pytest.param(("agency", "zone", "name"), 10, id="a dotted key"),
        pytest.param(("agency", "identifiers", 0, "system"), 13, id="the first of a list of tables"),
        pytest.param(("agency", "identifiers", 1, "value"), 15, id="a quoted key in the second"),
        pytest.param(("agency", "identifiers", 1, "inline", "b"), 16, id="a key inside an inline table"),
        pytest.param(("agency", "identifiers", 1, "missing"), 14, id="a missing key is reported at its table"),
        pytest.param(("nowhere",), 0, id="a missing key at the top has no line"),
    ],
)
def test_each_key_is_found_on_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert parse("f.toml", TEXT).finding("is wrong", *path).line == line


def test_what_is_not_toml_is_one_finding_with_its_line() -> None:
    with pytest.raises(Misconfigured) as caught:
        parse("f.toml", 'a = 1\nb = "x\n')
    assert [(f.file, f.line) for f in caught.value.findings] == [("f.toml", 2)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"a = 1{'0' * 5000}", id="digits without end"),
        pytest.param(f"a = {'[' * 5000}{']' * 5000}", id="lists within each other"),
        pytest.param(f"a = {'{b = ' * 3000}1{'}' * 3000}", id="tables within each other"),
        pytest.param(f"[{'.'.join('a' * 3000)}]\nb = 1", id="a name of thousands of steps"),
    ],
)
def test_what_python_itself_refuses_to_read_is_a_finding(text: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        parse("f.toml", text)
    assert [f.file for f in caught.value.findings] == ["f.toml"]


@pytest.mark.parametrize(
    ("address", "right"),
    [
        pytest.param("https://fhir.partner.example.ca/fhir", True, id="a name"),
        pytest.param("http://localhost:8080", True, id="a port"),
        pytest.param("https://[2001:db8::1]:8443/r4", True, id="IPv6"),
        pytest.param("https://10.0.0.1/my_fhir", True, id="IPv4"),
        pytest.param("HTTP://fhir.example.ca", False, id="http in capitals, which looks like no http"),
        pytest.param("Https://fhir.example.ca", False, id="https in capitals"),
        pytest.param("https://*.example.ca/fhir", False, id="any host"),
        pytest.param("https://.example.ca/fhir", False, id="a host that begins with a dot"),
        pytest.param("https://fhir..example.ca", False, id="an empty label"),
        pytest.param(f"https://{'a' * 64}.example.ca", False, id="a label that is too long"),
        pytest.param("https://[v1.x]/fhir", False, id="an address of no version"),
        pytest.param("https://[fe80::1%25a%20b]/fhir", False, id="a zone"),
        pytest.param(
            "https://good.example\\.evil.example/fhir", False, id="a backslash, which browsers read as a slash"
        ),
        pytest.param("https://fhir|x.example.ca", False, id="a letter that no host has"),
        pytest.param("https://user:word@fhir.example.ca", False, id="a password"),
        pytest.param("https://fhir.example.ca:99999", False, id="a port that is none"),
    ],
)
def test_an_address_is_one_that_a_request_can_go_to(address: str, *, right: bool) -> None:
    if right:
        assert web_address(address, "wrong") == address
    else:
        with pytest.raises(WrongError):
            web_address(address, "wrong")


def test_every_problem_is_reported_and_reading_goes_on() -> None:
    """Missing, wrong, misspelt and nested keys are all named; the right ones are still read."""
    form = Form(parse("p.toml", 'name = ""\nsince = 2026-01-15\nchunc = 5\n[auth]\nkind = "nobody"\n'))
    assert form.require("name", text, "") == ""
    assert form.require("since", day, date.min) == date(2026, 1, 15)
    assert form.require("url", uri, "") == ""
    assert form.take("chunk", whole(1, 10), 3) == 3
    inner = form.table("auth")
    inner.take("kind", one_of("none", "bearer"), "none")
    inner.close()
    form.close()
    assert [str(f) for f in form.findings] == [
        "p.toml:1: name: must be a text on one line, and not empty, without characters that cannot be seen",
        "p.toml: url: is missing",
        "p.toml:5: kind: must be one of none, bearer",
        "p.toml:3: chunc: is not a key of this file; did you mean chunk?",
    ]


@pytest.mark.parametrize("content", ["auth = 1", "auth = [1]", "ids = 1", "ids = [1]", "ids = {a = 1}"])
def test_a_table_that_is_something_else_is_a_finding(content: str) -> None:
    form = Form(parse("p.toml", content))
    form.table("auth").close()
    form.tables("ids")
    assert [f.line for f in form.findings] == [1]


@pytest.mark.parametrize(
    ("read", "value"),
    [
        pytest.param(text, 5, id="a number is not a text"),
        pytest.param(text, "a\nb", id="two lines are not one"),
        pytest.param(flag, 1, id="one is not true"),
        pytest.param(whole(1, 9), True, id="true is not one"),
        pytest.param(whole(1, 9), 10, id="more than the most"),
        pytest.param(number(0, 9), float("nan"), id="not a number"),
        pytest.param(day, "2026-01-15", id="a date in quotation marks"),
        pytest.param(one_of("a"), ["a"], id="a list where one is expected"),
        pytest.param(many_of(["a", "b"]), [], id="an empty list"),
        pytest.param(many_of(["a", "b"]), ["a", "a"], id="one named twice"),
        pytest.param(many_of(["a", "b"]), [{"a": 1}], id="a table in a list of words"),
        pytest.param(uri, "agency", id="a word is not a URI"),
    ],
)
def test_a_reader_refuses(read: object, value: object) -> None:
    assert callable(read)
    with pytest.raises(WrongError):
        read(value)


NAMES = st.text("abcXYZ09_-", min_size=1, max_size=6)


@given(st.dictionaries(NAMES, st.lists(st.text(max_size=5), max_size=3), max_size=6), st.data())
def test_lines_are_right_wherever_blank_lines_and_comments_stand(
    values: dict[str, list[str]], data: st.DataObject
) -> None:
    """Each key is found on the line that the writer put it on."""
    lines: list[str] = []
    wanted = {}
    for key, items in values.items():
        lines += data.draw(st.lists(st.sampled_from(["", "# x = 1", "  # [t]"]), max_size=2))
        wanted[key,] = len(lines) + 1
        quoted = [f"  {_quoted(item)}," for item in items]
        lines += [f"{key} = [", *quoted, "]"]
    content = "\n".join(lines) + "\n"
    assert tomllib.loads(content) == values
    found = parse("f.toml", content).lines
    assert {path: line for path, line in found.items() if len(path) == 1} == wanted


def _quoted(item: str) -> str:
    return '"' + "".join(f"\\U{ord(c):08x}" for c in item if not 0xD800 <= ord(c) <= 0xDFFF) + '"'


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("می\u200cخواهم", id="a Persian name with a non-joiner"),
        pytest.param("ක්\u200dරි", id="a Sinhala name with a joiner"),
        pytest.param("Family \U0001f468\u200d\U0001f469\u200d\U0001f467", id="an emoji of several"),
        pytest.param("Centre «\u00a0Étoile\u202f»", id="French quotation marks with their spaces"),
        pytest.param("Cafe\u0301", id="an accent of its own"),
    ],
)
def test_a_name_is_taken_as_its_language_writes_it(value: str) -> None:
    assert words(f" {value} ") == value


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("a\u202eb", id="an override of direction"),
        pytest.param("a\u202ab", id="an embedding"),
        pytest.param("a\u2066b", id="an isolate"),
        pytest.param("a\u200fb", id="a mark of direction"),
        pytest.param("a\nb", id="a line end"),
        pytest.param("a\u2028b", id="a line separator"),
        pytest.param("a\u2029b", id="a paragraph separator"),
        pytest.param("a\x1b[2Jb", id="a control character"),
        pytest.param("a\x85b", id="a next line"),
        pytest.param("a\u200bb", id="a space of no width"),
        pytest.param("a\U000e0041", id="a tag"),
        pytest.param("\u200c\u200d", id="joiners alone"),
        pytest.param("\u00a0", id="a space alone"),
        pytest.param(5, id="a number"),
    ],
)
def test_a_name_holds_nothing_that_moves_what_stands_around_it(value: object) -> None:
    with pytest.raises(WrongError, match="on one line"):
        words(value)


@pytest.mark.parametrize(
    "value",
    [
        "LAKESIDE_TOKEN",
        "T",
        "_T",
        "BOARD_2_OAUTH2_SECRET",
        "OAUTH2CLIENTSECRETOFLAKESIDE",
        "A" * 100,
        "lakeside_token",
        "LakesideToken",
        "oauth2_token_2",
    ],
)
def test_the_name_of_a_variable_is_taken(value: str) -> None:
    assert variable(value) == value


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("d41d8cd98f00b204e9800998ecf8427e", id="hex"),
        pytest.param("D41D8CD98F00B204E9800998ECF8427E", id="hex in upper case"),
        pytest.param("JBSWY3DPEHPK3PXPJB2WY3DP", id="base32"),
        pytest.param("q7Yh2KpZt9", id="letters of both cases"),
        pytest.param("Tr0ub4dor_and_3", id="a password with underscores"),
        pytest.param("1PASSWORD", id="a digit first"),
        pytest.param("ÉCOLE_TOKEN", id="a letter that is not plain"),
        pytest.param("A" * 101, id="too long"),
        pytest.param("", id="nothing"),
        pytest.param(5, id="a number"),
    ],
)
def test_what_may_be_a_secret_is_refused_as_the_name_of_one_and_not_repeated(value: object) -> None:
    with pytest.raises(WrongError, match="never the secret") as caught:
        variable(value)
    assert len(str(value)) < 8 or str(value) not in str(caught.value)
