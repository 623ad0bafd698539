"""Turns every error into an answer, in one place: problem details on /api, OperationOutcome on /fhir, a page on pages.

RFC 9457 and http://hl7.org/fhir/R4/operationoutcome.html. What was not foreseen is a 500 that says nothing: neither the
text of the exception nor a value.
"""

from __future__ import annotations

import re

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from adapter.core import strict_json
from adapter.core.fhir.outcome import outcome
from adapter.errors import AdapterError, Malformed, Misconfigured, NotFound, Problem, TooLarge, UnsupportedMedia
from adapter.log import logger
from adapter.web.context import MOST_BYTES, wiring

FHIR_JSON = "application/fhir+json"
PROBLEM_JSON = "application/problem+json"
REALM = 'Bearer realm="csp-fhir-adapter"'
MOST_PROBLEMS = 1000
"""What a person can still work through; an answer is not to be many times larger than what was sent."""
_PAGES = frozenset({"/", "/inbox", "/referrals", "/sign-in", "/sign-out", "/waiting", "/waitlist"})
_BELOW = ("/cases/", "/inbox/", "/partners/", "/purges/", "/r/", "/referrals/", "/waiting/")


class MethodNotAllowed(AdapterError):  # noqa: N818  named as its siblings in errors.py
    status = 405
    code = "not-supported"
    title = "This cannot be asked here"


class NotAcceptable(AdapterError):  # noqa: N818
    status = 406
    code = "not-supported"
    title = "The wanted content type is not spoken here"


class Unforeseen(AdapterError):  # noqa: N818
    title = "The adapter could not do this"


def install(app: Flask) -> None:
    """Let no error reach a caller in another form."""
    app.register_error_handler(AdapterError, _of_ours)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _unforeseen)


def answer(error: AdapterError) -> Response:
    """The answer to a request that came to `error`, in the language of the place where it came in."""
    if (more := len(error.problems) - MOST_PROBLEMS) > 0:
        error.problems = (*error.problems[:MOST_PROBLEMS], Problem("", f"and {more} more problems of this kind"))
    response = _written(error)
    response.status_code = error.status
    if error.status == 401:
        shown = "Authorization" in request.headers
        response.headers["WWW-Authenticate"] = f'{REALM}, error="invalid_token"' if shown else REALM
    if error.status == 415 and request.method == "PATCH":
        response.headers["Accept-Patch"] = "application/json-patch+json"  # RFC 5789, 2.2
    if error.status == 503:
        response.headers["Retry-After"] = "5"
    return response


def _written(error: AdapterError) -> Response:
    if request.path == "/fhir" or request.path.startswith("/fhir/"):
        return Response(strict_json.dump(outcome(error, root=_root())), content_type=FHIR_JSON)
    if request.path in _PAGES or request.path.startswith(_BELOW):
        return Response(render_template("error.html", error=error))
    return Response(strict_json.dump(problem(error)), content_type=PROBLEM_JSON)


def problem(error: AdapterError) -> dict[str, object]:
    """Problem details: `errors` holds every problem with its JSON Pointer."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
    return {
        "type": f"urn:csp-fhir-adapter:problem:{name}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "errors": [{"pointer": each.pointer, "detail": each.detail} for each in error.problems],
    }


def _root() -> str:
    """The type of resource that the body of this request holds: where the expressions of an outcome begin."""
    if request.path.rstrip("/") == "/fhir":
        return "Bundle"
    type_ = (request.view_args or {}).get("type_", "")
    return type_ if isinstance(type_, str) and type_.isalpha() and request.method in ("POST", "PUT") else ""


def _of_ours(error: AdapterError) -> Response:
    if isinstance(error, Misconfigured):
        return _unforeseen(error)  # its findings name files of the instance: they are for the operator
    return answer(error)


def _of_http(error: HTTPException) -> Response:
    match error.code:
        case 404:
            return answer(NotFound("There is nothing at this address."))
        case 405:
            response = answer(MethodNotAllowed("This method is not among those that this address knows."))
            response.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or []))
            return response
        case 413:
            return answer(TooLarge(f"The body is larger than {MOST_BYTES} bytes."))
        case 415:
            return answer(UnsupportedMedia("This content type is not accepted here."))
        case code if code is not None and 400 <= code < 500:
            return answer(Malformed("The request cannot be read."))
        case _:
            return _unforeseen(error)


def _unforeseen(error: Exception) -> Response:
    rule = request.url_rule.rule if request.url_rule else "/"
    logger(clock=wiring().clock).error("failed", route=f"{request.method} {rule}", error=error)
    return answer(Unforeseen("Something went wrong that was not foreseen. Nothing was saved."))
