"""How the API answers: JSON whose numbers are those that were put, and the version of what was read or saved."""

from __future__ import annotations

from typing import Any

from flask import Response

from adapter.core import strict_json
from adapter.saving import Kept

JSON = "application/json"


def reply(value: Any, *, status: int = 200, content_type: str = JSON) -> Response:
    """A value as JSON."""
    return Response(strict_json.dump(value), status=status, content_type=content_type)


def versioned(value: dict[str, Any], version: int) -> Response:
    """A value with the version of its case as a weak ETag."""
    response = reply(value)
    response.headers["ETag"] = f'W/"{version}"'
    return response


def saved(kept: Kept) -> Response:
    """202: saved, and due at these partners; with the warnings that a person should see."""
    warnings = [{"pointer": warning.pointer, "detail": warning.detail} for warning in kept.warnings]
    told = {"version": kept.version, "changed": kept.changed, "due": list(kept.due), "warnings": warnings}
    response = reply(told, status=202)
    response.headers["ETag"] = f'W/"{kept.version}"'
    return response
