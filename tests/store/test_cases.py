"""Cases are kept as put, under a number of the agency's own that only the keys can read, and keep their id for ever."""

from __future__ import annotations

import threading
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.errors import Misconfigured
from adapter.store import cases
from adapter.store.database import Store
from adapter.store.tables import cases as table
from tests.store.conftest import NOW

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1000, max_value=1000)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)
bodies = st.dictionaries(texts, values, max_size=4)


@given(number=texts, body=bodies, kept=bodies)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_case_reads_back_as_it_was_put(store: Store, number: str, body: dict[str, Any], kept: dict[str, Any]) -> None:
    with store.writing() as tx:
        put, _ = cases.put(tx, number, body, kept, now=NOW)
    with store.reading() as tx:
        found = cases.get(tx, number)
        assert found == put
        assert cases.by_id(tx, put.id) == put
    assert found is not None
    assert (found.number, found.body, found.kept, found.saved_at) == (number, body, kept, NOW)


def test_saving_again_changes_nothing_unless_something_differs(store: Store) -> None:
    steps: list[tuple[dict[str, Any], dict[str, Any], bool, int]] = [
        ({"a": 1, "b": 2}, {}, True, 1),
        ({"b": 2, "a": 1}, {}, False, 1),
        ({"a": 1, "b": 2}, {"entered": "2026-11-02"}, True, 2),
        ({"a": 1, "b": 2.0}, {"entered": "2026-11-02"}, True, 3),
        ({"a": True, "b": 2.0}, {"entered": "2026-11-02"}, True, 4),
    ]
    with store.writing() as tx:
        for turn, (body, kept, changes, version) in enumerate(steps):
            stored, changed = cases.put(tx, "C-1", body, kept, now=NOW + timedelta(seconds=turn))
            assert (changed, stored.version) == (changes, version)
            assert cases.get(tx, "C-1") == stored


def test_a_deleted_case_stays_as_a_row_and_comes_back_as_the_same_one(store: Store) -> None:
    with store.writing() as tx:
        put, _ = cases.put(tx, "C-1", {"a": 1}, {}, now=NOW)
        gone = cases.delete(tx, "C-1", {"tombstones": ["goals/g1"]}, now=NOW)
        assert gone is not None
        assert (gone.id, gone.version, gone.deleted, gone.body) == (put.id, 2, True, {})
        assert cases.get(tx, "C-1") == gone
        assert cases.delete(tx, "C-1", {}, now=NOW) is None
        assert cases.delete(tx, "C-2", {}, now=NOW) is None
        assert (cases.count(tx), cases.listed(tx, after=None, limit=10)) == (0, [])
        back, changed = cases.put(tx, "C-1", {}, gone.kept, now=NOW)
        assert (back.id, back.version, back.deleted, changed) == (put.id, 3, False, True)
        assert cases.count(tx) == 1


def test_cases_are_listed_page_by_page_in_the_order_first_saved(store: Store) -> None:
    with store.writing() as tx:
        ids = [cases.put(tx, f"C-{number}", {}, {}, now=NOW)[0].id for number in (3, 1, 2, 5, 4)]
        cases.put(tx, "C-3", {"saved": "again"}, {}, now=NOW)
    pages, after = [], None
    with store.reading() as tx:
        while page := cases.listed(tx, after=after, limit=2):
            pages.append([case.id for case in page])
            after = page[-1].id
    assert pages == [ids[:2], ids[2:4], ids[4:]]


def test_what_is_not_there_is_none(store: Store) -> None:
    with store.reading() as tx:
        assert cases.get(tx, "C-1") is None
        assert cases.by_id(tx, "0" * 32) is None


def test_two_who_create_the_same_case_at_once_make_one(store: Store) -> None:
    ready = threading.Barrier(4)
    made: list[tuple[str, int]] = []

    def create(number: int) -> None:
        ready.wait()
        with store.writing() as tx:
            stored, _ = cases.put(tx, "C-1", {"by": number}, {}, now=NOW)
        made.append((stored.id, stored.version))

    threads = [threading.Thread(target=create, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({case_id for case_id, _ in made}) == 1
    assert sorted(version for _, version in made) == [1, 2, 3, 4]


def test_a_moment_comes_back_in_utc_whatever_zone_it_was_given_in(store: Store) -> None:
    with store.writing() as tx:
        cases.put(tx, "C-1", {}, {}, now=NOW.astimezone(timezone(timedelta(hours=-5))))
        found = cases.get(tx, "C-1")
    assert found is not None
    assert (found.saved_at, found.saved_at.utcoffset()) == (NOW, timedelta(0))


def test_a_moment_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="without a time zone"), store.writing() as tx:
        cases.put(tx, "C-1", {}, {}, now=NOW.replace(tzinfo=None))


@pytest.mark.parametrize("column", ["sealed_number", "sealed_body", "sealed_kept"])
def test_a_value_copied_from_another_case_does_not_open(store: Store, column: str) -> None:
    with store.writing() as tx:
        for number in ("C-1", "C-2"):
            cases.put(tx, number, {}, {}, now=NOW)
        tx.connection.exec_driver_sql(
            f"UPDATE cases SET {column} = (SELECT {column} FROM cases WHERE position = 2) WHERE position = 1"
        )
        with pytest.raises(Misconfigured, match=f"cases.{column}"):
            cases.get(tx, "C-1")
        assert cases.get(tx, "C-2") is not None


def test_the_number_stands_in_no_column(store: Store) -> None:
    with store.writing() as tx:
        cases.put(tx, "MARKER-1042", {"case": "MARKER-1042"}, {}, now=NOW)
        row = tx.connection.execute(table.select()).one()
    assert not [value for value in row if b"MARKER" in (value if isinstance(value, bytes) else str(value).encode())]
