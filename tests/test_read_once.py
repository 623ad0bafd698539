"""What the tests read once is what a command reads each time, with the same findings; other folders are read anew."""

from __future__ import annotations

import shutil
from dataclasses import fields
from inspect import unwrap
from pathlib import Path
from typing import Any

import pytest

from adapter import catalogue
from adapter.catalogue import Catalogue, files_root
from adapter.catalogue.files import Found
from adapter.errors import Misconfigured
from tests.read_once import READERS, once

PARTNERS = files_root() / "fixtures" / "partners"
COMPILED = ("schemas", "mappings", "programs")
"""What holds compiled expressions: its parts are compared instead."""


@pytest.fixture
def afresh(monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    """The catalogue as a new process reads it."""
    for room, names in READERS.items():
        for name in names:
            monkeypatch.setattr(room, name, getattr(room, name).__wrapped__)
    return catalogue.load(partners=PARTNERS)


def _said(each: Catalogue) -> dict[str, Any]:
    plain = {field.name: getattr(each, field.name) for field in fields(each) if field.name not in COMPILED}
    mappings = {r: [(m.name, m.template.name) for m in files.mappings] for r, files in each.mappings.items()}
    programs = {
        p.id: (p.title, p.age_of_own_consent, [rule.id for rule in p.rules], len(p.priorities), len(p.named))
        for p in each.programs.values()
    }
    return {**plain, "schemas": each.schemas.files, "mappings": mappings, "programs": programs}


def test_what_was_read_first_is_what_a_new_process_reads(request: pytest.FixtureRequest) -> None:
    """And so nothing that ran before this test has changed it."""
    known = _said(catalogue.load(partners=PARTNERS))
    assert known == _said(request.getfixturevalue("afresh"))


def test_every_reader_remembers() -> None:
    for room, names in READERS.items():
        for name in names:
            assert getattr(room, name) is once(unwrap(getattr(room, name))), name


def test_the_repositorys_files_are_read_once_and_a_copy_each_time(tmp_path: Path) -> None:
    ours = files_root() / "mappings" / "dialects"
    copy = shutil.copytree(ours, tmp_path / "dialects")
    assert catalogue.read_dialects(ours, "d", Found()) is catalogue.read_dialects(ours, "d", Found())
    assert catalogue.read_dialects(copy, "d", Found()) == catalogue.read_dialects(ours, "d", Found())
    (copy / "generic.yaml").unlink()
    assert "generic" not in catalogue.read_dialects(copy, "d", Found())


def test_what_was_found_is_told_each_time() -> None:
    """A name that files do not have under it, so that the repository's own folder is wrong."""
    first, second = Found(), Found()
    for found in (first, second):
        catalogue.read_schemas(files_root() / "mappings" / "codes", "mappings/codes", found)
    assert first.errors
    assert first == second


def test_partner_files_are_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "lakeside.toml"
    shutil.copy(PARTNERS / "lakeside.toml", file)
    assert set(catalogue.load(partners=tmp_path).partners) == {"lakeside"}
    file.write_text("name = 1", encoding="utf-8")
    with pytest.raises(Misconfigured):
        catalogue.load(partners=tmp_path)
