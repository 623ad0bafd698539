"""The files of a FHIR package: what a partner's server or validator loads our definitions from.

Source: http://hl7.org/fhir/R5/packages.html (the same for R4): `package/package.json` says what it is, `.index.json` in
each folder what lies there, and examples have a folder of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from adapter.core.diff import Resource
from adapter.core.partner import Release

CANONICAL = "https://csp-adapter.example"
FHIR_VERSIONS: Mapping[Release, str] = {"R4": "4.0.1", "R5": "5.0.0"}
DEPENDENCIES: Mapping[Release, Mapping[str, str]] = {
    "R4": {"hl7.fhir.r4.core": "4.0.1"},
    "R5": {"hl7.fhir.r5.core": "5.0.0", "hl7.fhir.uv.extensions.r5": "1.0.0"},
}
"""Packages that hold what ours refers to: R5's core no longer has the extensions."""
DEFINITIONS = frozenset({"CapabilityStatement", "CodeSystem", "SearchParameter", "StructureDefinition", "ValueSet"})
"""Types that define; whatever else lies among them is an example."""

_INDEXED = ("resourceType", "id", "url", "version", "kind", "type", "supplements", "content", "valueSet", "derivation")
"""What an index (version 2) tells of a resource, as far as it has it."""


def package_name(release: Release) -> str:
    """The package's name: the author's part, what it is, and for which release."""
    return f"csp-adapter.profiles.{release.lower()}"


def package_files(resources: Mapping[str, Resource], *, release: Release, version: str) -> dict[str, bytes]:
    """Path in the package → its bytes, in order; the same for the same resources.

    `resources`: file name (`Goal-goal-example.json`) → resource. `version`: of the package (semantic versioning).
    """
    folders: dict[str, dict[str, Resource]] = {"package": {}, "package/example": {}}
    for name, resource in sorted(resources.items()):
        folders["package" if resource["resourceType"] in DEFINITIONS else "package/example"][name] = resource
    files = {"package/package.json": _json(_about(release, version))}
    for folder, there in folders.items():
        files[f"{folder}/.index.json"] = _json({"index-version": 2, "files": [_entry(*each) for each in there.items()]})
        files |= {f"{folder}/{name}": _json(resource) for name, resource in there.items()}
    return dict(sorted(files.items(), key=lambda file: (file[0] != "package/package.json", file[0])))


def _about(release: Release, version: str) -> dict[str, Any]:
    fhir = FHIR_VERSIONS[release]
    return {
        "name": package_name(release),
        "version": version,
        "type": "Conformance",
        "title": "Coordinated service planning",
        "description": "Profiles of what the adapter for coordinated service planning sends as FHIR "
        f"{release}, with extensions, value sets, code systems, search parameters and examples.",
        "canonical": CANONICAL,
        "fhirVersions": [fhir],
        "dependencies": DEPENDENCIES[release],
        "author": "The authors of csp-fhir-adapter",
        "license": "Apache-2.0",
        "directories": {"lib": "package", "example": "example"},
    }


def _entry(name: str, resource: Resource) -> dict[str, Any]:
    return {"filename": name, **{key: resource[key] for key in _INDEXED if isinstance(resource.get(key), str)}}


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
