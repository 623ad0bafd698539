"""Says as OperationOutcome what went wrong here, and reads a partner's without repeating its words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from adapter.core.retry import Outcome
from adapter.errors import AdapterError, Problem

SEVERITIES = frozenset({"fatal", "error", "warning", "information", "success"})
"""http://hl7.org/fhir/R4/valueset-issue-severity.html; `success` is R5's."""

# fmt: off
CODES = frozenset({
    "invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired",
    "forbidden", "suppressed", "processing", "not-supported", "duplicate", "multiple-matches", "not-found",
    "deleted", "too-long", "code-invalid", "extension", "too-costly", "business-rule", "conflict", "transient",
    "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled", "informational", "success",
    "limited-filter",
})
# fmt: on
"""http://hl7.org/fhir/R4/valueset-issue-type.html, with R5's additions."""

GONE = (404, 410)
"""How it is said that something is not there, or no longer (http://hl7.org/fhir/R4/http.html#delete)."""

_GATEWAY = {  # google.rpc.Code: what gateways say in place of an OperationOutcome
    "INVALID_ARGUMENT": "invalid",
    "FAILED_PRECONDITION": "conflict",
    "ABORTED": "conflict",
    "ALREADY_EXISTS": "duplicate",
    "NOT_FOUND": "not-found",
    "PERMISSION_DENIED": "forbidden",
    "UNAUTHENTICATED": "login",
    "RESOURCE_EXHAUSTED": "throttled",
    "UNAVAILABLE": "transient",
    "DEADLINE_EXCEEDED": "timeout",
    "UNIMPLEMENTED": "not-supported",
    "INTERNAL": "exception",
    "UNKNOWN": "exception",
}

# fmt: off
_MESSAGES = frozenset({
    "AUTH_REQUIRED", "BAD_FORMAT", "BAD_SYNTAX", "CANT_PARSE_CONTENT", "CANT_PARSE_ROOT", "CREATED", "DATE_FORMAT",
    "DELETED", "DELETED_DONE", "DELETED_ID", "DUPLICATE_ID", "ERROR_PARSING", "EXTERNAL_FAIL", "ID_INVALID",
    "ID_TOO_LONG", "INVALID_ID", "JSON_OBJECT", "LOCAL_FAIL", "NO_EXIST", "NO_MATCH", "NO_MODULE", "NO_SUMMARY",
    "OP_NOT_ALLOWED", "PARAM_CHAINED", "PARAM_INVALID", "PARAM_MODIFIER_INVALID", "PARAM_NO_REPEAT", "PARAM_UNKNOWN",
    "RESOURCE_EXAMPLE_PROTECTED", "RESOURCE_ID_FAIL", "RESOURCE_ID_MISMATCH", "RESOURCE_ID_MISSING",
    "RESOURCE_NOT_ALLOWED", "RESOURCE_REQUIRED", "RESOURCE_TYPE_MISMATCH", "SORT_UNKNOWN", "TRANSACTION_DUPLICATE_ID",
    "TRANSACTION_MISSING_ID", "UNHANDLED_NODE_TYPE", "UNKNOWN_CONTENT", "UNKNOWN_OPERATION", "UNKNOWN_TYPE", "UPDATED",
    "VERSION_AWARE", "VERSION_AWARE_CONFLICT", "VERSION_AWARE_URL", "WRONG_NS",
})
# fmt: on
"""After `MSG_` (http://hl7.org/fhir/R4/valueset-operation-outcome.html); a word of a server's own may be a name."""

_MOST_ISSUES = 20
_LONGEST_EXPRESSION = 120
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}\Z")
_PATH = re.compile(r"[A-Z][A-Za-z]{1,39}(?:\[\d{1,4}\])?(?:\.[a-z][A-Za-z]{0,39}(?:\[(?:\d{1,4}|x)\])?)*")
_NUMBER = re.compile(r"\d{1,6}\Z")
_HAPI = re.compile(r"HAPI-\d{4}(?=:)")


def outcome(error: AdapterError, *, root: str = "") -> dict[str, Any]:
    """An OperationOutcome for `error`: one issue for each problem, else one for the whole.

    `root`: the type of the resource that JSON Pointers start in; expressions are FHIRPath then (`Goal.target[0].due`).
    """
    severity = "fatal" if error.status >= 500 else "error"
    issues = [_issue(severity, error.code, problem.detail, _expression(problem, root)) for problem in error.problems]
    return {"resourceType": "OperationOutcome", "issue": issues or [_issue(severity, error.code, error.detail, "")]}


def _issue(severity: str, code: str, text: str, expression: str) -> dict[str, Any]:
    issue: dict[str, Any] = {"severity": severity, "code": code, "details": {"text": text}}
    return {**issue, "expression": [expression]} if expression else issue


def _expression(problem: Problem, root: str) -> str:
    """A JSON Pointer as FHIRPath; empty if it holds a token that is no element's name: that is what somebody wrote."""
    path = root
    for token in problem.pointer.split("/")[1:]:
        if token.isdecimal() and len(token) < 6:
            path += f"[{token}]"
        elif _NAME.match(token):
            path += f".{token}" if path else token
        else:
            return ""
    return path


