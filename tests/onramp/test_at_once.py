"""All that is wrong with a case's rows is told in one round: and a wrong cell once, not again by what it leaves out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapter.catalogue import files_root, record_schemas
from adapter.core.case import check
from adapter.core.onramp.cells import Broken
from adapter.core.onramp.following import beside
from adapter.core.onramp.joining import join
from adapter.core.onramp.rows import Row, build
from tests.onramp.filling import LAYOUT, rows_of

SCHEMAS = record_schemas()
BY_NAME = {sheet.name: sheet for sheet in LAYOUT}
WHOLE = json.loads((files_root() / "fixtures" / "wraparound" / "case.json").read_text(encoding="utf-8"))


def rows_of_whole() -> list[Row]:
    counts: dict[str, int] = {}
    found = []
    for sheet, values in rows_of(WHOLE):
        counts[sheet.name] = counts.get(sheet.name, 1) + 1
        found.append(Row(sheet.name, counts[sheet.name], values))
    return found


ROWS = rows_of_whole()


def told(rows: list[Row]) -> set[str]:
    """What is told of a new case with these rows: places, and rules without their pointers."""
    built = build("C-1", rows, BY_NAME)
    joined = join({}, built.case, SCHEMAS.collections, lambda _: True, complete=False)
    problems = beside(check(joined, SCHEMAS), joined, built.places, built.refusals)
    found = {f"{each.place}: {each.rule}" for each in built.refusals}
    return found | {f"{built.places.of(each.pointer, joined)}: {each.detail}" for each in problems}


def first(rows: list[Row], sheet: str) -> Row:
    return next(row for row in rows if row.sheet == sheet)


def changed(sheet: str, **cells: Any) -> Callable[[list[Row]], list[Row]]:
    """The first row of the sheet with other cells."""

    def change(rows: list[Row]) -> list[Row]:
        at = next(i for i, row in enumerate(rows) if row.sheet == sheet)
        return [*rows[:at], replace(rows[at], values={**rows[at].values, **cells}), *rows[at + 1 :]]

    return change


BROKEN = "holds an error of the spreadsheet"
LEADS_NOWHERE = "this reference leads to nothing in the case"
MISSING = "a required field is missing"
OTHER = Row("goals", 99, {"id": "other", "status": "active"})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            [changed("goals", due=Broken()), changed("contacts", by="people/nobody")],
            {f"goals, row 2, column due: {BROKEN}", f"contacts, row 2, column by: {LEADS_NOWHERE}"},
            id="a wrong cell, and a reference of another sheet that leads nowhere",
        ),
        pytest.param(
            [changed("goals", due=Broken(), set_by="people/nobody", title=None)],
            {
                f"goals, row 2, column due: {BROKEN}",
                f"goals, row 2, column set_by: {LEADS_NOWHERE}",
                f"goals, row 2, column title: {MISSING}",
            },
            id="in one row a wrong cell, a reference that leads nowhere, and a cell that is empty",
        ),
        pytest.param(
            [changed("goals", due=Broken()), lambda rows: [*rows, OTHER]],
            {f"goals, row 2, column due: {BROKEN}", f"goals, row 99, column title: {MISSING}"},
            id="a wrong cell, and a required one that is empty in another row of the sheet",
        ),
        pytest.param(
            [lambda rows: [*rows, replace(first(rows, "goals"), number=99, values={
                **first(rows, "goals").values, "due": Broken()})]],
            {f"goals, row 99, column due: {BROKEN}", "goals, row 99, column id: this id is there already, in row 2"},
            id="a wrong cell in a row whose id is another's",
        ),
        pytest.param(
            [changed("goals", id=Broken()), changed("goals", set_by="people/nobody")],
            {f"goals, row 2, column id: {BROKEN}"},
            id="a row without a name: what refers to it is not told, nor what it says itself",
        ),
        pytest.param(
            [changed("goals", id=Broken()), changed("contacts", by="people/nobody")],
            {f"goals, row 2, column id: {BROKEN}", f"contacts, row 2, column by: {LEADS_NOWHERE}"},
            id="a row without a name, and a reference to another sheet",
        ),
        pytest.param(
            [changed("goals", title=None, titel="Swim")],
            {"goals, row 2, column titel: this column is not known on this sheet"},
            id="a required cell under a header that is not known",
        ),
    ],
)  # fmt: skip
def test_all_is_told_in_one_round(changes: list[Callable[[list[Row]], list[Row]]], expected: set[str]) -> None:
    rows = ROWS
    for change in changes:
        rows = change(rows)
    assert told(rows) == expected


def test_one_wrong_cell_is_told_once_wherever_it_stands() -> None:
    """Each cell that is an id, says where its row belongs, or is required; and one more of each sheet."""
    assert told(ROWS) == set()
    tried = set()
    for index, row in enumerate(ROWS):
        sheet = BY_NAME[row.sheet]
        required = {column.name for column in sheet.columns if column.required}
        for name in (
            *sheet.keys[1:],
            *(each for each in row.values if each in required | {"id"}),
            list(row.values)[-1],
        ):
            if (row.sheet, name) in tried or name == "case":
                continue
            tried.add((row.sheet, name))
            wrong = replace(row, values={**row.values, name: Broken()})
            assert told([*ROWS[:index], wrong, *ROWS[index + 1 :]]) == {
                f"{row.sheet}, row {row.number}, column {name}: {BROKEN}"
            }
    assert len(tried) > 50
