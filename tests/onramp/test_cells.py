"""What a person may write into a cell, and what becomes of it: never a guess, and never the value in a refusal."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from adapter.core.onramp.cells import Broken, Formula, NoValueError, read
from adapter.core.onramp.layout import Column
from tests.onramp.filling import LAYOUT

COLUMNS = {f"{sheet.name}.{column.name}": column for sheet in LAYOUT for column in sheet.columns}


def column(name: str) -> Column:
    return COLUMNS[name]


@pytest.mark.parametrize(
    ("name", "written", "meant"),
    [
        pytest.param("goals.title", "  Swim  ", "Swim", id="text, without what stands around it"),
        pytest.param("goals.title", 7.0, "7", id="a number that a spreadsheet made of a text"),
        pytest.param("goals.id", 12, "12", id="an id that is a number"),
        pytest.param("child.address.postal_code", 1234.5, "1234.5", id="digits and a point"),
        pytest.param("goals.title", "", None, id="an empty cell"),
        pytest.param("goals.title", " \n", None, id="a cell of blanks"),
        pytest.param("goals.due", "2027-01-31", "2027-01-31", id="a date as text"),
        pytest.param("goals.due", date(2027, 1, 31), "2027-01-31", id="a date"),
        pytest.param("goals.due", datetime(2027, 1, 31), "2027-01-31", id="a date of a spreadsheet"),
        pytest.param("goals.due", 46418, "2027-01-31", id="a date that lost its format: a serial number"),
        pytest.param("goals.due", 61.0, "1900-03-01", id="the first serial number that is certain"),
        pytest.param("consents.signed_at", "2026-09-01T10:00:00-04:00", "2026-09-01T10:00:00-04:00", id="an instant"),
        pytest.param("goals.rank", 1.0, 1, id="a whole number as spreadsheets keep it"),
        pytest.param("goals.rank", "2", 2, id="a number as text"),
        pytest.param("goals.target.value", "3.50", Decimal("3.50"), id="a decimal as text"),
        pytest.param("goals.target.value", 3.5, Decimal("3.5"), id="a decimal"),
        pytest.param("people.decision_maker", "yes", True, id="yes"),
        pytest.param("people.decision_maker", "Non", False, id="no, in French"),
        pytest.param("people.decision_maker", True, True, id="a cell that is true"),
        pytest.param("people.decision_maker", 1, True, id="one for yes"),
        pytest.param("goals.status", "Active", "active", id="a code with a capital"),
        pytest.param("goals.status", "On hold", "on-hold", id="a code as people write it"),
        pytest.param("goals.needs", "needs/n1; needs/n2\nneeds/n3", ["needs/n1", "needs/n2", "needs/n3"], id="several"),
        pytest.param("goals.topics", "hiv, genetic", ["hiv", "genetic"], id="several topics"),
        pytest.param("child.likes", "Trains; and maps\nBread, warm", ["Trains; and maps", "Bread, warm"], id="texts"),
        pytest.param("organizations.sector", "health", "health", id="one where several may stand"),
        pytest.param("organizations.sector", "health; hospital", ["health", "hospital"], id="two of them"),
        pytest.param("goals.progress.rating", "-1", -1, id="a rating that is a number"),
        pytest.param("goals.progress.rating", "better", "better", id="a rating in words"),
        pytest.param("goals.text", Formula("=1+1"), "=1+1", id="a formula is its text"),
    ],
)
def test_a_cell_becomes_its_leaf(name: str, written: Any, meant: Any) -> None:
    found = read(written, column(name))
    assert (found, type(found)) == (meant, type(meant))


def test_a_workbook_that_counts_from_1904_means_other_days() -> None:
    """ECMA-376, 18.17.4.1: the same number is a day four years and a day later."""
    assert read(44956, column("goals.due"), counts_from_1904=True) == "2027-01-31"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        pytest.param("goals.due", "03/04/2027", id="a date that is two days, depending on who reads it"),
        pytest.param("goals.due", "2027-02-30", id="a day that is none"),
        pytest.param("goals.due", "soon", id="a date in words"),
        pytest.param("goals.due", 60, id="a day that only spreadsheets count"),
        pytest.param("goals.due", -3, id="a day before all days"),
        pytest.param("goals.due", 1e300, id="a day behind all days"),
        pytest.param("goals.due", float("nan"), id="a day that is no number"),
        pytest.param("goals.due", 46418.5, id="a day and a half"),
        pytest.param("goals.due", datetime(2027, 1, 31, 9, 30), id="a day with a time"),
        pytest.param("goals.due", time(9, 30), id="a time alone"),
        pytest.param("goals.due", True, id="yes in place of a date"),
        pytest.param("goals.due", Formula("=TODAY()"), id="a date that would be computed"),
        pytest.param("goals.rank", "first", id="a number in words"),
        pytest.param("goals.rank", 1.5, id="half of a whole number"),
        pytest.param("goals.rank", "1,5", id="a comma for a point"),
        pytest.param("goals.rank", float("inf"), id="no end of a number"),
        pytest.param("goals.status", "activ", id="a code that is none"),
        pytest.param("goals.id", Formula("=A1"), id="an id that would be computed"),
        pytest.param("people.decision_maker", "maybe", id="neither yes nor no"),
        pytest.param("people.decision_maker", 2, id="two for yes"),
        pytest.param("goals.title", Broken(), id="an error of the spreadsheet"),
        pytest.param("goals.rank", date(2027, 1, 31), id="a number that a spreadsheet took for a date"),
    ],
)
def test_what_is_not_certain_is_refused_and_not_repeated(name: str, written: Any) -> None:
    with pytest.raises(NoValueError) as refused:
        read(written, column(name))
    words = str(refused.value).replace(", ".join(column(name).codes) or "-", "")
    assert len(words) > 15
    assert not isinstance(written, str | Formula) or getattr(written, "text", written) not in words
