"""Reads the sources: one folder a case system, with a `source.yaml` that says what its export becomes."""

from __future__ import annotations

import re
from pathlib import Path

from adapter.catalogue.files import Found
from adapter.core.onramp.source import Source, load_source
from adapter.core.schema import Schemas
from adapter.errors import Finding, Misconfigured

FILE = "source.yaml"
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def read_sources(
    folder: Path, name: str, found: Found, schemas: Schemas, *, only: str | None = None
) -> dict[str, Source]:
    """Every source of the folder (or only one) by its id, which is the name of its own; none where there is none."""
    sources: dict[str, Source] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not path.is_dir() or only not in (None, path.name):
            continue
        file = f"{name}/{path.name}/{FILE}"
        try:
            if not ID.fullmatch(path.name):
                raise Misconfigured("", [Finding(file, 0, "the folder's name must be letters, digits and hyphens")])
            text = (path / FILE).read_text(encoding="utf-8")
            sources[path.name] = load_source(text, id_=path.name, file=file, schemas=schemas)
        except Misconfigured as wrong:
            found.errors.extend(wrong.findings)
        except FileNotFoundError:
            found.errors.append(Finding(file, 0, "is missing"))
        except (OSError, UnicodeDecodeError):
            found.errors.append(Finding(file, 0, "cannot be read as UTF-8"))
    return sources
