"""A FHIR package: everything in it, each folder with its index, and a package.json that says what it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapter.core.fhir.package import DEPENDENCIES, FHIR_VERSIONS, Release, package_files, package_name

PROFILE = {
    "resourceType": "StructureDefinition", "id": "csp-goal", "url": "https://csp-adapter.example/StructureDefinition/csp-goal",
    "version": "0.1.0", "kind": "resource", "type": "Goal", "derivation": "constraint", "snapshot": {"element": []},
}  # fmt: skip
CODES = {
    "resourceType": "CodeSystem", "id": "part", "url": "https://csp-adapter.example/CodeSystem/part",
    "version": "0.1.0", "content": "complete",
}  # fmt: skip
GOAL = {"resourceType": "Goal", "id": "goal-example", "description": {"text": "Être ami·e"}}
RESOURCES = {
    "StructureDefinition-csp-goal.json": PROFILE,
    "CodeSystem-part.json": CODES,
    "Goal-goal-example.json": GOAL,
}


def files(resources: dict[str, Any] = RESOURCES, release: Release = "R4") -> dict[str, bytes]:
    return package_files(resources, release=release, version="0.1.0")


def test_definitions_and_examples_lie_where_the_specification_says() -> None:
    assert list(files()) == [
        "package/package.json",
        "package/.index.json",
        "package/CodeSystem-part.json",
        "package/StructureDefinition-csp-goal.json",
        "package/example/.index.json",
        "package/example/Goal-goal-example.json",
    ]


def test_an_index_tells_of_each_file_in_its_folder_and_of_no_other() -> None:
    made = files()
    index = json.loads(made["package/.index.json"])
    assert index["index-version"] == 2
    assert index["files"] == [
        {
            "filename": "CodeSystem-part.json", "resourceType": "CodeSystem", "id": "part",
            "url": "https://csp-adapter.example/CodeSystem/part", "version": "0.1.0", "content": "complete",
        },
        {
            "filename": "StructureDefinition-csp-goal.json", "resourceType": "StructureDefinition", "id": "csp-goal",
            "url": "https://csp-adapter.example/StructureDefinition/csp-goal", "version": "0.1.0", "kind": "resource",
            "type": "Goal", "derivation": "constraint",
        },
    ]  # fmt: skip
    (example,) = json.loads(made["package/example/.index.json"])["files"]
    assert example == {"filename": "Goal-goal-example.json", "resourceType": "Goal", "id": "goal-example"}


@pytest.mark.parametrize("release", FHIR_VERSIONS)
def test_a_package_says_what_it_is_and_what_it_needs(release: Release) -> None:
    about = json.loads(files(release=release)["package/package.json"])
    fhir = FHIR_VERSIONS[release]
    assert about["name"] == package_name(release) == f"csp-adapter.profiles.{release.lower()}"
    assert (about["version"], about["canonical"]) == ("0.1.0", "https://csp-adapter.example")
    assert (about["fhirVersions"], about["dependencies"]) == ([fhir], DEPENDENCIES[release])
    assert about["dependencies"][f"hl7.fhir.{release.lower()}.core"] == fhir
    assert {"type", "title", "description", "author", "license"} <= about.keys()


def test_the_order_in_which_files_are_read_changes_nothing() -> None:
    assert list(files().items()) == list(files(dict(reversed(RESOURCES.items()))).items())


def test_what_is_in_the_package_is_what_was_given() -> None:
    made = files()
    assert json.loads(made["package/example/Goal-goal-example.json"]) == GOAL
    assert "Être ami·e".encode() in made["package/example/Goal-goal-example.json"]
