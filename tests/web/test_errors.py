"""Every error, wherever it happens, has the one shape of its place and repeats nothing that it was given."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter import receive, show
from tests.web.conftest import Web
from tests.web.shapes import assert_error, assert_headers

MARKER = "Zephyrine-Quill"


@pytest.mark.parametrize("path", [f"/{MARKER}", f"/api/{MARKER}", f"/fhir/a/b/c/{MARKER}", "//api/cases"])
def test_nothing_is_at_an_unknown_address(shared_web: Web, path: str) -> None:
    """404, and the address is not repeated."""
    answer = shared_web.ask("admin", "GET", path)
    assert_error(answer, 404)
    assert MARKER not in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/api/cases/C-1"),
        ("POST", "/healthz"),
        ("PATCH", "/fhir/Goal"),
        ("OPTIONS", "/api/cases"),
        ("PUT", "/"),
    ],
)
def test_a_method_that_is_not_known_is_told_which_are(shared_web: Web, method: str, path: str) -> None:
    """405 with Allow."""
    answer = shared_web.ask("admin", method, path)
    assert_error(answer, 405)
    assert answer.headers["Allow"]
    assert method not in answer.headers["Allow"].split(", ")


@pytest.mark.parametrize(("who", "path"), [("lakeside", "/fhir/Goal"), ("admin", "/api/partners")])
def test_what_was_not_foreseen_says_nothing(
    web: Web, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], who: str, path: str
) -> None:
    """500 without the exception's text, to the caller and in the log; the log names its class and the route."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(MARKER)

    monkeypatch.setattr(receive, "search", broken)
    monkeypatch.setattr(show, "partners", broken)
    answer = web.ask(who, "GET", path, query={"identifier": MARKER} if who == "lakeside" else None)
    assert_error(answer, 500)
    assert MARKER not in answer.text
    logged = capsys.readouterr()
    assert MARKER not in logged.out + logged.err
    assert "RuntimeError" in logged.err


def test_an_error_is_not_shown_by_the_framework_in_debug_mode(own_web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a careless operator gets no page with source and values."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(MARKER)

    monkeypatch.setattr(show, "partners", broken)
    own_web.app.debug = True
    own_web.app.testing = True
    assert_error(own_web.ask("admin", "GET", "/api/partners"), 500)


def test_a_database_that_is_away_is_said_and_the_process_is_still_alive(web: Web, tmp_path: Path) -> None:
    """/readyz 503, /healthz 200; and whoever asks for more hears the same."""
    web.store.close()
    for file in tmp_path.glob("adapter.db*"):
        file.unlink()
    (tmp_path / "adapter.db").mkdir()
    assert_error(web.ask(None, "GET", "/readyz"), 503)
    assert_error(web.ask("admin", "GET", "/api/partners"), 503)
    assert web.ask(None, "GET", "/healthz").status_code == 200


def test_a_database_of_another_version_is_not_ready(web: Web, tmp_path: Path) -> None:
    """/readyz says 503, not 500, also where somebody must act."""
    web.store.close()
    for file in tmp_path.glob("adapter.db*"):
        file.unlink()
    assert_error(web.ask(None, "GET", "/readyz"), 503)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json", "/fhir/metadata", "/", "/static/style.css"])
def test_what_is_open_answers_with_protection(shared_web: Web, path: str) -> None:
    """The headers are on good answers too."""
    answer = shared_web.ask(None, "GET", path)
    assert answer.status_code == 200
    assert_headers(answer)


def test_compressed_bodies_are_not_opened(shared_web: Web) -> None:
    """A small body cannot become a large one here."""
    answer = shared_web.ask("lakeside", "POST", "/fhir/Goal", b"\x1f\x8b", Content_Encoding="gzip")
    assert_error(answer, 415)
