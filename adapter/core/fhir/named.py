"""How a resource bears our business identifier, and how it is found by it (exchange.md, *Identity*).

Most types have `identifier`; Composition has a single one in R4; Binary and Provenance have none in any release: there
it is a tag, which FHIR lets every resource have, and every server search (`_tag`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from adapter.core.partner import Release

TAGGED = frozenset(("Binary", "Provenance"))
"""Types without `identifier`."""
_ONE = frozenset((("Composition", "R4"), ("QuestionnaireResponse", "R4")))
"""(type, release) where `identifier` does not repeat."""
_TOKEN_SEPARATORS = str.maketrans({separator: f"\\{separator}" for separator in "\\,|$"})


def named_by(type_: str, identifier: tuple[str, str], release: Release) -> dict[str, Any]:
    """The elements that carry it: `identifier`, or `meta` with a tag."""
    system, value = identifier
    if type_ in TAGGED:
        return {"meta": {"tag": [{"system": system, "code": value}]}}
    own = {"system": system, "value": value}
    return {"identifier": own if (type_, release) in _ONE else [own]}


def names_of(resource: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """(system, value) of each identifier that a resource states, whoever wrote it, total over any JSON."""
    if resource.get("resourceType") in TAGGED:
        meta = resource.get("meta")
        stated, value = (meta.get("tag") if isinstance(meta, dict) else None), "code"
    else:
        stated, value = resource.get("identifier"), "value"
    for each in stated if isinstance(stated, list) else [stated]:
        if isinstance(each, dict):
            yield each.get("system"), each.get(value)


def search(type_: str, identifier: tuple[str, str]) -> str:
    """`identifier=system|value` (or `_tag=`) as a query, escaped as a FHIR token and then percent-encoded."""
    system, value = (quote(part.translate(_TOKEN_SEPARATORS), safe=":/") for part in identifier)
    return f"{'_tag' if type_ in TAGGED else 'identifier'}={system}%7C{value}"
