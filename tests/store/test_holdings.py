"""Holdings are kept share by share as last saved; directory resources are seen across a partner's shares."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from adapter.core.diff import Holding
from adapter.errors import Misconfigured
from adapter.store import cases, holdings, shares
from adapter.store.database import Store, Tx
from tests.store.conftest import NOW

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
several = st.lists(
    st.builds(
        Holding,
        urn=st.uuids().map(lambda value: f"urn:uuid:{value}"),
        type=st.sampled_from(["Goal", "Organization"]),
        identifier=st.tuples(words, words),
        id=words,
        version=words,
        hash=words,
        directory=st.booleans(),
        ours=st.booleans(),
        state=st.sampled_from(["active", "frozen", "withdrawn"]),
        about=words,
        parts=st.lists(words, max_size=3).map(tuple),
        topics=st.lists(words, max_size=3).map(tuple),
    ),
    max_size=5,
    unique_by=lambda holding: holding.urn,
)
GOAL = Holding("urn:uuid:1", "Goal", ("urn:ours", "x"), "g", "1", "h", about="goals/g1", parts=("goals",))
SCHOOL = Holding("urn:uuid:9", "Organization", ("urn:ours", "y"), "o", "1", "h", directory=True)


def share_of(tx: Tx, number: str, partner: str) -> int:
    case, _ = cases.put(tx, number, {}, {}, now=NOW)
    shares.ensure(tx, case.id, [partner], now=NOW)
    return next(share.id for share in shares.of_case(tx, case.id) if share.partner == partner)


def test_two_that_save_the_same_holding_at_once_both_do(store: Store) -> None:
    """A worker that was stopped for longer than its lease, and the one that has its share now: the later one stays."""
    with store.writing() as tx:
        share = share_of(tx, "C-1", "school")
        holdings.save(tx, share, [GOAL], now=NOW)

    def late() -> None:
        with store.writing() as tx:
            holdings.save(tx, share, [replace(GOAL, version="3"), SCHOOL], now=NOW)

    with ThreadPoolExecutor(1) as pool:
        with store.writing() as tx:
            holdings.save(tx, share, [SCHOOL, replace(GOAL, version="2")], now=NOW)
            other = pool.submit(late)
            with pytest.raises(TimeoutError):
                other.result(0.3)  # it waits
        other.result(10)
    with store.reading() as tx:
        assert [(held.type, held.version) for held in holdings.of_share(tx, share)] == [
            ("Goal", "3"),
            ("Organization", "1"),
        ]


@given(first=several, second=several)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_holdings_read_back_as_saved(store: Store, first: list[Holding], second: list[Holding]) -> None:
    """What is saved again by its urn takes the place of what was; the rest stays; what is forgotten is gone."""
    with store.writing() as tx:
        share = share_of(tx, "C-1", "school")
        holdings.forget(tx, share, [holding.urn for holding in holdings.of_share(tx, share)])
        holdings.save(tx, share, first, now=NOW)
        renewed = [replace(holding, version="renewed") for holding in first[:2]]
        holdings.save(tx, share, [*second, *renewed], now=NOW)
    expected = {holding.urn: holding for holding in [*first, *second, *renewed]}
    with store.writing() as tx:
        assert {holding.urn: holding for holding in holdings.of_share(tx, share)} == expected
        holdings.forget(tx, share, [holding.urn for holding in first])
        assert {holding.urn for holding in holdings.of_share(tx, share)} == {holding.urn for holding in second}


def test_one_share_says_nothing_of_another(store: Store) -> None:
    with store.writing() as tx:
        one, other = share_of(tx, "C-1", "school"), share_of(tx, "C-2", "school")
        holdings.save(tx, one, [GOAL], now=NOW)
        holdings.save(tx, other, [replace(GOAL, version="7")], now=NOW)
        holdings.forget(tx, other, [GOAL.urn])
        assert holdings.of_share(tx, one) == [GOAL]


def test_directory_resources_are_seen_across_a_partners_shares_only(store: Store) -> None:
    with store.writing() as tx:
        one, other = share_of(tx, "C-1", "school"), share_of(tx, "C-2", "school")
        elsewhere = share_of(tx, "C-1", "clinic")
        holdings.save(tx, one, [GOAL, SCHOOL], now=NOW)
        holdings.save(tx, other, [replace(SCHOOL, version="2")], now=NOW + timedelta(seconds=1))
        asked = [SCHOOL.urn, GOAL.urn]
        assert holdings.directory(tx, "school", asked) == {SCHOOL.urn: replace(SCHOOL, version="2")}
        assert holdings.directory(tx, "school", ["urn:uuid:none"]) == {}
        assert holdings.directory(tx, "school", []) == {}
        assert holdings.directory(tx, "clinic", asked) == {}
        assert holdings.used_elsewhere(tx, "school", [SCHOOL.urn, GOAL.urn], share_id=one) == {SCHOOL.urn}
        assert holdings.used_elsewhere(tx, "school", [GOAL.urn], share_id=one) == set()
        assert holdings.used_elsewhere(tx, "clinic", [SCHOOL.urn], share_id=elsewhere) == set()


def test_a_withdrawn_directory_resource_is_used_by_nobody(store: Store) -> None:
    with store.writing() as tx:
        one, other = share_of(tx, "C-1", "school"), share_of(tx, "C-2", "school")
        holdings.save(tx, other, [replace(SCHOOL, state="withdrawn")], now=NOW)
        assert holdings.directory(tx, "school", [SCHOOL.urn]) == {}
        assert holdings.used_elsewhere(tx, "school", [SCHOOL.urn], share_id=one) == set()


def test_what_every_share_holds_is_found_by_one_look_at_an_index(store: Store) -> None:
    """The agency itself is held through each share of a partner: neither question reads them all."""
    with store.writing() as tx:
        sqlite = tx.connection.dialect.name == "sqlite"
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO "
        index = "CAST(i AS text)" if sqlite else "i::text"
        blob = f"CAST({index} AS blob)" if sqlite else f"convert_to({index}, 'UTF8')"
        tx.connection.exec_driver_sql(
            f"{numbers} cases (id, number_index, sealed_number, version, sealed_body, sealed_kept, saved_at, deleted) "
            f"SELECT 'x' || i, {blob}, '', 1, '', '', '2026-01-01', false FROM n"
        )
        tx.connection.exec_driver_sql(
            f"{numbers} shares (case_id, partner, state, held, marked, taken, fence, worker, attempts, outcome, "
            "detail, refused, alarms, updated_at) "
            "SELECT 'x' || i, 'school', 'idle', false, 0, 0, 0, '', 0, '', '', '', '[]', '2026-01-01' FROM n"
        )
        tx.connection.exec_driver_sql(
            "INSERT INTO holdings (share_id, urn, type, system, value, id, version, hash, directory, ours, state, "
            "sealed, saved_at) SELECT id, u.urn, 'Organization', '', '', '', '', '', true, true, 'active', '', "
            "'2026-01-01' FROM shares, (SELECT 'urn:uuid:9' AS urn UNION ALL SELECT 'urn:1' UNION ALL SELECT 'urn:2' "
            "UNION ALL SELECT 'urn:3' UNION ALL SELECT 'urn:4') u"
        )
        tx.connection.exec_driver_sql("UPDATE holdings SET urn = urn || '-' || share_id WHERE urn <> 'urn:uuid:9'")
        tx.connection.exec_driver_sql("ANALYZE")
    values = {"of_partner": "school", "of_urn": "urn:uuid:9", "of_share": 1}
    for statement in (holdings.LATEST, holdings.USED_ELSEWHERE):
        plan = plan_of(store, statement, {name: values[name] for name in statement.compile().params if name in values})
        if sqlite:
            assert plan.startswith("SEARCH holdings USING INDEX ix_holdings_urn_saved (urn=?)"), plan
            assert "TEMP B-TREE" not in plan
        else:
            read = re.findall(r"(?:actual .*rows=|Rows Removed by Filter: )(\d+)", plan)
            assert max(int(float(rows)) for rows in read) <= 5, plan


def plan_of(store: Store, statement: sa.Select[Any], values: dict[str, Any]) -> str:
    """How the database would answer, in its own words."""
    plans = []
    with store.writing() as tx:
        explain = "EXPLAIN QUERY PLAN " if tx.connection.dialect.name == "sqlite" else "EXPLAIN ANALYZE "

        def ask(_connection: object, cursor: Any, told: str, parameters: Any, _context: object, _many: bool) -> None:
            cursor.execute(explain + told, parameters)
            plans.append("\n".join(str(row[-1]) for row in cursor.fetchall()))

        event.listen(tx.connection, "before_cursor_execute", ask)
        tx.connection.execute(statement, values)
    [plan] = plans
    return plan


def test_what_a_holding_tells_of_the_case_cannot_be_moved_to_another(store: Store) -> None:
    with store.writing() as tx:
        share = share_of(tx, "C-1", "school")
        holdings.save(tx, share, [GOAL, replace(GOAL, urn="urn:uuid:2", about="goals/g2")], now=NOW)
        tx.connection.exec_driver_sql(
            "UPDATE holdings SET sealed = (SELECT sealed FROM holdings WHERE urn = 'urn:uuid:2') "
            "WHERE urn = 'urn:uuid:1'"
        )
        with pytest.raises(Misconfigured):
            holdings.of_share(tx, share)
