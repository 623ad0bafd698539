"""Write the golden output again: `python -m tests.core.mapping_files.regenerate`. Read the difference, then commit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.core.mapping_files.views import ROWS, mapped, mappings, row

GOLDEN = Path(__file__).parent / "golden"
PROFILE = "https://csp-adapter.example/StructureDefinition/csp-"


def of_row(name: str, using: Any) -> list[dict[str, Any]]:
    """What this row's mapping file makes of its view."""
    made = mapped(row(name), using).made
    return [each.resource for each in made if each.resource["meta"]["profile"] == [PROFILE + name]]


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    using = mappings()
    for name in ROWS:
        text = json.dumps(of_row(name, using), indent=1, ensure_ascii=False)
        (GOLDEN / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
