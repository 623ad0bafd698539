"""Write the golden output again: `python -m tests.core.mapping_files.regenerate`. Read the difference, then commit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from adapter.core.partner import Release
from tests.core.document import regenerate as document
from tests.core.mapping_files.views import ROOT, ROWS, mapped, mappings, row

GOLDEN = Path(__file__).parent / "golden"
RELEASES: tuple[Release, ...] = ("R4", "R5")
PROFILE = "https://csp-adapter.example/StructureDefinition/csp-"


def rows(release: Release) -> list[str]:
    """The rows that have golden output in this release: for R5 those whose files differ from R4's."""
    own = {file.stem for file in (ROOT / "mappings" / release.lower()).glob("*.yaml")}
    return sorted(own & set(ROWS))


def golden(name: str, release: Release) -> Path:
    """Where it stands."""
    return GOLDEN / f"{name}.json" if release == "R4" else GOLDEN / release.lower() / f"{name}.json"


def of_row(name: str, using: Any) -> list[dict[str, Any]]:
    """What this row's mapping file makes of its view."""
    made = mapped(row(name), using).made
    return [each.resource for each in made if each.resource["meta"]["profile"] == [PROFILE + name]]


def main() -> None:
    for release in RELEASES:
        using = mappings(release)
        for name in rows(release):
            file = golden(name, release)
            file.parent.mkdir(exist_ok=True)
            text = json.dumps(of_row(name, using), indent=1, ensure_ascii=False)
            file.write_text(text + "\n", encoding="utf-8")
    document.main()


if __name__ == "__main__":
    main()
