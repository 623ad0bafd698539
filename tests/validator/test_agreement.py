"""The checker beside HAPI FHIR's validator: nothing wrong in what is sent, and one judgement of what is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapter.catalogue import files_root
from adapter.catalogue.definitions import checkers
from adapter.core.fhir.checker import Checker
from adapter.core.partner import Release
from tests.core.fhir.breaking import KINDS
from tests.core.fhir.checker_profiles import own
from tests.core.fhir.test_checker import BROKEN, NARRATIVES, SOUND, div
from tests.validator import base_definitions
from tests.validator.agreement import compared, of_fixtures, printed, sound
from tests.validator.hapi import Hapi
from tests.validator.sent import documents, examples, sent

pytestmark = [pytest.mark.servers, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def checking() -> dict[Release, Checker]:
    return dict(checkers(files_root()))


def test_every_resource_of_every_fixture_for_every_partner_is_valid(
    request: pytest.FixtureRequest, checking: dict[Release, Checker]
) -> None:
    """Issue 4, point 8: 0 errors, base and profiles, references followed within what one partner holds."""
    wrong = []
    for each in sent():
        hapi: Hapi = request.getfixturevalue(f"hapi_{each.release.lower()}")
        checker = checking["R5" if each.release == "R5" else "R4"]
        wrong += [(each.fixture, each.partner, i.at, i.text) for i in hapi.issues([each.bundle()])[0] if i.wrong]
        wrong += [(each.fixture, each.partner, p.pointer, p.detail) for p in checker.problems(each.bundle())]
        among = {made.urn: made.resource for made in each.made}
        wrong += [
            (each.fixture, each.partner, made.about, found.pointer, found.detail)
            for made in each.made
            for found in checker.problems(made.resource, among=among)
        ]
    assert wrong == []


@pytest.mark.parametrize("release", ["R4", "R5"])
def test_every_document_of_every_fixture_is_valid(
    request: pytest.FixtureRequest, checking: dict[Release, Checker], release: Release
) -> None:
    """As a whole: a document Bundle has rules of its own (bdl-9 to bdl-11), and its entries refer to each other."""
    hapi: Hapi = request.getfixturevalue(f"hapi_{release.lower()}")
    found = list(documents(release))
    assert len(found) > 10
    wrong = []
    for fixture, partner, document in found:
        wrong += [(fixture, partner, i.at, i.text) for i in hapi.issues([document])[0] if i.wrong]
        wrong += [(fixture, partner, p.pointer, p.detail) for p in checking[release].problems(document)]
    assert wrong == []


def test_both_judge_broken_resources_alike_but_for_known_reasons(
    hapi_r4: Hapi, checking: dict[Release, Checker]
) -> None:
    """A part of `python -m tests.validator`; every kind of breakage is in it."""
    checker = checking["R4"]
    whole = sound(hapi_r4, checker, [*of_fixtures("R4")[::5], *examples()])
    table = compared(hapi_r4, checker, whole, number=300, seed=20261127)
    assert table.unexplained == [], "\n".join(printed(table))
    without = set() if checker.definitions.own else {"profile"}
    assert set(table.kinds()) == set(KINDS) - without
    assert sum(table.found.values()) > 200


def test_both_judge_broken_resources_of_r5_alike(hapi_r5: Hapi, checking: dict[Release, Checker]) -> None:
    """With what the mapping files make for R5."""
    checker = checking["R5"]
    whole = sound(hapi_r5, checker, of_fixtures("R5"))
    table = compared(hapi_r5, checker, whole, number=60, seed=5)
    assert table.unexplained == [], "\n".join(printed(table))
    assert sum(table.found.values()) > 30


LENIENT = {
    "a language that BCP 47 does not know": "it takes en_CA for en-CA",
    "no base64": "it reads what it can",
    "a control character in a text": "it warns",
    "an object that has only an id": "REASONS['empty']",
    "a wrong type told": "REASONS['type']",
    "a modifier that nobody knows": "REASONS['modifier']",
    "an extension of ours that is not": "it is told to allow any extension",
    "a profile of ours that is not": "it is told that unknown profiles are no errors",
    "an image from outside": "REASONS['xhtml']",
    "an image from outside without a scheme": "REASONS['xhtml']",
    "a style that loads": "REASONS['xhtml']",
    "two roots": "REASONS['xhtml']",
    "an attribute without quotes": "REASONS['xhtml']",
}
"""Hand-written instances that HAPI lets pass, and why."""
UNRESOLVED = {"slices by the type of a reference"}
"""Where HAPI does not tell a reference's type by its text, and so finds no slice for it."""


def test_the_hand_written_instances_are_judged_alike_but_for_these(tmp_path: Path) -> None:
    """The tables of tests/core/fhir/test_checker.py, with their small profiles loaded into HAPI."""
    for number, each in enumerate(own("R4")):
        extra = {"name": f"D{number}", "abstract": False, "fhirVersion": "4.0.1"}
        extra = extra if each["resourceType"] == "StructureDefinition" else {}
        (tmp_path / f"{number}.json").write_text(json.dumps({**each, "id": f"d{number}", "status": "active", **extra}))
    narratives = [(param.id, div(param.values[0])) for param in NARRATIVES]
    broken_ones = [(param.id, param.values[0]) for param in BROKEN] + narratives
    with Hapi("R4", [tmp_path]) as hapi:
        refused = {name for name, one in _of(SOUND) if any(i.wrong for i in hapi.issues([one])[0])}
        passed = {name for name, one in broken_ones if not any(i.wrong for i in hapi.issues([one])[0])}
    assert refused == UNRESOLVED
    assert passed == set(LENIENT)


def _of(params: list[Any]) -> list[tuple[str, Any]]:
    return [(param.id, param.values[0]) for param in params]


def test_the_base_definitions_are_what_their_tool_writes() -> None:
    """Another version of HAPI FHIR, or another tool, and the files are written again and read as a difference."""
    assert base_definitions.main("--check") == 0
