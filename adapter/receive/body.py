"""Reads what a partner sent: JSON, of a bearable size, the resource that the address names."""

from __future__ import annotations

from typing import Any

from adapter.core import strict_json
from adapter.core.fhir.transaction import count
from adapter.errors import (
    Malformed,
    Problem,
    TooLarge,
)

MOST_VALUES = 50_000


def parsed(body: bytes) -> Any:
    """The JSON of a body. TooLarge: more values in it than anything that is exchanged here has."""
    value = strict_json.parse(body)
    # Counting marks is quick and never too low; only where texts hold many of them are values counted one by one.
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > MOST_VALUES and count(value) > MOST_VALUES:
        raise TooLarge(f"The body holds more than {MOST_VALUES} values.")
    return value


def resource_of(body: bytes, type_: str) -> dict[str, Any]:
    """The one resource of a body. Malformed: it is none, or of another type."""
    resource = parsed(body)
    if not isinstance(resource, dict):
        raise Malformed("A resource is expected: a JSON object.")
    if resource.get("resourceType") != type_:
        raise Malformed(
            "The resource is not of the type that the URL names.", [Problem("/resourceType", f"must be {type_}")]
        )
    return resource
