"""What partners should hold of the fixtures where the plan is one document, and what is inside it."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from adapter import wiring
from adapter.core import strict_json
from adapter.core.consent.last_look.pages import pages
from adapter.core.desired import Bench, Desired, Subject, desire
from adapter.core.diff import Made
from adapter.core.document.place import FHIR, PDF

FIXTURES = Path(__file__).parents[3] / "fixtures"
NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
PARTNER = "fernhollow"


@cache
def bench() -> Bench:
    return wiring.wire_without_instance().bench


def case_of(name: str = "person-centred") -> Any:
    return copy.deepcopy(strict_json.parse((FIXTURES / name / "case.json").read_bytes()))


def told(**changes: Any) -> Bench:
    """The bench, with this changed in every partner's file."""
    partners = {name: replace(each, **changes) for name, each in bench().rulebook.partners.items()}
    return replace(bench(), rulebook=replace(bench().rulebook, partners=partners))


def desired(
    case: Any = None,
    partner: str = PARTNER,
    *,
    now: datetime = NOW,
    not_taken: Collection[str] = (),
    **changes: Any,
) -> Desired:
    case = case_of() if case is None else case
    return desire(told(**changes), Subject(case["case"], case, {}), partner, now, not_taken=not_taken)


@cache
def given(name: str, partner: str, release: Any = "R4") -> Desired:
    """What this partner should hold of a fixture if its plan were a document there; to read only."""
    return desired(case_of(name), partner, document="always", release=release)


def of(found: Desired, type_: str) -> list[Made]:
    return [each for each in found.made if each.type == type_]


def reference(found: Desired) -> Made:
    """The DocumentReference of the plan; the case's own documents have no Bundle."""
    (one,) = (m for m in of(found, "DocumentReference") if FHIR in json.dumps(m.resource["content"], default=str))
    return one


def attached(found: Desired) -> dict[str, bytes]:
    """Content type → the bytes that its DocumentReference leads to."""
    by_urn = {each.urn: each.resource for each in found.made}
    files = [content["attachment"] for content in reference(found).resource["content"]]
    return {
        each["contentType"]: base64.b64decode(each["data"] if "data" in each else by_urn[each["url"]]["data"])
        for each in files
    }


def bundle(found: Desired) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(attached(found)[FHIR])
    return parsed


def words(found: Desired) -> str:
    """What a person reads in the PDF."""
    return " ".join(pages(attached(found)[PDF]).flow)
