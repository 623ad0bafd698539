"""What a program asks for, as FHIR R4 Tasks for the coordinator's own system: never for a partner.

They are computed from the whole case, so they name it by the agency's own number; a partner may not have them
(consent.md: computed values are computed from the view). Source: http://hl7.org/fhir/R4/task.html
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from adapter.core.fhir.narrative import narrative
from adapter.core.programs.program import Finding

RULES = "https://csp-adapter.example/programs/"
_PRIORITY = {"overdue": "urgent", "due": "routine", "missing": "routine", "warning": "routine"}


class Asked(NamedTuple):
    """One finding of one case, and who coordinates there (a path of the case), if anyone."""

    case: str
    coordinator: str
    finding: Finding


def bundle(asked: Iterable[Asked], system: str, now: datetime) -> dict[str, Any]:
    """A collection of Tasks. `system`: of the agency's identifiers, under which its cases and records are named."""
    tasks = [task(each, system, now) for each in asked]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": now.isoformat(),
        **({"entry": [{"fullUrl": f"urn:uuid:{t['id']}", "resource": t} for t in tasks]} if tasks else {}),
    }


def task(asked: Asked, system: str, now: datetime) -> dict[str, Any]:
    """One Task; its id and identifier stay the same while the same is asked for, so that it can be updated."""
    case, finding = asked.case, asked.finding
    mark = "/".join((finding.program, finding.rule, case, finding.path, finding.sentence["en"]))
    id_ = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{RULES}{mark}"))

    def named(path: str) -> dict[str, Any]:
        return {"identifier": {"system": system, "value": f"{case}/{path}" if path else case}}

    made: dict[str, Any] = {
        "resourceType": "Task",
        "id": id_,
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{id_}"}],
        "instantiatesUri": f"{RULES}{finding.program}#{finding.rule}",
        "status": "requested",
        "businessStatus": {"text": finding.kind},
        "intent": "order",
        "priority": _PRIORITY[finding.kind],
        "code": {"text": finding.rule.replace("-", " ")},
        "description": finding.sentence["en"],
        "focus": named(finding.path),
        "for": {"type": "Patient"} | named(""),
        "authoredOn": now.isoformat(),
        **({"owner": named(asked.coordinator)} if asked.coordinator else {}),
        "reasonCode": {"text": finding.source},
    }
    if finding.due is not None:
        made["restriction"] = {"period": {"end": finding.due.isoformat()}}
    return {"resourceType": "Task", "id": id_, "text": narrative(made, language="en"), **made}
