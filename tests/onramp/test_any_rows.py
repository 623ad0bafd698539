"""Whatever rows say: a case of them, or refusals with a place; never a crash, and never a value told."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.catalogue import record_schemas
from adapter.core.case import check
from adapter.core.onramp.cells import Broken, Formula
from adapter.core.onramp.joining import join
from adapter.core.onramp.rows import Row, build
from tests.onramp.filling import LAYOUT, rows_of

SCHEMAS = record_schemas()
BY_NAME = {sheet.name: sheet for sheet in LAYOUT}
SECRET = "Wickenbrook"
CELLS = (
    st.sampled_from([SECRET, f"people/{SECRET}", "g1", "mother", "child", "active", "yes", "2026-01-31", "", " ", "=",
                     "a;b\nc", "goals/g1", "all", "permit", "education", "\x00", "\ud800", "9" * 50, "💜" * 400])
    | st.integers(-(10**6), 10**6)
    | st.floats()
    | st.booleans()
    | st.dates(date(1800, 1, 1), date(2200, 1, 1))
    | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))
    | st.sampled_from([time(9), Formula(f"={SECRET}"), Broken(), None])
)  # fmt: skip


@st.composite
def any_rows(draw: st.DrawFn) -> list[Row]:
    """Rows of any sheets, most of their columns known, some of them ids that meet."""
    found = []
    for number in range(draw(st.integers(1, 8))):
        sheet = draw(st.sampled_from(LAYOUT))
        names = [*sheet.keys, *(column.name for column in sheet.columns), "unknown"]
        chosen = draw(st.lists(st.sampled_from(names), max_size=6, unique=True))
        values: dict[str, Any] = {name: draw(CELLS) for name in chosen}
        ids = {name: draw(st.sampled_from(["g1", "p1", "mother"])) for name in (*sheet.keys[1:], "id")}
        found.append(Row(sheet.name, number + 2, {**ids, **values, "case": "C-1"}))
    return found


@settings(max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(any_rows(), st.booleans())
def test_any_rows_make_a_case_or_refusals_and_tell_no_value(rows: list[Row], complete: bool) -> None:
    built = build("C-1", rows, BY_NAME)
    before = {"case": "C-1", "program": "ontario-csp", "child": {}, "goals": [{"id": "g1", "title": "Swim"}]}
    joined = join(before, built.case, SCHEMAS.collections, lambda _: True, complete=complete)
    told = [f"{r.place}: {r.rule}" for r in built.refusals]
    told += [f"{built.places.of(p.pointer, joined)}: {p.detail}" for p in check(joined, SCHEMAS)]
    assert SECRET.lower() not in " ".join(told).lower()
    assert all(refusal.place.row for refusal in built.refusals)


@settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_rows_in_any_order_make_the_same_case_but_for_the_order_of_records(data: st.DataObject) -> None:
    case = {
        "case": "C-1", "program": "ontario-csp", "child": {"name": {"family": "Invented"}, "telecoms": []},
        "goals": [{"id": f"g{i}", "title": f"Goal {i}", "status": "active",
                   "steps": [{"id": f"s{j}", "text": "a step"} for j in range(i)]} for i in range(3)],
        "care_plans": [{"id": "p1", "status": "active", "transitions": [
            {"id": "t1", "kind": "home", "steps": [{"id": "s1", "text": "x"}]}]}],
    }  # fmt: skip
    rows = [Row(sheet.name, number, cells) for number, (sheet, cells) in enumerate(rows_of(case), start=2)]
    shuffled = data.draw(st.permutations(rows))
    one, other = build("C-1", rows, BY_NAME), build("C-1", shuffled, BY_NAME)
    assert one.refusals == other.refusals == []
    assert json.dumps(one.case, sort_keys=True) == json.dumps(other.case, sort_keys=True)
