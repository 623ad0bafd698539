"""Holdings are kept share by share as last saved; directory resources are seen across a partner's shares."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
        assert holdings.directory(tx, "school") == {SCHOOL.urn: replace(SCHOOL, version="2")}
        assert holdings.directory(tx, "school", [SCHOOL.urn, GOAL.urn]) == holdings.directory(tx, "school")
        assert holdings.directory(tx, "school", ["urn:uuid:none"]) == {}
        assert holdings.directory(tx, "school", []) == {}
        assert holdings.directory(tx, "clinic") == {}
        assert holdings.used_elsewhere(tx, "school", [SCHOOL.urn, GOAL.urn], share_id=one) == {SCHOOL.urn}
        assert holdings.used_elsewhere(tx, "school", [GOAL.urn], share_id=one) == set()
        assert holdings.used_elsewhere(tx, "clinic", [SCHOOL.urn], share_id=elsewhere) == set()


def test_a_withdrawn_directory_resource_is_used_by_nobody(store: Store) -> None:
    with store.writing() as tx:
        one, other = share_of(tx, "C-1", "school"), share_of(tx, "C-2", "school")
        holdings.save(tx, other, [replace(SCHOOL, state="withdrawn")], now=NOW)
        assert holdings.directory(tx, "school") == {}
        assert holdings.used_elsewhere(tx, "school", [SCHOOL.urn], share_id=one) == set()


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
