"""What the adapter sends: the resources of every fixture for every partner, and with everything permitted."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapter import wiring
from adapter.catalogue import files_root
from adapter.core.desired import Subject, desire
from adapter.core.diff import Made
from adapter.core.document.place import FHIR
from adapter.core.partner import Release

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


def documents(release: Release) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(fixture, partner, FHIR document) for every partner that receives something, as if all held plans so."""
    preview = wiring.wire_without_instance(clock=lambda: NOW)
    partners = {
        id_: replace(each, document="always", release=release, bytes="inline")
        for id_, each in preview.bench.rulebook.partners.items()
    }
    bench = replace(preview.bench, rulebook=replace(preview.bench.rulebook, partners=partners))
    for file in sorted((files_root() / "fixtures").glob("*/case.json")):
        case = json.loads(file.read_text("utf-8"))
        for id_ in partners:
            made = desire(bench, Subject(case["case"], case, {}), id_, NOW).made
            files = [f["attachment"] for m in made if m.type == "DocumentReference" for f in m.resource["content"]]
            for each in files:
                if each["contentType"] == FHIR:
                    yield file.parent.name, id_, json.loads(base64.b64decode(each["data"]))


def examples(folder: Path = EXAMPLES) -> list[dict[str, Any]]:
    """HL7's examples of the types that are exchanged here, the longest left out; none where the folder is not there."""
    found = [json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))]
    return [each for each in found if len(json.dumps(each)) < LONGEST]
