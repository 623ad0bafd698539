"""What a check found, as FHIR says it: an OperationOutcome, an issue with a FHIRPath expression for each problem."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from adapter.errors import Problem

_RULE = re.compile(r"\([a-z]{2,10}-[A-Za-z0-9-]+\)\Z")
_NAME = re.compile(r"_?([A-Za-z][A-Za-z0-9]{0,63})\Z")
_BY_WORDS = (
    ("a required element is missing", "required"), ("value set", "code-invalid"), ("code system", "code-invalid"),
    ("xtension", "extension"), ("modifier", "extension"), ("does not exist", "structure"),
    ("must be a list", "structure"), ("must be an object", "structure"), ("not a list", "structure"),
    ("must be", "value"),
)  # fmt: skip


def outcome(problems: Sequence[Problem], root: str, warnings: Sequence[Problem] = ()) -> dict[str, Any]:
    """An OperationOutcome of one resource, whose type is `root`; where nothing is wrong, it says so."""
    issues = [_issue("error", each, root) for each in problems] + [_issue("warning", each, root) for each in warnings]
    sound = {"severity": "information", "code": "informational", "details": {"text": "No problem was found."}}
    return {"resourceType": "OperationOutcome", "issue": issues or [sound]}


def expression(problem: Problem, root: str) -> str:
    """A JSON Pointer as FHIRPath: `Goal.target[0].dueDate`. As far as it holds names and positions, not further."""
    path = root
    for token in problem.pointer.split("/")[1:]:
        if token.isdecimal() and len(token) < 6:
            path += f"[{token}]"
        elif name := _NAME.match(token):
            path += f".{name[1]}" if path else name[1]
        else:
            break
    return path


def code(problem: Problem) -> str:
    """The FHIR issue code of a problem (http://hl7.org/fhir/R4/valueset-issue-type.html)."""
    if _RULE.search(problem.detail):
        return "invariant"
    return next((code for words, code in _BY_WORDS if words in problem.detail), "invalid")


def _issue(severity: str, problem: Problem, root: str) -> dict[str, Any]:
    issue: dict[str, Any] = {"severity": severity, "code": code(problem), "details": {"text": problem.detail}}
    path = expression(problem, root)
    return {**issue, "expression": [path]} if path else issue
