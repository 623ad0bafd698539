"""What every answer of the web must look like, whatever the route."""

from __future__ import annotations

from werkzeug.test import TestResponse

PROBLEM_KEYS = {"type", "title", "status", "detail", "errors"}


def assert_headers(response: TestResponse) -> None:
    """What browsers and caches are told with every answer."""
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    if not response.request.path.startswith("/static/"):
        assert response.headers["Cache-Control"] == "no-store"


def assert_error(response: TestResponse, status: int) -> None:
    """The one shape of errors of the place: problem details on /api, OperationOutcome on /fhir, a page on pages."""
    assert response.status_code == status
    assert_headers(response)
    path = response.request.path
    if response.request.method == "HEAD":
        return
    if path == "/fhir" or path.startswith("/fhir/"):
        assert response.content_type == "application/fhir+json"
        told = response.json
        assert told["resourceType"] == "OperationOutcome"
        assert told["issue"]
        for issue in told["issue"]:
            assert issue["severity"] in ("error", "fatal")
            assert issue["code"]
            assert issue["details"]["text"]
    elif path in ("/", "/sign-in", "/sign-out"):
        assert response.content_type == "text/html; charset=utf-8"
        assert "<h1>" in response.text
    else:
        assert response.content_type == "application/problem+json"
        told = response.json
        assert set(told) == PROBLEM_KEYS
        assert told["status"] == status
        assert all(set(error) == {"pointer", "detail"} for error in told["errors"])
