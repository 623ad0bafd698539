"""The golden document: `python -m tests.core.document.regenerate`, or `make golden`. Read the difference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from adapter.core.consent.last_look.pages import pages
from adapter.core.document.place import PDF
from tests.core.document.desired import attached, bundle, desired, reference

GOLDEN = Path(__file__).parent / "golden"
NAMES = ("reference.json", "bundle.json", "pages.txt")


def files() -> dict[str, str]:
    """Name → text: what the DocumentReference says; the Composition, and what comes after it; the PDF line by line.

    What the other entries say is golden with their mapping files.
    """
    found = desired()
    first, *rest = bundle(found)["entry"]
    beside = [f"{each['resource']['resourceType']} {each['fullUrl']}" for each in rest]
    return {
        "reference.json": _json(reference(found).resource),
        "bundle.json": _json({**bundle(found), "entry": [first, *beside]}),
        "pages.txt": "\n".join(pages(attached(found)[PDF]).flow) + "\n",
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name, text in files().items():
        (GOLDEN / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
