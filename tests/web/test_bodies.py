"""Bodies that are not what they should be: a clear 4xx on /api and on /fhir, and nothing saved."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.conftest import ROOT, Web
from tests.web.shapes import assert_error, assert_headers

MARKER = "Zephyrine-Quill"
BAD: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 400),
    "no JSON": (MARKER.encode(), 400),
    "half of a JSON": (b'{"case": "' + MARKER.encode(), 400),
    "ten megabytes": (b'{"case": "' + b"x" * 10_000_000 + b'"}', 413),
    "just above the limit": (b" " * 5_000_001, 413),
    "200 levels": (b"[" * 200 + b"]" * 200, 413),
    "200 levels of objects": (b'{"a":' * 200 + b"1" + b"}" * 200, 413),
    "a key twice": (b'{"case": "C-1", "case": "C-1"}', 400),
    "NaN": (b'{"case": NaN}', 400),
    "Infinity": (b'{"case": -Infinity}', 400),
    "a number out of range": (b'{"case": 1e999}', 400),
    "a byte order mark": (b"\xef\xbb\xbf{}", 400),
    "UTF-16": (json.dumps({"case": MARKER}).encode("utf-16"), 400),
    "invalid UTF-8": (b'{"case": "\xff"}', 400),
    "half of a surrogate pair": (b'{"case": "\\ud800"}', 400),
    "something behind it": (b"{} {}", 400),
    "a list": (b"[]", 400),
    "a word": (b'"text"', 400),
    "null": (b"null", 400),
}
PLACES = {
    "a case": ("admin", "PUT", "/api/cases/C-1"),
    "a record": ("admin", "PUT", "/api/cases/C-1/goals/g1"),
    "a preview": ("admin", "POST", "/api/preview"),
    "a bundle": ("lakeside", "POST", "/fhir"),
    "a resource": ("lakeside", "POST", "/fhir/Goal"),
    "a resource by id": ("lakeside", "PUT", "/fhir/Goal/g1"),
}


@pytest.mark.parametrize(("body", "status"), BAD.values(), ids=BAD)
@pytest.mark.parametrize(("who", "method", "path"), PLACES.values(), ids=PLACES)
def test_a_body_is_refused_that_is(shared_web: Web, who: str, method: str, path: str, body: bytes, status: int) -> None:
    """Everywhere the same; what was sent is not repeated; nothing is there afterwards."""
    answer = shared_web.ask(who, method, path, body)
    assert answer.status_code in (status, 422)  # 422: JSON, but not of the shape that is kept there
    assert_error(answer, answer.status_code)
    assert status == 400 or answer.status_code == status
    assert MARKER not in answer.text
    assert shared_web.ask("admin", "GET", "/api/cases").json == []
    assert shared_web.ask("lakeside", "GET", "/fhir/Goal").json["total"] == 0


def test_a_body_without_a_length_is_stopped_at_the_limit(shared_web: Web) -> None:
    """Chunked: the limit holds though nobody said how much would come."""

    class Endless(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            self.given += len(buffer)
            assert self.given < 7_000_000, "read far beyond the limit"
            buffer[:] = b" " * len(buffer)
            return len(buffer)

    for who, method, path in PLACES.values():
        answer = shared_web.app.test_client().open(
            path,
            method=method,
            headers={"Authorization": f"Bearer {shared_web.tokens[who]}", "Content-Type": "application/json"},
            environ_overrides={
                "wsgi.input": io.BufferedReader(Endless()),
                "wsgi.input_terminated": True,
                "HTTP_TRANSFER_ENCODING": "chunked",
            },
        )
        assert_error(answer, 413)


COSTLY: dict[str, Callable[[], dict[str, Any]]] = {
    "a million empty objects": lambda: {"target": [{}] * 1_000_000},
    "unknown elements": lambda: {f"k{number}": 1 for number in range(300_000)},
    "as many identifiers": lambda: {"identifier": [{"value": "1"}] * 200_000},
}


@pytest.mark.parametrize("many", COSTLY.values(), ids=COSTLY)
def test_a_body_that_would_cost_much_is_refused_at_once(shared_web: Web, many: Callable[[], dict[str, Any]]) -> None:
    """413 before anything is checked value by value, and before anybody waits for the database."""
    body = json.dumps({"resourceType": "Goal", **many()}, separators=(",", ":")).encode()
    assert len(body) < 5_000_000
    before = time.monotonic()
    assert_error(shared_web.ask("lakeside", "POST", "/fhir/Goal", body), 413)
    assert time.monotonic() - before < 10


def test_a_long_text_is_not_many_values(web: Web) -> None:
    """Commas and brackets in a text count for nothing."""
    text = "one, two [three] {four} " * 30_000
    body = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "x"},
        "subject": {"display": "x"},
    }
    assert web.ask("lakeside", "POST", "/fhir/Goal", body | {"note": [{"text": text}]}).status_code == 201


def test_an_answer_does_not_list_without_end(shared_web: Web) -> None:
    """A thousand problems, and how many more."""
    answer = shared_web.ask(
        "lakeside", "POST", "/fhir/Goal", {"resourceType": "Goal", **dict.fromkeys(map(str, range(3000)), 1)}
    )
    assert_error(answer, 422)
    assert len(answer.json["issue"]) == 1001
    assert "more" in answer.json["issue"][-1]["details"]["text"]


def test_a_whole_case_is_kept_and_comes_back(web: Web) -> None:
    """PUT 202 with what is due, PUT again changes nothing, GET gives it back with its version, DELETE ends it."""
    case = json.loads((ROOT / "fixtures" / "minimal" / "case.json").read_text(encoding="utf-8"))
    path = f"/api/cases/{case['case']}"
    first = web.ask("source", "PUT", path, case)
    assert first.status_code == 202, first.text
    assert (first.json["version"], first.json["changed"]) == (1, True)
    assert first.json["due"]
    again = web.ask("source", "PUT", path, case)
    assert (again.json["version"], again.json["changed"], again.json["due"]) == (1, False, [])
    read = web.ask("coordinator", "GET", path)
    assert (read.json, read.headers["ETag"]) == (case, 'W/"1"')
    assert_error(web.ask("source", "PUT", path, case, If_Match='W/"7"'), 412)
    assert_error(web.ask("source", "DELETE", path, If_Match="seven"), 412)
    assert [each["case"] for each in web.ask("source", "GET", "/api/cases").json] == [case["case"]]
    assert {each["partner"] for each in web.ask("source", "GET", f"{path}/shares").json} >= {"lakeside"}
    assert [line["kind"] for line in web.ask("source", "GET", f"{path}/disclosures").json] == ["look"]
    assert web.ask("source", "POST", f"/api/shares/{case['case']}/lakeside/retry").status_code == 202
    for form in ("records", "fhir", "explain"):
        assert web.ask("source", "GET", f"{path}/views/lakeside?as={form}&at=2027-01-01").status_code == 200
    assert web.ask("source", "DELETE", path, If_Match='W/"1"').status_code == 202
    assert_error(web.ask("source", "GET", path), 404)


@pytest.mark.parametrize("asked", ["as=poem", "at=yesterday", "at=2027-13-01"])
def test_a_parameter_of_a_view_that_cannot_be_read(shared_web: Web, asked: str) -> None:
    """400, and the parameter is named."""
    answer = shared_web.ask("admin", "GET", f"/api/cases/C-1/views/lakeside?{asked}")
    assert_error(answer, 400)
    assert answer.json["errors"][0]["pointer"] == f"/{asked[:2]}"


def test_every_problem_of_a_case_is_told_at_once(shared_web: Web) -> None:
    """422 with a JSON Pointer for each, and never the value."""
    wrong = {"case": "C-9", "program": MARKER, "child": {"birth_date": MARKER, "colour": 1}, "goals": [{"id": "g1"}]}
    answer = shared_web.ask("source", "PUT", "/api/cases/C-9", wrong)
    assert_error(answer, 422)
    assert len(answer.json["errors"]) > 2
    assert all(each["pointer"].startswith("/") for each in answer.json["errors"])
    assert MARKER not in answer.text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "resourceType",
                    "id",
                    "type",
                    "entry",
                    "request",
                    "method",
                    "url",
                    "resource",
                    "subject",
                    "reference",
                    "meta",
                ]
                + [
                    "case",
                    "child",
                    "partner",
                    "goals",
                    "identifier",
                    "contained",
                    "extension",
                    "target",
                    "lifecycleStatus",
                ]
            ),
            inner
            | st.sampled_from(
                ["Bundle", "transaction", "batch", "POST", "PUT", "Goal", "Patient", "Goal?identifier=1"]
            ),
            max_size=6,
        )
    ),
    max_leaves=25,
)
bodies = st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode())


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=bodies,
    place=st.sampled_from(list(PLACES.values())),
    more=st.fixed_dictionaries({"resourceType": st.just("Goal")}),
)
def test_no_body_is_an_internal_error(shared_web: Web, body: bytes, place: tuple[str, str, str], more: Any) -> None:
    """Whatever bytes come: an answer below 500, in the shape of the place."""
    who, method, path = place
    for sent in (body, json.dumps(_with(body, more)).encode()):
        answer = shared_web.ask(who, method, path, sent)
        assert answer.status_code < 500
        if answer.status_code >= 400:
            assert_error(answer, answer.status_code)
        assert_headers(answer)


def _with(body: bytes, more: dict[str, Any]) -> Any:
    """The same body as an object of the type that the place expects, if it is one at all."""
    try:
        value = json.loads(body)
    except ValueError:
        return more
    return {**value, **more} if isinstance(value, dict) else more


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.text(max_size=30),
    query=st.dictionaries(st.text(max_size=10), st.text(max_size=10), max_size=3),
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]),
)
def test_no_address_is_an_internal_error(shared_web: Web, path: str, query: dict[str, str], method: str) -> None:
    """Whatever address is asked for, under every root."""
    for root, who in (
        ("/api/cases/", "admin"),
        ("/api/", "admin"),
        ("/fhir/Goal/", "lakeside"),
        ("/fhir/", "lakeside"),
    ):
        answer = shared_web.ask(who, method, root + quote(path), b"{}", query=query)
        assert answer.status_code < 500
