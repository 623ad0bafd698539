"""What can go wrong so that a caller cannot go on, as one small tree.

AdapterError
├── Refused              422  a case, record or resource breaks its rules: every problem, each with its JSON Pointer
├── Malformed            400  the bytes are not the JSON (or the request) they claim to be
├── TooLarge             413  more bytes, nesting or entries than is accepted
├── UnsupportedMedia     415  a content type that is not spoken here
├── Unauthenticated      401  no token, or one that is not known
├── Forbidden            403  a token whose role may not do this
├── NotFound             404  not there, or not for this caller: the two are one answer
├── Conflict             409  the state does not allow it now
├── PreconditionFailed   412  If-Match names another version, or a condition matches several
├── Misconfigured        500  files of the instance or of the catalogue are wrong: every finding, with file and line
└── Unavailable          503  the database cannot be reached or written

Each class carries its HTTP status and its FHIR issue code (http://hl7.org/fhir/R4/valueset-issue-type.html). No text of
an error holds a value from a record: a path, never the content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in one document: where (JSON Pointer, RFC 6901), and the rule it breaks in plain words."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing wrong in a file of the catalogue or the instance; printed as `file:line: detail`. Line 0 is unknown."""

    file: str
    line: int
    detail: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.detail}" if self.line else f"{self.file}: {self.detail}"


class AdapterError(Exception):
    """What all of them share: a sentence for a person, an HTTP status and a FHIR issue code."""

    status = 500
    code = "exception"
    title = "The adapter could not do this"

    def __init__(self, detail: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.problems = tuple(problems)


class Refused(AdapterError):
    status = 422
    code = "invalid"
    title = "The content breaks rules"


class Malformed(AdapterError):
    status = 400
    code = "structure"
    title = "The request cannot be read"


class TooLarge(AdapterError):
    status = 413
    code = "too-long"
    title = "The request is too large"


class UnsupportedMedia(AdapterError):
    status = 415
    code = "not-supported"
    title = "The content type is not accepted"


class Unauthenticated(AdapterError):
    status = 401
    code = "login"
    title = "A token is needed"


class Forbidden(AdapterError):
    status = 403
    code = "forbidden"
    title = "This token may not do this"


class NotFound(AdapterError):
    status = 404
    code = "not-found"
    title = "Not found"


class Conflict(AdapterError):
    status = 409
    code = "conflict"
    title = "The state does not allow this now"


class PreconditionFailed(AdapterError):
    status = 412
    code = "conflict"
    title = "A condition does not hold"


class Misconfigured(AdapterError):
    status = 500
    code = "exception"
    title = "The configuration is wrong"

    def __init__(self, detail: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(detail)
        self.findings = tuple(findings)


class Unavailable(AdapterError):
    status = 503
    code = "transient"
    title = "The adapter cannot reach its database"
