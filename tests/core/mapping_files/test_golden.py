"""Each mapping file makes exactly what is written down beside it, and FHIR's models accept it."""

from __future__ import annotations

import json

import pytest

from adapter.core.fhir.models import problems
from adapter.core.mapping.resources import Mappings
from tests.core.mapping_files.regenerate import GOLDEN, of_row
from tests.core.mapping_files.views import ROWS, fixtures, mapped, mappings, whole


@pytest.fixture(scope="module")
def using() -> Mappings:
    return mappings()


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_gives_its_golden_output(name: str, using: Mappings) -> None:
    """Regenerate with `python -m tests.core.mapping_files.regenerate`, and read the difference."""
    made = of_row(name, using)
    assert made
    assert made == json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    assert [problem for resource in made for problem in problems(resource)] == []


def test_every_mapping_file_has_a_row(using: Mappings) -> None:
    """A new mapping file without a golden pair fails here."""
    assert {mapping.name for mapping in using.mappings} == set(ROWS)


@pytest.mark.parametrize("folder", [name for name, _ in fixtures()])
def test_a_whole_fixture_case_is_valid_and_all_its_codes_are_translated(folder: str, using: Mappings) -> None:
    """Everything permitted, to a hospital: nothing that the models refuse, no code without a line."""
    result = mapped(whole(dict(fixtures())[folder]), using)
    assert [(m.type, m.about, p) for m in result.made for p in problems(m.resource)] == []
    assert result.findings == ()
