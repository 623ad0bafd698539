"""A case file accepted whole or refused whole: every problem at once, with its JSON Pointer and the rule it breaks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adapter.core.schema import Group, Leaf, Listing, Node, Schemas, paths
from adapter.errors import Problem

PERIODS = (("start", "end"), ("since", "until"), ("from", "to"))
"""Pairs of dates of which the second cannot come before the first."""
DANGLING = "this reference leads to nothing in the case"
MOST_PROBLEMS = 500
"""A body that breaks more rules than this is answered with these first: an answer is read by a person."""

_WORDS = {
    "additionalProperties": "this field is not known here",
    "minLength": "this text is too short",
    "maxLength": "this text is too long",
    "pattern": "this text does not have the form that the schema gives",
    "minItems": "this list has too few entries",
    "maxItems": "this list has too many entries",
    "minProperties": "at least one field is needed here",
    "minimum": "this number is too small",
    "maximum": "this number is too large",
    "anyOf": "this has none of the forms that the schema allows",
    "required": "a required field is missing",
    "contentEncoding": "this is not base64",
}

LACKING = frozenset(_WORDS[each] for each in ("required", "minItems", "minProperties", "anyOf"))
"""What is said where something is not there."""

_FORMS = {
    "^[A-Za-z0-9][A-Za-z0-9._-]": "must be letters, digits, dots, dashes or underscores, at most 64 of them",
    "^[a-z0-9][a-z0-9-]": "must be a short code: small letters, digits and dashes",
    "^[^\\u0000": "must hold text, and no control characters",
    "^[a-z]{2,3}(": "must be the code of a language, such as en or fr-CA",
    "^P[1-9]": "must be a length of time, such as P6M or P30D",
    "^[a-z][a-z0-9+.-]*:": "must be a URI, such as https://registry.example.ca/people",
    "^https?:": "must be a web address",
    "^[a-z]+/": "must be a media type, such as application/pdf",
    "^[A-Za-z0-9+/]+": "must be base64",
}
"""How a pattern of mappings/records begins → what it asks for."""
_TARGETS = re.compile(r"[(|](child|family|enrolment|[a-z_]+(?=/))")


def check(case: Any, schemas: Schemas) -> list[Problem]:
    """Every rule of the schemas, and what a schema cannot say: references, ids, dates in order (records.md)."""
    problems = schema_problems(case, schemas.validator)
    if isinstance(case, dict):
        problems += [*_duplicates(case, schemas), *_dangling(case, schemas), *_reversed("", case)]
    return sorted(set(problems))[:MOST_PROBLEMS]


def schema_problems(value: Any, validator: Any) -> list[Problem]:
    """What `value` breaks of a schema, in our own words: a schema library's words repeat the value."""
    return [problem for error in validator.iter_errors(value) for problem in _problems_of(error)]


def _problems_of(error: Any) -> Iterator[Problem]:
    at = pointer(error.instance_path)
    kind = error.kind
    match kind.name:
        case "additionalProperties":
            for name in kind.unexpected:
                yield Problem(f"{at}/{_escape(name)}", _WORDS["additionalProperties"])
        case "required":
            yield Problem(f"{at}/{_escape(kind.property)}", _WORDS["required"])
        case "enum":
            allowed = ", ".join(str(option) for option in kind.options)
            yield Problem(at, f"must be one of: {allowed}")
        case "type":
            yield Problem(at, f"must be of type {', '.join(kind.types)}")
        case "format":
            yield Problem(at, f"must be a {kind.format} that exists (ISO 8601)")
        case "anyOf" if {e.kind.name for branch in kind.context for e in branch} <= {"format"}:
            yield Problem(at, "must be a date or a date-time with its offset (ISO 8601)")
        case "pattern":
            yield Problem(at, _form(kind.pattern))
        case name:
            yield Problem(at, _WORDS.get(name, "this breaks the schema"))


def _form(pattern: str) -> str:
    """The form that a pattern of mappings/records asks for, in words."""
    for begin, words in _FORMS.items():
        if pattern.startswith(begin):
            return words
    if targets := _TARGETS.findall(pattern):
        return f"must refer to one of: {', '.join(dict.fromkeys(targets))} (such as goals/g1)"
    return _WORDS["pattern"]


def pointer(path: Sequence[str | int]) -> str:
    """A JSON Pointer (RFC 6901) for a path of keys and indexes."""
    return "".join(f"/{_escape(str(step))}" for step in path)


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _duplicates(case: Mapping[str, Any], schemas: Schemas) -> Iterator[Problem]:
    for collection, value in case.items():
        if collection in schemas.collections:
            yield from _duplicate_ids(f"/{collection}", value)


def _duplicate_ids(at: str, value: Any) -> Iterator[Problem]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _duplicate_ids(f"{at}/{name}", child)
    elif isinstance(value, list):
        counts = Counter(_id_of(entry) for entry in value)
        for index, entry in enumerate(value):
            if (identity := _id_of(entry)) and counts[identity] > 1:
                yield Problem(f"{at}/{index}/id", "this id stands more than once in its list")
            yield from _duplicate_ids(f"{at}/{index}", entry)


def _id_of(entry: Any) -> str:
    found = entry.get("id") if isinstance(entry, dict) else None
    return found if isinstance(found, str) else ""


def _dangling(case: Mapping[str, Any], schemas: Schemas) -> Iterator[Problem]:
    known = {*paths(case), "child", "enrolment", "family"}
    for collection, value in case.items():
        if node := schemas.collections.get(collection):
            tree: Node = Listing(node) if isinstance(value, list) else node
            for at, reference in _references(f"/{collection}", value, tree):
                if reference not in known:
                    yield Problem(at, DANGLING)


def _references(at: str, value: Any, node: Node) -> Iterator[tuple[str, str]]:
    # What has the wrong shape has been reported by the schema; here it is passed over.
    match node, value:
        case Group(fields), dict():
            for name, child in value.items():
                if name in fields:
                    yield from _references(f"{at}/{name}", child, fields[name])
        case Listing(item), list():
            for index, entry in enumerate(value):
                yield from _references(f"{at}/{index}", entry, item)
        case Leaf(refs=refs), str() if refs:
            yield at, value


def _reversed(at: str, value: Any) -> Iterator[Problem]:
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _reversed(f"{at}/{index}", entry)
    elif isinstance(value, dict):
        for first, last in PERIODS:
            start, end = value.get(first), value.get(last)
            # Both are whole ISO days by their schema, so that text order is time order.
            if isinstance(start, str) and isinstance(end, str) and _is_day(start) and _is_day(end) and end < start:
                yield Problem(f"{at}/{last}", f"this date comes before `{first}`")
        for name, child in value.items():
            yield from _reversed(f"{at}/{name}", child)


def _is_day(text: str) -> bool:
    return len(text) == 10 and text[4] == text[7] == "-" and text[:4].isdigit()
