"""No record content can enter a log line, whatever a caller passes: searched for by markers."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.log import EVENTS, KEYS, logger, replace_lines_of

MARKER = "Wickenbrook Exemple"


def line(event: str, **keys: Any) -> dict[str, Any]:
    stream = io.StringIO()
    logger(stream, clock=lambda: datetime(2026, 11, 21, 12, tzinfo=UTC)).info(event, **keys)
    assert stream.getvalue().count("\n") == 1
    written: dict[str, Any] = json.loads(stream.getvalue())
    return written


def test_a_line_says_when_what_and_the_allowed_keys() -> None:
    assert line("delivered", partner="lakeside", share=7, attempts=1, seconds=0.1234567, outcome="delivered") == {
        "at": "2026-11-21T12:00:00.000+00:00",
        "level": "info",
        "event": "delivered",
        "partner": "lakeside",
        "share": 7,
        "attempts": 1,
        "seconds": 0.123457,
        "outcome": "delivered",
    }


@pytest.mark.parametrize(
    ("event", "keys"),
    [
        pytest.param(f"saved {MARKER}", {}, id="in the event's own words"),
        pytest.param("saved", {"case": MARKER}, id="under a key that is not on the list"),
        pytest.param("saved", {MARKER: 1}, id="as a key"),
        *[pytest.param("saved", {key: MARKER}, id=f"under the allowed key {key}") for key in KEYS],
        *[pytest.param("saved", {key: [MARKER]}, id=f"in a list under {key}") for key in KEYS],
        pytest.param("request", {"route": "GET /api/cases/C-1042"}, id="a path with a case number is not a route"),
        pytest.param("request", {"route": f"GET /api/cases/<case>?name={MARKER}"}, id="in the query of a URL"),
        pytest.param("failed", {"error": ValueError(MARKER)}, id="in the text of an exception"),
        pytest.param("failed", {"exc_info": ValueError(MARKER)}, id="as exception information"),
        pytest.param("failed", {"stack_info": True, "positional_args": (MARKER,)}, id="as arguments"),
    ],
)
def test_no_marker_enters_a_line(event: str, keys: dict[str, Any]) -> None:
    written = json.dumps(line(event, **keys), ensure_ascii=False)
    assert "Wickenbrook" not in written
    assert "1042" not in written


def test_what_is_dropped_is_counted() -> None:
    assert line("saved", case="C-1", partner="lakeside", title="x")["dropped"] == 2


@pytest.mark.parametrize(
    "route", ["GET /", "PUT /api/cases/<case>", "POST /fhir/<type>/_search", "GET /fhir/<string:type>"]
)
def test_a_route_is_a_method_and_a_pattern(route: str) -> None:
    assert line("request", route=route)["route"] == route


def test_debug_lines_are_not_written() -> None:
    stream = io.StringIO()
    logger(stream).debug("saved")
    assert stream.getvalue() == ""


@given(st.text(), st.dictionaries(st.text(min_size=1).filter(lambda key: key not in ("event", "level")), st.text()))
def test_only_known_events_and_keys_come_out(event: str, keys: dict[str, str]) -> None:
    """Whatever goes in, the words of a line are those of the two lists."""
    written = line(event, **keys)
    assert written["event"] in EVENTS | {"other"}
    assert set(written) <= {"at", "level", "event", "dropped", *KEYS}


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_a_library_s_words_are_replaced(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An address, a header, the text of an exception: what a library says of them is said in a line of ours."""
    replace_lines_of("a_library", "a_library")
    library = logging.getLogger("a_library.of_some_kind")
    library.setLevel("DEBUG")
    try:
        raise ValueError(MARKER)
    except ValueError:
        getattr(library, level)("Failed to parse headers (url=%s)", MARKER, exc_info=True)
    said = capsys.readouterr().err
    assert "Wickenbrook" not in said
    lines = [json.loads(line) for line in said.splitlines()]
    wanted = [("failed", "ValueError")] if level in ("warning", "error") else []
    assert [(line["event"], line["error"]) for line in lines] == wanted
