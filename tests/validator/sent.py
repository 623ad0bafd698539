"""What the adapter sends: the resources of every fixture for every partner, and with everything permitted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapter import wiring
from adapter.catalogue import files_root
from adapter.core.desired import Subject, desire
from adapter.core.diff import Made

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "suites" / "examples" / "fhir-r4-core"
"""HL7's own examples, where the published material lies beside the repository."""
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LONGEST = 6000


@dataclass(frozen=True)
class Sent:
    """What one partner should hold of one fixture."""

    fixture: str
    partner: str
    release: str
    made: tuple[Made, ...]

    def bundle(self) -> dict[str, Any]:
        """As one collection, so that references by urn are followed."""
        entries = [{"fullUrl": each.urn, "resource": each.resource} for each in self.made]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def sent() -> Iterator[Sent]:
    """Every fixture for every partner that receives something of it."""
    preview = wiring.wire_without_instance(clock=lambda: NOW)
    for folder in sorted((files_root() / "fixtures").iterdir()):
        if not (folder / "case.json").is_file():
            continue
        case = json.loads((folder / "case.json").read_text("utf-8"))
        for id_, partner in preview.bench.rulebook.partners.items():
            made = desire(preview.bench, Subject(case["case"], case, {}), id_, NOW).made
            if made:
                yield Sent(folder.name, id_, partner.release, made)


def examples(folder: Path = EXAMPLES) -> list[dict[str, Any]]:
    """HL7's examples of the types that are exchanged here, the longest left out; none where the folder is not there."""
    found = [json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))]
    return [each for each in found if len(json.dumps(each)) < LONGEST]
