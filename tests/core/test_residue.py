"""What stands at a partner for what was taken back where its server deletes nothing: valid, and silent."""

from __future__ import annotations

import json

import pytest

from adapter.catalogue import files_root
from adapter.catalogue.definitions import checkers
from adapter.core.consent.view import OWN
from adapter.core.diff import Holding, Made
from adapter.core.fhir.models import problems
from adapter.core.fhir.named import names_of
from adapter.core.identity import Identity
from adapter.core.partner import Release
from adapter.core.residue import Residue
from tests.core.mapping_files.views import mappings

IDENTITY = Identity(b"a secret of tests only", "p", "https://agency.example.ca/id/p")
CHECKERS = checkers(files_root())
RELEASES: tuple[Release, ...] = ("R4", "R5")


def held(type_: str, about: str = "goals/g1") -> Holding:
    return Holding("urn:uuid:1", type_, ("https://agency.example.ca/id/p", "0123"), "7", "1", "hash", about=about)


def mistakes(*made: Made, release: Release) -> list[object]:
    """What either check says, as before all that leaves."""
    checked = CHECKERS[release].each([(m.urn, m.resource) for m in made])
    return [p for m, found in zip(made, checked, strict=True) for p in (*problems(m.resource, release=release), *found)]


def made_types(release: Release) -> list[str]:
    """Every type that a mapping file makes of a case; the Consent is closed, never emptied."""
    return sorted({m.type for m in mappings(release).mappings if not m.directory} - {"Consent"})


@pytest.mark.parametrize(("release", "type_"), [(r, t) for r in RELEASES for t in made_types(r)])
def test_each_type_that_is_made_has_a_stub(release: Release, type_: str) -> None:
    """A new mapping file of a new type fails here until someone says what is true of it once it is taken back."""
    (stub, purge) = Residue(IDENTITY, "C-1", release, stubs=True).beside([], [held(type_)], ())
    assert stub.type == type_
    assert mistakes(stub, purge, release=release) == []
    assert list(names_of(stub.resource)) == [held(type_).identifier]
    text = json.dumps(stub.resource)
    assert '"reference"' not in text and "entered-in-error" not in text


@pytest.mark.parametrize("release", RELEASES)
def test_the_consent_that_closes_is_valid(release: Release) -> None:
    """Inactive, its subject by identifier, and no word of what it permitted."""
    (closed,) = Residue(IDENTITY, "C-1", release).beside([], [held("Consent", OWN)], ())
    assert mistakes(closed, release=release) == []
    assert closed.resource["status"] == "inactive"
    assert not {"provision", "performer", "grantor", "grantee", "period"} & closed.resource.keys()
