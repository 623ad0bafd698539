"""The instances that others published: each becomes a record, or is refused with the element named."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from adapter.core import strict_json
from adapter.core.case import check
from adapter.core.mapping.inbound import records
from tests.core.inbound.home import sender, using

EXAMPLES = Path(__file__).resolve().parents[4] / "shared" / "suites" / "examples"
FILES = sorted(EXAMPLES.glob("*/*.json"))

pytestmark = pytest.mark.skipif(not FILES, reason="the published examples are not beside the repository")


def resource_of(path: Path) -> Any:
    return strict_json.parse(path.read_bytes())


def test_each_published_example_becomes_a_record_or_is_refused_with_its_element() -> None:
    became: Counter[str] = Counter()
    for path in FILES:
        resource = resource_of(path)
        received = records([resource], using(), sender())
        assert received.records or received.refused, path.name
        for note in (*received.refused, *received.findings):
            assert note.expression.startswith(resource["resourceType"]) and note.rule, path.name
        found = {"case": "x", "program": "wraparound", "child": {"name": {"family": "x"}}} | received.case()
        assert check(found, using().schemas) == [], path.name
        became["records" if received.records else "refused"] += 1
    assert became["records"] > 200, "most of them are of types that have a row"


@pytest.mark.parametrize("guide", sorted(path.name for path in EXAMPLES.glob("*") if path.is_dir()))
def test_a_guide_s_examples_together_are_one_set_where_they_are_about_one_child(guide: str) -> None:
    """References lead from file to file: more becomes records together than alone."""
    given = [resource_of(path) for path in FILES if path.parent.name == guide]
    patients = sorted({f"Patient/{each['id']}" for each in given if each["resourceType"] == "Patient" and "id" in each})
    for patient in patients[:4]:
        received = records(given, using(), sender(child=patient))
        assert received.records and all(note.rule for note in received.refused)
        found = {"case": "x", "program": "wraparound", "child": {"name": {"family": "x"}}} | received.case()
        assert check(found, using().schemas) == []
