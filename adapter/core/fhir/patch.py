"""Applies a JSON Patch to a resource: RFC 6902, as http://hl7.org/fhir/R4/http.html#patch has it, within bounds.

A patch is small and its effect need not be: each copy may double what is there, so that every step is counted.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from jsonpatch import JsonPatch, JsonPatchException
from jsonpointer import JsonPointerException

from adapter.core.fhir.transaction import count
from adapter.errors import Malformed, Problem, Refused, TooLarge

MOST_OPERATIONS = 100
LONGEST_PATH = 500
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "add": ("path", "value"), "remove": ("path",), "replace": ("path", "value"), "move": ("path", "from"),
    "copy": ("path", "from"), "test": ("path", "value"),
}  # fmt: skip
_STAYS = ("resourceType", "id")


def operations(patch: Any) -> list[dict[str, Any]]:
    """The operations of a patch. Malformed: it is no list of them, each wrong one named; TooLarge: too many."""
    if not isinstance(patch, list):
        raise Malformed("A JSON Patch is expected: a list of operations.")
    if len(patch) > MOST_OPERATIONS:
        raise TooLarge(f"The patch has more than {MOST_OPERATIONS} operations.")
    problems = [problem for place, each in enumerate(patch) for problem in _problems(f"/{place}", each)]
    if problems:
        raise Malformed("The patch cannot be read.", problems)
    return patch


def patched(resource: Mapping[str, Any], patch: Sequence[Mapping[str, Any]], *, most_values: int) -> dict[str, Any]:
    """The resource after every operation, none of which is left out. Refused: one of them cannot be done, or it would
    be another resource; TooLarge: it would hold more values than `most_values`."""
    made: Any = copy.deepcopy(dict(resource))
    for place, each in enumerate(patch):
        try:
            # One at a time, on a copy of its own value: what two places share would change at both.
            made = JsonPatch([copy.deepcopy(dict(each))]).apply(made, in_place=True)
        except (JsonPatchException, JsonPointerException):
            detail = "does not hold" if each["op"] == "test" else "cannot be done to the resource as it is"
            raise Refused("The patch cannot be applied; nothing was changed.", [Problem(f"/{place}", detail)]) from None
        if count(made) > most_values:
            raise TooLarge(f"The resource would hold more than {most_values} values.")
    if not isinstance(made, dict) or any(made.get(name) != resource.get(name) for name in _STAYS):
        problems = [Problem(f"/{name}", "stays as it is") for name in _STAYS]
        raise Refused("A patch changes a resource, and makes no other of it.", problems)
    return made


def _problems(at: str, operation: Any) -> list[Problem]:
    if not isinstance(operation, dict):
        return [Problem(at, "must be an operation: an object")]
    op = operation.get("op")
    if not isinstance(op, str) or op not in _NEEDS:
        return [Problem(f"{at}/op", f"must be one of {', '.join(_NEEDS)}")]
    found = [Problem(f"{at}/{name}", "is required") for name in _NEEDS[op] if name not in operation]
    for name in {"path", "from"} & operation.keys() & {*_NEEDS[op]}:
        text = operation[name]
        if not isinstance(text, str) or len(text) > LONGEST_PATH or (text and not text.startswith("/")):
            found.append(Problem(f"{at}/{name}", f"must be a JSON Pointer of at most {LONGEST_PATH} characters"))
    return sorted(found)
