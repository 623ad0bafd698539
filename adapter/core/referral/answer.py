"""What a partner's Task says about a referral of ours: total over any JSON, and never more than it says.

R4 and R5 (http://hl7.org/fhir/R4/task.html): status, statusReason, businessStatus, output. Nothing else of the Task is
taken: who asked, for whom and what for is ours to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapter.core.fhir.named import names_of
from adapter.core.mapping.codes import ConceptMap
from adapter.core.referral.table import Dialect, State
from adapter.core.strict_json import digest

LONGEST = 20_000
"""Characters of a text: as long as a record's texts may be (records.md)."""
MOST_OUTPUTS = 100
MOST_NAMES = 20
"""Identifiers of one Task that are looked up."""
_CONTROL = re.compile(r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Hearing:
    """How one partner's answers are read: its table, and what its business statuses mean."""

    dialect: Dialect
    business: ConceptMap


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `key` is the same for the same answer, however often it comes; `number` its place among the versions
    of one Task on one server, where that counts them."""

    key: str
    state: State | None
    said: str
    """The code as it came; empty where there is none, or what came is no code."""
    business: str = ""
    """Our code of the business status; empty where it is none of ours."""
    words: str = ""
    """The words of the business status."""
    reason: str = ""
    result: str = ""
    at: str = ""
    """When the partner says that it was, as an instant in UTC."""
    number: int | None = None
    source: str = ""


def read(task: Mapping[str, Any], hearing: Hearing, *, source: str) -> Answer:
    """What this Task says. `source` names where it was read (one server): versions of two servers do not compare."""
    status = task.get("status")
    concept = task.get("businessStatus")
    meta = _object(task.get("meta"))
    at = _instant(task.get("lastModified")) or _instant(meta.get("lastUpdated"))
    version = meta.get("versionId")
    said = status if isinstance(status, str) and re.fullmatch(r"[a-z-]{1,40}", status) else ""
    content = {
        "status": said,
        "business": _business(concept, hearing.business),
        "words": words_of(concept),
        "reason": words_of(task.get("statusReason")),
        "result": _result(task.get("output")),
    }
    which = version if isinstance(version, str) else at
    return Answer(
        key=digest([source, which, content])[:32],
        state=hearing.dialect.state(status),
        said=said,
        business=content["business"],
        words=content["words"],
        reason=content["reason"],
        result=content["result"],
        at=at,
        number=int(version) if isinstance(version, str) and re.fullmatch(r"[0-9]{1,15}", version) else None,
        source=source,
    )


def names_in(task: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The identifiers that a Task bears, and those that it says it is about (`focus`, `basedOn`)."""
    about = [task.get("focus"), *_list(task.get("basedOn"))]
    named = [_object(_object(each).get("identifier")) for each in about]
    stated = [*names_of(task), *((n.get("system"), n.get("value")) for n in named)]
    found = [(system, value) for system, value in stated if isinstance(system, str) and isinstance(value, str)]
    return found[:MOST_NAMES]


def clean(text: Any) -> str:
    """A text as a record may hold it: no control characters, not too long; empty for anything else."""
    return _CONTROL.sub("", text)[:LONGEST].strip() if isinstance(text, str) else ""


def _business(concept: Any, known: ConceptMap) -> str:
    for coding in _list(_object(concept).get("coding")):
        each = _object(coding)
        system, code = each.get("system"), each.get("code")
        if isinstance(system, str) and isinstance(code, str) and (ours := known.backwards.get((system, code))):
            return ours
    return ""


def words_of(value: Any) -> str:
    """Of a CodeableConcept, or of R5's CodeableReference: its text, else the first display."""
    concept = _object(value)
    concept = _object(concept.get("concept")) or concept
    displays = (clean(_object(each).get("display")) for each in _list(concept.get("coding")))
    return clean(concept.get("text")) or next((each for each in displays if each), "")


def _result(output: Any) -> str:
    return clean("\n".join(_outputs(output)))


def _outputs(output: Any) -> Iterator[str]:
    for each in _list(output)[:MOST_OUTPUTS]:
        entry = _object(each)
        for name in ("valueString", "valueMarkdown"):
            if text := clean(entry.get(name)):
                yield text
        if words := words_of(entry.get("valueCodeableConcept")):
            yield words


def _instant(value: Any) -> str:
    """An instant or date-time in UTC; empty where it is none, or has no zone."""
    if not isinstance(value, str) or len(value) > 40:
        return ""
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC).isoformat() if moment.tzinfo else ""
    except (ValueError, OverflowError):
        return ""


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
