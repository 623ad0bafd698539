"""Reads what `make profiles` has built (profiles/generated), and packs it into one archive."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from adapter.core.fhir.package import package_files
from adapter.core.partner import Release
from adapter.errors import Finding, Misconfigured

Resource = dict[str, Any]


def read_profiles(root: Path, release: Release) -> dict[str, Resource]:
    """File name → definition or example of this release, in order. Misconfigured where there are none or one is broken.

    `root` holds profiles/ (`catalogue.files_root()`).
    """
    folder = root / "profiles" / "generated" / release.lower()
    found: dict[str, Resource] = {}
    wrong = []
    for path in sorted(folder.glob("*.json")):
        try:
            found[path.name] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            wrong.append(Finding(f"profiles/generated/{release.lower()}/{path.name}", 0, "cannot be read as JSON"))
    if wrong:
        raise Misconfigured("Generated profiles are broken: run `make profiles`.", wrong)
    if not found:
        raise Misconfigured(f"There are no profiles for {release}: run `make profiles`.")
    return found


def package(root: Path, release: Release) -> bytes:
    """A FHIR package (.tgz) of this release: the same bytes for the same files, on every day and by whomever."""
    return archive(package_files(read_profiles(root, release), release=release, version=version("csp-fhir-adapter")))


def archive(files: Mapping[str, bytes]) -> bytes:
    """A gzipped tar of these files in their order, without times, owners or anything else of this machine."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            about = tarfile.TarInfo(name)
            about.size, about.mode = len(content), 0o644
            tar.addfile(about, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)
