# ruff: noqa: E501  a table reads row by row
"""docs/programs.md is true: its example is a program, its change changes what is due, its tables name what there is."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from adapter import catalogue
from adapter.catalogue import files_root
from adapter.catalogue.files import Found
from adapter.catalogue.reading import check_programs
from adapter.core.programs import due
from adapter.core.programs.asks import KEYS
from adapter.core.programs.reading import VARIABLES
from tests.core.programs.cases import NOW, ONTARIO, WRAP, ZONE, changed, read

GUIDE = (files_root() / "docs" / "programs.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(files_root() / "mappings", tmp_path / "mappings")
    return tmp_path


def with_program(root: Path) -> catalogue.Catalogue:
    """What the guide says to do for a program of one's own."""
    schema = root / "mappings" / "records" / "case.schema.json"
    said = json.loads(schema.read_text(encoding="utf-8"))
    said["properties"]["program"]["enum"].append("adulthood")
    schema.write_text(json.dumps(said), encoding="utf-8")
    codes = root / "mappings" / "codes" / "program.json"
    lines = codes.read_text(encoding="utf-8")
    codes.write_text(lines.replace('"code": "wraparound"', '"code": "adulthood"'), encoding="utf-8")
    (root / "mappings" / "programs" / "adulthood.yaml").write_text(BLOCKS[1], encoding="utf-8")
    return catalogue.load(partners=None, root=root)


def test_the_example_is_a_program_that_asks_for_what_it_says(root: Path) -> None:
    program = with_program(root).programs["adulthood"]
    own = {"young-enough", "plan-within-a-month", "plan-reviewed", "adult-life"}
    case: dict[str, Any] = changed(ONTARIO, {
        "program": "adulthood", "care_plans": [], "child/birth_date": "2006-01-01", "child/school/enrolled": False,
        "enrolment/first_contact": "2026-10-01",
    })  # fmt: skip
    told = [(f.kind, f.rule, str(f.due)) for f in due(case, program, NOW, ZONE) if f.rule in own]
    assert told == [
        ("overdue", "plan-within-a-month", "2026-11-01"), ("due", "young-enough", "2026-12-31"),
        ("missing", "adult-life", "None"), ("missing", "adult-life", "None"),
    ]  # fmt: skip
    reviewed = changed(
        ONTARIO, {"program": "adulthood", "care_plans/0/reviews": {"last": "2026-07-01", "every": "P1Y"}}
    )
    assert ("overdue", "plan-reviewed") in {(f.kind, f.rule) for f in due(reviewed, program, NOW, ZONE)}
    assert [priority.code for priority in program.priorities][0] == "crisis"


def test_the_change_changes_what_is_due(root: Path) -> None:
    file = root / "mappings" / "programs" / "wraparound.yaml"
    before, after = (re.search(rf"^{sign} +(every: \w+)$", BLOCKS[0], re.MULTILINE) for sign in ("-", r"\+"))
    assert before and after
    text = file.read_text(encoding="utf-8")
    rule = text.index("plan-reviewed-every-30-days:")
    assert before[1] in text[rule:]
    file.write_text(text[:rule] + text[rule:].replace(before[1], after[1], 1), encoding="utf-8")
    case = changed(WRAP, {"care_plans/0/reviews/last": "2026-10-25"})
    for where, kind in ((read(), "due"), (catalogue.load(partners=None, root=root), "overdue")):
        told = {f.rule: f.kind for f in due(case, where.programs["wraparound"], NOW, ZONE)}
        assert told["plan-reviewed-every-30-days"] == kind


def test_a_field_that_no_record_has_is_told(root: Path) -> None:
    file = root / "mappings" / "programs" / "wraparound.yaml"
    text = file.read_text(encoding="utf-8").replace('holds: "attainable.exists()"', 'holds: "reveiws.last.exists()"')
    file.write_text(text, encoding="utf-8")
    found = Found()
    check_programs(file.parent, "mappings/programs", read().schemas, found)
    assert [f.detail.partition(": ")[2] for f in found.remarks] == ["no record schema has `reveiws` here"]


def test_the_guide_names_every_kind_and_key() -> None:
    table = dict(re.findall(r"^\| `(must|repeat|cover|age)` \|(.*)\|$", GUIDE, re.MULTILINE))
    assert set(table) == set(KEYS)
    for kind, keys in KEYS.items():
        for key in set(keys) - {"each", "at", "when"}:
            assert f"`{key}" in table[kind], (kind, key)
    assert all(f"%{name}" in GUIDE for name in VARIABLES)