def read(body: Any) -> tuple[str, ...]:
    """What a partner's OperationOutcome says, in codes: `error invalid 59141 at Goal.target[0]`; never its words.

    Its words may echo a record (reference/servers.md, *OperationOutcome shapes*: details.text, diagnostics,
    details.coding, or no OperationOutcome at all). At most twenty issues. Total: what cannot be read says nothing.
    """
    if not isinstance(body, dict):
        return ()
    if body.get("resourceType") != "OperationOutcome":
        return _of_gateway(body)
    return tuple(_said(issue) for issue in _objects(body.get("issue"))[:_MOST_ISSUES])


def unechoed(said: Iterable[str], sent: Any) -> tuple[str, ...]:
    """What `read` made of an answer, without what could be a word of what was sent.

    A path goes as far as its steps are types or names of elements in `sent`: a server may put a child's name there. A
    number stays only where it is none of those in `sent`.
    """
    names, texts = {"Bundle"}, []
    for name, value in _named(sent):
        names.add(str(value) if name == "resourceType" else name)
        texts.append(str(value))
    whole = "\n".join(texts)
    return tuple(_unechoed(line, names, whole) for line in said)


def _unechoed(line: str, names: set[str], whole: str) -> str:
    words, at, path = line.partition(" at ")
    kept = [word for word in words.split() if not (word.isdigit() and word in whole)]
    steps: list[str] = []
    for step in path.split("."):
        if step.partition("[")[0] not in names:
            break
        steps.append(step)
    return " ".join(kept) + (at + ".".join(steps) if steps else "")


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    """Each name in a JSON value with what it names, where that is no object and no list."""
    if isinstance(value, dict):
        for name, child in value.items():
            if isinstance(child, dict | list):
                yield name, ""
                yield from _named(child)
            else:
                yield name, child
    elif isinstance(value, list):
        for child in value:
            if isinstance(child, dict | list):
                yield from _named(child)
            else:
                yield "", child


def failed(body: Any) -> bool:
    """Is this an OperationOutcome with an error in it? (Some answer 200 and put the error inside.)"""
    if not isinstance(body, dict) or body.get("resourceType") != "OperationOutcome":
        return False
    return any(issue.get("severity") in ("fatal", "error") for issue in _objects(body.get("issue")))


def is_gone(status: int, body: Any) -> bool:
    """Does a server say, as FHIR does, that what was asked for is not there? A gateway that has lost its way to the
    server answers 404 as well, with a page or with nothing: that tells nothing of it."""
    return status in GONE and bool(read(body))


def of_status(status: int, said: Iterable[str] = (), *, retry_after: bool = False) -> Outcome:
    """The outcome of a request that was answered with `status` as a whole; `said` is what `read` made of its body.

    A success is `delivered` only as far as HTTP goes: what the body says of each entry decides (results.py).
    """
    codes = {word for line in said for word in line.split(" at ")[0].split()}
    if 200 <= status < 300:
        return "delivered"
    if status == 429 or "throttled" in codes and 400 <= status < 500:  # AWS throttles with 400
        return "throttled"
    if status == 503:
        return "throttled" if retry_after else "unavailable"
    if status == 401 or (status == 403 and codes & {"login", "expired"}):
        return "unauthorised"
    if status in (409, 423):  # 423: somebody there is writing it
        return "conflict"
    if status == 412:
        return "ambiguous" if codes & {"multiple-matches", "duplicate"} else "version"
    if status in (302, 303, 307):
        return "unknown"  # elsewhere for now: a page about maintenance, or what became of it
    if status in (408, 425):
        return "unknown" if status == 408 else "throttled"
    return "rejected" if 300 <= status < 500 or status in (501, 505) else "unknown"


def _said(issue: dict[str, Any]) -> str:
    words = [_one_of(SEVERITIES, issue.get("severity"), "error"), _one_of(CODES, issue.get("code"), "unknown")]
    details = issue.get("details")
    for coding in _objects(details.get("coding") if isinstance(details, dict) else None)[:3]:
        words += _short(coding.get("code"))
    words += _matched(_HAPI, issue.get("diagnostics"))
    expressions = issue.get("expression")
    where = _matched(_PATH, expressions[0] if isinstance(expressions, list) and expressions else None)
    return " ".join([*words, *(f"at {path[:_LONGEST_EXPRESSION]}" for path in where)])


def _of_gateway(body: dict[str, Any]) -> tuple[str, ...]:
    error = body.get("error")
    status = error.get("status") if isinstance(error, dict) else None
    if isinstance(status, str) and status in _GATEWAY:
        return (f"error {_GATEWAY[status]}",)
    return ("error throttled",) if body.get("__type") == "ThrottlingException" else ()


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _short(code: Any) -> list[str]:
    known = isinstance(code, str) and code.startswith("MSG_") and code.removeprefix("MSG_") in _MESSAGES
    return [code] if known else _matched(_NUMBER, code)


def _one_of(known: frozenset[str], value: Any, otherwise: str) -> str:
    return value if isinstance(value, str) and value in known else otherwise


def _matched(pattern: re.Pattern[str], value: Any) -> list[str]:
    match = pattern.match(value) if isinstance(value, str) else None
    return [match[0]] if match else []
