"""Each mapping file makes exactly what is written down beside it, and FHIR's models accept it, in both releases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from adapter.core.fhir.models import problems
from adapter.core.partner import Release
from tests.core.mapping_files.regenerate import RELEASES, golden, of_row, rows
from tests.core.mapping_files.views import ROWS, SCHOOL, fixtures, mapped, mappings, row, whole


@pytest.mark.parametrize(("release", "name"), [(release, name) for release in RELEASES for name in rows(release)])
def test_a_row_gives_its_golden_output(release: Release, name: str) -> None:
    """Regenerate with `python -m tests.core.mapping_files.regenerate`, and read the difference."""
    made = of_row(name, mappings(release))
    assert made
    assert made == json.loads(golden(name, release).read_text("utf-8"))
    assert [problem for resource in made for problem in problems(resource, release=release)] == []


@pytest.mark.parametrize("release", RELEASES)
def test_every_mapping_file_has_a_row(release: Release) -> None:
    """A new mapping file without a golden pair fails here."""
    names = {mapping.name for mapping in mappings(release).mappings}
    assert names == set(ROWS)


@pytest.mark.parametrize("name", rows("R5"))
def test_a_file_of_r5_differs_from_that_of_r4(name: str) -> None:
    """design.md section 5: R5 holds only the files that differ; one that makes the same would only grow old apart."""
    assert of_row(name, mappings("R5")) != of_row(name, mappings("R4"))


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", sorted(ROWS))
def test_whatever_a_row_makes_is_valid(release: Release, name: str) -> None:
    """Also what R5 makes by R4's file, and what stands around a row."""
    made = mapped(row(name), mappings(release)).made
    assert [(m.type, m.about, p) for m in made for p in problems(m.resource, release=release)] == []


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("folder", [name for name, _ in fixtures()])
def test_a_whole_fixture_case_is_valid_and_all_its_codes_are_translated(folder: str, release: Release) -> None:
    """Everything permitted: nothing that the models refuse, no code without a line."""
    result = mapped(whole(dict(fixtures())[folder]), mappings(release))
    assert [(m.type, m.about, p) for m in result.made for p in problems(m.resource, release=release)] == []
    assert result.findings == ()


@pytest.mark.parametrize("name", [*sorted(ROWS), *(folder for folder, _ in fixtures())])
def test_r5_tells_what_r4_tells(name: str) -> None:
    """Each text, date and code of the records that stands in the one stands in the other: nothing is lost."""
    case = row(name) if name in ROWS else whole(dict(fixtures())[name])
    silent = replace(SCHOOL, narrative=False)
    r4, r5 = (
        {each for made in mapped(case, mappings(release), partner=silent).made for each in strings(made.resource)}
        for release in RELEASES
    )
    told = set(strings(case))
    assert told & r4 == told & r5


def strings(value: Any) -> Iterator[str]:
    """Every text in it."""
    if isinstance(value, dict):
        for child in value.values():
            yield from strings(child)
    elif isinstance(value, list):
        for child in value:
            yield from strings(child)
    elif isinstance(value, str):
        yield value
